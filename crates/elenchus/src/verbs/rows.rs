//! `elenchus show RUN --table NAME`: the rows of a table, printed, as JSON, or in a file of their own.

use crate::{
    failure::{Exit, Failure},
    verbs::{command::print, snapshot::render},
};
use batch::{Run, TableError, manifest::Line};
use polars::prelude::{JsonFormat, JsonWriter, ParquetWriter, SerWriter};
use spec::settings::Snapshot;
use std::{
    fmt::Display,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Which rows, and what is done with them.
#[derive(Debug, Clone, clap::Args)]
pub struct Rows {
    /// Print rows of a table
    #[arg(long, value_name = "NAME", conflicts_with = "debate")]
    pub table: Option<String>,
    /// Those of this batch, from 0 [default: the last one that has any; with --json or --out, all]
    #[arg(long, value_name = "N", requires = "table")]
    batch: Option<u64>,
    /// How many to print, from the first
    #[arg(long, value_name = "N", requires = "table", default_value_t = 20, conflicts_with_all = ["json", "out"])]
    rows: usize,
    /// Print a JSON object for each row, one a line
    #[arg(long, requires = "table")]
    json: bool,
    /// Write the rows into a Parquet file
    #[arg(long, value_name = "FILE", requires = "table", conflicts_with = "json")]
    out: Option<PathBuf>,
}

/// Shows a table of a run.
pub fn show(root: &Path, table: &str, asked: &Rows) -> Result<Exit, Failure> {
    let run = Run::open(root)?;
    let batches = batches(&run, table, asked.batch)?;
    match &asked.out {
        Some(file) => {
            let rows = export(&run, table, &batches, file).inspect_err(|_| drop(fs::remove_file(file)))?;
            print(format!("{rows} rows of {table}: {}\n", file.display()))?;
        }
        None if asked.json => json(&run, table, &batches)?,
        None => {
            print(text(&run, table, batches.last(), asked.rows)?)?;
        }
    }
    Ok(Exit::Done)
}

/// The batches asked for that have rows of a table.
fn batches(run: &Run, table: &str, batch: Option<u64>) -> Result<Vec<u64>, Failure> {
    if !run.header().tables.contains_key(table) {
        let known = run.header().tables.keys().cloned().collect();
        return Err(TableError::Unknown { table: table.to_owned(), known }.into());
    }
    let committed = run.lines().len() as u64;
    if let Some(batch) = batch.filter(|batch| *batch >= committed) {
        return Err(TableError::NoBatch { batch, batches: committed }.into());
    }
    let has = |line: &&Line| line.tables.get(table).is_some_and(|part| part.rows > 0);
    let asked = |line: &&Line| batch.is_none_or(|batch| line.batch == batch);
    Ok(run.lines().iter().filter(asked).filter(has).map(|line| line.batch).collect())
}

/// The first rows of a batch.
fn text(run: &Run, table: &str, batch: Option<&u64>, rows: usize) -> Result<String, Failure> {
    let Some(&batch) = batch else { return Ok(format!("{table}: no rows\n")) };
    let read = run.table(table, batch)?;
    let settings = Snapshot { rows, decimals: 4, ..Snapshot::default() };
    let more = match read.height().saturating_sub(rows) {
        0 => String::new(),
        more => format!("and {more} more: --rows {}\n", read.height()),
    };
    Ok(format!("{table}, batch {batch}: {} rows\n\n{}{more}", read.height(), render::rows(&read, &settings)))
}

fn json(run: &Run, table: &str, batches: &[u64]) -> Result<(), Failure> {
    for &batch in batches {
        let mut lines = Vec::new();
        let mut writer = JsonWriter::new(&mut lines).with_json_format(JsonFormat::JsonLines);
        writer.finish(&mut run.table(table, batch)?).map_err(Failure::run)?;
        if !print(lines)? {
            break;
        }
    }
    Ok(())
}

/// Writes a table into a file; returns how many rows it has.
fn export(run: &Run, table: &str, batches: &[u64], file: &Path) -> Result<usize, Failure> {
    let unwritten = |error: &dyn Display| Failure::run(format!("`{}` cannot be written: {error}", file.display()));
    let none = batch::schema::empty(&run.header().tables[table]).map_err(Failure::run)?;
    let target = File::create(file).map_err(|error| unwritten(&error))?;
    let mut writer = ParquetWriter::new(target).batched(none.schema()).map_err(|error| unwritten(&error))?;
    let mut rows = 0;
    for &batch in batches {
        let read = run.table(table, batch)?;
        writer.write_batch(&read).map_err(|error| unwritten(&error))?;
        rows += read.height();
    }
    writer.finish().map_err(|error| unwritten(&error))?;
    Ok(rows)
}
