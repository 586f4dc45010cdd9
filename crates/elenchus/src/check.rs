//! `elenchus check` and `elenchus plan`.

use crate::{
    command::{Failure, Given},
    load::load,
};
use std::process::ExitCode;

/// Says that a pipeline is right, or everything that is wrong with it.
#[expect(clippy::print_stdout, reason = "this is what the verb is for")]
pub fn check(given: &Given) -> Result<ExitCode, Failure> {
    let loaded = load(&given.sources()?, |_| {})?;
    println!("{}: {} stages, {} batches, no problems", given.file.display(), loaded.plan.nodes.len(), loaded.batches);
    Ok(ExitCode::SUCCESS)
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

/// Draws a pipeline's plan.
#[expect(clippy::print_stdout, reason = "this is what the verb is for")]
pub fn plan(given: &Given, format: Format) -> Result<ExitCode, Failure> {
    let plan = load(&given.sources()?, |_| {})?.plan;
    let drawn = match format {
        Format::Text => plan.to_text(),
        Format::Json => plan.to_json(),
        Format::Dot => plan.to_dot(),
        Format::Mermaid => plan.to_mermaid(),
    };
    print!("{drawn}");
    Ok(ExitCode::SUCCESS)
}
