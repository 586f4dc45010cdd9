//! Why a run stops. Each error names the place and, where there is one, the remedy.

use std::path::PathBuf;

use crate::schema::Drift;
use crate::stage::StageError;
use crate::state::StateError;
use crate::store::checkpoint::CheckpointError;
use crate::store::durable::FileError;
use crate::store::manifest::Fork;
use crate::store::segments::TableError;

/// Why a run stopped before its end. What was committed stays committed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Everything is done.
    #[error("`{}` is complete: all {batches} batches are committed, 0 remain; show or evaluate it", folder.display())]
    Complete {
        /// The run.
        folder: PathBuf,
        /// How many it has.
        batches: u64,
    },
    /// The folder was made by another plan.
    #[error(
        "`{}` was made by another plan than this one{}: resume it with its own `pipeline.toml`, or start a new \
         run in another folder",
        folder.display(),
        in_brackets(changed)
    )]
    OtherPlan {
        /// The run.
        folder: PathBuf,
        /// What is otherwise, as far as that is known.
        changed: Vec<String>,
    },
    /// The folder was made with another libtorch, or on another kind of CPU.
    #[error(
        "`{}` was made with other numerics than are here ({changed}): it would not go on to the same bytes; resume it \
         where it was made, or, if this CPU can do more than that one, with ATEN_CPU_CAPABILITY set to what that was",
        folder.display()
    )]
    OtherNumerics {
        /// The run.
        folder: PathBuf,
        /// What is otherwise: there, and here.
        changed: String,
    },
    /// What a fork begins with is gone.
    #[error("state `{0}` is in no checkpoint any more: the run cannot go on; start or fork it again in another folder")]
    Lost(String),
    /// Batches that a fork took from another run are gone, and cannot be computed by its own plan.
    #[error(
        "`{}` is a fork after batch {} of `{}`, and has lost some of these batches: fork it again in another folder",
        folder.display(),
        fork.batch,
        fork.run
    )]
    CutShort {
        /// The run.
        folder: PathBuf,
        /// Where it comes from.
        fork: Fork,
    },
    /// It was told to stop while states were brought back.
    #[error("stopped before the states were brought back")]
    Stopped,
    /// The plan, its stages and the states do not fit together.
    #[error("the plan cannot be run: {0}")]
    Unfit(String),
    /// A stage failed.
    #[error("stage `{stage}` failed at batch {batch}")]
    Stage {
        /// Its name.
        stage: String,
        /// Which batch.
        batch: u64,
        /// Its own words.
        source: StageError,
    },
    /// A stage put out other tables than its plan says.
    #[error("stage `{stage}` at batch {batch} put out tables [{found}] where the plan promises [{promised}]")]
    Tables {
        /// The stage.
        stage: String,
        /// Which batch.
        batch: u64,
        /// In the plan.
        promised: String,
        /// Put out.
        found: String,
    },
    /// A stage put out a table that is not as planned.
    #[error("stage `{stage}` at batch {batch}, table `{table}`: {drift}")]
    Drift {
        /// The stage.
        stage: String,
        /// Which batch.
        batch: u64,
        /// The table.
        table: String,
        /// How it differs.
        drift: Box<Drift>,
    },
    /// A state that a stage is to find while others change it could not be copied.
    #[error("state `{state}` cannot be copied for the stages that run ahead")]
    Snapshot {
        /// Its name.
        state: String,
        /// Its own words.
        source: StateError,
    },
    /// A loss, a gradient or another number went out of bounds.
    #[error("`{metric}` is {value} at batch {batch}; the run stands at the last batch committed before it")]
    NotFinite {
        /// `STAGE.name`
        metric: String,
        /// What it is.
        value: f64,
        /// Which batch.
        batch: u64,
    },
    /// A committed batch came out otherwise when it was replayed.
    #[error(
        "replay of batch {batch} differs at {what}: this is not the program, libtorch or CPU that \
         the run was made with; resume it there, or start a new run in another folder"
    )]
    Replay {
        /// Which batch.
        batch: u64,
        /// Which table, metric or state.
        what: String,
    },
    /// A table could not be written or read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A checkpoint could not be written or loaded.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

fn in_brackets(texts: &[String]) -> String {
    if texts.is_empty() { String::new() } else { format!(" ({})", texts.join("; ")) }
}
