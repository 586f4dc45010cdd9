//! A run's folder, held by the one process that runs in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use plan::Plan;
use serde::Serialize;

use crate::durable::{self, FileError};
use crate::manifest::{self, Appender, FORMAT, Header, Line, Manifest, ManifestError};
use crate::tables::TableError;
use crate::{checkpoint, schema, tables};

/// The file that says what has happened.
pub(crate) const MANIFEST: &str = "manifest.jsonl";
const TIMINGS: &str = "timings.jsonl";
const LOCK: &str = "lock";

/// The texts that a run keeps of how it came about.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// `pipeline.toml`: the file as resolved, with every default.
    pub pipeline: &'a str,
    /// `source.toml`: the user's file as it was.
    pub source: &'a str,
    /// `plan.txt`: the plan, drawn.
    pub plan: &'a str,
}

impl<'a> Texts<'a> {
    fn files(&self) -> [(&'static str, &'a str); 3] {
        [("pipeline.toml", self.pipeline), ("source.toml", self.source), ("plan.txt", self.plan)]
    }
}

/// A folder in which no run can be made or go on.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The manifest cannot be believed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The plan promises a table that cannot be.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Something is there already.
    #[error("`{}` is not empty: resume the run in it, or name another folder", .0.display())]
    NotEmpty(PathBuf),
    /// No run is there.
    #[error("`{}` holds no run: it has no {MANIFEST}; name the folder that a run made", .0.display())]
    NoRun(PathBuf),
    /// Another process runs there.
    #[error("another process is running in `{}`: wait until it ends, or end it; its lock goes with it", .0.display())]
    Locked(PathBuf),
}

/// A run's folder, locked against other processes for as long as this value lives.
#[derive(Debug)]
pub struct RunFolder {
    pub(crate) root: PathBuf,
    manifest: Manifest,
    appender: Appender,
    _lock: File,
}

impl RunFolder {
    /// Makes the folder of a new run. It must be empty or absent; what a creation that was killed left is empty.
    pub fn create(root: &Path, plan: &Plan, texts: Texts<'_>) -> Result<Self, FolderError> {
        let header = header(plan)?;
        refuse_if_used(root, &texts)?;
        durable::create_folder(root)?;
        let lock = lock(root)?;
        refuse_if_used(root, &texts)?;
        for (name, text) in texts.files() {
            durable::write(&root.join(name), text.as_bytes())?;
        }
        durable::write(&root.join(MANIFEST), &manifest::seal(&header))?;
        durable::force_folder(root)?;
        force_parent(root)?;
        Self::read(root, lock)
    }

    /// Opens the folder of a run, to go on with it.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        if !root.join(MANIFEST).exists() {
            return Err(FolderError::NoRun(root.to_owned()));
        }
        Self::read(root, lock(root)?)
    }

    fn read(root: &Path, lock: File) -> Result<Self, FolderError> {
        let path = root.join(MANIFEST);
        let manifest = Manifest::read(&path)?;
        let appender = Appender::open(&path, &manifest)?;
        Ok(RunFolder { root: root.to_owned(), manifest, appender, _lock: lock })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The first line of the manifest.
    pub fn header(&self) -> &Header {
        &self.manifest.header
    }

    /// The committed batches.
    pub fn lines(&self) -> &[Line] {
        &self.manifest.lines
    }

    /// Makes the folders of tables and checkpoints, and removes what a kill left of batches that were not committed.
    pub(crate) fn tidy(&self, kept: &BTreeSet<u64>) -> Result<(), FileError> {
        for table in self.header().tables.keys() {
            durable::create_folder(&tables::folder(&self.root, table))?;
        }
        durable::create_folder(&self.root.join("checkpoints"))?;
        durable::force_folder(&self.root.join("tables"))?;
        durable::force_folder(&self.root)?;
        tables::sweep(&self.root, self.lines().len() as u64)?;
        checkpoint::sweep(&self.root, kept)
    }

    /// Commits a batch whose files are on the disk.
    pub(crate) fn commit(&mut self, line: Line) -> Result<(), FileError> {
        self.appender.append(&line)?;
        self.manifest.lines.push(line);
        Ok(())
    }

    /// Notes how long a batch took, outside of all promises.
    pub(crate) fn note_timings(&self, timings: &impl Serialize) -> Result<(), FileError> {
        let path = self.root.join(TIMINGS);
        let text = serde_json::to_string(timings).expect("numbers and strings have a form in JSON");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{text}")).map_err(FileError::at("write", &path))
    }
}

fn header(plan: &Plan) -> Result<Header, TableError> {
    let outputs = plan.nodes.iter().flat_map(|node| &node.outputs).filter(|output| output.kept);
    let tables: BTreeMap<String, SchemaRef> =
        outputs.map(|output| (output.table.clone(), output.schema.clone())).collect();
    for (table, promised) in &tables {
        schema::empty(promised).map_err(|drift| TableError::Schema { table: table.clone(), drift })?;
    }
    Ok(Header { format: FORMAT, project: env!("CARGO_PKG_VERSION").to_owned(), plan: plan.key.to_string(), tables })
}

/// A creation writes the manifest last: without one, its own files are what a kill left, and anything else is a
/// stranger's.
fn refuse_if_used(root: &Path, texts: &Texts<'_>) -> Result<(), FolderError> {
    let mut own: Vec<&str> = texts.files().map(|(name, _)| name).to_vec();
    own.push(LOCK);
    let stranger = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !durable::is_unfinished(path) && !own.contains(&&*name)
    };
    match durable::list(root)?.iter().any(stranger) {
        true => Err(FolderError::NotEmpty(root.to_owned())),
        false => Ok(()),
    }
}

fn lock(root: &Path) -> Result<File, FolderError> {
    let path = root.join(LOCK);
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(FileError::at("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FolderError::Locked(root.to_owned())),
        Err(TryLockError::Error(cause)) => Err(FileError::at("lock", &path)(cause).into()),
    }
}

/// Forces the folder's own name to the disk.
fn force_parent(root: &Path) -> Result<(), FileError> {
    match root.parent() {
        Some(parent) if parent.as_os_str().is_empty() => durable::force_folder(Path::new(".")),
        Some(parent) => durable::force_folder(parent),
        None => Ok(()),
    }
}
