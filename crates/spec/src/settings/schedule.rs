//! Settings that change over a run.

use std::{collections::BTreeMap, f64::consts::PI};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};

use super::Reference;

/// A number that may change from batch to batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Schedule {
    /// `0.5`: the same at every batch.
    Constant(f64),
    /// `[[0, 0.0], [200, 0.5]]`: `[batch, value]`, linear between these points and constant outside. In rising order of
    /// batch, at least one.
    Points(Vec<(u64, f64)>),
    /// A named shape.
    Shape(Shape),
    /// Points that wait for a milestone.
    After(Box<After>),
}

/// `{ after = "imitated", points = [[0, 0.0], [100, 0.5]] }`: points whose batches are counted from the one at which a
/// milestone was reached. Until then, the first value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct After {
    /// The milestone.
    pub after: Reference,
    /// `[batch, value]`, in rising order of batch, at least one.
    pub points: Vec<(u64, f64)>,
}

/// A way from one value to another; the first before it begins, the other after it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `{ cosine = { from = 2e-3, to = 2e-5, over = [100, 900] } }`: half a wave, flat at both ends (Loshchilov &
    /// Hutter 2017).
    Cosine(Way),
    /// `{ exponential = { from = 2e-3, to = 2e-5, over = [100, 900] } }`: by the same factor at each batch. Both values
    /// are above 0.
    Exponential(Way),
}

/// From where to where a shape leads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Way {
    /// The value at its beginning, and before.
    pub from: f64,
    /// The value at its end, and after.
    pub to: f64,
    /// The batches at which it begins and ends, one after the other.
    pub over: (u64, u64),
}

impl Schedule {
    /// The value at one batch; of what waits for a milestone, as long as that was not reached.
    pub fn at(&self, batch: u64) -> f64 {
        match self {
            Schedule::Constant(value) => *value,
            Schedule::Points(points) => between(points, batch),
            Schedule::Shape(shape) => shape.at(batch),
            Schedule::After(after) => after.points[0].1,
        }
    }

    /// The same when these milestones were reached, each at a batch: what waited for one of them is points of the run.
    pub fn since(&self, reached: &BTreeMap<String, u64>) -> Schedule {
        let Schedule::After(waiting) = self else { return self.clone() };
        let After { after, points } = waiting.as_ref();
        let Some(first) = reached.get(&after.name) else { return self.clone() };
        Schedule::Points(points.iter().map(|&(batch, value)| (batch.saturating_add(*first), value)).collect())
    }

    /// The milestone that it waits for, if it does.
    pub fn milestone(&self) -> Option<&Reference> {
        match self {
            Schedule::After(after) => Some(&after.after),
            _ => None,
        }
    }

    /// Whether it is written as nothing but 0.
    pub(crate) fn is_zero(&self) -> bool {
        *self == Schedule::Constant(0.0)
    }

    /// The largest value it takes.
    pub fn max(&self) -> f64 {
        self.range_from(0).1
    }

    /// The least and the largest value it takes from a batch on. Nobody knows when a milestone is reached, so what
    /// waits for one may have any of its values.
    pub fn range_from(&self, batch: u64) -> (f64, f64) {
        let now = self.at(batch);
        let range = |later: &mut dyn Iterator<Item = f64>| {
            later.fold((now, now), |(least, most), value| (least.min(value), most.max(value)))
        };
        match self {
            Schedule::Constant(_) => (now, now),
            Schedule::Points(points) => range(&mut points.iter().filter(|point| point.0 > batch).map(|point| point.1)),
            // Neither shape turns back on its way.
            Schedule::Shape(Shape::Cosine(way) | Shape::Exponential(way)) => range(&mut [way.to].into_iter()),
            Schedule::After(after) => range(&mut after.points.iter().map(|point| point.1)),
        }
    }

    /// The smallest value it takes.
    pub fn min(&self) -> f64 {
        self.range_from(0).0
    }

