//! Which checkpoints are kept.

use std::sync::atomic::AtomicBool;

use batch::{Event, Job, Policy, Run, RunFolder, Stage, State, States};
use insta::assert_snapshot;

use crate::scripted::{self, Questions, Total, contents, scratch};

/// The checkpoints that are there after each commit of a run with this policy.
fn kept(policy: Policy) -> String {
    let root = scratch();
    let mut folder = scripted::create(root.path());
    let (plan, stages, stop) = (scripted::plan(), scripted::stages(), AtomicBool::new(false));
    let job = Job { plan: &plan, stages: &stages, batches: scripted::BATCHES, checkpoints: policy, stop: &stop };
    let mut moments = Vec::new();
    let mut observe = |event: Event<'_>| {
        if let Event::BatchCommitted { batch, metrics, .. } = event {
            let there = contents(&root.path().join("checkpoints")).into_keys();
            let there: Vec<_> = there.filter(|path| path.components().count() == 1).collect();
            let accuracy = metrics.get("score.accuracy").map_or("-".to_owned(), f64::to_string);
            moments.push(format!("{} done, accuracy {accuracy}: {there:?}", batch + 1));
        }
    };
    batch::run(&job, &mut scripted::states(), &mut folder, &mut observe).expect("a run");
    moments.join("\n")
}

#[test]
fn the_newest_and_the_best_are_kept() {
    let policy = |best: Option<&str>| Policy { every: 3, keep_last: 2, best: best.map(str::to_owned) };
    assert_snapshot!(kept(policy(None)), @r#"
        1 done, accuracy 6: []
        2 done, accuracy -: []
        3 done, accuracy 8: ["000003"]
        4 done, accuracy -: ["000003"]
        5 done, accuracy 10: ["000003"]
        6 done, accuracy -: ["000003", "000006"]
        7 done, accuracy 8: ["000003", "000006"]
        8 done, accuracy -: ["000003", "000006"]
        9 done, accuracy 6: ["000006", "000009"]
        10 done, accuracy -: ["000006", "000009"]
        11 done, accuracy 4: ["000009", "000011"]
    "#);
    assert_snapshot!(kept(policy(Some("score.accuracy"))), @r#"
        1 done, accuracy 6: ["000001"]
        2 done, accuracy -: ["000001"]
        3 done, accuracy 8: ["000001", "000003"]
        4 done, accuracy -: ["000001", "000003"]
        5 done, accuracy 10: ["000003", "000005"]
        6 done, accuracy -: ["000005", "000006"]
        7 done, accuracy 8: ["000005", "000006"]
        8 done, accuracy -: ["000005", "000006"]
        9 done, accuracy 6: ["000005", "000006", "000009"]
        10 done, accuracy -: ["000005", "000006", "000009"]
        11 done, accuracy 4: ["000005", "000009", "000011"]
    "#);
}

/// A pipeline that only processes has no states; its checkpoints are empty, and it resumes like any other.
#[test]
fn a_run_without_states() {
    let root = scratch();
    let mut plan = scripted::plan();
    plan.nodes.truncate(1);
    plan.initial.clear();
    let (stages, stop) = ([Box::new(Questions) as Box<dyn Stage>], AtomicBool::new(false));
    let mut folder = RunFolder::create(root.path(), &plan, scripted::TEXTS).unwrap();
    for batches in [3, 5] {
        let job = Job { plan: &plan, stages: &stages, batches, checkpoints: scripted::policy(), stop: &stop };
        let outcome = batch::run(&job, &mut States::new(), &mut folder, &mut |_| ()).unwrap();
        assert_eq!((outcome.committed, outcome.complete), (batches, true));
    }
}

#[test]
fn checkpoints_are_found_and_loaded() {
    let root = scratch();
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(root.path()), &mut |_| ()).unwrap();
    let run = Run::open(root.path()).unwrap();
    assert_eq!(run.checkpoints(), [5, 9, 11]);
    assert_eq!(run.latest_checkpoint(), Some(11));
    assert_eq!(run.best_checkpoint("score.accuracy"), Some(5));
    assert_eq!(run.best_checkpoint("nothing"), None);

    let files = run.state_files(11, "total").unwrap();
    let mut total = Total::default();
    total.load(&files).unwrap();
    assert_eq!(total.value.to_bits(), run.lines()[10].metrics["sum.value"].to_bits());
    assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["terms", "value"]);

    let error = |error: batch::CheckpointError| error.to_string().replace(&root.path().display().to_string(), "RUN");
    assert_snapshot!(error(run.state_files(11, "weights").unwrap_err()), @"`RUN/checkpoints/000011` is no checkpoint of this run with a state `weights`");
    assert_snapshot!(error(run.state_files(4, "total").unwrap_err()), @"`RUN/checkpoints/000004` is no checkpoint of this run");
    assert_snapshot!(error(run.state_files(3, "counter").unwrap_err()), @"cannot read `RUN/checkpoints/000003/counter/count`: No such file or directory (os error 2); restore the file from a copy, or use another checkpoint");
}
