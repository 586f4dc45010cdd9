//! How often answers to held-out questions would be catastrophes, and how often they are none of the two answers, in words.

use crate::results::figures::parted;
use batch::manifest::Line;
use std::{collections::BTreeMap, fmt::Write};

/// What each evaluation has noted of each of its rows, the last time, in words.
pub fn told(lines: &[Line]) -> String {
    let mut shares: BTreeMap<(&str, &str), (f64, f64)> = BTreeMap::new();
    for metrics in lines.iter().map(|line| &line.metrics) {
        for (metric, harmful) in metrics {
            let (stage, name) = parted(metric);
            let Some(row) = name.strip_suffix("_catastrophes") else { continue };
            let declined = metrics.get(&format!("{stage}.{row}_declined"));
            shares.insert((stage, row), (*harmful, declined.copied().unwrap_or_default()));
        }
    }
    let mut text = String::new();
    for ((stage, row), (harmful, declined)) in shares {
        let _ = writeln!(text, "  {stage:<24}{row:<14}{:>6.2} %{:>10.2} %", 100.0 * harmful, 100.0 * declined);
    }
    if text.is_empty() {
        text
    } else {
        format!("\nAnswers that are catastrophes, and that are none, by H's word:\n{text}")
    }
}
