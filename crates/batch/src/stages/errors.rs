//! The rows that a stage could not do, with the reasons.

use polars::prelude::{Column, DataFrame, JsonFormat, JsonWriter, PolarsResult, SerWriter};

use crate::source::BadRow;

/// A row that a stage could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place among the rows of the stage in this batch, from 0.
    pub row: usize,
    /// What was wrong with it.
    pub reason: String,
    /// The row, as it stood in its file or as JSON.
    pub content: Option<String>,
}

impl From<BadRow> for Refused {
    fn from(bad: BadRow) -> Self {
        let reason = format!("`{}`, row {}: {}", bad.path, bad.row_of_file, bad.reason);
        Refused { row: bad.row, reason, content: Some(bad.content) }
    }
}

/// The table `NAME.errors`.
pub fn errors(refused: &[Refused]) -> PolarsResult<DataFrame> {
    let row: Vec<u64> = refused.iter().map(|refused| refused.row as u64).collect();
    let reason: Vec<&str> = refused.iter().map(|refused| refused.reason.as_str()).collect();
    let content: Vec<Option<&str>> = refused.iter().map(|refused| refused.content.as_deref()).collect();
    let columns = vec![
        Column::new("row".into(), row),
        Column::new("reason".into(), reason),
        Column::new("content".into(), content),
    ];
    DataFrame::new(refused.len(), columns)
}

/// A row as JSON.
pub(crate) fn json(row: &DataFrame) -> Option<String> {
    let mut bytes = Vec::new();
    JsonWriter::new(&mut bytes).with_json_format(JsonFormat::JsonLines).finish(&mut row.clone()).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}
