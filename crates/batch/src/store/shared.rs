//! The store: what runs leave for later runs. It is a folder with an entry for each run, and the files of an entry are
//! the run's own under a second name, by hard links. So it costs no space, a run folder can be deleted, moved or copied
//! as a whole, and what later runs took stays where it is. A unit's key names its batch and its stage, so a manifest is
//! all the index there has to be.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::durable::{self, FileError};
use super::folder::MANIFEST;
use super::manifest::Manifest;

/// The file of an entry that says where the run was made.
const RUN: &str = "run";

/// A folder of what runs have left.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// What one run has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its folder in the store.
    pub folder: PathBuf,
    /// Where the run was made.
    pub run: PathBuf,
    /// Whether the run's own folder is still there.
    pub alive: bool,
    /// How many batches it has; none where its manifest cannot be believed.
    pub batches: Option<u64>,
    /// The size of its files, without those of entries before it.
    pub bytes: u64,
}

impl Store {
    /// The store in a folder, which need not be there yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Store { root: root.into() }
    }

    /// The store of a run: `.store` beside its folder.
    pub fn beside(run: &Path) -> Self {
        let run = std::path::absolute(run).unwrap_or_else(|_| run.to_owned());
        Store::at(run.parent().unwrap_or(Path::new(".")).join(".store"))
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is in it, in order of name.
    pub fn entries(&self) -> Result<Vec<Entry>, FileError> {
        let mut seen = BTreeSet::new();
        let folders = durable::list(&self.root)?.into_iter().filter(|path| path.join(MANIFEST).exists());
        folders.map(|folder| entry(folder, &mut seen)).collect()
    }

    /// Removes an entry. Runs keep what they have.
    pub fn remove(&self, entry: &Entry) -> Result<(), FileError> {
        durable::remove(&entry.folder)
    }

    /// The folders in which results of earlier runs may be found: the entries, and the run folders beside the store
    /// that have none.
    pub(crate) fn candidates(&self) -> Result<Vec<PathBuf>, FileError> {
        let beside = self.root.parent().map(durable::list).transpose()?.unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut found: Vec<PathBuf> = durable::list(&self.root)?.into_iter().chain(beside).collect();
        found.retain(|folder| identity(&folder.join(MANIFEST)).is_some_and(|manifest| seen.insert(manifest)));
        Ok(found)
    }

    /// Makes an entry for a run, or finds the one it has.
    pub(crate) fn enrol(&self, run: &Path) -> Result<PathBuf, FileError> {
        let run = std::path::absolute(run).map_err(FileError::at("find", run))?;
        let manifest = identity(&run.join(MANIFEST));
        let name = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = &blake3::hash(run.as_os_str().as_encoded_bytes()).to_hex()[..8];
        for number in 1_u32.. {
            let folder = self.root.join(format!("{name}-{place}-{number}"));
            match identity(&folder.join(MANIFEST)) {
                None => return new_entry(&folder, &run).map(|()| folder),
                found if found == manifest => return Ok(folder),
                Some(_) => {}
            }
        }
        unreachable!("there is a number that is free")
    }
}

fn new_entry(folder: &Path, run: &Path) -> Result<(), FileError> {
    durable::remove(folder)?;
    durable::create_folder(folder)?;
    durable::write(&folder.join(RUN), run.as_os_str().as_encoded_bytes())?;
    link(&run.join(MANIFEST), &folder.join(MANIFEST))
}

fn entry(folder: PathBuf, seen: &mut BTreeSet<(u64, u64)>) -> Result<Entry, FileError> {
    let manifest = folder.join(MANIFEST);
    let alive = fs::metadata(&manifest).map_err(FileError::at("read", &manifest))?.nlink() > 1;
    let batches = Manifest::read(&manifest).ok().map(|manifest| manifest.lines.len() as u64);
    let new = |file: &PathBuf| identity(file).is_some_and(|identity| seen.insert(identity));
    let bytes = files(&folder)?.into_iter().filter(new).filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum();
    Ok(Entry { run: origin(&folder), folder, alive, batches, bytes })
}

/// Where the run of an entry was made; a run's own folder is that itself.
pub(crate) fn origin(folder: &Path) -> PathBuf {
    let noted = durable::read(&folder.join(RUN)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    noted.map_or_else(|| folder.to_owned(), PathBuf::from)
}

/// All files in a folder and those below it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let (folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) =
        durable::list(folder)?.into_iter().partition(|path| path.is_dir());
    for folder in folders {
        found.extend(files(&folder)?);
    }
    Ok(found)
}

/// Gives an entry all segments and checkpoints of its run, and no others. One that was removed stays away.
pub(crate) fn mirror(run: &Path, entry: &Path) -> Result<(), FileError> {
    if !entry.join(MANIFEST).exists() {
        return Ok(());
    }
    for part in ["segments", "shared", "checkpoints"] {
        for old in durable::list(&entry.join(part))? {
            if !run.join(part).join(old.file_name().unwrap_or_default()).exists() {
                durable::remove(&old)?;
            }
        }
        for file in files(&run.join(part))? {
            let name = file.strip_prefix(run).unwrap_or(&file);
            link(&file, &entry.join(name))?;
        }
    }
    Ok(())
}

/// Gives a file a second name; where that name is another file's, it loses it.
pub(crate) fn link(file: &Path, second: &Path) -> Result<(), FileError> {
    if identity(file) == identity(second) {
        return Ok(());
    }
    durable::remove(second)?;
    durable::create_folder(second.parent().unwrap_or(Path::new(".")))?;
    fs::hard_link(file, second).map_err(FileError::at("link", second))
}

/// What tells a file from all others, whatever its names.
pub(crate) fn identity(file: &Path) -> Option<(u64, u64)> {
    fs::metadata(file).ok().map(|found| (found.dev(), found.ino()))
}
