//! d, the natural-language distance between two answers, where it is a number of the two texts: 0 for the same, 1 at
//! most. Such a distance has no gradient in M's tokens, so M's own answer is what was tried, and d what it cost.
//!
//! What it takes to turn a text into a vector is not here: who can is an [`Embedder`], as M is an
//! [`Answerer`](crate::answerer::Answerer).

use crate::{
    question::same,
    trace::{Call, Part, answers, part},
};
use rayon::prelude::*;
use spec::settings::Distance;
use std::collections::{BTreeMap, BTreeSet};

/// Turns texts into vectors, by which they can be held against each other.
pub trait Embedder {
    /// A vector for each text, all of as many numbers and of length 1. The same text has the same vector.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError>;
}

/// Why texts could not be turned into vectors.
pub type EmbedderError = Box<dyn std::error::Error + Send + Sync>;

/// d, with what it goes by.
#[derive(Clone, Copy)]
pub struct Measure<'a> {
    /// Which.
    pub distance: &'a Distance,
    /// Who turns texts into vectors; nobody asks but an embedding.
    pub embedder: Option<&'a dyn Embedder>,
}

impl Measure<'_> {
    /// d of each pair of answers, H's, the reference, before M's; `None` for those of tokens, which are none of texts.
    pub fn of(self, pairs: &[(&str, &str)]) -> Result<Vec<Option<f64>>, EmbedderError> {
        let distance = self.distance;
        if let Distance::Embedding(_) = distance {
            let embedder = self.embedder.ok_or("nobody turns texts into vectors, by which this distance goes")?;
            return Ok(embedded(embedder, pairs)?.into_iter().map(Some).collect());
        }
        Ok(pairs.par_iter().map(|(reference, answer)| self::distance(distance, reference, answer)).collect())
    }
}

/// The distance from H's answer, the reference, to M's, where it is one of their letters and words alone; `None` for
/// others.
///
/// No spaces count, as in [`same`]: M writes word by word, marks apart. Only for BLEU they part words, of which each
/// mark is one.
pub fn distance(distance: &Distance, reference: &str, answer: &str) -> Option<f64> {
    let of_texts =
        |measure: fn(&str, &str) -> f64| if same(reference, answer) { 0.0 } else { measure(reference, answer) };
    match distance {
        Distance::CrossEntropy | Distance::Kl | Distance::Embedding(_) => None,
        Distance::Exact => Some(of_texts(|_, _| 1.0)),
        Distance::Edit => Some(of_texts(edit)),
        Distance::Chrf => Some(of_texts(|reference, answer| 1.0 - chrf(reference, answer))),
        Distance::Bleu => Some(of_texts(|reference, answer| 1.0 - bleu(reference, answer))),
    }
}

/// What each call cost: d from H's answer to M's first, where H was called over it; `None` for all other calls. Those
/// behind one answer stand together, M's own first.
pub fn costs(measure: Measure<'_>, calls: &[Call]) -> Result<Vec<Option<f64>>, EmbedderError> {
    if !measure.distance.is_of_texts() {
        return Ok(vec![None; calls.len()]);
    }
    let pairs: Vec<(&str, &str)> = answers(calls).filter_map(overruled).collect();
    let mut distances = measure.of(&pairs)?.into_iter();
    let cost = |answer: &[Call]| {
        let of_first = overruled(answer).and_then(|_| distances.next()?);
        [of_first].into_iter().chain(vec![None; answer.len() - 1])
    };
    Ok(answers(calls).flat_map(cost).collect())
}

/// Of the calls behind an answer H's, the reference, and M's first, where H was called over it.
fn overruled(calls: &[Call]) -> Option<(&str, &str)> {
    Some((&part(calls, Part::Human)?.answer, &part(calls, Part::First)?.answer))
}

