//! `[evaluate.NAME]`: how often answers are right, on held-out questions, and how often verdicts are, on the debated
//! ones. The only stage that reads gold answers.

use super::{
    Amplifier,
    sample::{Drawn, Source},
};
use crate::{
    evaluation::{Count, Examinee, Scored, agrees, by_depth, row_name, sum},
    tables,
};
use batch::{Bundle, Stage, StageError, Unit};
use debate::draw::Draw;
use polars::prelude::*;
use spec::settings::{Row, Wording};
use std::collections::BTreeMap;

/// Evaluates at some batches.
pub struct Evaluate {
    /// The stage's name.
    pub name: String,
    /// Held-out questions.
    pub questions: Vec<Drawn>,
    /// Whose model and human are evaluated.
    pub of: Amplifier,
    /// Who answers.
    pub rows: Vec<Row>,
    /// The tables of verdicts, arguments and gold answers, where verdicts are compared.
    pub verdicts: Option<VerdictTables>,
    /// How questions are worded.
    pub wording: Wording,
    /// The root of H's guesses.
    pub draw: Draw,
}

/// Where verdicts and what is right are found.
pub struct VerdictTables {
    /// Who won.
    pub verdicts: String,
    /// What was argued.
    pub arguments: String,
    /// The gold answers.
    pub gold: String,
}

/// The first so many questions of a source. Those of a generator have draws of their own, but short questions are few,
/// and training will have met some of them.
pub fn held_out(source: &Source, count: usize, draw: Draw) -> Vec<Drawn> {
    let count = match source {
        Source::Rows(rows, _) => rows.len().min(count),
        Source::Task(_) | Source::Mixture(_) => count,
    };
    (0..count as u64).map(|ordinal| source.draw(ordinal, draw)).collect()
}

impl Stage for Evaluate {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        if let Some(tables) = &self.verdicts {
            note_verdicts(unit, tables)?;
        }
        let scored = if unit.due { self.scores(unit)? } else { Vec::new() };
        Ok(Bundle::from([
            (self.name.clone(), counts_table(&self.rows, &scored)?),
            (format!("{}.answers", self.name), answers_table(&scored)?),
        ]))
    }
}

impl Evaluate {
    fn scores(&self, unit: &mut Unit<'_>) -> Result<Vec<Scored>, StageError> {
        let mut m = self.of.answerer_at(unit, 0.0)?;
        let examinee = Examinee { human: self.of.human.as_ref(), wording: &self.wording, draw: self.draw };
        let mut all = Vec::new();
        for &row in &self.rows {
            let scored = examinee.score(row, &mut m, &self.questions)?;
            let count = sum(by_depth(&scored).into_values());
            if count.total > 0 {
                unit.metric(row_name(row), count.accuracy());
            }
            all.extend(scored);
        }
        Ok(all)
    }
}

/// The share of verdicts for the right side: the even side where its last argument answers as gold does, the odd
/// side where it does not.
fn note_verdicts(unit: &mut Unit<'_>, tables: &VerdictTables) -> Result<(), StageError> {
    let (gold, arguments) = (unit.table(&tables.gold)?, unit.table(&tables.arguments)?);
    let verdicts = unit.table(&tables.verdicts)?;
    let gold: BTreeMap<u64, Option<String>> =
        tables::u64s(gold, "id")?.into_iter().zip(tables::optional_texts(gold, "gold")?).collect();
    let turns = tables::u32s(arguments, "turn")?;
    let texts = tables::u64s(arguments, "question")?.into_iter().zip(tables::texts(arguments, "text")?);
    let even: BTreeMap<u64, String> =
        texts.zip(turns).filter(|(_, turn)| turn.is_multiple_of(2)).map(|(argument, _)| argument).collect();
    let winners = tables::optional_texts(verdicts, "winner")?;
    let mut count = Count::default();
    for (id, winner) in tables::u64s(verdicts, "question")?.into_iter().zip(winners) {
        let (Some(winner), Some(Some(gold)), Some(said)) = (winner, gold.get(&id), even.get(&id)) else { continue };
        let right = if agrees(said, gold) { "even" } else { "odd" };
        count.total += 1;
        count.correct += u32::from(winner == right);
    }
    if count.total > 0 {
        unit.metric("right_verdicts", count.accuracy());
    }
    Ok(())
}

fn counts_table(rows: &[Row], scored: &[Scored]) -> PolarsResult<DataFrame> {
    let of = |row: Row| by_depth(scored.iter().filter(move |scored| scored.row == row));
    let counts: Vec<(Row, Option<u32>, Count)> =
        rows.iter().flat_map(|&row| of(row).into_iter().map(move |(depth, count)| (row, depth, count))).collect();
    DataFrame::new(
        counts.len(),
        vec![
            Column::new("row".into(), counts.iter().map(|(row, ..)| row_name(*row)).collect::<Vec<_>>()),
            Column::new("depth".into(), counts.iter().map(|(_, depth, _)| *depth).collect::<Vec<_>>()),
            Column::new("correct".into(), counts.iter().map(|(.., count)| count.correct).collect::<Vec<_>>()),
            Column::new("total".into(), counts.iter().map(|(.., count)| count.total).collect::<Vec<_>>()),
        ],
    )
}

fn answers_table(scored: &[Scored]) -> PolarsResult<DataFrame> {
    let texts =
        |name: &str, text: fn(&Scored) -> &str| Column::new(name.into(), scored.iter().map(text).collect::<Vec<_>>());
    DataFrame::new(
        scored.len(),
        vec![
            texts("row", |scored| row_name(scored.row)),
            texts("question", |scored| &scored.question),
            Column::new("depth".into(), scored.iter().map(|scored| scored.depth).collect::<Vec<_>>()),
            texts("answer", |scored| &scored.answer),
            texts("gold", |scored| &scored.gold),
            Column::new("correct".into(), scored.iter().map(|scored| scored.correct).collect::<Vec<_>>()),
        ],
    )
}
