//! What verbs share: how a pipeline is given, and how something is said.

use crate::failure::{Exit, Failure};
use spec::Sources;
use std::{
    io::{self, Write},
    path::PathBuf,
};

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

/// Tells a failure on the error stream. Returns how the process ends.
pub fn report(failure: &Failure) -> Exit {
    match failure {
        Failure::File { report } => say(report.trim_end()),
        _ => say(&format!("error: {}", failure.text())),
    }
    failure.exit()
}
