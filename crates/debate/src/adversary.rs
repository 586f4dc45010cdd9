//! Adv: a model that predicts whether H would say what M said, by which Samp can call H where it suspects the opposite
//! (Hubinger, "A concrete proposal for adversarial IDA", 2019). It learns from the answers that H gave.

use crate::{
    amplify::{SubAnswer, WaveError, call},
    answerer::{Answer, Answerer, Prompt},
    distance::costs,
    question::{Asked, filled, yes},
    trace::{Call, Part},
};
use spec::settings::Distance;
use std::{cell::RefCell, collections::BTreeMap};

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
            draw: asked.draw.named("adversary"),
        };
        let prompts: Vec<Prompt> = asked.iter().zip(firsts).map(prompt).collect();
        let said = call(&mut *self.model.borrow_mut(), &prompts)?;
        Ok(prompts.into_iter().zip(said).map(|(prompt, answer)| SubAnswer { prompt: prompt.text, answer }).collect())
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

/// What each call to Adv was to predict: d from H's answer to M's, where H was called; `None` for all other calls.
pub fn outcomes(distance: Distance, calls: &[Call]) -> Vec<Option<f64>> {
    let posed = |call: &Call| (call.question, call.asked, call.turn);
    let costs = calls.iter().zip(costs(distance, calls)).filter_map(|(call, cost)| Some((posed(call), cost?)));
    let costs: BTreeMap<(u64, Asked, usize), f64> = costs.collect();
    let outcome = |call: &Call| costs.get(&posed(call)).copied().filter(|_| call.part == Part::Adversary);
    calls.iter().map(outcome).collect()
}
