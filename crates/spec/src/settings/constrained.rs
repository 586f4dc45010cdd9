//! A limit on the supervised loss L, within which the reward J is maximised.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Combine, Loss, Schedule, schedule};

/// J as large as can be while L stays within a limit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Constrained {
    /// How.
    #[serde(flatten)]
    pub method: Method,
    /// The most that L may be.
    #[schemars(extend("x-changes" = "weights"))]
    pub limit: Limit,
    /// The first batch under the limit. Before it there is imitation alone, as with an α of 0.
    #[schemars(extend("default" = 0, "x-changes" = "tables"))]
    pub from: u64,
}

/// How L is kept within its limit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `cpo = { kl = 0.01 }`: one step of constrained policy optimisation per batch (Achiam et al. 2017), in place of the
    /// optimizer's.
    Cpo(Cpo),
    /// `lagrangian = { step = 0.05 }`: the optimizer steps by the gradient of (J − λL)/(1 + λ), and λ follows how far L
    /// is above its limit (Dai et al. 2023, "Safe RLHF").
    Lagrangian(Lagrangian),
}

/// The region in which a step is looked for, and how.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Cpo {
    /// δ: the most that the mean divergence KL(before‖after) of M's distributions over the next token may be, in nats per
    /// token that earned a reward.
    #[schemars(schema_with = "schedule::positive", extend("default" = 0.01, "x-changes" = "weights"))]
    pub kl: Schedule,
    /// Added to the diagonal of the Fisher matrix. The larger, the more a step is one by the plain gradient.
    #[schemars(extend("exclusiveMinimum" = 0.0, "default" = 0.1, "x-changes" = "weights"))]
    pub damping: f64,
    /// Iterations of conjugate gradient for each of the two directions, one product with the Fisher matrix each.
    #[schemars(range(min = 1), extend("default" = 10, "x-changes" = "weights"))]
    pub iterations: usize,
    /// How often a step that breaks a bound is shortened before none is taken.
    #[schemars(extend("default" = 10, "x-changes" = "weights"))]
    pub backtracks: usize,
    /// To what part of its length.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0, "default" = 0.8, "x-changes" = "weights"))]
    pub shrink: f64,
}

/// How λ changes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Lagrangian {
    /// How much log λ rises after an optimizer step, per nat that L was above its limit.
    #[schemars(schema_with = "schedule::not_negative", extend("x-changes" = "weights"))]
    pub step: Schedule,
    /// λ at first.
    #[schemars(extend("exclusiveMinimum" = 0.0, "default" = 1.0, "x-changes" = "weights"))]
    pub initial: f64,
}

/// The most that L may be, in nats per token of the targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Limit {
    /// `0.8`: that many nats.
    Nats(#[schemars(extend("exclusiveMinimum" = 0.0))] f64),
    /// `{ baseline = "start", slack = 0.05 }`: somewhat more than it was.
    Slack(Slack),
}

/// (1 + slack) times what L was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Slack {
    /// When.
    #[schemars(extend("x-changes" = "weights"))]
    pub baseline: Baseline,
    /// By which part of that L may be more.
    #[schemars(range(min = 0.0), extend("x-changes" = "weights"))]
    pub slack: f64,
}

/// What L is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// `"start"`: its running mean over the batches before `from`, with the decay `baseline_decay`.
    Start,
}

impl Loss {
    /// The limit on L, if there is one.
    pub fn constrained(&self) -> Option<&Constrained> {
        match &self.combine {
            Combine::Constrained(constrained) => Some(constrained),
            Combine::Weighted { .. } | Combine::Reward { .. } => None,
        }
    }
}
