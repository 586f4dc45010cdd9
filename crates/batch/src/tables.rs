//! Committed tables: one Parquet file for each table and batch, `tables/TABLE/BATCH.parquet`; none where there are no
//! rows.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use arrow_schema::Schema;
use polars::error::PolarsError;
use polars::frame::DataFrame;

use crate::durable::{self, Digest, FileError};
use crate::manifest::Part;
use crate::parquet;
use crate::schema::{self, Drift};
use crate::stage::Bundle;

/// A table that cannot be written, read or believed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Its file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The run has no table of this name.
    #[error("the run has no table `{table}`; it has {}", known.join(", "))]
    Unknown {
        /// As asked.
        table: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The run has no such batch.
    #[error("batch {batch} is not committed; the run has {batches}")]
    NoBatch {
        /// As asked.
        batch: u64,
        /// How many there are, from 0.
        batches: u64,
    },
    /// A committed file is missing, or is not what was written.
    #[error(
        "{cause}; restore the file from a copy, or cut `manifest.jsonl` off before the line of batch {batch} and \
         resume: it is computed again"
    )]
    Damaged {
        /// Its batch.
        batch: u64,
        /// Which file, and what is wrong with it.
        cause: FileError,
    },
    /// Bytes that no table can be made of, or a table that no bytes can be made of.
    #[error("table `{table}` has no form in Parquet: {cause}")]
    Form {
        /// The table.
        table: String,
        /// What polars says.
        cause: PolarsError,
    },
    /// The plan promises what no table can be.
    #[error("table `{table}`: {drift}")]
    Schema {
        /// The table.
        table: String,
        /// How.
        drift: Drift,
    },
}

/// The folder of a table.
pub(crate) fn folder(root: &Path, table: &str) -> PathBuf {
    root.join("tables").join(table)
}

/// The file of a part.
pub(crate) fn file(root: &Path, table: &str, batch: u64) -> PathBuf {
    folder(root, table).join(format!("{batch:06}.parquet"))
}

/// The batch that such a file is named by.
fn batch(file: &Path) -> Option<u64> {
    file.file_name()?.to_str()?.strip_suffix(".parquet")?.parse().ok()
}

/// What the manifest says of a table, and the bytes it says it of.
pub(crate) fn encode(table: &str, frame: &DataFrame) -> Result<(Part, Vec<u8>), TableError> {
    if frame.height() == 0 {
        return Ok((Part { rows: 0, file: None }, Vec::new()));
    }
    let bytes = parquet::encode(frame).map_err(|cause| TableError::Form { table: table.to_owned(), cause })?;
    Ok((Part { rows: frame.height() as u64, file: Some(Digest::of(&bytes)) }, bytes))
}

/// Writes one batch of all tables, and returns when all are on the disk. One thread each: forcing a file to the disk
/// is waiting, and a journalling file system lets those who wait together pay once.
pub(crate) fn write(root: &Path, batch: u64, tables: &Bundle) -> Result<BTreeMap<String, Part>, TableError> {
    thread::scope(|scope| {
        let writers = tables.iter().map(|(table, frame)| scope.spawn(move || write_part(root, batch, table, frame)));
        let writers: Vec<_> = writers.collect();
        writers.into_iter().map(|writer| writer.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

fn write_part(root: &Path, batch: u64, table: &str, frame: &DataFrame) -> Result<(String, Part), TableError> {
    let (part, bytes) = encode(table, frame)?;
    if part.file.is_some() {
        durable::write(&file(root, table, batch), &bytes)?;
        durable::force_folder(&folder(root, table))?;
    }
    Ok((table.to_owned(), part))
}

/// Reads one part and holds it against the manifest.
pub(crate) fn read(
    root: &Path,
    table: &str,
    batch: u64,
    part: &Part,
    schema: &Schema,
) -> Result<DataFrame, TableError> {
    let Some(digest) = &part.file else {
        return schema::empty(schema).map_err(|drift| TableError::Schema { table: table.to_owned(), drift });
    };
    let bytes = durable::read_verified(&file(root, table, batch), digest)
        .map_err(|cause| TableError::Damaged { batch, cause })?;
    parquet::decode(&bytes).map_err(|cause| TableError::Form { table: table.to_owned(), cause })
}

/// Removes the files of batches that were not committed, and what a kill left half written.
pub(crate) fn sweep(root: &Path, committed: u64) -> Result<(), FileError> {
    let doomed = |path: &&PathBuf| durable::is_unfinished(path) || batch(path).is_some_and(|batch| batch >= committed);
    for table in durable::list(&root.join("tables"))? {
        durable::list(&table)?.iter().filter(doomed).try_for_each(|path| durable::remove(path))?;
    }
    Ok(())
}
