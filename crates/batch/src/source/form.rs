//! One file of rows in each of the forms it may have.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use polars::prelude::{
    CsvReadOptions, DataFrame, DataType, Field, JsonFormat, JsonReader, LazyFrame, ParquetReader, PlRefPath,
    PolarsResult, Schema, SerReader, UnifiedScanArgs,
};
use serde_json::Value;

use crate::store::durable::{self, FileError};

use super::lines::{self, Index};
use super::{BadRow, SourceError, Stretch};

/// The types of a text file's columns are told from this much of it.
const HEAD: u64 = 8 << 20;

/// A file of rows.
pub(super) struct Part {
    path: PathBuf,
    /// What it was when it was opened.
    state: State,
    schema: Arc<Schema>,
    form: Form,
}

/// What tells that a file has changed: its size, and when it last did, since 1970.
#[derive(PartialEq, Eq)]
struct State {
    bytes: u64,
    changed: Duration,
}

enum Form {
    Parquet {
        rows: u64,
    },
    Ipc {
        rows: u64,
    },
    JsonLines(Index),
    Csv(Index),
    /// Small enough to be held: each row as JSON.
    Held(Vec<Vec<u8>>),
}

/// Whether the end of a name is that of a file of rows.
pub(super) fn is_known(path: &Path) -> bool {
    ["parquet", "jsonl", "ndjson", "json", "csv", "arrow", "ipc", "feather"].contains(&extension(path))
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

impl Part {
    /// Looks at a file; the end of its name says which form it has.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let wrong =
            |error: &dyn std::fmt::Display| content(path, format!("it cannot be read as its name says: {error}"));
        let unreadable = FileError::at("read", path);
        let file = File::open(path).map_err(unreadable)?;
        let state = State::of(path)?;
        let (schema, form) = match extension(path) {
            "parquet" => {
                let mut reader = ParquetReader::new(file);
                let rows = reader.num_rows().map_err(|error| wrong(&error))? as u64;
                let none = reader.with_slice(Some((0, 0))).finish().map_err(|error| wrong(&error))?;
                (none.schema().as_ref().clone(), Form::Parquet { rows })
            }
            "arrow" | "ipc" | "feather" => {
                let schema =
                    scan_ipc(path).and_then(|mut rows| rows.collect_schema()).map_err(|error| wrong(&error))?;
                let rows = ipc_rows(path).map_err(|error| wrong(&error))?;
                (schema.as_ref().clone(), Form::Ipc { rows })
            }
            "jsonl" | "ndjson" => {
                let (schema, index) = json_lines(path)?;
                (schema, Form::JsonLines(index))
            }
            "csv" => {
                let (schema, index) = csv(path)?;
                (schema, Form::Csv(index))
            }
            "json" => {
                let rows = examples(path)?;
                (told_from(path, rows.iter().map(Vec::as_slice))?, Form::Held(rows))
            }
            _ => {
                let forms = ".parquet, .jsonl, .ndjson, .json, .csv, .arrow, .ipc, .feather";
                return Err(content(path, format!("no file of rows: its name ends in none of {forms}")));
            }
        };
        let part = Part { path: path.to_owned(), state, schema: Arc::new(schema), form };
        if part.rows() == 0 { Err(content(path, "it has no rows".to_owned())) } else { Ok(part) }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rows(&self) -> u64 {
        match &self.form {
            Form::Parquet { rows } | Form::Ipc { rows } => *rows,
            Form::JsonLines(index) | Form::Csv(index) => index.rows,
            Form::Held(rows) => rows.len() as u64,
        }
    }

    pub(super) fn fingerprint(&self, hasher: &mut blake3::Hasher) {
        let State { bytes, changed } = self.state;
        hasher.update(self.path.to_string_lossy().as_bytes());
        hasher.update(&bytes.to_le_bytes()).update(&changed.as_nanos().to_le_bytes());
    }

    /// Whether it is still what it was when it was opened.
    pub(super) fn is_as_opened(&self) -> Result<bool, SourceError> {
        Ok(State::of(&self.path)? == self.state)
    }

    /// That it is not.
    pub(super) fn changed(&self) -> SourceError {
        let what = "it has changed since it was opened: put back what it was and resume, or start a new run";
        content(&self.path, what.to_owned())
    }

    /// The rows from `first` on.
    pub(super) fn stretch(&self, first: u64, count: usize) -> Result<Stretch, SourceError> {
        let whole = |table| Stretch { table, bad: Vec::new() };
        let text = |index: &Index| index.stretch(&self.path, first, count).map_err(FileError::at("read", &self.path));
        match &self.form {
            Form::Parquet { .. } => {
                let file = File::open(&self.path).map_err(FileError::at("read", &self.path))?;
                Ok(whole(ParquetReader::new(file).with_slice(Some((first as usize, count))).finish()?))
            }
            Form::Ipc { .. } => Ok(whole(scan_ipc(&self.path)?.slice(first as i64, count as u32).collect()?)),
            Form::Held(rows) => {
                let rows = rows.get(first as usize..).unwrap_or_default();
                self.parsed(first, &rows[..count.min(rows.len())], read_json)
            }
            Form::JsonLines(index) => self.parsed(first, &text(index)?, read_json),
            Form::Csv(index) => self.parsed(first, &text(index)?, read_csv),
        }
    }

    /// Parses rows together; where that fails, row by row to find those that are to blame.
    fn parsed(&self, first: u64, rows: &[Vec<u8>], parse: Parse) -> Result<Stretch, SourceError> {
        if let Ok(table) = self.parse(rows, parse) {
            return Ok(Stretch { table, bad: Vec::new() });
        }
        let mut table = DataFrame::empty_with_schema(&self.schema);
        let mut bad = Vec::new();
        for (row, text) in rows.iter().enumerate() {
            match self.parse(std::slice::from_ref(text), parse) {
                Ok(parsed) => drop(table.vstack_mut(&parsed)?),
                Err(reason) => {
                    table.vstack_mut(&DataFrame::full_null(&self.schema, 1))?;
                    let content = String::from_utf8_lossy(text).into_owned();
                    let (path, row_of_file) = (self.path.display().to_string(), first + row as u64 + 1);
                    bad.push(BadRow { row, path, row_of_file, reason, content });
                }
            }
        }
        table.rechunk_mut();
        Ok(Stretch { table, bad })
    }

    fn parse(&self, rows: &[Vec<u8>], parse: Parse) -> Result<DataFrame, String> {
        let table = parse(rows, &self.schema)?;
        let (found, wanted) = (table.height(), rows.len());
        if found == wanted { Ok(table) } else { Err(format!("{wanted} rows were read as {found}")) }
    }
}

impl State {
    fn of(path: &Path) -> Result<Self, SourceError> {
        let about = fs::metadata(path).map_err(FileError::at("read", path))?;
        let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        Ok(State { bytes: about.len(), changed })
    }
}

type Parse = fn(&[Vec<u8>], &Arc<Schema>) -> Result<DataFrame, String>;

fn content(path: &Path, what: String) -> SourceError {
    SourceError::Content { path: path.display().to_string(), what }
}

/// What polars says, without the words around it.
fn plain(error: polars::error::PolarsError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn scan_ipc(path: &Path) -> PolarsResult<LazyFrame> {
    LazyFrame::scan_ipc(PlRefPath::new(path.to_string_lossy()), Default::default(), UnifiedScanArgs::default())
}

fn ipc_rows(path: &Path) -> PolarsResult<u64> {
    let counted = scan_ipc(path)?.select([polars::prelude::len()]).collect()?;
    Ok(u64::from(counted.columns()[0].u32()?.get(0).unwrap_or_default()))
}

fn json_lines(path: &Path) -> Result<(Schema, Index), SourceError> {
    let unreadable = |error| FileError::at("read", path)(error);
    let head = lines::head(path, HEAD).map_err(unreadable)?;
    let index = Index::of(path, false).map_err(unreadable)?;
    Ok((told_from(path, head.split(|&byte| byte == b'\n'))?, index))
}

/// The columns of rows. What is no object tells nothing of types; it is a bad row when it is read.
fn told_from<'a>(path: &Path, rows: impl Iterator<Item = &'a [u8]>) -> Result<Schema, SourceError> {
    let rows = rows.map(without_mark);
    let objects = rows.filter(|row| serde_json::from_slice::<Value>(row).is_ok_and(|it| it.is_object()));
    let objects = objects.collect::<Vec<_>>().join(&b'\n');
    if objects.is_empty() {
        return Err(content(path, "no row of it is a JSON object".to_owned()));
    }
    Ok(infer(objects)?)
}

/// The columns of JSON lines. One that has only nulls is of texts, as good as anything.
fn infer(lines: Vec<u8>) -> PolarsResult<Schema> {
    let schema = polars::io::ndjson::infer_schema(&mut Cursor::new(lines), None)?;
    let known = |dtype: DataType| if dtype.is_null() { DataType::String } else { dtype };
    Ok(schema.into_iter().map(|(name, dtype)| Field::new(name, known(dtype))).collect())
}

/// JSON without the mark of byte order that some programs begin a file with, and that is no part of it (RFC 8259).
fn without_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)
}

