//! Amp in rounds and to a depth: what H hears, who answers sub-questions, which of them are answered once, and what is left
//! in the trace. H and M are scripted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod echo;

use debate::{
    amplify::{Amplified, HumanAnswer},
    answerer::Answer,
    consult::{Amp, Consulting},
    cost::Cost,
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Posed},
    trace::{Part, calls},
};
use echo::{DRAWN, Echo, wave, wording};
use proptest::prelude::*;

/// Asks of `abc` first what `a` is, then `b`, then `c`, a round each; of a letter it asks nothing.
struct Spelling;

impl Human for Spelling {
    fn next(&self, posed: &Posed, said: &[Exchange], _: Draw) -> Move {
        let letter = posed.question.chars().nth(said.len()).filter(|_| posed.question.len() > 1);
        match letter {
            Some(letter) => Move::Ask(vec![letter.to_string()]),
            None => Move::Answer(heard(said)),
        }
    }
}

/// Asks of `abc` at once what `bc`, `ca` and `bc` are, going round in a circle, and repeating itself.
struct Turning;

impl Human for Turning {
    fn next(&self, posed: &Posed, said: &[Exchange], _: Draw) -> Move {
        let question = posed.question.as_str();
        if !said.is_empty() || question.len() < 2 {
            return Move::Answer(heard(said));
        }
        let rest = &question[1..];
        Move::Ask(vec![rest.to_owned(), format!("{rest}{}", &question[..1])[1..].to_owned(), rest.to_owned()])
    }
}

fn heard(said: &[Exchange]) -> String {
    let heard: Vec<&str> = said.iter().map(|exchange| exchange.answer.as_deref().unwrap_or("?")).collect();
    format!("({})", heard.join(","))
}

/// How H consults.
#[derive(Clone, Copy)]
struct How {
    rounds: Option<usize>,
    depth: u32,
    shared: bool,
}

fn consulting(rounds: Option<usize>, depth: u32, shared: bool) -> How {
    How { rounds, depth, shared }
}

fn asked(human: &dyn Human, how: How, questions: &[&str]) -> (Vec<HumanAnswer>, Vec<Vec<String>>) {
    let (wording, mut m) = (wording(), Echo::default());
    let How { rounds, depth, shared } = how;
    let shared = shared.then(|| Draw::new(9));
    let consulting = Consulting { rounds, depth, shared, ..Consulting::default() };
    let amp = Amp { human, wording: &wording, consulting };
    (amp.answer(Some(&mut m), &wave(questions)).unwrap(), m.waves)
}

/// What H answers, without what M drew, and what each wave asks M.
fn check(human: &dyn Human, how: How, questions: &[&str], expect: &[&str], waves: &[&[&str]]) {
    let (answers, found) = asked(human, how, questions);
    let texts: Vec<String> = answers.iter().map(|answer| answer.text.replace(DRAWN, "")).collect();
    assert_eq!(texts, expect);
    assert_eq!(found, waves);
}

#[test]
fn after_its_rounds_h_hears_nothing() {
    check(&Spelling, consulting(None, 1, false), &["abc"], &["(m(a),m(b),m(c))"], &[&["a"], &["b"], &["c"]]);
    check(
        &Spelling,
        consulting(Some(2), 1, false),
        &["abc", "de"],
        &["(m(a),m(b),?)", "(m(d),m(e))"],
        &[&["a", "d"], &["b", "e"]],
    );
    // Each question that H is asked has its rounds, those beneath another too.
    check(&Spelling, consulting(Some(1), 2, false), &["abc"], &["((),?,?)"], &[]);
}

#[test]
fn to_a_depth_h_asks_itself_and_then_m() {
    check(&Turning, consulting(None, 1, false), &["abc"], &["(m(bc),m(ca),m(bc))"], &[&["bc", "ca", "bc"]]);
    let of = |first: &str, rest: &str| format!("(m({rest}),m({first}),m({rest}))");
    let expect = format!("({},{},{})", of("b", "c"), of("c", "a"), of("b", "c"));
    let own: &[&[&str]] = &[&["c", "b", "c", "a", "c", "a", "c", "b", "c"]];
    check(&Turning, consulting(None, 2, false), &["abc"], &[&expect], own);
    check(&Turning, consulting(None, 2, true), &["abc"], &[&expect], &[&["c", "b", "a"]]);
}

