//! Settings that change over a run.

/// A number that may change over the run: `0.5`, or points `[[batch, value], …]`, linear between them and constant
/// outside. Points are in rising order of batch, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// `(batch, value)`.
    pub points: Vec<(u64, f64)>,
}

impl Schedule {
    /// The same value at every batch.
    pub fn constant(value: f64) -> Self {
        Schedule { points: vec![(0, value)] }
    }

    /// The value at one batch.
    pub fn at(&self, batch: u64) -> f64 {
        let after = self.points.partition_point(|point| point.0 <= batch);
        match (after.checked_sub(1).map(|i| self.points[i]), self.points.get(after)) {
            (None, Some(&(_, value))) | (Some((_, value)), None) => value,
            (Some((b0, v0)), Some(&(b1, v1))) => v0 + (v1 - v0) * (batch - b0) as f64 / (b1 - b0) as f64,
            (None, None) => unreachable!("a schedule has at least one point"),
        }
    }

    /// The largest value it takes.
    pub fn max(&self) -> f64 {
        self.points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max)
    }
}
