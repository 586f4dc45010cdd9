//! A choice between two answers: M is not let speak, but asked how likely it finds each of the two as a whole. Of their
//! probabilities, scaled to sum up to 1, one draw takes an answer.

use crate::{
    answerer::{Answer, Sampled},
    draw::Draw,
};

/// The probability of the first of two answers, given the log-probabilities of their tokens. At temperature 0 the likelier
/// one has all of it.
pub fn probability_of_first(answers: &[Answer; 2], temperature: f64) -> f64 {
    let [first, second] = answers.each_ref().map(log_probability);
    match second - first {
        behind if temperature > 0.0 => 1.0 / (1.0 + (behind / temperature).exp()),
        behind if behind < 0.0 => 1.0,
        behind if behind > 0.0 => 0.0,
        _ => 0.5,
    }
}

/// One of two answers, by a draw. Its tokens have the log-probabilities of the distribution it was drawn from, at
/// temperature 0 of the one at temperature 1: where the two first differ all is decided, and whatever both begin with, or
/// what follows in either, is certain.
pub fn drawn(answers: &[Answer; 2], temperature: f64, draw: Draw) -> Answer {
    let place = usize::from(draw.uniform(0) >= probability_of_first(answers, temperature));
    let first = probability_of_first(answers, if temperature > 0.0 { temperature } else { 1.0 });
    let Answer { text, sampled } = &answers[place];
    let mut log_probs = vec![0.0; sampled.tokens.len()];
    let pairs = answers[0].sampled.tokens.iter().zip(&answers[1].sampled.tokens);
    let decided = pairs.take_while(|(one, other)| one == other).count();
    if let Some(log_prob) = log_probs.get_mut(decided) {
        *log_prob = [first, 1.0 - first][place].ln() as f32;
    }
    Answer { text: text.clone(), sampled: Sampled { log_probs, ..sampled.clone() } }
}

/// Of an answer as a whole, in nats.
fn log_probability(answer: &Answer) -> f64 {
    answer.sampled.log_probs.iter().map(|&log_prob| f64::from(log_prob)).sum()
}
