//! Sequences that go through the model together: padded, forward, backward.

use model::{Llama, Weights};
use spec::settings::Policy;
use tch::{Kind, Reduction, Tensor, no_grad};

use crate::{
    gradients::Example,
    objective::{divergence, entropy, surrogate},
};

/// An answer in a term.
pub(crate) struct Row<'a> {
    pub example: &'a Example,
    /// What the −log p of each of its tokens counts, or the divergence in its place.
    pub weight: f64,
    /// What each of its tokens counts in a mean over all.
    pub share: f64,
    /// The log-probabilities of all tokens under whoever gave the answer, where M is to come near to that; `[tokens,
    /// vocabulary]`, row by row.
    pub distribution: Option<&'a [f32]>,
}

/// What is made of the probabilities of a term's tokens.
#[derive(Clone, Copy)]
pub(crate) struct Aim {
    /// What stands for their logarithms.
    pub policy: Policy,
    /// What the entropy of M's distribution counts beside.
    pub entropy: f64,
    /// What the divergence from the reference counts against it.
    pub kl: f64,
}

impl Aim {
    /// Nothing but the logarithms.
    pub const LIKELIHOOD: Aim = Aim { policy: Policy::Reinforce, entropy: 0.0, kl: 0.0 };
}

/// The models of a thread.
pub(crate) struct Models {
    /// M, with respect to which gradients are taken.
    pub live: Weights,
    /// The model from which M is to keep near, if there is one.
    pub reference: Option<Weights>,
}

/// A micro-batch's part of a term.
pub(crate) struct Part {
    /// Of L or J.
    pub value: f64,
    /// Of the mean entropy; 0 where it does not count.
    pub entropy: f64,
    /// Of the mean divergence; 0 where it does not count.
    pub kl: f64,
    /// Tokens that are held at a bound.
    pub held: usize,
    /// Of what is trained on.
    pub gradient: Tensor,
}

impl Part {
    pub fn add(self, other: Part) -> Part {
        Part {
            value: self.value + other.value,
            entropy: self.entropy + other.entropy,
            kl: self.kl + other.kl,
            held: self.held + other.held,
            gradient: self.gradient + other.gradient,
        }
    }
}

/// The work on Σ weight·surprise of the answers, and what else a term aims at. Rows of similar length share a
/// micro-batch, the longest first; the micro-batches of a term are as large as each other, so that threads end together.
pub(crate) fn micro_batches(mut rows: Vec<Row<'_>>, aim: Aim, most: usize) -> Vec<MicroBatch> {
    rows.sort_by_key(|row| std::cmp::Reverse(row.example.tokens.len()));
    let count = rows.len().div_ceil(most.max(1));
    let size = rows.len().div_ceil(count.max(1)).max(1);
    rows.chunks(size).map(|rows| MicroBatch::new(rows, aim)).collect()
}

/// Sequences padded to one length, and what is predicted in them.
pub(crate) struct MicroBatch {
    aim: Aim,
    rows: usize,
    time: usize,
    /// What goes in, `[rows, time]`.
    tokens: Vec<i64>,
    /// Places of `tokens` whose next token is a target.
    places: Vec<i64>,
    /// Those next tokens.
    targets: Vec<i64>,
    /// What the surprise of each counts.
    weights: Vec<f32>,
    /// What each counts in a mean.
    shares: Vec<f32>,
    /// The log p of each as it was sampled, of a term that goes by it.
    sampled: Vec<f32>,
    /// Those of the targets where the distribution of who gave them is known, by their place among all.
    known: Vec<i64>,
    /// The log-probabilities of all tokens under it, `[known, vocabulary]`, row by row.
    distributions: Vec<f32>,
}

