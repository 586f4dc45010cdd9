//! Reading what a run has committed, while it goes on or afterwards. Nothing is locked: what is committed does not
//! change, except that old checkpoints go.

use std::path::{Path, PathBuf};

use polars::frame::DataFrame;

use super::checkpoint::{self, CheckpointError};
use super::folder::{FolderError, MANIFEST};
use super::manifest::{Checkpoint, Header, Line, Manifest};
use super::segments::{self, TableError};
use crate::state::Files;

/// A run, to be read.
#[derive(Debug)]
pub struct Run {
    root: PathBuf,
    manifest: Manifest,
}

impl Run {
    /// Opens the folder of a run.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        let manifest = root.join(MANIFEST);
        if !manifest.exists() {
            return Err(FolderError::NoRun(root.to_owned()));
        }
        Ok(Run { root: root.to_owned(), manifest: Manifest::read(&manifest)? })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The first line of the manifest.
    pub fn header(&self) -> &Header {
        &self.manifest.header
    }

    /// The committed batches, with their metrics.
    pub fn lines(&self) -> &[Line] {
        &self.manifest.lines
    }

    /// One batch of a table.
    pub fn table(&self, name: &str, batch: u64) -> Result<DataFrame, TableError> {
        let batches = self.lines().len() as u64;
        let line = self.lines().get(batch as usize).ok_or(TableError::NoBatch { batch, batches })?;
        let (Some(part), Some(schema)) = (line.tables.get(name), self.header().tables.get(name)) else {
            let known = self.header().tables.keys().cloned().collect();
            return Err(TableError::Unknown { table: name.to_owned(), known });
        };
        segments::read(&self.root, name, batch, part, schema)
    }

    /// All batches of a table, in order.
    pub fn tables(&self, name: &str) -> impl Iterator<Item = Result<DataFrame, TableError>> {
        (0..self.lines().len() as u64).map(move |batch| self.table(name, batch))
    }

    /// The checkpoints that are there, oldest first, each by the number of batches before it.
    pub fn checkpoints(&self) -> Vec<u64> {
        let written = self.lines().iter().filter(|line| line.checkpoint.is_some()).map(|line| line.batch + 1);
        written.filter(|&batches| self.checkpoint_folder(batches).exists()).collect()
    }

    /// The newest checkpoint.
    pub fn latest_checkpoint(&self) -> Option<u64> {
        self.checkpoints().last().copied()
    }

    /// The checkpoint where a metric, called `STAGE.name`, is highest.
    pub fn best_checkpoint(&self, metric: &str) -> Option<u64> {
        checkpoint::best(self.lines(), metric)
    }

    /// The folder of a checkpoint, with a folder for each state in it.
    pub fn checkpoint_folder(&self, batches: u64) -> PathBuf {
        checkpoint::folder(&self.root, batches)
    }

    /// The files of one state in a checkpoint, each held against the manifest.
    pub fn state_files(&self, batches: u64, state: &str) -> Result<Files, CheckpointError> {
        let saved = self.written(batches)?.get(state).ok_or_else(|| self.absent(batches, Some(state)))?;
        checkpoint::read(&self.checkpoint_folder(batches), state, saved)
    }

    fn written(&self, batches: u64) -> Result<&Checkpoint, CheckpointError> {
        let line = batches.checked_sub(1).and_then(|batch| self.lines().get(batch as usize));
        line.and_then(|line| line.checkpoint.as_ref()).ok_or_else(|| self.absent(batches, None))
    }

    fn absent(&self, batches: u64, state: Option<&str>) -> CheckpointError {
        CheckpointError::Absent { path: self.checkpoint_folder(batches), state: state.map(str::to_owned) }
    }
}
