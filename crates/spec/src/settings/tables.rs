//! Tables: rows of files, chosen, combined, handed to a program, answered, and written out again.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{File, Questions, Reference, Schedule, one_or_some, schedule};
use crate::place::Span;

/// Where rows come from: `files = ["…"]`, or `files = { paths = ["…"], … }` where there is more to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Files {
    /// Parquet, JSON lines, CSV, Arrow IPC, BIG-Bench JSON; patterns such as `questions/*.parquet`; folders as Hugging
    /// Face has them. One after the other.
    #[schemars(schema_with = "one_or_some_files", extend("x-changes" = "tables"))]
    pub paths: Vec<File>,
    /// Which split of a Hugging Face folder. Default: the only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub split: Option<String>,
    /// Which of the `configs:` of its README. Default: the one marked as default, or the only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub config: Option<String>,
    /// `columns = { text = "question" }`: a name here, and the name in the files.
    #[serde(serialize_with = "pairs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names", extend("x-default" = "names as in the files", "x-changes" = "tables"))]
    pub columns: Vec<(String, Reference)>,
    /// A regular expression whose first group, or whole where it has none, is taken out of the column `gold`: GSM8K's
    /// answers end in `#### 42`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub gold_pattern: Option<Pattern>,
    /// No more rows than this, from the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub limit: Option<u64>,
}

/// A regular expression, kept with its place until the files are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

impl Files {
    /// All rows of some files, as they are.
    pub fn new(paths: Vec<File>) -> Self {
        Files { paths, split: None, config: None, columns: Vec::new(), gold_pattern: None, limit: None }
    }
}

/// The order in which rows of files are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// `"sequential"`: as in the files.
    Sequential,
    /// `"shuffled"`: each once before any comes again, in another order each time.
    Shuffled,
    /// `"with-replacement"`: any at any time.
    WithReplacement,
}

impl Order {
    pub(crate) fn is_default(&self) -> bool {
        *self == Order::Sequential
    }
}

/// One of the sources of a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Share {
    /// How often it is drawn from, beside the weights of the others.
    #[schemars(extend("exclusiveMinimum" = 0, "x-changes" = "tables"))]
    pub weight: f64,
    /// The source.
    #[serde(flatten)]
    pub questions: Questions,
}

/// What becomes of a row that a stage cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// `"fail"`: the run stops.
    Fail,
    /// `"skip"`: the row is left out, counted, and kept with the reason in `NAME.errors`.
    Skip,
    /// `"null"`: as with skip, but the row stays, with nulls where there is nothing.
    Null,
}

/// What becomes of a question that cannot be asked. It has no place among the others, so it cannot stay with nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBadQuestion {
    /// `"fail"`: the run stops.
    Fail,
    /// `"skip"`: it is left out, counted, and kept with the reason in `NAME.errors`.
    Skip,
}

impl OnBadQuestion {
    pub(crate) fn is_default(&self) -> bool {
        *self == OnBadQuestion::Fail
    }
}

/// `[read.NAME]`: the rows of files, in order, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Read {
    /// Where they come from.
    #[serde(serialize_with = "short")]
    #[schemars(schema_with = "paths_or_table", extend("x-changes" = "tables"))]
    pub files: Files,
    /// How many a batch has.
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub rows: usize,
    /// A column of this name is put first, and numbers the rows from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub number: Option<String>,
    /// What becomes of a row that cannot be read.
    #[schemars(extend("default" = "fail", "x-changes" = "tables"))]
    pub on_error: OnError,
    /// Whether the table is kept in the run's folder.
    #[schemars(extend("default" = true, "x-changes" = "tables"))]
    pub keep: bool,
}

/// `[filter.NAME]`: the rows for which a condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Filter {
    /// The table.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// An SQL expression on its columns: `depth > 2 and text like '%lies%'`. Null is not true.
    #[schemars(length(min = 1), extend("x-changes" = "tables"))]
    pub condition: String,
    /// Whether the table is kept in the run's folder.
    #[schemars(extend("default" = true, "x-changes" = "tables"))]
    pub keep: bool,
}

/// `[sql.NAME]`: what a query makes of the tables of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sql {
    /// The tables, by their own names; `arguments.calls` is called `arguments_calls`.
    #[schemars(schema_with = "one_or_some", extend("x-changes" = "tables"))]
    pub from: Vec<Reference>,
    /// A `SELECT`. Rows keep the order of those they are made of, and groups that of their first rows, unless an `ORDER
    /// BY` says otherwise.
    #[schemars(length(min = 1), extend("x-changes" = "tables"))]
    pub query: String,
    /// Whether the table is kept in the run's folder.
    #[schemars(extend("default" = true, "x-changes" = "tables"))]
    pub keep: bool,
}

