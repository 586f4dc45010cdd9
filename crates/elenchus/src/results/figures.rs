//! The figures of a run, as far as it has come: who was right how often, what it cost, and where the time went.

use crate::{
    failure::Failure,
    results::bootstrap::{self, Interval},
    stages::{
        evaluation::{self, Count},
        tables,
    },
};
use batch::{Run, manifest::Line};
use debate::{cost::Cost, draw::Draw};
use polars::prelude::*;
use spec::settings::{Pipeline, Row, Stage};
use std::{collections::BTreeMap, path::Path};

/// Right answers by depth, where that is known.
pub type ByDepth = BTreeMap<Option<u32>, Count>;

/// The last evaluation of a stage.
pub struct Accuracy {
    /// The stage's name.
    pub stage: String,
    /// After how many batches it was.
    pub batches: u64,
    /// Who answered.
    pub rows: Vec<Answered>,
}

/// A row of an evaluation.
pub struct Answered {
    /// Its name.
    pub row: String,
    /// How often it was right.
    pub counts: ByDepth,
    /// What its answers cost, where the run has noted it.
    pub cost: Option<Cost>,
    /// The bootstrap interval of its share of right answers.
    pub interval: Option<Interval>,
    /// That of the difference to the row it is held against: `naive`, or where there is none, the first. None for that row
    /// itself.
    pub difference: Option<Interval>,
}

impl Answered {
    /// All right answers.
    pub fn all(&self) -> Count {
        evaluation::sum(self.counts.values().copied())
    }
}

impl Accuracy {
    /// The row that others are held against.
    pub fn reference(&self) -> Option<&Answered> {
        self.rows.get(reference(self.rows.iter().map(|answered| answered.row.as_str())))
    }

    /// The depths of its questions, rising.
    pub fn depths(&self) -> Vec<Option<u32>> {
        let mut depths: Vec<Option<u32>> =
            self.rows.iter().flat_map(|answered| answered.counts.keys().copied()).collect();
        depths.sort_unstable();
        depths.dedup();
        depths
    }
}

/// The last evaluation of each `evaluate` stage that has one.
pub fn accuracies(run: &Run, pipeline: &Pipeline) -> Result<Vec<Accuracy>, Failure> {
    let evaluating = pipeline.stages.iter().filter(|stage| matches!(stage.settings, Stage::Evaluate(_)));
    let found = evaluating.filter_map(|stage| {
        let evaluated = |line: &&Line| line.tables.get(&stage.name).is_some_and(|part| part.rows > 0);
        let line = run.lines().iter().rev().find(evaluated)?;
        Some((stage.name.clone(), line.batch))
    });
    let draw = Draw::new(pipeline.seed).named("bootstrap");
    let read = |(stage, batch): (String, u64)| {
        let (table, answers) = (run.table(&stage, batch)?, run.table(&format!("{stage}.answers"), batch)?);
        let mut rows = counts(&table).map_err(Failure::run)?;
        add_intervals(&mut rows, &right(&answers).map_err(Failure::run)?, draw.named(&stage));
        Ok(Accuracy { stage, batches: batch + 1, rows })
    };
    found.map(read).collect()
}

/// The rows of an evaluation table, in its order.
fn counts(table: &DataFrame) -> PolarsResult<Vec<Answered>> {
    let (rows, correct, total) =
        (tables::texts(table, "row")?, tables::u32s(table, "correct")?, tables::u32s(table, "total")?);
    let depth = table.column("depth")?.u32()?;
    let costs = costs(table)?;
    let mut found: Vec<Answered> = Vec::new();
    for (i, row) in rows.into_iter().enumerate() {
        if found.last().is_none_or(|last| last.row != row) {
            let cost = costs.as_ref().map(|_| Cost::default());
            found.push(Answered { row, counts: BTreeMap::new(), cost, interval: None, difference: None });
        }
        if let Some(last) = found.last_mut() {
            last.counts.insert(depth.get(i), Count { correct: correct[i], total: total[i] });
            last.cost = last.cost.zip(costs.as_ref()).map(|(sum, costs)| sum + costs[i]);
        }
    }
    Ok(found)
}

/// What the answers of each line of an evaluation table cost; runs of earlier versions have not noted it.
fn costs(table: &DataFrame) -> PolarsResult<Option<Vec<Cost>>> {
    if table.column("human_calls").is_err() {
        return Ok(None);
    }
    let column = |name: &str| tables::u64s(table, name);
    let tokens = column("tokens_read")?.into_iter().zip(column("tokens_written")?);
    let cost = |(human_calls, (tokens_read, tokens_written))| Cost { human_calls, tokens_read, tokens_written };
    Ok(Some(column("human_calls")?.into_iter().zip(tokens).map(cost).collect()))
}

/// Which questions each row answered right, by the row's name. All rows are asked the same questions in the same order.
fn right(answers: &DataFrame) -> PolarsResult<BTreeMap<String, Vec<bool>>> {
    let mut right: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    let correct = answers.column("correct")?.bool()?;
    for (row, correct) in tables::texts(answers, "row")?.into_iter().zip(correct.iter()) {
        right.entry(row).or_default().push(correct.unwrap_or_default());
    }
    Ok(right)
}

