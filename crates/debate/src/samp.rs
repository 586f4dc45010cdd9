//! Samp(Q, M(Q)) → B: whether calling H over M's answer is worth it.
//!
//! From M's answers of a wave a [`Rule`] gives each question a propensity; a [`Purse`] lowers those of the wave together,
//! so that they sum to what may be spent; then each question has one seeded draw. The propensity is recorded with the
//! call, so that an estimate can be corrected for it: each step is a function of what stands before it, and none of the
//! order of the questions.

use crate::{
    adversary::{self, Adversary},
    amplify::SubAnswer,
    answerer::Answer,
    draw::Draw,
    question::agree,
};
use spec::settings::{Budget, CallHuman, Confidence, Disagreement, Learned};
use std::cell::Cell;

/// What decides on propensities in one batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// The same for every question.
    Constant(f64),
    /// From `least`, where M gave its answer a probability of 1, to `most`.
    Confidence {
        /// The smallest propensity.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// From `least`, where so many further answers of M all say the same as its first, to `most`.
    Disagreement {
        /// How many.
        samples: usize,
        /// The smallest propensity.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// From `least`, where Adv is sure that H would say the same, to `most`.
    Learned {
        /// The smallest propensity.
        least: f64,
        /// The largest.
        most: f64,
    },
}

impl Rule {
    /// What the settings come to at a batch, and at a running mean of the imitation loss, if there is one yet.
    pub fn of(call_human: &CallHuman, batch: u64, loss: Option<f64>) -> Self {
        match call_human {
            CallHuman::Always => Rule::Constant(1.0),
            CallHuman::Never => Rule::Constant(0.0),
            CallHuman::Probability(probability) => Rule::Constant(probability.at(batch)),
            &CallHuman::Confidence(Confidence { least, most }) => Rule::Confidence { least, most },
            &CallHuman::Disagreement(Disagreement { samples, least, most }) => {
                Rule::Disagreement { samples, least, most }
            }
            &CallHuman::Learned(Learned { least, most, .. }) => Rule::Learned { least, most },
            CallHuman::Schedule(by_loss) => Rule::Constant(by_loss.at(loss.unwrap_or(f64::INFINITY))),
        }
    }

    /// How many further answers of M it needs for each question.
    pub fn samples(self) -> usize {
        match self {
            Rule::Disagreement { samples, .. } => samples,
            _ => 0,
        }
    }

    /// What a budget leaves to every question as long as it can.
    fn least(self) -> f64 {
        match self {
            Rule::Constant(_) => 0.0,
            Rule::Confidence { least, .. } | Rule::Disagreement { least, .. } | Rule::Learned { least, .. } => least,
        }
    }

    /// The probability that H is called over M's first answer, given what Adv says of it and M's further ones.
    pub fn propensity(self, first: &Answer, predicted: Option<&Answer>, again: &[Answer]) -> f64 {
        match self {
            Rule::Constant(probability) => probability,
            Rule::Confidence { least, most } => between(least, most, 1.0 - probability(first)),
            Rule::Disagreement { least, most, .. } => {
                let others = again.iter().filter(|other| !agree(&first.text, &other.text)).count();
                between(least, most, others as f64 / again.len().max(1) as f64)
            }
            Rule::Learned { least, most } => between(least, most, 1.0 - predicted.map_or(0.0, adversary::probability)),
        }
    }
}

/// The probability of an answer under M: the product over its tokens.
fn probability(answer: &Answer) -> f64 {
    answer.sampled.log_probs.iter().map(|&log_prob| f64::from(log_prob)).sum::<f64>().exp()
}

fn between(least: f64, most: f64, doubt: f64) -> f64 {
    (least + (most - least) * doubt).clamp(least, most)
}

/// What a stage may still spend on calls of H in a batch, and on how many more waves of questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purse {
    /// Expected calls.
    pub left: f64,
    /// Waves to come.
    pub waves: usize,
}

impl Purse {
    /// Lowers the propensities of the next wave to its share, an equal one of what is left, and takes out what they
    /// come to.
    fn pay(&mut self, propensities: Vec<f64>, least: f64) -> Vec<f64> {
        let share = self.left / self.waves.max(1) as f64;
        let lowered = lower(propensities, share, least);
        *self = Purse { left: (self.left - total(&lowered)).max(0.0), waves: self.waves.saturating_sub(1) };
        lowered
    }
}

/// What a stage may spend in a batch. Its part of the budget is `(its waves, all waves)`; `spent` is what it has spent in
/// earlier batches of a run of so many.
pub fn allowance(budget: &Budget, part: (usize, usize), spent: f64, batch: u64, batches: u64) -> f64 {
    let own = |calls: u64| calls as f64 * part.0 as f64 / part.1.max(1) as f64;
    let of_run = |calls: u64| (own(calls) - spent).max(0.0) / batches.saturating_sub(batch).max(1) as f64;
    let limits = [budget.per_batch.map(own), budget.per_run.map(of_run)];
    limits.into_iter().flatten().fold(f64::INFINITY, f64::min)
}

/// Propensities brought down together until they sum to at most a share: all by the same factor, but none below `least`
/// unless all of them are there already.
pub fn lower(mut propensities: Vec<f64>, share: f64, least: f64) -> Vec<f64> {
    let mut rising = propensities.clone();
    rising.sort_by(f64::total_cmp);
    let mut rest: f64 = rising.iter().sum();
    if rest <= share {
        return propensities;
    }
    let (mut factor, mut floor) = (0.0, share.max(0.0) / rising.len() as f64);
    for (held, smallest) in rising.iter().enumerate() {
        // Those before are held at `least`, and pay no more.
        factor = (share - held as f64 * least) / rest;
        if factor * smallest >= least {
            floor = least;
            break;
        }
        rest -= smallest;
        factor = 0.0;
    }
    propensities.iter_mut().for_each(|propensity| *propensity = (factor * *propensity).max(floor));
    propensities
}

/// A sum that does not depend on the order.
fn total(values: &[f64]) -> f64 {
    let mut rising = values.to_vec();
    rising.sort_by(f64::total_cmp);
    rising.iter().sum()
}

/// Samp in one batch: a rule, and a purse where there is a budget.
#[derive(Clone, Copy)]
pub struct Samp<'a> {
    /// What decides on propensities.
    pub rule: Rule,
    /// What may be spent; waves of other questions may pay from the same one.
    pub purse: Option<&'a Cell<Purse>>,
    /// By whom it goes, where it learns.
    pub adversary: Option<Adversary<'a>>,
}

impl Samp<'_> {
    /// The propensities of a wave, given M's first answer to each question, what Adv says of it, and M's further ones.
    pub fn propensities(&self, firsts: &[Answer], predicted: &[Option<SubAnswer>], again: &[Vec<Answer>]) -> Vec<f64> {
        let predicted = predicted.iter().map(|said| said.as_ref().map(|said| &said.answer));
        let answers = firsts.iter().zip(predicted).zip(again);
        let propensities =
            answers.map(|((first, predicted), again)| self.rule.propensity(first, predicted, again)).collect();
        let Some(held) = self.purse else { return propensities };
        let mut purse = held.get();
        let lowered = purse.pay(propensities, self.rule.least());
        held.set(purse);
        lowered
    }
}

/// One seeded draw. The uniform number lies strictly between 0 and 1, so 1 always calls H and 0 never does.
pub fn calls_human(propensity: f64, draw: Draw) -> bool {
    draw.named("samp").uniform(0) < propensity
}
