//! What a query makes of tables: the same rows in the same order each time. By itself polars groups and joins in the
//! order of a hash that is another one in every process, and leaves open how rows of the same rank are sorted; so every
//! step is told to keep the order of the rows it is given.

use std::sync::Arc;

use polars::prelude::{DataFrame, IntoLazy, MaintainOrderJoin, PolarsResult};
use polars::sql::SQLContext;
use polars_plan::dsl::DslPlan;

/// The functions with which SQL reads files.
const READERS: [&str; 6] = ["read_csv", "read_ipc", "read_json", "read_ndjson", "read_parquet", "scan_parquet"];

/// What a query makes of tables, or what is wrong with it.
pub(crate) fn ask(query: &str, tables: &[(String, DataFrame)]) -> Result<DataFrame, String> {
    // What a run depends on is in its plan, and a file that only a query knows of would not be.
    if let Some(reader) = READERS.iter().find(|reader| query.to_lowercase().contains(**reader)) {
        return Err(format!("`{reader}` is not for a query: files are read by a `read` stage, or by a `join`"));
    }
    made(query, tables).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

fn made(query: &str, tables: &[(String, DataFrame)]) -> PolarsResult<DataFrame> {
    let mut context = SQLContext::new();
    for (name, table) in tables {
        context.register(name, table.clone().lazy());
    }
    let mut made = context.execute(query)?;
    keep_order(&mut made.logical_plan);
    made.collect()
}

/// Tells a step, and all before it, to keep the order of rows.
fn keep_order(step: &mut DslPlan) {
    // What polars has made of a step to learn its columns knows nothing of this yet.
    while let DslPlan::IR { dsl, .. } = step {
        *step = DslPlan::clone(dsl);
    }
    match step {
        DslPlan::GroupBy { maintain_order, .. } => *maintain_order = true,
        DslPlan::Distinct { options, .. } => options.maintain_order = true,
        DslPlan::Sort { sort_options, .. } => sort_options.maintain_order = true,
        DslPlan::Union { args, .. } => args.maintain_order = true,
        DslPlan::Join { options, .. } => Arc::make_mut(options).args.maintain_order = MaintainOrderJoin::LeftRight,
        _ => {}
    }
    before(step).into_iter().for_each(keep_order);
}

/// The steps right before one.
fn before(step: &mut DslPlan) -> Vec<&mut DslPlan> {
    match step {
        DslPlan::Scan { .. } | DslPlan::DataFrameScan { .. } => Vec::new(),
        DslPlan::Filter { input, .. }
        | DslPlan::Cache { input, .. }
        | DslPlan::Select { input, .. }
        | DslPlan::GroupBy { input, .. }
        | DslPlan::HStack { input, .. }
        | DslPlan::MatchToSchema { input, .. }
        | DslPlan::Distinct { input, .. }
        | DslPlan::Sort { input, .. }
        | DslPlan::Slice { input, .. }
        | DslPlan::MapFunction { input, .. }
        | DslPlan::Sink { input, .. }
        | DslPlan::IR { dsl: input, .. } => vec![Arc::make_mut(input)],
        DslPlan::Join { input_left: one, input_right: other, .. } | DslPlan::Gather { input: one, idxs: other, .. } => {
            vec![Arc::make_mut(one), Arc::make_mut(other)]
        }
        DslPlan::PipeWithSchema { input, .. } => Arc::make_mut(input).iter_mut().collect(),
        DslPlan::Union { inputs, .. } | DslPlan::HConcat { inputs, .. } | DslPlan::SinkMultiple { inputs } => {
            inputs.iter_mut().collect()
        }
        DslPlan::ExtContext { input, contexts } => [Arc::make_mut(input)].into_iter().chain(contexts).collect(),
    }
}