/// `[join.NAME]`: the rows of a table beside those of another with the same keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Join {
    /// The table on the left, whose order is kept.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// What stands on the right.
    #[serde(flatten)]
    pub with: With,
    /// The keys, left and right: `on = ["id"]`, or `on = { id = "question" }`.
    #[serde(serialize_with = "pairs")]
    #[schemars(schema_with = "keys", extend("x-changes" = "tables"))]
    pub on: Vec<(String, String)>,
    /// Which rows there are.
    #[schemars(extend("default" = "inner", "x-changes" = "tables"))]
    pub how: How,
    /// Put after the name of a column on the right that the left has too.
    #[schemars(length(min = 1), extend("default" = "_right", "x-changes" = "tables"))]
    pub suffix: String,
    /// Whether the table is kept in the run's folder.
    #[schemars(extend("default" = true, "x-changes" = "tables"))]
    pub keep: bool,
}

/// The right side of a join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum With {
    /// `with = "solutions"`: a table of the same batch.
    #[serde(rename = "with")]
    #[schemars(extend("x-changes" = "tables"))]
    Table(Reference),
    /// `files = ["…"]`: all rows of some files, in every batch; they are held in memory.
    #[schemars(extend("x-changes" = "tables"))]
    Files(
        #[serde(serialize_with = "short")]
        #[schemars(schema_with = "paths_or_table")]
        Files,
    ),
}

/// Which rows a join has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// `"inner"`: one for each pair of rows with the same keys.
    Inner,
    /// `"left"`: those, and the rows on the left without a partner, with nulls.
    Left,
    /// `"semi"`: the rows on the left that have a partner.
    Semi,
    /// `"anti"`: the rows on the left that have none.
    Anti,
}

/// `[write.NAME]`: a table as a dataset folder that Hugging Face's `datasets` opens. It is there, whole, once the run
/// has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Write {
    /// The table.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// The folder, which must not be there. Default: `datasets/NAME` in that of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "datasets"))]
    pub folder: Option<File>,
    /// What the split is called.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.]+$"), extend("default" = "train", "x-changes" = "tables"))]
    pub split: String,
    /// What the dataset card says of it. Default: how it came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "datasets"))]
    pub description: Option<String>,
}

/// `[answer.NAME]`: an answer to each question of a table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Answer {
    /// The questions.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// Who answers.
    #[serde(flatten)]
    pub by: By,
    /// What becomes of a question that cannot be answered: one whose id or text is null, whose id came before in the
    /// batch, or that is too long for the model.
    #[schemars(extend("default" = "fail", "x-changes" = "tables"))]
    pub on_error: OnError,
}

/// Who answers a table of questions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// `amplify = "speaker"`: M, or H who may consult M.
    #[schemars(extend("x-changes" = "tables"))]
    Amplify(Reference),
    /// `model = { name = "agent", … }`: M alone.
    #[schemars(extend("x-changes" = "tables"))]
    Model(#[schemars(schema_with = "name_or_table")] Sampled),
    /// `human = "expert"`: H alone.
    #[schemars(extend("x-changes" = "tables"))]
    Human(Reference),
}

/// A model and how it is sampled.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sampled {
    /// M.
    #[schemars(extend("x-changes" = "tables"))]
    pub name: Reference,
    /// 0 takes the likeliest token.
    #[schemars(schema_with = "schedule::not_negative", extend("default" = 0.0, "x-changes" = "tables"))]
    pub temperature: Schedule,
    /// The longest answer, in tokens.
    #[schemars(range(min = 1), extend("default" = 16, "x-changes" = "tables"))]
    pub max_tokens: usize,
}

/// Paths alone are written as a list.
pub(super) fn short<S: Serializer>(files: &Files, serializer: S) -> Result<S::Ok, S::Error> {
    if *files == Files::new(files.paths.clone()) {
        files.paths.serialize(serializer)
    } else {
        files.serialize(serializer)
    }
}

pub(super) fn short_if_any<S: Serializer>(files: &Option<Files>, serializer: S) -> Result<S::Ok, S::Error> {
    match files {
        Some(files) => short(files, serializer),
        None => serializer.serialize_none(),
    }
}

fn pairs<S: Serializer>(pairs: &[(String, impl Serialize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// One path, several, or a table that says more of them.
pub(super) fn paths_or_table(generator: &mut SchemaGenerator) -> Schema {
    let (paths, table) = (one_or_some_files(generator), generator.subschema_for::<Files>());
    json_schema!({ "anyOf": [paths, table] })
}

fn one_or_some_files(generator: &mut SchemaGenerator) -> Schema {
    let file = generator.subschema_for::<File>();
    json_schema!({ "anyOf": [file, { "type": "array", "items": file, "minItems": 1 }] })
}

fn name_or_table(generator: &mut SchemaGenerator) -> Schema {
    let (name, table) = (generator.subschema_for::<Reference>(), generator.subschema_for::<Sampled>());
    json_schema!({ "anyOf": [name, table] })
}

/// A table of names by names.
fn names(_: &mut SchemaGenerator) -> Schema {
    let name = json_schema!({ "type": "string", "minLength": 1 });
    json_schema!({ "type": "object", "additionalProperties": name, "minProperties": 1 })
}

/// Names that both sides have, or a table of pairs.
fn keys(generator: &mut SchemaGenerator) -> Schema {
    let name = json_schema!({ "type": "string", "minLength": 1 });
    json_schema!({ "anyOf": [name, { "type": "array", "items": name, "minItems": 1 }, names(generator)] })
}
