//! Distances between texts against published measures, and what each call cost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Amplified, HumanAnswer},
    answerer::Answer,
    distance::{costs, distance},
    question::{Asked, same},
    trace::{Call, Part, calls},
};
use proptest::prelude::*;
use spec::settings::Distance;

const OF_TEXTS: [Distance; 4] = [Distance::Exact, Distance::Edit, Distance::Chrf, Distance::Bleu];

fn check(measure: Distance, reference: &str, answer: &str, expect: f64) {
    let found = distance(measure, reference, answer).unwrap();
    assert!((found - expect).abs() < 1e-6, "{measure:?} from {reference:?} to {answer:?}: {found}, not {expect}");
}

#[test]
fn spaces_do_not_count() {
    for measure in OF_TEXTS {
        check(measure, "Yes because Jim lies.", "Yes  because Jim lies .", 0.0);
        check(measure, "", "", 0.0);
        check(measure, "Yes", "", 1.0);
        check(measure, "", "Yes", 1.0);
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
        distance(Distance::Bleu, "Yes , Jim lies .", "No, Jim lies.").unwrap(),
    );
    assert_eq!(distance(Distance::CrossEntropy, "Yes", "No"), None);
}

proptest! {
    #[test]
    fn the_same_is_at_0_and_nothing_beyond_1(one in "[ab .é]{0,12}", other in "[ab .é]{0,12}") {
        for measure in OF_TEXTS {
            let from = |reference: &str, answer: &str| distance(measure, reference, answer).unwrap();
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
    ]
    .concat();
    let of = |distance| -> Vec<(u64, Asked, usize, f64)> {
        let costs = costs(distance, &trace);
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
}
