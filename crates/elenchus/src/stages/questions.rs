//! The questions of a table, as they are put to somebody. A question's id is its name in every table that comes of it,
//! and the address of its randomness.

use crate::stages::tables;
use batch::{StageError, stages::Refused};
use polars::prelude::*;
use std::collections::BTreeSet;

/// A question with its place in the table.
pub struct Question {
    /// From 0.
    pub row: usize,
    /// Its own in the batch.
    pub id: u64,
    /// Q.
    pub text: String,
}

/// The questions that have an id of their own and a text; and the other rows, with reasons.
pub fn questions(table: &DataFrame) -> PolarsResult<(Vec<Question>, Vec<Refused>)> {
    let (ids, texts) = (table.column("id")?.u64()?.iter(), tables::optional_texts(table, "text")?);
    let (mut asked, mut refused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (row, (id, text)) in ids.zip(texts).enumerate() {
        let reason = match (id, &text) {
            (None, _) => format!("the id of row {row} is null"),
            (Some(id), None) => format!("question {id} is null"),
            (Some(id), Some(_)) if !seen.insert(id) => format!("question {id} came before in this batch"),
            (Some(id), Some(text)) => {
                asked.push(Question { row, id, text: text.clone() });
                continue;
            }
        };
        refused.push(Refused { row, reason, content: text });
    }
    Ok((asked, refused))
}

/// A question that cannot be asked, as a reason to stop.
pub fn stop(question: &Refused) -> StageError {
    format!("{}; set `on_error = \"skip\"` to go on without it", question.reason).into()
}
