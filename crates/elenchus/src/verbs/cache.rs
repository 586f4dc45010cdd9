//! `elenchus cache`, and how a run shares results with others.

use crate::{
    failure::{Exit, Failure},
    verbs::command::print,
};
use batch::{Entry, RunFolder, Store};
use clap::{Args, Subcommand};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// How a run shares results with others.
#[derive(Debug, Clone, Default, Args)]
pub struct Sharing {
    /// Where runs leave results for each other [default: .store beside the run's folder]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Compute everything anew, whatever earlier runs have done
    #[arg(long)]
    pub no_reuse: bool,
}

impl Sharing {
    /// The store of a run.
    pub fn store(&self, run: &Path) -> Store {
        self.store.as_ref().map_or_else(|| Store::beside(run), Store::at)
    }

    /// The same for all runs of a group: their store is beside the group's folder.
    pub fn beside(&self, group: &Path) -> Self {
        Sharing { store: Some(self.store(group).root().to_owned()), no_reuse: self.no_reuse }
    }

    /// Has a run share its results.
    pub fn share(&self, run: &mut RunFolder) {
        let store = self.store(run.root());
        run.share(store, !self.no_reuse);
    }
}

/// What is done with the results that runs have left.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Action {
    /// List the runs whose results are there
    List,
    /// Say how much space the results take that only the store still has
    Size,
    /// Remove the results of deleted runs, or of all; runs keep their own
    Prune {
        /// Those of runs that still exist too: later runs will find them in the runs' folders only
        #[arg(long)]
        all: bool,
    },
}

/// Lists or prunes a store.
pub fn cache(action: Action, store: Option<PathBuf>) -> Result<Exit, Failure> {
    let store = Store::at(store.unwrap_or_else(|| Path::new("runs").join(".store")));
    let entries = store.entries().map_err(Failure::run)?;
    let told = match action {
        Action::List => list(&store, &entries),
        Action::Size => size(&store, &entries),
        Action::Prune { all } => prune(&store, &entries, all)?,
    };
    print(told)?;
    Ok(Exit::Done)
}

fn list(store: &Store, entries: &[Entry]) -> String {
    let mut text = size(store, entries);
    for entry in entries {
        let batches = entry.batches.map_or("manifest damaged".to_owned(), |batches| format!("{batches} batches"));
        let deleted = if entry.alive { "" } else { ", deleted" };
        let _ = writeln!(text, "  {}  {batches}, {}{deleted}", entry.run.display(), bytes(entry.bytes));
    }
    text
}

fn size(store: &Store, entries: &[Entry]) -> String {
    let (all, of_deleted) = (total(entries, |_| true), total(entries, |entry| !entry.alive));
    format!(
        "{}: results of {} runs, {}; {} of that only here, because their runs are deleted\n",
        store.root().display(),
        entries.len(),
        bytes(all),
        bytes(of_deleted)
    )
}

fn prune(store: &Store, entries: &[Entry], all: bool) -> Result<String, Failure> {
    let doomed = |entry: &Entry| all || !entry.alive;
    for entry in entries.iter().filter(|entry| doomed(entry)) {
        store.remove(entry).map_err(Failure::run)?;
    }
    let removed = entries.iter().filter(|entry| doomed(entry)).count();
    let freed = total(entries, |entry| !entry.alive);
    Ok(format!("removed the results of {removed} of {} runs, {} freed\n", entries.len(), bytes(freed)))
}

fn total(entries: &[Entry], which: impl Fn(&Entry) -> bool) -> u64 {
    entries.iter().filter(|entry| which(entry)).map(|entry| entry.bytes).sum()
}

/// A size as people read it.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
