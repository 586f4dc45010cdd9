//! What `[snapshot]` names: a column that no table has, or a metric of no stage, would be kept or hidden in vain.

use std::collections::BTreeSet;

use spec::{
    Problem,
    problem::instead,
    settings::{Reference, Snapshot},
};

use crate::names::Names;

/// Its mentions that lead nowhere.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let Snapshot { columns, volatile, .. } = &names.pipeline.snapshot;
    // What is wrong with a table that is not known is told where it is made, and it may have any column.
    if names.tables.iter().any(Option::is_none) {
        return Vec::new();
    }
    let outputs = names.tables.iter().flatten().flatten();
    let known: BTreeSet<String> = outputs
        .flat_map(|output| output.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>())
        .collect();
    let (metrics, of_columns): (Vec<&Reference>, Vec<&Reference>) =
        volatile.iter().partition(|mention| mention.name.contains('.'));
    let lost_columns = columns.iter().chain(of_columns).filter_map(|mention| no_column(mention, &known));
    lost_columns.chain(metrics.into_iter().filter_map(|mention| no_stage(names, mention))).collect()
}

fn no_column(mention: &Reference, known: &BTreeSet<String>) -> Option<Problem> {
    let message = format!("no table has a column `{}`", mention.name);
    let help = instead(&mention.name, known.iter().map(String::as_str));
    (!known.contains(&mention.name)).then(|| Problem::new(mention.span.clone(), message).help(help))
}

fn no_stage(names: Names<'_>, mention: &Reference) -> Option<Problem> {
    let stage = mention.name.split('.').next().unwrap_or_default();
    let stages = || names.pipeline.stages.iter().map(|stage| stage.name.as_str());
    let message = format!("`{}` is a metric of no stage: there is no `{stage}`", mention.name);
    let problem = || Problem::new(mention.span.clone(), message).help(instead(stage, stages()));
    (!stages().any(|name| name == stage)).then(problem)
}
