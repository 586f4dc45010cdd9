//! The tokens of a task cover all that is said in it, and BIG-Bench's own questions are questions of it.

use debate::{
    draw::Draw,
    human::{Exchange, Move},
    question::Asked,
    question::Posed,
};
use spec::settings;
use std::{io::Write, path::PathBuf};
use tasks::{Generator, Task};

/// The tokens of a text: at each place the longest that fits; `Err` holds the rest that has none.
fn tokens(task: Task, text: &str) -> Result<Vec<&str>, &str> {
    let mut vocabulary = [task.phrases(), task.words()].concat();
    vocabulary.sort_by_key(|token| std::cmp::Reverse(token.len()));
    let (mut rest, mut tokens) = (text.trim_start(), Vec::new());
    while !rest.is_empty() {
        let ends_a_word = |end: usize| {
            !rest[..end].ends_with(char::is_alphanumeric) || !rest[end..].starts_with(char::is_alphanumeric)
        };
        let fits = |token: &&&str| rest.starts_with(**token) && ends_a_word(token.len());
        let length = vocabulary.iter().find(fits).ok_or(rest)?.len();
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn questions(task: Task, depth: (u32, u32)) -> impl Iterator<Item = String> {
    let settings = settings::Task { name: task.name().to_owned(), depth, exclude_words: Vec::new(), trigger: 0.0 };
    let generator = Generator::new(&settings).expect("the depths are those of the task");
    (0..2000).map(move |row| generator.question(Draw::new(9).at(row)).text)
}

/// All that the human may say on a question, whatever M says.
fn said(task: Task, question: &str) -> Vec<String> {
    let human = tasks::human(task.name()).expect("each task has a human");
    let say = |asked, context: Vec<String>, seed| {
        let posed = Posed::new(asked, question, context);
        let nothing = Exchange { question: String::new(), answer: None };
        match human.next(&posed, &[nothing], Draw::new(seed)) {
            Move::Answer(answer) => answer,
            Move::Ask(questions) => panic!("asked again: {questions:?}"),
        }
    };
    let debate = |seed| {
        let assertion = say(Asked::Argument, vec![], seed);
        let reply = say(Asked::Argument, vec![assertion.clone()], seed + 100);
        let verdict = say(Asked::Winner, vec![assertion.clone(), reply.clone()], seed);
        [assertion, reply, verdict, say(Asked::Argument, vec!["True True".to_owned()], seed)]
    };
    (0..8).flat_map(debate).collect()
}

#[test]
fn tokens_cover_all_that_is_said() {
    for task in Task::ALL {
        for question in questions(task, (0, 6)).take(200) {
            assert!(tokens(task, &question).is_ok(), "{question}");
            for argument in said(task, &question) {
                assert_eq!(tokens(task, &argument).unwrap().join(" "), argument);
            }
        }
    }
}

#[test]
fn questions_of_a_web_have_the_length_of_their_depth() {
    for question in questions(Task::WebOfLies, (0, 12)) {
        let depth = Task::WebOfLies.depth(&question).unwrap() as usize;
        assert_eq!(tokens(Task::WebOfLies, &question).unwrap().len(), 5 + 5 * depth + 4, "{question}");
    }
}

#[test]
fn names_lead_back() {
    for (name, task) in tasks::TASKS.iter().zip(Task::ALL) {
        assert_eq!(Task::from_name(name), Some(task));
    }
    for script in tasks::SCRIPTS {
        assert!(tasks::human(script).is_some() && Task::of_script(script).is_some());
    }
    assert!(Task::from_name("web").is_none() && tasks::human("").is_none());
}

#[test]
fn an_answer_is_the_first_word() {
    let check =
        |argument: &str, expect: [Option<&str>; 2]| assert_eq!(Task::ALL.map(|task| task.answer(argument)), expect);
    check("Yes because Ada lies", [Some("Yes"), None]);
    check(" No", [Some("No"), None]);
    check("True because not False", [None, Some("True")]);
    check("I agree", [None, None]);
    check("", [None, None]);
}

#[test]
fn other_texts_are_no_questions() {
    let none = [
        "",
        "is",
        "True",
        "True is is",
        "True False is",
        "not is",
        "( True is",
        "True ) is",
        "( ) is",
        "or True is",
        "true is",
        "Question: Ada lies. Does Boris tell the truth?",
        "Question: Ada lies. Boris says Carmen lies. Does Boris tell the truth?",
        "Question: Ada says Boris lies. Does Ada tell the truth?",
        "Question: Ada sleeps. Does Ada tell the truth?",
        "Question: Ada lies. Does Ada tell the truth",
    ];
    for text in none {
        assert_eq!((tasks::depth(text), tasks::gold(text)), (None, None), "{text}");
    }
    assert_eq!(tasks::depth(&format!("{}True is", "not ".repeat(100_000))), None, "too long to be read");
    assert_eq!(tasks::depth(&format!("{}True is", "( ".repeat(500))), None);
    assert_eq!(tasks::depth(&format!("{}True is", "not ".repeat(500))), Some(500));
}

/// BIG-Bench's questions with their answers; nothing where the data is not at hand.
fn real(file: &str) -> Vec<(String, String)> {
    let Some(folder) = std::env::var_os("ELENCHUS_TEST_DATA") else {
        let _ = writeln!(std::io::stderr(), "skipped: ELENCHUS_TEST_DATA does not name a folder with bbh/{file}");
        return Vec::new();
    };
    let text = std::fs::read_to_string(PathBuf::from(folder).join("bbh").join(file)).expect("the file can be read");
    let json: serde_json::Value = serde_json::from_str(&text).expect("the file is JSON");
    let text = |example: &serde_json::Value, key: &str| example[key].as_str().expect("examples are texts").to_owned();
    let examples = json["examples"].as_array().expect("the file has examples");
    examples.iter().map(|example| (text(example, "input"), text(example, "target"))).collect()
}

#[test]
fn real_webs_of_lies() {
    for (question, answer) in real("web_of_lies.json") {
        assert_eq!(tasks::gold(&question), Some(answer.as_str()), "{question}");
        assert_eq!(Task::WebOfLies.depth(&question), Some(4));
        assert_eq!(tokens(Task::WebOfLies, &question).map(|tokens| tokens.len()), Ok(29));
    }
}

#[test]
fn real_boolean_expressions() {
    for (question, answer) in real("boolean_expressions.json") {
        assert_eq!(tasks::gold(&question), Some(answer.as_str()), "{question}");
        assert!((1..=7).contains(&Task::BooleanExpressions.depth(&question).unwrap()));
        assert_eq!(tokens(Task::BooleanExpressions, &question).map(|tokens| tokens.len()), Ok(9));
    }
}
