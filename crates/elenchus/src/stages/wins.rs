//! How often the speaker of a debate wins against its opponent: its share of the debates that somebody won. Those without
//! a winner, whose reward is null, count for nobody.

use crate::stages::{
    evaluation::Count,
    tables::{texts, u32s, u64s},
};
use batch::{Unit, manifest::Line};
use debate::{debate::Voice, judge::Side};
use polars::prelude::*;
use std::collections::BTreeMap;

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

/// What the speaker won and lost of the debates that somebody won.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Won.
    pub won: f64,
    /// Lost.
    pub lost: f64,
}

/// What a judge has noted of a batch, where somebody won.
pub fn of_line(line: &Line, stage: &str) -> Option<Share> {
    let noted = |name: &str| line.metrics.get(&format!("{stage}.{name}")).copied();
    let (rate, decided) = (noted("win_rate")?, noted("decided")?);
    let won = (rate * decided).round();
    Some(Share { won, lost: decided - won })
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
        // Where all or none are won, rounding leaves the end a little outside.
        unit.metric("win_rate_low", low.max(0.0));
        unit.metric("win_rate_high", high.min(1.0));
    }
}
