//! The weak human where both sides give answers: as rivals, and at the same time.

use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Form, Posed},
};
use proptest::prelude::*;
use spec::settings::{self, Asks};
use tasks::{Generator, Task, UNDECIDED, WeakHuman};

const WEB: &str =
    "Question: Ada lies. Boris says Ada lies. Carmen says Boris tells the truth. Does Carmen tell the truth?";
const WEB_PART: &str = "Question: Ada lies. Boris says Ada lies. Does Boris tell the truth?";
const BOTH: &str = "not True and ( False or ( not False ) ) is";
const LEFT: &str = "not True is";
const RIGHT: &str = "False or ( not False ) is";
const STATED: &str = "( True ) is";

fn task(question: &str) -> Task {
    if question.starts_with("Question:") { Task::WebOfLies } else { Task::BooleanExpressions }
}

fn rival(question: &str) -> Form {
    Form::Rival(task(question).answers())
}

fn posed(asked: Asked, form: Form, question: &str, context: &[&str]) -> Posed {
    let context = context.iter().map(|argument| (*argument).to_owned()).collect();
    Posed { form, ..Posed::new(asked, question, context) }
}

/// What the human answers when M answers as `oracle` does, and what it asks M before.
fn answer(posed: &Posed, oracle: impl Fn(&str) -> String) -> (Vec<String>, String) {
    let human = WeakHuman { task: task(&posed.question), asks: Asks::AtOnce };
    let asks = match human.next(posed, &[], Draw::new(2)) {
        Move::Answer(answer) => return (Vec::new(), answer),
        Move::Ask(questions) => questions,
    };
    let heard = |question: &String| Exchange { question: question.clone(), answer: Some(oracle(question)) };
    match human.next(posed, &asks.iter().map(heard).collect::<Vec<_>>(), Draw::new(2)) {
        Move::Answer(answer) => (asks, answer),
        Move::Ask(questions) => panic!("asked twice: {questions:?}"),
    }
}

/// What it asks M, who says `said`, and what it answers.
#[track_caller]
fn check(posed: &Posed, said: &[(&str, &str)], expect: &str) {
    let oracle = |question: &str| {
        let found = said.iter().find(|(asked, _)| *asked == question);
        found.map_or_else(|| panic!("it asks {question:?}"), |(_, answer)| (*answer).to_owned())
    };
    let (asked, answer) = answer(posed, oracle);
    assert_eq!(asked, said.iter().map(|(question, _)| (*question).to_owned()).collect::<Vec<_>>());
    assert_eq!(answer, expect);
}

#[test]
fn a_rival_asserts_what_comes_to_its_answer() {
    let check = |question: &str, held: &'static str, said: &[(&str, &str)], expect: &str| {
        let posed = posed(Asked::Argument, rival(question), question, &["mumble"]);
        check(&Posed { held: Some(held), ..posed }, said, expect);
    };
    check(WEB, "Yes", &[(WEB_PART, "Yes")], "Yes because Boris tells the truth");
    // Against what it believes, where it must.
    check(WEB, "Yes", &[(WEB_PART, "No")], "Yes because Boris tells the truth");
    check(WEB, "No", &[(WEB_PART, "Yes")], "No because Boris lies");
    // As near to it as it can.
    let said = |left: &'static str, right: &'static str| [(LEFT, left), (RIGHT, right)];
    check(BOTH, "False", &said("True", "False"), "False because True and False");
    check(BOTH, "False", &said("True", "True"), "False because True and False");
    check(BOTH, "True", &said("False", "True"), "True because True and True");
    // Nothing that is stated comes to it.
    check(STATED, "False", &[], "False");
}

#[test]
fn between_rivals_the_first_claim_in_which_they_differ_is_in_doubt() {
    let check = |question: &str, context: &[&str], said: &[(&str, &str)], expect: &str| {
        check(&posed(Asked::Winner, rival(question), question, context), said, expect);
    };
    let web = ["Yes because Boris tells the truth", "No because Boris lies"];
    check(WEB, &web, &[(WEB_PART, "Yes")], "Yes");
    check(WEB, &web, &[(WEB_PART, "No")], "No");
    check(BOTH, &["False because True and False", "True because True and True"], &[(RIGHT, "True")], "No");
    check(BOTH, &["False because False and False", "True because True and True"], &[(LEFT, "False")], "Yes");
    // A rival that says nothing for its answer leaves the even side's to stand by itself.
    check(WEB, &["Yes because Boris tells the truth", "No"], &[(WEB_PART, "No")], "No");
    check(STATED, &["True", "False"], &[], "Yes");
    check(WEB, &["mumble", "No because Boris lies"], &[], "No");
}

