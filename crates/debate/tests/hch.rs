//! HCH: what reaches M, how often, and what each answer costs, with a human who counts down and an M that is scripted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod echo;

use debate::{
    amplify::HumanAnswer,
    consult::Amp,
    cost::Cost,
    draw::Draw,
    hch,
    human::{Exchange, Human, Move},
    question::Posed,
};
use echo::{DRAWN, Echo, wave, wording};
use proptest::prelude::*;

/// Asks of `abc` what `bc` and `ab` are, and answers `(…,…)` with a letter of its own draw; of a single letter it asks
/// nothing.
struct Splitting;

impl Human for Splitting {
    fn next(&self, posed: &Posed, said: &[Exchange], draw: Draw) -> Move {
        let question = posed.question.as_str();
        let letter = ["x", "y"][draw.below(0, 2)];
        match said {
            _ if question.len() < 2 => Move::Answer(format!("{question}{letter}")),
            [] => Move::Ask(vec![question[1..].to_owned(), question[..question.len() - 1].to_owned()]),
            _ => {
                let heard: Vec<&str> = said.iter().filter_map(|said| said.answer.as_deref()).collect();
                Move::Answer(format!("({}){letter}", heard.join(",")))
            }
        }
    }
}

fn hch(questions: &[&str], depth: u32) -> (Vec<(String, Cost)>, Vec<Vec<String>>) {
    let (wording, mut m) = (wording(), Echo::default());
    let amp = Amp::new(&Splitting, &wording);
    let answers = hch::hch(&amp, &mut m, &wave(questions), depth, Draw::new(3)).unwrap();
    (answers, m.waves)
}

/// The answers without what H and M drew.
fn check(questions: &[&str], depth: u32, expect: &[&str], asked: &[&[&str]]) {
    let (answers, waves) = hch(questions, depth);
    let plain: Vec<String> = answers.iter().map(|(text, _)| text.replace(['x', 'y'], "").replace(DRAWN, "")).collect();
    assert_eq!(plain, expect);
    assert_eq!(waves, asked);
}

#[test]
fn m_is_asked_at_depth_0_and_each_question_once() {
    check(&["abc"], 0, &["m(abc)"], &[&["abc"]]);
    check(&["abc"], 1, &["(m(bc),m(ab))"], &[&["bc", "ab"]]);
    check(&["abcd"], 2, &["((m(cd),m(bc)),(m(bc),m(ab)))"], &[&["cd", "bc", "ab"]]);
    check(&["abc", "bcd"], 1, &["(m(bc),m(ab))", "(m(cd),m(bc))"], &[&["bc", "ab", "cd"]]);
    check(&["abc", "bcd"], 2, &["((m(c),m(b)),(m(b),m(a)))", "((m(d),m(c)),(m(c),m(b)))"], &[&["c", "b", "a", "d"]]);
    // Deeper than the questions: H knows the letters, and M is never asked.
    check(&["ab"], 9, &["(b,a)"], &[]);
    check(&[], 2, &[], &[]);
}

#[test]
fn a_shared_answer_counts_for_the_first_who_asks() {
    let cost = |human_calls, tokens_read, tokens_written| Cost { human_calls, tokens_read, tokens_written };
    let costs = |questions: &[&str], depth| hch(questions, depth).0.into_iter().map(|it| it.1).collect::<Vec<_>>();
    assert_eq!(costs(&["abc"], 0), [cost(0, 3, 2)]);
    assert_eq!(costs(&["abc", "bcd"], 1), [cost(1, 4, 4), cost(1, 2, 2)]);
    // `bc` and `ab` each with H and the letters of both; then `cd` with H and the one letter left.
    assert_eq!(costs(&["abc", "bcd"], 2), [cost(3, 3, 6), cost(2, 1, 2)]);
}

#[test]
fn depth_1_is_amplification() {
    let (wording, mut m) = (wording(), Echo::default());
    let wave = wave(&["abc", "bcd", "a"]);
    let amplified = Amp::new(&Splitting, &wording).answer(Some(&mut m), &wave).unwrap();
    let (answers, _) = hch(&["abc", "bcd", "a"], 1);
    let of_amplified = |answer: HumanAnswer| (answer.text.replace(DRAWN, ""), answer.cost().human_calls);
    let of_hch = |(text, cost): (String, Cost)| (text.replace(DRAWN, ""), cost.human_calls);
    assert_eq!(
        answers.into_iter().map(of_hch).collect::<Vec<_>>(),
        amplified.into_iter().map(of_amplified).collect::<Vec<_>>()
    );
}

proptest! {
    /// What others ask beside it, and in which order, makes no difference to an answer.
    #[test]
    fn an_answer_is_the_same_in_any_company(
        mut questions in prop::collection::vec("[abc]{1,5}", 1..6),
        depth in 0..4u32,
    ) {
        let answers = |questions: &[String]| {
            let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
            hch(&questions, depth).0.into_iter().map(|(text, _)| text).collect::<Vec<_>>()
        };
        let alone: Vec<String> = questions.iter().flat_map(|question| answers(std::slice::from_ref(question))).collect();
        prop_assert_eq!(&answers(&questions), &alone);
        let sum = |questions: &[String]| {
            let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
            let (answers, waves) = hch(&questions, depth);
            (answers.into_iter().map(|(_, cost)| cost).sum::<Cost>(), waves)
        };
        let (cost, waves) = sum(&questions);
        let asked: u64 = waves.iter().flatten().map(|prompt| prompt.len() as u64).sum();
        prop_assert_eq!(cost.tokens_read, asked);
        prop_assert!(waves.len() <= 1);
        questions.reverse();
        let reversed: Vec<String> = alone.into_iter().rev().collect();
        prop_assert_eq!(answers(&questions), reversed);
    }
}
