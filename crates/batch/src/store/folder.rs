//! A run's folder, held by the one process that runs in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use arrow_schema::SchemaRef;
use plan::{Node, Plan};
use polars::frame::DataFrame;
use serde::Serialize;

use super::checkpoint;
use super::durable::{self, FileError};
use super::journal::Journal;
use super::manifest::{
    self, Appender, Checkpoint, FORMAT, Fork, Header, Line, Manifest, ManifestError, Part, StageRecipe,
};
use super::segments::{self, Segments, TableError};
use super::shared::{self, Store};
use crate::schema;
use crate::stage::Bundle;

/// The file that says what has happened.
pub(crate) const MANIFEST: &str = "manifest.jsonl";
const TIMINGS: &str = "timings.jsonl";
const LOCK: &str = "lock";
/// A lock that was given back is held a moment longer by a program that was being started just then.
const LOCK_TRIES: usize = 30;

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
    /// A table is lost, or the plan promises one that cannot be.
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

/// How a run shares results with others.
#[derive(Debug, Clone)]
pub(crate) struct Sharing {
    /// Where it leaves its own.
    pub(crate) store: Store,
    /// Whether it takes theirs.
    pub(crate) reuse: bool,
}

/// A run's folder, locked against other processes for as long as this value lives.
#[derive(Debug)]
pub struct RunFolder {
    pub(crate) root: PathBuf,
    manifest: Manifest,
    appender: Appender,
    segments: Segments,
    /// Shared, because stages that run ahead ask the outside too.
    pub(crate) journal: Arc<Journal>,
    pub(crate) sharing: Option<Sharing>,
    /// Its entry in the store, once it has one.
    entry: Option<PathBuf>,
    /// Why it has none any more.
    pub(crate) unshared: Option<FileError>,
    _lock: File,
}

impl RunFolder {
    /// Makes the folder of a new run. It must be empty or absent; what a creation that was killed left is empty.
    pub fn create(root: &Path, plan: &Plan, texts: Texts<'_>) -> Result<Self, FolderError> {
        Self::begin(root, &header(plan)?, &texts)
    }

    /// Makes the folder of a run whose manifest begins like this.
    pub(crate) fn begin(root: &Path, header: &Header, texts: &Texts<'_>) -> Result<Self, FolderError> {
        // A creation begins with the lock: files that are there without one are somebody else's.
        let own = if root.join(LOCK).exists() { texts.files().map(|(name, _)| name).to_vec() } else { Vec::new() };
        refuse_if_used(root, &own)?;
        durable::create_folder(root)?;
        let lock = lock(root)?;
        refuse_if_used(root, &own)?;
        for (name, text) in texts.files() {
            durable::write(&root.join(name), text.as_bytes())?;
        }
        durable::write(&root.join(MANIFEST), &manifest::seal(header))?;
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
        let segments = Segments::open(root, &manifest.lines)?;
        let journal = Arc::new(Journal::new(root));
        Ok(RunFolder {
            root: root.to_owned(),
            manifest,
            appender,
            segments,
            journal,
            sharing: None,
            entry: None,
            unshared: None,
            _lock: lock,
        })
    }