fn read_json(rows: &[Vec<u8>], schema: &Arc<Schema>) -> Result<DataFrame, String> {
    let rows: Vec<&[u8]> = rows.iter().map(|row| without_mark(row)).collect();
    for row in &rows {
        fits(&serde_json::from_slice(row).map_err(|error| format!("no JSON: {error}"))?, schema)?;
    }
    let reader = JsonReader::new(Cursor::new(rows.join(&b'\n'))).with_json_format(JsonFormat::JsonLines);
    reader.with_schema(schema.clone()).finish().map_err(plain)
}

/// Whether an object has a place for each of its values: polars would leave out those without one, and make nulls of
/// those of another type.
fn fits(row: &Value, schema: &Schema) -> Result<(), String> {
    let object = row.as_object().ok_or_else(|| format!("{row} is no object"))?;
    for (key, value) in object {
        let Some(dtype) = schema.get(key) else { return Err(format!("`{key}` is no column of the rows before")) };
        if !is_of(value, dtype) {
            return Err(format!("`{key}` is {value}, where the rows before have {dtype}"));
        }
    }
    Ok(())
}

/// Whether a type has a place for a value and all that is in it.
fn is_of(value: &Value, dtype: &DataType) -> bool {
    match (value, dtype) {
        (Value::Null, _) => true,
        (Value::Bool(_), _) => dtype.is_bool(),
        (Value::Number(number), _) => dtype.is_float() || dtype.is_integer() && number.is_i64(),
        (Value::String(_), _) => dtype.is_string(),
        (Value::Array(items), DataType::List(inner)) => items.iter().all(|item| is_of(item, inner)),
        (Value::Object(object), DataType::Struct(fields)) => object
            .iter()
            .all(|(key, value)| fields.iter().any(|field| field.name() == key.as_str() && is_of(value, field.dtype()))),
        _ => false,
    }
}

