//! `elenchus show`: a run's summary, or one of its debates, as a person reads it; or the rows of a table.

use crate::{
    failure::{Exit, Failure},
    results::{summary::summary, transcript::Transcript},
    verbs::{
        command::print,
        rows::{self, Rows},
    },
    wiring::load::pipeline,
};
use batch::Run;
use std::path::Path;

/// Prints the debate on a question, or the rows of a table, or the summary.
pub fn show(root: &Path, debate: Option<u64>, rows: &Rows) -> Result<Exit, Failure> {
    if let Some(table) = &rows.table {
        return rows::show(root, table, rows);
    }
    print(debate.map_or_else(|| summary(root), |id| transcript(root, id))?)?;
    Ok(Exit::Done)
}

/// The debate on a question, with the sub-questions behind each argument, and the verdict.
pub fn transcript(root: &Path, id: u64) -> Result<String, Failure> {
    let run = Run::open(root)?;
    Ok(Transcript::read(&run, &pipeline(root)?, id)?.text())
}
