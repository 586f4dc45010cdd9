//! How often the speaker of a debate wins against its opponent: its share of the debates that somebody won. Those without
//! a winner, whose reward is null, count for nobody.

use crate::{
    evaluation::Count,
    figures::parted,
    tables::{texts, u32s, u64s},
};
use batch::{Unit, manifest::Line};
use debate::{debate::Voice, judge::Side};
use polars::prelude::*;
use std::{collections::BTreeMap, fmt::Write};

/// The side of the speaker in each debate of a table of arguments; of none where nobody argues against it.
pub fn sides(arguments: &DataFrame) -> PolarsResult<BTreeMap<u64, Side>> {
    if arguments.get_column_index("voice").is_none() {
        return Ok(BTreeMap::new());
    }
    let argued = u64s(arguments, "question")?.into_iter().zip(u32s(arguments, "turn")?);
    let side = |((id, turn), voice): ((u64, u32), String)| {
        let of_speaker = if voice == Voice::Speaker.name() { turn } else { turn + 1 };
        (id, Side::at(of_speaker as usize))
    };
    Ok(argued.zip(texts(arguments, "voice")?).map(side).collect())
}

/// Counts the debates that somebody won, and those of them that the speaker did.
pub fn count(debates: impl Iterator<Item = (Option<Side>, Option<Side>)>) -> Count {
    let won = debates.filter_map(|(winner, speaker)| Some(winner? == speaker?));
    won.fold(Count::default(), |count, won| Count { correct: count.correct + u32::from(won), total: count.total + 1 })
}

/// Notes the share that the speaker won, and of how many.
pub fn note(unit: &mut Unit<'_>, count: Count) {
    unit.metric("decided", f64::from(count.total));
    if count.total > 0 {
        unit.metric("win_rate", count.accuracy());
    }
}

/// Notes the interval of that share too, where what was won is all there is to know it by.
pub fn note_interval(unit: &mut Unit<'_>, count: Count) {
    if count.total > 0 {
        let (low, high) = count.interval();
        unit.metric("win_rate_low", low);
        unit.metric("win_rate_high", high);
    }
}

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
