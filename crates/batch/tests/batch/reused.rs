//! What earlier runs have done is taken from them, and the result is what it would have been without them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use batch::{Event, Job, Outcome, Run, RunFolder, Stage, Store};
use insta::assert_snapshot;
use plan::Plan;

use crate::scripted::{self, BATCHES, Count, Glance, Questions, Score, Sum, scratch};

/// A change of the plan, and the stages that go with it.
struct Changed {
    plan: Plan,
    stages: Vec<Box<dyn Stage>>,
    batches: u64,
}

fn unchanged() -> Changed {
    Changed { plan: scripted::plan(), stages: scripted::stages(), batches: BATCHES }
}

/// A plan in which a stage depends on something else than before.
fn changed(stage: &str, bias: f64) -> Changed {
    let mut plan = scripted::plan();
    plan.note(stage, "bias", bias.to_string());
    let sum = Sum { bias: if stage == "sum" { bias } else { 0.0 } };
    let stages: Vec<Box<dyn Stage>> =
        vec![Box::new(Questions), Box::new(Count { off_by: 0 }), Box::new(sum), Box::new(Score)];
    Changed { plan, stages, batches: BATCHES }
}

fn run(of: &Changed, root: &Path, store: Option<&Store>, observe: &mut dyn FnMut(Event<'_>)) -> Outcome {
    let (stop, checkpoints) = (AtomicBool::new(false), scripted::policy());
    let (plan, stages, batches) = (&of.plan, &of.stages[..], of.batches);
    let job = Job { plan, stages, batches, checkpoints, stop: &stop };
    let mut folder = RunFolder::create(root, plan, scripted::TEXTS).expect("an empty folder");
    store.into_iter().for_each(|store| folder.share(store.clone(), true));
    batch::run(&job, &mut scripted::states(), &mut folder, observe).expect("a run")
}

/// Fails unless two runs have the same tables, metrics and final states.
fn assert_same_results(one: &Path, other: &Path) {
    let (one, other) = (Run::open(one).unwrap(), Run::open(other).unwrap());
    assert_eq!(one.lines().len(), other.lines().len());
    for (left, right) in one.lines().iter().zip(other.lines()) {
        assert_eq!(left.metrics, right.metrics, "batch {}", left.batch);
        for name in left.tables.keys() {
            let (left, right) = (one.table(name, left.batch).unwrap(), other.table(name, right.batch).unwrap());
            assert!(left.equals_missing(&right), "{name}");
        }
    }
    let last = one.lines().len() as u64;
    for state in ["counter", "total"] {
        assert_eq!(one.state_files(last, state).unwrap(), other.state_files(last, state).unwrap());
    }
}

/// Makes a run, and after it a changed one beside it: that must come to what it comes to alone. Says what was taken.
fn check(of: &Changed) -> String {
    let root = scratch();
    let store = Store::beside(&root.path().join("first"));
    run(&unchanged(), &root.path().join("first"), Some(&store), &mut |_| ());
    let outcome = run(of, &root.path().join("second"), Some(&store), &mut |_| ());
    run(of, &root.path().join("alone"), None, &mut |_| ());
    assert_same_results(&root.path().join("second"), &root.path().join("alone"));
    format!("reused {:?}, replayed {}", outcome.reused, outcome.replayed)
}

#[test]
fn the_same_again() {
    assert_snapshot!(check(&unchanged()));
}

#[test]
fn a_stage_changed() {
    assert_snapshot!(check(&changed("questions", 1.0)));
    assert_snapshot!(check(&changed("count", 1.0)));
    assert_snapshot!(check(&changed("sum", 1.0)));
    assert_snapshot!(check(&changed("score", 1.0)));
}

#[test]
fn a_run_made_longer_or_shorter() {
    assert_snapshot!(check(&Changed { batches: BATCHES + 4, ..unchanged() }));
    assert_snapshot!(check(&Changed { batches: 4, ..unchanged() }));
}

/// A stage that looks at one state now and then does not bring it on without those that follow it: they could not be had
/// any more where no checkpoint has them.
#[test]
fn a_state_is_not_brought_on_without_its_followers() {
    let looking_at_the_counter = |bias: f64| {
        let Changed { mut plan, mut stages, batches } = changed("score", bias);
        plan.nodes[3].reads = vec!["counter".to_owned()];
        stages[3] = Box::new(Glance);
        Changed { plan, stages, batches }
    };
    let root = scratch();
    let (first, second, alone) = (root.path().join("first"), root.path().join("second"), root.path().join("alone"));
    let store = Store::beside(&first);
    run(&looking_at_the_counter(0.0), &first, Some(&store), &mut |_| ());
    fs::remove_dir_all(store.root()).unwrap();
    fs::remove_dir_all(first.join("checkpoints")).unwrap();
    let outcome = run(&looking_at_the_counter(1.0), &second, Some(&store), &mut |_| ());
    assert_eq!(outcome.reused["sum"], BATCHES);
    run(&looking_at_the_counter(1.0), &alone, None, &mut |_| ());
    assert_same_results(&second, &alone);
}

/// What was taken stays, whatever becomes of the run that it was taken from, and goes along with a copy.
#[test]
fn runs_do_not_need_each_other() {
    let root = scratch();
    let (first, second, third) = (root.path().join("first"), root.path().join("second"), root.path().join("third"));
    let store = Store::beside(&first);
    run(&unchanged(), &first, Some(&store), &mut |_| ());
    run(&changed("sum", 1.0), &second, Some(&store), &mut |_| ());
    fs::remove_dir_all(&first).unwrap();
    // The store still has what the first run did.
    let outcome = run(&unchanged(), &third, Some(&store), &mut |_| ());
    assert_eq!(outcome.reused["sum"], BATCHES);
    fs::remove_dir_all(store.root()).unwrap();
    let elsewhere = scratch();
    assert!(Command::new("cp").arg("-r").args([&second, &third]).arg(elsewhere.path()).status().unwrap().success());
    fs::remove_dir_all(&second).unwrap();
    fs::remove_dir_all(&third).unwrap();
    for (name, alone) in [("second", changed("sum", 1.0)), ("third", unchanged())] {
        let expected = elsewhere.path().join(format!("{name} alone"));
        run(&alone, &expected, None, &mut |_| ());
        assert_same_results(&elsewhere.path().join(name), &expected);
    }
}

/// An entry that is removed while its run goes on does not come back without a manifest, and the run does not mind.
#[test]
fn an_entry_that_is_removed_stays_away() {
    let root = scratch();
    let first = root.path().join("first");
    let store = Store::beside(&first);
    let mut removed = false;
    run(&unchanged(), &first, Some(&store), &mut |event| {
        if let Event::BatchCommitted { .. } = event
            && !removed
        {
            store.entries().unwrap().iter().for_each(|entry| store.remove(entry).unwrap());
            removed = true;
        }
    });
    assert!(fs::read_dir(store.root()).unwrap().next().is_none());
    assert_eq!(Run::open(&first).unwrap().lines().len() as u64, BATCHES);
}

/// A store that is gone costs nothing: the runs beside it are as good.
#[test]
fn without_the_store_there_are_the_runs() {
    let root = scratch();
    let store = Store::beside(&root.path().join("first"));
    run(&unchanged(), &root.path().join("first"), Some(&store), &mut |_| ());
    fs::remove_dir_all(store.root()).unwrap();
    let outcome = run(&unchanged(), &root.path().join("second"), Some(&store), &mut |_| ());
    assert_eq!(outcome.reused["count"], BATCHES);
    assert_eq!(outcome.replayed, 0, "the checkpoint serves as well");
}

/// What is damaged is not taken: that is said, and the work is done again.
#[test]
fn damaged_results_are_not_taken() {
    let root = scratch();
    let (first, second, alone) = (root.path().join("first"), root.path().join("second"), root.path().join("alone"));
    let store = Store::beside(&first);
    run(&unchanged(), &first, Some(&store), &mut |_| ());
    let place = Run::open(&first).unwrap().lines()[5].tables["questions"].place.clone().unwrap();
    let mut bytes = fs::read(first.join("segments/000000")).unwrap();
    bytes[place.offset as usize + 7] ^= 1;
    fs::write(first.join("segments/000000"), bytes).unwrap();
    let mut said = Vec::new();
    let mut observe = |event: Event<'_>| {
        if let Event::NotReused { batch, stage, error } = event {
            let error = error.to_string();
            let (_, what) = error.split_once("`: ").unwrap();
            said.push(format!("batch {batch}, {stage}: {what}"));
        }
    };
    run(&unchanged(), &second, Some(&store), &mut observe);
    assert_snapshot!(said.join("\n"));
    run(&unchanged(), &alone, None, &mut |_| ());
    assert_same_results(&second, &alone);
}

