//! Snapshots on the disk, in `snapshots/` beside the pipeline file: `NAME.snap` as it was agreed on, and where it came
//! out otherwise `NAME.snap.new` beside it. The form is that of `insta`, so that `cargo insta review` shows both and
//! takes either. A head in YAML names the pipeline file that a snapshot is of.

use super::Made;
use similar::TextDiff;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// A snapshot that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the snapshot `{}`: {cause}", path.display())]
pub struct SnapshotError {
    action: &'static str,
    path: PathBuf,
    cause: io::Error,
}

impl SnapshotError {
    fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
        move |cause| SnapshotError { action, path: path.to_owned(), cause }
    }
}

/// What came of writing or comparing.
#[derive(Default)]
pub struct Outcome {
    /// Snapshots that were made.
    pub total: usize,
    /// Those that were not there before.
    pub new: usize,
    /// Those that were otherwise.
    pub changed: usize,
    /// Those that were there, and are made no more.
    pub gone: usize,
    /// What differs, drawn, where that was asked.
    pub differences: Vec<String>,
}

impl Outcome {
    /// Whether all is as it was.
    pub fn is_same(&self) -> bool {
        self.new + self.changed + self.gone == 0
    }
}

/// The snapshots of one pipeline file that are there.
pub struct Kept {
    folder: PathBuf,
    /// The name of the pipeline file, as the head of each snapshot has it.
    source: String,
    texts: BTreeMap<String, String>,
}

impl Kept {
    /// Reads those of a pipeline file.
    pub fn beside(file: &Path) -> Result<Self, SnapshotError> {
        let folder = file.parent().unwrap_or(Path::new("")).join("snapshots");
        let source = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut texts = BTreeMap::new();
        for path in list(&folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(".snap") else { continue };
            let snapshot = fs::read_to_string(&path).map_err(SnapshotError::at("read", &path))?;
            if let Some((of, text)) = parted(&snapshot)
                && of == source
            {
                texts.insert(name.to_owned(), text.to_owned());
            }
        }
        Ok(Kept { folder, source, texts })
    }

    /// Makes the snapshots on the disk what they should be.
    pub fn replace(&self, made: &[Made]) -> Result<Outcome, SnapshotError> {
        fs::create_dir_all(&self.folder).map_err(SnapshotError::at("make the folder of", &self.folder))?;
        let mut outcome = self.outcome(made);
        outcome.differences.clear();
        for snapshot in made.iter().filter(|snapshot| !self.is_same(snapshot)) {
            self.write(snapshot, "snap")?;
        }
        for name in self.names_gone(made) {
            remove(&self.path(name, "snap"))?;
        }
        made.iter().try_for_each(|snapshot| remove(&self.path(&snapshot.name, "snap.new")))?;
        Ok(outcome)
    }

    /// Leaves the snapshots as they are, and writes what came out otherwise beside them.
    pub fn compare(&self, made: &[Made]) -> Result<Outcome, SnapshotError> {
        for snapshot in made {
            if self.is_same(snapshot) {
                remove(&self.path(&snapshot.name, "snap.new"))?;
            } else {
                fs::create_dir_all(&self.folder).map_err(SnapshotError::at("make the folder of", &self.folder))?;
                self.write(snapshot, "snap.new")?;
            }
        }
        Ok(self.outcome(made))
    }

    fn outcome(&self, made: &[Made]) -> Outcome {
        let differing: Vec<&Made> = made.iter().filter(|snapshot| !self.is_same(snapshot)).collect();
        let new = differing.iter().filter(|snapshot| !self.texts.contains_key(&snapshot.name)).count();
        let gone: Vec<&String> = self.names_gone(made).collect();
        let mut differences: Vec<String> = differing.iter().map(|snapshot| self.difference(snapshot)).collect();
        differences.extend(
            gone.iter().map(|name| format!("{} is made no more: remove it\n\n", self.path(name, "snap").display())),
        );
        Outcome { total: made.len(), new, changed: differing.len() - new, gone: gone.len(), differences }
    }

    fn is_same(&self, made: &Made) -> bool {
        self.texts.get(&made.name).is_some_and(|kept| kept.trim_end() == made.text.trim_end())
    }

    fn names_gone<'a>(&'a self, made: &'a [Made]) -> impl Iterator<Item = &'a String> {
        self.texts.keys().filter(|name| !made.iter().any(|made| made.name == **name))
    }

    fn difference(&self, made: &Made) -> String {
        let kept = self.texts.get(&made.name).map_or("", |text| text.trim_end());
        let (old, new) = (self.path(&made.name, "snap"), self.path(&made.name, "snap.new"));
        let diff = TextDiff::from_lines(kept, made.text.trim_end());
        let mut diff = diff.unified_diff();
        let diff =
            diff.missing_newline_hint(false).header(&old.display().to_string(), &new.display().to_string()).to_string();
        diff.trim_end().to_owned() + "\n\n"
    }

    fn write(&self, made: &Made, extension: &str) -> Result<(), SnapshotError> {
        let path = self.path(&made.name, extension);
        let head = format!("---\nsource: {}\nexpression: {}\n---\n", quoted(&self.source), quoted(&made.expression));
        let text = head + made.text.trim_end() + "\n";
        fs::write(&path, text).map_err(SnapshotError::at("write", &path))
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }
}

/// A text in YAML, as `insta` writes it: a snapshot that was taken by `cargo insta` is the same file.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " _-.".contains(letter);
    let is_plain = text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(plain);
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// The pipeline file that a snapshot is of, and its text.
fn parted(snapshot: &str) -> Option<(String, &str)> {
    let (head, text) = snapshot.strip_prefix("---\n")?.split_once("\n---\n")?;
    let source = head.lines().find_map(|line| line.strip_prefix("source: "))?;
    Some((serde_json::from_str(source).unwrap_or_else(|_| source.to_owned()), text))
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(SnapshotError::at("list", folder))?,
    };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(SnapshotError::at("list", folder))).collect()
}

fn remove(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(SnapshotError::at("remove", path)),
    }
}
