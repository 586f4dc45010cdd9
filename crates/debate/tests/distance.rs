//! Distances between texts against published measures, and what each call cost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Amplified, HumanAnswer},
    answerer::Answer,
    distance::{Embedder, EmbedderError, Measure, costs, distance},
    question::{Asked, same},
    trace::{Call, Part, calls},
};
use proptest::prelude::*;
use spec::settings::{Distance, Embedding, File};
use std::cell::RefCell;

const OF_TEXTS: [Distance; 4] = [Distance::Exact, Distance::Edit, Distance::Chrf, Distance::Bleu];

fn check(measure: Distance, reference: &str, answer: &str, expect: f64) {
    let found = distance(&measure, reference, answer).unwrap();
    assert!((found - expect).abs() < 1e-6, "{measure:?} from {reference:?} to {answer:?}: {found}, not {expect}");
}

#[test]
fn spaces_do_not_count() {
    for measure in OF_TEXTS {
        let check = |reference, answer, expect| check(measure.clone(), reference, answer, expect);
        check("Yes because Jim lies.", "Yes  because Jim lies .", 0.0);
        check("", "", 0.0);
        check("Yes", "", 1.0);
        check("", "Yes", 1.0);
    }
    check(Distance::Exact, "Yes because Jim lies", "Yes because Jim lied", 1.0);
    check(Distance::Edit, "not True", "no t True", 0.0);
}

#[test]
fn edits_are_counted_over_the_longer_text() {
    check(Distance::Edit, "kitten", "sitting", 3.0 / 7.0);
    check(Distance::Edit, "Yes", "Yes because", 7.0 / 10.0);
    check(Distance::Edit, "True", "False", 4.0 / 5.0);
    check(Distance::Edit, "Yes", "No", 1.0);
}

#[test]
fn chrf_and_bleu_are_those_of_sacrebleu() {
    // sacrebleu 2.6.0: 1 - CHRF().sentence_score(answer, [reference]).score / 100, and
    // 1 - BLEU(effective_order=True, tokenize="none").sentence_score(answer, [reference]).score / 100
    for (reference, answer, chrf, bleu) in [
        ("Yes because Jim lies .", "No because Jim lies .", 0.185330, 0.331260),
        ("the cat sat on the mat", "the cat is on the mat", 0.380748, 0.620082),
        ("Jim tells the truth", "Jim lies", 0.890618, 0.816060),
        ("Yes because Jim lies", "Yes", 0.851175, 0.950213),
        ("Yes because Jim lies", "Yes because Jim lies and Inga lies", 0.132648, 0.588866),
        ("the cat is here", "the the the the", 0.840657, 0.840264),
        ("Yes because Jim lies", "Inga lies", 0.870958, 0.816060),
        ("False", "True", 0.947917, 1.0),
        ("No", "Yes", 1.0, 1.0),
        ("sechs Äpfel", "sechzig Äpfel", 0.538766, 0.500000),
    ] {
        check(Distance::Chrf, reference, answer, chrf);
        check(Distance::Bleu, reference, answer, bleu);
    }
}

#[test]
fn marks_are_words_of_their_own() {
    check(
        Distance::Bleu,
        "Yes, Jim lies.",
        "No , Jim lies .",
        distance(&Distance::Bleu, "Yes , Jim lies .", "No, Jim lies.").unwrap(),
    );
    for of_tokens in [Distance::CrossEntropy, Distance::Kl] {
        assert_eq!(distance(&of_tokens, "Yes", "No"), None);
    }
}

proptest! {
    #[test]
    fn the_same_is_at_0_and_nothing_beyond_1(one in "[ab .é]{0,12}", other in "[ab .é]{0,12}") {
        for measure in OF_TEXTS {
            let from = |reference: &str, answer: &str| distance(&measure, reference, answer).unwrap();
            prop_assert_eq!(from(&one, &one), 0.0);
            let (there, back) = (from(&one, &other), from(&other, &one));
            prop_assert!((0.0..=1.0).contains(&there), "{:?}: {}", measure, there);
            if matches!(measure, Distance::Exact | Distance::Edit) {
                prop_assert_eq!(there, back);
                prop_assert_eq!(there == 0.0, same(&one, &other));
            }
        }
    }
}

/// The calls behind M's answer and, where H was called, H's.
fn answered(question: u64, asked: Asked, turn: usize, model: &str, human: Option<&str>) -> Vec<Call> {
    let answer = |text: &str| Answer { text: text.to_owned(), ..Answer::default() };
    let amplified = Amplified {
        prompt: format!("{question}"),
        first: answer(model),
        predicted: None,
        again: vec![answer("something else")],
        propensity: 0.5,
        human: human.map(|text| HumanAnswer::new(text, Vec::new())),
    };
    calls(question, asked, turn, amplified)
}

