//! The rows that a stage could not do, with the reasons.

use polars::prelude::{Column, DataFrame, PolarsResult};

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
