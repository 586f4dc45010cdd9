//! Question files: Parquet, JSON lines, or BIG-Bench's JSON. Each row has a question and, where it is known, the
//! right answer.

use std::path::{Path, PathBuf};

use polars::frame::DataFrame;
use serde_json::Value;

use crate::parquet;
use crate::source::{Source, SourceError};
use crate::store::durable::{self, FileError};

/// A question as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRow {
    /// The question.
    pub text: String,
    /// The right answer.
    pub gold: Option<String>,
}

/// The names under which a question may stand; the first that is there counts.
const TEXT: [&str; 3] = ["text", "question", "input"];
/// The names under which its answer may stand.
const GOLD: [&str; 3] = ["gold", "answer", "target"];

/// A question file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QuestionsError {
    /// It could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of another kind.
    #[error("`{}` is no question file: its name ends in none of .parquet, .jsonl, .json", .0.display())]
    Kind(PathBuf),
    /// Rows of files that cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Rows of files that are no questions.
    #[error("{0}")]
    Rows(String),
    /// No question in it.
    #[error("`{}` has no questions", .0.display())]
    Empty(PathBuf),
    /// Something in it is not as expected.
    #[error("`{}`, {place}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it: a line, a row, an example, a column.
        place: String,
        /// What was found, and what was expected.
        what: String,
    },
}

/// What is wrong, and where, in a file not yet named.
type Wrong = (String, String);

/// Reads a question file; the end of its name says which kind it is.
pub fn read_questions(path: &Path) -> Result<Vec<QuestionRow>, QuestionsError> {
    let read = match path.extension().and_then(|extension| extension.to_str()) {
        Some("parquet") => parquet_rows,
        Some("jsonl") => json_lines,
        Some("json") => big_bench,
        _ => return Err(QuestionsError::Kind(path.to_owned())),
    };
    let wrong = |(place, what)| QuestionsError::Content { path: path.to_owned(), place, what };
    let rows = read(&durable::read(path)?).map_err(wrong)?;
    if rows.is_empty() { Err(QuestionsError::Empty(path.to_owned())) } else { Ok(rows) }
}

/// `{"question": "…", "answer": "…"}`, a line each.
fn json_lines(bytes: &[u8]) -> Result<Vec<QuestionRow>, Wrong> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let row = |(index, line): (usize, &[u8])| {
        let place = |error: &serde_json::Error| format!("line {}, column {}", index + 1, error.column());
        json_row(&parse(line, place)?, format!("line {}", index + 1))
    };
    lines.filter(|(_, line)| !line.trim_ascii().is_empty()).map(row).collect()
}

/// The questions among the rows of files, by the same names.
pub fn question_rows(source: &Source) -> Result<Vec<QuestionRow>, QuestionsError> {
    table_rows(&source.all()?).map_err(|(place, what)| QuestionsError::Rows(format!("{place}: {what}")))
}

/// `{"examples": [{"input": "…", "target": "…"}]}`
fn big_bench(bytes: &[u8]) -> Result<Vec<QuestionRow>, Wrong> {
    let file = parse(bytes, |error| format!("line {}, column {}", error.line(), error.column()))?;
    let Some(examples) = file.get("examples").and_then(Value::as_array) else {
        let expected = "expected BIG-Bench's form, {\"examples\": [{\"input\": \"…\", \"target\": \"…\"}]}";
        return Err(("top level".to_owned(), expected.to_owned()));
    };
    examples.iter().enumerate().map(|(index, row)| json_row(row, format!("example {}", index + 1))).collect()
}

fn parse(bytes: &[u8], place: impl FnOnce(&serde_json::Error) -> String) -> Result<Value, Wrong> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        (place(&error), format!("no JSON: {what}"))
    })
}

fn json_row(row: &Value, place: String) -> Result<QuestionRow, Wrong> {
    let text = json_text(row, TEXT).and_then(|text| text.ok_or_else(|| absent("keys", keys(row))));
    let row = text.and_then(|text| Ok(QuestionRow { text, gold: json_text(row, GOLD)? }));
    row.map_err(|what| (place, what))
}

/// The text under the first of these keys that is there and not null.
fn json_text(row: &Value, names: [&str; 3]) -> Result<Option<String>, String> {
    let found = names.into_iter().find_map(|name| Some((name, row.get(name).filter(|value| !value.is_null())?)));
    match found {
        None => Ok(None),
        Some((_, Value::String(text))) => Ok(Some(text.clone())),
        Some((name, other)) => Err(format!("`{name}` is {other}; expected text")),
    }
}

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().map(|row| row.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn absent(kind: &str, found: Vec<&str>) -> String {
    format!("no question: expected one of the {kind} {}; found {}", TEXT.join(", "), found.join(", "))
}

/// Columns of text, by the same names.
fn parquet_rows(bytes: &[u8]) -> Result<Vec<QuestionRow>, Wrong> {
    let table = parquet::decode(bytes).map_err(|error| ("the file".to_owned(), format!("no Parquet: {error}")))?;
    table_rows(&table)
}

fn table_rows(table: &DataFrame) -> Result<Vec<QuestionRow>, Wrong> {
    let names = || table.get_column_names().into_iter().map(|name| name.as_str()).collect();
    let texts = column(table, TEXT)?.ok_or_else(|| ("schema".to_owned(), absent("columns", names())))?;
    let golds = column(table, GOLD)?.unwrap_or_else(|| vec![None; table.height()]);
    let row = |(index, (text, gold)): (usize, (Option<String>, Option<String>))| {
        let text = text.ok_or_else(|| (format!("row {}", index + 1), "the question is null; expected text".to_owned()));
        Ok(QuestionRow { text: text?, gold })
    };
    texts.into_iter().zip(golds).enumerate().map(row).collect()
}

/// The first column of these names that is there.
fn column(table: &DataFrame, names: [&str; 3]) -> Result<Option<Vec<Option<String>>>, Wrong> {
    let Some(column) = names.into_iter().find_map(|name| table.column(name).ok()) else { return Ok(None) };
    let wrong = |_| {
        let what = format!("is {}; expected text", column.dtype());
        (format!("column `{}`", column.name()), what)
    };
    let texts = column.str().map_err(wrong)?;
    Ok(Some(texts.iter().map(|text| text.map(str::to_owned)).collect()))
}
