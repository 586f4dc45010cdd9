//! One optimizer step on a batch of examples: gradients, combined, clipped, applied; and what is worth plotting of it.

use model::Model;
use tch::{Kind, Tensor};

use crate::{
    adamw::{AdamW, Rates},
    gradients::{Example, Gradients, Term, TrainError, gradients},
    lagrangian::Multiplier,
    objective::Objective,
};

/// How a step is taken.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What the optimizer goes by.
    pub rates: Rates,
    /// How rewarded answers are trained on.
    pub objective: Objective<'a>,
    /// λ of a limit on L, by which L and J count λ and 1 over 1 + λ; `None` where they count what their examples say.
    pub multiplier: Option<Multiplier>,
    /// Sequences in one forward and backward pass.
    pub micro_batch: usize,
    /// Threads.
    pub workers: usize,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// L.
    pub supervised: Option<Applied>,
    /// J.
    pub reward: Option<Applied>,
    /// ‖α∇J‖ / (‖α∇J‖ + ‖(1 − α)∇L‖), where both are there.
    pub share: Option<f64>,
    /// The cosine between what L and J pull at: of −∇L and ∇J.
    pub cosine: Option<f64>,
    /// The norm of the combined gradient, before clipping; `None` if there was nothing to train on.
    pub norm: Option<f64>,
    /// The mean entropy of M's distribution at the tokens that earned a reward, in nats; `None` where it does not count.
    pub entropy: Option<f64>,
    /// The mean divergence from the reference there, in nats; `None` where it does not count.
    pub kl: Option<f64>,
    /// The share of those tokens that were held at a bound; `None` where the objective has none.
    pub clipped: Option<f64>,
    /// How many tokens went through the model, prompts included.
    pub tokens: usize,
}

/// A term as it was applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Applied {
    /// L itself, or α·J.
    pub value: f64,
    /// The norm of the gradient of (1 − α)·L, or of α·J with bonus and penalty; under a multiplier, of what they count.
    pub norm: f64,
}

/// Trains the model on the examples, once. On an error nothing has changed; without examples nothing changes either.
pub fn step(
    model: &mut Model,
    optimizer: &mut AdamW,
    examples: &[Example],
    settings: Step<'_>,
) -> Result<Metrics, TrainError> {
    let mut gradients = gradients(model, examples, settings.objective, settings.micro_batch, settings.workers)?;
    settings.multiplier.into_iter().for_each(|multiplier| gradients.share(multiplier));
    let combined = gradients.combined();
    let metrics = gradients.metrics(combined.as_ref());
    metrics.check()?;
    if let (Some(combined), Some(norm)) = (combined, metrics.norm) {
        let clipped = clip(combined, norm, settings.rates.clip);
        optimizer.step(&mut model.weights, &clipped, &settings.rates);
        model.version += 1;
    }
    Ok(metrics)
}

impl Gradients {
    /// The gradient of (1 − α)·L − α·J, less the bonus and plus the penalty of the objective.
    pub fn combined(&self) -> Option<Tensor> {
        match (&self.supervised, &self.reward) {
            (Some(supervised), Some(reward)) => Some(&supervised.gradient - &reward.gradient),
            (Some(supervised), None) => Some(supervised.gradient.shallow_clone()),
            (None, Some(reward)) => Some(-&reward.gradient),
            (None, None) => None,
        }
    }

    /// Has J and L count what a multiplier says.
    fn share(&mut self, multiplier: Multiplier) {
        let (of_reward, of_supervised) = multiplier.shares();
        for (term, share) in [(&mut self.reward, of_reward), (&mut self.supervised, of_supervised)] {
            term.iter_mut().for_each(|term| term.gradient = &term.gradient * share);
        }
    }

    /// What is worth plotting.
    pub(crate) fn metrics(&self, combined: Option<&Tensor>) -> Metrics {
        let applied = |term: &Term| Applied { value: term.value, norm: norm(&term.gradient) };
        let supervised = self.supervised.as_ref().map(applied);
        let supervised = supervised.map(|term| Applied { value: term.value / self.supervised_weight, ..term });
        let reward = self.reward.as_ref().map(applied);
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let both = supervised.zip(reward);
        Metrics {
            supervised,
            reward,
            share: both.map(|(supervised, reward)| ratio(reward.norm, reward.norm + supervised.norm)),
            cosine: self.supervised.as_ref().zip(self.reward.as_ref()).map(|(supervised, reward)| {
                let product = -supervised.gradient.dot(&reward.gradient).double_value(&[]);
                ratio(product, norm(&supervised.gradient) * norm(&reward.gradient))
            }),
            norm: combined.map(norm),
            entropy: self.entropy,
            kl: self.kl,
            clipped: self.clipped,
            tokens: self.tokens,
        }
    }
}

impl Metrics {
    /// Whether all that a step rests on is finite.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let finite = |applied: Option<Applied>| applied.is_none_or(|applied| applied.value.is_finite());
        let parts = [
            ("supervised loss", finite(self.supervised)),
            ("debate reward", finite(self.reward)),
            ("gradient", self.norm.is_none_or(f64::is_finite)),
        ];
        match parts.into_iter().find(|(_, finite)| !finite) {
            Some((name, _)) => Err(TrainError::NotFinite(name)),
            None => Ok(()),
        }
    }
}

fn norm(gradient: &Tensor) -> f64 {
    gradient.norm().to_kind(Kind::Double).double_value(&[])
}

/// The gradient, scaled down to the norm `most` if it is longer; 0 leaves it alone.
fn clip(gradient: Tensor, norm: f64, most: f64) -> Tensor {
    if most > 0.0 && norm > most { gradient * (most / norm) } else { gradient }
}
