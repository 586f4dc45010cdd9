//! Samp in whole runs: the rules that say the same, and budgets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use batch::Run;
use debate::{question::Asked, trace::Part};
use elenchus::tables;
use std::path::Path;
use tests::{assert_same, break_off, resume, run, small};

/// A pipeline that only imitates single arguments.
fn imitating(call_human: &str, batches: u64) -> String {
    let changes = [
        ("alpha = 0.5", "alpha = 0.0"),
        ("max_turns = 2", "max_turns = 1"),
        ("call_human = { probability = 0.4 }", call_human),
    ];
    changed(&small("web-of-lies", batches), &changes)
}

fn changed(source: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(source.to_owned(), |source, (from, to)| {
        assert!(source.contains(from), "{from}");
        source.replace(from, to)
    })
}

fn made(source: &str, folder: &Path, name: &str) -> Run {
    let root = folder.join(name);
    run(source, &root);
    Run::open(&root).unwrap()
}

#[test]
fn one_is_always_and_zero_is_never() {
    let folder = tempfile::tempdir().unwrap();
    for (number, word) in [("{ probability = 1 }", "\"always\""), ("{ probability = 0 }", "\"never\"")] {
        let run = |call_human: &str| {
            let source = imitating(&format!("call_human = {call_human}"), 2);
            made(&source, folder.path(), &call_human.replace(['"', ' '], ""))
        };
        let (number, word) = (run(number), run(word));
        for table in number.header().tables.keys() {
            assert!(number.table(table, 1).unwrap().equals_missing(&word.table(table, 1).unwrap()), "{table}");
        }
        assert_eq!(number.lines()[1].metrics, word.lines()[1].metrics);
    }
}

/// Debates in which every rule decides something, and the speaker has a budget, the overseer's shared by two stages.
fn with_budgets(batches: u64) -> String {
    let speaker = "call_human = { confidence = { least = 0.1 } }\nbudget = { per_run = 30 }";
    let overseer = "call_human = { schedule = { loss = \"step\", points = [[1, 0.2], [5, 1.0]] } }\n\
                    budget = { per_batch = 4, per_run = 25 }";
    let changes = [("call_human = { probability = 0.4 }", speaker), ("call_human = \"always\"", overseer)];
    changed(&small("web-of-lies", batches), &changes)
}

#[test]
fn a_run_with_budgets_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    run(&with_budgets(7), &whole);
    break_off(&with_budgets(7), &broken, 5);
    resume(&with_budgets(7), &broken);
    assert_same(&whole, &broken);
}

/// The sum of the propensities of a stage, in one batch or in all.
fn spent(run: &Run, batch: Option<u64>, stage: &str, asked: &[Asked]) -> f64 {
    let batches = batch.map_or(0..run.lines().len() as u64, |batch| batch..batch + 1);
    let tables = batches.map(|batch| run.table(&format!("{stage}.calls"), batch).unwrap());
    let calls = tables.flat_map(|table| tables::to_calls(&table).unwrap());
    let decided = calls.filter(|call| call.part == Part::First && asked.contains(&call.asked));
    decided.filter_map(|call| call.propensity).sum()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn budgets_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&with_budgets(7), folder.path(), "run");
    let left = |metric: &str| run.lines()[6].metrics[metric];
    let spoken = spent(&run, None, "arguments", &[Asked::Argument]);
    assert!(spoken <= 30.0 + 1e-9 && spoken > 20.0, "{spoken}");
    assert!(close(left("arguments.speaker_budget_left"), 30.0 - spoken));
    // One wave of the two is the debate's, one the judge's.
    for (stage, asked) in [("arguments", Asked::Sufficient), ("verdicts", Asked::Winner)] {
        let all = spent(&run, None, stage, &[asked]);
        assert!(all <= 12.5 + 1e-9, "{stage}: {all}");
        assert!(close(left(&format!("{stage}.overseer_budget_left")), 12.5 - all));
        (0..7).for_each(|batch| assert!(spent(&run, Some(batch), stage, &[asked]) <= 2.0 + 1e-9));
    }
}

#[test]
fn who_argues_and_oversees_pays_from_one_purse() {
    let folder = tempfile::tempdir().unwrap();
    let changes = [("per_run = 30", "per_batch = 3"), ("overseer = \"overseer\"", "overseer = \"speaker\"")];
    let run = made(&changed(&with_budgets(3), &changes), folder.path(), "run");
    for batch in 0..3 {
        let all = spent(&run, Some(batch), "arguments", &[Asked::Argument, Asked::Sufficient]);
        assert!(all <= 3.0 + 1e-9 && all > 2.0, "{all}");
        assert!(close(run.lines()[batch as usize].metrics["arguments.speaker_budget_left"], 3.0 - all));
    }
}
