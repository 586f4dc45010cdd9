//! What every verb shares: how a failure is told, and with which exit code.

use batch::RunError;
use std::{error::Error, fmt::Write, process::ExitCode};

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

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Run(_) => 1,
            Failure::File { .. } | Failure::Command(_) => 2,
        }
    }

    /// Tells the user, on the error stream.
    #[expect(clippy::print_stderr, reason = "this is where failures reach the user")]
    pub fn report(&self) -> ExitCode {
        match self {
            Failure::File { report } => eprint!("{report}"),
            _ => eprintln!("error: {}", self.text()),
        }
        ExitCode::from(self.code())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Failure::run(error)
    }
}

/// An error and what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, "\n  because {error}");
        cause = error.source();
    }
    text
}
