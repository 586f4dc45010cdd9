//! What is wrong with a pipeline file, as the user sees it. Files that `spec` and `plan` reject by themselves have their
//! snapshots in the crate `plan`; here are some of them drawn, and those that only the whole program can reject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

/// The problems of a file of `tests/invalid`, drawn.
fn drawn(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("invalid");
    let source = std::fs::read_to_string(folder.join(name)).unwrap();
    reported(name, &source, &folder)
}

fn reported(name: &str, source: &str, folder: &Path) -> String {
    match elenchus::load::compile(source, folder, |_| {}) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => elenchus::load::draw(&problems, name, source).replace(&folder.display().to_string(), "FOLDER"),
    }
}

#[test]
fn every_invalid_file_is_rejected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("invalid");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert_ne!(drawn(&name), "no problems", "{name}");
    }
}

#[test]
fn problems_are_drawn_at_their_culprits() {
    insta::assert_snapshot!(drawn("five-at-once.toml"));
}

#[test]
fn a_question_file_that_is_not_there_and_one_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.jsonl"), "{\"question\": \"why?\"}\n{\"quest\": 1}\n").unwrap();
    let source = tests::small("web-of-lies", 2).replace(
        "task = { name = \"web-of-lies\", depth = [0, 3] }\nrows",
        "files = [\"absent.parquet\", \"broken.jsonl\"]\nrows",
    );
    insta::assert_snapshot!(reported("pipeline.toml", &source, folder.path()));
}

#[test]
fn a_task_that_has_no_such_questions() {
    let deep = tests::small("web-of-lies", 2).replacen("depth = [0, 3]", "depth = [0, 300]", 1);
    insta::assert_snapshot!(reported("pipeline.toml", &deep, Path::new("/nowhere")));
}
