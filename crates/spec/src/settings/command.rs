//! A program of the user's, and the columns that it promises.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{File, OnError, Reference};

/// `[command.NAME]`: a program of the user's, given a table as an Arrow IPC stream and giving one back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Command {
    /// The table.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// The program and its arguments. It runs once for each batch, and not for two batches at a time.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("x-changes" = "tables"))]
    pub run: Vec<String>,
    /// Where it starts.
    #[schemars(extend("x-default" = "the folder of the pipeline file", "x-changes" = "tables"))]
    pub folder: File,
    /// The columns it gives back: `columns = { id = "u64", score = "f64?" }`.
    #[serde(serialize_with = "column_types")]
    #[schemars(schema_with = "types", extend("x-changes" = "tables"))]
    pub columns: Vec<Column>,
    /// How long it may take for a batch.
    #[serde(serialize_with = "duration")]
    #[schemars(with = "String", extend("default" = "10m", "x-changes" = "speed"))]
    pub time_limit: Duration,
    /// What becomes of a row on which it fails. Unless this is `"fail"`, the program must work row by row, and with no
    /// rows: a batch on which it fails is halved until the row is found. One on which it hangs stops the run.
    #[schemars(extend("default" = "fail", "x-changes" = "tables"))]
    pub on_error: OnError,
}

/// A column that a program promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// `"f64?"`: whether it may hold nulls.
    pub nullable: bool,
}

/// The type of a column, as Rust would call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `"bool"`
    Bool,
    /// `"i32"`
    I32,
    /// `"i64"`
    I64,
    /// `"u32"`
    U32,
    /// `"u64"`
    U64,
    /// `"f32"`
    F32,
    /// `"f64"`
    F64,
    /// `"str"`
    Str,
    /// `"[f32]"`
    List(Box<Kind>),
}

impl Kind {
    /// The words for types that are no lists.
    pub(crate) const WORDS: &[(&str, Kind)] = &[
        ("bool", Kind::Bool),
        ("i32", Kind::I32),
        ("i64", Kind::I64),
        ("u32", Kind::U32),
        ("u64", Kind::U64),
        ("f32", Kind::F32),
        ("f64", Kind::F64),
        ("str", Kind::Str),
    ];

    fn of(text: &str) -> Option<Self> {
        if let Some(items) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            return Some(Kind::List(Box::new(Kind::of(items)?)));
        }
        Kind::WORDS.iter().find(|(word, _)| *word == text).map(|(_, kind)| kind.clone())
    }

    fn word(&self) -> String {
        match self {
            Kind::List(items) => format!("[{}]", items.word()),
            plain => Kind::WORDS.iter().find(|(_, kind)| kind == plain).map_or("", |(word, _)| *word).to_owned(),
        }
    }
}

impl Column {
    /// A type and whether it may be null: `f64`, `f64?`, `[f64]`.
    pub(crate) fn kind_of(text: &str) -> Option<(Kind, bool)> {
        let (text, nullable) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
        Some((Kind::of(text)?, nullable))
    }
}

fn column_types<S: Serializer>(columns: &[Column], serializer: S) -> Result<S::Ok, S::Error> {
    let null = |column: &Column| if column.nullable { "?" } else { "" };
    serializer.collect_map(columns.iter().map(|column| (&column.name, column.kind.word() + null(column))))
}

fn duration<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*time))
}

fn types(_: &mut SchemaGenerator) -> Schema {
    let kind = json_schema!({ "type": "string", "pattern": r"^\[*(bool|[iu](32|64)|f(32|64)|str)\]*\??$" });
    json_schema!({ "type": "object", "additionalProperties": kind, "minProperties": 1 })
}
