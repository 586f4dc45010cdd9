//! Runs of stages over plain tables: what becomes of rows that somebody cannot do, and of words that M does not know.

use batch::Run;
use std::{fs, path::Path};
use tests::{run, try_to_resume};

const QUESTIONS: [&str; 3] = [
    r#"{"text": "Question: Jim lies. Does Jim tell the truth?"}"#,
    r#"{"text": null}"#,
    r#"{"text": "Question: Inga lies. Does Inga tell the truth?"}"#,
];

const ASKED: &str = r#"
seed = 1
batches = 1

[model.agent]
new = { layers = 1, width = 16, heads = 2, context = 64 }

[human.expert]
script = "web-of-lies"

[read.rows]
files = "FOLDER/questions.jsonl"
rows = 9
number = "id"

[answer.asked]
from = "rows"
human = "expert"
"#;

/// A folder with questions, and what is asked of them.
fn scratch() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("questions.jsonl"), QUESTIONS.join("\n")).unwrap();
    let source = ASKED.replace("FOLDER", folder.path().to_str().unwrap());
    (folder, source)
}

fn metric(root: &Path, name: &str) -> Option<f64> {
    let run = Run::open(root).unwrap();
    let values: Vec<f64> = run.lines().iter().filter_map(|line| line.metrics.get(name).copied()).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[test]
fn a_question_that_is_null_is_refused_and_no_other() {
    let (folder, source) = scratch();
    let shown = |on_error: &str| {
        let root = folder.path().join(on_error);
        run(&format!("{source}on_error = \"{on_error}\"\n"), &root);
        let run = Run::open(&root).unwrap();
        ["asked", "asked.errors"].map(|table| run.table(table, 0).unwrap().to_string()).join("\n")
    };
    insta::assert_snapshot!(["skip", "null"].map(shown).join("\n"));
}

#[test]
fn a_question_that_is_null_stops_a_run_that_is_to_fail() {
    let (folder, source) = scratch();
    let root = folder.path().join("run");
    tests::create(&source, &root);
    insta::assert_snapshot!(try_to_resume(&source, &root).unwrap_err());
}

#[test]
fn excluded_rows_of_files_are_counted() {
    let (folder, source) = scratch();
    let text = r#"{"text": "Question:  Jim lies. Does Jim tell the truth?"}"#;
    fs::write(folder.path().join("excluded.jsonl"), text).unwrap();
    fs::write(folder.path().join("questions.jsonl"), [QUESTIONS[0], QUESTIONS[2]].join("\n")).unwrap();
    let place = folder.path().display();
    let sample = format!(
        "[sample.drawn]\nfiles = \"{place}/questions.jsonl\"\nexclude = \"{place}/excluded.jsonl\"\nrows = 1\n"
    );
    let root = folder.path().join("run");
    run(&format!("{}\n{sample}", source.replace("batches = 1", "batches = 3")), &root);
    assert_eq!(metric(&root, "drawn.excluded"), Some(1.0));
}

#[test]
fn m_knows_the_words_of_what_is_read_and_others_are_counted() {
    let (folder, source) = scratch();
    fs::write(folder.path().join("questions.jsonl"), [QUESTIONS[0], QUESTIONS[2]].join("\n")).unwrap();
    let source = source.replace("human = \"expert\"", "model = \"agent\"");
    let known = folder.path().join("known");
    run(&source, &known);
    assert_eq!(metric(&known, "asked.unknown_words"), None);
    let sql = "[sql.longer]\nfrom = \"rows\"\nquery = \"SELECT id, 'Zounds! ' || text AS text FROM rows\"\n";
    let (unknown, root) = (source.replace("from = \"rows\"", "from = \"longer\""), folder.path().join("unknown"));
    run(&format!("{unknown}\n{sql}"), &root);
    assert_eq!(metric(&root, "asked.unknown_words"), Some(4.0));
}
