//! `elenchus snapshot` as a user meets it: written, compared, and said what differs.

use std::{fs, path::Path, process::Command};
use tests::small;

/// The exit code and what was said, with the folder's name left out.
fn snapshot(folder: &Path, arguments: &[&str], ci: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_elenchus-under-test"))
        .current_dir(folder)
        .env("CI", ci)
        .args([&["snapshot"], arguments].concat())
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    format!("exit {}\n{}", output.status.code().unwrap(), said.replace(folder.to_str().unwrap(), "FOLDER"))
}

/// A pipeline file that keeps a few columns, and one of its metrics for itself.
fn write(folder: &Path, source: &str) {
    let settings = "\n[snapshot]\nbatches = 1\nrows = 2\ncolumns = [\"question\", \"text\", \"by\"]\ndecimals = 1\n\
        volatile = [\"question\", \"step.supervised_norm\"]\n";
    fs::write(folder.join("pipeline.toml"), source.to_owned() + settings).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("snapshots")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_changes_is_shown_and_can_be_taken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, &small("web-of-lies", 2));
    let untouched = snapshot(folder, &["pipeline.toml"], "true");
    assert!(untouched.starts_with("exit 1\n") && untouched.contains("11 new of 11 snapshots"), "{untouched}");
    assert!(names(folder).iter().all(|name| name.ends_with(".snap.new")));

    insta::assert_snapshot!("written", snapshot(folder, &["pipeline.toml"], "false"));
    let written = names(folder);
    assert!(written.iter().all(|name| name.ends_with(".snap")));
    insta::assert_snapshot!("kept", fs::read_to_string(folder.join("snapshots/pipeline__arguments.snap")).unwrap());
    insta::assert_snapshot!("same", snapshot(folder, &["--check", "pipeline.toml"], "false"));
    assert_eq!(names(folder), written);

    write(
        folder,
        &small("web-of-lies", 2).replace("sample.questions", "sample.asked").replace("\"questions\"", "\"asked\""),
    );
    let changed = snapshot(folder, &["pipeline.toml"], "true");
    assert!(changed.starts_with("exit 1\n"), "{changed}");
    for said in [
        "pipeline__questions.snap is made no more",
        "+| [volatile] |",
        "-| [volatile] |",
        "2 gone of 11 snapshots",
        "for cargo insta, once: printf",
    ] {
        assert!(changed.contains(said), "{said}: {changed}");
    }
    assert!(names(folder).iter().any(|name| name == "pipeline__asked.snap.new"));

    snapshot(folder, &["pipeline.toml"], "");
    assert!(snapshot(folder, &["--check", "pipeline.toml"], "").starts_with("exit 0\n"));
    assert!(names(folder).iter().all(|name| name.ends_with(".snap") && !name.starts_with("pipeline__questions")));
}

#[test]
fn a_metric_that_is_hidden_in_vain_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &small("web-of-lies", 2));
    let file = folder.path().join("pipeline.toml");
    let source = fs::read_to_string(&file).unwrap().replace("step.supervised_norm", "step.supervized_norm");
    fs::write(&file, source).unwrap();
    insta::assert_snapshot!(snapshot(folder.path(), &["pipeline.toml"], ""));
}
