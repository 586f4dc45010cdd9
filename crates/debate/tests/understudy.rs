//! H′: who makes which moves, what is understood of what it says, and what is left of it to learn from. H and H′ are
//! scripted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Amplified, HumanAnswer, Open},
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    consult::{Amp, Consulting},
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Posed},
    trace::calls,
    understudy::{Understudy, in_words, understood},
};
use proptest::prelude::*;
use spec::settings::Wording;
use std::cell::RefCell;

fn wording() -> Wording {
    Wording { argument: "{question}".into(), ..Wording::default() }
}

/// M, who says that all is well.
struct Content;

impl Answerer for Content {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        Ok(wave.iter().map(|_| Answer { text: "well".into(), ..Answer::default() }).collect())
    }
}

/// H′ says of what it was given what a rule says, in two tokens, and keeps it. It has no room for more than so many letters.
struct Rule<'r> {
    says: &'r dyn Fn(&str) -> String,
    room: usize,
    given: Vec<String>,
}

impl Answerer for Rule<'_> {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        self.given.extend(wave.iter().map(|prompt| prompt.text.clone()));
        let sampled = Sampled { prompt: vec![1; 3], tokens: vec![0, 1], ..Sampled::default() };
        let said = |prompt: &Prompt| Answer { text: (self.says)(&prompt.text), sampled: sampled.clone() };
        Ok(wave.iter().map(said).collect())
    }

    fn fits(&self, prompt: &Prompt) -> bool {
        prompt.text.len() <= self.room
    }
}

/// Asks of every question two things at once, and then answers.
struct Asking;

impl Human for Asking {
    fn next(&self, posed: &Posed, said: &[Exchange], _: Draw) -> Move {
        match said {
            [] => Move::Ask(vec![format!("{}?", posed.question), "why?".into()]),
            _ => Move::Answer(format!("{} {}", said[0].answer.as_deref().unwrap_or("?"), posed.question)),
        }
    }
}

/// What H′ would say that has learnt all of it.
fn perfect(given: &str) -> String {
    let question = given.lines().next().unwrap();
    match given.lines().find_map(|line| line.strip_prefix("M says: ")) {
        None => format!("H asks: {question}? H asks: why?"),
        Some(heard) => format!("H answers: {heard} {question}"),
    }
}

struct Outcome {
    answers: Vec<HumanAnswer>,
    given: Vec<String>,
}

fn outcome(
    questions: usize,
    share: impl Into<Option<f64>>,
    depth: u32,
    room: usize,
    says: &dyn Fn(&str) -> String,
) -> Outcome {
    let model = RefCell::new(Rule { says, room, given: Vec::new() });
    let wording = wording();
    let answers = {
        let understudy = Some(Understudy { model: &model, share: share.into() });
        let consulting = Consulting { rounds: Some(1), depth, shared: None, understudy, answerer: None };
        let amp = Amp { human: &Asking, wording: &wording, consulting };
        let open = |i: usize| Open { posed: Posed::bare(format!("q{i}")), draw: Draw::new(3).at(i as u64) };
        amp.answer(Some(&mut Content), &(0..questions).map(open).collect::<Vec<_>>()).unwrap()
    };
    Outcome { answers, given: model.into_inner().given }
}

#[test]
fn who_has_learnt_all_does_what_h_does() {
    let texts = |share: f64, depth: u32| -> Vec<String> {
        outcome(20, share, depth, 999, &perfect).answers.into_iter().map(|answer| answer.text).collect()
    };
    for depth in [1, 2] {
        assert_eq!(texts(0.0, depth), texts(1.0, depth));
        assert_eq!(texts(0.5, depth), texts(1.0, depth));
    }
    assert_eq!(texts(0.0, 1)[7], "well q7");
}

#[test]
fn an_answer_is_of_whoever_gave_it() {
    for answer in outcome(60, 0.5, 1, 999, &perfect).answers {
        let given = answer.of_understudy().map(|(sampled, before)| (sampled.prompt.len(), before));
        assert_eq!(given, (!answer.real).then_some((3, "H answers:")));
    }
    // What is neither a question nor an answer counts as one as it is.
    let plain = outcome(1, 0.0, 1, 999, &|_| "all is well".into()).answers;
    assert_eq!(plain[0].of_understudy().map(|(_, before)| before), Some(""));
    // H′ asks, and then has no room for what it hears.
    let cut = outcome(1, 0.0, 1, 10, &perfect).answers;
    assert_eq!((cut[0].steps.len(), cut[0].of_understudy()), (1, None));
}

