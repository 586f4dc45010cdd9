//! Verdicts beside what is right, where that is known: by sides, and by what they were given for probabilities.

use crate::stages::{
    calibration::Forecast,
    evaluation::{Count, agrees},
    tables,
};
use debate::judge::Side;
use polars::prelude::*;
use std::collections::BTreeMap;

/// What became of a debate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Who won, if anybody did.
    pub winner: Option<Side>,
    /// The probability that the even side won, where there is one.
    pub probability: Option<f64>,
    /// Which side is right, where that is known: the even side where its last argument answers as gold does, the odd side
    /// where it does not.
    pub right: Option<Side>,
}

/// The debates of a batch, given the tables of verdicts, arguments and, where there are any, gold answers. Where both sides
/// argue for answers of their own, and both or neither is the gold one, no side is right.
pub fn judged(
    verdicts: &DataFrame,
    arguments: &DataFrame,
    gold: Option<&DataFrame>,
    both_answer: bool,
) -> PolarsResult<Vec<Judged>> {
    let right = gold.map(|gold| right_sides(arguments, gold, both_answer)).transpose()?.unwrap_or_default();
    let winners = tables::optional_texts(verdicts, "winner")?;
    let probability = verdicts.column("probability").and_then(|column| column.f64()).ok();
    let rows = tables::u64s(verdicts, "question")?.into_iter().zip(winners).enumerate();
    rows.map(|(row, (id, winner))| {
        let winner = winner.map(|name| tables::side_named(&name)).transpose()?;
        let probability = probability.and_then(|column| column.get(row));
        Ok(Judged { winner, probability, right: right.get(&id).copied() })
    })
    .collect()
}

/// Which side of each debate is right, where the gold answer is known.
fn right_sides(arguments: &DataFrame, gold: &DataFrame, both_answer: bool) -> PolarsResult<BTreeMap<u64, Side>> {
    let gold: BTreeMap<u64, Option<String>> =
        tables::u64s(gold, "id")?.into_iter().zip(tables::optional_texts(gold, "gold")?).collect();
    let turns = tables::u32s(arguments, "turn")?;
    let texts = tables::u64s(arguments, "question")?.into_iter().zip(tables::texts(arguments, "text")?);
    let (even, odd): (Vec<_>, Vec<_>) = texts.zip(turns).partition(|(_, turn)| turn.is_multiple_of(2));
    let last = |side: Vec<((u64, String), u32)>| -> BTreeMap<u64, String> {
        side.into_iter().map(|(argument, _)| argument).collect()
    };
    let (even, odd) = (last(even), last(odd));
    let right = |(id, said): (u64, String)| {
        let gold = gold.get(&id)?.as_deref()?;
        let even = agrees(&said, gold);
        let same = both_answer && odd.get(&id).is_some_and(|odd| agrees(odd, gold) == even);
        (!same).then_some((id, if even { Side::Even } else { Side::Odd }))
    };
    Ok(even.into_iter().filter_map(right).collect())
}

/// How often a winner is right, where both are known.
pub fn right(judged: &[Judged]) -> Count {
    let known = judged.iter().filter_map(|it| Some(it.winner? == it.right?));
    known.fold(Count::default(), |count, right| Count {
        correct: count.correct + u32::from(right),
        total: count.total + 1,
    })
}

/// The probabilities of the even side, where it is known whether it is right.
pub fn forecasts(judged: &[Judged]) -> Vec<Forecast> {
    let known = |it: &Judged| Some(Forecast { probability: it.probability?, is_true: it.right? == Side::Even });
    judged.iter().filter_map(known).collect()
}