/// 1 less the cosine of the vectors of two texts, at most 1 (Reimers and Gurevych 2019). An encoder of sentences is
/// trained to give texts that have nothing to do with each other a cosine of about 0, so that these are as far apart as
/// texts without a common word are by the other distances; (1 − cosine)/2 would leave them halfway. Each text is
/// embedded once.
fn embedded(embedder: &dyn Embedder, pairs: &[(&str, &str)]) -> Result<Vec<f64>, EmbedderError> {
    let differing = pairs.iter().filter(|(reference, answer)| !same(reference, answer));
    let texts: BTreeSet<&str> = differing.flat_map(|&(reference, answer)| [reference, answer]).collect();
    let texts: Vec<&str> = texts.into_iter().collect();
    let vectors: BTreeMap<&str, Vec<f32>> = texts.iter().copied().zip(embedder.embed(&texts)?).collect();
    let between = |&(reference, answer): &(&str, &str)| match (vectors.get(reference), vectors.get(answer)) {
        (Some(one), Some(other)) if !same(reference, answer) => (1.0 - product(one, other)).clamp(0.0, 1.0),
        _ => 0.0,
    };
    Ok(pairs.iter().map(between).collect())
}

/// The scalar product of two vectors: of such as have length 1, the cosine of the angle between them.
fn product(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(&one, &other)| f64::from(one) * f64::from(other)).sum()
}

/// Letters inserted, deleted and replaced, over the letters of the longer text (Levenshtein 1966).
fn edit(reference: &str, answer: &str) -> f64 {
    let letters = |text: &str| text.split_whitespace().collect::<String>();
    1.0 - strsim::normalized_levenshtein(&letters(reference), &letters(answer))
}

/// The longest sequence of letters that chrF counts, and how many times as much recall weighs as precision.
const LETTERS: usize = 6;
const RECALL: f64 = 2.0;

/// chrF (Popović 2015): F of the mean precision and the mean recall of sequences of 1 to 6 letters, over the lengths
/// that both texts have.
fn chrf(reference: &str, answer: &str) -> f64 {
    let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<Vec<char>>();
    let (reference, answer) = (letters(reference), letters(answer));
    let lengths = LETTERS.min(reference.len()).min(answer.len());
    let (mut precision, mut recall) = (0.0, 0.0);
    for length in 1..=lengths {
        let matches = matches(&reference, &answer, length) as f64;
        precision += matches / (answer.len() + 1 - length) as f64;
        recall += matches / (reference.len() + 1 - length) as f64;
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / lengths as f64, recall / lengths as f64);
    let weight = RECALL * RECALL;
    (1.0 + weight) * precision * recall / (weight * precision + recall)
}

/// The longest sequence of words that BLEU counts.
const WORDS: usize = 4;

/// BLEU (Papineni et al. 2002) of one sentence: the geometric mean of the precisions of sequences of 1 to 4 words, over
/// the lengths that the answer has (Lin & Och 2004), less where it is shorter than the reference. A length without a
/// match counts as half a match, the next one as a quarter (Chen & Cherry 2014, smoothing 3); without any match it is
/// 0.
fn bleu(reference: &str, answer: &str) -> f64 {
    let (reference, answer) = (words(reference), words(answer));
    let lengths = WORDS.min(answer.len());
    if matches(&reference, &answer, 1) == 0 {
        return 0.0;
    }
    let (mut log_precisions, mut missed) = (0.0, 1.0);
    for length in 1..=lengths {
        let mut matches = matches(&reference, &answer, length) as f64;
        if matches == 0.0 {
            missed *= 2.0;
            matches = 1.0 / missed;
        }
        log_precisions += (matches / (answer.len() + 1 - length) as f64).ln();
    }
    let shortness = (1.0 - reference.len() as f64 / answer.len() as f64).min(0.0);
    (shortness + log_precisions / lengths as f64).exp()
}

/// The words of a text; a mark is one by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in text.split_whitespace() {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let end = match first.is_alphanumeric() {
                true => rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len()),
                false => first.len_utf8(),
            };
            words.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    words
}

/// How many sequences of a length the answer shares with the reference, each as often as in both.
fn matches<T: Ord>(reference: &[T], answer: &[T], length: usize) -> usize {
    let reference = reference.windows(length).fold(BTreeMap::new(), count);
    let answer = answer.windows(length).fold(BTreeMap::new(), count);
    answer.iter().map(|(sequence, count)| reference.get(sequence).map_or(0, |other| *count.min(other))).sum()
}

fn count<'t, T: Ord>(mut counts: BTreeMap<&'t [T], usize>, sequence: &'t [T]) -> BTreeMap<&'t [T], usize> {
    *counts.entry(sequence).or_default() += 1;
    counts
}
