//! The verdicts of a run, stage by stage.

use crate::{
    failure::Failure,
    results::{estimate::first_batch, transcript::questions_of},
    stages::{
        evaluation::Count,
        verdicts::{Judged, judged},
    },
};
use batch::Run;
use debate::judge::Side;
use spec::settings::{Named, Pipeline, Stage};

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
