//! How weights change: gradient steps, and models that follow others.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::{Kl, Normalise, Policy, Reference, Schedule, schedule};

/// `[train.NAME]`: gradient steps on one model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Train {
    /// The loss.
    #[schemars(extend("x-changes" = "weights"))]
    pub from: Reference,
    /// M.
    #[schemars(extend("x-changes" = "weights"))]
    pub model: Reference,
    /// The optimizer.
    pub adamw: AdamW,
    /// What stands for advantage times log-probability in answers that earned a reward.
    #[serde(skip_serializing_if = "Policy::is_default")]
    #[schemars(extend("x-default" = "reinforce", "x-changes" = "weights"))]
    pub policy: Policy,
    /// What a token of such an answer counts.
    #[serde(skip_serializing_if = "Normalise::is_default")]
    #[schemars(extend("x-default" = "token", "x-changes" = "weights"))]
    pub normalise: Normalise,
    /// What a nat of the entropy of M's distribution earns, per token of such an answer; 0 leaves it out.
    #[serde(skip_serializing_if = "Schedule::is_zero")]
    #[schemars(schema_with = "schedule::not_negative", extend("x-default" = "0", "x-changes" = "weights"))]
    pub entropy: Schedule,
    /// What keeps M near another model at the tokens of such an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "weights"))]
    pub kl: Option<Kl>,
    /// Optimizer steps per batch, each on an equal share of its debates.
    #[schemars(range(min = 1), extend("default" = 1, "x-changes" = "weights"))]
    pub steps: usize,
    /// Sequences in one forward and backward pass, of similar length. Another number rounds otherwise.
    #[schemars(range(min = 1), extend("default" = 32, "x-changes" = "weights"))]
    pub micro_batch: usize,
}

/// `adamw = { … }`: Loshchilov & Hutter 2019.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AdamW {
    /// Step size.
    #[schemars(schema_with = "schedule::not_negative", extend("x-changes" = "weights"))]
    pub learning_rate: Schedule,
    /// Decay rates of the two moments, of the gradient and of its square, each in [0, 1).
    #[schemars(schema_with = "decays", extend("default" = [0.9, 0.98], "x-changes" = "weights"))]
    pub betas: (Schedule, Schedule),
    /// Added to the root of the second moment.
    #[schemars(schema_with = "schedule::positive", extend("default" = 1e-8, "x-changes" = "weights"))]
    pub epsilon: Schedule,
    /// Decoupled weight decay.
    #[schemars(schema_with = "schedule::not_negative", extend("default" = 0.0, "x-changes" = "weights"))]
    pub weight_decay: Schedule,
    /// The gradient is scaled down to this norm; 0 leaves it alone.
    #[schemars(schema_with = "schedule::not_negative", extend("default" = 1.0, "x-changes" = "weights"))]
    pub clip: Schedule,
}

/// The schema of two decay rates.
fn decays(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": schedule::decay(generator), "minItems": 2, "maxItems": 2 })
}

impl AdamW {
    /// The defaults, at a learning rate.
    pub fn new(learning_rate: Schedule) -> Self {
        AdamW {
            learning_rate,
            betas: (Schedule::Constant(0.9), Schedule::Constant(0.98)),
            epsilon: Schedule::Constant(1e-8),
            weight_decay: Schedule::Constant(0.0),
            clip: Schedule::Constant(1.0),
        }
    }
}

/// `[sync.NAME]`: one model follows another.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sync {
    /// The stage after which it happens.
    #[schemars(extend("x-changes" = "weights"))]
    pub after: Reference,
    /// The model that is followed.
    #[schemars(extend("x-changes" = "weights"))]
    pub from_model: Reference,
    /// The model that follows.
    #[schemars(extend("x-changes" = "weights"))]
    pub to_model: Reference,
    /// How.
    #[serde(flatten)]
    pub follow: Follow,
}

/// How M_target follows M.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// `polyak = 0.9`: target = 0.9·target + 0.1·model, after every batch.
    #[schemars(extend("x-changes" = "weights"))]
    Polyak(#[schemars(schema_with = "schedule::decay")] Schedule),
    /// `every = 10`: a copy after every tenth batch.
    #[schemars(extend("x-changes" = "weights"))]
    Every(#[schemars(range(min = 1))] u64),
    /// `until = 300`: a copy after each of so many batches, and none from then on: the model as it was after them.
    #[schemars(extend("x-changes" = "weights"))]
    Until(#[schemars(range(min = 1))] u64),
}
