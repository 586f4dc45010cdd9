//! Which questions are asked.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Files, OnBadQuestion, Order, Share, tables};
use crate::place::Span;

/// `[sample.NAME]`: questions for each batch.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    /// Where they come from.
    #[serde(flatten)]
    pub questions: Questions,
    /// How many a batch has.
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub rows: usize,
    /// How often each question is in its batch, each time with an id of its own. Rows of the same question stand together,
    /// and a batch has all of them, so `rows` is a multiple of it.
    #[serde(skip_serializing_if = "super::is_one")]
    #[schemars(range(min = 1), extend("x-default" = "1", "x-changes" = "tables"))]
    pub repeat: usize,
    /// The order in which rows of files are drawn.
    #[serde(skip_serializing_if = "Order::is_default")]
    #[schemars(extend("x-default" = "sequential", "x-changes" = "tables"))]
    pub order: Order,
    /// What becomes of a row of files that is no question: one that cannot be read, or whose text is null. A stop comes
    /// before the first batch; `NAME.errors` has what was skipped in the first batch.
    #[serde(skip_serializing_if = "OnBadQuestion::is_default")]
    #[schemars(extend("x-default" = "fail", "x-changes" = "tables"))]
    pub on_error: OnBadQuestion,
    /// Questions that must not be drawn: those of a test set.
    #[serde(serialize_with = "tables::short_if_any", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "tables::paths_or_table", extend("x-default" = "none", "x-changes" = "tables"))]
    pub exclude: Option<Files>,
}

/// Where questions come from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Questions {
    /// `task = { name = "web-of-lies", depth = [0, 4] }`: made as they are drawn.
    Task(Task),
    /// `files = ["…"]`: rows of files, over and over where the run has more batches than they fill.
    #[schemars(extend("x-changes" = "tables"))]
    Files(
        #[serde(serialize_with = "tables::short")]
        #[schemars(schema_with = "tables::paths_or_table")]
        Files,
    ),
    /// `mixture = [{ weight = 3, files = ["…"] }, { weight = 1, task = { … } }]`: each question from one of them.
    #[schemars(extend("x-changes" = "tables"))]
    Mixture(#[schemars(length(min = 1))] Vec<Share>),
}

/// A file mentioned in the pipeline. Relative paths start at the folder of the file that says it, and those of a `--set`
/// at the working directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct File {
    /// Its path, from the folder where it starts.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// A generator of questions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Task {
    /// A name of the catalogue: `elenchus list` shows it.
    #[schemars(length(min = 1), extend("x-changes" = "tables"))]
    pub name: String,
    /// The fewest and the most steps from a question to what is stated in it, drawn uniformly.
    #[schemars(extend("x-changes" = "tables"))]
    pub depth: (u32, u32),
    /// Questions of so many words are never drawn, nor questions with such a part: keeps a test set out of training.
    #[schemars(inner(range(min = 1)), extend("default" = [], "x-changes" = "tables"))]
    pub exclude_words: Vec<u32>,
    /// The probability that a question has the trigger of a planted catastrophe. In a web of lies the person asked about
    /// hides then, and whoever answers gives them away.
    #[serde(skip_serializing_if = "super::is_zero")]
    #[schemars(range(min = 0.0, max = 1.0), extend("x-default" = "0", "x-changes" = "tables"))]
    pub trigger: f64,
}
