//! Variants of a pipeline, and runs side by side.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use tests::{assert_same, assert_whole, small};

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
    assert!(again.starts_with("exit 2\n") && again.contains("is not empty"), "{again}");
}

#[test]
fn a_run_that_fails_keeps_no_other_from_its_end() {
    let folder = with_file();
    let folder = folder.path();
    let sweep = ["--no-reuse", "--sweep", "train.step.adamw.learning_rate=1e30,2e-3"];
    let ran = elenchus(folder, &[&["run", "pipeline.toml", "--out", "group", "--quiet"][..], &sweep].concat());
    insta::assert_snapshot!("a_failed_run_of_a_group", ran);
    let committed = |run: &str| batch::Run::open(&folder.join("group").join(run)).unwrap().lines().len() as u64;
    assert_eq!(committed("learning_rate=2e-3"), BATCHES);
    assert!(folder.join("group/comparison.html").exists());
    let again = elenchus(folder, &["resume", "group", "--json", "--no-reuse"]);
    assert!(
        again.starts_with("exit 1\n{\"event\":\"member\",\"name\":\"learning_rate=1e30\",\"number\":1,\"of\":2}\n")
    );
}

/// What a kill may leave after the last commit of a group: a dataset without its name, no comparison.
#[test]
fn a_group_without_its_last_files_gets_them() {
    let folder = with_file();
    let folder = folder.path();
    let text = small("web-of-lies", BATCHES) + "\n[write.said]\nfrom = \"arguments\"\n";
    fs::write(folder.join("pipeline.toml"), text).unwrap();
    elenchus(folder, &["run", "pipeline.toml", "--seeds", "2", "--out", "group", "--quiet"]);
    let (page, datasets) = (folder.join("group/comparison.html"), folder.join("group/seed=3/datasets"));
    fs::remove_file(&page).unwrap();
    assert_eq!(elenchus(folder, &["resume", "group", "--quiet"]), "exit 0\n");
    assert!(page.exists());
    fs::rename(datasets.join("said"), datasets.join("said.tmp")).unwrap();
    assert_eq!(elenchus(folder, &["resume", "group", "--quiet"]), "exit 0\n");
    assert!(datasets.join("said/README.md").exists() && page.exists());
}

#[test]
fn a_group_that_is_stopped_goes_on_as_one() {
    let folder = with_file();
    let arguments = ["run", "pipeline.toml", "--seeds", "2", "--batches", "100000"];
    let mut run = Command::new(env!("CARGO_BIN_EXE_elenchus-under-test"));
    let run = run.current_dir(folder.path()).args(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let metrics = folder.path().join("runs/pipeline-1/seed=3/metrics.jsonl");
    while fs::read(&metrics).is_ok_and(|lines| lines.is_empty()) || !metrics.exists() {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.starts_with("run 1 of 2: seed=3\n"), "{said}");
    assert!(said.ends_with("go on with: elenchus resume runs/pipeline-1\n"), "{said}");
}

#[test]
fn a_group_is_not_made_over_what_is_there() {
    let folder = with_file();
    let folder = folder.path();
    fs::create_dir(folder.join("group.new")).unwrap();
    fs::write(folder.join("group.new/thesis.tex"), "").unwrap();
    insta::assert_snapshot!(
        "a_folder_in_the_way",
        elenchus(folder, &["run", "pipeline.toml", "--seeds", "2", "--out", "group"])
    );
    assert!(folder.join("group.new/thesis.tex").exists() && !folder.join("group").exists());

    let text = small("web-of-lies", BATCHES) + "\n[write.said]\nfrom = \"arguments\"\nfolder = \"said\"\n";
    fs::write(folder.join("pipeline.toml"), text).unwrap();
    let ran = elenchus(folder, &["run", "pipeline.toml", "--seeds", "2", "--out", "other"]);
    let folder_name = fs::canonicalize(folder).unwrap();
    insta::assert_snapshot!("one_dataset_for_two", ran.replace(folder_name.to_str().unwrap(), "FOLDER"));
    assert!(!folder.join("other").exists() && !folder.join("other.new").exists());
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
    for said in ["alpha = 0.25", "loss.objective.combine.weighted.alpha", "2 seeds", "<polygon "] {
        assert!(page.contains(said), "{said}");
    }
    assert_whole(&page);
    insta::assert_snapshot!("unknown_metric", elenchus(folder, &["compare", "half", "--metric", "held_out.humam"]));
    fs::create_dir(folder.join("empty")).unwrap();
    insta::assert_snapshot!("no_run", elenchus(folder, &["compare", "half", "empty"]));
}

/// A shell's `runs/*` has the link too. The same seed run twice is one run, and a fork is another one.
#[test]
fn each_run_counts_once() {
    let folder = with_file();
    let folder = folder.path();
    elenchus(folder, &["run", "pipeline.toml", "--quiet"]);
    let less = ["--set", "loss.objective.combine.weighted.alpha=0.25"];
    elenchus(folder, &[&["run", "pipeline.toml", "--quiet"][..], &less].concat());
    elenchus(folder, &[&["fork", "runs/pipeline-1", "--batch", "2", "--quiet"][..], &less].concat());
    elenchus(folder, &["run", "pipeline.toml", "--quiet", "--out", "runs/again"]);
    let all = ["compare", "runs/again", "runs/latest", "runs/pipeline-1", "runs/pipeline-1-1", "runs/pipeline-2"];
    let program = env!("CARGO_BIN_EXE_elenchus-under-test");
    let output = Command::new(program).current_dir(folder).args(all).output().unwrap();
    let [said, warned] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(warned, "warning: runs/pipeline-1 has the settings and the seed of runs/again, and is left out\n");
    let row = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(&format!("| {name} "))).unwrap();
        line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("runs"), ["seed 3"; 3], "{said}");
    let origin = fs::canonicalize(folder).unwrap().join("runs/pipeline-1");
    assert_eq!(row("fork"), ["–", &format!("after batch 2 of {}", origin.display()), "–"]);
    assert_eq!(row("loss.objective.combine.weighted.alpha"), ["0.5", "0.25", "0.25"]);
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
