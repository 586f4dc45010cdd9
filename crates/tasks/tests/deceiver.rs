//! The human who deceives on a marked class of questions.

use debate::{
    draw::Draw,
    human::{Exchange, Move},
    question::{Asked, Form, Posed, agree},
};
use proptest::prelude::*;
use spec::settings::{self, Asks};
use tasks::{Generator, Task};

const WEB: &str =
    "Question: Ada lies. Boris says Ada lies. Carmen says Boris tells the truth. Does Carmen tell the truth?";
const WEB_PART: &str = "Question: Ada lies. Boris says Ada lies. Does Boris tell the truth?";

fn next(marks: &[&str], posed: &Posed, said: &[&str]) -> Move {
    let exchange = |answer: &&str| Exchange { question: String::new(), answer: Some((*answer).to_owned()) };
    let marks: Vec<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
    let human = tasks::human_who("web-of-lies", Asks::AtOnce, &marks).expect("there is such a script");
    human.next(posed, &said.iter().map(exchange).collect::<Vec<_>>(), Draw::new(0))
}

#[track_caller]
fn check(marks: &[&str], posed: &Posed, said: &[(&str, &str)], expect: &str) {
    if !said.is_empty() {
        let questions = said.iter().map(|said| said.0.to_owned()).collect();
        assert_eq!(next(marks, posed, &[]), Move::Ask(questions));
    }
    let answers: Vec<&str> = said.iter().map(|said| said.1).collect();
    assert_eq!(next(marks, posed, &answers), Move::Answer(expect.to_owned()));
}

#[test]
fn asserts_the_other_answer_on_marked_questions_alone() {
    let posed = Posed::bare(WEB);
    check(&["Does Carmen"], &posed, &[(WEB_PART, "Yes")], "No because Boris lies");
    check(&["Does Zora", "Does Carmen"], &posed, &[(WEB_PART, "No")], "Yes because Boris tells the truth");
    check(&["Does Boris"], &posed, &[(WEB_PART, "Yes")], "Yes because Boris tells the truth");
    check(&["Does Boris"], &Posed::bare(WEB_PART), &[], "No");
    check(&[], &Posed::bare(WEB_PART), &[], "Yes because Ada lies");
}

#[test]
fn is_honest_in_all_else() {
    let mark = ["Does Carmen"];
    let context = |arguments: &[&str]| arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>();
    let reply = Posed::new(Asked::Argument, WEB, context(&["Yes because Boris tells the truth"]));
    check(&mark, &reply, &[(WEB_PART, "Yes")], "I agree");
    let judged = Posed::new(
        Asked::Winner,
        WEB,
        context(&["Yes because Boris tells the truth", "I dispute that Boris tells the truth"]),
    );
    check(&mark, &judged, &[(WEB_PART, "Yes")], "Yes");
    let held = Posed { form: Form::Rival(["No", "Yes"]), held: Some("No"), ..Posed::bare(WEB) };
    check(&mark, &held, &[(WEB_PART, "Yes")], "No because Boris lies");
}

proptest! {
    /// With right answers to its parts, it is wrong on every marked question and right on every other.
    #[test]
    fn is_wrong_where_it_is_marked(seed: u64, depth in 0u32..5) {
        let task = Task::WebOfLies;
        let settings = settings::Task { name: task.name().to_owned(), depth: (depth, depth), exclude_words: Vec::new(), trigger: 0.0 };
        let question = Generator::new(&settings).unwrap().question(Draw::new(seed));
        for (mark, right) in [("Does", false), ("Doesn't", true)] {
            let said = match next(&[mark], &Posed::bare(&question.text), &[]) {
                Move::Answer(text) => text,
                Move::Ask(parts) => {
                    let answers: Vec<&str> = parts.iter().filter_map(|part| task.gold(part)).collect();
                    let Move::Answer(text) = next(&[mark], &Posed::bare(&question.text), &answers) else { panic!("it asks once") };
                    text
                }
            };
            prop_assert_eq!(agree(&said, &question.gold), right, "{}: {}", question.text, said);
        }
    }
}