fn add_intervals(rows: &mut [Answered], right: &BTreeMap<String, Vec<bool>>, draw: Draw) {
    let of_rows: Vec<Vec<bool>> =
        rows.iter().map(|answered| right.get(&answered.row).cloned().unwrap_or_default()).collect();
    let shares = bootstrap::resampled(&of_rows, draw);
    let reference = reference(rows.iter().map(|answered| answered.row.as_str()));
    for (place, answered) in rows.iter_mut().enumerate() {
        answered.interval = bootstrap::interval(shares[place].clone());
        if place != reference {
            answered.difference = bootstrap::difference(&shares[place], &shares[reference]);
        }
    }
}

/// The place of the row that the others are held against.
fn reference<'a>(mut names: impl Iterator<Item = &'a str>) -> usize {
    names.position(|name| name == "naive").unwrap_or_default()
}

/// How a row of an evaluation is called for people.
pub fn label(row: &str) -> String {
    match row {
        "naive" => "M alone".to_owned(),
        "human" => "H alone".to_owned(),
        "amplified" => "H with M".to_owned(),
        other => other.replace("hch-", "HCH to ").replace('-', " "),
    }
}

/// Whether a metric is how often a row of an evaluation is right.
pub fn is_score(metric: &str) -> bool {
    let (_, name) = parted(metric);
    ["hch-", "best-of-"].iter().any(|row| name.starts_with(row)) || Row::WORDS.iter().any(|row| row.name() == name)
}

/// The stage and the name of a metric, `STAGE.name`.
pub fn parted(metric: &str) -> (&str, &str) {
    metric.rsplit_once('.').unwrap_or(("", metric))
}

/// The sum of a stage's metric over all batches, if it has it.
pub fn of_stage(lines: &[Line], stage: &str, name: &str) -> Option<f64> {
    let metric = format!("{stage}.{name}");
    lines.iter().filter_map(|line| line.metrics.get(&metric).copied()).reduce(|sum, value| sum + value)
}

/// How many rows a stage has put out, as it counts them itself, or else in its own table.
pub fn rows(lines: &[Line], stage: &str) -> Option<f64> {
    let parts = lines.iter().filter_map(|line| line.tables.get(stage));
    of_stage(lines, stage, "rows").or_else(|| parts.map(|part| part.rows as f64).reduce(|sum, rows| sum + rows))
}

/// The sum of a metric over all stages and batches.
pub fn total(lines: &[Line], name: &str) -> f64 {
    lines.iter().map(|line| sum(&line.metrics, name)).sum()
}

/// The sum of a metric over the stages of a batch.
pub fn sum(metrics: &BTreeMap<String, f64>, name: &str) -> f64 {
    metrics.iter().filter(|(metric, _)| parted(metric).1 == name).map(|(_, value)| value).sum()
}

/// The tokens that models read, wrote and were trained on in a batch.
pub fn tokens(metrics: &BTreeMap<String, f64>) -> f64 {
    ["tokens_read", "tokens_written", "tokens"].iter().map(|name| sum(metrics, name)).sum()
}

/// Where the time went.
#[derive(Default)]
pub struct Timings {
    /// Seconds from when each batch was the next one to its commit, in their order; of one that was done over, the last
    /// time.
    pub batches: BTreeMap<u64, f64>,
    /// Seconds by stage.
    pub stages: BTreeMap<String, f64>,
}

impl Timings {
    /// What a run has noted of its times.
    pub fn read(root: &Path) -> Self {
        #[derive(serde::Deserialize)]
        struct Timing {
            batch: u64,
            seconds: f64,
            stages: BTreeMap<String, f64>,
        }
        let text = std::fs::read_to_string(root.join("timings.jsonl")).unwrap_or_default();
        let mut timings = Timings::default();
        for timing in text.lines().filter_map(|line| serde_json::from_str::<Timing>(line).ok()) {
            timings.batches.insert(timing.batch, timing.seconds);
            timing.stages.into_iter().for_each(|(name, seconds)| *timings.stages.entry(name).or_default() += seconds);
        }
        timings
    }

    /// All seconds.
    pub fn all(&self) -> f64 {
        self.batches.values().sum()
    }

    /// Seconds by stage in the order of the file, and last what was spent on committing. Batches that are under way beside
    /// each other take their time at once, so the sum may be more than [`Timings::all`].
    pub fn shares(&self, pipeline: &Pipeline) -> Vec<(String, f64)> {
        let stage = |name: &String| Some((name.clone(), *self.stages.get(name)?));
        let mut shares: Vec<(String, f64)> = pipeline.stages.iter().filter_map(|named| stage(&named.name)).collect();
        let rest = self.all() - shares.iter().map(|(_, seconds)| seconds).sum::<f64>();
        shares.push(("committing".to_owned(), rest.max(0.0)));
        shares
    }
}

/// A whole number with its digits in groups of three.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let group = |(i, digit): (usize, char)| {
        let left = digits.len() - i;
        let follows = digits[..i].ends_with(|before: char| before.is_ascii_digit());
        if follows && left.is_multiple_of(3) { format!(" {digit}") } else { digit.to_string() }
    };
    digits.chars().enumerate().map(group).collect()
}

/// A number in as many digits as one reads at a glance.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size == 0.0 => return "0".to_owned(),
        _ if !(1e-4..1e7).contains(&size) => return format!("{value:.1e}").replace(".0e", "e"),
        _ if size >= 1000.0 => return grouped(value),
        _ if size >= 100.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