/// `ab` rests on `b` and on `a`; `bca` on `ca`, `ab` and so on: the way comes back to where it began.
#[test]
fn a_question_beneath_itself_is_put_to_m() {
    struct Circling;
    impl Human for Circling {
        fn next(&self, posed: &Posed, said: &[Exchange], _: Draw) -> Move {
            let other = if posed.question == "a" { "b" } else { "a" };
            if said.is_empty() { Move::Ask(vec![other.to_owned()]) } else { Move::Answer(heard(said)) }
        }
    }
    check(&Circling, consulting(None, 1, false), &["a"], &["(m(b))"], &[&["b"]]);
    check(&Circling, consulting(None, 2, false), &["a"], &["((m(a)))"], &[&["a"]]);
    check(&Circling, consulting(None, 9, false), &["a"], &["((m(a)))"], &[&["a"]]);
    // Beneath `b` it is `b` that comes back, so the answers of the two to each other are others than theirs to themselves.
    check(&Circling, consulting(None, 9, true), &["a", "b"], &["((m(a)))", "((m(b)))"], &[&["a", "b"]]);
}

#[test]
fn the_trace_has_each_answer_after_those_beneath_it() {
    let (answers, _) = asked(&Turning, consulting(None, 2, false), &["ab"]);
    let answer = Amplified {
        prompt: "ab".into(),
        first: Answer::default(),
        predicted: None,
        again: Vec::new(),
        propensity: 0.5,
        human: answers.into_iter().next(),
    };
    let trace = calls(7, Asked::Argument, 0, answer);
    let subs: Vec<_> = trace.iter().filter(|call| call.part == Part::Sub).collect();
    let told: Vec<(Vec<usize>, &str, bool)> =
        subs.iter().map(|call| (call.path.clone(), call.prompt.as_str(), call.sampled.is_some())).collect();
    // Letters are known to H, who asks nothing of them.
    assert_eq!(told, [(vec![0], "b", false), (vec![1], "a", false), (vec![2], "b", false)]);
    let (answers, _) = asked(&Turning, consulting(None, 2, false), &["abc"]);
    let answer = Amplified { human: answers.into_iter().next(), ..amplified() };
    let paths: Vec<(Vec<usize>, bool)> = calls(7, Asked::Argument, 0, answer)
        .into_iter()
        .filter(|call| call.part == Part::Sub)
        .map(|call| (call.path, call.sampled.is_some()))
        .collect();
    let of =
        |place: usize| [(vec![place, 0], true), (vec![place, 1], true), (vec![place, 2], true), (vec![place], false)];
    assert_eq!(paths, [of(0), of(1), of(2)].concat());
}

fn amplified() -> Amplified {
    Amplified {
        prompt: "q".into(),
        first: Answer::default(),
        predicted: None,
        again: Vec::new(),
        propensity: 0.5,
        human: None,
    }
}

proptest! {
    /// What others ask beside it, and in which order, makes no difference to an answer, shared or not; and the costs of a
    /// wave sum up to what M was asked.
    #[test]
    fn an_answer_is_the_same_in_any_company(
        questions in prop::collection::hash_set("[abc]{1,4}", 1..6), depth in 1..5u32, shared: bool,
        rounds in prop::option::of(1..3usize),
    ) {
        let questions: Vec<String> = questions.into_iter().collect();
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        for human in [&Spelling as &dyn Human, &Turning] {
            let texts = |questions: &[&str]| -> Vec<String> {
                let (answers, _) = asked(human, consulting(rounds, depth, shared), questions);
                answers.into_iter().map(|answer| answer.text).collect()
            };
            let alone: Vec<String> = questions.iter().flat_map(|question| texts(&[question])).collect();
            prop_assert_eq!(&texts(&questions), &alone);
            let (answers, waves) = asked(human, consulting(rounds, depth, shared), &questions);
            let cost: Cost = answers.iter().map(HumanAnswer::cost).sum();
            prop_assert_eq!(cost.tokens_written, 2 * waves.iter().map(Vec::len).sum::<usize>() as u64);
            for wave in waves.iter().filter(|_| shared && depth == 1) {
                let mut once = wave.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(once.len(), wave.len());
            }
        }
    }
}
