//! A folder that takes several steps to make is made inside another one, and gets its place last, so that it is there
//! whole or not at all.

use crate::failure::Failure;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Marks a folder that is made here, and may be removed here.
const MARK: &str = "unfinished";

/// A folder that is being made. Dropped before it is finished, it is removed.
pub struct Unfinished {
    place: PathBuf,
    /// Beside the place, with the mark and the folder in it.
    around: PathBuf,
}

impl Unfinished {
    /// Begins a folder. What an earlier try left that was killed goes; whatever else is in the way stays, and is told.
    pub fn begin(place: &Path) -> Result<Self, Failure> {
        let around = place.with_file_name(format!("{}.new", name(place).display()));
        if is_used(place) {
            let place = place.display();
            return Err(Failure::command(format!(
                "`{place}` is not empty: go on with `elenchus resume {place}`, or name another folder"
            )));
        }
        if is_used(&around) && !around.join(MARK).exists() {
            let around = around.display();
            return Err(Failure::command(format!(
                "`{around}` is in the way, and was not left unfinished here: move it away"
            )));
        }
        let unfinished = Unfinished { place: place.to_owned(), around };
        unfinished.clear();
        let marked = fs::create_dir_all(&unfinished.around).and_then(|()| fs::write(unfinished.around.join(MARK), ""));
        marked.map_err(|error| unfinished.unmade(&error))?;
        Ok(unfinished)
    }

    /// Where it is until it is finished.
    pub fn folder(&self) -> PathBuf {
        self.around.join(name(&self.place))
    }

    /// Moves the folder to its place.
    pub fn finish(self) -> Result<(), Failure> {
        fs::rename(self.folder(), &self.place).map_err(|error| self.unmade(&error))
    }

    fn unmade(&self, error: &io::Error) -> Failure {
        Failure::run(format!("`{}` cannot be made: {error}", self.place.display()))
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(&self.around);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.clear();
    }
}

fn name(place: &Path) -> &Path {
    Path::new(place.file_name().unwrap_or_default())
}

/// Whether there is anything at a place, but for an empty folder.
fn is_used(place: &Path) -> bool {
    match fs::read_dir(place) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => place.exists(),
    }
}