impl MicroBatch {
    fn new(rows: &[Row<'_>], aim: Aim) -> Self {
        let time = rows.iter().map(|row| row.example.tokens.len() - 1).max().unwrap_or_default();
        let mut batch = MicroBatch {
            aim,
            rows: rows.len(),
            time,
            tokens: vec![0; rows.len() * time],
            places: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            shares: Vec::new(),
            sampled: Vec::new(),
            known: Vec::new(),
            distributions: Vec::new(),
        };
        for (row, Row { example, weight, share, distribution }) in rows.iter().enumerate() {
            let (start, first) = (row * time, batch.targets.len() as i64);
            for (place, pair) in example.tokens.windows(2).enumerate() {
                batch.tokens[start + place] = i64::from(pair[0]);
                if place + 1 >= example.prompt_length {
                    batch.places.push((start + place) as i64);
                    batch.targets.push(i64::from(pair[1]));
                    batch.weights.push(*weight as f32);
                    batch.shares.push(*share as f32);
                }
            }
            batch.sampled.extend(&example.log_probs);
            if let Some(distribution) = distribution {
                batch.known.extend(first..batch.targets.len() as i64);
                batch.distributions.extend(*distribution);
            }
        }
        batch
    }

    /// Its part of a term: forward, backward. Logits are computed only where the next token is a target.
    pub fn part(&self, models: &Models) -> Part {
        let logits = self.logits(&models.live);
        let surprise = self.surprise(&logits);
        let weights = Tensor::from_slice(&self.weights).to_kind(surprise.kind());
        let (value, held) = surrogate(self.aim.policy, &surprise, &weights, &self.sampled);
        let (entropy, kl) = self.beside(&logits, models.reference.as_ref());
        let bonus = entropy.as_ref().map(|entropy| entropy * self.aim.entropy);
        let penalty = kl.as_ref().map(|kl| kl * -self.aim.kl);
        let whole = [bonus, penalty].into_iter().flatten().fold(value.shallow_clone(), |sum, part| sum + part);
        let gradient = Tensor::run_backward(&[&whole], &[&models.live.flat], false, false).swap_remove(0);
        let [entropy, kl] = [entropy, kl].map(|mean| mean.as_ref().map_or(0.0, number));
        Part { value: number(&value), entropy, kl, held, gradient }
    }

    /// Its part of Σ weight·surprise of the answers, and no gradient.
    pub fn loss(&self, weights: &Weights) -> f64 {
        let surprise = self.surprise(&self.logits(weights));
        number(&surprise.dot(&Tensor::from_slice(&self.weights).to_kind(surprise.kind())))
    }

    /// By how much each target surprises M, in nats: −log p, or where the distribution P of who gave it is known, KL(P‖M).
    /// That has the gradient of the expected −log p of what P might have given as well, and is 0 where M is P.
    fn surprise(&self, logits: &Tensor) -> Tensor {
        let targets = Tensor::from_slice(&self.targets);
        let surprise = logits.cross_entropy_loss::<&Tensor>(&targets, None, Reduction::None, -100, 0.0);
        if self.known.is_empty() {
            return surprise;
        }
        let known = Tensor::from_slice(&self.known);
        let given = Tensor::from_slice(&self.distributions).view([self.known.len() as i64, -1]);
        let log_probs = logits.index_select(0, &known).log_softmax(-1, logits.kind());
        // What has a probability of 0 counts nothing: p·log p is 0 there, and not 0 times −∞.
        let apart = log_probs.kl_div(&given.to_kind(logits.kind()).exp(), Reduction::None, false);
        surprise.index_copy(0, &known, &apart.sum_dim_intlist(-1, false, logits.kind()))
    }

    /// Its part of the product of the Fisher matrix with a vector.
    pub fn curved(&self, live: &Weights, vector: &Tensor) -> Tensor {
        let (tokens, places) = self.given();
        let logits = Llama::new(live, self.time).twice_differentiable(&tokens, &places);
        let log_probs = logits.log_softmax(-1, logits.kind());
        let shares = Tensor::from_slice(&self.shares).to_kind(logits.kind());
        // KL(M‖M') but for a constant. At M' = M its gradient is 0, and the derivative of that the Fisher matrix.
        let apart = -(log_probs.detach().exp() * &log_probs).sum_dim_intlist(-1, false, logits.kind()).dot(&shares);
        let slope = Tensor::run_backward(&[&apart], &[&live.flat], true, true).swap_remove(0);
        Tensor::run_backward(&[&slope.dot(vector)], &[&live.flat], false, false).swap_remove(0)
    }

    /// Its parts, with other weights, of what stands for J and of the mean KL(before‖after).
    pub fn moved(&self, before: &Weights, after: &Weights, reference: Option<&Weights>) -> (f64, f64) {
        let log_probs = |weights: &Weights| self.logits(weights).log_softmax(-1, Kind::Double);
        let (was, is) = (log_probs(before), log_probs(after));
        let double = |numbers: &[f32]| Tensor::from_slice(numbers).to_kind(Kind::Double);
        let (weights, shares) = (double(&self.weights), double(&self.shares));
        let targets = Tensor::from_slice(&self.targets).unsqueeze(-1);
        let ratio = (&is - &was).gather(-1, &targets, false).squeeze_dim(-1).exp();
        let bonus = (self.aim.entropy != 0.0).then(|| self.aim.entropy * number(&entropy(&is, &shares)));
        let penalty = reference.map(|reference| {
            let reference = log_probs(reference);
            self.aim.kl * number(&divergence(&is, &reference, &shares))
        });
        let gain = -number(&ratio.dot(&weights)) + bonus.unwrap_or_default() - penalty.unwrap_or_default();
        (gain, number(&divergence(&was, &is, &shares)))
    }

    fn logits(&self, weights: &Weights) -> Tensor {
        let (tokens, places) = self.given();
        Llama::new(weights, self.time).logits(&tokens, &places)
    }

    /// Its tokens, `[rows, time]`, and the places of those whose next one is predicted.
    fn given(&self) -> (Tensor, Tensor) {
        let tokens = Tensor::from_slice(&self.tokens).view([self.rows as i64, self.time as i64]);
        (tokens, Tensor::from_slice(&self.places))
    }

    /// Its parts of the mean entropy and of the mean divergence, where they count.
    fn beside(&self, logits: &Tensor, reference: Option<&Weights>) -> (Option<Tensor>, Option<Tensor>) {
        if self.aim.entropy == 0.0 && self.aim.kl == 0.0 {
            return (None, None);
        }
        let log_probs = logits.log_softmax(-1, logits.kind());
        let shares = Tensor::from_slice(&self.shares).to_kind(logits.kind());
        let reference = reference.filter(|_| self.aim.kl != 0.0);
        let reference = reference.map(|weights| no_grad(|| self.logits(weights).log_softmax(-1, logits.kind())));
        let entropy = (self.aim.entropy != 0.0).then(|| entropy(&log_probs, &shares));
        (entropy, reference.map(|reference| divergence(&log_probs, &reference, &shares)))
    }
}

fn number(tensor: &Tensor) -> f64 {
    tensor.to_kind(Kind::Double).double_value(&[])
}
