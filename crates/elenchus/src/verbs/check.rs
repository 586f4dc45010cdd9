//! `elenchus check` and `elenchus plan`.

use crate::{
    failure::{Exit, Failure},
    verbs::{
        command::{Given, print},
        run::make_absolute,
    },
    wiring::load::{load, load_offline},
};
use batch::{Preview, Store};
use plan::Plan;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Says that a pipeline is right, or everything that is wrong with it. Offline, its question files are left out.
pub fn check(given: &Given, offline: bool) -> Result<Exit, Failure> {
    let (plan, batches) = planned(given, offline)?;
    let stages = plan.nodes.len();
    let batches = batches.map_or("as many as its rows make".to_owned(), |batches| batches.to_string());
    let left_out = if offline { "; its question files were not opened" } else { "" };
    print(format!("{}: {stages} stages, {batches} batches, no problems{left_out}\n", given.file.display()))?;
    Ok(Exit::Done)
}

/// The plan, and how many batches a run of it has, where that is known without its files.
fn planned(given: &Given, offline: bool) -> Result<(Plan, Option<u64>), Failure> {
    let sources = given.sources()?;
    if offline {
        return load_offline(&sources).map(|(pipeline, plan)| (plan, pipeline.batches));
    }
    load(&sources, make_absolute).map(|loaded| (loaded.plan, Some(loaded.batches)))
}

/// What a plan can be drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For Graphviz: `elenchus plan FILE --format dot | dot -Tsvg`
    Dot,
    /// For Markdown pages
    Mermaid,
}

/// Draws a pipeline's plan, with what earlier runs have done of it, and why the rest has to run.
pub fn plan(given: &Given, format: Format, offline: bool, store: Option<PathBuf>) -> Result<Exit, Failure> {
    let (plan, batches) = planned(given, offline)?;
    let preview = batches.filter(|_| !offline).map(|batches| preview(&plan, batches, store)).transpose()?;
    let notes = preview.as_ref().map(Preview::notes).unwrap_or_default();
    let drawn = match format {
        Format::Text => {
            plan.to_text() + &preview.map_or_else(String::new, |preview| format!("\n{}", preview.to_text()))
        }
        Format::Json => {
            let mut drawn = plan.to_json();
            drawn["earlier_runs"] = json!(preview);
            format!("{drawn:#}\n")
        }
        Format::Dot => plan.to_dot(&notes),
        Format::Mermaid => plan.to_mermaid(&notes),
    };
    print(drawn)?;
    Ok(Exit::Done)
}

/// What earlier runs have done of a plan.
fn preview(plan: &Plan, batches: u64, store: Option<PathBuf>) -> Result<Preview, Failure> {
    let store = store.map_or_else(|| Store::at(Path::new("runs").join(".store")), Store::at);
    batch::preview(plan, batches, &store).map_err(Failure::run)
}
