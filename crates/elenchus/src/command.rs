//! What verbs share: how a pipeline is given, how a failure is told, and with which exit code.

use batch::{FolderError, RunError, TableError};
use spec::Sources;
use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
};

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

/// A pipeline file, and what is set over it.
#[derive(Debug, Clone, clap::Args)]
pub struct Given {
    /// The pipeline file
    pub file: PathBuf,
    /// A file whose settings go over those before; may be repeated
    #[arg(long = "overlay", value_name = "FILE")]
    pub overlays: Vec<PathBuf>,
    /// A setting that goes over all files, as in --set train.step.steps=2; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

impl Given {
    /// The texts of the pipeline.
    pub fn sources(&self) -> Result<Sources, Failure> {
        Sources::open(&self.file, &self.overlays, &self.sets).map_err(Failure::command)
    }
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

    /// Tells the user, on the error stream.
    pub fn report(&self) -> Exit {
        match self {
            Failure::File { report } => say(report.trim_end()),
            _ => say(&format!("error: {}", self.text())),
        }
        self.exit()
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

/// Puts out what a verb has come to. Returns whether anyone reads it: that the reader has gone, as in `elenchus list |
/// head -3`, is no failure.
pub fn print(text: impl AsRef<[u8]>) -> Result<bool, Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_ref()).and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::run(format!("the output cannot be written: {error}"))),
    }
}

/// Says a line on the error stream. Nothing is kept from going on by that nobody listens.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
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
