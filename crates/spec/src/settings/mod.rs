//! What an experiment is made of, once its file has been read: every setting a user can make, its default and its
//! meaning. The names are those of the file, so that `pipelines/` reads like this page.

mod command;
mod constrained;
mod debate;
mod evaluate;
mod inspection;
mod judge;
mod loss;
mod milestone;
mod parties;
mod penalty;
mod policy;
mod price;
mod samp;
mod sample;
mod schedule;
mod snapshot;
mod tables;
mod train;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::place::{Places, Span};

pub use command::{Column, Command, Kind};
pub use constrained::{Baseline, Constrained, Cpo, Lagrangian, Limit, Method, Slack};
pub use debate::{Debate, History, SpeakerSide, Sufficient, Turns, Wording};
pub use evaluate::{Evaluate, Row};
pub use inspection::{Inspection, Tool};
pub use judge::{Judge, Reply, Sees, Watch};
pub use loss::{BaselineOf, Combine, Credit, Distance, Earner, Embedding, Imitate, Loss, Scale, Weight};
pub use milestone::Milestone;
pub use parties::{Amplify, Architecture, Asks, Human, Model, SubAnswers, Understudy, Who};
pub(crate) use penalty::PROPOSE;
pub use penalty::{Adversary, Penalty, Proposer, ProposingModel};
pub use policy::{Importance, Kl, Normalise, Policy, Ppo};
pub use price::{PenaltyLimit, Price};
pub(crate) use samp::ADVERSARY;
pub use samp::{Budget, ByLoss, CallHuman, Confidence, Disagreement, Learned};
pub use sample::{File, Questions, Sample, Task};
pub use schedule::{After, Schedule, Shape, Way};
pub use snapshot::Snapshot;
pub use tables::{
    Answer, By, Files, Filter, How, Join, OnBadQuestion, OnError, Order, Pattern, Read, Sampled, Share, Sql, With,
    Write,
};
pub use train::{AdamW, Follow, Sync, Train};

/// A thing of the file, `[kind.name]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T> {
    /// The key of its table.
    pub name: String,
    /// Where that key stands.
    pub span: Span,
    /// What the table says.
    pub settings: T,
}

/// A mention of another thing by its name, kept with its place until `plan` has resolved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Reference {
    /// The name as written: `arguments`, or `arguments.calls` for one table of a bundle. Empty where the file lacks
    /// it: that is a problem found by reading, and not told twice.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// One experiment: a run is `batches` passes through all of its stages.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pipeline {
    /// Every random number of a run is a function of this.
    #[schemars(extend("x-changes" = "tables"))]
    pub seed: u64,
    /// How many batches a run has; without `train` it can be left out, and the rows of its sources decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub batches: Option<u64>,
    /// How many threads compute, each on micro-batches, tiles or batches of its own. Results do not depend on it.
    #[schemars(range(min = 1), extend("default" = 2, "x-changes" = "speed"))]
    pub workers: usize,
    /// Stages that neither change a state nor come after one that does find the states as they were left this many
    /// batches earlier, and run beside training, on so many threads.
    #[schemars(range(max = 64), extend("default" = 0, "x-changes" = "tables"))]
    pub lag: u64,
    /// When weights and other states are written down.
    #[schemars(extend("default" = {}))]
    pub checkpoint: Checkpoint,
    /// What is kept to see later whether outputs have changed.
    #[schemars(extend("default" = {}))]
    pub snapshot: Snapshot,
    /// When a run says that its debates die out.
    #[serde(skip_serializing_if = "Watch::is_default")]
    #[schemars(extend("x-default" = "optional"))]
    pub watch: Watch,
    /// `[model.NAME]`
    #[serde(skip)]
    pub models: Vec<Named<Model>>,
    /// `[human.NAME]`
    #[serde(skip)]
    pub humans: Vec<Named<Human>>,
    /// `[amplify.NAME]`
    #[serde(skip)]
    pub amplifies: Vec<Named<Amplify>>,
    /// `[milestone.NAME]`
    #[serde(skip)]
    pub milestones: Vec<Named<Milestone>>,
    /// All stages, in the order of the file.
    #[serde(skip)]
    pub stages: Vec<Named<Stage>>,
    /// Where each key stands.
    #[serde(skip)]
    pub places: Places,
    /// Names of tables of an unknown kind: a problem found by reading, so that mentions of them are no further ones.
    #[serde(skip)]
    pub unread: Vec<String>,
}

