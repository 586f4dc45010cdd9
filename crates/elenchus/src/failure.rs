//! Why something was not done, and how the process ends then.

use batch::{FolderError, RunError, TableError};
use std::error::Error;

/// How the process ends: its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// A run failed, or a snapshot differs.
    Failed = 1,
    /// The file or the command is wrong.
    Wrong = 2,
    /// Stopped at a commit.
    Stopped = 130,
}

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The pipeline file is wrong: its problems, drawn.
    File {
        /// One after the other, each with its place and a remedy.
        report: String,
    },
    /// The command asks for what is not there.
    Command(Box<dyn Error + Send + Sync>),
    /// A run failed.
    Run(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// For a command that asks for what is not there.
    pub fn command(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Failure::Command(error.into())
    }

    /// For a run that failed.
    pub fn run(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Failure::Run(error.into())
    }

    /// The failure in words.
    pub fn text(&self) -> String {
        match self {
            Failure::File { report } => report.clone(),
            Failure::Command(error) | Failure::Run(error) => chain(error.as_ref()),
        }
    }

    /// How the process ends then.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Run(_) => Exit::Failed,
            Failure::File { .. } | Failure::Command(_) => Exit::Wrong,
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Failure::run(error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::NotEmpty(_) | FolderError::NoRun(_) => Failure::command(error),
            _ => Failure::run(error),
        }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Unknown { .. } | TableError::NoBatch { .. } => Failure::command(error),
            _ => Failure::run(error),
        }
    }
}

/// An error and what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!("\n  because {error}");
        cause = error.source();
    }
    text
}
