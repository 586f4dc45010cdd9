//! `[write.NAME]`: a table as a dataset folder that Hugging Face's `datasets` opens.
//!
//! Each batch becomes a Parquet file, forced to the disk before the batch is committed, in a folder that bears an
//! unfinished name. Once the run is complete, the files that the manifest tells of get their last names, the card is
//! written, and the folder gets its own: it is there whole, or not at all.

use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use polars::prelude::{Column, DataFrame, ParquetCompression, ParquetWriter, PolarsError};

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
    /// The folder.
    pub folder: PathBuf,
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
}

impl Stage for Write {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let table = unit.table(&self.from)?;
        unit.metric("rows", table.height() as f64);
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

impl Write {
    fn write(&self, batch: u64, table: &DataFrame) -> Result<Written, StageError> {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Zstd(None)).finish(&mut table.clone())?;
        let (folder, file) = (self.unfinished().join("data"), format!("{}-{batch:06}.parquet", self.split));
        durable::create_folder(&folder)?;
        durable::write(&folder.join(&file), &bytes)?;
        durable::force_folder(&folder)?;
        Ok(Written { file, rows: table.height(), digest: Digest::of(&bytes) })
    }

    fn unfinished(&self) -> PathBuf {
        durable::unfinished(&self.folder)
    }

    /// Whether the dataset is there.
    pub fn is_whole(&self) -> bool {
        self.folder.exists()
    }

    /// Gives the files of a complete run their last names, and the folder its own. A kill between two of these steps
    /// leaves what a second call completes.
    pub fn finish(&self, run: &Run, schema: &Schema, description: Option<&str>) -> Result<(), WriteError> {
        let files = self.committed(run)?;
        let data = self.unfinished().join("data");
        durable::create_folder(&data)?;
        let last = |i: usize| data.join(format!("{}-{i:05}-of-{:05}.parquet", self.split, files.len()));
        for (i, (file, _)) in files.iter().enumerate() {
            if !last(i).exists() {
                durable::rename(&data.join(file), &last(i))?;
            }
        }
        let strays = durable::list(&data)?.into_iter().filter(|path| !(0..files.len()).any(|i| last(i) == *path));
        strays.into_iter().try_for_each(|path| durable::remove(&path))?;
        durable::force_folder(&data)?;
        let rows = files.iter().map(|(_, rows)| rows).sum();
        let card = card(&title(&self.folder), &self.split, rows, schema, description);
        durable::write(&self.unfinished().join("README.md"), card.as_bytes())?;
        durable::force_folder(&self.unfinished())?;
        durable::rename(&self.unfinished(), &self.folder)?;
        Ok(durable::force_folder(self.folder.parent().unwrap_or(Path::new(".")))?)
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
