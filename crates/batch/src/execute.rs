//! The engine: batch after batch through the stages, each batch committed once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use plan::{Node, Plan};
use polars::frame::DataFrame;
use serde::Serialize;

use crate::checkpoint::{self, CheckpointError, Policy};
use crate::durable::FileError;
use crate::event::Event;
use crate::folder::RunFolder;
use crate::manifest::Line;
use crate::resume::{self, ReplayError};
use crate::schema::{self, Drift};
use crate::stage::{Bundle, Stage, StageError, Unit};
use crate::state::States;
use crate::tables::{self, TableError};

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
    /// How many were committed before.
    pub resumed_at: u64,
    /// How many of those were replayed.
    pub replayed: u64,
}

/// Why a run stopped before its end. What was committed stays committed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Everything is done.
    #[error("`{folder}` is complete: all {batches} batches are committed, 0 remain; show or evaluate it")]
    Complete {
        /// The run.
        folder: String,
        /// How many it has.
        batches: u64,
    },
    /// The folder was made by another plan.
    #[error(
        "`{folder}` was made by another plan than this one: resume it with its own `pipeline.toml`, or start a new \
         run in another folder"
    )]
    OtherPlan {
        /// The run.
        folder: String,
    },
    /// The plan, its stages and the states do not fit together.
    #[error("the plan cannot be run: {0}")]
    Unfit(String),
    /// A stage failed.
    #[error("stage `{stage}` failed at batch {batch}")]
    Stage {
        /// Its name.
        stage: String,
        /// Which batch.
        batch: u64,
        /// Its own words.
        source: StageError,
    },
    /// A stage put out other tables than its plan says.
    #[error("stage `{stage}` at batch {batch} put out tables [{found}] where the plan promises [{promised}]")]
    Tables {
        /// The stage.
        stage: String,
        /// Which batch.
        batch: u64,
        /// In the plan.
        promised: String,
        /// Put out.
        found: String,
    },
    /// A stage put out a table that is not as planned.
    #[error("stage `{stage}` at batch {batch}, table `{table}`: {drift}")]
    Drift {
        /// The stage.
        stage: String,
        /// Which batch.
        batch: u64,
        /// The table.
        table: String,
        /// How it differs.
        drift: Drift,
    },
    /// A loss, a gradient or another number went out of bounds.
    #[error("`{metric}` is {value} at batch {batch}; the run stands at the last batch committed before it")]
    NotFinite {
        /// `STAGE.name`
        metric: String,
        /// What it is.
        value: f64,
        /// Which batch.
        batch: u64,
    },
    /// A committed batch came out otherwise when it was replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A table could not be written or read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A checkpoint could not be written or loaded.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
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
    folder.tidy(&job.checkpoints.kept(folder.lines()))?;
    let resumed_at = folder.lines().len() as u64;
    let replayed = resume::restore(job, states, folder, observe)?;
    for batch in resumed_at..job.batches {
        if job.stop.load(Ordering::Relaxed) {
            return Ok(Outcome { committed: batch, complete: false, resumed_at, replayed });
        }
        observe(Event::BatchStarted { batch, batches: job.batches });
        let started = Instant::now();
        let work = run_batch(job, states, batch, observe)?;
        commit(job, states, folder, batch, work, started, observe)?;
    }
    Ok(Outcome { committed: job.batches, complete: true, resumed_at, replayed })
}

fn check_fit(job: &Job<'_>, states: &States, folder: &RunFolder) -> Result<(), RunError> {
    let name = folder.root().display().to_string();
    if folder.header().plan != job.plan.key.to_string() {
        return Err(RunError::OtherPlan { folder: name });
    }
    if folder.lines().len() as u64 >= job.batches {
        return Err(RunError::Complete { folder: name, batches: job.batches });
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

/// What the stages made of a batch.
#[derive(Default)]
struct Work {
    tables: Bundle,
    metrics: BTreeMap<String, f64>,
    seconds: BTreeMap<String, f64>,
}

fn run_batch(
    job: &Job<'_>,
    states: &mut States,
    batch: u64,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Work, RunError> {
    let mut work = Work::default();
    for (node, stage) in job.plan.nodes.iter().zip(job.stages) {
        let started = Instant::now();
        let done = run_stage(node, stage.as_ref(), batch, &work.tables, states)?;
        let seconds = started.elapsed().as_secs_f64();
        observe(Event::StageFinished { batch, stage: &node.name, seconds });
        work.tables.extend(done.tables);
        work.metrics.extend(done.metrics);
        work.seconds.insert(node.name.clone(), seconds);
    }
    Ok(work)
}

/// What one stage made of a batch.
pub(crate) struct Done {
    pub(crate) tables: Bundle,
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// Runs one stage on one batch, and holds what it puts out against the plan.
pub(crate) fn run_stage(
    node: &Node,
    stage: &dyn Stage,
    batch: u64,
    tables: &Bundle,
    states: &mut States,
) -> Result<Done, RunError> {
    let mut unit = Unit::new(batch, inputs(node, tables), states, &node.reads, &node.writes);
    let failed = |source| RunError::Stage { stage: node.name.clone(), batch, source };
    let tables = stage.run(&mut unit).map_err(failed)?;
    let metrics = unit.into_metrics().into_iter();
    let metrics = metrics.map(|(name, value)| (format!("{}.{name}", node.name), value)).collect();
    check_metrics(&metrics, batch)?;
    check_tables(node, batch, &tables)?;
    states.advance(&node.writes);
    Ok(Done { tables, metrics })
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
    if !promised.iter().eq(tables.keys()) {
        let found: Vec<&str> = tables.keys().map(String::as_str).collect();
        let (promised, found) = (promised.join(", "), found.join(", "));
        return Err(RunError::Tables { stage: node.name.clone(), batch, promised, found });
    }
    for output in &node.outputs {
        let table = output.table.clone();
        let drifted = |drift| RunError::Drift { stage: node.name.clone(), batch, table, drift };
        schema::check(&tables[&output.table], &output.schema).map_err(drifted)?;
    }
    Ok(())
}

/// Makes a batch happen: its tables, then its checkpoint if one is due, then its line.
fn commit(
    job: &Job<'_>,
    states: &States,
    folder: &mut RunFolder,
    batch: u64,
    work: Work,
    started: Instant,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<(), RunError> {
    let Work { tables, metrics, seconds: stages } = work;
    let tables = tables::write(folder.root(), batch, &tables)?;
    let due = job.checkpoints.is_due(batch, job.batches, &metrics, folder.lines());
    let checkpoint = if due { Some(write_checkpoint(states, folder, batch + 1, observe)?) } else { None };
    folder.commit(Line { batch, tables, metrics: metrics.clone(), checkpoint })?;
    if due {
        checkpoint::sweep(folder.root(), &job.checkpoints.kept(folder.lines()))?;
    }
    let seconds = started.elapsed().as_secs_f64();
    folder.note_timings(&Timings { batch, seconds, stages: &stages })?;
    observe(Event::BatchCommitted { batch, batches: job.batches, metrics: &metrics, seconds });
    Ok(())
}
