//! Numbers that wait for a milestone: the run is the one whose file names the batches from which they are counted.

use batch::{Digest, Run, manifest::Line};
use elenchus::stages::states::Milestone;
use std::{collections::BTreeMap, path::Path};
use tests::{assert_same, break_off, changed, resume, run, run_batches, small};

const BATCHES: u64 = 8;
const METRIC: &str = "step.milestone_imitated";

/// Points of a schedule, as they are written in a file.
type Points = [(u64, f64)];

/// Amplification that is to become debate, with other numbers that change on the way: in stages of every kind that have
/// some, and in an evaluation that goes by a debate's.
fn changing(written: &dyn Fn(&Points) -> String) -> String {
    let late = "every = 2\nrows = [\"naive\", \"debate\"]";
    let changes = [
        ("alpha = 0.5", format!("alpha = {}", written(&[(0, 0.0), (2, 0.5)]))),
        ("{ probability = 0.4 }", format!("{{ probability = {} }}", written(&[(0, 0.8), (3, 0.3)]))),
        ("[amplify.overseer]", format!("[amplify.overseer]\ntemperature = {}", written(&[(0, 1.0), (4, 0.5)]))),
        ("max_turns = 2", format!("max_turns = 2\nsufficient = {{ biased = {} }}", written(&[(0, 1.0), (2, 0.0)]))),
        ("learning_rate = 2e-3", format!("learning_rate = {}", written(&[(0, 2e-3), (3, 1e-3)]))),
        ("polyak = 0.9", format!("polyak = {}", written(&[(0, 0.9), (1, 0.5)]))),
        ("every = 2", late.to_owned()),
    ];
    changed(&small("web-of-lies", BATCHES), &changes)
}

/// The same, waiting for the loss to fall below a bound.
fn waiting(below: f64) -> String {
    let written = |points: &Points| format!("{{ after = \"imitated\", points = {} }}", list(points, 0));
    changing(&written) + &format!("\n[milestone.imitated]\nloss_of = \"step\"\nbelow = {below}\ndecay = 0.5\n")
}

fn list(points: &Points, first: u64) -> String {
    let points: Vec<String> = points.iter().map(|(batch, value)| format!("[{}, {value}]", first + batch)).collect();
    format!("[{}]", points.join(", "))
}

/// A bound that the mean of the loss passes some batches after the first, and at which. As long as it does not, nothing
/// depends on it: so the losses are those of a run in which it never does.
fn bound(folder: &Path) -> (f64, u64) {
    let root = folder.join("never");
    run_batches(&waiting(1e-9), &root, Some(5));
    let run = Run::open(&root).unwrap();
    assert!(run.lines().iter().all(|line| !line.metrics.contains_key(METRIC)));
    let losses = run.lines().iter().map(|line| line.metrics["step.supervised_loss"]);
    let follow = |mean: &mut Option<f64>, loss: f64| {
        *mean = Some(mean.map_or(loss, |mean| 0.5 * mean + 0.5 * loss));
        *mean
    };
    let means: Vec<f64> = losses.scan(None, follow).collect();
    let least = |until: usize| means[..until].iter().copied().fold(f64::INFINITY, f64::min);
    let reached = (2..means.len()).find(|&batch| means[batch] < least(batch)).unwrap();
    ((least(reached) + means[reached]) / 2.0, reached as u64)
}

/// What a batch came to but for the milestone: its tables, its metrics, and the states written after it.
type Came = (Vec<(String, u64, Option<Digest>)>, BTreeMap<String, f64>, Vec<(String, BTreeMap<String, Digest>)>);

fn came(line: &Line) -> Came {
    let digest = |part: &batch::manifest::Part| part.place.as_ref().map(|place| place.digest.clone());
    let tables = line.tables.iter().map(|(name, part)| (name.clone(), part.rows, digest(part))).collect();
    let metrics = line.metrics.iter().filter(|(name, _)| *name != METRIC);
    let states = line.checkpoint.iter().flatten().filter(|(name, _)| *name != "milestone.imitated");
    let states = states.map(|(name, saved)| (name.clone(), saved.files.clone())).collect();
    (tables, metrics.map(|(name, value)| (name.clone(), *value)).collect(), states)
}

#[test]
fn what_waits_is_the_points_of_the_run_from_the_milestone_on() {
    let folder = tempfile::tempdir().unwrap();
    let (below, reached) = bound(folder.path());
    let (waited, named) = (folder.path().join("waited"), folder.path().join("named"));
    run(&waiting(below), &waited);
    run(&changing(&|points| list(points, reached)), &named);
    let (waited, named) = (Run::open(&waited).unwrap(), Run::open(&named).unwrap());
    for (one, other) in waited.lines().iter().zip(named.lines()) {
        assert_eq!(came(one), came(other), "batch {}", one.batch);
        let noted = (one.batch >= reached).then_some(reached as f64);
        assert_eq!(one.metrics.get(METRIC).copied(), noted, "batch {}", one.batch);
    }
    let alphas = waited.lines().iter().map(|line| line.metrics["objective.alpha"]);
    let expected = (0..BATCHES).map(|batch| batch.saturating_sub(reached).min(2) as f64 * 0.25);
    assert_eq!(alphas.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// Broken off before the milestone and after it.
#[test]
fn a_run_that_waits_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (below, reached) = bound(folder.path());
    let whole = folder.path().join("whole");
    run(&waiting(below), &whole);
    for batches in [1, reached + 2] {
        let broken = folder.path().join(batches.to_string());
        break_off(&waiting(below), &broken, batches);
        resume(&waiting(below), &broken);
        assert_same(&whole, &broken);
    }
}

#[test]
fn a_milestone_once_reached_stays_reached() {
    let settings = tests::load(&waiting(0.5)).pipeline.milestones[0].settings.clone();
    let mut milestone = Milestone::default();
    let mut follow = |loss: f64, batch: u64| {
        milestone.follow(loss, &settings, batch);
        (milestone.mean, milestone.reached)
    };
    assert_eq!(follow(0.75, 3), (Some(0.75), None));
    assert_eq!(follow(0.25, 4), (Some(0.5), None));
    assert_eq!(follow(0.25, 5), (Some(0.375), Some(5)));
    assert_eq!(follow(4.0, 6), (Some(2.1875), Some(5)));
    assert_eq!(follow(0.0, 9), (Some(1.09375), Some(5)));
    let read: Milestone = serde_json::from_str(&serde_json::to_string(&milestone).unwrap()).unwrap();
    assert_eq!(read, milestone);
}
