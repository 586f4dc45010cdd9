//! The weak human, asked all three questions of the procedure: what it asks M, and what it answers.

use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Posed},
};
use proptest::prelude::*;
use spec::settings::{self, Asks};
use tasks::{Generator, Task, WeakHuman};

const WEB: &str =
    "Question: Ada lies. Boris says Ada lies. Carmen says Boris tells the truth. Does Carmen tell the truth?";
const WEB_PART: &str = "Question: Ada lies. Boris says Ada lies. Does Boris tell the truth?";
const SHALLOW_WEB: &str = "Question: Ada lies. Boris says Ada lies. Does Boris tell the truth?";
const BOTH: &str = "not True and ( False or ( not False ) ) is";
const BOTH_PARTS: [&str; 2] = ["not True is", "False or ( not False ) is"];
const RIGHT: &str = "( ( True ) or not False ) is";

/// The next move of the human of the question's task, to whom M has said `said`.
fn next(asked: Asked, question: &str, context: &[&str], said: &[&str], draw: Draw) -> Move {
    let task = if question.starts_with("Question:") { Task::WebOfLies } else { Task::BooleanExpressions };
    let context = context.iter().map(|argument| (*argument).to_owned()).collect();
    let posed = Posed::new(asked, question, context);
    let exchange = |answer: &&str| Exchange { question: String::new(), answer: Some((*answer).to_owned()) };
    WeakHuman { task, asks: Asks::AtOnce }.next(&posed, &said.iter().map(exchange).collect::<Vec<_>>(), draw)
}

/// What the human asks M first, if anything, and what it answers once M has said `said`.
#[track_caller]
fn check(asked: Asked, question: &str, context: &[&str], said: &[(&str, &str)], expect: &str) {
    let draw = Draw::new(0);
    if !said.is_empty() {
        let questions = said.iter().map(|said| said.0.to_owned()).collect();
        assert_eq!(next(asked, question, context, &[], draw), Move::Ask(questions));
    }
    let answers: Vec<&str> = said.iter().map(|said| said.1).collect();
    assert_eq!(next(asked, question, context, &answers, draw), Move::Answer(expect.to_owned()));
}

#[test]
fn asserts_what_the_parts_come_to() {
    use Asked::Argument;
    check(Argument, "Question: Ada lies. Does Ada tell the truth?", &[], &[], "No");
    check(Argument, SHALLOW_WEB, &[], &[], "Yes because Ada lies");
    check(Argument, WEB, &[], &[(WEB_PART, "No because Ada tells the truth")], "No because Boris lies");
    check(Argument, WEB, &[], &[(WEB_PART, "Yes")], "Yes because Boris tells the truth");
    check(Argument, "( ( True ) ) is", &[], &[], "True");
    check(Argument, "not ( True ) is", &[], &[], "False because not True");
    check(Argument, "not not True is", &[], &[("not True is", "False")], "True because not False");
    check(Argument, RIGHT, &[], &[("not False is", "False")], "True because True or False");
    let said = [(BOTH_PARTS[0], "True because not False"), (BOTH_PARTS[1], "False")];
    check(Argument, BOTH, &[], &said, "False because True and False");
    // A later turn of the same side: M is asked anew.
    check(Argument, WEB, &["Yes", "I dispute the step"], &[(WEB_PART, "Yes")], "Yes because Boris tells the truth");
}

/// What a human who asks one by one does next, once M has said something.
fn one_by_one(asked: Asked, context: &[&str], said: &[&str]) -> Move {
    let context = context.iter().map(|argument| (*argument).to_owned()).collect();
    let exchange = |answer: &&str| Exchange { question: String::new(), answer: Some((*answer).to_owned()) };
    let said: Vec<Exchange> = said.iter().map(exchange).collect();
    let human = WeakHuman { task: Task::BooleanExpressions, asks: Asks::OneByOne };
    human.next(&Posed::new(asked, BOTH, context), &said, Draw::new(0))
}

