//! What is refused: folders, plans, tables, numbers.

use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use batch::{Bundle, FolderError, Job, Run, RunError, RunFolder, Stage, StageError, Unit};
use insta::assert_snapshot;
use plan::Plan;
use polars::prelude::df;

use crate::scripted::{self, Count, Counter, Questions, Score, Sum, Total, contents, scratch};

fn hide(root: &Path, error: &dyn std::error::Error) -> String {
    error.to_string().replace(&root.display().to_string(), "RUN")
}

fn try_create(root: &Path) -> Result<RunFolder, FolderError> {
    RunFolder::create(root, &scripted::plan(), scripted::TEXTS)
}

#[test]
fn a_second_run_in_the_same_folder() {
    let root = scratch();
    let folder = scripted::create(root.path());
    assert_snapshot!(hide(root.path(), &RunFolder::open(root.path()).unwrap_err()), @"another process is running in `RUN`: wait until it ends, or end it; its lock goes with it");
    drop(folder);
    RunFolder::open(root.path()).unwrap();
}

#[test]
fn folders_that_are_in_use_or_not_runs() {
    let root = scratch();
    assert_snapshot!(hide(root.path(), &RunFolder::open(root.path()).unwrap_err()), @"`RUN` holds no run: it has no manifest.jsonl; name the folder that a run made");
    assert_snapshot!(hide(root.path(), &Run::open(root.path()).unwrap_err()), @"`RUN` holds no run: it has no manifest.jsonl; name the folder that a run made");
    drop(scripted::create(root.path()));
    assert_snapshot!(hide(root.path(), &try_create(root.path()).unwrap_err()), @"`RUN` is not empty: resume the run in it, or name another folder");
    // A file that is called as one of a run's is still somebody else's.
    for name in ["thesis.tex", "pipeline.toml"] {
        let others = scratch();
        fs::write(others.path().join(name), "mine").unwrap();
        let before = contents(others.path());
        assert!(matches!(try_create(others.path()), Err(FolderError::NotEmpty(_))));
        scripted::assert_same(&contents(others.path()), &before);
    }
}

/// A creation that was killed before its manifest left nothing that matters.
#[test]
fn a_creation_that_was_killed() {
    let root = scratch();
    for left in ["lock", "pipeline.toml", "source.toml.tmp", "manifest.jsonl.tmp"] {
        fs::write(root.path().join(left), "half").unwrap();
    }
    let folder = scripted::create(root.path());
    assert_eq!(folder.lines().len(), 0);
    assert_eq!(fs::read_to_string(root.path().join("source.toml")).unwrap(), "# mine\n");
}

#[test]
fn a_run_of_another_plan() {
    let root = scratch();
    let (other, stop) = (Plan { key: scripted::key("another plan"), ..scripted::plan() }, AtomicBool::new(false));
    let checkpoints = scripted::policy();
    let job = Job { plan: &other, stages: &scripted::stages(), batches: scripted::BATCHES, checkpoints, stop: &stop };
    let mut folder = scripted::create(root.path());
    let error = batch::run(&job, &mut scripted::states(), &mut folder, &mut |_| ()).unwrap_err();
    assert_snapshot!(hide(root.path(), &error), @"`RUN` was made by another plan than this one: resume it with its own `pipeline.toml`, or start a new run in another folder");
}

#[test]
fn runs_that_cannot_go_on() {
    let root = scratch();
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(root.path()), &mut |_| ()).unwrap();
    assert_snapshot!(hide(root.path(), &scripted::resume(root.path()).unwrap_err()), @"`RUN` is complete: all 11 batches are committed, 0 remain; show or evaluate it");
}

/// What the stage `count` puts out instead of what its plan promises.
struct Instead(fn() -> Bundle);

impl Stage for Instead {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        unit.metric("total", 0.0);
        Ok((self.0)())
    }
}

