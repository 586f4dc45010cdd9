//! The stages of a run: one file each, and one match from settings to stages.

pub mod answer;
pub mod answerers;
pub mod calibration;
pub mod debate;
pub mod evaluate;
pub mod evaluation;
pub mod judge;
pub mod limited;
pub mod loss;
pub mod predictions;
pub mod procedure;
pub mod questions;
pub mod samp;
pub mod sample;
pub mod states;
pub mod sync;
pub mod tables;
pub mod train;
pub mod verdicts;
pub mod wins;

use crate::stages::{
    answerers::{ModelAnswerer, Usage},
    states::ModelState,
};
use ::debate::{amplify::Approx, human::Human};
use batch::{StageError, Unit};
use model::Sampling;
use samp::{Decider, Held};
use spec::settings::{Schedule, Wording};

/// Amp≈(H, M), with the name of the state that holds M.
pub struct Amplifier {
    /// The state that holds M.
    pub model: String,
    /// H.
    pub human: Box<dyn Human>,
    /// Samp.
    pub samp: Decider,
    /// At which temperature M is sampled.
    pub temperature: Schedule,
    /// The longest answer M may give, in tokens.
    pub max_tokens: usize,
    /// Threads that compute on tensors.
    pub workers: usize,
}

impl Amplifier {
    /// Everything but M.
    pub fn approx<'a>(&'a self, wording: &'a Wording, held: &'a Held<'_>) -> Approx<'a> {
        Approx { human: self.human.as_ref(), samp: held.samp(), wording }
    }

    /// M as it is in this batch.
    pub fn answerer<'a>(&self, unit: &Unit<'a>) -> Result<ModelAnswerer<'a>, StageError> {
        self.answerer_at(unit, self.temperature.at(unit.batch))
    }

    /// M as it is in this batch, sampled at another temperature.
    pub fn answerer_at<'a>(&self, unit: &Unit<'a>, temperature: f64) -> Result<ModelAnswerer<'a>, StageError> {
        let model = unit.read::<ModelState>(&self.model)?;
        let sampling = Sampling { max_tokens: self.max_tokens, temperature };
        Ok(ModelAnswerer::new(&model.0, unit.version(&self.model)?, sampling, self.workers))
    }
}

/// Notes how much models were used.
fn note_usage(unit: &mut Unit<'_>, usage: &[Usage]) {
    let all = |of: fn(&Usage) -> u64| usage.iter().map(of).sum::<u64>();
    if all(|usage| usage.unknown_words) > 0 {
        unit.metric("unknown_words", all(|usage| usage.unknown_words) as f64);
    }
    let mut sum = |name: &str, of: fn(&Usage) -> u64| unit.metric(name, all(of) as f64);
    sum("model_calls", |usage| usage.waves);
    sum("model_prompts", |usage| usage.prompts);
    sum("tokens_read", |usage| usage.tokens_read);
    sum("tokens_written", |usage| usage.tokens_written);
}
