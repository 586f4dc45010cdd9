//! Adv: a model that predicts whether H would say what M said, by which Samp can call H where it suspects the opposite
//! (Hubinger, "A concrete proposal for adversarial IDA", 2019). It learns from the answers that H gave.

use crate::{
    amplify::{SubAnswer, WaveError, call},
    answerer::{Answer, Answerer, Prompt},
    distance::distance,
    question::{filled, yes},
    trace::{Call, Part},
};
use spec::settings::Distance;
use std::cell::RefCell;

/// Adv in one batch: who gives one word, the likeliest, and how it is asked.
#[derive(Clone, Copy)]
pub struct Adversary<'a> {
    /// The model.
    pub model: &'a RefCell<dyn Answerer + 'a>,
    /// What it is asked, with `{question}` and `{answer}` in it.
    pub wording: &'a str,
}

impl Adversary<'_> {
    /// What it says of M's first answer to each prompt, in one call.
    pub(crate) fn predictions(&self, asked: &[Prompt], firsts: &[Answer]) -> Result<Vec<SubAnswer>, WaveError> {
        let prompt = |(asked, first): (&Prompt, &Answer)| Prompt {
            text: filled(self.wording, &[("{question}", &asked.text), ("{answer}", &first.text)]),
            begin: None,
            draw: asked.draw.named("adversary"),
        };
        let prompts: Vec<Prompt> = asked.iter().zip(firsts).map(prompt).collect();
        let said = call(&mut *self.model.borrow_mut(), &prompts)?;
        Ok(prompts.into_iter().zip(said).map(|(prompt, answer)| SubAnswer::of_model(prompt.text, answer)).collect())
    }
}

/// The probability that H would say what M said, by the first word of Adv's answer: as much as it gives to yes, or what
/// it leaves beside no. Whoever says neither has not learnt to tell, and counts as one who suspects the worst.
pub fn probability(said: &Answer) -> f64 {
    let first = said.sampled.log_probs.first().map_or(0.0, |&log_prob| f64::from(log_prob).exp());
    match yes(&said.text) {
        Some(true) => first,
        Some(false) => 1.0 - first,
        None => 0.0,
    }
}

/// What an answer of H teaches Adv, who was asked of M's before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome<'a> {
    /// What Adv was asked, and said.
    pub call: &'a Call,
    /// d from H's answer to M's.
    pub distance: f64,
    /// The probability with which H was called.
    pub propensity: Option<f64>,
}

/// What there is to learn from calls, of which those behind one answer stand together, M's own first.
pub fn outcomes(measure: Distance, calls: &[Call]) -> Vec<Outcome<'_>> {
    calls.chunk_by(|_, next| next.part != Part::First).filter_map(|calls| outcome(measure, calls)).collect()
}

fn outcome(measure: Distance, calls: &[Call]) -> Option<Outcome<'_>> {
    let of = |part: Part| calls.iter().find(|call| call.part == part);
    let (first, call, human) = (of(Part::First)?, of(Part::Adversary)?, of(Part::Human)?);
    let distance = distance(measure, &human.answer, &first.answer)?;
    Some(Outcome { call, distance, propensity: first.propensity })
}
