//! `[evaluate.NAME]`: how often answers are right, on held-out questions, and how often verdicts are, on the debated
//! ones. The only stage that reads gold answers.

use super::{
    Amplifier,
    procedure::Procedure,
    sample::{Drawn, Source},
};
use crate::stages::{
    calibration::{bins, brier, calibration_error},
    evaluation::{Count, Examinee, Harm, Scored, by_depth, known, scored, sum},
    verdicts::{forecasts, judged, right},
};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{cost::Cost, draw::Draw};
use polars::prelude::*;
use spec::settings::{Row, Wording};
use std::sync::Arc;

/// Evaluates at some batches.
pub struct Evaluate {
    /// The stage's name.
    pub name: String,
    /// Held-out questions.
    pub questions: Arc<[Drawn]>,
    /// Whose model and human are evaluated.
    pub of: Amplifier,
    /// Who answers.
    pub rows: Vec<Row>,
    /// The debate and the judge of the rows that take them.
    pub procedure: Option<Procedure>,
    /// The tables of verdicts, arguments and gold answers, where verdicts are compared.
    pub verdicts: Option<VerdictTables>,
    /// The two answers of H's task, where H is asked of each answer if it is a catastrophe.
    pub catastrophes: Option<[&'static str; 2]>,
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
    /// Whether each side argues for an answer of its own.
    pub both_answer: bool,
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
            (format!("{}.answers", self.name), answers_table(&scored, self.catastrophes.is_some())?),
        ]))
    }
}

impl Evaluate {
    fn scores(&self, unit: &mut Unit<'_>) -> Result<Vec<Scored>, StageError> {
        let mut m = self.of.answerer_at(unit, 0.0)?;
        let beside = self.of.examined(unit)?;
        let examinee = Examinee { amp: self.of.amp(&self.wording, &beside), draw: self.draw };
        let known = known(&self.questions);
        let mut all = Vec::new();
        for &row in &self.rows {
            let answers = match &self.procedure {
                Some(procedure) if row.is_judged() => procedure.answers(row, unit, self.draw, &known)?,
                _ => examinee.answers(row, &mut m, &known)?,
            };
            let mut scored = scored(row, &known, answers);
            if let Some(answers) = self.catastrophes {
                examinee.harms(&mut scored, answers)?;
                note_harm(unit, row, &scored);
            }
            let count = sum(by_depth(&scored).into_values());
            if count.total > 0 {
                unit.metric(row.name(), count.accuracy());
            }
            all.extend(scored);
        }
        Ok(all)
    }
}

/// The shares of a row's answers that are catastrophes, and that are none of the two answers.
fn note_harm(unit: &mut Unit<'_>, row: Row, scored: &[Scored]) {
    let harms: Vec<Harm> = scored.iter().filter_map(|scored| scored.harm).collect();
    let mut note = |name: &str, known: Vec<bool>| {
        let share = known.iter().filter(|holds| **holds).count() as f64 / known.len() as f64;
        if !known.is_empty() {
            unit.metric(format!("{}_{name}", row.name()), share);
        }
    };
    note("catastrophes", harms.iter().filter_map(|harm| harm.catastrophe).collect());
    note("declined", harms.iter().map(|harm| harm.declined).collect());
}

/// The share of verdicts for the right side and, where there are probabilities, how far they can be believed.
fn note_verdicts(unit: &mut Unit<'_>, tables: &VerdictTables) -> Result<(), StageError> {
    let (gold, arguments) = (unit.table(&tables.gold)?, unit.table(&tables.arguments)?);
    let judged = judged(unit.table(&tables.verdicts)?, arguments, Some(gold), tables.both_answer)?;
    let count = right(&judged);
    if count.total > 0 {
        unit.metric("right_verdicts", count.accuracy());
    }
    let forecasts = forecasts(&judged);
    if let (Some(brier), Some(error)) = (brier(&forecasts), calibration_error(&bins(&forecasts))) {
        unit.metric("brier", brier);
        unit.metric("calibration_error", error);
    }
    Ok(())
}

/// Right answers and costs, by row and depth.
fn counts_table(rows: &[Row], scored: &[Scored]) -> PolarsResult<DataFrame> {
    let mut groups: Vec<(String, Option<u32>, Count, Cost)> = Vec::new();
    for &row in rows {
        let of_row: Vec<&Scored> = scored.iter().filter(|scored| scored.row == row).collect();
        for (depth, count) in by_depth(of_row.iter().copied()) {
            let cost = of_row.iter().filter(|scored| scored.depth == depth).map(|scored| scored.cost).sum();
            groups.push((row.name(), depth, count, cost));
        }
    }
    let costs = |name: &str, of: fn(&Cost) -> u64| {
        Column::new(name.into(), groups.iter().map(|(.., cost)| of(cost)).collect::<Vec<_>>())
    };
    DataFrame::new(
        groups.len(),
        vec![
            Column::new("row".into(), groups.iter().map(|(row, ..)| row.as_str()).collect::<Vec<_>>()),
            Column::new("depth".into(), groups.iter().map(|(_, depth, ..)| *depth).collect::<Vec<_>>()),
            Column::new("correct".into(), groups.iter().map(|(_, _, count, _)| count.correct).collect::<Vec<_>>()),
            Column::new("total".into(), groups.iter().map(|(_, _, count, _)| count.total).collect::<Vec<_>>()),
            costs("human_calls", |cost| cost.human_calls),
            costs("tokens_read", |cost| cost.tokens_read),
            costs("tokens_written", |cost| cost.tokens_written),
        ],
    )
}

fn answers_table(scored: &[Scored], harms: bool) -> PolarsResult<DataFrame> {
    let texts =
        |name: &str, text: fn(&Scored) -> &str| Column::new(name.into(), scored.iter().map(text).collect::<Vec<_>>());
    let mut table = DataFrame::new(
        scored.len(),
        vec![
            Column::new("row".into(), scored.iter().map(|scored| scored.row.name()).collect::<Vec<_>>()),
            texts("question", |scored| &scored.question),
            Column::new("depth".into(), scored.iter().map(|scored| scored.depth).collect::<Vec<_>>()),
            texts("answer", |scored| &scored.answer),
            texts("gold", |scored| &scored.gold),
            Column::new("correct".into(), scored.iter().map(|scored| scored.correct).collect::<Vec<_>>()),
        ],
    )?;
    if harms {
        let catastrophes: Vec<Option<bool>> = scored.iter().map(|scored| scored.harm?.catastrophe).collect();
        let declined: Vec<bool> = scored.iter().map(|scored| scored.harm.is_some_and(|harm| harm.declined)).collect();
        table.with_column(Column::new("catastrophe".into(), catastrophes))?;
        table.with_column(Column::new("declined".into(), declined))?;
    }
    Ok(table)
}
