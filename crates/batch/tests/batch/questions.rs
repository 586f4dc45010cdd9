//! Questions among the rows of files, and what is wrong with others.

use std::fs;

use batch::{QuestionRow, Source, question_rows};
use insta::assert_snapshot;
use polars::prelude::{DataFrame, df};
use spec::settings::{File, Files};
use tempfile::tempdir;

/// Reads files of these names with these bytes, and says what came of it. A problem stands at the place of its file,
/// which is its number.
fn check(files: &[(&str, &[u8])]) -> String {
    let folder = tempdir().expect("a folder");
    files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).expect("a file"));
    let path = |(i, (name, _)): (usize, &(&str, &[u8]))| File { path: (*name).to_owned(), span: i..i };
    let files = Files::new(files.iter().enumerate().map(path).collect());
    let show = |row: QuestionRow| format!("{:?} → {:?}", row.text, row.gold);
    let source = Source::open(&files, folder.path()).map_err(|mut problems| problems.remove(0));
    match source.and_then(|source| question_rows(&source)) {
        Ok(rows) => rows.into_iter().map(show).collect::<Vec<_>>().join("\n"),
        Err(problem) => {
            let message = problem.message.replace(&folder.path().display().to_string(), "DATA");
            format!("file {}: {message}", problem.span.start)
        }
    }
}

fn parquet(table: DataFrame) -> String {
    check(&[("questions.parquet", &batch::parquet::encode(&table).expect("a table"))])
}

#[test]
fn json_lines() {
    let lines = r#"{"question": "Is it so?", "answer": "Yes", "depth": 3}

{"text": "And this?"}
{"input": "Or that?", "target": null}"#;
    assert_snapshot!(check(&[("a.jsonl", lines.as_bytes())]));
    assert_snapshot!(check(&[("a.jsonl", b"{\"text\": \"?\"}\n{\"text\": \"?\",}")]));
    assert_snapshot!(check(&[("a.jsonl", b"{\"prompt\": \"?\", \"id\": 1}")]));
    assert_snapshot!(check(&[("a.jsonl", b"{\"text\": \"?\"}\n{\"text\": \"?\", \"gold\": 4}")]));
    assert_snapshot!(check(&[("a.jsonl", b"\n")]));
}

#[test]
fn other_forms() {
    let task = r#"{"canary": "…", "examples": [{"input": "not ( True ) is", "target": "False"}, {"input": "2 + 2"}]}"#;
    assert_snapshot!(check(&[("task.json", task.as_bytes())]));
    assert_snapshot!(check(&[("task.json", br#"{"examples": [{"input": "?"}, {"target": "!"}]}"#)]));
    assert_snapshot!(check(&[("a.csv", b"question,answer\n1?,one\n2?,\n")]));
    assert_snapshot!(check(&[("a.jsonl", b"{\"text\": \"?\"}\n"), ("b.jsonl", b"{\"text\": \"?\"}\n{\"text\": 1\n")]));
    assert_snapshot!(check(&[
        ("a.jsonl", b"{\"text\": \"?\"}\n"),
        ("b.jsonl", b"{\"text\": \"?\"}\n{\"text\": null}\n")
    ]));
}

#[test]
fn columns() {
    let table = df!("question" => ["1?", "2?"], "gold" => [Some("one"), None], "depth" => [1_u32, 2]);
    assert_snapshot!(parquet(table.unwrap()));
    assert_snapshot!(parquet(df!("text" => ["1?"], "gold" => ["one"], "answer" => [1_u32]).unwrap()));
    assert_snapshot!(parquet(df!("prompt" => ["1?"], "id" => [1_u32]).unwrap()));
    assert_snapshot!(parquet(df!("text" => [1_u32]).unwrap()));
}
