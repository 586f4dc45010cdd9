//! `elenchus compare`: runs side by side, as tables and plots on the terminal, and on a page.

use crate::{
    failure::{Exit, Failure},
    results::{
        comparison::{Comparison, Ending, Group},
        figures::is_score,
        figures::number,
        pages,
    },
    verbs::command::{print, say},
};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The size of a plot on the terminal, in letters. Each has two dots across and four down.
const WIDTH: usize = 60;
const HEIGHT: usize = 6;

/// Compares runs, and prints what came of it; `html` is a page to write.
pub fn compare(runs: &[PathBuf], metrics: &[String], html: Option<&Path>) -> Result<Exit, Failure> {
    let comparison = Comparison::read(runs)?;
    warn(&comparison);
    print(text(&comparison, metrics)?)?;
    if let Some(path) = html {
        write_page(&comparison, path)?;
        print(format!("\nplots: {}\n", path.display()))?;
    }
    Ok(Exit::Done)
}

/// Says which runs count for nothing.
fn warn(comparison: &Comparison) {
    for (run, other) in &comparison.left_out {
        let (run, other) = (run.display(), other.display());
        say(&format!("warning: {run} has the settings and the seed of {other}, and is left out"));
    }
}

/// Writes the page of a comparison.
pub fn write_page(comparison: &Comparison, path: &Path) -> Result<(), Failure> {
    let unwritten = |error| Failure::run(format!("`{}` cannot be written: {error}", path.display()));
    fs::write(path, pages::comparison::comparison(comparison)).map_err(unwritten)
}

/// The comparison in words: settings, where each metric ended, and plots of those that were asked for, or else of how
/// often answers were right.
pub fn text(comparison: &Comparison, metrics: &[String]) -> Result<String, Failure> {
    let known = comparison.metrics();
    if let Some(unknown) = metrics.iter().find(|metric| !known.contains(metric.as_str())) {
        let help = spec::problem::instead(unknown, known);
        return Err(Failure::command(format!("no run has a metric `{unknown}`: {help}")));
    }
    let asked = |metric: &&&str| metrics.is_empty() || metrics.iter().any(|asked| asked == **metric);
    let shown: Vec<&str> = known.iter().filter(asked).copied().collect();
    let plotted = shown
        .iter()
        .filter(|metric| !metrics.is_empty() || is_score(metric))
        .map(|metric| format!("\n{metric}\n{}", plot(comparison, metric)));
    Ok(settings(comparison) + "\n" + &endings(comparison, &shown) + &plotted.collect::<String>())
}

/// The letters by which groups are called.
fn letters(comparison: &Comparison) -> Vec<String> {
    (0..comparison.groups.len()).map(letter).collect()
}

fn letter(i: usize) -> String {
    let own = char::from(b'A' + (i % 26) as u8);
    if i < 26 { own.to_string() } else { format!("{}{own}", letter(i / 26 - 1)) }
}

fn settings(comparison: &Comparison) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([vec!["settings".to_owned()], letters(comparison)].concat());
    for (path, values) in comparison.differing() {
        let values = values.into_iter().map(|value| value.unwrap_or("–"));
        table.add_row([path].into_iter().chain(values).collect::<Vec<_>>());
    }
    let groups = || comparison.groups.iter();
    table.add_row(["runs".to_owned()].into_iter().chain(groups().map(|group| group.size())));
    table.add_row(["batches".to_owned()].into_iter().chain(groups().map(|group| group.batches().to_string())));
    format!("{table}\n")
}

fn endings(comparison: &Comparison, metrics: &[&str]) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([vec!["at the end".to_owned()], letters(comparison)].concat());
    for metric in metrics {
        let cells = comparison.groups.iter().map(|group| group.ending(metric).map_or("–".to_owned(), Ending::words));
        table.add_row([(*metric).to_owned()].into_iter().chain(cells));
    }
    format!("{table}\n")
}

/// A metric over batches in Braille dots, one plot for each group, all on one scale.
fn plot(comparison: &Comparison, metric: &str) -> String {
    let means = |group: &Group| group.course(metric).into_iter().map(|(batch, it)| (batch, it.mean)).collect();
    let courses: Vec<Vec<(u64, f64)>> = comparison.groups.iter().map(means).collect();
    let values = || courses.iter().flatten().map(|point| point.1);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let last = courses.iter().flatten().map(|point| point.0).max().unwrap_or_default();
    let mut text = String::new();
    for (course, label) in courses.iter().zip(letters(comparison)) {
        for (row, dots) in dots(course, last, (low, high)).iter().enumerate() {
            let mark = match row {
                0 => number(high),
                row if row + 1 == HEIGHT => number(low),
                _ => String::new(),
            };
            let label = if row == 0 { label.as_str() } else { "" };
            text += format!("{label:>3} {mark:>9} {dots}").trim_end();
            text.push('\n');
        }
    }
    text + &format!("{:>13} 0{last:>width$}\n", "", width = WIDTH - 1)
}

/// The lines of a plot of `(batch, value)` points, from the first batch to the last of all plots.
fn dots(points: &[(u64, f64)], last: u64, (low, high): (f64, f64)) -> Vec<String> {
    /// The bit of each dot of a Braille letter: by column, from the top.
    const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let (across, down) = ((WIDTH * 2 - 1) as f64, (HEIGHT * 4 - 1) as f64);
    let dot = |&(batch, value): &(u64, f64)| {
        let share = if high > low { (high - value) / (high - low) } else { 0.5 };
        (batch as f64 / last.max(1) as f64 * across, share * down)
    };
    let places: Vec<(f64, f64)> = points.iter().map(dot).collect();
    let mut letters = [[0u32; WIDTH]; HEIGHT];
    for (i, &(x, y)) in places.iter().enumerate() {
        let (from_x, from_y) = places[i.saturating_sub(1)];
        let steps = (x - from_x).abs().max((y - from_y).abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let part = step as f64 / steps;
            let column = (from_x + (x - from_x) * part).round() as usize;
            let row = (from_y + (y - from_y) * part).round() as usize;
            letters[row / 4][column / 2] |= BITS[column % 2][row % 4];
        }
    }
    let letter = |&bits: &u32| char::from_u32(0x2800 + bits).filter(|_| bits > 0).unwrap_or(' ');
    letters.iter().map(|row| row.iter().map(letter).collect()).collect()
}
