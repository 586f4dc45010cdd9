//! d, the natural-language distance between two answers, where it is a number of the two texts: 0 for the same, 1 at
//! most. Such a distance has no gradient in M's tokens, so M's own answer is what was tried, and d what it cost.

use crate::{
    question::{Asked, same},
    trace::{Call, Part},
};
use rayon::prelude::*;
use spec::settings::Distance;
use std::collections::BTreeMap;

/// The distance from H's answer, the reference, to M's; `None` for cross-entropy, which is not one of texts.
///
/// No spaces count, as in [`same`]: M writes word by word, marks apart. Only for BLEU they part words, of which each
/// mark is one.
pub fn distance(distance: Distance, reference: &str, answer: &str) -> Option<f64> {
    let of_texts =
        |measure: fn(&str, &str) -> f64| if same(reference, answer) { 0.0 } else { measure(reference, answer) };
    match distance {
        Distance::CrossEntropy => None,
        Distance::Exact => Some(of_texts(|_, _| 1.0)),
        Distance::Edit => Some(of_texts(edit)),
        Distance::Chrf => Some(of_texts(|reference, answer| 1.0 - chrf(reference, answer))),
        Distance::Bleu => Some(of_texts(|reference, answer| 1.0 - bleu(reference, answer))),
    }
}

/// What each call cost: d from H's answer to M's first, where H was called over it; `None` for all other calls.
pub fn costs<'c>(distance: Distance, calls: &'c [Call]) -> Vec<Option<f64>> {
    if !distance.is_of_texts() {
        return vec![None; calls.len()];
    }
    // At one turn a tool may have been asked for before: only the text tells these questions apart.
    let posed = |call: &'c Call| (call.question, call.asked, call.turn, call.prompt.as_str());
    let humans = calls.iter().filter(|call| call.part == Part::Human);
    let humans: BTreeMap<(u64, Asked, usize, &str), &str> =
        humans.map(|call| (posed(call), call.answer.as_str())).collect();
    let cost = |call: &'c Call| {
        let reference = humans.get(&posed(call)).filter(|_| call.part == Part::First)?;
        self::distance(distance, reference, &call.answer)
    };
    calls.par_iter().map(cost).collect()
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
