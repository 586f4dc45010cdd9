//! Leaving a run's way: its first batches are taken as they are, whatever they were made with, and from the states that
//! they left another plan goes on.

use std::path::Path;

use plan::{Node, Plan, Point};

use super::execute::{Engine, Job};
use crate::error::RunError;
use crate::event::Event;
use crate::state::States;
use crate::store::folder::{FolderError, RunFolder, Sharing, Texts};
use crate::store::manifest::Fork;
use crate::store::shared::Store;

/// Where a fork comes from and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    /// The run to leave, which `job` is about.
    pub run: &'a Path,
    /// The first batch that is not taken from it, from 1.
    pub batch: u64,
    /// The folder of the new run.
    pub folder: &'a Path,
    /// What goes on from there.
    pub plan: &'a Plan,
    /// The texts of that.
    pub texts: Texts<'a>,
}

/// Makes the folder of a run that begins with the first batches of another one. Its states are brought to where they
/// were, by that run's checkpoints and its own plan and stages, which are those of `job`.
pub fn fork(
    job: &Job<'_>,
    states: &mut States,
    branch: Branch<'_>,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<RunFolder, ForkError> {
    let mut folder = RunFolder::create(branch.folder, job.plan, branch.texts)?;
    folder.sharing = Some(Sharing { store: Store::beside(branch.run), reuse: true, leave: false });
    let mut engine = Engine::new(job, states, &mut folder, observe);
    engine.folder.tidy(&engine.kept()).map_err(RunError::from)?;
    engine.prepare(0)?;
    for batch in 0..branch.batch {
        engine.begin(batch, None)?;
        let lost = |(node, taken): (&Node, &bool)| node.can_be_taken() && !taken;
        if job.plan.nodes.iter().zip(&engine.now.taken).any(lost) {
            return Err(ForkError::NotThere { run: branch.run.to_owned(), batch });
        }
        engine.run_batch(None)?;
    }
    let left = engine.leave(branch.batch)?;
    let fork = Fork { run: branch.run.display().to_string(), batch: branch.batch };
    folder.refit(branch.plan, &branch.texts, fork, left)?;
    folder.sharing = None;
    Ok(folder)
}

impl Engine<'_> {
    /// The states as they are before a batch, as a checkpoint.
    fn leave(&mut self, batch: u64) -> Result<crate::manifest::Checkpoint, RunError> {
        let line = self.folder.lines().last().cloned().unwrap_or_default();
        if let Some(written) = line.checkpoint {
            return Ok(written);
        }
        self.bring(&self.all_states(), Point::before(batch))?;
        self.checkpoint_held(batch)
    }
}

/// Why a run cannot be forked.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The folder cannot be made.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The states cannot be brought back.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A batch is not there, or is lost.
    #[error("batch {batch} of `{}` cannot be taken: it is not committed, or damaged", run.display())]
    NotThere {
        /// The run.
        run: std::path::PathBuf,
        /// Which batch.
        batch: u64,
    },
}
