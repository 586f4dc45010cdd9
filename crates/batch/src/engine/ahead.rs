//! Running ahead: stages whose work on a batch begins, on threads of their own, before the batches before it are done.
//! With a lag of n, those that neither change a state nor come after one that does find the states as n batches earlier,
//! so they can be n batches ahead. Without a lag, those that have nothing to do with states can be as far ahead as there
//! are threads for. Either way, what they come to does not depend on when that was.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::Instant;

use plan::{Ahead, Key, Node, Plan, Point};
use polars_async::executor::ALLOW_RAYON_THREADS;

use super::execute::{Engine, Job};
use super::unit::{Work, run_unit};
use crate::error::RunError;
use crate::stage::Bundle;
use crate::state::States;
use crate::store::journal::{Journal, Outside};

/// The part of a batch that runs ahead.
struct Task {
    batch: u64,
    /// The units to run, each with whether it is due.
    units: Vec<Early>,
    /// Tables that others have made already.
    tables: Bundle,
    /// The states in memory of their own.
    states: States,
}

struct Early {
    place: usize,
    key: Key,
    due: bool,
}

/// What the units of a task came to, each by its place in the plan, and how long that took.
pub(crate) type Done = Vec<(usize, Work, f64)>;

/// The threads that run ahead.
pub(crate) struct Lanes {
    tasks: Sender<Task>,
    done: Receiver<(u64, Ended)>,
    early: BTreeMap<u64, Ended>,
    /// Set when nobody waits any more for what they come to.
    over: Arc<AtomicBool>,
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// What a task came to; a panic too.
type Ended = thread::Result<Result<Done, RunError>>;

impl Lanes {
    /// As many threads as there are batches that can be ahead at a time. They end with this value. Where they are as many
    /// as the cores, each does all of its queries itself: cut up for the others, a query would mostly wait for them.
    pub(crate) fn start<'scope, 'a: 'scope>(
        scope: &'scope Scope<'scope, '_>,
        job: &'a Job<'a>,
        journal: &Arc<Journal>,
        depth: u64,
    ) -> Self {
        let (tasks, waiting) = channel::<Task>();
        let (finished, done) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let over = Arc::new(AtomicBool::new(false));
        let shared = depth < rayon::current_num_threads() as u64;
        for _ in 0..depth {
            let (waiting, finished, journal, over) = (waiting.clone(), finished.clone(), journal.clone(), over.clone());
            scope.spawn(move || {
                ALLOW_RAYON_THREADS.set(shared);
                while let Some(task) = next(&waiting) {
                    let batch = task.batch;
                    let ended = catch_unwind(AssertUnwindSafe(|| perform(job, &journal, task, &over)));
                    if finished.send((batch, ended)).is_err() {
                        break;
                    }
                }
            });
        }
        Lanes { tasks, done, early: BTreeMap::new(), over }
    }

    /// Waits for the part of a batch that runs ahead.
    pub(crate) fn wait(&mut self, batch: u64) -> Result<Done, RunError> {
        loop {
            if let Some(ended) = self.early.remove(&batch) {
                return ended.unwrap_or_else(|panic| resume_unwind(panic));
            }
            let (batch, ended) = self.done.recv().expect("a lane sends what every task came to");
            self.early.insert(batch, ended);
        }
    }
}

/// How many batches can be under way beside the one that is to be committed next.
pub(crate) fn depth(plan: &Plan) -> u64 {
    let idle = rayon::current_num_threads() == 1 || !plan.nodes.iter().any(|node| runs_ahead(plan, node));
    match plan.lag {
        0 if idle => 0,
        0 => rayon::current_num_threads() as u64,
        lag => lag,
    }
}

fn runs_ahead(plan: &Plan, node: &Node) -> bool {
    node.ahead == Ahead::Always || (node.ahead == Ahead::WithLag && plan.lag > 0)
}

fn next(waiting: &Mutex<Receiver<Task>>) -> Option<Task> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn perform(job: &Job<'_>, journal: &Journal, mut task: Task, over: &AtomicBool) -> Result<Done, RunError> {
    let mut done = Done::new();
    for Early { place, key, due } in task.units {
        // A program, say, is not begun for nobody.
        if over.load(Ordering::Relaxed) {
            return Err(RunError::Stopped);
        }
        let started = Instant::now();
        let (node, stage) = (&job.plan.nodes[place], job.stages[place].as_ref());
        let outside = Outside::new(key, journal);
        let work = run_unit(node, stage, task.batch, due, &task.tables, &mut task.states, outside)?;
        task.tables.extend(work.tables.clone());
        done.push((place, work, started.elapsed().as_secs_f64()));
    }
    Ok(done)
}

impl<'a> Engine<'a> {
    /// Gives the part of the batch under way that runs ahead to a thread, with the states it is to find.
    pub(crate) fn send_ahead(&mut self, lanes: &Lanes) -> Result<(), RunError> {
        let batch = self.now.line.batch;
        let moment = Point::before(batch.saturating_sub(self.job.plan.lag));
        let (mut units, mut reads) = (Vec::new(), BTreeSet::new());
        for (place, node) in self.job.plan.nodes.iter().enumerate() {
            if runs_ahead(self.job.plan, node) && !self.now.taken[place] {
                reads.extend(self.chain.reads(node, batch).iter().map(String::as_str));
                self.fetch_inputs(node)?;
                units.push(Early { place, key: self.now.line.units[place], due: self.chain.is_due(node, batch) });
            }
        }
        self.bring(&reads, moment)?;
        let failed = |(state, source): (String, crate::StateError)| RunError::Snapshot { state, source };
        let states = self.states.snapshot(&reads).map_err(failed)?;
        let task = Task { batch, units, tables: self.now.tables.clone(), states };
        lanes.tasks.send(task).expect("lanes end with the run");
        Ok(())
    }
}
