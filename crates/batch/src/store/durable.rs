//! Files that survive a kill: what is read back is either whole or absent, never half. A file is written beside its
//! place, forced to the disk, and renamed; the folder is then forced too, because the name lives there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What is being written, until it is whole.
const UNFINISHED: &str = "tmp";

/// A file or folder that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`: {cause}{}", path.display(), remedy(action, cause))]
pub struct FileError {
    /// What was tried: "write", "read", …
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl FileError {
    /// For `map_err`: names the action and the path beside the cause.
    pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        move |cause| FileError { action, path: path.to_owned(), cause }
    }
}

fn remedy(action: &str, cause: &io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space: what is committed is safe, and a run can be resumed"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem if action != "read" => {
            "; make the folder writable: what is committed is safe, and a run can be resumed"
        }
        _ => "",
    }
}

/// What a file must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Its size.
    pub bytes: u64,
    /// Its BLAKE3 hash, in hexadecimal.
    pub blake3: String,
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Digest { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_string() }
    }
}

/// Writes a file so that it is whole or absent. Its folder is to be forced afterwards, once for all its new files.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let unfinished = unfinished(path);
    write_in_place(&unfinished, bytes)?;
    rename(&unfinished, path)
}

/// Writes a file inside a folder that is itself unfinished.
pub(crate) fn write_in_place(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(FileError::at("write", path))
}

/// The name under which something is written before it is whole.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{UNFINISHED}"))
}

/// Whether a kill left this behind.
pub(crate) fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == UNFINISHED)
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::at("write", to))
}

/// Forces the names in a folder to the disk.
pub(crate) fn force_folder(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(FileError::at("write", path))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(FileError::at("read", path))
}

/// Reads a file and holds it against what was written.
pub(crate) fn read_verified(path: &Path, written: &Digest) -> Result<Vec<u8>, FileError> {
    let bytes = read(path)?;
    if Digest::of(&bytes) == *written {
        return Ok(bytes);
    }
    let changed = io::Error::new(ErrorKind::InvalidData, "it is not what was written, by the hash in the manifest");
    Err(FileError::at("read", path)(changed))
}

pub(crate) fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(FileError::at("create", path))
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), FileError> {
    create_folder(to)?;
    for path in list(from)? {
        let copy = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &copy)? } else { write_in_place(&copy, &read(&path)?)? }
    }
    force_folder(to)
}

/// Removes a file, or a folder with all that is in it, if it is there. A folder loses its name first, so that no half
/// of it is ever taken for the whole.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    if !path.is_dir() {
        return absent_is_fine(fs::remove_file(path)).map_err(FileError::at("remove", path));
    }
    let nameless = if is_unfinished(path) { path.to_owned() } else { unfinished(path) };
    let remove_folder = || absent_is_fine(fs::remove_dir_all(&nameless)).map_err(FileError::at("remove", &nameless));
    if nameless != path {
        remove_folder()?;
        rename(path, &nameless)?;
    }
    remove_folder()
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// What is in a folder, in order of name; nothing where there is no such folder.
pub(crate) fn list(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(FileError::at("list", path))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<_> = paths.collect::<io::Result<_>>().map_err(FileError::at("list", path))?;
    paths.sort();
    Ok(paths)
}
