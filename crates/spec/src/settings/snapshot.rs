//! What is kept of a pipeline to see later whether its outputs have changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::Reference;

/// `[snapshot]`: what `elenchus snapshot` runs and keeps. No run depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Snapshot {
    /// How many batches are run.
    #[schemars(range(min = 1), extend("default" = 2, "x-changes" = "snapshots"))]
    pub batches: u64,
    /// How many rows of each table and batch are kept, from the first.
    #[schemars(range(min = 1), extend("default" = 3, "x-changes" = "snapshots"))]
    pub rows: usize,
    /// The columns that are kept, of every table that has them. Default all; a list of none would keep nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("x-default" = "all", "x-changes" = "snapshots"))]
    pub columns: Vec<Reference>,
    /// Digits after the point, from the first that is not 0: last bits differ from one kind of CPU to another.
    #[schemars(range(max = 9), extend("default" = 2, "x-changes" = "snapshots"))]
    pub decimals: usize,
    /// Columns, by name, and metrics, as `STAGE.name`, whose values are not the same twice, and are left out.
    #[schemars(extend("default" = [], "x-changes" = "snapshots"))]
    pub volatile: Vec<Reference>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Snapshot { batches: 2, rows: 3, columns: Vec::new(), decimals: 2, volatile: Vec::new() }
    }
}
