//! Variants of a pipeline, and runs side by side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, process::Command};
use tests::{assert_same, small};

const BATCHES: u64 = 3;

/// The exit code, and what was said on the output or, if nothing was, on the error stream.
fn elenchus(folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_elenchus-under-test")).current_dir(folder).args(arguments).output().unwrap();
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    format!("exit {}\n{}", output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn with_file() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pipeline.toml"), small("web-of-lies", BATCHES)).unwrap();
    folder
}

#[test]
fn seeds_are_runs_of_their_own_and_go_on_together() {
    let folder = with_file();
    let folder = folder.path();
    let ran = elenchus(folder, &["run", "pipeline.toml", "--seeds", "2"]);
    assert!(ran.starts_with("exit 0\n"), "{ran}");
    let group = folder.join("runs/pipeline-1");
    assert!(group.join("comparison.html").exists());
    assert_eq!(fs::read_link(folder.join("runs/latest")).unwrap(), Path::new("pipeline-1"));
    elenchus(folder, &["run", "pipeline.toml", "--seed", "4", "--out", "alone", "--quiet"]);
    assert_same(&group.join("seed=4"), &folder.join("alone"));

    let complete = elenchus(folder, &["resume", "runs/latest"]);
    assert!(complete.starts_with("exit 1\n") && complete.contains("0 batches remain"), "{complete}");
    let manifest = group.join("seed=4/manifest.jsonl");
    let text = fs::read_to_string(&manifest).unwrap();
    let cut: Vec<&str> = text.split_inclusive('\n').take(2).collect();
    fs::write(&manifest, cut.concat()).unwrap();
    let resumed = elenchus(folder, &["resume", "runs/latest", "--quiet"]);
    assert!(resumed.starts_with("exit 0\n"), "{resumed}");
    assert_same(&group.join("seed=4"), &folder.join("alone"));

    let again = elenchus(folder, &["run", "pipeline.toml", "--seeds", "2", "--out", "runs/pipeline-1"]);
    assert!(again.starts_with("exit 1\n") && again.contains("is not empty"), "{again}");
}

#[test]
fn what_differs_is_told_and_seeds_are_a_group() {
    let folder = with_file();
    let folder = folder.path();
    fs::write(folder.join("less.toml"), small("web-of-lies", BATCHES).replace("alpha = 0.5", "alpha = 0.25")).unwrap();
    elenchus(folder, &["run", "pipeline.toml", "--seeds", "2", "--out", "half", "--quiet"]);
    elenchus(folder, &["run", "less.toml", "--out", "quarter", "--quiet"]);
    let metrics = ["--metric", "objective.alpha", "--metric", "held_out.human"];
    insta::assert_snapshot!(elenchus(
        folder,
        &[&["compare", "half", "quarter", "--html", "page.html"][..], &metrics].concat()
    ));
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    for said in ["alpha = 0.25", "loss.objective.combine.weighted.alpha", "2 seeds", "class=\"band c0\""] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("http") && !page.contains("<script"));
    insta::assert_snapshot!("unknown_metric", elenchus(folder, &["compare", "half", "--metric", "held_out.humam"]));
    fs::create_dir(folder.join("empty")).unwrap();
    insta::assert_snapshot!("no_run", elenchus(folder, &["compare", "half", "empty"]));
}

#[test]
fn a_sweep_runs_each_combination() {
    let folder = with_file();
    let folder = folder.path();
    let sweep = [
        "--no-reuse",
        "--sweep",
        "loss.objective.combine.weighted.alpha=0.25,[[0, 0.0], [2, 0.5]]",
        "--sweep",
        "batches=1,2",
    ];
    let swept = elenchus(folder, &[&["run", "pipeline.toml", "--out", "swept", "--quiet"][..], &sweep].concat());
    assert!(swept.starts_with("exit 0\n"), "{swept}");
    insta::assert_snapshot!("swept", elenchus(folder, &["compare", "swept", "--metric", "objective.alpha"]));
    elenchus(
        folder,
        &[
            "run",
            "pipeline.toml",
            "--out",
            "alone",
            "--quiet",
            "--no-reuse",
            "--set",
            "loss.objective.combine.weighted.alpha=0.25",
            "--set",
            "batches=2",
        ],
    );
    assert_eq!(
        fs::read(folder.join("alone/manifest.jsonl")).unwrap(),
        fs::read(folder.join("swept/alpha=0.25,batches=2/manifest.jsonl")).unwrap()
    );
    let wrong = elenchus(folder, &["run", "pipeline.toml", "--sweep", "loss.objective.imitate=\"al\",\"human\""]);
    insta::assert_snapshot!("wrong_sweep", wrong);
    insta::assert_snapshot!("empty_sweep", elenchus(folder, &["run", "pipeline.toml", "--sweep", "batches="]));
    assert!(!folder.join("runs").exists());
}