    /// The first of so many batches at which it is above 0, or may be: a milestone may be reached at the first.
    pub fn first_above_zero(&self, batches: u64) -> Option<u64> {
        let first = match self {
            Schedule::Constant(value) => (*value > 0.0).then_some(0),
            Schedule::Points(points) => rises(points),
            Schedule::After(after) => rises(&after.points),
            Schedule::Shape(Shape::Cosine(way) | Shape::Exponential(way)) => match (way.from > 0.0, way.to > 0.0) {
                (true, _) => Some(0),
                (false, true) => Some(way.over.0 + 1),
                (false, false) => None,
            },
        };
        first.filter(|batch| *batch < batches)
    }
}

/// The first batch at which points lead above 0.
fn rises(points: &[(u64, f64)]) -> Option<u64> {
    let above = points.iter().position(|point| point.1 > 0.0)?;
    Some(above.checked_sub(1).map_or(0, |before| points[before].0 + 1))
}

fn between(points: &[(u64, f64)], batch: u64) -> f64 {
    let after = points.partition_point(|point| point.0 <= batch);
    match (after.checked_sub(1).map(|i| points[i]), points.get(after)) {
        (None, Some(&(_, value))) | (Some((_, value)), None) => value,
        (Some((b0, v0)), Some(&(b1, v1))) => v0 + (v1 - v0) * (batch - b0) as f64 / (b1 - b0) as f64,
        (None, None) => unreachable!("a schedule has at least one point"),
    }
}

impl Shape {
    fn at(&self, batch: u64) -> f64 {
        let (Shape::Cosine(way) | Shape::Exponential(way)) = self;
        let (first, last) = way.over;
        if batch <= first || batch >= last {
            return if batch <= first { way.from } else { way.to };
        }
        let part = (batch - first) as f64 / (last - first) as f64;
        match self {
            Shape::Cosine(_) => way.to + (way.from - way.to) * (1.0 + (PI * part).cos()) / 2.0,
            Shape::Exponential(_) => way.from * (way.to / way.from).powf(part),
        }
    }
}

/// The schema of a schedule whose values are at least 0.
pub(super) fn not_negative(_: &mut SchemaGenerator) -> Schema {
    within(&json!({ "type": "number", "minimum": 0.0 }))
}

/// The schema of a schedule whose values are above 0.
pub(super) fn positive(_: &mut SchemaGenerator) -> Schema {
    within(&json!({ "type": "number", "exclusiveMinimum": 0.0 }))
}

/// The schema of a schedule whose values are in [0, 1).
pub(super) fn decay(_: &mut SchemaGenerator) -> Schema {
    within(&json!({ "type": "number", "minimum": 0.0, "exclusiveMaximum": 1.0 }))
}

/// The schema of a schedule whose values are in [0, 1].
pub(super) fn probability(_: &mut SchemaGenerator) -> Schema {
    within(&json!({ "type": "number", "minimum": 0.0, "maximum": 1.0 }))
}

/// The schema of a schedule of such numbers. It stands at each key, because numbers have other bounds at each.
fn within(number: &Value) -> Schema {
    let batch = json!({ "type": "integer", "minimum": 0 });
    let pair = |first: &Value, second: &Value| json!({ "type": "array", "items": [first, second], "minItems": 2, "maxItems": 2 });
    let described = |description: &str, value: &Value| {
        let mut value = value.clone();
        value["description"] = json!(description);
        value
    };
    let shape = |name: &str, description: &str| {
        let way = json!({
            "type": "object",
            "description": description,
            "properties": {
                "from": described("The value at its beginning, and before.", number),
                "to": described("The value at its end, and after.", number),
                "over": described("The batches at which it begins and ends.", &pair(&batch, &batch)),
            },
            "required": ["from", "to", "over"],
        });
        json!({ "type": "object", "properties": { name: way }, "required": [name] })
    };
    let points = json!({ "type": "array", "items": pair(&batch, number), "minItems": 1 });
    let after = json!({
        "type": "object",
        "properties": {
            "after": described(AFTER, &json!({ "type": "string", "minLength": 1 })),
            "points": described(POINTS, &points),
        },
        "required": ["after", "points"],
    });
    json_schema!({ "anyOf": [
        number,
        points,
        shape("cosine", "Half a wave from one value to another, flat at both ends."),
        shape("exponential", "From one value to another by the same factor at each batch; both are above 0."),
        after,
    ] })
}

const AFTER: &str = "The milestone from which batches are counted.";
const POINTS: &str = "`[[batch, value], …]`: linear between these points and constant outside.";
