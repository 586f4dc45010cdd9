//! Tables that are passed on and not kept: their stage runs where other work is reused, and no replay needs them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use batch::{Job, Outcome, Policy, Run, RunFolder, Store};
use insta::assert_snapshot;
use plan::Plan;

use crate::scripted::{self, BATCHES, assert_same, contents, scratch};

/// The plan whose first stage does not keep one of its tables.
fn without(table: usize) -> Plan {
    let mut plan = scripted::plan();
    plan.nodes[0].outputs[table].kept = false;
    plan
}

/// Nobody who changes states takes its calls.
fn plan() -> Plan {
    without(1)
}

fn create(root: &Path) -> RunFolder {
    RunFolder::create(root, &plan(), scripted::TEXTS).unwrap()
}

/// Goes on until so many batches are committed.
fn go_on(folder: &mut RunFolder, until: u64) -> Outcome {
    let checkpoints = Policy { every: 4, keep_last: 2, best: None };
    scripted::go_on_until(until, &(plan(), scripted::stages()), checkpoints, folder)
}

#[test]
fn a_stage_that_changes_states_takes_what_is_kept() {
    let (root, plan, stop) = (scratch(), without(0), AtomicBool::new(false));
    let mut folder = RunFolder::create(root.path(), &plan, scripted::TEXTS).unwrap();
    let job = Job {
        plan: &plan,
        stages: &scripted::stages(),
        batches: BATCHES,
        checkpoints: scripted::policy(),
        stop: &stop,
    };
    let error = batch::run(&job, &mut scripted::states(), &mut folder, &mut |_| ()).unwrap_err();
    assert_snapshot!(error, @"the plan cannot be run: `count` changes states, and `questions`, which it takes, is not kept");
}

#[test]
fn a_replay_does_without_them() {
    let root = scratch();
    let (whole, broken) = (root.path().join("whole"), root.path().join("broken"));
    go_on(&mut create(&whole), BATCHES);
    drop(create(&broken));
    let replayed = (1..=BATCHES).map(|until| go_on(&mut RunFolder::open(&broken).unwrap(), until).replayed);
    assert!(replayed.sum::<u64>() > 0);
    assert_same(&contents(&broken), &contents(&whole));
    let run = Run::open(&whole).unwrap();
    assert!(run.lines().iter().all(|line| line.tables.keys().eq(["counts", "questions"])));
}

#[test]
fn the_rest_is_reused() {
    let root = scratch();
    let runs = ["one", "other"].map(|name| root.path().join(name));
    let reused = runs.each_ref().map(|run| {
        let mut folder = create(run);
        folder.share(Store::beside(run), true);
        go_on(&mut folder, BATCHES).reused
    });
    let counted = |stage: &str| reused[1].get(stage).copied();
    assert!(reused[0].is_empty());
    assert_eq!(["questions", "count", "sum"].map(counted), [None, Some(BATCHES), Some(BATCHES)]);
    let lines = runs.each_ref().map(|run| Run::open(run).unwrap().lines().to_vec());
    let metrics = lines.each_ref().map(|lines| lines.iter().map(|line| line.metrics.clone()).collect::<Vec<_>>());
    assert_eq!(metrics[0], metrics[1]);
}
