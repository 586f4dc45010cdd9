//! Whoever reads what is put out may have gone before its end: nothing panics, and nothing is lost.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};
use tests::small;

const BATCHES: u64 = 3;

/// A pipe that nobody reads.
fn unread() -> io::PipeWriter {
    io::pipe().unwrap().1
}

/// The exit code, and what is said on the error stream, where nobody reads the output.
fn elenchus(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elenchus-under-test"));
    let command = command.current_dir(folder).args(arguments).stdout(unread()).stderr(Stdio::piped());
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn committed(run: &Path) -> u64 {
    batch::Run::open(run).unwrap().lines().len() as u64
}

#[test]
fn every_verb_puts_out_what_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("pipeline.toml"), small("web-of-lies", BATCHES)).unwrap();
    fs::write(folder.join("questions.csv"), "input\nQuestion: Jim lies. Does Jim tell the truth?\n").unwrap();
    let (code, said) = elenchus(folder, &["run", "pipeline.toml", "--out", "run"]);
    assert!(code == Some(0) && said.contains("batch 3/3") && !said.contains("panicked"), "{code:?} {said}");
    for arguments in [
        &["--help"][..],
        &["list"],
        &["schema"],
        &["new", "new.toml"],
        &["check", "pipeline.toml"],
        &["plan", "pipeline.toml"],
        &["show", "run"],
        &["show", "run", "--table", "arguments"],
        &["show", "run", "--table", "arguments", "--json"],
        &["show", "run", "--table", "arguments", "--out", "arguments.parquet"],
        &["evaluate", "run", "--questions", "questions.csv"],
        &["compare", "run", "--html", "page.html"],
        &["cache", "list", "--store", ".store"],
        &["completions", "bash"],
    ] {
        assert_eq!(elenchus(folder, arguments), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn a_run_for_a_program_that_has_gone_stops_and_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("pipeline.toml"), small("web-of-lies", BATCHES)).unwrap();
    let stopped = "warning: nobody reads the events any more: the run stops at its next commit\n";
    let ran = elenchus(folder, &["run", "pipeline.toml", "--out", "run", "--json"]);
    assert_eq!(ran, (Some(130), stopped.to_owned()));
    assert!(committed(&folder.join("run")) < BATCHES);
    assert_eq!(elenchus(folder, &["resume", "run", "--quiet"]), (Some(0), String::new()));
    assert_eq!(committed(&folder.join("run")), BATCHES);
}

#[test]
fn a_run_whose_progress_nobody_reads_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("pipeline.toml"), small("web-of-lies", BATCHES)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_elenchus-under-test"));
    command.current_dir(folder).args(["run", "pipeline.toml", "--out", "run"]);
    assert!(command.stdout(unread()).stderr(unread()).status().unwrap().success());
    assert_eq!(committed(&folder.join("run")), BATCHES);
}
