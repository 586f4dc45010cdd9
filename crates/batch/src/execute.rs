//! The engine: batch after batch through the stages, each batch committed once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use plan::{Node, Plan};
use polars::frame::DataFrame;
use serde::Serialize;

use crate::checkpoint::{self, Policy};
use crate::durable::Digest;
use crate::error::RunError;
use crate::event::Event;
use crate::folder::RunFolder;
use crate::manifest::Line;
use crate::stage::{Bundle, Stage, Unit};
use crate::state::States;
use crate::{schema, tables};

/// What is to be run.
pub struct Job<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What does the work of each node, in the plan's order.
    pub stages: &'a [Box<dyn Stage>],
    /// How many batches the run has.
    pub batches: u64,
    /// When states are written down.
    pub checkpoints: Policy,
    /// Once true, the run stops at the next commit.
    pub stop: &'a AtomicBool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many batches are committed.
    pub committed: u64,
    /// Whether that is all; otherwise it was told to stop, and can be resumed.
    pub complete: bool,
    /// How many had been committed before.
    pub resumed_at: u64,
    /// How many of those were replayed, from the checkpoint before them.
    pub replayed: u64,
}

/// Runs what is left of a run: all of it in a new folder, and in one that was broken off what is not committed yet.
/// `states` come as they are before batch 0 and end as they are after the last.
pub fn run(
    job: &Job<'_>,
    states: &mut States,
    folder: &mut RunFolder,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, RunError> {
    check_fit(job, states, folder)?;
    Engine { job, states, folder, observe }.run()
}

fn check_fit(job: &Job<'_>, states: &States, folder: &RunFolder) -> Result<(), RunError> {
    if folder.header().plan != job.plan.key.to_string() {
        return Err(RunError::OtherPlan { folder: folder.root().to_owned() });
    }
    let (nodes, stages) = (job.plan.nodes.len(), job.stages.len());
    if nodes != stages {
        return Err(RunError::Unfit(format!("it has {nodes} nodes, and {stages} stages were given")));
    }
    let mut declared = job.plan.nodes.iter().flat_map(|node| node.reads.iter().chain(&node.writes));
    match declared.find(|name| !states.by_name.contains_key(*name)) {
        Some(absent) => Err(RunError::Unfit(format!("no state `{absent}` was given"))),
        None => Ok(()),
    }
}

/// A run under way.
pub(crate) struct Engine<'a> {
    pub(crate) job: &'a Job<'a>,
    pub(crate) states: &'a mut States,
    pub(crate) folder: &'a mut RunFolder,
    pub(crate) observe: &'a mut dyn FnMut(Event<'_>),
}

/// What stages made of a batch.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) tables: Bundle,
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// A line of `timings.jsonl`.
#[derive(Serialize)]
struct Timings {
    batch: u64,
    seconds: f64,
    stages: BTreeMap<String, f64>,
}

impl Engine<'_> {
    fn run(&mut self) -> Result<Outcome, RunError> {
        self.folder.tidy(&self.job.checkpoints.kept(self.folder.lines()))?;
        let batches = self.job.batches;
        let resumed_at = self.folder.lines().len() as u64;
        if resumed_at >= batches {
            return Err(RunError::Complete { folder: self.folder.root().to_owned(), batches });
        }
        let replayed = self.restore()?;
        for batch in resumed_at..batches {
            if self.job.stop.load(Ordering::Relaxed) {
                return Ok(Outcome { committed: batch, complete: false, resumed_at, replayed });
            }
            self.run_batch(batch)?;
        }
        Ok(Outcome { committed: batches, complete: true, resumed_at, replayed })
    }

    fn run_batch(&mut self, batch: u64) -> Result<(), RunError> {
        let (started, batches) = (Instant::now(), self.job.batches);
        (self.observe)(Event::BatchStarted { batch, batches });
        let (work, stages) = self.run_stages(batch)?;
        let metrics = work.metrics.clone();
        let rows = work.tables.values().map(|table| table.height() as u64).sum();
        self.commit(batch, work)?;
        let seconds = started.elapsed().as_secs_f64();
        self.folder.note_timings(&Timings { batch, seconds, stages })?;
        (self.observe)(Event::BatchCommitted { batch, batches, rows, metrics: &metrics, seconds });
        Ok(())
    }

    /// Every stage's work, and the seconds that each took.
    fn run_stages(&mut self, batch: u64) -> Result<(Work, BTreeMap<String, f64>), RunError> {
        let (mut work, mut timings) = (Work::default(), BTreeMap::new());
        for (node, stage) in self.job.plan.nodes.iter().zip(self.job.stages) {
            let started = Instant::now();
            let done = run_stage(node, stage.as_ref(), batch, &work.tables, self.states)?;
            work.tables.extend(done.tables);
            work.metrics.extend(done.metrics);
            let seconds = started.elapsed().as_secs_f64();
            timings.insert(node.name.clone(), seconds);
            (self.observe)(Event::StageFinished { batch, stage: &node.name, seconds });
        }
        Ok((work, timings))
    }

    /// Makes a batch happen: its tables, then its checkpoint if one is due, then its line.
    fn commit(&mut self, batch: u64, work: Work) -> Result<(), RunError> {
        let Work { mut tables, metrics } = work;
        tables.retain(|table, _| self.folder.header().tables.contains_key(table));
        let tables = tables::write(self.folder.root(), batch, &tables)?;
        let due = self.job.checkpoints.is_due(batch, self.job.batches, &metrics, self.folder.lines());
        let checkpoint = due.then(|| self.write_checkpoint(batch + 1)).transpose()?;
        self.folder.commit(Line { batch, tables, metrics, checkpoint })?;
        if due {
            checkpoint::sweep(self.folder.root(), &self.job.checkpoints.kept(self.folder.lines()))?;
        }
        Ok(())
    }

    fn write_checkpoint(&mut self, batches: u64) -> Result<BTreeMap<String, Digest>, RunError> {
        let saved = checkpoint::save(self.states)?;
        checkpoint::write(self.folder.root(), batches, &saved)?;
        (self.observe)(Event::CheckpointWritten { batches });
        Ok(checkpoint::digests(&saved))
    }
}

/// Runs one stage on one batch, and holds what it puts out against the plan.
pub(crate) fn run_stage(
    node: &Node,
    stage: &dyn Stage,
    batch: u64,
    tables: &Bundle,
    states: &mut States,
) -> Result<Work, RunError> {
    let mut unit = Unit::new(batch, inputs(node, tables), states, &node.reads, &node.writes);
    let failed = |source| RunError::Stage { stage: node.name.clone(), batch, source };
    let tables = stage.run(&mut unit).map_err(failed)?;
    let metrics = unit.into_metrics().into_iter();
    let metrics = metrics.map(|(name, value)| (format!("{}.{name}", node.name), value)).collect();
    states.advance(&node.writes);
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
