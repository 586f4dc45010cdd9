//! `[write.NAME]`: a table as a dataset folder that Hugging Face's `datasets` opens.
//!
//! Each batch becomes a Parquet file, forced to the disk before the batch is committed, in an unfinished folder inside
//! the run's own, where no other run or stage can touch it. Once the run is complete, the files that the manifest tells
//! of get their last names, the card is written, and the folder gets its place: it is there whole, or not at all.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use polars::prelude::{Column, DataFrame, PolarsError};

use crate::parquet;
use crate::schema::{self, Drift};
use crate::stage::{Bundle, Stage, StageError, Unit};
use crate::store::durable::{self, Digest, FileError};
use crate::store::reader::Run;
use crate::store::segments::TableError;

/// Writes each batch.
#[derive(Debug, Clone)]
pub struct Write {
    /// The stage's name.
    pub name: String,
    /// The table.
    pub from: String,
    /// The run's folder.
    pub run: PathBuf,
    /// The dataset's folder; none for one in the run's.
    pub folder: Option<PathBuf>,
    /// What the split is called.
    pub split: String,
}

/// A dataset that cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was written cannot be told.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The committed table is not one of files written.
    #[error("the list of files written cannot be read: {0}")]
    List(#[from] PolarsError),
    /// A column of a type that tables do not have.
    #[error(transparent)]
    Type(#[from] Drift),
    /// Its place is taken.
    #[error(
        "the dataset `{}` is there already, and is none of this run, whose rows stay in `{}`: move it away and resume; if \
         this run made it before it was given more batches, start a new one",
        folder.display(), unfinished.display()
    )]
    Taken {
        /// The dataset's folder.
        folder: PathBuf,
        /// Where the files of this run are.
        unfinished: PathBuf,
    },
}

impl Stage for Write {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let table = unit.table(&self.from)?;
        unit.metric("rows", table.height() as f64);
        self.refuse_taken()?;
        let written = if table.height() == 0 { Vec::new() } else { vec![self.write(unit.batch, table)?] };
        Ok(Bundle::from([(self.name.clone(), list(&written)?)]))
    }
}

/// A file written.
struct Written {
    file: String,
    rows: usize,
    digest: Digest,
}

/// Where a stage's dataset is, unless it names another folder.
pub fn dataset(run: &Path, stage: &str) -> PathBuf {
    run.join("datasets").join(stage)
}

impl Write {
    fn write(&self, batch: u64, table: &DataFrame) -> Result<Written, StageError> {
        let bytes = parquet::encode(table)?;
        let (folder, file) = (self.unfinished().join("data"), format!("{}-{batch:06}.parquet", self.split));
        durable::create_folder(&folder)?;
        durable::write(&folder.join(&file), &bytes)?;
        durable::force_folder(&folder)?;
        Ok(Written { file, rows: table.height(), digest: Digest::of(&bytes) })
    }

