//! Rows of files: where they are, which columns they have, and any stretch of them. Only a stretch is ever in memory,
//! so that a source may be larger than that.

mod form;
mod hub;
mod lines;
mod paths;

use std::ops::ControlFlow;
use std::path::Path;

use arrow_schema::SchemaRef;
use polars::prelude::{Column, DataFrame, DataType, PlSmallStr, PolarsError, Schema};
use regex::Regex;
use spec::{
    Problem, Span,
    problem::instead,
    settings::{Files, Pattern, Reference},
};

use crate::schema::{self, Drift};
use crate::store::durable::FileError;

use form::Part;

/// A file that rows cannot be had from.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something in it is not as expected.
    #[error("`{path}`: {what}")]
    Content {
        /// The file.
        path: String,
        /// What was found, and what was expected.
        what: String,
    },
    /// A row of it cannot be read.
    #[error("`{path}`, row {row}: {reason}")]
    Row {
        /// The file.
        path: String,
        /// From 1.
        row: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Rows that no table can be made of.
    #[error(transparent)]
    Table(#[from] PolarsError),
    /// A column of a type that tables do not have.
    #[error(transparent)]
    Type(#[from] Drift),
}

impl SourceError {
    /// The file that it is about, where it is about one.
    fn path(&self) -> Option<&Path> {
        match self {
            SourceError::File(error) => Some(&error.path),
            SourceError::Content { path, .. } | SourceError::Row { path, .. } => Some(Path::new(path)),
            SourceError::Table(_) | SourceError::Type(_) => None,
        }
    }
}

/// A stretch of rows.
#[derive(Debug, Default)]
pub struct Stretch {
    /// The rows. One that cannot be read is all null.
    pub table: DataFrame,
    /// The rows that cannot be read.
    pub bad: Vec<BadRow>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its place in the stretch, from 0.
    pub row: usize,
    /// Its file.
    pub path: String,
    /// Its place in the file, from 1.
    pub row_of_file: u64,
    /// What is wrong with it.
    pub reason: String,
    /// What stands there.
    pub content: String,
}

/// So many rows are in memory at a time where all are looked at.
const SOME: usize = 10_000;

/// Files of rows with the same columns, one after the other.
pub struct Source {
    /// Each file, and where the pipeline names it.
    parts: Vec<(Part, Span)>,
    /// The columns of the files: the name there, and the name here.
    names: Vec<(PlSmallStr, PlSmallStr)>,
    schema: SchemaRef,
    gold_pattern: Option<Regex>,
    rows: u64,
}

impl Source {
    /// Finds the files and looks at their columns; relative paths start at `folder`. What is wrong stands at the path
    /// it is wrong with.
    pub fn open(files: &Files, folder: &Path) -> Result<Self, Vec<Problem>> {
        let (mut parts, mut problems) = (Vec::new(), Vec::new());
        for file in &files.paths {
            let problem = |what: String| Problem::new(file.span.clone(), what);
            match paths::find(&folder.join(&file.path), files.split.as_deref(), files.config.as_deref()) {
                Ok(found) => {
                    for path in found {
                        match Part::open(&path) {
                            Ok(part) => parts.push((part, file.span.clone())),
                            Err(error) => problems.push(problem(error.to_string())),
                        }
                    }
                }
                Err(what) => problems.push(problem(what)),
            }
        }
        let Some((first, place)) = parts.first() else { return Err(problems) };
        for (part, place) in &parts[1..] {
            problems.extend(other_columns(first, part).map(|what| Problem::new(place.clone(), what)));
        }
        let names = renamed(first.schema(), &files.columns).map_err(|problem| vec![problem])?;
        let gold_pattern = pattern(files, first, &names).map_err(|problem| vec![problem])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        let schema = named_schema(first.schema(), &names);
        let schema = schema.map_err(|drift| vec![Problem::new(place.clone(), drift.to_string())])?;
        let all: u64 = parts.iter().map(|(part, _)| part.rows()).sum();
        let rows = files.limit.map_or(all, |limit| all.min(limit));
        Ok(Source { parts, names, schema, gold_pattern, rows })
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What its rows depend on: each file's place, size and time of change. Their content would take longer to read
    /// than a resumed run has time for.
    pub fn fingerprint(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        self.parts.iter().for_each(|(part, _)| part.fingerprint(&mut hasher));
        hasher.update(&self.rows.to_le_bytes());
        hasher.finalize()
    }

    /// The rows from `first` on, `count` of them or as many as there are.
    pub fn stretch(&self, first: u64, count: usize) -> Result<Stretch, SourceError> {
        let end = self.rows.min(first.saturating_add(count as u64));
        let mut stretch = Stretch { table: schema::empty(&self.schema)?, bad: Vec::new() };
        let mut start = 0;
        for (part, _) in &self.parts {
            let (from, to) = (first.max(start), end.min(start + part.rows()));
            if from < to {
                let read = part.stretch(from - start, (to - from) as usize);
                // Whatever is read of a file that has changed is not what the plan was made of.
                let is_short = read.as_ref().is_ok_and(|read| read.table.height() as u64 != to - from);
                if is_short || !part.is_as_opened()? {
                    return Err(part.changed());
                }
                let mut read = read?;
                read.bad.iter_mut().for_each(|bad| bad.row += (from - first) as usize);
                stretch.table.vstack_mut(&self.named(read.table)?)?;
                stretch.bad.extend(read.bad);
            }
            start += part.rows();
        }
        Ok(stretch)
    }

    /// All rows; what cannot be read is a problem at the path of its file.
    pub fn all(&self) -> Result<DataFrame, Problem> {
        let Stretch { table, bad } = self.whole()?;
        bad.first().map_or(Ok(table), |bad| Err(self.problem_with(bad)))
    }

    /// All rows, with those that cannot be read.
    pub(crate) fn whole(&self) -> Result<Stretch, Problem> {
        let all = self.stretch(0, usize::try_from(self.rows).unwrap_or(usize::MAX));
        all.map_err(|error| self.problem_of(&error))
    }

    /// Shows all rows, some at a time, to somebody who may have seen enough. Those that cannot be read are all null.
    pub fn visit(&self, mut visit: impl FnMut(&DataFrame) -> ControlFlow<()>) -> Result<(), Problem> {
        for first in (0..self.rows).step_by(SOME) {
            let stretch = self.stretch(first, SOME).map_err(|error| self.problem_of(&error))?;
            if visit(&stretch.table).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// What is wrong with a row, at the path of its file.
    pub fn problem_with(&self, bad: &BadRow) -> Problem {
        self.problem_of(&bad.clone().into_error())
    }

    fn problem_of(&self, error: &SourceError) -> Problem {
        Problem::new(self.place_of(error.path()), error.to_string())
    }

    /// Where the pipeline names a file, or the first of them all.
    fn place_of(&self, path: Option<&Path>) -> Span {
        let named = self.parts.iter().find(|(part, _)| path.is_some_and(|path| part.path() == path));
        named.or(self.parts.first()).map_or(0..0, |(_, place)| place.clone())
    }

    /// What is wrong with all rows.
    pub(crate) fn problem(&self, what: &str) -> Problem {
        let (part, place) = self.parts.first().expect("a source has files");
        Problem::new(place.clone(), format!("`{}`: {what}", part.path().display()))
    }

    /// A row, by its place among all, that can be read and yet is not what it should be.
    pub(crate) fn bad_row(&self, row: usize, reason: &str, content: String) -> BadRow {
        let mut of_file = row as u64;
        let holds = |(part, _): &&(Part, Span)| {
            let holds = of_file < part.rows();
            of_file -= if holds { 0 } else { part.rows() };
            holds
        };
        let (part, _) = self.parts.iter().find(holds).expect("a source has the row");
        let (path, row_of_file) = (part.path().display().to_string(), of_file + 1);
        BadRow { row, path, row_of_file, reason: reason.to_owned(), content }
    }

    /// The columns under their names in the pipeline.
    fn named(&self, table: DataFrame) -> Result<DataFrame, SourceError> {
        let columns = self.names.iter().map(|(there, here)| Ok(table.column(there)?.clone().with_name(here.clone())));
        let mut columns: Vec<Column> = columns.collect::<Result<_, PolarsError>>()?;
        if let Some(pattern) = &self.gold_pattern {
            for column in columns.iter_mut().filter(|column| column.name() == "gold") {
                *column = taken_out(column, pattern)?;
            }
        }
        Ok(DataFrame::new(table.height(), columns)?)
    }
}

impl BadRow {
    /// The row as a reason to stop.
    pub fn into_error(self) -> SourceError {
        SourceError::Row { path: self.path, row: self.row_of_file, reason: self.reason }
    }
}

/// What is wrong with the columns of a file that is to stand behind another.
fn other_columns(first: &Part, part: &Part) -> Option<String> {
    let describe = |schema: &Schema| {
        let columns: Vec<String> = schema.iter().map(|(name, dtype)| format!("{name} {dtype}")).collect();
        columns.join(", ")
    };
    let (ours, theirs) = (first.schema(), part.schema());
    let same = theirs.len() == ours.len() && ours.iter().all(|(name, dtype)| theirs.get(name) == Some(dtype));
    (!same).then(|| {
        let (first, part) = (first.path().display(), part.path().display());
        format!("`{part}` has columns {} where `{first}` has {}", describe(theirs), describe(ours))
    })
}

/// The name of each column in the files and in the pipeline, or what is wrong with the names.
fn renamed(schema: &Schema, columns: &[(String, Reference)]) -> Result<Vec<(PlSmallStr, PlSmallStr)>, Problem> {
    for (_, Reference { name, span }) in columns {
        if !schema.contains(name) {
            let help = instead(name, schema.iter_names().map(|name| name.as_str()));
            return Err(Problem::new(span.clone(), format!("the files have no column `{name}`")).help(help));
        }
    }
    let here = |there: &PlSmallStr| {
        let given = columns.iter().find(|(_, other)| there == other.name.as_str());
        (there.clone(), given.map_or_else(|| there.clone(), |(here, _)| PlSmallStr::from_str(here)))
    };
    let names: Vec<(PlSmallStr, PlSmallStr)> = schema.iter_names().map(here).collect();
    let twice = names.iter().enumerate().find(|(i, (_, here))| names[..*i].iter().any(|(_, other)| other == here));
    match twice {
        Some((_, (_, here))) => {
            // Names in a file differ, so one of the two was given in `columns`.
            let given = columns.iter().find(|(name, _)| here == name.as_str());
            let place = given.map_or(0..0, |(_, there)| there.span.clone());
            let help = "give the other one another name in `columns` too";
            Err(Problem::new(place, format!("two columns would be called `{here}`")).help(help))
        }
        None => Ok(names),
    }
}

fn pattern(files: &Files, first: &Part, names: &[(PlSmallStr, PlSmallStr)]) -> Result<Option<Regex>, Problem> {
    let Some(Pattern { text, span }) = &files.gold_pattern else { return Ok(None) };
    let gold = names.iter().find(|(_, here)| here == "gold").and_then(|(there, _)| first.schema().get(there));
    if gold != Some(&DataType::String) {
        let what = "`gold_pattern` takes something out of a column `gold` of text, and there is none";
        return Err(Problem::new(span.clone(), what).help("name it: `columns = { gold = \"answer\" }`"));
    }
    let wrong = |error: regex::Error| {
        let help = "the syntax is that of Rust's `regex`; a literal string keeps its backslashes: '#### (.+)'";
        Problem::new(span.clone(), format!("`gold_pattern` is no regular expression: {error}")).help(help)
    };
    Regex::new(text).map(Some).map_err(wrong)
}

fn named_schema(schema: &Schema, names: &[(PlSmallStr, PlSmallStr)]) -> Result<SchemaRef, Drift> {
    let field = |(there, here): &(PlSmallStr, PlSmallStr)| {
        schema::field(here, schema.get(there).expect("the names are those of the schema"))
    };
    let fields = names.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Ok(std::sync::Arc::new(arrow_schema::Schema::new(fields)))
}

/// The first group of the pattern, or all it matches; null where it matches nothing.
fn taken_out(column: &Column, pattern: &Regex) -> Result<Column, PolarsError> {
    let take = |text: &str| {
        let found = pattern.captures(text)?;
        Some(found.get(1).or_else(|| found.get(0))?.as_str().trim().to_owned())
    };
    let texts: Vec<Option<String>> = column.str()?.iter().map(|text| text.and_then(take)).collect();
    Ok(Column::new(column.name().clone(), texts))
}
