//! Stages that run ahead find the states of some batches ago, whatever the timing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use batch::{Bundle, Run, RunFolder, Stage, StageError, Store, Unit};
use plan::{Ahead, Plan};

use crate::scripted::{self, BATCHES, Count, Questions, Score, Sum, Total, assert_same, contents, scratch};

/// `questions`, by somebody who takes their time and looks at the total first.
struct Opinion {
    delays: AtomicU64,
}

impl Stage for Opinion {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let seen = unit.read::<Total>("total")?.value;
        unit.metric("seen", seen);
        unit.metric("version", unit.version("total")? as f64);
        // Never the same twice: what comes out must not depend on it.
        let delay = self.delays.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) >> 54;
        sleep(Duration::from_micros(delay));
        Questions.run(unit)
    }
}

fn plan(lag: u64) -> Plan {
    let mut plan = scripted::plan();
    (plan.nodes[0].reads, plan.nodes[0].ahead) = (vec!["total".to_owned()], Ahead::WithLag);
    plan.lag = lag;
    plan
}

fn stages(delays: u64) -> Vec<Box<dyn Stage>> {
    let opinion = Opinion { delays: AtomicU64::new(delays) };
    vec![Box::new(opinion), Box::new(Count { off_by: 0 }), Box::new(Sum { bias: 0.0 }), Box::new(Score)]
}

/// Goes on until so many batches are committed, and stops there.
fn go_on(root: &Path, lag: u64, until: u64, store: Option<&Store>) {
    let plan = plan(lag);
    let mut folder = match Run::open(root) {
        Ok(_) => RunFolder::open(root).unwrap(),
        Err(_) => RunFolder::create(root, &plan, scripted::TEXTS).unwrap(),
    };
    store.into_iter().for_each(|store| folder.share(store.clone(), true));
    scripted::go_on_until(until, &(plan, stages(until)), scripted::policy(), &mut folder);
}

/// `questions`, until a batch at which it panics.
struct Fainting;

impl Stage for Fainting {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        assert!(unit.batch < 3, "no memory is left");
        Questions.run(unit)
    }
}

/// Nothing is committed in place of what was to be found out ahead, and nobody waits for it for good.
#[test]
fn a_panic_ahead_is_a_panic_of_the_run() {
    for lag in 1..3 {
        let root = scratch();
        let stages: Vec<Box<dyn Stage>> =
            vec![Box::new(Fainting), Box::new(Count { off_by: 0 }), Box::new(Sum { bias: 0.0 }), Box::new(Score)];
        let mut folder = RunFolder::create(root.path(), &plan(lag), scripted::TEXTS).unwrap();
        let run = AssertUnwindSafe(|| {
            scripted::go_on_until(BATCHES, &(plan(lag), stages), scripted::policy(), &mut folder);
        });
        let panic = catch_unwind(run).expect_err("a run that panics");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"no memory is left"));
        assert_eq!(Run::open(root.path()).unwrap().lines().len(), 3);
    }
}

#[test]
fn what_runs_ahead_finds_the_states_of_some_batches_ago() {
    for lag in 0..4 {
        let root = scratch();
        go_on(root.path(), lag, BATCHES, None);
        let run = Run::open(root.path()).unwrap();
        for (batch, line) in run.lines().iter().enumerate() {
            let (batch, seen) = (batch as u64, &line.metrics["questions.seen"]);
            let before = batch.checked_sub(lag + 1).map(|batch| run.lines()[batch as usize].metrics["sum.value"]);
            assert_eq!(seen.to_bits(), before.unwrap_or(0.0).to_bits(), "lag {lag}, batch {batch}");
            assert_eq!(line.metrics["questions.version"] as u64, batch.saturating_sub(lag));
        }
    }
}

#[test]
fn the_same_bytes_whatever_the_timing_and_wherever_it_stops() {
    for lag in 1..4 {
        let unbroken = scratch();
        go_on(unbroken.path(), lag, BATCHES, None);
        let again = scratch();
        go_on(again.path(), lag, BATCHES, None);
        assert_same(&contents(again.path()), &contents(unbroken.path()));
        let broken = scratch();
        (1..=BATCHES).for_each(|until| go_on(broken.path(), lag, until, None));
        assert_same(&contents(broken.path()), &contents(unbroken.path()));
    }
}

#[test]
fn what_ran_ahead_is_reused_like_all_else() {
    let root = scratch();
    let (first, second) = (root.path().join("first"), root.path().join("second"));
    let store = Store::beside(&first);
    go_on(&first, 2, 6, Some(&store));
    go_on(&second, 2, BATCHES, Some(&store));
    let alone = scratch();
    go_on(alone.path(), 2, BATCHES, None);
    let (second, alone) = (Run::open(&second).unwrap(), Run::open(alone.path()).unwrap());
    let results =
        |run: &Run| run.lines().iter().map(|line| (line.units.clone(), line.metrics.clone())).collect::<Vec<_>>();
    assert_eq!(results(&second), results(&alone));
    assert!(second.lines()[..6].iter().all(|line| line.tables["counts"].place.as_ref().unwrap().shared));
}
