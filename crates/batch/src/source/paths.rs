//! From what a pipeline calls its files to the files there are.

use std::path::{Path, PathBuf};

use crate::store::durable;

use super::hub;

/// The files of a path, in order of name: a file, a pattern, or a folder as Hugging Face has them.
pub(super) fn find(path: &Path, split: Option<&str>, config: Option<&str>) -> Result<Vec<PathBuf>, String> {
    if path.is_dir() {
        return hub::files(path, split, config);
    }
    if let Some(key) = [split.map(|_| "split"), config.map(|_| "config")].into_iter().flatten().next() {
        return Err(format!("`{}` is no folder, so it has no `{key}`", path.display()));
    }
    let text = path.to_string_lossy();
    if path.exists() || !text.contains(['*', '?', '[']) {
        return Ok(vec![path.to_owned()]);
    }
    matching(&text)
}

/// The files that a pattern matches: at least one.
pub(super) fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let found = glob::glob(pattern).map_err(|error| format!("`{pattern}` is no pattern: {error}"))?;
    let mut found: Vec<PathBuf> =
        found.collect::<Result<_, _>>().map_err(|error| format!("`{pattern}` cannot be looked up: {error}"))?;
    found.retain(|path| path.is_file() && !durable::is_unfinished(path));
    found.sort();
    if found.is_empty() { Err(format!("`{pattern}` matches no file")) } else { Ok(found) }
}
