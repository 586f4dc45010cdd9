//! GSM8K's test questions and all of BIG-Bench's, from their files to a dataset folder. What Python's `datasets` makes of
//! it is checked by `ci/check-datasets`.

use std::path::Path;

use batch::{Source, parquet::decode};
use polars::prelude::DataFrame;
use spec::settings::{File, Files};

/// The folder of the question sets, if there is one.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn data() -> Option<String> {
    let data = std::env::var("ELENCHUS_TEST_DATA").ok();
    if data.is_none() {
        eprintln!("skipped: ELENCHUS_TEST_DATA names no folder of question sets");
    }
    data
}

/// A dataset folder as it would be read again.
fn written(folder: &Path) -> Source {
    let path = File { path: folder.display().to_string(), span: 0..0 };
    Source::open(&Files::new(vec![path]), Path::new(".")).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn text<'a>(table: &'a DataFrame, column: &str, row: usize) -> &'a str {
    table.column(column).unwrap().str().unwrap().get(row).unwrap()
}

#[test]
fn question_sets_are_read_filtered_joined_and_written() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    tests::run(&include_str!("real-data.toml").replace("DATA", &data), &root);
    let datasets = root.join("datasets");

    let solved = written(&datasets.join("gsm8k_solved"));
    let table = solved.all().unwrap();
    assert_eq!((table.height(), table.width()), (1031, 9));
    assert!(text(&table, "text", 0).starts_with("Janet’s ducks lay 16 eggs per day."));
    assert_eq!(text(&table, "gold", 0), "18");
    assert!(text(&table, "ground_truth", 0).contains("18"));

    let tasks = written(&datasets.join("big_bench")).all().unwrap();
    assert_eq!(tasks.width(), 3);
    assert!(tasks.column("gold").unwrap().str().unwrap().iter().all(|gold| gold.unwrap().chars().count() < 20));

    let parts: Vec<_> = std::fs::read_dir(datasets.join("gsm8k_solved/data")).unwrap().collect();
    assert_eq!(parts.len(), 3, "a file for each batch that has rows");
    let first = std::fs::read(datasets.join("gsm8k_solved/data/test-00000-of-00003.parquet")).unwrap();
    assert!(decode(&first).unwrap().equals_missing(&table.slice(0, decode(&first).unwrap().height())));
}

/// A run that is told to stop before its end has no dataset yet; resumed, it has the same bytes as an unbroken one.
#[test]
fn a_dataset_is_whole_or_absent() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = include_str!("real-data.toml").replace("DATA", &data);
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    tests::run(&source, &whole);
    tests::break_off(&source, &broken, 2);
    assert!(!broken.join("datasets/gsm8k_solved").exists());
    tests::resume(&source, &broken);
    tests::assert_same(&whole, &broken);
}
