//! Samp: when H is called over M's answer, and how many calls there may be.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::json;

use super::{Reference, Schedule, schedule};

/// Samp: when H is called over M's answer. Whatever decides, it gives each question a probability, its propensity; then
/// there is one seeded draw, and the propensity stands beside the answer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallHuman {
    /// `"always"`: over every answer.
    Always,
    /// `"never"`: M's answer is kept.
    Never,
    /// `{ probability = 0.3 }`: as often for each answer.
    Probability(#[schemars(schema_with = "schedule::probability")] Schedule),
    /// `{ confidence = { least = 0.05 } }`: the more often, the less probable M found its own answer.
    Confidence(Confidence),
    /// `{ disagreement = { samples = 3, least = 0.05 } }`: the more often, the more of M's further answers to the same
    /// question differ from its first.
    Disagreement(Disagreement),
    /// `{ schedule = { loss = "step", points = [[0.1, 0.05], [1.0, 0.9]] } }`: by how well M imitates H so far; many
    /// calls first, fewer as the loss falls (Christiano et al. 2018).
    Schedule(ByLoss),
    /// `{ learned = { model = "adversary", least = 0.05 } }`: the more often, the less probable a model that learns from
    /// H's answers finds it that H would say what M said (Hubinger 2019).
    Learned(Learned),
}

/// By M's own probability of its answer, the product over its tokens: where that is 1 the propensity is `least`, where
/// it is 0, `most`, and between them it is linear.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Confidence {
    /// The smallest propensity. Above 0, every question has a chance of H, and estimates by propensities leave none out.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-changes" = "tables"))]
    pub least: f64,
    /// The largest propensity.
    #[schemars(range(min = 0.0, max = 1.0), extend("default" = 1.0, "x-changes" = "tables"))]
    pub most: f64,
}

/// By the share of M's further answers that say something else than its first: where all agree the propensity is
/// `least`, where none does, `most`, and between them it is linear.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Disagreement {
    /// How many further answers M gives to each question, in the same call as its first.
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub samples: usize,
    /// The smallest propensity. Above 0, every question has a chance of H, and estimates by propensities leave none out.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-changes" = "tables"))]
    pub least: f64,
    /// The largest propensity.
    #[schemars(range(min = 0.0, max = 1.0), extend("default" = 1.0, "x-changes" = "tables"))]
    pub most: f64,
}

/// By Adv, an adversary: the probability that it gives to H saying what M said. Where that is 1 the propensity is `least`,
/// where it is 0, `most`, and between them it is linear. Until it has learnt to say yes or no, it is `most`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Learned {
    /// Adv: a model other than M. A `loss` that has this Amp≈ under `predict` makes its examples, and a `train` stage
    /// trains it.
    #[schemars(extend("x-changes" = "tables"))]
    pub model: Reference,
    /// The smallest propensity. Above 0, every question has a chance of H, so that Adv learns of those too of which it
    /// suspects nothing.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-changes" = "tables"))]
    pub least: f64,
    /// The largest propensity.
    #[schemars(range(min = 0.0, max = 1.0), extend("default" = 1.0, "x-changes" = "tables"))]
    pub most: f64,
    /// What Adv is asked: `{question}` stands for the whole text that was put to M and H, `{answer}` for M's answer. Both
    /// must be in it.
    #[schemars(
        regex(pattern = r"\{question\}[\s\S]*\{answer\}|\{answer\}[\s\S]*\{question\}"),
        extend("default" = ADVERSARY, "x-changes" = "tables")
    )]
    pub wording: String,
}

/// What Adv is asked, if the file does not say it.
pub(crate) const ADVERSARY: &str = "{question}\nAnswer: {answer}\nWould the human say so?";

/// By the running mean of the supervised loss of a `train` stage.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ByLoss {
    /// The `train` stage. Before its first batch the loss counts as larger than any.
    #[schemars(extend("x-changes" = "tables"))]
    pub loss: Reference,
    /// `[[loss, probability], …]`: linear between these points and constant outside; losses rise.
    #[schemars(schema_with = "points", extend("x-changes" = "tables"))]
    pub points: Vec<(f64, f64)>,
    /// Decay per batch of the running mean.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0, "default" = 0.9, "x-changes" = "tables"))]
    pub decay: f64,
}

/// The schema of `[loss, probability]` points.
fn points(_: &mut SchemaGenerator) -> Schema {
    let (loss, probability) =
        (json!({ "type": "number", "minimum": 0.0 }), json!({ "type": "number", "minimum": 0.0, "maximum": 1.0 }));
    let point = json!({ "type": "array", "items": [loss, probability], "minItems": 2, "maxItems": 2 });
    json_schema!({ "type": "array", "items": point, "minItems": 1 })
}

/// How many calls of H there may be, on average over the draws: propensities are lowered together, before any draw, until
/// they sum to what may be spent, so no question is served before another. At least one of the two is given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Budget {
    /// Calls in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub per_batch: Option<u64>,
    /// Calls in the whole run, whose `batches` must be given: each gets an equal share of what is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub per_run: Option<u64>,
}

impl CallHuman {
    /// The smallest and the largest propensity that it can give.
    pub fn bounds(&self) -> (f64, f64) {
        match self {
            CallHuman::Always => (1.0, 1.0),
            CallHuman::Never => (0.0, 0.0),
            CallHuman::Probability(probability) => (probability.min(), probability.max()),
            CallHuman::Confidence(Confidence { least, most })
            | CallHuman::Disagreement(Disagreement { least, most, .. })
            | CallHuman::Learned(Learned { least, most, .. }) => (*least, *most),
            CallHuman::Schedule(by_loss) => {
                let probabilities = || by_loss.points.iter().map(|point| point.1);
                (probabilities().fold(1.0, f64::min), probabilities().fold(0.0, f64::max))
            }
        }
    }

    /// How many further answers of models it takes for each question: M's, or Adv's.
    pub fn further(&self) -> usize {
        match self {
            CallHuman::Disagreement(disagreement) => disagreement.samples,
            CallHuman::Learned(_) => 1,
            _ => 0,
        }
    }

    /// What it learns by, where it does.
    pub fn learned(&self) -> Option<&Learned> {
        match self {
            CallHuman::Learned(learned) => Some(learned),
            _ => None,
        }
    }
}

impl ByLoss {
    /// The probability at a loss.
    pub fn at(&self, loss: f64) -> f64 {
        let after = self.points.partition_point(|point| point.0 <= loss);
        match (after.checked_sub(1).map(|i| self.points[i]), self.points.get(after)) {
            (None, Some(&(_, probability))) | (Some((_, probability)), None) => probability,
            (Some((l0, p0)), Some(&(l1, p1))) => p0 + (p1 - p0) * (loss - l0) / (l1 - l0),
            (None, None) => unreachable!("a schedule has at least one point"),
        }
    }
}
