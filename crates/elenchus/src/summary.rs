//! The table at the end of a run: who was right how often, what it cost, and where the time went.

use crate::{
    command::Failure,
    evaluation::{Count, sum},
    tables,
};
use batch::{Run, manifest::Line};
use polars::prelude::*;
use spec::settings::{Pipeline, Stage};
use std::{collections::BTreeMap, fmt::Write, path::Path};

/// Prints the summary of a run.
#[expect(clippy::print_stdout, reason = "this is the result")]
pub fn print(root: &Path) -> Result<(), Failure> {
    print!("{}", summary(root)?);
    Ok(())
}

/// The summary of a run, as far as it has come.
pub fn summary(root: &Path) -> Result<String, Failure> {
    let run = Run::open(root).map_err(Failure::command)?;
    let pipeline = crate::run::pipeline(root)?;
    let lines = run.lines();
    let mut text = String::new();
    for stage in &pipeline.stages {
        if let Stage::Evaluate(_) = stage.settings {
            text += &accuracy(&run, &stage.name)?;
        }
    }
    text += &cost(lines);
    text += &learning(lines);
    text += &time(root, &pipeline);
    Ok(text)
}

/// Accuracy by depth, as last evaluated.
fn accuracy(run: &Run, stage: &str) -> Result<String, Failure> {
    let evaluated = |line: &&Line| line.tables.get(stage).is_some_and(|part| part.rows > 0);
    let Some(line) = run.lines().iter().rev().find(evaluated) else { return Ok(String::new()) };
    let counts = counts(&run.table(stage, line.batch).map_err(Failure::run)?).map_err(Failure::run)?;
    let mut depths: Vec<Option<u32>> = counts.iter().flat_map(|(_, counts)| counts.keys().copied()).collect();
    depths.sort_unstable();
    depths.dedup();
    let mut text = format!("\n{stage}, after batch {}: % right by depth\n\n{:<12}", line.batch + 1, "");
    for depth in &depths {
        let _ = write!(text, "{:>7}", depth.map_or("?".into(), |depth| depth.to_string()));
    }
    let _ = writeln!(text, "{:>9}", "all");
    for (row, counts) in counts {
        let _ = write!(text, "{:<12}", label(&row));
        for depth in &depths {
            let cell = counts.get(depth).map_or("–".into(), |count| format!("{:.1}", 100.0 * count.accuracy()));
            let _ = write!(text, "{cell:>7}");
        }
        let _ = writeln!(text, "{:>9.1}", 100.0 * sum(counts.into_values()).accuracy());
    }
    Ok(text)
}

/// How a row of the table is called for people.
fn label(row: &str) -> &str {
    match row {
        "naive" => "M alone",
        "human" => "H alone",
        "amplified" => "H with M",
        other => other,
    }
}

/// Right answers by depth, where that is known.
type ByDepth = BTreeMap<Option<u32>, Count>;

/// The rows of an evaluation table, in its order.
fn counts(table: &DataFrame) -> PolarsResult<Vec<(String, ByDepth)>> {
    let (rows, correct, total) =
        (tables::texts(table, "row")?, tables::u32s(table, "correct")?, tables::u32s(table, "total")?);
    let depth = table.column("depth")?.u32()?;
    let mut counts: Vec<(String, ByDepth)> = Vec::new();
    for (i, row) in rows.into_iter().enumerate() {
        if counts.last().is_none_or(|(last, _)| *last != row) {
            counts.push((row, BTreeMap::new()));
        }
        if let Some((_, counts)) = counts.last_mut() {
            counts.insert(depth.get(i), Count { correct: correct[i], total: total[i] });
        }
    }
    Ok(counts)
}

/// Calls and tokens, summed over the run.
fn cost(lines: &[Line]) -> String {
    let total = |name: &str| -> f64 {
        let of = |line: &Line| -> f64 {
            line.metrics.iter().filter(|(metric, _)| last_part(metric) == name).map(|(_, value)| value).sum()
        };
        lines.iter().map(of).sum()
    };
    format!(
        "\nH was called {} times; M answered {} questions in {} calls, read {} tokens, wrote {}, and trained on {}.\n",
        grouped(total("human_calls")),
        grouped(total("model_prompts")),
        grouped(total("model_calls")),
        grouped(total("tokens_read")),
        grouped(total("tokens_written")),
        grouped(total("tokens")),
    )
}

fn last_part(metric: &str) -> &str {
    metric.rsplit('.').next().unwrap_or(metric)
}

/// A whole number with its digits in groups of three.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let group = |(i, digit): (usize, char)| {
        let left = digits.len() - i;
        if i > 0 && left.is_multiple_of(3) { format!(" {digit}") } else { digit.to_string() }
    };
    digits.chars().enumerate().map(group).collect()
}

/// What the debate was worth, averaged over the second half of the run.
fn learning(lines: &[Line]) -> String {
    let half = &lines[lines.len() / 2..];
    let mean = |name: &str| {
        let of =
            |line: &Line| line.metrics.iter().find(|(metric, _)| last_part(metric) == name).map(|(_, value)| *value);
        let values: Vec<f64> = half.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let Some(null) = mean("null_rewards") else { return String::new() };
    let mut text = format!("In the second half {:.0} % of debates had a reward", 100.0 * (1.0 - null));
    if let Some(share) = mean("reward_share") {
        let _ = write!(text, ", the reward had {:.0} % of the gradient norm", 100.0 * share);
    }
    if let Some(right) = mean("right_verdicts") {
        let _ = write!(text, ", {:.0} % of verdicts were right", 100.0 * right);
    }
    text + ".\n"
}

/// Seconds by stage, from the run's timings.
fn time(root: &Path, pipeline: &Pipeline) -> String {
    #[derive(serde::Deserialize)]
    struct Timing {
        seconds: f64,
        stages: BTreeMap<String, f64>,
    }
    let timings = std::fs::read_to_string(root.join("timings.jsonl")).unwrap_or_default();
    let (mut all, mut by_stage) = (0.0, BTreeMap::<String, f64>::new());
    for timing in timings.lines().filter_map(|line| serde_json::from_str::<Timing>(line).ok()) {
        all += timing.seconds;
        timing.stages.into_iter().for_each(|(stage, seconds)| *by_stage.entry(stage).or_default() += seconds);
    }
    if all == 0.0 {
        return String::new();
    }
    let rest = all - by_stage.values().sum::<f64>();
    let share = |name: &str, seconds: f64| format!("{name} {:.0} %", 100.0 * seconds / all);
    let mut shares: Vec<String> = pipeline
        .stages
        .iter()
        .filter_map(|stage| by_stage.get(&stage.name).map(|&seconds| share(&stage.name, seconds)))
        .collect();
    shares.push(share("committing", rest));
    format!("Time: {:.0} s ({}).\n", all, shares.join(", "))
}