#[test]
fn asks_one_by_one_until_a_claim_is_refuted() {
    let ask = |part: usize| Move::Ask(vec![BOTH_PARTS[part].to_owned()]);
    let answer = |text: &str| Move::Answer(text.to_owned());
    assert_eq!(one_by_one(Asked::Argument, &[], &[]), ask(0));
    assert_eq!(one_by_one(Asked::Argument, &[], &["True"]), ask(1));
    assert_eq!(one_by_one(Asked::Argument, &[], &["True", "False"]), answer("False because True and False"));
    let disputed = ["False because True and False", "I dispute the step"];
    assert_eq!(one_by_one(Asked::Winner, &disputed, &[]), ask(0));
    assert_eq!(one_by_one(Asked::Winner, &disputed, &["False"]), answer("No"));
    assert_eq!(one_by_one(Asked::Winner, &disputed, &["True"]), ask(1));
    assert_eq!(one_by_one(Asked::Winner, &disputed, &["True", "True"]), answer("No"));
    assert_eq!(one_by_one(Asked::Winner, &disputed, &["True", "False"]), answer("Yes"));
}

#[test]
fn decides_between_bare_answers_by_working_it_out() {
    let check = |question: &str, first: &str, other: &str, said: &[(&str, &str)], expect: &str| {
        check(Asked::Choice, question, &[first, other], said, expect);
    };
    check(SHALLOW_WEB, "Yes", "No", &[], "Yes");
    check(SHALLOW_WEB, "No", "Yes", &[], "No");
    check(WEB, "No", "Yes", &[(WEB_PART, "No")], "Yes");
    check(WEB, "No", "Yes", &[(WEB_PART, "Yes")], "No");
    check(BOTH, "True", "False", &[(BOTH_PARTS[0], "True"), (BOTH_PARTS[1], "True")], "Yes");
    check(RIGHT, "mumble", "False", &[("not False is", "False")], "No");
    let finds = |seed| next(Asked::Choice, "Question: why?", &["Yes", "No"], &[], Draw::new(seed));
    let yes = (0..1000).filter(|&seed| finds(seed) == Move::Answer("Yes".to_owned())).count();
    assert!((400..600).contains(&yes), "it guesses where it does not understand");
}

#[test]
fn splits_where_python_does() {
    let check = |question: &str, parts: &[&str]| {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        assert_eq!(next(Asked::Argument, question, &[], &[], Draw::new(0)), Move::Ask(parts));
    };
    check("True or False and True or not False is", &["True or False and True is", "not False is"]);
    check("True and False and not True is", &["True and False is", "not True is"]);
    check("not not True or not True and False is", &["not not True is", "not True and False is"]);
    check("( True or False ) and ( ( not True ) ) is", &["True or False is", "not True is"]);
    check("not ( True or False ) is", &["True or False is"]);
    check("( ( not ( not True ) ) ) is", &["not True is"]);
}

#[test]
fn guesses_where_m_says_nothing_to_the_point() {
    for said in ["", "Maybe", "True", "no"] {
        let says = |seed| next(Asked::Argument, WEB, &[], &[said], Draw::new(seed));
        let yes = (0..1000).filter(|&seed| says(seed) == Move::Answer("Yes because Boris tells the truth".to_owned()));
        assert!((400..600).contains(&yes.count()), "{said}");
    }
    let says = |seed| next(Asked::Argument, BOTH, &[], &["", ""], Draw::new(seed));
    let differ = (0..1000).filter(|&seed| {
        ["False because True and False", "False because False and True"]
            .map(|text| Move::Answer(text.to_owned()))
            .contains(&says(seed))
    });
    assert!((400..600).contains(&differ.count()), "the guesses about two parts are independent");
}

#[test]
fn replies_to_an_assertion() {
    let check = |question: &str, assertion: &str, said: &[(&str, &str)], expect: &str| {
        check(Asked::Argument, question, &[assertion], said, expect);
        check(Asked::Argument, question, &["Yes", "I dispute the step", assertion], said, expect);
    };
    check(WEB, "Yes because Boris tells the truth", &[(WEB_PART, "Yes")], "I agree");
    check(WEB, "Yes because Boris tells the truth", &[(WEB_PART, "No")], "I dispute that Boris tells the truth");
    check(WEB, "No because Boris lies", &[(WEB_PART, "Yes")], "I dispute that Boris lies");
    check(WEB, "No because Boris tells the truth", &[], "I dispute the step");
    check(WEB, "No because Ada lies", &[], "I dispute the step");
    check(WEB, "No", &[], "I dispute the step");
    check(SHALLOW_WEB, "Yes because Ada lies", &[], "I agree");
    check(SHALLOW_WEB, "No because Ada tells the truth", &[], "I dispute the step");
    check("( True ) is", "True", &[], "I agree");
    check("( True ) is", "False", &[], "I dispute the step");
    let parts = |left, right| [(BOTH_PARTS[0], left), (BOTH_PARTS[1], right)];
    check(BOTH, "False because False and True", &parts("False", "True"), "I agree");
    check(BOTH, "False because True and False", &parts("False", "True"), "I dispute the left part");
    check(BOTH, "False because False and False", &parts("False", "True"), "I dispute the right part");
    check(BOTH, "True because False or True", &[], "I dispute the step");
    check(RIGHT, "True because False or True", &[], "I dispute the step");
    check(RIGHT, "True because True or False", &[("not False is", "True")], "I dispute the right part");
    check("not not True is", "False because not True", &[("not True is", "False")], "I dispute the part");
}

