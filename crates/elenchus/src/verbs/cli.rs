//! The command line: its verbs, what each is given, and with which exit codes it ends.

use crate::{
    failure::{Exit, Failure},
    verbs::{
        cache, catalogue, check,
        command::{Given, report},
        compare, evaluate, fork, manual,
        progress::Told,
        rows, run, show, snapshot,
        variants::Variants,
    },
};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

pub use clap::Command;

/// Train question-answering models by synthesizing amplification and debate.
///
/// An experiment is one TOML file: `elenchus run pipelines/web-of-lies.toml`.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a run failed, nothing was left to do, or a snapshot differs
  2    the file or the command is wrong
  3    kept for runs that wait for a person's answers; none does yet
  130  stopped by Ctrl-C, or as nobody read its --json any more, at a commit; `elenchus resume` goes on";

#[derive(Subcommand)]
enum Verb {
    /// Write a commented pipeline file to begin with
    #[command(after_help = "Example:\n  elenchus new pipeline.toml")]
    New {
        /// The file, which must not be there yet
        file: PathBuf,
    },
    /// List what a pipeline file can choose from: stage kinds, tasks, scripted humans, distances
    #[command(after_help = "Example:\n  elenchus list")]
    List,
    /// Print the JSON schema of the pipeline file, for editors
    #[command(after_help = "Example:\n  elenchus schema > pipeline.schema.json")]
    Schema,
    /// Say everything that is wrong with a pipeline file
    #[command(after_help = "Example:\n  elenchus check pipelines/web-of-lies.toml")]
    Check {
        #[command(flatten)]
        given: Given,
        /// Read no rows of files: question files are left out, and those of `read` and `join` opened for their columns
        #[arg(long)]
        offline: bool,
    },
    /// Show the stages of a pipeline file, how much they ask of M and H, and what earlier runs have done of it
    #[command(after_help = "Examples:\n  elenchus plan pipelines/web-of-lies.toml\n  \
                            elenchus plan pipelines/web-of-lies.toml --format dot | dot -Tsvg > plan.svg")]
    Plan {
        #[command(flatten)]
        given: Given,
        /// What to draw it as
        #[arg(long, value_enum, default_value = "text")]
        format: check::Format,
        /// Read no rows of files, as `check` does, and no earlier runs
        #[arg(long)]
        offline: bool,
        /// Where runs leave results for each other [default: runs/.store]
        #[arg(long, value_name = "DIR")]
        store: Option<PathBuf>,
    },
    /// Run a pipeline in a new folder
    #[command(after_help = "Examples:\n  elenchus run pipelines/web-of-lies.toml\n  \
                            elenchus run pipelines/web-of-lies.toml --seeds 5\n  \
                            elenchus run pipelines/web-of-lies.toml --batches 20 --json | jq .event")]
    Run {
        #[command(flatten)]
        given: Given,
        /// The run's folder [default: runs/FILE-1, -2, …]
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Short for --set seed=N
        #[arg(long, value_name = "N")]
        seed: Option<String>,
        /// Short for --set batches=N
        #[arg(long, value_name = "N")]
        batches: Option<String>,
        #[command(flatten)]
        variants: Variants,
        #[command(flatten)]
        sharing: cache::Sharing,
        #[command(flatten)]
        telling: Telling,
    },
    /// Go on with a run that was broken off, or with those of a group
    #[command(after_help = "Example:\n  elenchus resume runs/latest")]
    Resume {
        /// The run's folder, or that of a group of runs [default: the newest in runs]
        run: Option<PathBuf>,
        #[command(flatten)]
        sharing: cache::Sharing,
        #[command(flatten)]
        telling: Telling,
    },
    /// Go on otherwise from some batch of a run, in a new folder; what came before is shared
    #[command(after_help = "Examples:\n  \
                            elenchus fork runs/web-of-lies-1 --batch 200 --set train.step.adamw.learning_rate=1e-4\n  \
                            elenchus fork runs/latest --batch 200 --file changed.toml --out runs/changed")]
    Fork {
        /// The run's folder
        run: PathBuf,
        /// How many batches are kept
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        batch: u64,
        #[command(flatten)]
        changes: fork::Changes,
        /// The new run's folder [default: runs/RUN-1, -2, …]
        #[arg(long)]
        out: Option<PathBuf>,
        #[command(flatten)]
        sharing: cache::Sharing,
        #[command(flatten)]
        telling: Telling,
    },
    /// Answer a question file with a run's model, and score it where gold answers are given
    #[command(after_help = "Example:\n  elenchus evaluate runs/latest --questions web_of_lies.json --checkpoint best")]
    Evaluate {
        /// The run's folder
        run: PathBuf,
        /// Parquet, JSON lines, CSV, Arrow IPC or BIG-Bench JSON; a pattern such as 'questions/*.json'; or a folder as
        /// Hugging Face has it
        #[arg(long, value_name = "FILE")]
        questions: PathBuf,
        /// Which checkpoint: last, best, or a number of batches
        #[arg(long, default_value = "last")]
        checkpoint: String,
        /// Print JSON: accuracy, correct, total, by depth, and every answer
        #[arg(long)]
        json: bool,
    },
    /// Print the summary of a run, one of its debates with the sub-questions, or a table
    #[command(after_help = "Examples:\n  elenchus show runs/latest --debate 19000\n  \
                            elenchus show runs/latest --table arguments.calls --batch 3\n  \
                            elenchus show runs/latest --table arguments --out arguments.parquet")]
    Show {
        /// The run's folder
        run: PathBuf,
        /// The id of the question debated, from 0
        #[arg(long, value_name = "ID")]
        debate: Option<u64>,
        #[command(flatten)]
        rows: rows::Rows,
    },
    /// Compare runs: the settings that differ, where each metric ended, and how it went
    #[command(after_help = "Examples:\n  elenchus compare runs/web-of-lies-1 runs/web-of-lies-2\n  \
                            elenchus compare runs/* --metric held_out.naive --html comparison.html")]
    Compare {
        /// Runs, or folders of runs; those that differ in nothing but the seed are a group
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// Only this metric, as `STAGE.name`, plotted too; can be given several times [default: all, with plots of how
        /// often answers were right]
        #[arg(long = "metric", value_name = "METRIC")]
        metrics: Vec<String>,
        /// Write a page with a plot of every metric
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Run pipelines small, and keep what comes out as snapshots beside them, or compare with what was kept
    #[command(after_help = "Examples:\n  elenchus snapshot pipelines/*.toml\n  \
                            elenchus snapshot --check pipelines/*.toml")]
    Snapshot {
        /// The pipeline files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Compare, show what differs, and end with 1 if anything does [default where CI=true]
        #[arg(long)]
        check: bool,
    },
    /// Results that runs have left for later runs
    #[command(after_help = "Examples:\n  elenchus cache list\n  elenchus cache prune\n  \
                            elenchus cache size --store /data/runs/.store")]
    Cache {
        #[command(subcommand)]
        action: cache::Action,
        /// Where they are [default: runs/.store]
        #[arg(long, value_name = "DIR", global = true)]
        store: Option<PathBuf>,
    },
    /// Print what a shell needs to complete commands
    #[command(
        after_help = "Example:\n  elenchus completions bash > ~/.local/share/bash-completion/completions/elenchus"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write a manual page for the command, and one for each verb
    #[command(after_help = "Example:\n  elenchus man ~/.local/share/man/man1 && man elenchus-run")]
    Man {
        /// Where to
        folder: PathBuf,
    },
}

/// How much is said of a run.
#[derive(Args)]
struct Telling {
    /// Say nothing but what goes wrong
    #[arg(long)]
    quiet: bool,
    /// Print a JSON object for each event, one a line, instead of progress and summary
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

impl Telling {
    fn told(&self) -> Told {
        match self {
            Telling { quiet: true, .. } => Told::Nobody,
            Telling { json: true, .. } => Told::Program,
            _ => Told::Person,
        }
    }
}

/// The whole command line, for what is made from it.
pub fn command() -> Command {
    Arguments::command()
}

/// Does what the process's arguments say, and ends it.
pub fn main() -> ! {
    let exit = perform(Arguments::parse().verb).unwrap_or_else(|failure| report(&failure));
    // All that was to be written is written by now. An orderly exit would have libtorch take itself apart, which takes
    // longer than most verbs do.
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::_exit(exit as i32) }
}

fn perform(verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::New { file } => catalogue::new(&file),
        Verb::List => catalogue::list(),
        Verb::Schema => catalogue::schema(),
        Verb::Check { given, offline } => check::check(&given, offline),
        Verb::Plan { given, format, offline, store } => check::plan(&given, format, offline, store),
        Verb::Run { mut given, out, seed, batches, variants, sharing, telling } => {
            given.sets.extend(seed.map(|seed| format!("seed={seed}")));
            given.sets.extend(batches.map(|batches| format!("batches={batches}")));
            run::run(&given, out, &variants, &sharing, telling.told())
        }
        Verb::Resume { run, sharing, telling } => run::resume(run, &sharing, telling.told()),
        Verb::Fork { run, batch, changes, out, sharing, telling } => {
            fork::fork(&run, batch, changes, out, &sharing, telling.told())
        }
        Verb::Evaluate { run, questions, checkpoint, json } => evaluate::evaluate(&run, &questions, &checkpoint, json),
        Verb::Show { run, debate, rows } => show::show(&run, debate, &rows),
        Verb::Compare { runs, metrics, html } => compare::compare(&runs, &metrics, html.as_deref()),
        Verb::Snapshot { files, check } => snapshot::snapshot(&files, check),
        Verb::Cache { action, store } => cache::cache(action, store),
        Verb::Completions { shell } => manual::completions(shell),
        Verb::Man { folder } => manual::man(&folder),
    }
}
