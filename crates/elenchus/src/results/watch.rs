//! Whether debates die out: whether, batch after batch, nearly none of them has a reward. Told from the metrics of committed
//! batches alone, so that a run which goes on says what an unbroken one says.

use crate::stages::milestone;
use batch::manifest::Line;
use spec::settings::{
    Amplify, Combine, Debate, Judge, Loss, Milestone, Named, Pipeline, Reply, Schedule, Sees, Stage, Sufficient,
    Watch as Settings,
};
use std::collections::BTreeMap;

/// What keeps debates from a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Most end with their first argument, so that there is no odd side.
    OneArgument,
    /// Most are judged without a winner.
    NoWinner,
}

impl Cause {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Cause::OneArgument => "one_argument",
            Cause::NoWinner => "no_winner",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Cause::OneArgument => "most end with their first argument, and nobody argues against it",
            Cause::NoWinner => "most are judged without a winner",
        }
    }
}

/// A stretch of batches in which the debates of a judge died out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collapse {
    /// The judge.
    pub stage: String,
    /// Its first batch, from 0.
    pub first: u64,
    /// Its last batch so far.
    pub last: u64,
    /// What keeps them from a reward, at the time when it is told.
    pub cause: Cause,
    /// What to try: settings as they would stand in the file, or on the command line after `--set`, or what to change.
    pub remedies: Vec<String>,
}

impl Collapse {
    /// In words, batches counted from 1.
    pub fn text(&self) -> String {
        let Collapse { stage, first, last, cause, remedies } = self;
        let span = if first == last {
            format!("batch {}", first + 1)
        } else {
            format!("batches {} to {}", first + 1, last + 1)
        };
        let (why, remedies) = (cause.words(), remedies.join("; "));
        format!("debates died out: by `{stage}` nearly none had a reward in {span}: {why}; try: {remedies}")
    }
}

/// A run as it is watched, batch after batch.
pub struct Watch<'p> {
    pipeline: &'p Pipeline,
    judges: Vec<Watched<'p>>,
    /// All stretches so far that were long enough.
    found: Vec<Collapse>,
    /// The milestones that were reached, each with its batch.
    reached: BTreeMap<String, u64>,
}

/// A judge that is watched.
struct Watched<'p> {
    name: &'p str,
    judge: &'p Judge,
    by: &'p Named<Amplify>,
    debate: &'p Named<Stage>,
    /// The batches in a row without rewards, up to the last one.
    row: Option<(u64, u64)>,
    /// How many they are.
    length: u64,
}

impl<'p> Watch<'p> {
    /// Nothing seen yet.
    pub fn new(pipeline: &'p Pipeline) -> Self {
        let watched = |stage: &'p Named<Stage>| {
            let Stage::Judge(judge) = &stage.settings else { return None };
            let debate = pipeline.stages.iter().find(|stage| stage.name == judge.from.name)?;
            let by = pipeline.amplifies.iter().find(|amplify| amplify.name == judge.by.name)?;
            Some(Watched { name: &stage.name, judge, by, debate, row: None, length: 0 })
        };
        let judges = pipeline.stages.iter().filter_map(watched).collect();
        Watch { pipeline, judges, found: Vec::new(), reached: BTreeMap::new() }
    }

    /// Looks at a batch. What is returned was not told before.
    pub fn see(&mut self, batch: u64, metrics: &BTreeMap<String, f64>) -> Vec<Collapse> {
        let Watch { pipeline, judges, found, reached } = self;
        reached.extend(pipeline.milestones.iter().filter_map(|it| reached_by(it, metrics)));
        let (mut new, now) = (Vec::new(), Moment { batch, reached });
        for watched in judges {
            watched.count(&pipeline.watch, now, metrics);
            let Some((first, last)) = watched.row.filter(|_| watched.length >= pipeline.watch.batches) else {
                continue;
            };
            match found.iter_mut().find(|it| it.stage == watched.name && it.first == first) {
                Some(known) => known.last = last,
                None => {
                    let cause = watched.cause(metrics);
                    let remedies = watched.remedies(pipeline, cause, now);
                    new.push(Collapse { stage: watched.name.to_owned(), first, last, cause, remedies });
                }
            }
        }
        found.extend(new.iter().cloned());
        new
    }

    /// Whether debates are dead at the batch that was last seen.
    pub fn is_dead(&self) -> bool {
        self.judges.iter().any(|watched| watched.length >= self.pipeline.watch.batches)
    }
}

/// What schedules go by.
#[derive(Clone, Copy)]
struct Moment<'a> {
    batch: u64,
    reached: &'a BTreeMap<String, u64>,
}

impl Moment<'_> {
    fn value(self, schedule: &Schedule) -> f64 {
        schedule.since(self.reached).at(self.batch)
    }
}

