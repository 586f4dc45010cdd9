//! Segments: files in which the tables of many batches stand one after the other, each as Parquet. A batch is one write
//! and one wait for the disk, and a long run is a few files.
//!
//! What is committed never changes in place, because other runs may hold the same file under a name of their own: what
//! a kill left behind the last commit goes by way of a copy.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use polars::error::PolarsError;
use polars::frame::DataFrame;
use rayon::prelude::*;

use super::durable::{self, Digest, FileError};
use super::manifest::{Line, Part, Place};
use super::shared::identity;
use crate::parquet;
use crate::schema::{self, Drift};
use crate::stage::Bundle;

/// What this run wrote.
const OWN: &str = "segments";
/// What others wrote.
const SHARED: &str = "shared";
/// A segment that has come to this size is followed by a new one.
const FULL: u64 = 64 << 20;

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
    /// A committed table is missing, or is not what was written.
    #[error(
        "table `{table}` of batch {batch} is lost: {cause}; restore the file from a copy, or cut `manifest.jsonl` off \
         before the line of that batch and resume: what follows is computed again"
    )]
    Damaged {
        /// The table.
        table: String,
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

/// The file of a segment.
pub(crate) fn path(root: &Path, place: &Place) -> PathBuf {
    numbered(root, if place.shared { SHARED } else { OWN }, place.segment)
}

fn numbered(root: &Path, folder: &str, segment: u32) -> PathBuf {
    root.join(folder).join(format!("{segment:06}"))
}

/// The number that such a file is named by.
fn number(file: &Path) -> Option<u32> {
    file.file_name()?.to_str()?.parse().ok()
}

/// The bytes of a table; none where it has no rows.
pub(crate) fn encode(table: &str, frame: &DataFrame) -> Result<Vec<u8>, TableError> {
    if frame.height() == 0 {
        return Ok(Vec::new());
    }
    parquet::encode(frame).map_err(|cause| TableError::Form { table: table.to_owned(), cause })
}

/// Where the tables of a run's next batch go.
#[derive(Debug)]
pub(crate) struct Segments {
    root: PathBuf,
    segment: u32,
    /// How much of it is committed or about to be.
    length: u64,
    file: Option<File>,
    /// What was taken from others: the number of each file.
    shared: BTreeMap<(u64, u64), u32>,
}

impl Segments {
    /// Opens the segments of a run behind what its lines say is committed. Fails where less than that is there.
    pub(crate) fn open(root: &Path, lines: &[Line]) -> Result<Self, TableError> {
        for folder in [OWN, SHARED] {
            durable::create_folder(&root.join(folder))?;
        }
        durable::force_folder(root)?;
        let committed = committed(lines);
        check_lengths(root, lines, &committed)?;
        sweep(root, &committed)?;
        let last = committed.iter().rfind(|((shared, _), _)| !shared);
        let (segment, length) = last.map_or((0, 0), |((_, segment), end)| (*segment, *end));
        cut(&numbered(root, OWN, segment), length)?;
        let known = durable::list(&root.join(SHARED))?.into_iter();
        let shared = known.filter_map(|path| Some((identity(&path)?, number(&path)?))).collect();
        Ok(Segments { root: root.to_owned(), segment, length, file: None, shared })
    }

    /// The segment that is written, once there is one.
    pub(crate) fn current(&self) -> Option<u32> {
        self.file.as_ref().map(|_| self.segment)
    }

    /// How many segments were taken from others.
    pub(crate) fn shared(&self) -> usize {
        self.shared.len()
    }

    /// Makes another run's segment one of this run's, under a number of its own: a second name for the same file, or a
    /// copy where that cannot be.
    pub(crate) fn link(&mut self, theirs: &Path) -> Result<u32, FileError> {
        let identity = identity(theirs).unwrap_or_default();
        if let Some(&number) = self.shared.get(&identity) {
            return Ok(number);
        }
        let number = self.shared.values().max().map_or(0, |last| last + 1);
        let path = numbered(&self.root, SHARED, number);
        if fs::hard_link(theirs, &path).is_err() {
            durable::write(&path, &durable::read(theirs)?)?;
        }
        durable::force_folder(&self.root.join(SHARED))?;
        self.shared.insert(identity, number);
        Ok(number)
    }

    /// Writes tables one after the other, and returns when all are on the disk. A table without rows has no place.
    pub(crate) fn append(&mut self, tables: &Bundle) -> Result<BTreeMap<String, Part>, TableError> {
        if self.length >= FULL {
            (self.segment, self.length, self.file) = (self.segment + 1, 0, None);
        }
        let encoded = tables.par_iter().map(|(table, frame)| Ok((table, frame.height() as u64, encode(table, frame)?)));
        let encoded = encoded.collect::<Result<Vec<_>, TableError>>()?;
        let (segment, mut offset) = (self.segment, self.length);
        // The disk and the hash do not wait for each other.
        let (written, digests) = rayon::join(
            || self.write(encoded.iter().map(|(.., bytes)| bytes.as_slice())),
            || encoded.par_iter().map(|(.., bytes)| Digest::of(bytes)).collect::<Vec<_>>(),
        );
        written?;
        let mut part = |((table, rows, bytes), digest): ((&String, u64, Vec<u8>), Digest)| {
            let place = (!bytes.is_empty()).then_some(Place { shared: false, segment, offset, digest });
            offset += bytes.len() as u64;
            (table.clone(), Part { rows, place })
        };
        Ok(encoded.into_iter().zip(digests).map(&mut part).collect())
    }

    fn write<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) -> Result<(), FileError> {
        let mut pieces = pieces.filter(|piece| !piece.is_empty()).peekable();
        if pieces.peek().is_none() {
            return Ok(());
        }
        let path = numbered(&self.root, OWN, self.segment);
        let new = self.file.is_none() && !path.exists();
        let file = match &mut self.file {
            Some(file) => file,
            closed => {
                let opened = OpenOptions::new().create(true).append(true).open(&path);
                closed.insert(opened.map_err(FileError::at("write", &path))?)
            }
        };
        // What an earlier try left half written goes first.
        let mut length = self.length;
        let write = || {
            file.set_len(length)?;
            for piece in pieces {
                file.write_all(piece)?;
                length += piece.len() as u64;
            }
            file.sync_all()
        };
        write().map_err(FileError::at("write", &path))?;
        if new {
            durable::force_folder(&self.root.join(OWN))?;
        }
        self.length = length;
        Ok(())
    }
}

