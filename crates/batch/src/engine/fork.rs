//! Leaving a run's way: its first batches are taken as they are, line by line, whatever they were made with, and from the
//! states that they left another plan goes on.

use std::path::{Path, PathBuf};

use plan::{Node, Plan, Point};
use spec::settings::Stage;

use super::execute::{Engine, Job, check_made_by};
use super::unit::run_unit;
use crate::error::RunError;
use crate::event::Event;
use crate::state::States;
use crate::store::checkpoint;
use crate::store::durable::FileError;
use crate::store::folder::{FolderError, RunFolder, Texts};
use crate::store::journal::Outside;
use crate::store::manifest::{Checkpoint, Fork, Line, differing};
use crate::store::reader::Run;
use crate::store::segments;

/// Where a fork comes from and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Branch<'a> {
    /// The run to leave, which `job` is about.
    pub run: &'a Path,
    /// The first batch that is not taken from it, from 1.
    pub batch: u64,
    /// The folder of the new run. Until this returns, it is a run of the old plan.
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
    let run = Run::open(branch.run)?;
    check_branch(job, &run, &branch)?;
    let mut folder = RunFolder::begin(branch.folder, run.header(), &branch.texts)?;
    for line in &run.lines()[..branch.batch as usize] {
        let line = taken(&run, line, &mut folder)?;
        folder.commit(line, false).map_err(RunError::from)?;
    }
    let mut engine = Engine::new(job, states, &mut folder, observe);
    engine.prepare(branch.batch)?;
    engine.write_anew(&branch)?;
    let left = engine.leave(branch.batch)?;
    let fork = Fork { run: branch.run.display().to_string(), batch: branch.batch };
    folder.refit(branch.plan, &branch.texts, fork, left)?;
    Ok(folder)
}

/// The run is one of the job's plan, it has the batches, and its states are those that the other plan goes on with.
fn check_branch(job: &Job<'_>, run: &Run, branch: &Branch<'_>) -> Result<(), ForkError> {
    let (header, batches, name) = (run.header(), run.lines().len() as u64, || run.root().to_owned());
    check_made_by(job.plan, header, run.root())?;
    if branch.batch > batches {
        return Err(ForkError::NotThere { run: name(), batches });
    }
    if let Some(fork) = header.fork.as_ref().filter(|fork| fork.batch > branch.batch) {
        return Err(ForkError::NotItsOwn { run: name(), fork: fork.clone() });
    }
    let both = job.plan.initial.iter().filter_map(|(state, ours)| Some((ours, branch.plan.initial.get(state)?)));
    let mut changed: Vec<String> = both.flat_map(|(ours, theirs)| differing(ours, theirs)).collect();
    changed.retain(|what| what != "seed");
    changed.sort();
    changed.dedup();
    if changed.is_empty() { Ok(()) } else { Err(ForkError::OtherStates { run: name(), changed }) }
}

/// A line of the run as one of the fork, which then has what it tells of: the segments of its tables, and its
/// checkpoint, if that is still there.
fn taken(run: &Run, line: &Line, folder: &mut RunFolder) -> Result<Line, ForkError> {
    let (mut line, batches) = (line.clone(), line.batch + 1);
    let lost = |cause| ForkError::Lost { run: run.root().to_owned(), batch: line.batch, cause };
    let mut places = line.tables.values().filter_map(|part| part.place.as_ref());
    places.try_for_each(|place| segments::read_bytes(run.root(), place).map(drop)).map_err(lost)?;
    for place in line.tables.values_mut().filter_map(|part| part.place.as_mut()) {
        place.segment = folder.link(&segments::path(run.root(), place)).map_err(RunError::from)?;
        place.shared = true;
    }
    // Where the run is a fork itself, its states rest on one that must be there.
    let rests = run.header().fork.as_ref().is_some_and(|fork| fork.batch == batches);
    let theirs = run.checkpoint_folder(batches);
    let link =
        |states: &Checkpoint| theirs.exists() && checkpoint::link(&theirs, folder.root(), batches, states).is_ok();
    line.checkpoint.take_if(|states| !link(states) && !rests);
    Ok(line)
}

impl Engine<'_> {
    /// Writes the datasets of the batches that were taken: their files are the other run's.
    fn write_anew(&mut self, branch: &Branch<'_>) -> Result<(), RunError> {
        let stays = |node: &Node| branch.plan.nodes.iter().any(|other| other.name == node.name);
        let writes = |node: &Node| matches!(node.stage, Stage::Write(_)) && stays(node);
        let job = self.job;
        for batch in 0..branch.batch {
            for (node, stage) in job.plan.nodes.iter().zip(job.stages).filter(|(node, _)| writes(node)) {
                if !self.line(batch).tables.contains_key(&node.name) {
                    continue;
                }
                self.check_stop()?;
                let inputs = self.given(node, batch)?;
                let outside = Outside::new(Default::default(), &self.folder.journal);
                let work = run_unit(node, stage.as_ref(), batch, true, &inputs, self.states, outside)?;
                self.folder.amend(batch, &work.tables)?;
            }
        }
        Ok(())
    }

    /// The states as they are before a batch, as a checkpoint.
    fn leave(&mut self, batch: u64) -> Result<Checkpoint, RunError> {
        self.bring(&self.all_states(), Point::before(batch))?;
        let written = self.folder.lines().last().and_then(|line| line.checkpoint.clone());
        written.map_or_else(|| self.checkpoint_held(batch), Ok)
    }
}

/// Why a run cannot be forked.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// A folder cannot be made or read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The states cannot be brought back.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run has not come so far.
    #[error("`{}` has {batches} batches: fork it after one of them", run.display())]
    NotThere {
        /// The run.
        run: PathBuf,
        /// How many it has.
        batches: u64,
    },
    /// The run is a fork, and this batch is another run's.
    #[error(
        "`{}` is itself a fork, and its first {} batches are those of `{}`: fork that",
        run.display(),
        fork.batch,
        fork.run
    )]
    NotItsOwn {
        /// The run.
        run: PathBuf,
        /// Where it comes from.
        fork: Fork,
    },
    /// The other plan has the same states, but otherwise.
    #[error(
        "a fork goes on with the states of `{}`, and {} would no longer fit them: leave that as it was, or start a new \
         run",
        run.display(),
        changed.join(", ")
    )]
    OtherStates {
        /// The run.
        run: PathBuf,
        /// What is otherwise.
        changed: Vec<String>,
    },
    /// A batch is damaged.
    #[error("batch {batch} of `{}` is lost: {cause}; restore the file from a copy, or fork before it", run.display())]
    Lost {
        /// The run.
        run: PathBuf,
        /// Which batch.
        batch: u64,
        /// Which file, and what is wrong with it.
        cause: FileError,
    },
}
