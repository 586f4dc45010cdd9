//! The table at the end of a run: who was right how often, what it cost, and where the time went.

use crate::{
    failure::Failure,
    results::{
        bootstrap::Interval,
        estimate::{Against, against_human, batches_in_words},
        figures::{Accuracy, Answered, Timings, accuracies, grouped, label, of_stage, parted, rows, total},
        harms, ratings, speakers,
        tallies::{Tally, tallies},
        watch::collapses,
    },
    stages::{
        calibration::{bins, brier, calibration_error},
        verdicts::forecasts,
    },
};
use batch::{Run, manifest::Line};
use spec::settings::Pipeline;
use std::{fmt::Write, path::Path};

/// The summary of a run, as far as it has come.
pub fn summary(root: &Path) -> Result<String, Failure> {
    let run = Run::open(root)?;
    let pipeline = crate::wiring::load::pipeline(root)?;
    let lines = run.lines();
    let mut text: String = accuracies(&run, &pipeline)?.iter().map(accuracy).collect();
    text += &harms::told(lines);
    text += &flow(lines, &pipeline);
    text += &against(&against_human(&run, &pipeline)?, &batches_in_words(&pipeline, lines.len()));
    text += &speakers::told(lines);
    text += &ratings::told(&ratings::ratings(&pipeline, lines));
    text += &cost(lines);
    text += &learning(lines);
    text += &believed(&tallies(&run, &pipeline)?);
    text += &collapses(&pipeline, lines).iter().map(|it| sentence(&it.text())).collect::<String>();
    text += &time(&Timings::read(root), &pipeline);
    Ok(text)
}

/// Accuracy by depth, with its bootstrap interval, and beside it what the answers cost.
fn accuracy(accuracy: &Accuracy) -> String {
    let depths = accuracy.depths();
    let mut text = format!("\n{}, after batch {}: % right by depth\n\n{:<14}", accuracy.stage, accuracy.batches, "");
    for depth in &depths {
        let _ = write!(text, "{:>7}", depth.map_or("?".into(), |depth| depth.to_string()));
    }
    let against = accuracy.reference().map_or_else(String::new, |other| format!("less {}", label(&other.row)));
    let [calls, read, written] = ["H calls", "read", "written"];
    let _ = writeln!(text, "{:>9}{:>16}{against:>26}{calls:>9}{read:>10}{written:>9}", "all", "95 %");
    for answered in &accuracy.rows {
        let _ = write!(text, "{:<14}", label(&answered.row));
        for depth in &depths {
            let cell = answered.counts.get(depth).map_or("–".into(), |count| percent(count.accuracy()));
            let _ = write!(text, "{cell:>7}");
        }
        let interval = answered.interval.map_or_else(String::new, |it| range(it, percent));
        let _ = write!(
            text,
            "{:>9}{interval:>16}{:>26}",
            percent(answered.all().accuracy()),
            difference(accuracy, answered)
        );
        if let Some(cost) = answered.cost {
            let [calls, read, written] =
                [cost.human_calls, cost.tokens_read, cost.tokens_written].map(|number| grouped(number as f64));
            let _ = write!(text, "{calls:>9}{read:>10}{written:>9}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn range(interval: Interval, number: fn(f64) -> String) -> String {
    format!("{} to {}", number(interval.low), number(interval.high))
}

/// By how much a row is right more often than the one it is held against.
fn difference(accuracy: &Accuracy, answered: &Answered) -> String {
    let (Some(other), Some(interval)) = (accuracy.reference(), answered.difference) else { return String::new() };
    let signed = |share: f64| format!("{:+.1}", 100.0 * share);
    let mean = answered.all().accuracy() - other.all().accuracy();
    format!("{} ({})", signed(mean), range(interval, signed))
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

/// How far the probabilities of verdicts can be believed.
fn believed(tallies: &[Tally]) -> String {
    let of = |tally: &Tally| {
        let forecasts = forecasts(&tally.judged);
        let (brier, error) = (brier(&forecasts)?, calibration_error(&bins(&forecasts))?);
        let (stage, count) = (&tally.stage, grouped(forecasts.len() as f64));
        Some(format!(
            "{stage}: {count} probabilities have a Brier score of {brier:.3} and a calibration error of {error:.3}.\n"
        ))
    };
    tallies.iter().filter_map(of).collect()
}

/// A line that begins with a capital and ends with a stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(".\n".chars()).collect()
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
