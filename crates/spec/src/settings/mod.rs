//! What an experiment is made of, once its file has been read: every setting a user can make, its default and its
//! meaning. The names are those of the file, so that `pipelines/` reads like this page.

mod parties;
mod procedure;

use crate::place::{Places, Span};

pub use crate::schedule::Schedule;
pub use parties::{Amplify, Architecture, CallHuman, Human, Model};
pub use procedure::{
    AdamW, Combine, Credit, Debate, Distance, Evaluate, File, Follow, Imitate, Judge, Loss, Questions, Row, Sample,
    Sufficient, Sync, Task, Train, Wording,
};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name as written: `arguments`, or `arguments.calls` for one table of a bundle. Empty where the file lacks
    /// it: that is a problem found by reading, and not told twice.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// One experiment: a run is `batches` passes through all of its stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Every random number of a run is a function of this.
    pub seed: u64,
    /// How many batches a run has.
    pub batches: u64,
    /// How many threads compute on tensors, each on micro-batches or tiles of its own. Results do not depend on it.
    pub workers: usize,
    /// When weights and other states are written down.
    pub checkpoint: Checkpoint,
    /// `[model.NAME]`
    pub models: Vec<Named<Model>>,
    /// `[human.NAME]`
    pub humans: Vec<Named<Human>>,
    /// `[amplify.NAME]`
    pub amplifies: Vec<Named<Amplify>>,
    /// All stages, in the order of the file.
    pub stages: Vec<Named<Stage>>,
    /// Where each key stands.
    pub places: Places,
    /// Names of tables of an unknown kind: a problem found by reading, so that mentions of them are no further ones.
    pub unread: Vec<String>,
}

/// `[checkpoint]`
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// A checkpoint is written after every so many batches, and after the last. Default 50.
    pub every: u64,
    /// How many of the newest checkpoints are kept. Default 2.
    pub keep_last: usize,
    /// An `evaluate` stage whose accuracy picks one more checkpoint to keep.
    pub best: Option<Reference>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Checkpoint { every: 50, keep_last: 2, best: None }
    }
}

/// `[kind.name]` for the kinds that do work, batch by batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `[sample.NAME]`
    Sample(Sample),
    /// `[debate.NAME]`
    Debate(Debate),
    /// `[judge.NAME]`
    Judge(Judge),
    /// `[loss.NAME]`
    Loss(Loss),
    /// `[train.NAME]`
    Train(Train),
    /// `[sync.NAME]`
    Sync(Sync),
    /// `[evaluate.NAME]`
    Evaluate(Evaluate),
}

impl Stage {
    /// The kind, as its table is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Stage::Sample(_) => "sample",
            Stage::Debate(_) => "debate",
            Stage::Judge(_) => "judge",
            Stage::Loss(_) => "loss",
            Stage::Train(_) => "train",
            Stage::Sync(_) => "sync",
            Stage::Evaluate(_) => "evaluate",
        }
    }
}
