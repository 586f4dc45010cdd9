//! How often M's first answer is another than H's, from the questions that Samp took to H: each stands for 1/propensity
//! questions, those with a propensity of 0 for none, and none stands for those.

use crate::{
    failure::Failure,
    stages::{evaluation::wilson, tables::texts_if_any},
};
use batch::Run;
use debate::{debate::Voice, question::agree};
use polars::prelude::*;
use spec::settings::{Answer, By, Pipeline, Stage};

/// Where a run trains, M is what it has become: so many of the last batches count. Otherwise all do.
const LAST: u64 = 50;

/// What is known of M's error against H on some questions that were posed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Questions.
    pub posed: usize,
    /// Those that had no chance of H.
    pub uncovered: usize,
    /// Those that H answered.
    pub called: usize,
    /// Σ 1/propensity over these, by whether M's answer differs.
    weight: [f64; 2],
    /// Σ (1 − propensity)/propensity² over these, in the same way.
    spread: [f64; 2],
}

impl Estimate {
    /// Adds a question: the propensity that it had, and, where H was called, whether M's answer differs from H's.
    pub fn add(&mut self, propensity: f64, differs: Option<bool>) {
        self.posed += 1;
        self.uncovered += usize::from(propensity <= 0.0);
        if let Some(differs) = differs {
            self.called += 1;
            self.weight[usize::from(differs)] += 1.0 / propensity;
            self.spread[usize::from(differs)] += (1.0 - propensity) / propensity.powi(2);
        }
    }

    /// The share of the questions with a chance of H on which M's answer differs from H's: the ratio of two weighted sums
    /// (Hájek 1971), which is never above 1. None where H was never called.
    pub fn error(&self) -> Option<f64> {
        let [same, differs] = self.weight;
        (self.called > 0).then(|| differs / (same + differs))
    }

    /// The interval that holds that share with 95 % confidence: Wilson's, for as many independent answers as have the
    /// ratio's variance under independent draws (Korn & Graubard 1998). Where all or none differ that variance cannot be
    /// told, and they are as many as the weights alone leave (Kish 1965). Where H was always called, nothing is left open.
    pub fn interval(&self) -> Option<(f64, f64)> {
        let share = self.error()?;
        let [same, differs] = self.spread;
        let of_share = (same * share.powi(2) + differs * (1.0 - share).powi(2)) / (share * (1.0 - share));
        let spread = if of_share.is_finite() { of_share } else { same + differs };
        let answers = self.weight.iter().sum::<f64>().powi(2) / spread;
        Some(wilson(share, answers))
    }

    /// The share of the questions that had no chance of H, of which nothing is known.
    pub fn uncovered_share(&self) -> f64 {
        self.uncovered as f64 / self.posed.max(1) as f64
    }
}

/// The estimate for one kind of question that a stage put to Amp≈.
pub struct Against {
    /// The stage.
    pub stage: String,
    /// What was asked: argument, sufficient or winner.
    pub asked: String,
    /// What is known.
    pub estimate: Estimate,
}

/// The batches that count, in words.
pub fn batches_in_words(pipeline: &Pipeline, committed: usize) -> String {
    match first_batch(pipeline, committed as u64) {
        0 => "over all batches".to_owned(),
        _ => format!("over the last {LAST} batches"),
    }
}

/// The first batch that counts.
pub fn first_batch(pipeline: &Pipeline, committed: u64) -> u64 {
    let trains = pipeline.stages.iter().any(|stage| matches!(stage.settings, Stage::Train(_)));
    if trains { committed.saturating_sub(LAST) } else { 0 }
}

/// M's error against H wherever Samp decides, as far as anything was asked.
pub fn against_human(run: &Run, pipeline: &Pipeline) -> Result<Vec<Against>, Failure> {
    let committed = run.lines().len() as u64;
    let mut found = Vec::new();
    for stage in pipeline.stages.iter().filter(|stage| decides(&stage.settings)) {
        let mut of_stage: Vec<Against> = Vec::new();
        for batch in first_batch(pipeline, committed)..committed {
            let table = run.table(&format!("{}.calls", stage.name), batch)?;
            add_calls(&mut of_stage, &stage.name, &table).map_err(Failure::run)?;
        }
        found.extend(of_stage);
    }
    Ok(found)
}

/// Whether Samp decides in a stage.
fn decides(stage: &Stage) -> bool {
    matches!(
        stage,
        Stage::Debate(_) | Stage::Judge(_) | Stage::Penalty(_) | Stage::Answer(Answer { by: By::Amplify(_), .. })
    )
}

/// Adds the calls of a batch, in which H's answer, if there is one, comes after M's first and before the next first.
fn add_calls(found: &mut Vec<Against>, stage: &str, calls: &DataFrame) -> PolarsResult<()> {
    let column = |name: &str| -> PolarsResult<StringChunked> { Ok(calls.column(name)?.str()?.clone()) };
    let (asked, part, answer) = (column("asked")?, column("part")?, column("answer")?);
    let propensity = calls.column("propensity")?.f64()?;
    let voice = texts_if_any(calls, "voice")?;
    let is = |row: usize, name: &str| part.get(row) == Some(name);
    // What an opponent says need not be M's.
    let own = |row: usize| voice[row].as_deref() != Some(Voice::Opponent.name());
    // Nor is H ever held against what a model says on a penalty's account.
    let decided = |row: usize| propensity.get(row).is_some();
    for first in (0..calls.height()).filter(|&row| is(row, "first") && own(row) && decided(row)) {
        let mut behind = (first + 1..calls.height()).take_while(|&row| !is(row, "first"));
        let human = behind.find(|&row| is(row, "human"));
        let said = |row: usize| answer.get(row).unwrap_or_default();
        let asked = asked.get(first).unwrap_or_default();
        let estimate = of(found, stage, asked);
        estimate.add(propensity.get(first).unwrap_or(0.0), human.map(|human| !agree(said(first), said(human))));
    }
    Ok(())
}

/// The estimate for a kind of question, as far as it is.
fn of<'a>(found: &'a mut Vec<Against>, stage: &str, asked: &str) -> &'a mut Estimate {
    let place = found.iter().position(|against| against.asked == asked).unwrap_or(found.len());
    if place == found.len() {
        found.push(Against { stage: stage.to_owned(), asked: asked.to_owned(), estimate: Estimate::default() });
    }
    &mut found[place].estimate
}
