//! Plans of valid files: as text, their order, their keys.

use std::{fs, path::Path};

use plan::{Plan, plan};
use spec::Catalogue;

fn planned(text: &str) -> Plan {
    let names = vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()];
    let reading = spec::read(text, &Catalogue { tasks: names.clone(), scripts: names });
    assert_eq!(reading.problems, []);
    plan(&reading.pipeline).unwrap()
}

/// A file with a stage of each kind.
const WHOLE: &str = include_str!("whole.toml");

#[test]
fn web_of_lies_reads_as_text() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/web-of-lies.toml");
    insta::assert_snapshot!(planned(&fs::read_to_string(path).unwrap()).to_text());
}

/// The order of execution, each stage with those it waits for.
fn check_order(text: &str, expect: &[&str]) {
    let plan = planned(text);
    let name = |stage: &usize| plan.nodes[*stage].name.as_str();
    let line = |node: &plan::Node| {
        let after: Vec<&str> = node.after.iter().map(name).collect();
        format!("{} < {}", after.join(" "), node.name).trim_start_matches(" < ").to_owned()
    };
    assert_eq!(plan.nodes.iter().map(line).collect::<Vec<_>>(), expect);
}

#[test]
fn stages_run_after_what_they_need_and_otherwise_as_in_the_file() {
    let expect = [
        "questions",
        "questions < arguments",
        "questions arguments < verdicts",
        "arguments verdicts < objective",
        "arguments objective < step",
        "arguments verdicts step < follow",
        "questions arguments verdicts step follow < held_out",
    ];
    check_order(WHOLE, &expect);
    let (head, stages) = WHOLE.split_at(WHOLE.find("[sample.").unwrap());
    let mut blocks: Vec<&str> = stages.split("\n\n").collect();
    blocks.reverse();
    check_order(&[head, &blocks.join("\n\n")].concat(), &expect);
}

#[test]
fn without_edges_the_file_decides() {
    let sample = |name| format!("[sample.{name}]\ntask = {{ name = \"web-of-lies\", depth = [0, 1] }}\nrows = 1\n");
    check_order(&format!("seed = 1\nbatches = 1\n{}{}", sample("b"), sample("a")), &["b", "a"]);
}

/// Which stages get another key when a file is changed.
fn check_keys(from: &str, to: &str, expect: &[&str]) {
    assert!(WHOLE.contains(from));
    let (old, new) = (planned(WHOLE), planned(&WHOLE.replacen(from, to, 1)));
    let pairs = old.nodes.iter().zip(&new.nodes);
    let changed: Vec<&str> = pairs.filter(|(old, new)| old.key != new.key).map(|(old, _)| old.name.as_str()).collect();
    assert_eq!(changed, expect);
    assert_eq!(old.key != new.key, !expect.is_empty());
}

#[test]
fn a_key_changes_with_what_results_depend_on() {
    let all = ["questions", "arguments", "verdicts", "objective", "step", "follow", "held_out"];
    check_keys("seed = 7", "seed = 8", &all);
    check_keys("polyak = 0.9", "polyak = 0.8", &["follow"]);
    check_keys("max_turns = 2", "max_turns = 3", &["arguments", "verdicts", "objective", "step", "held_out"]);
    check_keys("probability = 0.3", "probability = 0.4", &["arguments", "verdicts", "objective", "step", "held_out"]);
    check_keys("batches = 100", "batches = 101", &[]);
    check_keys("max_turns = 2", "max_turns = 2\nsufficient = \"ask\"", &[]);
}

#[test]
fn a_model_is_part_of_the_run_though_of_no_stage() {
    let (old, new) = (planned(WHOLE), planned(&WHOLE.replacen("layers = 1", "layers = 2", 1)));
    assert_ne!(old.key, new.key);
}
