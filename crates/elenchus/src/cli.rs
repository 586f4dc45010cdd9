//! The command line: `elenchus check|plan|run|resume|evaluate|show`. Exit codes: 0 done, 1 a run failed, 2 the file or
//! the command is wrong, 130 stopped by Ctrl-C at a commit.

use crate::{check, command::Failure, evaluate, run, show, snapshot};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Train question-answering models by synthesizing amplification and debate.
///
/// An experiment is one TOML file: `elenchus run pipelines/web-of-lies.toml`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Say everything that is wrong with a pipeline file
    Check {
        /// The pipeline file
        file: PathBuf,
    },
    /// Show the stages of a pipeline file, their tables and their states, and how much they ask of M and H
    Plan {
        /// The pipeline file
        file: PathBuf,
        /// What to draw it as
        #[arg(long, value_enum, default_value = "text")]
        format: check::Format,
    },
    /// Run a pipeline in a new folder
    Run {
        /// The pipeline file
        file: PathBuf,
        /// The run's folder [default: runs/FILE-1, -2, …]
        #[arg(long)]
        out: Option<PathBuf>,
        /// A seed instead of the file's
        #[arg(long)]
        seed: Option<u64>,
        /// A number of batches instead of the file's
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        batches: Option<u64>,
    },
    /// Go on with a run that was broken off
    Resume {
        /// The run's folder
        run: PathBuf,
    },
    /// Answer a question file with a run's model, and score it where gold answers are given
    Evaluate {
        /// The run's folder
        run: PathBuf,
        /// Parquet, JSON lines or BIG-Bench JSON
        #[arg(long)]
        questions: PathBuf,
        /// Which checkpoint: last, best, or a number of batches
        #[arg(long, default_value = "last")]
        checkpoint: String,
        /// Print JSON: accuracy, correct, total, by depth, and every answer
        #[arg(long)]
        json: bool,
    },
    /// Print the summary of a run, or one of its debates with the sub-questions
    Show {
        /// The run's folder
        run: PathBuf,
        /// The id of the question debated, from 0
        #[arg(long)]
        debate: Option<u64>,
    },
    /// Run pipelines small, and keep what comes out as snapshots beside them, or compare with what was kept
    Snapshot {
        /// The pipeline files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Compare, show what differs, and end with 1 if anything does [default where CI=true]
        #[arg(long)]
        check: bool,
    },
}

/// Does what the process's arguments say.
pub fn main() -> ExitCode {
    match perform(Arguments::parse().verb) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn perform(verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Check { file } => check::check(&file),
        Verb::Plan { file, format } => check::plan(&file, format),
        Verb::Run { file, out, seed, batches } => run::run(&file, out, run::Overrides { seed, batches }),
        Verb::Resume { run } => run::resume(&run),
        Verb::Evaluate { run, questions, checkpoint, json } => evaluate::evaluate(&run, &questions, &checkpoint, json),
        Verb::Show { run, debate } => show::show(&run, debate),
        Verb::Snapshot { files, check } => snapshot::snapshot(&files, check),
    }
}