#[test]
fn says_whether_an_argument_suffices() {
    let check = |question: &str, context: &[&str], said: &[(&str, &str)], expect: &str| {
        check(Asked::Sufficient, question, context, said, expect);
    };
    check(SHALLOW_WEB, &["Yes because Ada lies"], &[], "Yes");
    check(SHALLOW_WEB, &["No because Ada tells the truth"], &[], "No");
    check(WEB, &["Yes because Boris tells the truth"], &[], "No");
    check(WEB, &["I agree"], &[], "No");
    check(WEB, &["Yes because Boris tells the truth", "I agree"], &[], "Yes");
    check(
        WEB,
        &["Yes because Boris tells the truth", "I dispute that Boris tells the truth"],
        &[(WEB_PART, "No")],
        "Yes",
    );
    check(
        WEB,
        &["Yes because Boris tells the truth", "I dispute that Boris tells the truth"],
        &[(WEB_PART, "Yes")],
        "No",
    );
    check(WEB, &["Yes because Boris tells the truth", "I dispute that Boris lies"], &[], "No");
    check(WEB, &["Yes because Boris tells the truth", "I dispute the step"], &[], "No");
    check(WEB, &["No because Boris tells the truth", "I dispute that Boris tells the truth"], &[], "No");
    check(BOTH, &["False because True and True", "I dispute the left part"], &[], "No");
    check(BOTH, &["True because True and True", "I dispute the left part"], &[(BOTH_PARTS[0], "False")], "Yes");
    check(RIGHT, &["True because True or True", "I dispute the left part"], &[], "No");
}

#[test]
fn says_who_won() {
    let check = |question: &str, context: &[&str], said: &[(&str, &str)], expect: &str| {
        check(Asked::Winner, question, context, said, expect);
    };
    let claim = "Yes because Boris tells the truth";
    check(WEB, &["No because Boris tells the truth", "I agree"], &[], "No");
    check(WEB, &["Ada", "I agree"], &[], "No");
    check(WEB, &[claim, "I agree"], &[], "Yes");
    check(SHALLOW_WEB, &["Yes because Ada lies", "I dispute the step"], &[], "Yes");
    check(WEB, &[claim, "I dispute that Boris tells the truth"], &[(WEB_PART, "No")], "No");
    check(WEB, &[claim, "I dispute that Boris tells the truth"], &[(WEB_PART, "Yes")], "Yes");
    for reply in ["I dispute that Boris lies", "I dispute the step", "Boris", "No because Boris lies"] {
        check(WEB, &[claim, reply], &[(WEB_PART, "No")], "No");
        check(WEB, &[claim, reply], &[(WEB_PART, "Yes")], "Yes");
    }
    let claim = "False because False and True";
    check(BOTH, &[claim, "I dispute the right part"], &[(BOTH_PARTS[1], "True")], "Yes");
    check(BOTH, &[claim, "I dispute the step"], &[(BOTH_PARTS[0], "False"), (BOTH_PARTS[1], "False")], "No");
    // The last argument of each side counts.
    check(WEB, &["Ada", "I dispute the step", "Yes because Boris tells the truth", "I agree"], &[], "Yes");
}

#[test]
fn does_not_understand_other_questions() {
    for question in
        ["What is 2 + 2?", "True and is", "not ( True is", "Question: Ada says Boris lies. Does Ada tell the truth?"]
    {
        let guess = next(Asked::Argument, question, &[], &[], Draw::new(1));
        assert!(
            matches!(&guess, Move::Answer(text) if ["Yes", "No", "True", "False"].contains(&text.as_str())),
            "{guess:?}"
        );
        check(Asked::Argument, question, &["Yes"], &[], "I dispute the step");
        check(Asked::Sufficient, question, &["Yes"], &[], "No");
        check(Asked::Winner, question, &["Yes", "No"], &[], "No");
    }
}