#[test]
fn a_distribution_is_noted_of_the_answer_that_counts() {
    let human = HumanAnswer { distribution: Some(vec![-0.5, -1.0]), ..HumanAnswer::new("Yes", Vec::new()) };
    let first = Answer { text: "No".into(), ..Answer::default() };
    let (prompt, human) = ("Is it?".into(), Some(human));
    let answer = Amplified { prompt, first, predicted: None, again: Vec::new(), propensity: 1.0, human };
    let noted = calls(0, Asked::Argument, 0, answer).into_iter().map(|call| (call.kept, call.distribution));
    assert_eq!(noted.collect::<Vec<_>>(), [(false, None), (true, Some(vec![-0.5, -1.0]))]);
}

#[test]
fn the_share_decides_who_moves_and_all_is_noted() {
    let at = |share: f64| outcome(400, share, 1, 999, &perfect).answers;
    for (share, least, most) in [(0.0, 0, 0), (1.0, 400, 400), (0.25, 70, 130)] {
        let answers = at(share);
        let real = answers.iter().filter(|answer| answer.real).count();
        assert!((least..=most).contains(&real), "{real} of 400 at {share}");
        for answer in &answers {
            assert!(answer.steps.iter().all(|step| step.real == answer.real), "who begins a question ends it");
            assert_eq!(answer.steps.len(), 2);
            let agrees = if answer.real { Some(true) } else { None };
            assert!(answer.steps.iter().all(|step| step.agrees() == agrees));
            assert_eq!(answer.cost().human_calls, u64::from(answer.real));
            assert_eq!((answer.cost().tokens_read, answer.cost().tokens_written), (2 * 3, 2 * 2));
        }
    }
}

#[test]
fn it_is_given_the_question_and_what_was_asked_and_heard() {
    let given = outcome(1, 1.0, 1, 999, &|_| "mumble".into()).given;
    assert_eq!(given, ["q0", "q0\nH asks: q0?\nM says: well\nH asks: why?\nM says: well"]);
}

#[test]
fn who_has_learnt_nothing_still_comes_to_an_end() {
    let mumbling = outcome(3, 0.0, 1, 999, &|_| "mumble".into());
    assert!(mumbling.answers.iter().all(|answer| answer.text == "mumble" && answer.calls.is_empty()));
    // The second time nobody hears it.
    let asking = outcome(3, 0.0, 2, 999, &|_| "H asks: what?".into());
    assert!(asking.answers.iter().all(|answer| answer.text == "H asks: what?" && answer.calls.len() == 1));
}

/// What was heard has no room any more, so H goes on; and of that there is nothing to learn.
#[test]
fn h_goes_on_where_there_is_no_room() {
    let answers = outcome(5, 0.0, 1, 10, &perfect).answers;
    for answer in answers {
        assert!(answer.real && answer.text.starts_with("well q"));
        assert_eq!(answer.steps.iter().map(|step| step.real).collect::<Vec<_>>(), [false]);
    }
}

/// In an evaluation there is no H who could.
#[test]
fn alone_it_answers_nothing_where_there_is_no_room() {
    for answer in outcome(5, None, 1, 10, &perfect).answers {
        assert_eq!((answer.text.as_str(), answer.cost().human_calls, answer.of_understudy()), ("", 0, None));
    }
}

fn check(said: &str, hears: bool, expect: Move) {
    assert_eq!(understood(said, hears), expect);
}

#[test]
fn what_is_neither_question_nor_answer_is_an_answer() {
    let answer = |text: &str| Move::Answer(text.into());
    check("H answers: No because so", true, answer("No because so"));
    check(" H answers:", true, answer(""));
    check("H asks: a H asks: b", true, Move::Ask(vec!["a".into(), "b".into()]));
    check("H asks: a H asks: b", false, answer("H asks: a H asks: b"));
    check("H asks:", true, answer("H asks:"));
    check("H asks: a H asks: H asks: b", true, answer("H asks: a H asks: H asks: b"));
    check("No", true, answer("No"));
    check("", true, answer(""));
}

proptest! {
    #[test]
    fn a_move_in_words_is_understood(questions in prop::collection::vec("[a-z]+( [a-z]+)*", 1..4), answer in "[a-z]*") {
        for next in [Move::Ask(questions), Move::Answer(answer)] {
            prop_assert_eq!(understood(&in_words(&next), true), next);
        }
    }
}
