//! Question files of each kind, and what is wrong with others.

use std::fs::{self, File};

use batch::{QuestionRow, read_questions};
use insta::assert_snapshot;
use polars::prelude::{DataFrame, df};
use tempfile::tempdir;

/// Reads a file of this name with these bytes, and says what came of it.
fn check(name: &str, bytes: &[u8]) -> String {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    let show = |row: QuestionRow| format!("{:?} → {:?}", row.text, row.gold);
    match read_questions(&path) {
        Ok(rows) => rows.into_iter().map(show).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string().replace(&folder.path().display().to_string(), "DATA"),
    }
}

fn parquet(table: DataFrame) -> String {
    check("questions.parquet", &batch::parquet::encode(&table).expect("a table"))
}

#[test]
fn json_lines() {
    let lines = r#"{"question": "Is it so?", "answer": "Yes", "depth": 3}

{"text": "And this?"}
{"input": "Or that?", "target": null}"#;
    assert_snapshot!(check("a.jsonl", lines.as_bytes()), @r#"
        "Is it so?" → Some("Yes")
        "And this?" → None
        "Or that?" → None
    "#);
    assert_snapshot!(check("a.jsonl", b"{\"text\": \"?\"}\n{\"text\": \"?\",}"), @"`DATA/a.jsonl`, line 2, column 14: no JSON: trailing comma");
    assert_snapshot!(check("a.jsonl", b"{\"prompt\": \"?\", \"id\": 1}"), @"`DATA/a.jsonl`, line 1: no question: expected one of the keys text, question, input; found prompt, id");
    assert_snapshot!(check("a.jsonl", b"{\"text\": \"?\"}\n{\"text\": \"?\", \"gold\": 4}"), @"`DATA/a.jsonl`, line 2: `gold` is 4; expected text");
    assert_snapshot!(check("a.jsonl", b"3"), @"`DATA/a.jsonl`, line 1: no question: expected one of the keys text, question, input; found");
    assert_snapshot!(check("a.jsonl", b"\n"), @"`DATA/a.jsonl` has no questions");
}

#[test]
fn big_bench() {
    let task = r#"{"canary": "…", "examples": [{"input": "not ( True ) is", "target": "False"}, {"input": "2 + 2"}]}"#;
    assert_snapshot!(check("task.json", task.as_bytes()), @r#"
        "not ( True ) is" → Some("False")
        "2 + 2" → None
    "#);
    assert_snapshot!(check("task.json", br#"[{"input": "?"}]"#), @r#"`DATA/task.json`, top level: expected BIG-Bench's form, {"examples": [{"input": "…", "target": "…"}]}"#);
    assert_snapshot!(check("task.json", b"{\"examples\": [\n{\"input\" \"?\"}]}"), @"`DATA/task.json`, line 2, column 10: no JSON: expected `:`");
    assert_snapshot!(check("task.json", br#"{"examples": [{"input": "?"}, {"target": "!"}]}"#), @"`DATA/task.json`, example 2: no question: expected one of the keys text, question, input; found target");
}

#[test]
fn parquet_columns() {
    let table = df!("question" => ["1?", "2?"], "gold" => [Some("one"), None], "depth" => [1_u32, 2]);
    assert_snapshot!(parquet(table.unwrap()), @r#"
        "1?" → Some("one")
        "2?" → None
    "#);
    assert_snapshot!(parquet(df!("input" => ["1?"]).unwrap()), @r#""1?" → None"#);
    assert_snapshot!(parquet(df!("prompt" => ["1?"], "id" => [1_u32]).unwrap()), @"`DATA/questions.parquet`, schema: no question: expected one of the columns text, question, input; found prompt, id");
    assert_snapshot!(parquet(df!("text" => [1_u32]).unwrap()), @"`DATA/questions.parquet`, column `text`: is u32; expected text");
    assert_snapshot!(parquet(df!("text" => [Some("?"), None]).unwrap()), @"`DATA/questions.parquet`, row 2: the question is null; expected text");
    assert_snapshot!(check("a.parquet", b"PAR0"), @"`DATA/a.parquet`, the file: no Parquet: parquet: File out of specification: A Parquet file must contain a header and footer with at least 12 bytes");
}

#[test]
fn other_files() {
    assert_snapshot!(check("questions.csv", b"text\n"), @"`DATA/questions.csv` is no question file: its name ends in none of .parquet, .jsonl, .json");
    let folder = tempdir().unwrap();
    File::create(folder.path().join("a.jsonl")).unwrap();
    let error = read_questions(&folder.path().join("b.jsonl")).unwrap_err();
    assert_snapshot!(error.to_string().replace(&folder.path().display().to_string(), "DATA"), @"cannot read `DATA/b.jsonl`: No such file or directory (os error 2)");
}
