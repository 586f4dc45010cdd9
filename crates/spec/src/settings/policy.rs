//! How the answers that earned a reward are trained on.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Reference, Schedule, Train, schedule};

/// What stands for advantage times log-probability, token by token. Batch by batch M trains on what it said itself; but
/// its weights are newer than those that sampled from the second of a batch's `steps` on, and at each step where there
/// is a `lag`. The ratio r of the two probabilities of a token says by how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// `"reinforce"`: advantage · log p, however old the sample is (Williams 1992).
    Reinforce,
    /// `{ ppo = { clip = 0.2 } }`: min(r · advantage, clip(r, 1 − ε, 1 + ε) · advantage), so that a token whose probability
    /// has moved far enough pulls no further (Schulman et al. 2017, equation 7).
    Ppo(Ppo),
    /// `{ importance = { truncate = 2.0 } }`: min(r, c) · advantage · log p, each token weighed by how much likelier it has
    /// become (Ionides 2008; Espeholt et al. 2018).
    Importance(Importance),
}

/// How far a step may go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Ppo {
    /// ε: a token pulls no further once its probability has changed by this factor more or less than 1.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0, "default" = 0.2, "x-changes" = "weights"))]
    pub clip: f64,
}

/// How much a single token may count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Importance {
    /// c: the largest weight. A large one is unbiased and varies much, a small one the other way round.
    #[schemars(extend("exclusiveMinimum" = 0.0, "default" = 2.0, "x-changes" = "weights"))]
    pub truncate: f64,
}

impl Policy {
    pub(crate) fn is_default(&self) -> bool {
        *self == Policy::Reinforce
    }
}

/// What a token counts in the mean over the answers that earned a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    /// `"token"`: as much as any other, so that long answers count more.
    Token,
    /// `"trajectory"`: 1/length of its answer, so that every answer counts the same.
    Trajectory,
}

impl Normalise {
    pub(crate) fn is_default(&self) -> bool {
        *self == Normalise::Token
    }
}

impl Train {
    /// The keys by which it says something of the answers that earned a reward.
    pub fn of_reward(&self) -> Vec<&'static str> {
        let said = [
            ("policy", !self.policy.is_default()),
            ("normalise", !self.normalise.is_default()),
            ("entropy", !self.entropy.is_zero()),
            ("kl", self.kl.is_some()),
        ];
        said.into_iter().filter(|(_, said)| *said).map(|(key, _)| key).collect()
    }
}

/// What keeps M near another model: the divergence KL(M‖reference) of their distributions over the next token.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Kl {
    /// The reference: another model of the file, as it is at that batch.
    #[schemars(extend("x-changes" = "weights"))]
    pub to: Reference,
    /// What a nat of it costs, per token; 0 leaves it out.
    #[schemars(schema_with = "schedule::not_negative", extend("x-changes" = "weights"))]
    pub weight: Schedule,
}
