//! Datasets that `write` stages leave: whole and in their place, or absent; and never those of another run.

use batch::parquet::decode;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tests::{break_off, promised, run, try_to_resume};

/// Six rows, two a batch, written to a folder of the user's.
const NUMBERS: &str = r#"
seed = 1
batches = 3

[read.rows]
files = "FOLDER/rows.jsonl"
rows = 2
keep = false

[filter.chosen]
from = "rows"
condition = "n < 100"

[write.numbers]
from = "chosen"
folder = "DATASET"
"#;

fn scratch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..6).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    fs::write(folder.path().join("rows.jsonl"), rows).unwrap();
    folder
}

fn source(folder: &Path, dataset: &Path) -> String {
    NUMBERS.replace("FOLDER", folder.to_str().unwrap()).replace("DATASET", dataset.to_str().unwrap())
}

/// The numbers of a dataset, file by file.
fn numbers(dataset: &Path) -> BTreeMap<String, Vec<i64>> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files = promised(&dataset.join("data")).into_iter();
    let read = |bytes: &[u8]| decode(bytes).unwrap().column("n").unwrap().i64().unwrap().iter().flatten().collect();
    files.map(|(path, bytes)| (name(&path), read(&bytes))).collect()
}

#[test]
fn the_dataset_of_another_run_is_left_alone_and_nothing_is_lost() {
    let folder = scratch();
    let (one, other, dataset) =
        (folder.path().join("one"), folder.path().join("other"), folder.path().join("deep/numbers"));
    let source = source(folder.path(), &dataset);
    break_off(&source, &one, 1);
    run(&source, &other);
    let whole = numbers(&dataset);
    assert_eq!(whole.values().flatten().copied().collect::<Vec<i64>>(), [0, 1, 2, 3, 4, 5]);

    let refused = try_to_resume(&source, &one).unwrap_err();
    insta::assert_snapshot!(refused.replace(folder.path().to_str().unwrap(), "FOLDER"));
    assert_eq!(numbers(&dataset), whole);
    // Files of batches that ran ahead of the commit may be there too.
    assert_eq!(numbers(&one.join("datasets/numbers.tmp"))["train-000000.parquet"], [0, 1]);

    fs::rename(&dataset, folder.path().join("moved")).unwrap();
    try_to_resume(&source, &one).unwrap();
    tests::assert_same(&dataset, &folder.path().join("moved"));
    assert_eq!(fs::read_dir(one.join("datasets")).unwrap().count(), 0);

    let longer = source.replace("batches = 3", "batches = 4");
    assert!(try_to_resume(&longer, &one).unwrap_err().contains("is there already"));
    assert_eq!(numbers(&dataset), whole);
}

#[test]
fn a_dataset_without_rows_has_columns() {
    let folder = scratch();
    let dataset = folder.path().join("numbers");
    run(&source(folder.path(), &dataset).replace("n < 100", "n > 100"), &folder.path().join("run"));
    assert_eq!(numbers(&dataset), BTreeMap::from([("train-00000-of-00001.parquet".to_owned(), Vec::new())]));
}

#[test]
fn a_dataset_on_another_disk_is_whole_too() {
    let folder = scratch();
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let (near, far) = (folder.path().join("numbers"), memory.path().join("numbers"));
    run(&source(folder.path(), &near), &folder.path().join("one"));
    run(&source(folder.path(), &far), &folder.path().join("other"));
    tests::assert_same(&near, &far);
    assert_eq!(fs::read_dir(memory.path()).unwrap().count(), 1);
}

#[test]
fn a_snapshot_shows_all_tables_and_leaves_no_dataset() {
    let folder = scratch();
    let source = source(folder.path(), &folder.path().join("numbers")).replace("batches = 3", "").replace("= 2", "= 5");
    fs::write(folder.path().join("pipeline.toml"), source).unwrap();
    let snapshot = Command::new(env!("CARGO_BIN_EXE_elenchus-under-test"))
        .current_dir(folder.path())
        .args(["snapshot", "pipeline.toml"])
        .env("CI", "")
        .output()
        .unwrap();
    assert!(snapshot.status.success(), "{}", String::from_utf8_lossy(&snapshot.stderr));
    assert!(!folder.path().join("numbers").exists());
    let rows = fs::read_to_string(folder.path().join("snapshots/pipeline__rows.snap")).unwrap();
    assert!(rows.contains("batch 0: 5 rows") && rows.contains("batch 1: 1 rows"), "{rows}");
}