#[test]
fn only_first_answers_that_h_answered_over_cost_anything() {
    let trace = [
        answered(7, Asked::Argument, 0, "Yes", Some("No")),
        answered(7, Asked::Argument, 1, "Yes", None),
        answered(7, Asked::Sufficient, 1, "Yes", Some("Yes")),
        answered(8, Asked::Argument, 0, "No", Some("No")),
        answered(8, Asked::Winner, 2, "No", Some("Yes")),
        // The same is asked again, and H is called over one of the answers.
        answered(8, Asked::Winner, 2, "No", None),
    ]
    .concat();
    let of = |distance: Distance| -> Vec<(u64, Asked, usize, f64)> {
        let costs = costs(Measure { distance: &distance, embedder: None }, &trace).unwrap();
        assert_eq!(costs.len(), trace.len());
        let costly = trace.iter().zip(costs).filter_map(|(call, cost)| Some((call, cost?)));
        costly
            .inspect(|(call, _)| assert!(call.part == Part::First && !call.kept))
            .map(|(call, cost)| (call.question, call.asked, call.turn, cost))
            .collect()
    };
    let expected = [
        (7, Asked::Argument, 0, 1.0),
        (7, Asked::Sufficient, 1, 0.0),
        (8, Asked::Argument, 0, 0.0),
        (8, Asked::Winner, 2, 1.0),
    ];
    assert_eq!(of(Distance::Exact), expected);
    assert_eq!(of(Distance::CrossEntropy), []);
    assert_eq!(of(Distance::Kl), []);
}

/// Counts letters, vowels against the others, and remembers what it was given.
#[derive(Default)]
struct Letters {
    given: RefCell<Vec<String>>,
}

impl Embedder for Letters {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        self.given.borrow_mut().extend(texts.iter().map(|text| (*text).to_owned()));
        Ok(texts.iter().map(|text| counted(text)).collect())
    }
}

fn counted(text: &str) -> Vec<f32> {
    let mut counts = [0.0f32; 3];
    text.chars().for_each(|letter| match letter {
        'a' => counts[0] += 1.0,
        'b' => counts[0] -= 1.0,
        '.' => counts[1] += 1.0,
        _ => counts[2] += 1.0,
    });
    let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt().max(1e-12);
    counts.map(|count| count / length).to_vec()
}

fn embedding() -> Distance {
    Distance::Embedding(Embedding { folder: File { path: "encoder".to_owned(), span: 0..0 } })
}

fn embedded(letters: &Letters, pairs: &[(&str, &str)]) -> Vec<f64> {
    let distance = embedding();
    let measure = Measure { distance: &distance, embedder: Some(letters) };
    measure.of(pairs).unwrap().into_iter().map(Option::unwrap).collect()
}

#[test]
fn a_cosine_of_0_or_less_is_as_far_as_can_be() {
    let check = |reference: &str, answer: &str, expect: f64| {
        let found = embedded(&Letters::default(), &[(reference, answer)])[0];
        assert!((found - expect).abs() < 1e-6, "from {reference:?} to {answer:?}: {found}, not {expect}");
    };
    check("aaa", "a", 0.0);
    check("a a", "aa", 0.0);
    check("aa", "aa.", 1.0 - 2.0 / 5f64.sqrt());
    check("a", ".", 1.0);
    check("a", "b", 1.0);
}

#[test]
fn each_text_is_embedded_once_and_none_that_need_not_be() {
    let letters = Letters::default();
    let distances = embedded(&letters, &[("a", "b"), ("b", "a"), ("a .", "a."), ("a", "b"), ("a", ".")]);
    assert_eq!(distances, [1.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(letters.given.into_inner(), [".", "a", "b"]);
}

#[test]
fn only_answers_that_h_answered_over_are_embedded() {
    let trace = [
        answered(7, Asked::Argument, 0, "a", Some("b")),
        answered(7, Asked::Argument, 1, "aa", None),
        answered(8, Asked::Winner, 2, "a.", Some("a")),
    ]
    .concat();
    let (letters, distance) = (Letters::default(), embedding());
    let costs = costs(Measure { distance: &distance, embedder: Some(&letters) }, &trace).unwrap();
    let costs: Vec<f64> = costs.into_iter().flatten().collect();
    assert!(costs.len() == 2 && costs[0] == 1.0 && (0.29..0.3).contains(&costs[1]), "{costs:?}");
    assert_eq!(letters.given.into_inner(), ["a", "a.", "b"]);
    let nobody = Measure { distance: &distance, embedder: None };
    assert!(nobody.of(&[("a", "b")]).is_err());
    assert_eq!(debate::distance::distance(&distance, "a", "b"), None);
}

proptest! {
    #[test]
    fn embeddings_are_at_0_for_the_same_and_as_far_there_as_back(one in "[ab .é]{0,12}", other in "[ab .é]{0,12}") {
        let pairs = [(one.as_str(), one.as_str()), (one.as_str(), other.as_str()), (other.as_str(), one.as_str())];
        let [same, there, back]: [f64; 3] = embedded(&Letters::default(), &pairs).try_into().unwrap();
        prop_assert_eq!(same, 0.0);
        prop_assert_eq!(there, back);
        prop_assert!((0.0..=1.0).contains(&there), "{}", there);
    }
}
