//! Rows of files: where they are, which columns they have, and any stretch of them. Only a stretch is ever in memory,
//! so that a source may be larger than that.

mod form;
mod hub;
mod lines;
mod paths;

use std::path::Path;

use arrow_schema::SchemaRef;
use polars::prelude::{Column, DataFrame, DataType, PlSmallStr, PolarsError, Schema};
use regex::Regex;
use spec::{Problem, problem::instead, settings::Files};

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
    #[error("`{path}`, row {row}: {reason}; set `on_error = \"skip\"` to go on without it")]
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

/// Files of rows with the same columns, one after the other.
pub struct Source {
    parts: Vec<Part>,
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
        let problem = |(what, help): (String, String)| Problem::new(place.clone(), what).help(help);
        let names = renamed(first.schema(), &files.columns).map_err(|wrong| vec![problem(wrong)])?;
        let gold_pattern = pattern(files, first, &names).map_err(|wrong| vec![problem(wrong)])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        let schema = named_schema(first.schema(), &names);
        let schema = schema.map_err(|drift| vec![Problem::new(place.clone(), drift.to_string())])?;
        let parts: Vec<Part> = parts.into_iter().map(|(part, _)| part).collect();
        let all: u64 = parts.iter().map(Part::rows).sum();
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
        self.parts.iter().for_each(|part| part.fingerprint(&mut hasher));
        hasher.update(&self.rows.to_le_bytes());
        hasher.finalize()
    }

    /// The rows from `first` on, `count` of them or as many as there are.
    pub fn stretch(&self, first: u64, count: usize) -> Result<Stretch, SourceError> {
        let end = self.rows.min(first.saturating_add(count as u64));
        let mut stretch = Stretch { table: schema::empty(&self.schema)?, bad: Vec::new() };
        let mut start = 0;
        for part in &self.parts {
            let (from, to) = (first.max(start), end.min(start + part.rows()));
            if from < to {
                let mut read = part.stretch(from - start, (to - from) as usize)?;
                read.bad.iter_mut().for_each(|bad| bad.row += (from - first) as usize);
                stretch.table.vstack_mut(&self.named(read.table)?)?;
                stretch.bad.extend(read.bad);
            }
            start += part.rows();
        }
        Ok(stretch)
    }

    /// All rows; the first that cannot be read is an error.
    pub fn all(&self) -> Result<DataFrame, SourceError> {
        let Stretch { table, bad } = self.stretch(0, usize::try_from(self.rows).unwrap_or(usize::MAX))?;
        bad.into_iter().next().map_or(Ok(table), |bad| Err(bad.into_error()))
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
        let (first, part) = (first.path(), part.path());
        format!("`{part}` has columns {} where `{first}` has {}", describe(theirs), describe(ours))
    })
}

/// The name of each column in the files and in the pipeline, or what is wrong with the names and the remedy.
fn renamed(schema: &Schema, columns: &[(String, String)]) -> Result<Vec<(PlSmallStr, PlSmallStr)>, (String, String)> {
    for (_, there) in columns {
        if !schema.contains(there) {
            let help = instead(there, schema.iter_names().map(|name| name.as_str()));
            return Err((format!("the files have no column `{there}`"), help));
        }
    }
    let here = |there: &PlSmallStr| {
        let given = columns.iter().find(|(_, other)| there == other.as_str());
        (there.clone(), given.map_or_else(|| there.clone(), |(here, _)| PlSmallStr::from_str(here)))
    };
    let names: Vec<(PlSmallStr, PlSmallStr)> = schema.iter_names().map(here).collect();
    let twice = names.iter().enumerate().find(|(i, (_, here))| names[..*i].iter().any(|(_, other)| other == here));
    match twice {
        Some((_, (_, here))) => {
            let help = "give the other one another name in `columns` too".to_owned();
            Err((format!("two columns would be called `{here}`"), help))
        }
        None => Ok(names),
    }
}

fn pattern(files: &Files, first: &Part, names: &[(PlSmallStr, PlSmallStr)]) -> Result<Option<Regex>, (String, String)> {
    let Some(pattern) = &files.gold_pattern else { return Ok(None) };
    let gold = names.iter().find(|(_, here)| here == "gold").and_then(|(there, _)| first.schema().get(there));
    if gold != Some(&DataType::String) {
        let what = "`gold_pattern` takes something out of a column `gold` of text, and there is none";
        return Err((what.to_owned(), "name it: `columns = { gold = \"answer\" }`".to_owned()));
    }
    let wrong = |error: regex::Error| {
        let help = "the syntax is that of Rust's `regex`; a literal string keeps its backslashes: '#### (.+)'";
        (format!("`gold_pattern` is no regular expression: {error}"), help.to_owned())
    };
    Regex::new(pattern).map(Some).map_err(wrong)
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
