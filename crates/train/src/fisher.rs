//! The Fisher matrix of M's distributions over the next token, as far as it is needed: its products with vectors, and the
//! divergence that it stands for.

use model::{Weights, parallel};
use tch::{Kind, Tensor, no_grad};

use crate::{
    gradients::{Example, rewarded, targets},
    micro_batch::{Aim, MicroBatch, micro_batches},
    objective::Objective,
};

/// The mean Fisher matrix over the tokens of the answers that earned a reward, each counted as in J; where none did, over
/// those of the targets of imitation. Those are the tokens too at which a step's divergence is measured.
pub struct Fisher<'a> {
    weights: &'a Weights,
    reference: Option<&'a Weights>,
    batches: Vec<MicroBatch>,
    workers: usize,
}

impl<'a> Fisher<'a> {
    /// Of a model's weights on these examples. `workers` does not change what it comes to.
    pub fn new(
        weights: &'a Weights,
        examples: &[Example],
        objective: Objective<'a>,
        micro_batch: usize,
        workers: usize,
    ) -> Self {
        let of_reward = rewarded(examples, objective);
        let (rows, aim) = match of_reward.is_empty() {
            true => (targets(examples), Aim::LIKELIHOOD),
            false => (of_reward, objective.aim()),
        };
        let reference = objective.kl.filter(|_| aim.kl != 0.0).map(|(reference, _)| reference);
        Fisher { weights, reference, batches: micro_batches(rows, aim, micro_batch), workers }
    }

    /// Its product with a vector, both f64 and in the layout of the weights: the derivative, along that vector, of the
    /// gradient of the mean KL(M‖M'), M' the model that moves (Pearlmutter 1994; Schulman et al. 2015, appendix C).
    pub fn product(&self, vector: &Tensor) -> Tensor {
        let vector = vector.to_kind(self.weights.flat.kind());
        let context = || (self.weights.handle(true), vector.shallow_clone());
        let parts = parallel(self.workers, &self.batches, context, |(live, vector), batch| batch.curved(live, vector));
        let sum = parts.into_iter().reduce(|sum, part| sum + part);
        sum.unwrap_or_else(|| vector.zeros_like()).to_kind(Kind::Double)
    }

    /// What J and the mean divergence KL(M‖M') come to with other weights M'. For J stands the mean of advantage times
    /// the ratio of a token's probabilities, after and before, which has the same gradient at M (Kakade and Langford 2002),
    /// plus entropy and less divergence as the objective says.
    pub fn measure(&self, other: &Weights) -> (f64, f64) {
        let context = || (self.weights.handle(false), other.handle(false), self.reference.map(|it| it.handle(false)));
        let parts = parallel(self.workers, &self.batches, context, |(before, after, reference), batch| {
            no_grad(|| batch.moved(before, after, reference.as_ref()))
        });
        parts.into_iter().fold((0.0, 0.0), |(gain, kl), part| (gain + part.0, kl + part.1))
    }
}