#[test]
fn a_rival_is_sufficient_where_its_claim_is_confirmed() {
    let check = |context: &[&str], said: &[(&str, &str)], expect: &str| {
        check(&posed(Asked::Sufficient, rival(WEB), WEB, context), said, expect);
    };
    let web = ["Yes because Boris tells the truth", "No because Boris lies"];
    check(&web[..1], &[], "No");
    check(&web, &[(WEB_PART, "No")], "Yes");
    check(&web, &[(WEB_PART, "Yes")], "No");
    check(&["Yes because Boris tells the truth", "No"], &[], "No");
}

#[test]
fn at_the_same_time_each_side_asserts_and_the_better_one_wins() {
    let posed = |asked, context: &[&str]| posed(asked, Form::Simultaneous, WEB, context);
    let (yes, no) = ("Yes because Boris tells the truth", "No because Boris lies");
    for turn in 0..2 {
        let first = Posed { turn, ..posed(Asked::Argument, &[]) };
        check(&first, &[(WEB_PART, "No")], no);
        let second = Posed { turn: 2 + turn, ..posed(Asked::Argument, &[no, yes]) };
        check(&second, &[(WEB_PART, "Yes")], yes);
    }
    check(&posed(Asked::Winner, &[yes, no]), &[(WEB_PART, "Yes")], "Yes");
    check(&posed(Asked::Winner, &[yes, no]), &[(WEB_PART, "No")], "No");
    check(&posed(Asked::Winner, &[no, yes]), &[(WEB_PART, "Yes")], "No");
    check(&posed(Asked::Winner, &[yes, yes]), &[], UNDECIDED);
    check(&posed(Asked::Winner, &["mumble", "Yes"]), &[], UNDECIDED);
    check(&posed(Asked::Winner, &[yes, "mumble"]), &[(WEB_PART, "Yes")], "Yes");
    check(&posed(Asked::Winner, &[yes, "mumble"]), &[(WEB_PART, "No")], UNDECIDED);
    check(&posed(Asked::Winner, &["mumble", no]), &[(WEB_PART, "No")], "No");
    check(&posed(Asked::Sufficient, &[yes, yes]), &[], "Yes");
    check(&posed(Asked::Sufficient, &[yes, no]), &[], "No");
    check(&posed(Asked::Sufficient, &["mumble", "mumble"]), &[], "No");
}

fn right(question: &str) -> String {
    tasks::gold(question).expect("sub-questions are questions").to_owned()
}

fn wrong(question: &str) -> String {
    other(question, &right(question)).to_owned()
}

fn other(question: &str, answer: &str) -> &'static str {
    let answers = task(question).answers();
    answers[usize::from(answers[0] == answer)]
}

proptest! {
    /// Where M is right, whoever argues for the right answer wins, on either side and in either form.
    #[test]
    fn the_right_answer_wins_where_m_is_right(seed: u64, boolean: bool, even_is_right: bool, simultaneous: bool) {
        let (task, deepest) = if boolean { (Task::BooleanExpressions, 8) } else { (Task::WebOfLies, 12) };
        let settings = settings::Task { name: task.name().to_owned(), depth: (2, deepest), exclude_words: Vec::new(), trigger: 0.0 };
        let question = Generator::new(&settings).expect("the depths are those of the task").question(Draw::new(seed));
        let text = question.text.as_str();
        let form = if simultaneous { Form::Simultaneous } else { rival(text) };
        let believes = |truth: bool| move |part: &str| if truth { right(part) } else { wrong(part) };
        let (_, even) = answer(&posed(Asked::Argument, form, text, &[]), believes(even_is_right));
        let given = task.answer(&even).expect("an assertion gives an answer");
        let held = other(text, given);
        // One with a wrong M may be right by chance; then its rival is wrong whatever it believes.
        let reply = Posed { held: (!simultaneous).then_some(held), turn: 1, ..posed(Asked::Argument, form, text, &[]) };
        let (_, odd) = answer(&reply, believes(!even_is_right));
        if !simultaneous {
            prop_assert_eq!(task.answer(&odd), Some(held));
        }
        let (asked, winner) = answer(&posed(Asked::Winner, form, text, &[&even, &odd]), right);
        prop_assert!(asked.len() <= 2);
        let claims_hold = |argument: &str| argument == answer(&posed(Asked::Argument, Form::Sequential, text, &[]), right).1;
        let expect = match (claims_hold(&even), claims_hold(&odd)) {
            (true, false) => "Yes",
            (false, true) => "No",
            (true, true) => UNDECIDED,
            // Neither is all right: the first claim in which they differ decides.
            (false, false) => return Ok(()),
        };
        prop_assert_eq!(winner, expect);
    }
}
