//! The manifest: one line a batch, and a batch has happened when its line is on the disk. Everything that decides
//! about a run (what to resume, what to keep, what to believe) is decided from these lines.
//!
//! Each line is a JSON object whose last member, `check`, is a hash of what stands before it. The first line is the
//! header. A last line without its newline was being written when the run was killed: that batch has not happened.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::durable::{self, Digest, FileError};

/// The version of the form of run folders. One more when an older program could not read it.
pub const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`]
    pub format: u32,
    /// The version of the project that made the run.
    pub project: String,
    /// The key of the plan.
    pub plan: String,
    /// The schema of each table.
    pub tables: BTreeMap<String, SchemaRef>,
}

/// What one batch came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which batch, from 0.
    pub batch: u64,
    /// Each table's part.
    pub tables: BTreeMap<String, Part>,
    /// `STAGE.name` → value, all finite.
    pub metrics: BTreeMap<String, f64>,
    /// The files of the checkpoint written after this batch, if one was, as `STATE/FILE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<BTreeMap<String, Digest>>,
}

/// One batch of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many rows.
    pub rows: u64,
    /// The Parquet file; none where there are no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Digest>,
}

/// A manifest that cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line that is not what was written.
    #[error(
        "`{}`, line {line}: {what}; cut the file off before this line to have this batch and those after it computed \
         again, or restore the file from a copy",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The header is not what was written.
    #[error("`{}`, line 1: {what}; restore the file from a copy, or start the run in another folder", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The run was made by another version of the project, in another form.
    #[error(
        "`{}` is in format {format} of version {project}, and this program reads format {FORMAT}: use that version, \
         or start the run in another folder",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The version that made it.
        project: String,
    },
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The first line.
    pub header: Header,
    /// The committed batches, in order from 0.
    pub lines: Vec<Line>,
    /// How many bytes are whole lines; what follows was being written when the run was killed.
    pub(crate) whole: u64,
}

impl Manifest {
    /// Reads and checks a manifest.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let text = durable::read(path)?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let mut lines = text[..whole].split_inclusive(|&byte| byte == b'\n');
        let header = read_header(path, lines.next().unwrap_or_default())?;
        let damaged = |index: usize, what| ManifestError::Damaged { path: path.to_owned(), line: index + 2, what };
        let lines = lines.enumerate().map(|(index, line)| read_line(line, index).map_err(|what| damaged(index, what)));
        Ok(Manifest { header, lines: lines.collect::<Result<_, _>>()?, whole: whole as u64 })
    }
}

/// What every format's header has.
#[derive(Deserialize)]
struct Format {
    format: u32,
    project: String,
}

fn read_header(path: &Path, line: &[u8]) -> Result<Header, ManifestError> {
    let damaged = |what| ManifestError::Header { path: path.to_owned(), what };
    let Format { format, project } = unseal(line).map_err(damaged)?;
    if format != FORMAT {
        return Err(ManifestError::Format { path: path.to_owned(), format, project });
    }
    unseal(line).map_err(damaged)
}

fn read_line(line: &[u8], index: usize) -> Result<Line, String> {
    let line: Line = unseal(line)?;
    match line.batch == index as u64 {
        true => Ok(line),
        false => Err(format!("batch {} stands where batch {index} belongs", line.batch)),
    }
}

/// Where a run adds its lines.
#[derive(Debug)]
pub(crate) struct Appender {
    path: PathBuf,
    file: File,
    whole: u64,
}

impl Appender {
    /// Opens a manifest that was read.
    pub(crate) fn open(path: &Path, manifest: &Manifest) -> Result<Self, FileError> {
        let file = OpenOptions::new().append(true).open(path).map_err(FileError::at("write", path))?;
        Ok(Appender { path: path.to_owned(), file, whole: manifest.whole })
    }

    /// Commits a batch: when this returns, it has happened. What an earlier try left half written goes first.
    pub(crate) fn append(&mut self, line: &Line) -> Result<(), FileError> {
        let line = seal(line);
        let mut write = || {
            self.file.set_len(self.whole)?;
            self.file.write_all(&line)?;
            self.file.sync_all()
        };
        write().map_err(FileError::at("write", &self.path))?;
        self.whole += line.len() as u64;
        Ok(())
    }
}

/// What the last member of a line begins with.
const CHECK: &str = ",\"check\":\"";

/// A line with its checksum and newline.
pub(crate) fn seal<T: Serialize>(line: &T) -> Vec<u8> {
    let mut text = serde_json::to_string(line).expect("strings, whole and finite numbers have a form in JSON");
    let check = checksum(text.as_bytes());
    text.pop();
    format!("{text}{CHECK}{check}\"}}\n").into_bytes()
}

fn unseal<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let line = std::str::from_utf8(line).map_err(|_| "not text")?;
    let (body, check) = line.rsplit_once(CHECK).ok_or("no checksum")?;
    let body = format!("{body}}}");
    if check.strip_suffix("\"}\n") != Some(checksum(body.as_bytes()).as_str()) {
        return Err("the checksum is not that of the line".to_owned());
    }
    serde_json::from_str(&body).map_err(|error| error.to_string())
}

fn checksum(body: &[u8]) -> String {
    blake3::hash(body).to_hex()[..16].to_owned()
}