    /// Where the dataset is once it is whole.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| self.own())
    }

    fn own(&self) -> PathBuf {
        dataset(&self.run, &self.name)
    }

    fn unfinished(&self) -> PathBuf {
        durable::unfinished(&self.own())
    }

    /// Whether the dataset is there, and nothing of it is still in the run's folder.
    pub fn is_whole(&self) -> bool {
        self.folder().exists() && !self.unfinished().exists()
    }

    /// Nothing may stand where the dataset is to be.
    fn refuse_taken(&self) -> Result<(), WriteError> {
        let folder = self.folder();
        if folder.exists() { Err(WriteError::Taken { folder, unfinished: self.unfinished() }) } else { Ok(()) }
    }

    /// Gives the files of a complete run their last names, and the folder its place. A kill between two of these steps
    /// leaves what a second call completes.
    pub fn finish(&self, run: &Run, schema: &Schema, description: Option<&str>) -> Result<(), WriteError> {
        self.refuse_taken()?;
        let files = self.committed(run)?;
        let data = self.unfinished().join("data");
        durable::create_folder(&data)?;
        // A dataset without rows has columns all the same, and `datasets` finds them in a file.
        let count = files.len().max(1);
        let last = (0..count).map(|i| data.join(format!("{}-{i:05}-of-{count:05}.parquet", self.split)));
        let last: Vec<PathBuf> = last.collect();
        for ((file, _), last) in files.iter().zip(&last).filter(|(_, last)| !last.exists()) {
            durable::rename(&data.join(file), last)?;
        }
        if files.is_empty() {
            durable::write(&last[0], &parquet::encode(&schema::empty(schema)?)?)?;
        }
        let named: BTreeSet<&PathBuf> = last.iter().collect();
        let strays = durable::list(&data)?.into_iter().filter(|path| !named.contains(path));
        strays.into_iter().try_for_each(|path| durable::remove(&path))?;
        durable::force_folder(&data)?;
        let rows = files.iter().map(|(_, rows)| rows).sum();
        let card = card(&title(&self.folder()), &self.split, rows, schema, description);
        durable::write(&self.unfinished().join("README.md"), card.as_bytes())?;
        durable::force_folder(&self.unfinished())?;
        Ok(put(&self.unfinished(), &self.folder())?)
    }

    /// The files of all batches, with their rows.
    fn committed(&self, run: &Run) -> Result<Vec<(String, u64)>, WriteError> {
        let mut files = Vec::new();
        for table in run.tables(&self.name) {
            let table = table?;
            let names = table.column("file")?.str()?.iter().map(|name| name.unwrap_or_default().to_owned());
            files.extend(names.zip(table.column("rows")?.u64()?.iter().map(Option::unwrap_or_default)));
        }
        Ok(files)
    }
}

/// Gives a whole folder its place. Where that is on another disk, a copy is made there first.
fn put(from: &Path, to: &Path) -> Result<(), FileError> {
    let parent = to.parent().unwrap_or(Path::new("."));
    durable::create_folder(parent)?;
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let copy = durable::unfinished(to);
            durable::remove(&copy)?;
            durable::copy_folder(from, &copy)?;
            durable::rename(&copy, to)?;
            durable::force_folder(parent)?;
            durable::remove(from)
        }
        renamed => {
            renamed.map_err(FileError::at("write", to))?;
            durable::force_folder(parent)
        }
    }
}

fn list(written: &[Written]) -> Result<DataFrame, PolarsError> {
    let texts =
        |name: &str, text: fn(&Written) -> &str| Column::new(name.into(), written.iter().map(text).collect::<Vec<_>>());
    let numbers = |name: &str, number: fn(&Written) -> u64| {
        Column::new(name.into(), written.iter().map(number).collect::<Vec<_>>())
    };
    let columns = vec![
        texts("file", |written| &written.file),
        numbers("rows", |written| written.rows as u64),
        numbers("bytes", |written| written.digest.bytes),
        texts("blake3", |written| &written.digest.blake3),
    ];
    DataFrame::new(written.len(), columns)
}

fn title(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The README: what `datasets` needs to find the files, then what a person wants to know.
fn card(title: &str, split: &str, rows: u64, schema: &Schema, description: Option<&str>) -> String {
    let head = format!(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: {split}\n    path: data/{split}-*.parquet\n---\n"
    );
    let about = description.unwrap_or("Made by Elenchus: `pipeline.toml` in the folder of the run says how.");
    let column = |field: &std::sync::Arc<arrow_schema::Field>| {
        let marks = field.metadata();
        let about = marks.get("doc").or_else(|| marks.get("gold")).map_or("", String::as_str);
        format!("| `{}` | {} | {about} |\n", field.name(), field.data_type())
    };
    let columns: String = schema.fields().iter().map(column).collect();
    format!(
        "{head}\n# {title}\n\n{about}\n\n{rows} rows.\n\n| column | type | what it is |\n| --- | --- | --- |\n{columns}"
    )
}
