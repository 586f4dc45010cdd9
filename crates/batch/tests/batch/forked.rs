//! A run that leaves another one's way: the same until then, and from its states on what the other plan makes of them.

use std::fs;
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

/// What is said where a run cannot be forked.
fn refused(root: &Path, batch: u64, plan: &Plan) -> String {
    let error = fork(&root.join("first"), batch, &root.join("refused"), plan).err().unwrap();
    error.to_string().replace(&root.display().to_string(), "ROOT")
}

#[test]
fn what_cannot_be_forked() {
    let root = scratch();
    let (root, first) = (root.path(), root.path().join("first"));
    let changed = biased(0.5).0;
    drop(scripted::create(&first));
    assert_snapshot!(refused(root, 3, &changed), @"`ROOT/first` has 0 batches: fork it after one of them");
    scripted::resume(&first).unwrap();
    let mut other = changed.clone();
    other.note_states("words that models know", "others");
    assert_snapshot!(refused(root, 3, &other), @"a fork goes on with the states of `ROOT/first`, and words that models know would no longer fit them: leave that as it was, or start a new run");
    let segment = first.join("segments/000000");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert_snapshot!(refused(root, 3, &changed).split(": ").next().unwrap(), @"batch 0 of `ROOT/first` is lost");
}

#[test]
fn a_run_of_another_plan_is_not_forked() {
    let root = scratch();
    let first = root.path().join("first");
    let (plan, stages) = biased(1.0);
    let mut folder = RunFolder::create(&first, &plan, scripted::TEXTS).unwrap();
    scripted::go_on_until(BATCHES, &(plan, stages), scripted::policy(), &mut folder);
    drop(folder);
    assert_snapshot!(refused(root.path(), 3, &biased(0.5).0), @"`ROOT/first` was made by another plan than this one (sync.sum, bias): resume it with its own `pipeline.toml`, or start a new run in another folder");
}

/// A fork of a fork goes on from what that came to; what came before it is not its own.
#[test]
fn a_fork_is_forked() {
    let root = scratch();
    let (first, one, two) = (root.path().join("first"), root.path().join("one"), root.path().join("two"));
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(&first), &mut |_| ()).unwrap();
    go_on(&mut fork(&first, 4, &one, &biased(0.5).0).unwrap(), 0.5, BATCHES);
    let again = |batch, folder: &Path| {
        let ((old, stages), stop) = (biased(0.5), AtomicBool::new(false));
        let job = Job { plan: &old, stages: &stages, batches: BATCHES, checkpoints: scripted::policy(), stop: &stop };
        let plan = biased(0.25).0;
        let branch = Branch { run: &one, batch, folder, plan: &plan, texts: scripted::TEXTS };
        batch::fork(&job, &mut scripted::states(), branch, &mut |_| ())
    };
    for batch in [4, 6, 9] {
        let folder = two.with_extension(batch.to_string());
        go_on(&mut again(batch, &folder).unwrap(), 0.25, BATCHES);
        let (run, one) = (Run::open(&folder).unwrap(), Run::open(&one).unwrap());
        let sum = |run: &Run, batch: u64| run.lines()[batch as usize].metrics["sum.value"];
        (0..batch).for_each(|batch| assert_eq!(sum(&run, batch).to_bits(), sum(&one, batch).to_bits()));
        assert!((sum(&one, batch) - sum(&run, batch) - 0.25).abs() < 1e-9, "after {batch}");
    }
    let error = again(3, &two).err().unwrap().to_string().replace(&root.path().display().to_string(), "ROOT");
    assert_snapshot!(error, @"`ROOT/one` is itself a fork, and its first 4 batches are those of `ROOT/first`: fork that");
}

/// The advice for a damaged batch, to cut the manifest off before it, does not serve where the plan cannot compute it.
#[test]
fn a_fork_that_lost_what_it_began_with() {
    let root = scratch();
    let (first, forked) = (root.path().join("first"), root.path().join("forked"));
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(&first), &mut |_| ()).unwrap();
    let (plan, stages) = biased(0.5);
    drop(fork(&first, 4, &forked, &plan).unwrap());
    let manifest = forked.join("manifest.jsonl");
    let lines = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, lines.split_inclusive('\n').take(3).collect::<String>()).unwrap();
    let (stop, checkpoints) = (AtomicBool::new(false), scripted::policy());
    let job = Job { plan: &plan, stages: &stages, batches: BATCHES, checkpoints, stop: &stop };
    let mut folder = RunFolder::open(&forked).unwrap();
    let error = batch::run(&job, &mut scripted::states(), &mut folder, &mut |_| ()).unwrap_err();
    let error = error.to_string().replace(&root.path().display().to_string(), "ROOT");
    assert_snapshot!(error, @"`ROOT/forked` is a fork after batch 4 of `ROOT/first`, and has lost some of these batches: fork it again in another folder");
}
