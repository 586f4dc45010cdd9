//! What a run tells whoever watches it.

use std::collections::BTreeMap;

use crate::store::checkpoint::CheckpointError;
use crate::store::durable::FileError;

/// Something happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A checkpoint cannot be used; an older one is tried, or the run is replayed from its start. It will be written
    /// again when the replay passes it.
    CheckpointUnusable {
        /// How many batches were done when it was written.
        batches: u64,
        /// What is wrong with it.
        error: &'a CheckpointError,
    },
    /// States are those after so many batches; what changed them since will be replayed.
    Restored {
        /// From the checkpoint after this many batches; 0 is the start of the run.
        batches: u64,
        /// How many batches are done when they will be needed.
        committed: u64,
    },
    /// A committed batch went into the states again.
    Replayed {
        /// Which.
        batch: u64,
        /// How many are done when they will be needed.
        committed: u64,
    },
    /// A stage has done its work for a batch.
    StageFinished {
        /// Which batch.
        batch: u64,
        /// Which stage.
        stage: &'a str,
        /// How long it took.
        seconds: f64,
    },
    /// A stage's work for a batch was taken from an earlier run.
    StageReused {
        /// Which batch.
        batch: u64,
        /// Which stage.
        stage: &'a str,
    },
    /// An earlier run has done this work, but its tables are lost: it is done again.
    NotReused {
        /// Which batch.
        batch: u64,
        /// Which stage.
        stage: &'a str,
        /// What is wrong with them.
        error: &'a FileError,
    },
    /// This run's results cannot be given to later runs.
    NotShared {
        /// Why.
        error: &'a FileError,
    },
    /// A checkpoint was written.
    CheckpointWritten {
        /// How many batches are done: the checkpoint's name.
        batches: u64,
    },
    /// A batch has happened.
    BatchCommitted {
        /// Which.
        batch: u64,
        /// How many rows its tables have.
        rows: u64,
        /// What its stages noted, as `STAGE.name`.
        metrics: &'a BTreeMap<String, f64>,
        /// How long it took, commit and all.
        seconds: f64,
    },
}
