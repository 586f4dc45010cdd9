//! What a run has committed, read back.

use batch::Run;
use insta::assert_snapshot;
use polars::prelude::DataFrame;

use crate::scripted::{self, scratch};

#[test]
fn a_run_is_read_back() {
    let root = scratch();
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(root.path()), &mut |_| ()).unwrap();
    let run = Run::open(root.path()).unwrap();
    assert_snapshot!(run.table("questions", 1).unwrap(), @r#"
        shape: (3, 7)
        ┌─────┬───────────────────────┬──────┬───────┬───────────┬────────────────────┬────────┐
        │ row ┆ text                  ┆ gold ┆ known ┆ tokens    ┆ log_probs          ┆ weight │
        │ --- ┆ ---                   ┆ ---  ┆ ---   ┆ ---       ┆ ---                ┆ ---    │
        │ u64 ┆ str                   ┆ str  ┆ bool  ┆ list[u32] ┆ list[f32]          ┆ f64    │
        ╞═════╪═══════════════════════╪══════╪═══════╪═══════════╪════════════════════╪════════╡
        │ 0   ┆ question 0 of batch 1 ┆ Yes  ┆ true  ┆ []        ┆ [-0.0, -3.4028e38] ┆ null   │
        │ 1   ┆ question 1 of batch 1 ┆ null ┆ false ┆ [0]       ┆ null               ┆ 1.0    │
        │ 2   ┆ question 2 of batch 1 ┆ Yes  ┆ true  ┆ [0, 1]    ┆ [-0.2, -3.4028e38] ┆ 0.5    │
        └─────┴───────────────────────┴──────┴───────┴───────────┴────────────────────┴────────┘
    "#);
    let empty = run.table("questions", 3).unwrap();
    assert_eq!((empty.height(), empty.schema()), (0, run.table("questions", 1).unwrap().schema()));
    let rows: Vec<usize> = run.tables("counts").map(|table| table.as_ref().map(DataFrame::height).unwrap()).collect();
    assert_eq!(rows, [1; scripted::BATCHES as usize]);
    assert_snapshot!(run.table("answers", 0).unwrap_err(), @"the run has no table `answers`; it has counts, questions, questions.calls");
    assert_snapshot!(run.table("counts", 11).unwrap_err(), @"batch 11 is not committed; the run has 11");
}

/// The form of the manifest is a promise: a change of it is a new format.
#[test]
fn the_manifest_reads_like_this() {
    let root = scratch();
    scripted::go_on_with(&scripted::stages(), &mut scripted::create(root.path()), &mut |_| ()).unwrap();
    let text = std::fs::read_to_string(root.path().join("manifest.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_snapshot!([lines[0], lines[1], lines[3]].join("\n"));
}
