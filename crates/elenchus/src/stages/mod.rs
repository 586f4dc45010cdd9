//! The stages of a run: one file each, and one match from settings to stages.

pub mod answer;
pub mod answerers;
pub mod calibration;
pub mod debate;
pub mod embeddings;
pub mod evaluate;
pub mod evaluation;
pub mod judge;
pub mod limited;
pub mod loss;
pub mod milestone;
pub mod moves;
pub mod penalised;
pub mod penalty;
pub mod predictions;
pub mod procedure;
pub mod questions;
pub mod samp;
pub mod sample;
pub mod states;
pub mod sync;
pub mod tables;
pub mod tools;
pub mod train;
pub mod understudy;
pub mod verdicts;
pub mod wins;

use crate::stages::{
    answerers::{ModelAnswerer, Usage},
    states::ModelState,
};
use ::debate::{
    amplify::{Amplified, Approx},
    answerer::Answerer,
    consult::{Amp, Consulting},
    draw::Draw,
    human::Human,
};
use batch::{StageError, Unit};
use model::Sampling;
use samp::{Decider, Held};
use spec::settings::{Schedule, Wording};
use std::cell::RefCell;
use understudy::{Beside, Playing, StandIn};

/// Amp≈(H, M), with the name of the state that holds M.
pub struct Amplifier {
    /// The state that holds M.
    pub model: String,
    /// H.
    pub human: Box<dyn Human>,
    /// Whom H consults, and how often.
    pub consults: Consults,
    /// What stands in for H, if anything does.
    pub stand_in: Option<StandIn>,
    /// The state that holds who answers H's sub-questions in M's place, if anybody does.
    pub answerer: Option<String>,
    /// Samp.
    pub samp: Decider,
    /// At which temperature M is sampled.
    pub temperature: Schedule,
    /// The longest answer M may give, in tokens.
    pub max_tokens: usize,
    /// Threads that compute on tensors.
    pub workers: usize,
}

/// Whom H consults, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Consults {
    /// How many times it may ask; none, as often as it likes.
    pub rounds: Option<usize>,
    /// Who answers: M at 1, H who consults to a depth of one less above.
    pub depth: u32,
    /// Where the randomness of sub-questions is, if equal ones are answered once.
    pub shared: Option<Draw>,
}

impl Amplifier {
    /// Amp≈(H, M) with everything but M.
    pub fn approx<'a>(&'a self, wording: &'a Wording, held: &'a Held<'_>) -> Approx<'a> {
        Approx { amp: self.amp(wording, held.beside()), samp: held.samp() }
    }

    /// Amp(H, M) with everything but M.
    pub fn amp<'a>(&'a self, wording: &'a Wording, beside: &'a Beside<'_>) -> Amp<'a> {
        let Consults { rounds, depth, shared } = self.consults;
        let understudy = beside.playing.as_ref().map(Playing::understudy);
        let answerer = beside.answering.as_ref().map(|model| model as &RefCell<dyn Answerer + 'a>);
        let consulting = Consulting { rounds, depth, shared, understudy, answerer };
        Amp { human: self.human.as_ref(), wording, consulting }
    }

    /// What this Amp≈ goes by in a batch.
    pub fn hold<'a>(&self, unit: &mut Unit<'a>) -> Result<Held<'a>, StageError> {
        let playing = self.stand_in.as_ref().map(|stand_in| stand_in.play(unit)).transpose()?;
        let answering = self.answering(unit, self.temperature.at(unit.batch))?;
        Ok(self.samp.hold(unit)?.with(Beside { playing, answering }))
    }

    /// Who takes part in an evaluation: what stands in for H makes all moves, and likeliest tokens are taken.
    pub fn examined<'a>(&self, unit: &Unit<'a>) -> Result<Beside<'a>, StageError> {
        let playing = self.stand_in.as_ref().map(|stand_in| stand_in.play_alone(unit)).transpose()?;
        Ok(Beside { playing, answering: self.answering(unit, 0.0)? })
    }

    /// Who answers H's sub-questions in M's place.
    fn answering<'a>(
        &self,
        unit: &Unit<'a>,
        temperature: f64,
    ) -> Result<Option<RefCell<ModelAnswerer<'a>>>, StageError> {
        let Some(state) = &self.answerer else { return Ok(None) };
        Ok(Some(RefCell::new(self.model_at(unit, state, temperature)?)))
    }

    /// M as it is in this batch.
    pub fn answerer<'a>(&self, unit: &Unit<'a>) -> Result<ModelAnswerer<'a>, StageError> {
        self.answerer_at(unit, self.temperature.at(unit.batch))
    }

    /// M as it is in this batch, sampled at another temperature.
    pub fn answerer_at<'a>(&self, unit: &Unit<'a>, temperature: f64) -> Result<ModelAnswerer<'a>, StageError> {
        self.model_at(unit, &self.model, temperature)
    }

    fn model_at<'a>(&self, unit: &Unit<'a>, state: &str, temperature: f64) -> Result<ModelAnswerer<'a>, StageError> {
        let model = unit.read::<ModelState>(state)?;
        let sampling = Sampling { max_tokens: self.max_tokens, temperature };
        Ok(ModelAnswerer::new(&model.0, unit.version(state)?, sampling, self.workers))
    }
}

/// How often H itself was called for answers, sub-questions that were put to it among them.
fn human_calls<'a>(answers: impl Iterator<Item = &'a Amplified>) -> f64 {
    answers.map(|answer| answer.cost().human_calls).sum::<u64>() as f64
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