/// `[checkpoint]`
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Checkpoint {
    /// A checkpoint is written after every so many batches, and after the last.
    #[schemars(range(min = 1), extend("default" = 50, "x-changes" = "checkpoints"))]
    pub every: u64,
    /// How many of the newest checkpoints are kept.
    #[schemars(range(min = 1), extend("default" = 2, "x-changes" = "checkpoints"))]
    pub keep_last: usize,
    /// An `evaluate` stage whose accuracy picks one more checkpoint to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "checkpoints"))]
    pub best: Option<Reference>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Checkpoint { every: 50, keep_last: 2, best: None }
    }
}

/// `[kind.name]` for the kinds that do work, batch by batch.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// `[sample.NAME]`: questions for each batch.
    Sample(Sample),
    /// `[debate.NAME]`: arguments on each question, and whether they suffice.
    Debate(Debate),
    /// `[judge.NAME]`: who won each debate.
    Judge(Judge),
    /// `[penalty.NAME]`: what answers cost that would be catastrophes.
    Penalty(Penalty),
    /// `[loss.NAME]`: which tokens are trained on, and how much.
    Loss(Loss),
    /// `[train.NAME]`: gradient steps on one model.
    Train(Train),
    /// `[sync.NAME]`: one model follows another.
    Sync(Sync),
    /// `[evaluate.NAME]`: how often the answers are right, on questions with gold answers.
    Evaluate(Evaluate),
    /// `[read.NAME]`: the rows of files, in order, each once.
    Read(Read),
    /// `[filter.NAME]`: the rows for which a condition holds.
    Filter(Filter),
    /// `[sql.NAME]`: what a query makes of tables.
    Sql(Sql),
    /// `[join.NAME]`: the rows of a table beside those of another with the same keys.
    Join(Join),
    /// `[command.NAME]`: a program of the user's, Arrow IPC in, Arrow IPC out.
    Command(Command),
    /// `[answer.NAME]`: an answer to each question of a table.
    Answer(Answer),
    /// `[write.NAME]`: a table as a dataset folder that Hugging Face's `datasets` opens.
    Write(Write),
}

impl Stage {
    /// The kind, as its table is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Stage::Sample(_) => "sample",
            Stage::Debate(_) => "debate",
            Stage::Judge(_) => "judge",
            Stage::Penalty(_) => "penalty",
            Stage::Loss(_) => "loss",
            Stage::Train(_) => "train",
            Stage::Sync(_) => "sync",
            Stage::Evaluate(_) => "evaluate",
            Stage::Read(_) => "read",
            Stage::Filter(_) => "filter",
            Stage::Sql(_) => "sql",
            Stage::Join(_) => "join",
            Stage::Command(_) => "command",
            Stage::Answer(_) => "answer",
            Stage::Write(_) => "write",
        }
    }
}

/// The schema of a setting that is one mention, or a list of at least one.
fn one_or_some(generator: &mut SchemaGenerator) -> Schema {
    let mention = generator.subschema_for::<Reference>();
    json_schema!({ "anyOf": [mention, { "type": "array", "items": mention, "minItems": 1 }] })
}

/// Files that do not say a number that is 1 by default, and what was made of them, stay as they are.
fn is_one(number: &usize) -> bool {
    *number == 1
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

fn is_false(truth: &bool) -> bool {
    !truth
}