/// How far each segment is committed: of this run or of others, by its number.
type Committed = BTreeMap<(bool, u32), u64>;

fn committed(lines: &[Line]) -> Committed {
    let mut committed = Committed::new();
    for place in places(lines).map(|(.., place)| place) {
        let end = committed.entry((place.shared, place.segment)).or_default();
        *end = place.end().max(*end);
    }
    committed
}

/// Where each table of each batch is.
fn places(lines: &[Line]) -> impl Iterator<Item = (u64, &String, &Place)> {
    let all = lines.iter().flat_map(|line| line.tables.iter().map(move |(table, part)| (line.batch, table, part)));
    all.filter_map(|(batch, table, part)| Some((batch, table, part.place.as_ref()?)))
}

/// Finds the first table that a segment is too short for.
fn check_lengths(root: &Path, lines: &[Line], committed: &Committed) -> Result<(), TableError> {
    for (&(shared, segment), &end) in committed {
        let path = numbered(root, if shared { SHARED } else { OWN }, segment);
        let found = fs::metadata(&path).map(|found| found.len());
        let length = *found.as_ref().unwrap_or(&0);
        if length >= end {
            continue;
        }
        let short = format!("it has {length} bytes, and {end} are committed");
        let cause = found.err().unwrap_or_else(|| io::Error::new(ErrorKind::UnexpectedEof, short));
        let is_lost = |place: &Place| (place.shared, place.segment) == (shared, segment) && place.end() > length;
        if let Some((batch, table, _)) = places(lines).find(|(.., place)| is_lost(place)) {
            let (table, cause) = (table.clone(), FileError::at("read", &path)(cause));
            return Err(TableError::Damaged { table, batch, cause });
        }
    }
    Ok(())
}

/// Removes the segments that no committed batch is in, and what a kill left half written.
fn sweep(root: &Path, committed: &Committed) -> Result<(), FileError> {
    for (folder, shared) in [(OWN, false), (SHARED, true)] {
        let kept = |path: &Path| number(path).is_some_and(|segment| committed.contains_key(&(shared, segment)));
        for path in durable::list(&root.join(folder))? {
            if !kept(&path) {
                durable::remove(&path)?;
            }
        }
    }
    Ok(())
}

/// Leaves the first bytes of a file, in a copy that takes its place if there are more.
fn cut(path: &Path, length: u64) -> Result<(), FileError> {
    if fs::metadata(path).is_ok_and(|found| found.len() > length) {
        durable::write(path, &read_at(path, 0, length)?)?;
        durable::force_folder(path.parent().unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

fn read_at(path: &Path, offset: u64, length: u64) -> Result<Vec<u8>, FileError> {
    let read = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(FileError::at("read", path))
}

/// The bytes at a place, held against the manifest.
pub(crate) fn read_bytes(root: &Path, place: &Place) -> Result<Vec<u8>, FileError> {
    let path = path(root, place);
    let bytes = read_at(&path, place.offset, place.digest.bytes)?;
    if Digest::of(&bytes) == place.digest {
        return Ok(bytes);
    }
    let end = place.end();
    let changed = format!("bytes {} to {end} are not what was written, by the hash in the manifest", place.offset);
    Err(FileError::at("read", &path)(io::Error::new(ErrorKind::InvalidData, changed)))
}

/// Reads one batch of a table.
pub(crate) fn read(
    root: &Path,
    table: &str,
    batch: u64,
    part: &Part,
    schema: &Schema,
) -> Result<DataFrame, TableError> {
    let table = table.to_owned();
    let Some(place) = &part.place else {
        return schema::empty(schema).map_err(|drift| TableError::Schema { table, drift });
    };
    match read_bytes(root, place) {
        Ok(bytes) => parquet::decode(&bytes).map_err(|cause| TableError::Form { table, cause }),
        Err(cause) => Err(TableError::Damaged { table, batch, cause }),
    }
}
