//! What the tokens of answers that earned a reward are trained on: a stand-in for advantage times log-probability where
//! the weights are newer than those that sampled, and what keeps M's distribution wide and near another model's.

use model::Weights;
use spec::settings::{Importance, Normalise, Policy, Ppo};
use tch::{Kind, Tensor};

use crate::micro_batch::Aim;

/// How rewarded answers are trained on. The default is REINFORCE with neither bonus nor penalty.
#[derive(Debug, Clone, Copy)]
pub struct Objective<'a> {
    /// What stands for advantage times log-probability.
    pub policy: Policy,
    /// What a token counts.
    pub normalise: Normalise,
    /// What the entropy of M's distribution counts, in nats per token; 0 leaves it out.
    pub entropy: f64,
    /// A model of the same vocabulary and what the divergence from it counts, KL(M‖reference) in nats per token.
    pub kl: Option<(&'a Weights, f64)>,
}

impl Default for Objective<'_> {
    fn default() -> Self {
        Objective { policy: Policy::Reinforce, normalise: Normalise::Token, entropy: 0.0, kl: None }
    }
}

impl Objective<'_> {
    /// What the means over so many answers, of so many tokens together, divide a token of one of them by.
    pub(crate) fn normaliser(&self, answers: usize, tokens: f64, length: f64) -> f64 {
        match self.normalise {
            Normalise::Token => tokens,
            Normalise::Trajectory => answers as f64 * length,
        }
    }

    /// What is made of the probabilities of rewarded tokens.
    pub(crate) fn aim(&self) -> Aim {
        Aim { policy: self.policy, entropy: self.entropy, kl: self.kl.map_or(0.0, |(_, weight)| weight) }
    }

    /// Whether it holds tokens at a bound, by the log-probabilities with which they were sampled.
    pub(crate) fn bounds(&self) -> bool {
        self.policy != Policy::Reinforce
    }
}

/// J of some tokens, and how many of them are held at a bound. `surprise` is −log p under live M; `weights` are what it
/// counts, the advantages over the normaliser with their signs turned; `sampled` is log p under the weights that sampled.
/// With r, the ratio of the two probabilities of a token, and its gain g, which is less its weight, J is
/// - Σ g · log p, whose gradient is the score function's (Williams 1992);
/// - Σ min(r · g, clip(r, 1 − ε, 1 + ε) · g) (Schulman et al. 2017, equation 7); where the second is the lesser a token
///   is held, and has no gradient;
/// - Σ min(r, c) · g · log p with min(r, c) as a constant, a truncated importance weight (Ionides 2008); where that is c
///   a token is held. Each has a weight of its own, as ρ in V-trace (Espeholt et al. 2018): its prefix is taken as it is.
pub(crate) fn surrogate(policy: Policy, surprise: &Tensor, weights: &Tensor, sampled: &[f32]) -> (Tensor, usize) {
    let ratio = || (-surprise - Tensor::from_slice(sampled)).exp();
    match policy {
        Policy::Reinforce => (surprise.dot(weights), 0),
        Policy::Ppo(Ppo { clip }) => {
            let (ratio, gains) = (ratio(), -weights);
            let (free, held) = (&ratio * &gains, ratio.clamp(1.0 - clip, 1.0 + clip) * &gains);
            (free.minimum(&held).sum(free.kind()), count(&held.lt_tensor(&free)))
        }
        Policy::Importance(Importance { truncate }) => {
            let ratio = ratio().detach();
            (surprise.dot(&(ratio.clamp_max(truncate) * weights)), count(&ratio.gt(truncate)))
        }
    }
}

fn count(holds: &Tensor) -> usize {
    holds.sum(Kind::Int64).int64_value(&[]) as usize
}

/// Σ over tokens of share · H(M), from the log-probabilities of every next token, `[tokens, vocabulary]`.
pub(crate) fn entropy(log_probs: &Tensor, shares: &Tensor) -> Tensor {
    -(log_probs.exp() * log_probs).sum_dim_intlist(-1, false, log_probs.kind()).dot(shares)
}

/// Σ over tokens of share · KL(M‖reference), from the log-probabilities of every next token under both.
pub(crate) fn divergence(log_probs: &Tensor, reference: &Tensor, shares: &Tensor) -> Tensor {
    (log_probs.exp() * (log_probs - reference)).sum_dim_intlist(-1, false, log_probs.kind()).dot(shares)
}
