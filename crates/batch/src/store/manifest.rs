//! The manifest: one line a batch, and a batch has happened when its line is on the disk. Everything that decides
//! about a run (what to resume, what to keep, what to believe) is decided from these lines.
//!
//! Each line is a JSON object whose last member, `check`, is a hash of what stands before it. The first line is the
//! header. A last line without its newline was being written when the run was killed: that batch has not happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use plan::{Key, Node, Plan, Recipe};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::durable::{self, Digest, FileError};

/// The version of the form of run folders. One more when an older program could not read it.
pub const FORMAT: u32 = 2;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`]
    pub format: u32,
    /// The version of the project that made the run.
    pub project: String,
    /// The key of the plan.
    pub plan: String,
    /// What bits depend on beside the plan, such as libtorch and the CPU.
    pub numerics: Recipe,
    /// The stages in the plan's order, each with what it depends on.
    pub stages: Vec<StageRecipe>,
    /// What each state depends on before the first batch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub initial: BTreeMap<String, Recipe>,
    /// The schema of each table.
    pub tables: BTreeMap<String, SchemaRef>,
    /// The run that the first batches were taken from as they are, if this is a fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<Fork>,
}

/// Where a run leaves another one's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The other run.
    pub run: String,
    /// The first batch of its own. The lines before have the other run's keys.
    pub batch: u64,
}

impl Header {
    /// What a plan has otherwise than the one that made the run.
    pub(crate) fn changes(&self, plan: &Plan) -> Vec<String> {
        let theirs: BTreeMap<&str, &Recipe> =
            self.stages.iter().map(|stage| (stage.name.as_str(), &stage.recipe)).collect();
        let none = Recipe::new();
        let of = |node: &Node| differing(&node.recipe, theirs.get(node.name.as_str()).copied().unwrap_or(&none));
        let states = plan.initial.keys().flat_map(|state| self.beginning(plan, state));
        plan.nodes.iter().flat_map(of).chain(states).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What a state begins with otherwise in a plan.
    pub(crate) fn beginning(&self, plan: &Plan, state: &str) -> Vec<String> {
        let of = |all: &BTreeMap<String, Recipe>| all.get(state).cloned().unwrap_or_default();
        differing(&of(&plan.initial), &of(&self.initial))
    }

    /// What is otherwise here than where the run was made.
    pub(crate) fn other_numerics(&self, here: &Recipe) -> String {
        let told = |what: &String| {
            let value = |recipe: &Recipe| recipe.get(what).cloned().unwrap_or_else(|| "unknown".to_owned());
            format!("{what} {} there, {} here", value(&self.numerics), value(here))
        };
        differing(&self.numerics, here).iter().map(told).collect::<Vec<_>>().join("; ")
    }
}

/// The entries in which two recipes differ.
pub(crate) fn differing(ours: &Recipe, theirs: &Recipe) -> Vec<String> {
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name)).cloned().collect()
}

/// What a stage depends on beside its inputs and states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRecipe {
    /// The stage.
    pub name: String,
    /// Its settings, and what else it depends on.
    pub recipe: Recipe,
}

/// What one batch came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which batch, from 0.
    pub batch: u64,
    /// The key of each stage's unit, in the order of [`Header::stages`].
    #[serde(with = "keys")]
    pub units: Vec<Key>,
    /// Each table's part.
    pub tables: BTreeMap<String, Part>,
    /// `STAGE.name` → value, all finite.
    pub metrics: BTreeMap<String, f64>,
    /// The checkpoint written after this batch, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
}

impl Line {
    /// What a stage noted: `STAGE.name` → value.
    pub(crate) fn metrics_of(&self, stage: &str) -> impl Iterator<Item = (&String, &f64)> {
        let of_stage = move |name: &str| name.strip_prefix(stage).is_some_and(|rest| rest.starts_with('.'));
        self.metrics.iter().filter(move |(name, _)| of_stage(name))
    }
}

/// One batch of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many rows.
    pub rows: u64,
    /// Where its bytes are; none where there are no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A stretch of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Whether the segment was written by another run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// Which segment, by its number.
    pub segment: u32,
    /// How many bytes stand before it.
    pub offset: u64,
    /// What it holds: a table as Parquet.
    pub digest: Digest,
}

impl Place {
    /// How many bytes of the segment stand before its end.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.digest.bytes
    }
}

/// The states that were written after a batch.
pub type Checkpoint = BTreeMap<String, Saved>;

/// A state as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its version: the key of the unit that last changed it.
    #[serde(with = "key")]
    pub version: Key,
    /// How many units had changed it.
    pub writes: u64,
    /// Its files.
    pub files: BTreeMap<String, Digest>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Keys are written as text.
mod key {
    use plan::Key;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(key: &Key, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Key, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod keys {
    use plan::Key;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(keys: &[Key], to: S) -> Result<S::Ok, S::Error> {
        keys.iter().map(Key::to_string).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Key>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
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
        Self::parse(path, &durable::read(path)?)
    }

    /// Reads no more than the header and the first batch.
    pub(crate) fn read_first(path: &Path) -> Result<Self, ManifestError> {
        let mut text = Vec::new();
        let mut read = || {
            let mut file = BufReader::new(File::open(path)?);
            file.read_until(b'\n', &mut text)?;
            file.read_until(b'\n', &mut text)
        };
        read().map_err(FileError::at("read", path))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &[u8]) -> Result<Self, ManifestError> {
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

    /// Writes a line, which is safe once [`Appender::force`] returns. What an earlier try left half written goes first.
    pub(crate) fn write(&mut self, line: &Line) -> Result<(), FileError> {
        let line = seal(line);
        let mut write = || {
            self.file.set_len(self.whole)?;
            self.file.write_all(&line)
        };
        write().map_err(FileError::at("write", &self.path))?;
        self.whole += line.len() as u64;
        Ok(())
    }

    /// Waits until all lines are on the disk.
    pub(crate) fn force(&self) -> Result<(), FileError> {
        self.file.sync_all().map_err(FileError::at("write", &self.path))
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

pub(crate) fn unseal<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
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
