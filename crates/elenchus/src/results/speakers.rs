//! How often the speakers of a run won against their opponents, in words.

use crate::{results::figures::parted, stages::evaluation::Count};
use batch::manifest::Line;
use std::{collections::BTreeMap, fmt::Write};

/// What each stage has noted, in words: of an evaluation the last time, of a judge all of the second half of the run.
pub fn told(lines: &[Line]) -> String {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for line in &lines[lines.len() / 2..] {
        for (metric, rate) in line.metrics.iter().filter(|(metric, _)| parted(metric).1 == "win_rate") {
            let stage = parted(metric).0;
            let noted = |name: &str| line.metrics.get(&format!("{stage}.{name}")).copied();
            let total = noted("decided").unwrap_or_default();
            let here = Count { correct: (rate * total).round() as u32, total: total as u32 };
            let before = counts.get(stage).copied().filter(|_| noted("win_rate_low").is_none()).unwrap_or_default();
            counts.insert(stage, Count { correct: before.correct + here.correct, total: before.total + here.total });
        }
    }
    let mut text = String::new();
    for (stage, count) in counts {
        let (low, high) = count.interval();
        let [rate, low, high] = [count.accuracy(), low, high].map(|share| 100.0 * share);
        let _ = writeln!(text, "  {stage:<24}{rate:>6.1} % ({low:.1} to {high:.1}) of {}", count.total);
    }
    if text.is_empty() {
        text
    } else {
        format!("\nThe speaker won against its opponent, of the debates that somebody won:\n{text}")
    }
}
