//! A run that leaves another one's way: the same until then, and from its states on what the other plan makes of them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use batch::{Branch, Job, Outcome, Run, RunFolder, Stage, Store};
use insta::assert_snapshot;
use plan::Plan;

use crate::scripted::{self, BATCHES, Count, Questions, Score, Sum, assert_same, contents, scratch};

fn biased(bias: f64) -> (Plan, Vec<Box<dyn Stage>>) {
    let mut plan = scripted::plan();
    plan.note("sum", "bias", bias.to_string());
    (plan, vec![Box::new(Questions), Box::new(Count { off_by: 0 }), Box::new(Sum { bias }), Box::new(Score)])
}

/// Forks a run after some batches.
fn fork(root: &Path, batch: u64, folder: &Path, plan: &Plan) -> Result<RunFolder, batch::ForkError> {
    let (old, stages, stop) = (scripted::plan(), scripted::stages(), AtomicBool::new(false));
    let checkpoints = scripted::policy();
    let job = Job { plan: &old, stages: &stages, batches: BATCHES, checkpoints, stop: &stop };
    let branch = Branch { run: root, batch, folder, plan, texts: scripted::TEXTS };
    batch::fork(&job, &mut scripted::states(), branch, &mut |_| ())
}

/// Goes on with a fork until so many batches are committed.
fn go_on(folder: &mut RunFolder, bias: f64, until: u64) -> Outcome {
    scripted::go_on_until(until, &biased(bias), scripted::policy(), folder)
}

/// A run, and forks of it after each number of batches.
#[test]
fn a_fork_is_the_run_until_it_leaves() {
    let root = scratch();
    let first = root.path().join("first");
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(&first), &mut |_| ()).unwrap();
    let first_run = Run::open(&first).unwrap();
    for batch in 1..BATCHES {
        let forked = root.path().join(format!("fork {batch}"));
        go_on(&mut fork(&first, batch, &forked, &biased(0.5).0).unwrap(), 0.5, BATCHES);
        let run = Run::open(&forked).unwrap();
        let sum = |run: &Run, batch: u64| run.lines()[batch as usize].metrics["sum.value"];
        (0..batch).for_each(|batch| assert_eq!(sum(&run, batch).to_bits(), sum(&first_run, batch).to_bits()));
        assert_eq!(sum(&run, batch), sum(&first_run, batch) + 0.5, "after {batch}");
        for line in run.lines() {
            let tables = |run: &Run| run.table("questions", line.batch).unwrap();
            assert!(tables(&run).equals_missing(&tables(&first_run)));
        }
    }
}

#[test]
fn a_fork_that_is_broken_off_goes_on_to_the_same_bytes() {
    let root = scratch();
    let (first, one, other) = (root.path().join("first"), root.path().join("one"), root.path().join("other"));
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(&first), &mut |_| ()).unwrap();
    go_on(&mut fork(&first, 4, &one, &biased(0.5).0).unwrap(), 0.5, BATCHES);
    drop(fork(&first, 4, &other, &biased(0.5).0).unwrap());
    (5..=BATCHES).for_each(|until| drop(go_on(&mut RunFolder::open(&other).unwrap(), 0.5, until)));
    assert_same(&contents(&other), &contents(&one));
}

/// A fork that does what the run did comes to the same keys, so that all of it is there already.
#[test]
fn forks_share_what_they_do() {
    let root = scratch();
    let (first, one, other) = (root.path().join("first"), root.path().join("one"), root.path().join("other"));
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(&first), &mut |_| ()).unwrap();
    let reused = [&one, &other].map(|folder| {
        let mut folder = fork(&first, 4, folder, &biased(0.5).0).unwrap();
        folder.share(Store::beside(&first), true);
        go_on(&mut folder, 0.5, BATCHES).reused
    });
    let (one, other) = (Run::open(&one).unwrap(), Run::open(&other).unwrap());
    let metrics = |run: &Run| run.lines().iter().map(|line| line.metrics.clone()).collect::<Vec<_>>();
    assert_eq!(metrics(&one), metrics(&other));
    assert!(other.lines().iter().all(|line| line.tables["counts"].place.as_ref().unwrap().shared));
    assert_eq!(
        reused.map(|stages| stages.get("sum").copied()),
        [None, Some(BATCHES - 4)],
        "`sum` is what the fork changes"
    );
}

#[test]
fn batches_that_are_not_there() {
    let root = scratch();
    let first = root.path().join("first");
    drop(scripted::create(&first));
    let error = fork(&first, 3, &root.path().join("fork"), &biased(0.5).0).err().unwrap();
    assert_snapshot!(error.to_string().replace(&root.path().display().to_string(), "ROOT"), @"batch 0 of `ROOT/first` cannot be taken: it is not committed, or damaged");
}