/// The same where the plan has changed too, so that what was taken must go into the states again.
#[test]
fn damaged_results_under_changed_stages() {
    let root = scratch();
    let (first, second, alone) = (root.path().join("first"), root.path().join("second"), root.path().join("alone"));
    let store = Store::beside(&first);
    run(&unchanged(), &first, Some(&store), &mut |_| ());
    let mut bytes = fs::read(first.join("segments/000000")).unwrap();
    for line in Run::open(&first).unwrap().lines() {
        if let Some(place) = &line.tables["questions"].place {
            bytes[place.offset as usize + 7] ^= 1;
        }
    }
    fs::write(first.join("segments/000000"), bytes).unwrap();
    let outcome = run(&changed("sum", 1.0), &second, Some(&store), &mut |_| ());
    assert_eq!(outcome.reused, [("count".to_owned(), BATCHES), ("questions".to_owned(), BATCHES / 4)].into());
    run(&changed("sum", 1.0), &alone, None, &mut |_| ());
    assert_same_results(&second, &alone);
}

#[test]
fn a_store_says_what_it_has() {
    let root = scratch();
    let (first, second) = (root.path().join("first"), root.path().join("second"));
    let store = Store::beside(&first);
    run(&unchanged(), &first, Some(&store), &mut |_| ());
    run(&unchanged(), &second, Some(&store), &mut |_| ());
    fs::remove_dir_all(&first).unwrap();
    let entries = store.entries().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.run.clone(), entry.alive, entry.batches)).collect();
    assert_eq!(told, [(first, false, Some(BATCHES)), (second, true, Some(BATCHES))]);
    assert!(entries[0].bytes > entries[1].bytes, "what is shared counts once");
    entries.iter().filter(|entry| !entry.alive).for_each(|entry| store.remove(entry).unwrap());
    assert_eq!(store.entries().unwrap().len(), 1);
}
