//! Adv: a model that predicts whether H would say what M said, by which Samp can call H where it suspects the opposite
//! (Hubinger, "A concrete proposal for adversarial IDA", 2019). It learns from the answers that H gave.

use crate::{
    amplify::{SubAnswer, WaveError, call},
    answerer::{Answer, Answerer, Prompt},
    distance::{EmbedderError, Measure},
    question::{filled, yes},
    trace::{Call, Part, answers, part},
};
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
pub fn outcomes<'c>(measure: Measure<'_>, calls: &'c [Call]) -> Result<Vec<Outcome<'c>>, EmbedderError> {
    let overruled: Vec<[&Call; 3]> = answers(calls).filter_map(overruled).collect();
    let pairs = overruled.iter().map(|[first, _, human]| (human.answer.as_str(), first.answer.as_str()));
    let distances = measure.of(&pairs.collect::<Vec<_>>())?;
    let outcome = |([first, call, _], distance): ([&'c Call; 3], Option<f64>)| {
        Some(Outcome { call, distance: distance?, propensity: first.propensity })
    };
    Ok(overruled.into_iter().zip(distances).filter_map(outcome).collect())
}

/// M's first answer, Adv's word on it and H's answer, where there are all of them.
fn overruled(calls: &[Call]) -> Option<[&Call; 3]> {
    Some([part(calls, Part::First)?, part(calls, Part::Adversary)?, part(calls, Part::Human)?])
}
