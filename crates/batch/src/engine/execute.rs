//! The engine: batch after batch through the stages, each batch committed once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use plan::{Chain, Edge, Key, Node, Plan, Point};
use serde::Serialize;

use super::ahead::{self, Lanes};
use super::restore::Source;
use super::unit::{Work, run_unit};
use crate::error::RunError;
use crate::event::Event;
use crate::stage::{Bundle, Stage};
use crate::state::States;
use crate::store::checkpoint::{self, Policy};
use crate::store::donors::Donor;
use crate::store::folder::RunFolder;
use crate::store::journal::Outside;
use crate::store::manifest::{Checkpoint, Header, Line};

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
    /// How many batches were replayed, in whole or in part, to bring states back.
    pub replayed: u64,
    /// In how many batches each stage's work was taken from an earlier run.
    pub reused: BTreeMap<String, u64>,
}

/// Runs what is left of a run: all of it in a new folder, and in one that was broken off what is not committed yet.
/// `states` come as they are before batch 0, and end as they were last needed.
pub fn run(
    job: &Job<'_>,
    states: &mut States,
    folder: &mut RunFolder,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, RunError> {
    check_fit(job, states, folder)?;
    Engine::new(job, states, folder, observe).run()
}

/// Whether a run is of this plan, and was made with the numerics that are here.
pub(crate) fn check_made_by(plan: &Plan, header: &Header, root: &Path) -> Result<(), RunError> {
    let folder = root.to_owned();
    if header.plan != plan.key.to_string() {
        return Err(RunError::OtherPlan { folder, changed: header.changes(plan) });
    }
    if header.numerics != plan.numerics {
        return Err(RunError::OtherNumerics { folder, changed: header.other_numerics(&plan.numerics) });
    }
    Ok(())
}

fn check_fit(job: &Job<'_>, states: &States, folder: &RunFolder) -> Result<(), RunError> {
    check_made_by(job.plan, folder.header(), folder.root())?;
    if let Some(fork) = folder.header().fork.clone().filter(|fork| fork.batch > folder.lines().len() as u64) {
        return Err(RunError::CutShort { folder: folder.root().to_owned(), fork });
    }
    let (nodes, stages) = (job.plan.nodes.len(), job.stages.len());
    if nodes != stages {
        return Err(RunError::Unfit(format!("it has {nodes} nodes, and {stages} stages were given")));
    }
    if let Some((node, table)) = job.plan.nodes.iter().find_map(|node| Some((node, unkept(node, job.plan)?))) {
        return Err(RunError::Unfit(format!(
            "`{}` changes states, and `{table}`, which it takes, is not kept",
            node.name
        )));
    }
    let mut declared = job.plan.nodes.iter().flat_map(Node::states);
    match declared.find(|name| !states.by_name.contains_key(*name)) {
        Some(absent) => Err(RunError::Unfit(format!("no state `{absent}` was given"))),
        None => Ok(()),
    }
}

/// A table that a stage which changes states takes, and that could not be had again if the stage were replayed.
fn unkept<'a>(node: &'a Node, plan: &Plan) -> Option<&'a str> {
    let kept = |edge: &&Edge| plan.nodes[edge.stage].outputs.iter().any(|made| made.table == edge.table && made.kept);
    let edge = node.inputs.iter().find(|edge| !node.writes.is_empty() && !kept(edge))?;
    Some(&edge.table)
}

/// A run under way.
pub(crate) struct Engine<'a> {
    pub(crate) job: &'a Job<'a>,
    pub(crate) chain: Chain<'a>,
    pub(crate) states: &'a mut States,
    pub(crate) folder: &'a mut RunFolder,
    pub(crate) observe: &'a mut dyn FnMut(Event<'_>),
    /// The checkpoints that states can be loaded from.
    pub(crate) sources: Vec<Source>,
    /// What the metric that marks the best checkpoint has come to.
    highest: Option<f64>,
    /// Earlier runs with results to take.
    pub(crate) donors: Vec<Donor>,
    pub(crate) replayed: u64,
    pub(crate) reused: BTreeMap<String, u64>,
    /// The batch under way.
    pub(crate) now: Progress,
}

/// How far a batch has come.
#[derive(Default)]
pub(crate) struct Progress {
    /// Its line, as far as it can be written.
    pub(crate) line: Line,
    /// Its tables, as far as they are at hand.
    pub(crate) tables: Bundle,
    /// The stages whose work was taken from an earlier run.
    pub(crate) taken: Vec<bool>,
    /// How long each stage took.
    seconds: BTreeMap<String, f64>,
}