fn run_with(count: Box<dyn Stage>, sum: Box<dyn Stage>) -> String {
    let root = scratch();
    let stages = [Box::new(Questions) as Box<dyn Stage>, count, sum, Box::new(Score)];
    let ended = scripted::go_on_with(&stages, &mut scripted::create(root.path()), &mut |_| ());
    let error = ended.expect_err("a run that fails");
    assert_eq!(Run::open(root.path()).expect("a run").lines().len(), 0, "nothing is committed");
    std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
        .map(|error| hide(root.path(), error))
        .collect::<Vec<_>>()
        .join(": ")
}

fn put_out(bundle: fn() -> Bundle) -> String {
    run_with(Box::new(Instead(bundle)), Box::new(Sum { bias: 0.0 }))
}

#[test]
fn tables_that_are_not_as_planned() {
    assert_snapshot!(put_out(Bundle::new), @"stage `count` at batch 0 put out tables [] where the plan promises [counts]");
    let other_type = || Bundle::from([("counts".to_owned(), df!("total" => [1_u32]).unwrap())]);
    assert_snapshot!(put_out(other_type), @"stage `count` at batch 0, table `counts`: column `total` is u32 where the plan promises u64");
    let other_name = || Bundle::from([("counts".to_owned(), df!("sum" => [1_u64], "total" => [1_u64]).unwrap())]);
    assert_snapshot!(put_out(other_name), @"stage `count` at batch 0, table `counts`: columns are [sum, total] where the plan promises [total]");
    let null = || Bundle::from([("counts".to_owned(), df!("total" => [Some(1_u64), None]).unwrap())]);
    assert_snapshot!(put_out(null), @"stage `count` at batch 0, table `counts`: column `total` has 1 null values where the plan promises none");
}

#[test]
fn numbers_that_are_not_finite() {
    let count = || Box::new(Count { off_by: 0 });
    assert_snapshot!(run_with(count(), Box::new(Sum { bias: f64::NAN })), @"`sum.value` is NaN at batch 0; the run stands at the last batch committed before it");
}

/// A stage that asks for what its plan does not give it.
struct Asks(&'static str);

impl Stage for Asks {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        match self.0 {
            "a table" => unit.table("answers").map(|_| ())?,
            "to write" => unit.write::<Counter>("counter").map(|_| ())?,
            "another type" => unit.read::<Total>("counter").map(|_| ())?,
            _ => unit.write::<Total>("total").and(unit.write::<Total>("total")).map(|_| ())?,
        }
        Ok(Bundle::new())
    }
}

#[test]
fn stages_that_ask_for_what_is_not_theirs() {
    let ask = |what| run_with(Box::new(Count { off_by: 0 }), Box::new(Asks(what)));
    assert_snapshot!(ask("a table"), @"stage `sum` failed at batch 0: table `answers` is not an input of this stage; its plan lists what is");
    assert_snapshot!(ask("to write"), @"stage `sum` failed at batch 0: state `counter` is not declared by this stage for this use, or is taken already");
    assert_snapshot!(ask("another type"), @"stage `sum` failed at batch 0: state `counter` is not a `batch::scripted::Total`");
    assert_snapshot!(ask("twice"), @"stage `sum` failed at batch 0: state `total` is not declared by this stage for this use, or is taken already");
}

/// Where a folder may not be written, that is said; the superuser may write everywhere.
#[test]
fn a_folder_that_may_not_be_written() {
    let root = scratch();
    let inside = root.path().join("closed");
    fs::create_dir(&inside).unwrap();
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o555)).unwrap();
    match try_create(&inside.join("run")) {
        Ok(_) => {
            writeln!(stderr(), "skipped a_folder_that_may_not_be_written: this user may write everywhere").unwrap()
        }
        Err(error) => {
            assert_snapshot!(hide(root.path(), &error), @"cannot create `RUN/closed/run`: Permission denied (os error 13); make the folder writable: what is committed is safe, and a run can be resumed")
        }
    }
}

#[test]
fn errors_of_fit() {
    let root = scratch();
    let mut folder = scripted::create(root.path());
    let error = scripted::go_on_with(&scripted::stages()[..3], &mut folder, &mut |_| ()).unwrap_err();
    assert!(matches!(error, RunError::Unfit(_)));
    assert_snapshot!(error, @"the plan cannot be run: it has 4 nodes, and 3 stages were given");
}