    /// Has the run leave its results in a store, and take those of other runs from there if `reuse`.
    pub fn share(&mut self, store: Store, reuse: bool) {
        self.sharing = Some(Sharing { store, reuse });
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

    /// Makes the folder of checkpoints, and removes those that are not kept and what a kill left half written.
    pub(crate) fn tidy(&self, kept: &BTreeSet<u64>) -> Result<(), FileError> {
        durable::create_folder(&self.root.join("checkpoints"))?;
        durable::force_folder(&self.root)?;
        checkpoint::sweep(&self.root, kept)
    }

    /// Writes the tables of a batch that is about to be committed.
    pub(crate) fn append(&mut self, tables: &Bundle) -> Result<BTreeMap<String, Part>, TableError> {
        let known = self.segments.current();
        let parts = self.segments.append(tables)?;
        if self.segments.current() != known {
            self.mirror();
        }
        Ok(parts)
    }

    /// Has a batch tell of these tables instead of those by the same names, once the manifest is written anew.
    pub(crate) fn amend(&mut self, batch: u64, tables: &Bundle) -> Result<(), TableError> {
        let parts = self.append(tables)?;
        self.manifest.lines[batch as usize].tables.extend(parts);
        Ok(())
    }

    /// Makes what is committed the beginning of another plan's run. Until the new manifest is in its place, this is a
    /// run of the old plan.
    pub(crate) fn refit(
        &mut self,
        plan: &Plan,
        texts: &Texts<'_>,
        fork: Fork,
        left: Checkpoint,
    ) -> Result<(), FolderError> {
        let mut header = Header { fork: Some(fork), ..header(plan)? };
        for (table, schema) in &self.manifest.header.tables {
            header.tables.entry(table.clone()).or_insert_with(|| schema.clone());
        }
        self.manifest.header = header;
        if let Some(line) = self.manifest.lines.last_mut() {
            line.checkpoint = Some(left);
        }
        for (name, text) in texts.files() {
            durable::write(&self.root.join(name), text.as_bytes())?;
        }
        let lines = self.manifest.lines.iter().map(manifest::seal);
        let text: Vec<u8> = std::iter::once(manifest::seal(&self.manifest.header)).chain(lines).flatten().collect();
        let path = self.root.join(MANIFEST);
        durable::write(&path, &text)?;
        durable::force_folder(&self.root)?;
        self.manifest.whole = text.len() as u64;
        self.appender = Appender::open(&path, &self.manifest)?;
        Ok(())
    }

    /// Reads one batch of a table.
    pub(crate) fn table(&self, table: &str, batch: u64, part: &Part) -> Result<DataFrame, TableError> {
        segments::read(&self.root, table, batch, part, &self.header().tables[table])
    }

    /// Commits a batch whose tables are on the disk; the line itself may wait for [`RunFolder::force`].
    pub(crate) fn commit(&mut self, line: Line, force: bool) -> Result<(), FileError> {
        self.appender.write(&line)?;
        self.manifest.lines.push(line);
        if force { self.force() } else { Ok(()) }
    }

    /// Waits until all lines are on the disk.
    pub(crate) fn force(&self) -> Result<(), FileError> {
        self.appender.force()
    }

    /// Removes the checkpoints that are not kept.
    pub(crate) fn sweep(&mut self, kept: &BTreeSet<u64>) -> Result<(), FileError> {
        checkpoint::sweep(&self.root, kept)?;
        self.mirror();
        Ok(())
    }

    /// Gives this run's results to those that come, now and whenever there are more.
    pub(crate) fn enrol(&mut self, store: &Store) -> Result<(), FileError> {
        let entry = store.enrol(&self.root)?;
        shared::mirror(&self.root, &entry)?;
        self.entry = Some(entry);
        Ok(())
    }

    /// Trouble in the store is no trouble of the run's: it goes on alone.
    fn mirror(&mut self) {
        if let Some(entry) = &self.entry
            && let Err(error) = shared::mirror(&self.root, entry)
        {
            (self.entry, self.unshared) = (None, Some(error));
        }
    }

    /// Makes another run's segment one of this run's; returns its number here.
    pub(crate) fn link(&mut self, segment: &Path) -> Result<u32, FileError> {
        let known = self.segments.shared();
        let number = self.segments.link(segment)?;
        if self.segments.shared() > known {
            self.mirror();
        }
        Ok(number)
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
    let recipe = |node: &Node| StageRecipe { name: node.name.clone(), recipe: node.recipe.clone() };
    Ok(Header {
        format: FORMAT,
        project: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.key.to_string(),
        numerics: plan.numerics.clone(),
        stages: plan.nodes.iter().map(recipe).collect(),
        initial: plan.initial.clone(),
        tables,
        fork: None,
    })
}

/// A creation writes the manifest last: without one, files of its own are what a kill left, and anything else is a
/// stranger's.
fn refuse_if_used(root: &Path, own: &[&str]) -> Result<(), FolderError> {
    let stranger = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let own = own.contains(&&*name) || (!own.is_empty() && durable::is_unfinished(path));
        name != LOCK && !own
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
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(cause)) => return Err(FileError::at("lock", &path)(cause).into()),
        }
    }
    Err(FolderError::Locked(root.to_owned()))
}

/// Forces the folder's own name to the disk.
fn force_parent(root: &Path) -> Result<(), FileError> {
    match root.parent() {
        Some(parent) if parent.as_os_str().is_empty() => durable::force_folder(Path::new(".")),
        Some(parent) => durable::force_folder(parent),
        None => Ok(()),
    }
}
