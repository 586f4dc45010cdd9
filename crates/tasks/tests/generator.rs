//! What generators promise about their questions, and what they say about settings that leave none.

use debate::{draw::Draw, human::Move, question::Posed};
use proptest::prelude::*;
use spec::settings;
use std::collections::BTreeSet;
use tasks::{Generator, Task, TaskError};

fn settings(name: &str, depth: (u32, u32), exclude_words: &[u32]) -> settings::Task {
    settings::Task { name: name.to_owned(), depth, exclude_words: exclude_words.to_vec(), trigger: 0.0 }
}

fn words(question: &str) -> u32 {
    question.split(' ').count() as u32 - 1
}

/// All questions that the human's recursion asks, itself among them.
fn asked(task: Task, question: &str) -> Vec<String> {
    let human = tasks::human(task.name()).expect("each task has a human");
    let mut all = vec![question.to_owned()];
    if let Move::Ask(parts) = human.next(&Posed::bare(question), &[], Draw::new(0)) {
        all.extend(parts.iter().flat_map(|part| asked(task, part)));
    }
    all
}

/// The value of an expression by rewriting its text: innermost parentheses first, then `not`, `and` and `or`.
fn evaluate(question: &str) -> &'static str {
    let flat = |text: &str| {
        let operand = |text: &str| text.matches("not ").count() % 2 == usize::from(text.ends_with("False"));
        text.split(" or ").any(|side| side.split(" and ").all(operand))
    };
    let mut text = question.trim_end_matches(" is").to_owned();
    while let Some(open) = text.rfind("( ") {
        let close = open + text[open..].find(" )").expect("parentheses are closed");
        let value = if flat(&text[open + 2..close]) { "True" } else { "False" };
        text.replace_range(open..close + 2, value);
    }
    if flat(&text) { "True" } else { "False" }
}

/// The answer to a web of lies: no, if the lies are odd in number.
fn count_lies(question: &str) -> &'static str {
    if question.matches(" lies.").count().is_multiple_of(2) { "Yes" } else { "No" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn web_of_lies(seed: u64, from in 0u32..20, span in 0u32..40) {
        let generator = Generator::new(&settings("web-of-lies", (from, from + span), &[])).unwrap();
        let question = generator.question(Draw::new(seed));
        prop_assert!((from..=from + span).contains(&question.depth));
        prop_assert_eq!(question.text.matches(" says ").count() as u32, question.depth);
        prop_assert_eq!(&question.gold, count_lies(&question.text));
        let sentences = question.text.trim_start_matches("Question: ").split(". ");
        let names: BTreeSet<&str> = sentences.filter_map(|sentence| sentence.split(' ').next()).collect();
        prop_assert_eq!(names.len() as u32, question.depth + 2, "names differ; the last sentence begins with Does");
    }

    #[test]
    fn boolean_expressions(seed: u64, from in 0u32..6, span in 0u32..3, exclude in prop::sample::subsequence(vec![4, 8, 9], 0..=2)) {
        let generator = Generator::new(&settings("boolean-expressions", (from, from + span), &exclude));
        prop_assume!(generator.is_ok(), "these lengths and depths leave something");
        let question = generator.unwrap().question(Draw::new(seed));
        prop_assert!((from..=from + span).contains(&question.depth));
        prop_assert!((1..=11).contains(&words(&question.text)));
        prop_assert!(question.text.matches('(').count() <= 3);
        prop_assert_eq!(&question.gold, evaluate(&question.text));
        for part in asked(Task::BooleanExpressions, &question.text) {
            prop_assert!(!exclude.contains(&words(&part)), "{} asks {}", question.text, part);
            prop_assert_eq!(tasks::gold(&part), Some(evaluate(&part)));
        }
    }

    #[test]
    fn a_question_is_a_function_of_its_address(seed: u64, row: u64) {
        for name in tasks::TASKS {
            let generator = || Generator::new(&settings(name, (0, 6), &[])).unwrap();
            let question = generator().question(Draw::new(seed).at(row));
            prop_assert_eq!(&question, &generator().question(Draw::new(seed).at(row)));
            prop_assert_eq!(tasks::depth(&question.text), Some(question.depth));
        }
    }
}

