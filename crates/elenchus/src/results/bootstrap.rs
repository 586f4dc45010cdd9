//! Percentile bootstrap intervals (Efron 1979) of the shares of right answers, and of their differences.
//!
//! What is drawn with replacement are questions, the same for all rows of an evaluation: they answer the same ones, and a
//! question that is hard for one is often hard for another. So a difference has an interval of its own, which is narrower
//! than two intervals side by side suggest.

use debate::draw::Draw;

/// How often questions are drawn anew.
const RESAMPLES: u64 = 2_000;

/// The part of the resamples that is left out on either side: 95 % lie between.
const TAIL: f64 = 0.025;

/// An interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The share of right answers of each row in each resample. `rows` says of each row which of the questions, the same for
/// all and in the same order, it answered right. Every draw has its address below `draw`: the same rows give the same
/// shares.
pub fn resampled(rows: &[Vec<bool>], draw: Draw) -> Vec<Vec<f64>> {
    let questions = rows.iter().map(Vec::len).min().unwrap_or_default();
    let mut shares = vec![Vec::new(); rows.len()];
    for resample in 0..RESAMPLES {
        let draw = draw.at(resample);
        let drawn: Vec<usize> = (0..questions as u32).map(|place| draw.below(place, questions)).collect();
        for (row, shares) in rows.iter().zip(&mut shares) {
            let right = drawn.iter().filter(|&&question| row[question]).count();
            shares.push(right as f64 / questions as f64);
        }
    }
    shares
}

/// Between which ends 95 % of some values lie; `None` for no values, or of no questions.
pub fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let left_out = (TAIL * values.len() as f64) as usize;
    let (low, high) = (*values.get(left_out)?, *values.get(values.len().checked_sub(left_out + 1)?)?);
    (low.is_finite() && high.is_finite()).then_some(Interval { low, high })
}

/// The interval of the difference of two rows of the same resamples: the first less the second.
pub fn difference(one: &[f64], other: &[f64]) -> Option<Interval> {
    interval(one.iter().zip(other).map(|(one, other)| one - other).collect())
}
