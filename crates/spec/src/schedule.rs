//! Reading of settings that change over a run.

use std::fmt::Display;
use std::ops::{Bound, RangeBounds};

use toml::{Spanned, de::DeValue};

use crate::{
    place::Span,
    problem::Problem,
    settings::{After, Milestone, Schedule, Shape, Way},
    table::Table,
    value::Value,
};

impl Value<'_> {
    /// A number, points `[[batch, number], …]` with batches rising, a named shape, or points after a milestone; all
    /// numbers in a range.
    pub(crate) fn schedule(&mut self, range: impl RangeBounds<f64> + Clone) -> Option<Schedule> {
        match self.value.get_ref() {
            DeValue::Array(_) => self.points(range).map(Schedule::Points),
            DeValue::Table(keys) if ["after", "points"].iter().any(|key| keys.contains_key(*key)) => {
                self.table(|table| after(table, range)).map(|after| Schedule::After(Box::new(after)))
            }
            DeValue::Table(_) => self.table(|table| shape(table, range)).map(Schedule::Shape),
            _ => self.number(range).map(Schedule::Constant),
        }
    }

    fn points(&mut self, range: impl RangeBounds<f64> + Clone) -> Option<Vec<(u64, f64)>> {
        self.rising("batch", |point| point.point(range.clone()))
    }

    /// A list of `[place, value]` points whose places rise; `of` says what the places are.
    pub(crate) fn rising<P: PartialOrd + Display>(
        &mut self,
        of: &str,
        read: impl Fn(&mut Value<'_>) -> Option<(P, f64)>,
    ) -> Option<Vec<(P, f64)>> {
        let points = self.some(read)?;
        let spans: Vec<Span> = self.value.get_ref().as_array().into_iter().flatten().map(Spanned::span).collect();
        if points.len() < spans.len() {
            return None;
        }
        let fallen = spans.into_iter().skip(1).zip(points.windows(2)).find(|(_, pair)| pair[0].0 >= pair[1].0);
        if let Some((span, pair)) = fallen {
            let message = format!("{of} {} of `{}` does not come after {}", pair[1].0, self.name(), pair[0].0);
            return self.problem(Problem::new(span, message).help(format!("give the points in rising order of {of}")));
        }
        Some(points)
    }

    fn point(&mut self, range: impl RangeBounds<f64>) -> Option<(u64, f64)> {
        let DeValue::Array(items) = self.value.get_ref() else { return self.mistyped("a list of `[batch, value]`") };
        let [batch, value] = &items[..] else { return self.mistyped("a list of `[batch, value]`") };
        let batch = self.beside(batch).whole(..);
        Some((batch?, self.beside(value).number(range)?))
    }

    /// The batches at which a shape begins and ends.
    fn span_of_batches(&mut self) -> Option<(u64, u64)> {
        let (first, last) = self.pair(|batch| batch.whole(..))?;
        if first < last {
            return Some((first, last));
        }
        let problem = Problem::new(self.span(), "`over` goes from the batch at which it begins to a later one");
        self.problem(problem.help("write `over = [FIRST, LAST]`"))
    }
}

/// `[milestone.NAME]`
pub(crate) fn milestone(table: &mut Table<'_>) -> Milestone {
    Milestone {
        loss_of: table.reference("loss_of"),
        below: table.required("below", 1.0, |value| value.number((Bound::Excluded(0.0), Bound::Unbounded))),
        decay: table.or("decay", 0.9, |value| value.number(0.0..1.0)),
    }
}

fn after(table: &mut Table<'_>, range: impl RangeBounds<f64> + Clone) -> After {
    After {
        after: table.reference("after"),
        points: table.required("points", vec![(0, 0.0)], |value| value.points(range)),
    }
}

fn shape(table: &mut Table<'_>, range: impl RangeBounds<f64> + Clone) -> Shape {
    let stand_in = Shape::Cosine(Way { from: 0.0, to: 0.0, over: (0, 1) });
    table.one_of(
        stand_in,
        &[
            ("cosine", &|value| cosine(value, range.clone())),
            ("exponential", &|value| exponential(value, range.clone())),
        ],
    )
}

pub(crate) fn cosine(value: &mut Value<'_>, range: impl RangeBounds<f64> + Clone) -> Option<Shape> {
    value.table(|table| way(table, range)).map(Shape::Cosine)
}

/// No factor leads to 0 or away from it.
pub(crate) fn exponential(value: &mut Value<'_>, range: impl RangeBounds<f64>) -> Option<Shape> {
    let above_zero = (Bound::Excluded(0.0), range.end_bound().cloned());
    value.table(|table| way(table, above_zero)).map(Shape::Exponential)
}

fn way(table: &mut Table<'_>, range: impl RangeBounds<f64> + Clone) -> Way {
    Way {
        from: table.required("from", 0.0, |value| value.number(range.clone())),
        to: table.required("to", 0.0, |value| value.number(range.clone())),
        over: table.required("over", (0, 1), |value| value.span_of_batches()),
    }
}