/// A line of `timings.jsonl`.
#[derive(Serialize)]
struct Timings<'a> {
    batch: u64,
    seconds: f64,
    stages: &'a BTreeMap<String, f64>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        job: &'a Job<'a>,
        states: &'a mut States,
        folder: &'a mut RunFolder,
        observe: &'a mut dyn FnMut(Event<'_>),
    ) -> Self {
        let chain = Chain::new(job.plan, job.batches);
        states.begin(|name| chain.initial(name));
        let (sources, donors, reused, now) = Default::default();
        Engine { job, chain, states, folder, observe, sources, highest: None, donors, replayed: 0, reused, now }
    }

    fn run(mut self) -> Result<Outcome, RunError> {
        let resumed_at = self.folder.lines().len() as u64;
        self.folder.tidy(&self.kept())?;
        if self.is_complete() {
            let folder = self.folder.root().to_owned();
            return Err(RunError::Complete { folder, batches: resumed_at });
        }
        self.prepare(resumed_at)?;
        let (job, journal) = (self.job, self.folder.journal.clone());
        let complete = thread::scope(|scope| {
            let depth = ahead::depth(job.plan);
            let lanes = (depth > 0).then(|| Lanes::start(scope, job, &journal, depth));
            self.run_batches(lanes, depth)
        });
        let complete = if let Err(RunError::Stopped) = complete { false } else { complete? };
        self.folder.force()?;
        let committed = self.folder.lines().len() as u64;
        Ok(Outcome { committed, complete, resumed_at, replayed: self.replayed, reused: self.reused })
    }

    /// Runs batches until there are no more, or the run is told to stop; says whether it is complete.
    fn run_batches(&mut self, mut lanes: Option<Lanes>, depth: u64) -> Result<bool, RunError> {
        let mut begun = VecDeque::new();
        while !self.is_complete() {
            if self.job.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let committed = self.folder.lines().len() as u64;
            let horizon = self.job.batches.min(committed + depth + 1);
            for batch in committed + begun.len() as u64..horizon {
                self.begin(batch, lanes.as_ref())?;
                begun.push_back(std::mem::take(&mut self.now));
            }
            self.now = begun.pop_front().unwrap_or_default();
            self.run_batch(lanes.as_mut())?;
        }
        Ok(true)
    }

    /// Begins a batch: its keys, what can be taken of it, and what of it runs ahead.
    pub(crate) fn begin(&mut self, batch: u64, lanes: Option<&Lanes>) -> Result<(), RunError> {
        let line = Line { batch, units: self.chain.advance(), ..Line::default() };
        self.now = Progress { line, ..Progress::default() };
        self.now.taken = self.take();
        lanes.map_or(Ok(()), |lanes| self.send_ahead(lanes))
    }

    /// For the middle of a batch, where there is nothing yet that could be committed.
    pub(crate) fn check_stop(&self) -> Result<(), RunError> {
        if self.job.stop.load(Ordering::Relaxed) { Err(RunError::Stopped) } else { Ok(()) }
    }

    fn is_complete(&self) -> bool {
        self.folder.lines().len() as u64 >= self.job.batches
    }

    /// Everything that is done once, before the first batch.
    pub(crate) fn prepare(&mut self, resumed_at: u64) -> Result<(), RunError> {
        self.open_store()?;
        self.find_shared_sources();
        self.find_sources();
        let heights = self.folder.lines().iter().filter_map(|line| self.job.checkpoints.best_of(line));
        self.highest = heights.max_by(f64::total_cmp);
        let lines = self.folder.lines();
        if let Some(fork) = &self.folder.header().fork {
            let left = lines.get(fork.batch as usize - 1).and_then(|line| line.checkpoint.as_ref());
            self.chain.rest_on(fork.batch, |state| Some(left?.get(state)?.version));
        }
        self.chain.seek(resumed_at, &|at: Point| lines[at.batch as usize].units[at.node]);
        Ok(())
    }

    pub(crate) fn run_batch(&mut self, lanes: Option<&mut Lanes>) -> Result<(), RunError> {
        let (started, batch) = (Instant::now(), self.now.line.batch);
        let mut ready = self.now.taken.clone();
        for (place, work, seconds) in lanes.map_or(Ok(Vec::new()), |lanes| lanes.wait(batch))? {
            ready[place] = true;
            self.note(place, work, seconds);
        }
        for place in (0..ready.len()).filter(|&place| !ready[place]) {
            self.run_stage(place, &ready)?;
        }
        let seconds = self.commit(started)?;
        let line = &self.folder.lines()[batch as usize];
        let rows = line.tables.values().map(|part| part.rows).sum();
        let metrics = &line.metrics;
        (self.observe)(Event::BatchCommitted { batch, rows, metrics, seconds });
        Ok(())
    }

    fn run_stage(&mut self, place: usize, ready: &[bool]) -> Result<(), RunError> {
        let batch = self.now.line.batch;
        self.bring(&self.wanted(place, ready), Point { batch, node: place })?;
        let started = Instant::now();
        let (node, stage) = (&self.job.plan.nodes[place], self.job.stages[place].as_ref());
        self.fetch_inputs(node)?;
        let (due, key) = (self.chain.is_due(node, batch), self.now.line.units[place]);
        let outside = Outside::new(key, &self.folder.journal);
        let work = run_unit(node, stage, batch, due, &self.now.tables, self.states, outside)?;
        self.states.advance(self.chain.writes(node, batch), key);
        self.note(place, work, started.elapsed().as_secs_f64());
        Ok(())
    }

    /// Notes what a stage made of the batch under way.
    fn note(&mut self, place: usize, work: Work, seconds: f64) {
        let (stage, batch) = (&self.job.plan.nodes[place].name, self.now.line.batch);
        self.now.add(stage, work, seconds);
        (self.observe)(Event::StageFinished { batch, stage, seconds });
    }

    /// The key of a unit of a committed batch, or of the one under way.
    pub(crate) fn key(&self, at: Point) -> Key {
        self.line(at.batch).units[at.node]
    }

    /// The line of a committed batch, or of the one under way.
    pub(crate) fn line(&self, batch: u64) -> &Line {
        self.folder.lines().get(batch as usize).unwrap_or(&self.now.line)
    }

    /// The checkpoints to keep; the one that a fork begins with can never be had again.
    pub(crate) fn kept(&self) -> BTreeSet<u64> {
        let kept = self.job.checkpoints.kept(self.folder.lines()).into_iter();
        kept.chain(self.folder.header().fork.as_ref().map(|fork| fork.batch)).collect()
    }

    /// Makes a batch happen: its tables, then its checkpoint if one is due, then its line. Returns how long all of the
    /// batch took. One that was taken as a whole need not wait for the disk: it could be taken again.
    fn commit(&mut self, started: Instant) -> Result<f64, RunError> {
        let mut made = std::mem::take(&mut self.now.tables);
        let kept = &self.folder.header().tables;
        made.retain(|table, _| kept.contains_key(table) && !self.now.line.tables.contains_key(table));
        let parts = self.folder.append(&made)?;
        self.now.line.tables.extend(parts);
        let (batch, policy) = (self.now.line.batch, &self.job.checkpoints);
        let last = batch + 1 == self.job.batches;
        if policy.is_due(&self.now.line, last, self.highest) {
            self.now.line.checkpoint = self.write_checkpoint(last)?;
        }
        self.highest = self.highest.into_iter().chain(policy.best_of(&self.now.line)).max_by(f64::total_cmp);
        let Progress { line, taken, seconds: stages, .. } = std::mem::take(&mut self.now);
        let written = line.checkpoint.is_some();
        self.folder.commit(line, !taken.iter().all(|&taken| taken))?;
        if written {
            let kept = self.kept();
            self.folder.sweep(&kept)?;
            self.sources.retain(|source| !source.own || kept.contains(&source.batches));
        }
        if let Some(error) = self.folder.unshared.take() {
            (self.observe)(Event::NotShared { error: &error });
        }
        let seconds = started.elapsed().as_secs_f64();
        self.folder.note_timings(&Timings { batch, seconds, stages: &stages })?;
        Ok(seconds)
    }

    /// Writes the states down as they are after the batch under way. Where they are not at hand, because its work was
    /// taken from an earlier run, that run's checkpoint serves; where that is gone, only the last one is worth a replay.
    fn write_checkpoint(&mut self, last: bool) -> Result<Option<Checkpoint>, RunError> {
        let (all, after) = (self.all_states(), self.after());
        if !self.holds(&all, after) {
            while let Some(place) = self.source_of_all(&all, after) {
                let Source { folder, batches, states, .. } = &self.sources[place];
                let (batches, states) = (*batches, states.clone());
                match checkpoint::link(folder, self.folder.root(), after.batch, &states) {
                    Ok(()) => {
                        self.add_source(after.batch, states.clone());
                        return Ok(Some(states));
                    }
                    Err(error) => {
                        self.sources.remove(place);
                        (self.observe)(Event::CheckpointUnusable { batches, error: &error.into() });
                    }
                }
            }
            // What nobody asked for since the run went on, such as a copy that is made once, is where it was written.
            let written =
                |name: &str, version| self.sources.iter().any(|source| source.own && source.has(name, version));
            if !last && !self.available(&all, after, written) {
                return Ok(None);
            }
            self.bring(&all, after)?;
        }
        self.checkpoint_held(after.batch).map(Some)
    }

    /// Writes the states down as they are held.
    pub(crate) fn checkpoint_held(&mut self, batches: u64) -> Result<Checkpoint, RunError> {
        let saved = checkpoint::save(self.states)?;
        checkpoint::write(self.folder.root(), batches, &saved)?;
        (self.observe)(Event::CheckpointWritten { batches });
        let checkpoint = checkpoint::describe(&saved, self.states);
        self.add_source(batches, checkpoint.clone());
        Ok(checkpoint)
    }
}

impl Progress {
    fn add(&mut self, stage: &str, work: Work, seconds: f64) {
        self.tables.extend(work.tables);
        self.line.metrics.extend(work.metrics);
        self.seconds.insert(stage.to_owned(), seconds);
    }
}
