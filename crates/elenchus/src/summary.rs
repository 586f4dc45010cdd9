//! The table at the end of a run: who was right how often, what it cost, and where the time went.

use crate::{
    command::Failure,
    estimate::{Against, against_human, batches_in_words},
    evaluation::sum,
    figures::{Accuracy, Timings, accuracies, grouped, label, of_stage, parted, rows, total},
};
use batch::{Run, manifest::Line};
use spec::settings::Pipeline;
use std::{fmt::Write, path::Path};

/// The summary of a run, as far as it has come.
pub fn summary(root: &Path) -> Result<String, Failure> {
    let run = Run::open(root)?;
    let pipeline = crate::run::pipeline(root)?;
    let lines = run.lines();
    let mut text: String = accuracies(&run, &pipeline)?.iter().map(accuracy).collect();
    text += &flow(lines, &pipeline);
    text += &against(&against_human(&run, &pipeline)?, &batches_in_words(&pipeline, lines.len()));
    text += &cost(lines);
    text += &learning(lines);
    text += &time(&Timings::read(root), &pipeline);
    Ok(text)
}

/// Accuracy by depth.
fn accuracy(accuracy: &Accuracy) -> String {
    let depths = accuracy.depths();
    let mut text = format!("\n{}, after batch {}: % right by depth\n\n{:<12}", accuracy.stage, accuracy.batches, "");
    for depth in &depths {
        let _ = write!(text, "{:>7}", depth.map_or("?".into(), |depth| depth.to_string()));
    }
    let _ = writeln!(text, "{:>9}", "all");
    for (row, counts) in &accuracy.rows {
        let _ = write!(text, "{:<12}", label(row));
        for depth in &depths {
            let cell = counts.get(depth).map_or("–".into(), |count| format!("{:.1}", 100.0 * count.accuracy()));
            let _ = write!(text, "{cell:>7}");
        }
        let _ = writeln!(text, "{:>9.1}", 100.0 * sum(counts.values().copied()).accuracy());
    }
    text
}

/// The rows that went through each stage that counts them or could not do some, and how many it could not do.
fn flow(lines: &[Line], pipeline: &Pipeline) -> String {
    let mut text = String::new();
    for stage in &pipeline.stages {
        let errors = of_stage(lines, &stage.name, "errors").filter(|errors| *errors > 0.0);
        let counts = errors.is_some() || of_stage(lines, &stage.name, "rows").is_some();
        let Some(rows) = rows(lines, &stage.name).filter(|_| counts) else { continue };
        let _ = write!(text, "{:<8} {:<24} {:>12} rows", stage.settings.kind(), stage.name, grouped(rows));
        if let Some(errors) = errors {
            let _ = write!(text, ", {} errors: see `show --table {}.errors`", grouped(errors), stage.name);
        }
        text.push('\n');
    }
    text
}

/// Calls and tokens, summed over the run, if there were any.
fn cost(lines: &[Line]) -> String {
    if total(lines, "human_calls") + total(lines, "model_prompts") == 0.0 {
        return String::new();
    }
    let total = |name: &str| grouped(total(lines, name));
    format!(
        "\nH was called {} times; M answered {} questions in {} calls, read {} tokens, wrote {}, and trained on {}.\n",
        total("human_calls"),
        total("model_prompts"),
        total("model_calls"),
        total("tokens_read"),
        total("tokens_written"),
        total("tokens"),
    )
}

/// How often M's first answer is another than H's.
fn against(found: &[Against], batches: &str) -> String {
    let mut text = String::new();
    for Against { stage, asked, estimate } in found {
        let _ = write!(text, "  {:<24}", format!("{stage}: {asked}"));
        text += &match (estimate.error(), estimate.interval()) {
            (Some(error), Some((low, high))) => {
                format!("{:>6.1} % ({:.1} to {:.1})", 100.0 * error, 100.0 * low, 100.0 * high)
            }
            _ => "   nothing is known: H was never called".to_owned(),
        };
        if estimate.uncovered > 0 {
            let _ = write!(text, ", {:.1} % of questions had no chance of H", 100.0 * estimate.uncovered_share());
        }
        text.push('\n');
    }
    if text.is_empty() { text } else { format!("\nM's first answer differs from H's, {batches}:\n{text}") }
}

/// What the debate was worth, averaged over the second half of the run.
fn learning(lines: &[Line]) -> String {
    let half = &lines[lines.len() / 2..];
    let mean = |name: &str| {
        let of =
            |line: &Line| line.metrics.iter().find(|(metric, _)| parted(metric).1 == name).map(|(_, value)| *value);
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

/// Seconds by stage.
fn time(timings: &Timings, pipeline: &Pipeline) -> String {
    let all = timings.all();
    if all == 0.0 {
        return String::new();
    }
    let shares = timings.shares(pipeline);
    let work: f64 = shares.iter().map(|(_, seconds)| seconds).sum();
    let share = |(name, seconds): (String, f64)| format!("{name} {:.0} %", 100.0 * seconds / work);
    let shares: Vec<String> = shares.into_iter().map(share).collect();
    format!("Time: {:.0} s ({}).\n", all, shares.join(", "))
}