fn csv(path: &Path) -> Result<(Schema, Index), SourceError> {
    let unreadable = |error| FileError::at("read", path)(error);
    let head = lines::head(path, HEAD).map_err(unreadable)?;
    let index = Index::of(path, true).map_err(unreadable)?;
    let mut rows = lines::rows(&head);
    // What is no row of the table tells nothing of types; it is a bad row when it is read.
    let columns = rows.first().map_or(0, |header| fields(header));
    let header = rows.first().map_or(Ok(()), |header| is_row(header, columns));
    header.map_err(|what| content(path, format!("its header cannot be read: {what}")))?;
    rows.retain(|row| is_row(row, columns).is_ok());
    let options = CsvReadOptions::default().with_has_header(true).with_infer_schema_length(Some(10_000));
    let rows = Cursor::new(rows.join(&b'\n'));
    let table = options.with_n_rows(Some(10_000)).into_reader_with_file_handle(rows).finish();
    let table = table.map_err(|error| content(path, format!("it cannot be read as CSV: {}", plain(error))))?;
    Ok((table.schema().as_ref().clone(), index))
}

/// Whether the text of a row is one of so many fields.
fn is_row(row: &[u8], columns: usize) -> Result<(), String> {
    str::from_utf8(row).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let found = fields(row);
    if found == columns { Ok(()) } else { Err(format!("fields: {found}, where the header has {columns}")) }
}

/// How many fields a row has: commas within quotes are part of one.
fn fields(row: &[u8]) -> usize {
    let mut quoted = false;
    let mut ends = |byte: &&u8| {
        quoted ^= **byte == b'"';
        **byte == b',' && !quoted
    };
    1 + row.iter().filter(|byte| ends(byte)).count()
}

fn read_csv(rows: &[Vec<u8>], schema: &Arc<Schema>) -> Result<DataFrame, String> {
    rows.iter().try_for_each(|row| is_row(row, schema.len()))?;
    let options = CsvReadOptions::default().with_has_header(false).with_schema(Some(schema.clone()));
    options.into_reader_with_file_handle(Cursor::new(rows.join(&b'\n'))).finish().map_err(plain)
}

/// `{"examples": [{…}]}` as BIG-Bench has it, or a list of objects.
fn examples(path: &Path) -> Result<Vec<Vec<u8>>, SourceError> {
    let bytes = durable::read(path)?;
    let file: Value =
        serde_json::from_slice(without_mark(&bytes)).map_err(|error| content(path, format!("no JSON: {error}")))?;
    let Some(rows) = file.get("examples").unwrap_or(&file).as_array() else {
        let expected =
            "expected a list of objects, or BIG-Bench's {\"examples\": [{\"input\": \"…\", \"target\": \"…\"}]}";
        return Err(content(path, expected.to_owned()));
    };
    Ok(rows.iter().map(|row| row.to_string().into_bytes()).collect())
}
