//! One unit of work: a stage on a batch, and whether it kept its promises.

use std::collections::BTreeMap;

use plan::Node;
use polars::frame::DataFrame;

use crate::error::RunError;
use crate::schema;
use crate::stage::{Bundle, Stage, Unit};
use crate::state::States;
use crate::store::journal::Outside;

/// What a stage made of a batch.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) tables: Bundle,
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// Runs one stage on one batch, and holds what it puts out against the plan. Where it is not due, it is given no states.
pub(crate) fn run_unit(
    node: &Node,
    stage: &dyn Stage,
    batch: u64,
    due: bool,
    tables: &Bundle,
    states: &mut States,
    outside: Outside<'_>,
) -> Result<Work, RunError> {
    let (reads, writes): (&[String], &[String]) = if due { (&node.reads, &node.writes) } else { (&[], &[]) };
    let mut unit = Unit::new(batch, inputs(node, tables), states, reads, writes);
    (unit.due, unit.outside) = (due, Some(outside));
    let failed = |source| RunError::Stage { stage: node.name.clone(), batch, source };
    let tables = stage.run(&mut unit).map_err(failed)?;
    let metrics = unit.into_metrics().into_iter();
    let metrics = metrics.map(|(name, value)| (format!("{}.{name}", node.name), value)).collect();
    check_metrics(&metrics, batch)?;
    check_tables(node, batch, &tables)?;
    Ok(Work { tables, metrics })
}

fn inputs<'a>(node: &'a Node, tables: &'a Bundle) -> BTreeMap<&'a str, &'a DataFrame> {
    let names = node.inputs.iter().map(|edge| edge.table.as_str());
    names.filter_map(|name| Some((name, tables.get(name)?))).collect()
}

fn check_metrics(metrics: &BTreeMap<String, f64>, batch: u64) -> Result<(), RunError> {
    match metrics.iter().find(|(_, value)| !value.is_finite()) {
        Some((metric, &value)) => Err(RunError::NotFinite { metric: metric.clone(), value, batch }),
        None => Ok(()),
    }
}

fn check_tables(node: &Node, batch: u64, tables: &Bundle) -> Result<(), RunError> {
    let mut promised: Vec<&str> = node.outputs.iter().map(|output| output.table.as_str()).collect();
    promised.sort_unstable();
    if !tables.keys().eq(promised.iter()) {
        let found: Vec<&str> = tables.keys().map(String::as_str).collect();
        let (promised, found) = (promised.join(", "), found.join(", "));
        return Err(RunError::Tables { stage: node.name.clone(), batch, promised, found });
    }
    node.outputs.iter().try_for_each(|output| {
        let (stage, table) = (node.name.clone(), output.table.clone());
        let drifted = |drift| RunError::Drift { stage, batch, table, drift: Box::new(drift) };
        schema::check(&tables[&output.table], &output.schema).map_err(drifted)
    })
}
