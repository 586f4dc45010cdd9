//! What is wrong with a pipeline file, as the user sees it. Files that `spec` and `plan` reject by themselves have their
//! snapshots in the crate `plan`; here are some of them drawn, and those that only the whole program can reject.

use spec::Sources;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("invalid")
}

/// The problems of a file of `tests/invalid`, drawn. Its first lines may say what goes over it: `#! --overlay FILE`,
/// `#! --set KEY=VALUE`.
fn drawn(name: &str) -> String {
    let file = folder().join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    let flags: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("#! ")).collect();
    let of = |flag: &str| flags.iter().filter_map(|line| line.strip_prefix(flag)).map(str::to_owned).collect();
    let overlays: Vec<String> = of("--overlay ");
    let overlays: Vec<PathBuf> = overlays.iter().map(|path| folder().join(path)).collect();
    reported(&Sources::open(&file, &overlays, &of("--set ")).unwrap(), &folder())
}

fn reported(sources: &Sources, folder: &Path) -> String {
    match elenchus::wiring::load::compile(sources, |_| {}) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => {
            elenchus::wiring::load::draw(&problems, sources).replace(&folder.display().to_string(), "FOLDER")
        }
    }
}

#[test]
fn every_invalid_file_is_rejected() {
    let paths = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_ne!(drawn(name), "no problems", "{name}");
    }
}

#[test]
fn the_file_that_others_go_over_is_valid() {
    assert_eq!(drawn("parts/whole.toml"), "no problems");
}

#[test]
fn problems_are_drawn_at_their_culprits() {
    insta::assert_snapshot!(drawn("five-at-once.toml"));
    insta::assert_snapshot!(drawn("overlay-and-set.toml"));
}

#[test]
fn a_question_file_that_is_not_there_and_one_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.jsonl"), "{\"question\": \"why?\"}\n{\"quest\": 1}\n").unwrap();
    let with = |file: &str| {
        let task = "task = { name = \"web-of-lies\", depth = [0, 3] }\nrows";
        let source = tests::small("web-of-lies", 2).replace(task, &format!("files = \"{file}\"\nrows"));
        reported(&Sources::of_text("pipeline.toml", folder.path(), &source), folder.path())
    };
    insta::assert_snapshot!(["absent.parquet", "broken.jsonl"].map(with).concat());
}

/// What only those find who open the files stands at the setting that is wrong, and at the path of the file.
#[test]
fn what_is_wrong_with_files_is_told_at_its_culprit() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("one.jsonl", "{\"question\": \"not True is\", \"answer\": \"#### False\"}\n");
    file("broken.jsonl", "{\"question\": \"not True is\", \"answer\": \"#### False\"}\n{\"question\": 3}\n");
    let problems = |stages: &str| {
        let source = format!("seed = 1\n{stages}\n");
        reported(&Sources::of_text("pipeline.toml", folder.path(), &source), folder.path())
    };
    let read =
        |files: &str| problems(&format!("[read.rows]\nrows = 5\n[read.rows.files]\npaths = \"one.jsonl\"\n{files}"));
    let asked = "[human.expert]\nscript = \"web-of-lies\"\n[read.rows]\nfiles = { paths = \"one.jsonl\", columns = { text = \"question\" } }\nrows = 5\nnumber = \"id\"\n[filter.few]\nfrom = \"rows\"\ncondition = \"id < 3\"\n[answer.asked]\nfrom = \"few\"\nhuman = \"expert\"";
    let reports = [
        read("columns = { text = \"questoin\" }"),
        read("columns = { gold = \"answer\" }\ngold_pattern = \"#### (.+\""),
        read("gold_pattern = \"#### (.+)\""),
        read("columns = { answer = \"question\" }"),
        problems("[sample.q]\nfiles = [\"one.jsonl\", \"broken.jsonl\"]\nrows = 2"),
        problems(
            "[read.q]\nfiles = \"one.jsonl\"\nrows = 2\n[join.j]\nfrom = \"q\"\nfiles = \"broken.jsonl\"\non = \"question\"",
        ),
        problems(asked),
    ];
    insta::assert_snapshot!(reports.concat());
}

#[test]
fn a_task_that_has_no_such_questions() {
    let reported =
        |text: &str| reported(&Sources::of_text("pipeline.toml", Path::new("/nowhere"), text), Path::new("/nowhere"));
    insta::assert_snapshot!(reported(&tests::small("web-of-lies", 2).replacen(
        "depth = [0, 3]",
        "depth = [0, 300]",
        1
    )));
    insta::assert_snapshot!(reported(&tests::small("boolean-expressions", 2).replacen(
        "depth = [0, 3]",
        "depth = [0, 3], trigger = 0.1",
        1
    )));
}
