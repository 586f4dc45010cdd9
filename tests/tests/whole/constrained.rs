//! Whole runs whose supervised loss has a limit: imitation until it starts, steps that keep to it from then on, and the
//! same bytes however they come about.

use batch::Run;
use std::path::Path;
use tests::{assert_resumes, small};

/// The batch at which the constraint starts, after a checkpoint.
const FROM: u64 = 3;
const BATCHES: u64 = 9;
const CPO: &str =
    "{ constrained = { cpo = { kl = 0.005 }, limit = { baseline = \"start\", slack = 0.02 }, from = 3 } }";
const LAGRANGIAN: &str = "{ constrained = { lagrangian = { step = 0.5, initial = 2.0 }, limit = { baseline = \"start\", slack = 0.1 }, from = 3 } }";
/// A copy of M as it was when the constraint started.
const FROZEN: &str = "
[model.start]
copy_of = \"agent\"

[sync.freeze]
after = \"step\"
from_model = \"agent\"
to_model = \"start\"
until = 3
";

fn source(combine: &str) -> String {
    let source = small("web-of-lies", BATCHES);
    let source = source.replace("{ weighted = { alpha = 0.5 } }", combine);
    let source = source.replace("max_turns = 2", "max_turns = 2\nsufficient = \"never\"");
    let source = source.replace("every = 3", "every = 3\nkeep_last = 9");
    source.replace("{ learning_rate = 2e-3 }", "{ learning_rate = 1e-2 }").replace("rows = 6", "rows = 12") + FROZEN
}

fn made(combine: &str, folder: &Path) -> Run {
    tests::made(&source(combine), folder)
}

/// A metric of the train stage at a batch.
fn metric(run: &Run, batch: u64, name: &str) -> Option<f64> {
    run.lines()[batch as usize].metrics.get(&format!("step.{name}")).copied()
}

/// The running mean of L just before the constraint started.
fn baseline(run: &Run) -> f64 {
    let losses = (0..FROM).map(|batch| metric(run, batch, "supervised_loss").unwrap());
    losses.reduce(|mean, loss| 0.95 * mean + (1.0 - 0.95) * loss).unwrap()
}

#[test]
fn steps_keep_to_the_region_and_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(CPO, &folder.path().join("run"));
    let of = |batch: u64, name: &str| metric(&run, batch, name).unwrap();
    let mut taken = 0;
    for batch in FROM..BATCHES {
        let limit = of(batch, "limit");
        assert!((limit - 1.02 * baseline(&run)).abs() < 1e-12);
        let (before, after, kl) = (of(batch, "supervised_loss"), of(batch, "loss_after"), of(batch, "step_kl"));
        taken += u32::from(kl > 0.0);
        assert!(kl <= 0.005, "the step of batch {batch} left its region");
        assert!(
            after <= limit || after < before || kl == 0.0,
            "the loss of batch {batch} rose to {after}, above {limit}"
        );
        assert!((0.0..=4.0).contains(&of(batch, "case")) && of(batch, "backtracks") <= 10.0);
        assert_eq!((metric(&run, batch, "learning_rate"), metric(&run, batch, "lambda")), (None, None));
    }
    assert!(taken > 3, "{taken} steps were taken");
    assert_eq!(metric(&run, FROM - 1, "limit"), None);
}

/// Until the constraint starts a run is one of imitation, and of an α of 0, bit for bit; then the optimizer has no part in
/// it, and M₀ stays what M was.
#[test]
fn before_its_start_there_is_imitation() {
    let folder = tempfile::tempdir().unwrap();
    let limited = made(CPO, &folder.path().join("limited"));
    let plain = made("{ weighted = { alpha = 0.0 } }", &folder.path().join("plain"));
    let files = |run: &Run, batch: u64, state: &str| run.state_files(batch, state).unwrap();
    for state in ["model.agent", "optimizer.step"] {
        assert!(files(&limited, FROM, state) == files(&plain, FROM, state), "{state} differs");
    }
    assert!(files(&limited, BATCHES, "optimizer.step") == files(&limited, FROM, "optimizer.step"));
    assert!(files(&limited, BATCHES, "model.agent") != files(&limited, FROM, "model.agent"));
    let weights = |batch, state| model::Model::load(&files(&limited, batch, state)).unwrap().weights.flat;
    assert!(weights(BATCHES, "model.start").equal(&weights(FROM, "model.agent")));
}

#[test]
fn a_multiplier_follows_the_loss() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(LAGRANGIAN, &folder.path().join("run"));
    let limit = 1.1 * baseline(&run);
    let mut log = 2f64.ln();
    for batch in FROM..BATCHES {
        assert!((metric(&run, batch, "limit").unwrap() - limit).abs() < 1e-12);
        log += 0.5 * (metric(&run, batch, "supervised_loss").unwrap() - limit);
        assert!((metric(&run, batch, "lambda").unwrap() - log.exp()).abs() < 1e-12);
        assert!(metric(&run, batch, "learning_rate").is_some() && metric(&run, batch, "case").is_none());
    }
}

#[test]
fn broken_off_it_ends_in_the_same_bytes() {
    for combine in [CPO, LAGRANGIAN] {
        let source = source(combine).replace("keep_last = 9", "keep_last = 2");
        // Between two checkpoints, so that steps are taken again.
        assert_resumes(&source, 5);
    }
}

#[test]
fn workers_do_not_change_a_bit() {
    let folder = tempfile::tempdir().unwrap();
    let with = |workers: u32| {
        let root = folder.path().join(workers.to_string());
        let source = source(CPO).replace("seed = 3", &format!("seed = 3\nworkers = {workers}"));
        tests::made(&source, &root).state_files(BATCHES, "model.agent").unwrap()
    };
    assert!(with(1) == with(3));
}

/// A baseline takes a loss: where H was never called before the start, the run says so and how to go on.
#[test]
fn without_a_loss_there_is_no_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(CPO)
        .replace("call_human = { probability = 0.4 }", "call_human = { probability = [[0, 0.0], [3, 0.0], [4, 1.0]] }")
        .replace("call_human = \"always\"", "call_human = { probability = [[0, 0.0], [3, 0.0], [4, 1.0]] }");
    tests::create(&source, &folder.path().join("run"));
    let error = tests::try_to_resume(&source, &folder.path().join("run")).unwrap_err();
    assert!(error.contains("no batch before batch 3 had a target of imitation"), "{error}");
}
