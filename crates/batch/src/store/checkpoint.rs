//! Checkpoints: all states after some batches. They are only a shortcut, for a run can always be replayed from its
//! start; so which are written and which are kept can follow simple rules, decided from the manifest alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::durable::{self, Digest, FileError};
use super::manifest::{Checkpoint, Line, Saved};
use crate::state::{Files, StateError, States};

/// When states are written down, and how long that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// After every so many batches, and after the last.
    pub every: u64,
    /// How many of the newest are kept.
    pub keep_last: usize,
    /// A metric whose highest value marks one more to keep: whenever it reaches a new height, states are written.
    pub best: Option<String>,
}

impl Policy {
    /// Whether a checkpoint follows this batch. `highest` is what the best metric had come to before.
    pub(crate) fn is_due(&self, line: &Line, last: bool, highest: Option<f64>) -> bool {
        let new_height = self.best_of(line).is_some_and(|value| highest.is_none_or(|highest| value > highest));
        (line.batch + 1).is_multiple_of(self.every.max(1)) || last || new_height
    }

    /// The metric that marks the best, where a batch has it.
    pub(crate) fn best_of(&self, line: &Line) -> Option<f64> {
        self.best.as_ref().and_then(|name| line.metrics.get(name)).copied()
    }

    /// Which checkpoints are kept, by the number of batches before them.
    pub fn kept(&self, lines: &[Line]) -> BTreeSet<u64> {
        let written = lines.iter().filter(|line| line.checkpoint.is_some()).map(|line| line.batch + 1);
        let newest = written.rev().take(self.keep_last.max(1));
        newest.chain(self.best.as_ref().and_then(|name| best(lines, name))).collect()
    }
}

/// The checkpoint where a metric is highest, the earliest among equals, by the number of batches before it.
pub fn best(lines: &[Line], metric: &str) -> Option<u64> {
    let value = |line: &Line| line.checkpoint.as_ref().and(line.metrics.get(metric)).copied();
    let valued = lines.iter().rev().filter_map(|line| Some((line.batch + 1, value(line)?)));
    valued.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(batches, _)| batches)
}

/// A checkpoint that cannot be written or believed.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of it is missing, or is not what was written.
    #[error("{0}; restore the file from a copy, or use another checkpoint")]
    Damaged(FileError),
    /// A state would not be saved, or would not take the files that it had written.
    #[error("state `{state}` cannot be {action}")]
    State {
        /// Its name.
        state: String,
        /// "saved" or "loaded".
        action: &'static str,
        /// Its own words.
        source: StateError,
    },
    /// The run has no such checkpoint, or none with such a state.
    #[error("`{}` is no checkpoint of this run{}", path.display(), of_state(state.as_deref()))]
    Absent {
        /// The checkpoint.
        path: PathBuf,
        /// The state, if one was asked for.
        state: Option<String>,
    },
}

fn of_state(state: Option<&str>) -> String {
    state.map(|state| format!(" with a state `{state}`")).unwrap_or_default()
}

/// The folder of a checkpoint.
pub(crate) fn folder(root: &Path, batches: u64) -> PathBuf {
    root.join("checkpoints").join(format!("{batches:06}"))
}

/// The number of batches that such a folder is named by.
fn batches(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.parse().ok()
}

/// The files of all states.
pub(crate) fn save(states: &States) -> Result<BTreeMap<String, Files>, CheckpointError> {
    let saved = states.by_name.iter().map(|(name, versioned)| {
        let failed = |source| CheckpointError::State { state: name.clone(), action: "saved", source };
        versioned.state.save().map(|files| (name.clone(), files)).map_err(failed)
    });
    saved.collect()
}

/// What the manifest says of them.
pub(crate) fn describe(saved: &BTreeMap<String, Files>, states: &States) -> Checkpoint {
    let describe = |(name, files): (&String, &Files)| {
        let held = &states.by_name[name];
        let files = files.iter().map(|(file, bytes)| (file.clone(), Digest::of(bytes))).collect();
        (name.clone(), Saved { version: held.version, writes: held.writes, files })
    };
    saved.iter().map(describe).collect()
}

/// Writes a checkpoint: whole or absent.
pub(crate) fn write(root: &Path, batches: u64, saved: &BTreeMap<String, Files>) -> Result<(), FileError> {
    let whole = folder(root, batches);
    let unfinished = durable::unfinished(&whole);
    durable::remove(&whole)?;
    durable::remove(&unfinished)?;
    durable::create_folder(&unfinished)?;
    for (state, files) in saved {
        let state = unfinished.join(state);
        durable::create_folder(&state)?;
        for (file, bytes) in files {
            durable::write_in_place(&state.join(file), bytes)?;
        }
        durable::force_folder(&state)?;
    }
    finish(&unfinished, &whole)
}

fn finish(unfinished: &Path, whole: &Path) -> Result<(), FileError> {
    durable::force_folder(unfinished)?;
    durable::rename(unfinished, whole)?;
    durable::force_folder(whole.parent().unwrap_or(Path::new(".")))
}

/// Makes another run's checkpoint one of this run's, whole or absent: second names for the same files, or copies where
/// that cannot be.
pub(crate) fn link(theirs: &Path, root: &Path, batches: u64, states: &Checkpoint) -> Result<(), FileError> {
    let whole = folder(root, batches);
    let unfinished = durable::unfinished(&whole);
    durable::remove(&whole)?;
    durable::remove(&unfinished)?;
    durable::create_folder(&unfinished)?;
    for (state, saved) in states {
        durable::create_folder(&unfinished.join(state))?;
        for file in saved.files.keys() {
            let (from, to) = (theirs.join(state).join(file), unfinished.join(state).join(file));
            if fs::hard_link(&from, &to).is_err() {
                durable::write_in_place(&to, &durable::read(&from)?)?;
            }
        }
        durable::force_folder(&unfinished.join(state))?;
    }
    finish(&unfinished, &whole)
}

/// Reads one state of a checkpoint and holds it against the manifest.
pub(crate) fn read(folder: &Path, state: &str, saved: &Saved) -> Result<Files, CheckpointError> {
    let read = |(file, digest): (&String, &Digest)| {
        let bytes = durable::read_verified(&folder.join(state).join(file), digest).map_err(CheckpointError::Damaged)?;
        Ok((file.clone(), bytes))
    };
    saved.files.iter().map(read).collect()
}

/// Loads the files of one state.
pub(crate) fn load(name: &str, saved: &Saved, files: &Files, states: &mut States) -> Result<(), CheckpointError> {
    let Some(held) = states.by_name.get_mut(name) else { return Ok(()) };
    let failed = |source| CheckpointError::State { state: name.to_owned(), action: "loaded", source };
    held.state.load(files).map_err(failed)?;
    (held.version, held.writes) = (saved.version, saved.writes);
    Ok(())
}

/// Removes the checkpoints that are not kept, and what a kill left half written.
pub(crate) fn sweep(root: &Path, kept: &BTreeSet<u64>) -> Result<(), FileError> {
    let doomed =
        |path: &&PathBuf| durable::is_unfinished(path) || batches(path).is_some_and(|batches| !kept.contains(&batches));
    let found = durable::list(&root.join("checkpoints"))?;
    found.iter().filter(doomed).try_for_each(|path| durable::remove(path))
}
