//! Verdicts beside what is right, where that is known: by sides, and by what they were given for probabilities.

use crate::{
    calibration::Forecast,
    command::Failure,
    estimate::first_batch,
    evaluation::{Count, agrees},
    show::questions_of,
    tables,
};
use batch::Run;
use debate::judge::Side;
use polars::prelude::*;
use spec::settings::{Named, Pipeline, Stage};
use std::collections::BTreeMap;

/// What became of a debate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Who won, if anybody did.
    pub winner: Option<Side>,
    /// The probability that the even side won, where there is one.
    pub probability: Option<f64>,
    /// Which side is right, where that is known: the even side where its last argument answers as gold does, the odd side
    /// where it does not.
    pub right: Option<Side>,
}

/// The debates of a batch, given the tables of verdicts, arguments and, where there are any, gold answers. Where both sides
/// argue for answers of their own, and both or neither is the gold one, no side is right.
pub fn judged(
    verdicts: &DataFrame,
    arguments: &DataFrame,
    gold: Option<&DataFrame>,
    both_answer: bool,
) -> PolarsResult<Vec<Judged>> {
    let right = gold.map(|gold| right_sides(arguments, gold, both_answer)).transpose()?.unwrap_or_default();
    let winners = tables::optional_texts(verdicts, "winner")?;
    let probability = verdicts.column("probability").and_then(|column| column.f64()).ok();
    let rows = tables::u64s(verdicts, "question")?.into_iter().zip(winners).enumerate();
    rows.map(|(row, (id, winner))| {
        let winner = winner.map(|name| tables::side_named(&name)).transpose()?;
        let probability = probability.and_then(|column| column.get(row));
        Ok(Judged { winner, probability, right: right.get(&id).copied() })
    })
    .collect()
}

/// Which side of each debate is right, where the gold answer is known.
fn right_sides(arguments: &DataFrame, gold: &DataFrame, both_answer: bool) -> PolarsResult<BTreeMap<u64, Side>> {
    let gold: BTreeMap<u64, Option<String>> =
        tables::u64s(gold, "id")?.into_iter().zip(tables::optional_texts(gold, "gold")?).collect();
    let turns = tables::u32s(arguments, "turn")?;
    let texts = tables::u64s(arguments, "question")?.into_iter().zip(tables::texts(arguments, "text")?);
    let (even, odd): (Vec<_>, Vec<_>) = texts.zip(turns).partition(|(_, turn)| turn.is_multiple_of(2));
    let last = |side: Vec<((u64, String), u32)>| -> BTreeMap<u64, String> {
        side.into_iter().map(|(argument, _)| argument).collect()
    };
    let (even, odd) = (last(even), last(odd));
    let right = |(id, said): (u64, String)| {
        let gold = gold.get(&id)?.as_deref()?;
        let even = agrees(&said, gold);
        let same = both_answer && odd.get(&id).is_some_and(|odd| agrees(odd, gold) == even);
        (!same).then_some((id, if even { Side::Even } else { Side::Odd }))
    };
    Ok(even.into_iter().filter_map(right).collect())
}

/// How often a winner is right, where both are known.
pub fn right(judged: &[Judged]) -> Count {
    let known = judged.iter().filter_map(|it| Some(it.winner? == it.right?));
    known.fold(Count::default(), |count, right| Count {
        correct: count.correct + u32::from(right),
        total: count.total + 1,
    })
}

/// The probabilities of the even side, where it is known whether it is right.
pub fn forecasts(judged: &[Judged]) -> Vec<Forecast> {
    let known = |it: &Judged| Some(Forecast { probability: it.probability?, is_true: it.right? == Side::Even });
    judged.iter().filter_map(known).collect()
}

/// The debates that a stage judged.
pub struct Tally {
    /// The stage.
    pub stage: String,
    /// Its debates.
    pub judged: Vec<Judged>,
}

impl Tally {
    /// How many of the debates that somebody won this side did.
    pub fn wins(&self, side: Side) -> Count {
        let won = self.judged.iter().filter_map(|it| it.winner);
        won.fold(Count::default(), |count, winner| Count {
            correct: count.correct + u32::from(winner == side),
            total: count.total + 1,
        })
    }
}

/// What each judge of a run came to: over its last batches where it trains, otherwise over all.
pub fn tallies(run: &Run, pipeline: &Pipeline) -> Result<Vec<Tally>, Failure> {
    let judges = pipeline.stages.iter().filter_map(|stage| match &stage.settings {
        Stage::Judge(judge) => Some((&stage.name, &judge.from.name)),
        _ => None,
    });
    judges.map(|(stage, debate)| tally(run, pipeline, stage, debate)).collect()
}

fn tally(run: &Run, pipeline: &Pipeline, stage: &str, debate: &str) -> Result<Tally, Failure> {
    let kept = |name: &String| run.header().tables.contains_key(name);
    let gold = questions_of(pipeline, debate).last().map(|drawn| format!("{drawn}.gold")).filter(kept);
    let debated = |stage: &Named<Stage>| matches!(&stage.settings, Stage::Debate(settings) if stage.name == debate && settings.both_answer());
    let both_answer = pipeline.stages.iter().any(debated);
    let committed = run.lines().len() as u64;
    let mut all = Vec::new();
    for batch in first_batch(pipeline, committed)..committed {
        let (verdicts, arguments) = (run.table(stage, batch)?, run.table(debate, batch)?);
        let gold = gold.as_ref().map(|gold| run.table(gold, batch)).transpose()?;
        all.extend(judged(&verdicts, &arguments, gold.as_ref(), both_answer).map_err(Failure::run)?);
    }
    Ok(Tally { stage: stage.to_owned(), judged: all })
}
