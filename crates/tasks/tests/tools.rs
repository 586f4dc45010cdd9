//! The weak human where there are transparency tools: when it asks for one, and what it makes of what one says.

use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Form, Posed},
    tool::{self, Finding},
};
use spec::settings::{Asks, Tool};
use std::collections::BTreeSet;
use tasks::{Task, WeakHuman};

const WEB: &str =
    "Question: Ada lies. Boris says Ada lies. Carmen says Boris tells the truth. Does Carmen tell the truth?";
const WEB_PART: &str = "Question: Ada lies. Boris says Ada lies. Does Boris tell the truth?";

fn next(posed: &Posed, said: &[&str], draw: Draw) -> Move {
    let exchange = |answer: &&str| Exchange { question: String::new(), answer: Some((*answer).to_owned()) };
    WeakHuman { task: Task::WebOfLies, asks: Asks::AtOnce }.next(
        posed,
        &said.iter().map(exchange).collect::<Vec<_>>(),
        draw,
    )
}

/// A question with all tools at hand.
fn posed(asked: Asked, question: &str, context: &[&str]) -> Posed {
    let context = context.iter().map(|argument| (*argument).to_owned()).collect();
    Posed { tools: Tool::ALL.to_vec(), ..Posed::new(asked, question, context) }
}

fn asks(posed: &Posed) -> bool {
    let Move::Answer(text) = next(posed, &[], Draw::new(0)) else { return false };
    tool::asked_for(&text, &Tool::ALL).is_some()
}

#[test]
fn asks_for_a_tool_where_it_could_not_check_an_assertion() {
    let doubtful = posed(Asked::Argument, WEB, &["Yes because Boris tells the truth"]);
    assert!(asks(&doubtful));
    let heard = |turn: usize| Tool::ALL.map(|tool| Finding { turn, text: format!("{} 4 of 4", tool.name()) }).to_vec();
    assert!(asks(&Posed { findings: heard(0), ..doubtful.clone() }), "what it was told before is of another argument");
    let others = [
        // All of it is stated, or it cannot be followed.
        posed(Asked::Argument, WEB_PART, &["Yes because Ada lies"]),
        posed(Asked::Argument, WEB, &["No because Boris tells the truth"]),
        // Its own side.
        posed(Asked::Argument, WEB, &[]),
        posed(Asked::Argument, WEB, &["Yes because Boris tells the truth", "I agree"]),
        // It has heard of all, or there is none.
        Posed { findings: heard(1), ..doubtful.clone() },
        Posed { tools: Vec::new(), ..doubtful.clone() },
        posed(Asked::Sufficient, WEB, &["Yes because Boris tells the truth"]),
        posed(Asked::Winner, WEB, &["Yes because Boris tells the truth", "I agree"]),
        Posed { form: Form::Rival(["No", "Yes"]), held: Some("No"), ..doubtful.clone() },
    ];
    assert!(others.iter().all(|posed| !asks(posed)));
    let first = Posed { findings: vec![heard(1)[0].clone()], ..doubtful.clone() };
    let another = (0..200).filter_map(|seed| match next(&first, &[], Draw::new(seed)) {
        Move::Answer(text) => tool::asked_for(&text, &Tool::ALL),
        Move::Ask(_) => None,
    });
    assert_eq!(another.collect::<BTreeSet<_>>(), Tool::ALL[1..].iter().copied().collect(), "none is asked for twice");
    let called = (0..200).filter_map(|seed| match next(&doubtful, &[], Draw::new(seed)) {
        Move::Answer(text) => tool::asked_for(&text, &Tool::ALL),
        Move::Ask(_) => None,
    });
    assert_eq!(called.collect::<BTreeSet<_>>().len(), Tool::ALL.len(), "each tool has its turn");
}

#[test]
fn it_disputes_what_a_tool_speaks_against() {
    let reply = |turn: usize, finding: &str, said: &str| {
        let finding = Finding { turn, text: finding.to_owned() };
        let doubtful = posed(Asked::Argument, WEB, &["Yes because Boris tells the truth"]);
        next(&Posed { findings: vec![finding], tools: Vec::new(), ..doubtful }, &[said], Draw::new(0))
    };
    let disputes = Move::Answer("I dispute that Boris tells the truth".to_owned());
    assert_eq!(reply(1, "consistency 0 of 4", "Yes"), disputes, "though M confirms it");
    assert_eq!(reply(1, "consistency 4 of 4", "No"), disputes);
    assert_eq!(reply(1, "consistency 4 of 4", "Yes"), Move::Answer("I agree".to_owned()));
    assert_eq!(
        reply(0, "consistency 0 of 4", "Yes"),
        Move::Answer("I agree".to_owned()),
        "that was of another argument"
    );
}

#[test]
fn as_judge_it_checks_what_a_tool_speaks_against() {
    let agreed = ["Yes because Boris tells the truth", "I agree"];
    let judged = |finding: &str, said: &[&str]| {
        let finding = Finding { turn: 1, text: finding.to_owned() };
        next(&Posed { findings: vec![finding], ..posed(Asked::Winner, WEB, &agreed) }, said, Draw::new(0))
    };
    let asked = Move::Ask(vec![WEB_PART.to_owned()]);
    for against in ["resampling 1 of 4", "logit-lens never", "probe 9 of 10", "consistency 1 of 4"] {
        assert_eq!(judged(against, &[]), asked, "{against}");
        assert_eq!(judged(against, &["No"]), Move::Answer("No".to_owned()));
        assert_eq!(judged(against, &["Yes"]), Move::Answer("Yes".to_owned()));
    }
    for other in ["resampling 4 of 4", "logit-lens from 1 of 2", "attention Ada lies", "probe 2 of 10"] {
        assert_eq!(judged(other, &[]), Move::Answer("Yes".to_owned()), "{other}");
    }
}
