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

/// Draws a file's plan.
#[expect(clippy::print_stdout, reason = "this is what the verb is for")]
pub fn plan(file: &Path) -> Result<ExitCode, Failure> {
    print!("{}", load(file, |_| {})?.plan.to_text());
    Ok(ExitCode::SUCCESS)
}
