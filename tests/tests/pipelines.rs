//! Every file of `pipelines/`: its plan, and the first rows of each table of its first two batches.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use polars::prelude::{AnyValue, DataFrame, DataType};

const ROWS: usize = 3;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// A value as it stands in a snapshot: floats rounded, because their last bits differ from one kind of CPU to another.
fn value(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "null".to_owned(),
        AnyValue::Float32(number) => format!("{number:.2}"),
        AnyValue::Float64(number) => format!("{number:.2}"),
        AnyValue::List(list) if list.dtype() == &DataType::Float32 => format!("{} numbers", list.len()),
        AnyValue::List(list) => {
            let items: Vec<String> = list.iter().map(|item| self::value(&item)).collect();
            format!("[{}]", items.join(" "))
        }
        AnyValue::String(text) => format!("{text:?}"),
        AnyValue::StringOwned(text) => format!("{:?}", text.as_str()),
        other => other.to_string(),
    }
}

fn describe(text: &mut String, name: &str, table: &DataFrame) {
    let _ = writeln!(text, "{name}: {} rows", table.height());
    for column in table.columns() {
        let _ = writeln!(text, "  {}: {}", column.name(), column.dtype());
    }
    for row in 0..table.height().min(ROWS) {
        let _ = writeln!(text, "  row {row}");
        for column in table.columns() {
            let _ = writeln!(text, "    {} = {}", column.name(), value(&column.get(row).unwrap()));
        }
    }
}

#[test]
fn each_is_planned_and_its_first_batches_are_as_they_were() {
    for file in files() {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(&file).unwrap();
        insta::assert_snapshot!(format!("{stem}-plan"), tests::load(&source).plan.to_text());
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("run");
        tests::run_batches(&source, &root, Some(2));
        let run = batch::Run::open(&root).unwrap();
        for batch in 0..2 {
            let mut text = String::new();
            for name in run.header().tables.keys() {
                describe(&mut text, name, &run.table(name, batch).unwrap());
            }
            insta::assert_snapshot!(format!("{stem}-batch-{batch}"), text);
        }
    }
}