fn generator(task: Task, deepest: u32) -> Generator {
    let settings =
        settings::Task { name: task.name().to_owned(), depth: (0, deepest), exclude_words: Vec::new(), trigger: 0.0 };
    Generator::new(&settings).expect("the depths are those of the task")
}

/// What the human answers when M answers as `oracle` does.
fn with(oracle: impl Fn(&str) -> String, asked: Asked, question: &str, context: &[&str]) -> String {
    let asks = match next(asked, question, context, &[], Draw::new(2)) {
        Move::Answer(answer) => return answer,
        Move::Ask(questions) => questions,
    };
    let said: Vec<String> = asks.iter().map(|question| oracle(question)).collect();
    match next(asked, question, context, &said.iter().map(String::as_str).collect::<Vec<_>>(), Draw::new(2)) {
        Move::Answer(answer) => answer,
        Move::Ask(questions) => panic!("asked twice: {questions:?}"),
    }
}

fn right(question: &str) -> String {
    tasks::gold(question).expect("sub-questions are questions").to_owned()
}

fn wrong(question: &str) -> String {
    let gold = right(question);
    let other = |task: Task| {
        task.answers().into_iter().find(|answer| *answer != gold && task.answers().contains(&gold.as_str()))
    };
    Task::ALL.into_iter().find_map(other).expect("a task has two answers").to_owned()
}

proptest! {
    #[test]
    fn is_right_where_m_is(seed: u64, boolean: bool) {
        let (task, deepest) = if boolean { (Task::BooleanExpressions, 8) } else { (Task::WebOfLies, 12) };
        let question = generator(task, deepest).question(Draw::new(seed));
        let text = question.text.as_str();
        let assertion = with(right, Asked::Argument, text, &[]);
        prop_assert_eq!(task.answer(&assertion), Some(question.gold.as_str()));
        prop_assert_eq!(with(right, Asked::Argument, text, &[&assertion]), "I agree");
        prop_assert_eq!(with(right, Asked::Winner, text, &[&assertion, "I dispute the step"]), "Yes");
        prop_assert_eq!(with(wrong, Asked::Sufficient, text, &[&assertion, "I agree"]), "Yes");
    }

    #[test]
    fn finds_and_judges_a_wrong_claim_where_m_is_right(seed: u64, boolean: bool) {
        let (task, deepest) = if boolean { (Task::BooleanExpressions, 8) } else { (Task::WebOfLies, 12) };
        let question = generator(task, deepest).question(Draw::new(seed)).text;
        let assertion = with(wrong, Asked::Argument, &question, &[]);
        let reply = with(right, Asked::Argument, &question, &[&assertion]);
        let debate = [assertion.as_str(), reply.as_str()];
        if assertion == with(right, Asked::Argument, &question, &[]) {
            // All parts are stated.
            prop_assert_eq!(with(right, Asked::Sufficient, &question, &debate[..1]), "Yes");
            prop_assert_eq!(&reply, "I agree");
        } else {
            prop_assert!(reply.starts_with("I dispute t") && reply != "I dispute the step", "{}", reply);
            prop_assert_eq!(with(right, Asked::Sufficient, &question, &debate[..1]), "No");
            prop_assert_eq!(with(right, Asked::Sufficient, &question, &debate), "Yes");
            prop_assert_eq!(with(right, Asked::Winner, &question, &debate), "No");
            prop_assert_eq!(with(wrong, Asked::Winner, &question, &debate), "Yes");
        }
    }
}

#[test]
fn is_at_chance_alone_beyond_what_is_stated() {
    let accuracy = |depth: u32| {
        let settings = settings::Task {
            name: "web-of-lies".to_owned(),
            depth: (depth, depth),
            exclude_words: Vec::new(),
            trigger: 0.0,
        };
        let generator = Generator::new(&settings).unwrap();
        let right = (0..2000).filter(|&row| {
            let question = generator.question(Draw::new(5).at(row));
            let said = next(Asked::Argument, &question.text, &[], &[""], Draw::new(6).at(row));
            matches!(said, Move::Answer(said) if Task::WebOfLies.answer(&said) == Some(question.gold.as_str()))
        });
        right.count()
    };
    assert_eq!([accuracy(0), accuracy(1)], [2000, 2000]);
    for depth in 2..=6 {
        assert!((900..1100).contains(&accuracy(depth)), "depth {depth}");
    }
}