/// A milestone with the batch at which it was reached, once a batch's metrics tell that.
fn reached_by(milestone: &Named<Milestone>, metrics: &BTreeMap<String, f64>) -> Option<(String, u64)> {
    let metric = milestone::metric(&milestone.name);
    let batch = metrics.get(&format!("{}.{metric}", milestone.settings.loss_of.name))?;
    Some((milestone.name.clone(), *batch as u64))
}

impl Watched<'_> {
    /// Counts a batch, if anything was debated in it.
    fn count(&mut self, settings: &Settings, now: Moment<'_>, metrics: &BTreeMap<String, f64>) {
        let Some(&null) = metrics.get(&format!("{}.null_rewards", self.name)) else { return };
        if null < settings.null_rewards || self.is_meant(now, settings.null_rewards) {
            (self.row, self.length) = (None, 0);
        } else {
            (self.row, self.length) = (Some((self.row.map_or(now.batch, |row| row.0), now.batch)), self.length + 1);
        }
    }

    /// Whether the file itself has as many debates end with their first argument.
    fn is_meant(&self, now: Moment<'_>, share: f64) -> bool {
        let Some(debate) = self.debate() else { return false };
        let regardless = match &debate.sufficient {
            Sufficient::Ask | Sufficient::Never => 0.0,
            Sufficient::Always => 1.0,
            Sufficient::Random(probability) | Sufficient::Biased(probability) => now.value(probability),
        };
        debate.max_turns == 1 || (debate.min_turns == 1 && regardless >= share)
    }

    fn debate(&self) -> Option<&Debate> {
        match &self.debate.settings {
            Stage::Debate(debate) => Some(debate),
            _ => None,
        }
    }

    /// Which of the two keeps more debates from a reward. One with two sides has an argument more than one at least, so at most
    /// as large a share has two sides as the mean length is above 1.
    fn cause(&self, metrics: &BTreeMap<String, f64>) -> Cause {
        let metric = |stage: &str, name: &str| metrics.get(&format!("{stage}.{name}")).copied();
        let null = metric(self.name, "null_rewards").unwrap_or(1.0);
        let two_sided = metric(&self.debate.name, "length").map_or(1.0, |length| (length - 1.0).min(1.0));
        if 1.0 - two_sided >= null / 2.0 { Cause::OneArgument } else { Cause::NoWinner }
    }

    /// What would help, of what the file does not have already.
    fn remedies(&self, pipeline: &Pipeline, cause: Cause, now: Moment<'_>) -> Vec<String> {
        let (name, debate, by) = (self.name, &self.debate.name, &self.by.name);
        let mut remedies = Vec::new();
        match cause {
            Cause::OneArgument => {
                remedies.push(format!("`debate.{debate}.sufficient = \"never\"`"));
                remedies.push(format!("`debate.{debate}.min_turns = 2`"));
            }
            Cause::NoWinner => {
                let always = self.by.settings.propensities().0 >= 1.0;
                let choice = self.judge.reply == Reply::Text && !always;
                remedies.extend(choice.then(|| format!("`judge.{name}.reply = \"choice\"`")));
                remedies.extend((!always).then(|| format!("more calls of H by `amplify.{by}.call_human`")));
                let both = self.judge.sees == Sees::Both;
                remedies.extend(both.then(|| format!("`judge.{name}.sees = \"random\"`")));
                let ties = self.judge.repeats.is_multiple_of(2);
                remedies.extend(ties.then(|| format!("an odd number for `judge.{name}.repeats`")));
            }
        }
        remedies.extend(lower_alphas(pipeline, name, now));
        if remedies.is_empty() {
            remedies.push(format!("an H for `amplify.{by}` who says yes or no"));
        }
        remedies
    }
}

/// The losses that weigh a judge's rewards at a batch. What M learns from H's answers may bring debates back.
fn lower_alphas(pipeline: &Pipeline, judge: &str, now: Moment<'_>) -> Vec<String> {
    let weighs = |loss: &Loss| match &loss.combine {
        Combine::Weighted { alpha } => now.value(alpha) > 0.0 && loss.from.iter().any(|mention| mention.name == judge),
        Combine::Reward { .. } | Combine::Constrained(_) => false,
    };
    let losses = pipeline.stages.iter().filter(|stage| matches!(&stage.settings, Stage::Loss(loss) if weighs(loss)));
    losses.map(|stage| format!("a lower `loss.{}.combine.weighted.alpha`", stage.name)).collect()
}

/// What a run has come to so far.
pub fn collapses(pipeline: &Pipeline, lines: &[Line]) -> Vec<Collapse> {
    let mut watch = Watch::new(pipeline);
    lines.iter().for_each(|line| drop(watch.see(line.batch, &line.metrics)));
    watch.found
}