#[test]
fn depths_are_even_and_answers_balanced() {
    for (name, exclude) in [("web-of-lies", vec![]), ("boolean-expressions", vec![8])] {
        let generator = Generator::new(&settings(name, (0, 6), &exclude)).unwrap();
        let mut counts = [[0u32; 2]; 7];
        for row in 0..14_000 {
            let question = generator.question(Draw::new(1).at(row));
            counts[question.depth as usize][usize::from(question.gold == generator.task().answers()[1])] += 1;
        }
        for (depth, [no, yes]) in counts.into_iter().enumerate() {
            assert!((1850..2150).contains(&(no + yes)), "{name} {depth}: {no} {yes}");
            assert!((900..1100).contains(&no), "{name} {depth}: {no} {yes}");
        }
    }
}

#[test]
fn lengths_have_both_answers_and_spread() {
    let generator = Generator::new(&settings("boolean-expressions", (0, 5), &[8])).unwrap();
    let mut counts = [[0u32; 2]; 12];
    for row in 0..20_000 {
        let question = generator.question(Draw::new(1).at(row));
        counts[words(&question.text) as usize][usize::from(question.gold == "True")] += 1;
    }
    for (words, [no, yes]) in counts.into_iter().enumerate().filter(|(words, _)| ![0, 8].contains(words)) {
        assert!(no + yes > 100, "{words} words: {no} {yes}");
        assert!((0.4..0.6).contains(&(f64::from(yes) / f64::from(no + yes))), "{words} words: {no} {yes}");
    }
    assert_eq!(counts[8], [0, 0]);
}

#[test]
fn a_question_takes_no_longer_than_to_write_it() {
    let started = std::time::Instant::now();
    for (name, exclude) in [("web-of-lies", vec![]), ("boolean-expressions", vec![3, 5, 8])] {
        let generator = Generator::new(&settings(name, (0, 5), &exclude)).unwrap();
        let length: usize = (0..10_000).map(|row| generator.question(Draw::new(1).at(row)).text.len()).sum();
        assert!(length > 100_000);
    }
    // Far above what it takes (some 0.2 s in a release build), far below what drawing in vain would.
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn settings_that_leave_nothing() {
    let error = |name: &str, depth: (u32, u32), exclude: &[u32]| -> TaskError {
        Generator::new(&settings(name, depth, exclude)).unwrap_err()
    };
    insta::assert_snapshot!(
        error("web-of-spies", (0, 1), &[]),
        @"no task is called `web-of-spies`: the tasks are web-of-lies, boolean-expressions"
    );
    insta::assert_snapshot!(
        error("web-of-lies", (0, 64), &[]),
        @"`web-of-lies` has questions of depth 0 to 63: set `depth = [fewest, most]` within that range, not [0, 64]"
    );
    insta::assert_snapshot!(
        error("web-of-lies", (3, 2), &[]),
        @"`web-of-lies` has questions of depth 0 to 63: set `depth = [fewest, most]` within that range, not [3, 2]"
    );
    insta::assert_snapshot!(
        error("web-of-lies", (0, 4), &[8]),
        @"`web-of-lies` has no `exclude_words`: how long its questions are follows from `depth`"
    );
    insta::assert_snapshot!(
        error("boolean-expressions", (0, 11), &[]),
        @"`boolean-expressions` has questions of depth 0 to 10: set `depth = [fewest, most]` within that range, not [0, 11]"
    );
    insta::assert_snapshot!(
        error("boolean-expressions", (0, 9), &[8]),
        @"`exclude_words` leaves `boolean-expressions` no question of depth 9, where questions have 10 to 11 words: exclude fewer lengths, or leave that depth out of `depth`"
    );
}
