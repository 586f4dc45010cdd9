//! `elenchus check` and `elenchus plan`.

use crate::{command::Failure, load::load};
use std::{path::Path, process::ExitCode};

/// Says that a file is right, or everything that is wrong with it.
#[expect(clippy::print_stdout, reason = "this is what the verb is for")]
pub fn check(file: &Path) -> Result<ExitCode, Failure> {
    let loaded = load(file, |_| {})?;
    println!(
        "{}: {} stages, {} batches, no problems",
        file.display(),
        loaded.plan.nodes.len(),
        loaded.pipeline.batches
    );
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

/// Draws a file's plan.
#[expect(clippy::print_stdout, reason = "this is what the verb is for")]
pub fn plan(file: &Path, format: Format) -> Result<ExitCode, Failure> {
    let plan = load(file, |_| {})?.plan;
    let drawn = match format {
        Format::Text => plan.to_text(),
        Format::Json => plan.to_json(),
        Format::Dot => plan.to_dot(),
        Format::Mermaid => plan.to_mermaid(),
    };
    print!("{drawn}");
    Ok(ExitCode::SUCCESS)
}
