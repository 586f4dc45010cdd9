//! What a run says while it goes on, and what it leaves for others to read beside its tables.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use tests::{assert_whole, small};

const BATCHES: u64 = 3;

fn elenchus(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_elenchus-under-test")).current_dir(folder).args(arguments).output().unwrap()
}

fn objects(text: &[u8]) -> Vec<Value> {
    String::from_utf8(text.to_vec()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn with_file() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pipeline.toml"), small("web-of-lies", BATCHES)).unwrap();
    folder
}

#[test]
fn a_program_is_told_each_event_and_nobody_else_is() {
    let folder = with_file();
    let output = elenchus(folder.path(), &["run", "pipeline.toml", "--json"]);
    assert!(output.status.success() && output.stderr.is_empty());
    let events = objects(&output.stdout);
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!(named("started")[0]["run"], "runs/pipeline-1");
    assert_eq!(named("stage").len() as u64, BATCHES * 7);
    let batches: Vec<&Value> = named("batch").into_iter().map(|event| &event["batch"]).collect();
    assert_eq!(batches, [0, 1, 2]);
    assert!(named("batch").iter().all(|event| event["tokens_per_second"].as_f64().unwrap() > 0.0));
    assert_eq!(events.last().unwrap()["complete"], true);

    let output = elenchus(folder.path(), &["run", "pipeline.toml", "--quiet"]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
    assert_eq!(fs::read_link(folder.path().join("runs/latest")).unwrap(), Path::new("pipeline-2"));

    let output = elenchus(folder.path(), &["resume", "runs/latest", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(objects(&output.stdout).last().unwrap()["error"].as_str().unwrap().contains("0 remain"));
}

#[test]
fn derived_files_are_brought_up_to_what_is_committed() {
    let folder = with_file();
    let root = folder.path().join("run");
    assert!(elenchus(folder.path(), &["run", "pipeline.toml", "--out", "run", "--quiet"]).status.success());
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    let (metrics, events) = (read("metrics.jsonl"), read("tensorboard/events.out.tfevents.elenchus"));
    let rows = objects(&metrics);
    for (row, line) in rows.iter().zip(batch::Run::open(&root).unwrap().lines()) {
        assert_eq!(row["batch"], line.batch);
        assert_eq!(row.as_object().unwrap().len(), 1 + line.metrics.len());
        line.metrics.iter().for_each(|(name, value)| assert_eq!(row[name], *value, "{name}"));
    }
    assert_eq!(rows.len() as u64, BATCHES);
    fs::write(root.join("metrics.jsonl"), &metrics[..metrics.len() / 2]).unwrap();
    fs::remove_dir_all(root.join("tensorboard")).unwrap();
    fs::remove_file(root.join("report.html")).unwrap();
    elenchus(folder.path(), &["resume", "run"]);
    assert!(read("metrics.jsonl") == metrics);
    assert_eq!(read("tensorboard/events.out.tfevents.elenchus").len(), events.len());

    let report = String::from_utf8(read("report.html")).unwrap();
    for said in [
        "complete, 3 batches",
        "M alone",
        "<tr><td>questions</td><td>18</td>",
        "supervised_loss",
        "even argument 0",
        "[loss.objective]",
    ] {
        assert!(report.contains(said), "{said}");
    }
    assert_whole(&report);
}

#[test]
fn a_run_that_asks_nobody_is_told_without_calls_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("rows.jsonl"), "{\"n\": 1}\n{\"n\": 2}\n").unwrap();
    fs::write(folder.join("plain.toml"), "seed = 1\n[read.numbers]\nfiles = \"rows.jsonl\"\nrows = 1\n").unwrap();
    let output = elenchus(folder, &["run", "plain.toml", "--out", "run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("batch 2/2  2 rows") && !said.contains("tokens"), "{said}");
    let report = fs::read_to_string(folder.join("run/report.html")).unwrap();
    assert!(report.contains("<tr><td>numbers</td><td>2</td>") && !report.contains("Calls and tokens"), "{report}");
}
