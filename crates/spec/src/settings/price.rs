//! What a catastrophe costs M: a weight that the file says, or one that a limit sets. Relaxed adversarial training is to
//! find no pseudo-input on which M is catastrophic (Christiano 2019, "Worst-case guarantees"; Hubinger 2019); both ways
//! train for that by the largest product of likelihood and catastrophe that was found (Hubinger 2020).

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Loss, Schedule, schedule};

/// `penalty` of a `[loss.NAME]`: the weight of what M's answers cost, where the reward of a debate is 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Price {
    /// `1e5`: the penalty enters as a term of the reward.
    Weight(Schedule),
    /// `{ lagrangian = { limit = 0.01, step = 1.0, initial = 1e3 } }`: it enters as a constraint.
    Limited {
        /// The limit, and how the weight follows from it.
        lagrangian: PenaltyLimit,
    },
}

/// A limit on how often M's answers are a catastrophe, and the multiplier λ that keeps it (Dai et al. 2023, "Safe RLHF").
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PenaltyLimit {
    /// The largest share of M's answers that may be a catastrophe, of those to the proposal with the largest product. It
    /// is a share of answers and not of the product, whose likelihood each proposal has anew.
    #[schemars(extend("minimum" = 0.0, "exclusiveMaximum" = 1.0, "x-changes" = "tables"))]
    pub limit: f64,
    /// How much log λ rises after a batch, times how far the share was above the limit: by so much if every answer was a
    /// catastrophe and none may be.
    #[schemars(schema_with = "schedule::not_negative", extend("x-changes" = "tables"))]
    pub step: Schedule,
    /// λ at first, which weighs as a `penalty` of that number would.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-changes" = "tables"))]
    pub initial: f64,
    /// The least and the most that λ may be. Where all answers of a batch are a catastrophe nothing is learnt of any, and
    /// without a bound λ would rise for as long as that lasts.
    #[schemars(schema_with = "bounds", extend("default" = [1e-6, 1e6], "x-changes" = "tables"))]
    pub bounds: (f64, f64),
}

impl PenaltyLimit {
    /// The bounds of λ, if the file does not say them.
    pub(crate) const BOUNDS: (f64, f64) = (1e-6, 1e6);
}

impl Price {
    /// Whether it is written as nothing but 0.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Price::Weight(weight) if weight.is_zero())
    }

    /// Whether a catastrophe costs anything at any batch.
    pub fn counts(&self) -> bool {
        match self {
            Price::Weight(weight) => weight.max() > 0.0,
            Price::Limited { .. } => true,
        }
    }
}

impl Loss {
    /// The limit on M's catastrophes, if there is one.
    pub fn penalty_limit(&self) -> Option<&PenaltyLimit> {
        match &self.penalty {
            Price::Limited { lagrangian } if self.is_of_m() => Some(lagrangian),
            _ => None,
        }
    }
}

/// What is said of the limit.
const LAGRANGIAN: &str = "`lagrangian = { limit = 0.01, step = 1.0, initial = 1e3 }`: the weight is λ, a multiplier that \
                          rises while a larger share of answers is a catastrophe than the limit allows, and falls while \
                          a smaller one is (Dai et al. 2023, \"Safe RLHF\").";

/// The schema of a price: that of a schedule, and beside it a limit.
pub(super) fn price(generator: &mut SchemaGenerator) -> Schema {
    let mut limit = generator.subschema_for::<PenaltyLimit>();
    limit.insert("description".to_owned(), json!(LAGRANGIAN));
    let limited = json!({ "type": "object", "properties": { "lagrangian": limit }, "required": ["lagrangian"] });
    let mut schema = schedule::not_negative(generator);
    if let Some(Value::Array(ways)) = schema.get_mut("anyOf") {
        ways.push(limited);
    }
    schema
}

/// The schema of two numbers above 0.
fn bounds(_: &mut SchemaGenerator) -> Schema {
    let number = json!({ "type": "number", "exclusiveMinimum": 0.0 });
    json_schema!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 })
}
