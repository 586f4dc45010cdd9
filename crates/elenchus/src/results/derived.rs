//! What a run writes for others to read beside its tables: `metrics.jsonl`, a line a batch, and an event file of
//! TensorBoard. Both are derived from what is committed, and written anew from it whenever a run begins or goes on, so
//! that no kill leaves them behind; then each batch is added as it is committed. `metrics.jsonl` depends on nothing else.
//! The event file holds times too, and so is no part of the promise that a resumed run ends in the same bytes.

use crate::results::{figures::Timings, tensorboard};
use batch::manifest::Line;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The folder of TensorBoard's files.
const TENSORBOARD: &str = "tensorboard";
const METRICS: &str = "metrics.jsonl";

/// A file that could not be written. The run itself is whole without it.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written: {cause}; once it can be, `elenchus resume` writes it anew", path.display())]
pub struct DerivedError {
    path: PathBuf,
    cause: io::Error,
}

/// The files, open at their ends.
pub struct Derived {
    metrics: Target,
    events: Target,
}

impl Derived {
    /// Writes the files of what is committed so far.
    pub fn open(root: &Path, committed: &[Line]) -> Result<Self, DerivedError> {
        let folder = root.join(TENSORBOARD);
        fs::create_dir_all(&folder).map_err(|cause| DerivedError { path: folder.clone(), cause })?;
        let mut events = tensorboard::head(started(root));
        let timings = Timings::read(root);
        let mut at = started(root);
        for line in committed {
            at += timings.batches.get(&line.batch).copied().unwrap_or_default();
            events.extend(tensorboard::scalars(at, line.batch, &line.metrics));
        }
        let metrics: String = committed.iter().map(|line| json(line.batch, &line.metrics)).collect();
        Ok(Derived {
            metrics: Target::create(root.join(METRICS), metrics.as_bytes())?,
            events: Target::create(folder.join(tensorboard::FILE), &events)?,
        })
    }

    /// Adds a batch.
    pub fn add(&mut self, batch: u64, metrics: &BTreeMap<String, f64>) -> Result<(), DerivedError> {
        self.metrics.add(json(batch, metrics).as_bytes())?;
        self.events.add(&tensorboard::scalars(seconds(SystemTime::now()), batch, metrics))
    }
}

/// `{"batch":7,"STAGE.name":value,…}`
fn json(batch: u64, metrics: &BTreeMap<String, f64>) -> String {
    #[derive(serde::Serialize)]
    struct Row<'a> {
        batch: u64,
        #[serde(flatten)]
        metrics: &'a BTreeMap<String, f64>,
    }
    let row = serde_json::to_string(&Row { batch, metrics });
    row.expect("names and finite numbers have a form in JSON") + "\n"
}

/// When a run was made, as far as its folder tells.
fn started(root: &Path) -> f64 {
    let made = fs::metadata(root.join("source.toml")).and_then(|source| source.modified());
    seconds(made.unwrap_or(UNIX_EPOCH))
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A file that grows.
struct Target {
    path: PathBuf,
    file: File,
}

impl Target {
    fn create(path: PathBuf, bytes: &[u8]) -> Result<Self, DerivedError> {
        match File::create(&path).and_then(|mut file| file.write_all(bytes).map(|()| file)) {
            Ok(file) => Ok(Target { path, file }),
            Err(cause) => Err(DerivedError { path, cause }),
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), DerivedError> {
        self.file.write_all(bytes).map_err(|cause| DerivedError { path: self.path.clone(), cause })
    }
}
