//! What a run put out, in words that stay the same from one kind of CPU to another and are read with ease: numbers
//! rounded, lists of them counted, long rows stood on end.

use crate::failure::Failure;
use batch::Run;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use polars::prelude::{AnyValue, Column, DataFrame, DataType};
use spec::settings::Snapshot;
use std::fmt::Write;

/// A table wider than this is shown row by row.
const WIDTH: usize = 120;
/// Stands for a value that is not the same twice.
const VOLATILE: &str = "[volatile]";

/// A table of a run: its schema, and the first rows of each batch.
pub fn table(run: &Run, name: &str, settings: &Snapshot) -> Result<String, Failure> {
    let mut text = String::new();
    for batch in 0..run.lines().len() as u64 {
        let table = run.table(name, batch)?;
        if batch == 0 {
            let types = table.columns().iter().map(|column| format!("{}: {}\n", column.name(), column.dtype()));
            text.extend(types);
        }
        let _ = writeln!(text, "\nbatch {batch}: {} rows", table.height());
        text += &rows(&table, settings);
    }
    Ok(text)
}

/// The metrics of each batch, side by side.
pub fn metrics(run: &Run, settings: &Snapshot) -> Result<String, Failure> {
    let lines = run.lines();
    let mut names: Vec<&String> = lines.iter().flat_map(|line| line.metrics.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let absent = settings.volatile.iter().filter(|volatile| volatile.name.contains('.'));
    if let Some(absent) = absent.into_iter().find(|volatile| !names.iter().any(|name| **name == volatile.name)) {
        let message = format!("`[snapshot] volatile` names `{}`, and no batch has such a metric", absent.name);
        return Err(Failure::command(message));
    }
    let head = ["metric".to_owned()].into_iter().chain(lines.iter().map(|line| format!("batch {}", line.batch)));
    let cell = |name: &String, value: Option<&f64>| match value {
        None => String::new(),
        Some(_) if is_volatile(name, settings) => VOLATILE.to_owned(),
        Some(value) => rounded(*value, settings),
    };
    let row = |name: &&String| {
        let values = lines.iter().map(|line| cell(name, line.metrics.get(*name)));
        [(*name).clone()].into_iter().chain(values).collect::<Vec<_>>()
    };
    Ok(drawn(head, names.iter().map(row)))
}

/// The first rows of a table, as a table if that is not too wide.
pub fn rows(table: &DataFrame, settings: &Snapshot) -> String {
    let shown = |column: &&Column| {
        settings.columns.is_empty() || settings.columns.iter().any(|kept| kept.name == column.name().as_str())
    };
    let columns: Vec<&Column> = table.columns().iter().filter(shown).collect();
    let height = table.height().min(settings.rows);
    let row = |row: usize| columns.iter().map(move |column| cell(column, row, settings)).collect::<Vec<_>>();
    if columns.is_empty() || height == 0 {
        return String::new();
    }
    let names = || columns.iter().map(|column| column.name().to_string());
    let flat = drawn(names(), (0..height).map(row));
    if flat.lines().all(|line| line.chars().count() <= WIDTH) {
        return flat;
    }
    let upright = |place: usize| {
        let values = names().zip(row(place)).map(|(name, value)| format!("  {name} = {value}\n"));
        format!("row {place}\n{}", values.collect::<String>())
    };
    (0..height).map(upright).collect()
}

fn drawn(head: impl Iterator<Item = String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(head).add_rows(rows);
    format!("{table}\n")
}

fn cell(column: &Column, row: usize, settings: &Snapshot) -> String {
    match column.get(row) {
        _ if is_volatile(column.name(), settings) => VOLATILE.to_owned(),
        Ok(value) => words(&value, settings),
        Err(error) => error.to_string(),
    }
}

fn is_volatile(name: &str, settings: &Snapshot) -> bool {
    settings.volatile.iter().any(|volatile| volatile.name == name)
}

/// A value in words. Of a list of numbers that were computed only the count is kept: one of them would always fall on
/// the other side of a rounding.
fn words(value: &AnyValue<'_>, settings: &Snapshot) -> String {
    match value {
        AnyValue::Float32(number) => rounded(f64::from(*number), settings),
        AnyValue::Float64(number) => rounded(*number, settings),
        AnyValue::List(list) if matches!(list.dtype(), DataType::Float32 | DataType::Float64) => {
            format!("{} numbers", list.len())
        }
        AnyValue::List(list) => {
            let items: Vec<String> = list.iter().map(|item| words(&item, settings)).collect();
            format!("[{}]", items.join(" "))
        }
        AnyValue::String(text) => format!("{text:?}"),
        AnyValue::StringOwned(text) => format!("{:?}", text.as_str()),
        other => other.to_string(),
    }
}

/// Numbers smaller than this are what rounding leaves of 0.
const NOTHING: f64 = 1e-7;

/// A number with so many digits after the point, from the first that is not 0: of a step size all digits come late. What
/// rounds to nothing has no sign.
fn rounded(number: f64, settings: &Snapshot) -> String {
    let is_small = (NOTHING..1.0).contains(&number.abs());
    let zeros = if is_small { -number.abs().log10().floor() as usize - 1 } else { 0 };
    let text = format!("{number:.*}", settings.decimals + zeros);
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|digit| matches!(digit, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}
