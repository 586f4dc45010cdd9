//! Plans of valid files: as text, their order, their keys.

mod rows;

use std::{fs, path::Path};

use plan::{Plan, Role, plan};
use proptest::prelude::*;
use spec::Catalogue;

fn catalogue() -> Catalogue {
    let names = vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()];
    Catalogue { tasks: names.clone(), scripts: names }
}

fn planned(text: &str) -> Plan {
    let reading = spec::read(text, &catalogue());
    assert_eq!(reading.problems, []);
    plan(&reading.pipeline, &rows::Rows).expect("the file is valid")
}

/// A file with a stage of each kind.
const WHOLE: &str = include_str!("whole.toml");

#[test]
fn web_of_lies_reads_as_text() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/web-of-lies.toml");
    insta::assert_snapshot!(planned(&fs::read_to_string(path).unwrap()).to_text());
}

#[test]
fn a_stage_of_each_kind_in_every_form() {
    let plan = planned(WHOLE);
    insta::assert_snapshot!("whole_as_dot", plan.to_dot(&[]));
    insta::assert_snapshot!("whole_as_mermaid", plan.to_mermaid(&[]));
    insta::assert_snapshot!("whole_as_json", format!("{:#}", plan.to_json()));
}

/// What a changed file asks of M and of H, and the rows of its tables, stage by stage: `least-most`, `+` where H's
/// sub-questions come on top.
fn check_expected(from: &str, to: &str, expect: &[&str]) {
    assert!(WHOLE.contains(from));
    let number = |number: &plan::Expected| {
        format!("{}-{}{}", number.least, number.most, if number.and_asked { "+" } else { "" })
    };
    let line = |node: &plan::Node| {
        let rows: Vec<String> = node.work.rows.iter().map(number).collect();
        let asked = format!("{} {}", number(&node.work.to_model), number(&node.work.to_human));
        format!("{}: {asked}, {}", node.name, rows.join(" "))
    };
    let plan = planned(&WHOLE.replacen(from, to, 1));
    let busy = plan.nodes.iter().filter(|node| !["questions", "step", "follow"].contains(&node.name.as_str()));
    assert_eq!(busy.map(line).collect::<Vec<_>>(), expect);
}

#[test]
fn what_is_asked_follows_from_the_settings() {
    let held_out = "held_out: 0-500+ 0-1000, 0-1500 0-1500";
    let expect = [
        "arguments: 16-24+ 10.4-12.8, 8-16 26.4-36.8+",
        "verdicts: 0-8+ 0-8, 8-8 0-16+",
        "objective: 0-0 0-0, 10.4-32+",
        held_out,
    ];
    check_expected("max_turns = 2", "max_turns = 2", &expect);
    let expect = [
        "arguments: 16-16+ 4.8-4.8, 16-16 20.8-20.8+",
        "verdicts: 8-8+ 8-8, 8-8 16-16+",
        "objective: 0-0 0-0, 12.8-24+",
        held_out,
    ];
    check_expected("max_turns = 2", "max_turns = 2\nsufficient = \"never\"", &expect);
    check_expected("max_turns = 2", "max_turns = 2\nmin_turns = 2", &expect);
    check_expected("max_turns = 2", "max_turns = 2\nsufficient = { random = 0 }", &expect);
    check_expected("max_turns = 2", "max_turns = 4\nmin_turns = 2\nsufficient = \"always\"", &expect);
    check_expected("max_turns = 2", "max_turns = 4\nmin_turns = 2\nsufficient = { random = 1 }", &expect);
    let expect = [
        "arguments: 8-16+ 2.4-4.8, 8-16 10.4-20.8+",
        "verdicts: 0-8+ 0-8, 8-8 0-16+",
        "objective: 0-0 0-0, 2.4-24+",
        held_out,
    ];
    check_expected("max_turns = 2", "max_turns = 2\nsufficient = { random = [[0, 0], [9, 0.1]] }", &expect);
    let expect = [
        "arguments: 24-48+ 12.8-25.6, 16-32 36.8-73.6+",
        "verdicts: 8-8+ 8-8, 8-8 16-16+",
        "objective: 0-0 0-0, 20.8-56+",
        held_out,
    ];
    check_expected("max_turns = 2", "max_turns = 4\nmin_turns = 2", &expect);
    let expect = [
        "arguments: 24-24+ 12.8-12.8, 16-16 36.8-36.8+",
        "verdicts: 8-8+ 8-8, 8-8 16-16+",
        "objective: 0-0 0-0, 20.8-32+",
        held_out,
    ];
    check_expected("max_turns = 2", "max_turns = 4\nmin_turns = 2\nsufficient = { biased = 1 }", &expect);
    let expect =
        ["arguments: 16-24+ 8-8, 8-16 24-32+", "verdicts: 0-8+ 0-8, 8-8 0-16+", "objective: 0-0 0-0, 8-32+", held_out];
    check_expected("call_human = { probability = 0.3 }", "call_human = \"never\"", &expect);
    let expect =
        ["arguments: 32-56+ 8-12, 8-16 40-68+", "verdicts: 0-8+ 0-8, 8-8 0-16+", "objective: 0-0 0-0, 8-64+", held_out];
    let unsure = "call_human = { disagreement = { samples = 2, least = 0.1 } }\nbudget = { per_batch = 4 }";
    check_expected("call_human = { probability = 0.3 }", unsure, &expect);
}

#[test]
fn what_an_evaluation_asks_follows_from_its_rows() {
    let of = "of = \"speaker\"";
    let check = |more: &str, expect: &str| {
        let source = WHOLE.replacen(of, &format!("{of}\n{more}"), 1);
        assert_ne!(source, WHOLE);
        let plan = planned(&source);
        let node = plan.nodes.iter().find(|node| node.name == "held_out").unwrap();
        let work = [node.work.to_model, node.work.to_human];
        let [model, human] = work.map(|it| format!("{}-{}{}", it.least, it.most, if it.and_asked { "+" } else { "" }));
        assert_eq!(format!("{model} {human}, reads {}", node.reads.join(" ")), expect, "{more}");
    };
    let judged = |row: &str| format!("rows = [{row}]");
    check("rows = [\"naive\"]", "0-500 0-0, reads model.agent");
    check("rows = [{ hch = 1 }]", "0-0+ 0-500, reads model.agent");
    check("rows = [{ hch = 2 }]", "0-0+ 0-500+, reads model.agent");
    check(&judged("\"no-transcript\""), "0-0+ 0-500, reads model.agent model.target");
    check(&judged("\"consultancy\", \"expert\""), "0-1000+ 0-1000, reads model.agent model.target");
    // Two arguments at most, the first of which may suffice.
    check(&judged("\"debate\""), "0-1500+ 0-1000, reads model.agent model.target");
    check(&judged("\"naive\""), "0-500 0-0, reads model.agent");
}

/// The states of Samp that each stage reads, `*` where it changes them too, with other settings of the speaker.
fn check_samp(speaker: &str, expect: &[&str]) {
    let plan = planned(&WHOLE.replacen("call_human = { probability = 0.3 }", speaker, 1));
    let of_samp = |state: &&String| state.starts_with("imitation.") || state.starts_with("spent.");
    let line = |node: &plan::Node| {
        let states: Vec<&String> = node.reads.iter().filter(of_samp).collect();
        assert!(node.writes.iter().all(|state| node.reads.contains(state)));
        let states =
            states.iter().map(|state| format!("{state}{}", if node.writes.contains(state) { "*" } else { "" }));
        (node.name.clone(), states.collect::<Vec<_>>().join(" "))
    };
    let lines = plan.nodes.iter().map(line).filter(|(_, states)| !states.is_empty());
    assert_eq!(lines.map(|(name, states)| format!("{name}: {states}")).collect::<Vec<_>>(), expect);
}

#[test]
fn what_samp_goes_by_from_batch_to_batch_is_a_state() {
    check_samp("call_human = \"always\"\nbudget = { per_batch = 5 }", &[]);
    check_samp("call_human = \"always\"\nbudget = { per_run = 5 }", &["arguments: spent.speaker.arguments*"]);
    let by_loss = "call_human = { schedule = { loss = \"step\", points = [[0, 1]] } }";
    check_samp(by_loss, &["arguments: imitation.speaker", "step: imitation.speaker*"]);
}

#[test]
fn a_budget_of_the_run_depends_on_its_length() {
    let keys = |budget: &str, batches: &str| -> Vec<plan::Hash> {
        let text = WHOLE.replacen("probability = 0.3 }", &format!("probability = 0.3 }}\nbudget = {budget}"), 1);
        planned(&text.replacen("batches = 100", batches, 1)).nodes.iter().map(|node| node.key).collect()
    };
    let same = |budget: &str| keys(budget, "batches = 100") == keys(budget, "batches = 101");
    assert!(same("{ per_batch = 5 }") && !same("{ per_run = 500 }"));
}

#[test]
fn a_temperature_may_change_until_something_is_rewarded() {
    let rising = |alpha: &str| {
        let tempered = "[amplify.speaker]\ntemperature = [[0, 0.5], [50, 1.0]]";
        WHOLE.replace("[amplify.speaker]", tempered).replace("alpha = 0.5", alpha)
    };
    planned(&rising("alpha = [[49, 0.0], [50, 0.5]]"));
    let reading = spec::read(&rising("alpha = [[48, 0.0], [49, 0.5]]"), &catalogue());
    let problems = plan(&reading.pipeline, &rows::Rows).unwrap_err();
    insta::assert_snapshot!(problems[0].message, @"alpha is above 0 from batch 49 on, but `speaker` samples M at temperature 0.99 then, where the reward's gradient is not that of M");
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

#[test]
fn imitation_of_single_arguments_needs_no_judge() {
    let text = WHOLE.replace("max_turns = 2", "max_turns = 1").replace("alpha = 0.5", "alpha = 0");
    let plan = planned(&text.replace("[\"arguments\", \"verdicts\"]", "\"arguments\""));
    let loss = plan.nodes.iter().find(|node| node.name == "objective").unwrap();
    assert_eq!(loss.tables(Role::Arguments).collect::<Vec<_>>(), ["arguments"]);
    assert_eq!(loss.tables(Role::Calls).collect::<Vec<_>>(), ["arguments.calls"]);
    assert_eq!(loss.tables(Role::Verdicts).count(), 0);
}

/// Which columns of a query's result count as gold answers.
fn check_gold(query: &str, expect: &[&str]) {
    let text =
        format!("seed = 1\n[read.rows]\nfiles = \"a.csv\"\nrows = 1\n[sql.made]\nfrom = \"rows\"\nquery = \"{query}\"");
    let plan = planned(&text);
    let fields = plan.nodes[1].outputs[0].schema.fields();
    let gold = fields.iter().filter(|field| field.metadata().contains_key("gold"));
    assert_eq!(gold.map(|field| field.name().as_str()).collect::<Vec<_>>(), expect, "{query}");
}

#[test]
fn what_may_depend_on_gold_counts_as_gold() {
    check_gold("SELECT id, text FROM rows", &[]);
    check_gold("SELECT id, text, gold FROM rows", &["gold"]);
    check_gold("SELECT id, text FROM rows WHERE gold", &["id", "text"]);
    check_gold("SELECT id, text FROM rows NATURAL JOIN rows ORDER BY id", &["id", "text"]);
    check_gold("SELECT id, gold, * FROM rows", &["id", "gold"]);
}

#[test]
fn only_gold_columns_are_marked_and_all_others_are_explained() {
    for output in planned(WHOLE).nodes.iter().flat_map(|node| &node.outputs) {
        for field in output.schema.fields() {
            let marks: Vec<&str> = field.metadata().iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(
                marks,
                [if field.name() == "gold" { "gold" } else { "doc" }],
                "{} {}",
                output.table,
                field.name()
            );
        }
    }
}

/// What stands in for H has distributions, which are kept where a loss goes by them: a debate without them is another one.
#[test]
fn distributions_are_promised_where_a_loss_goes_by_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/learned-human.toml");
    let source = fs::read_to_string(path).unwrap();
    let told = |distance: &str| {
        let distance = format!("[loss.objective]\ndistance = \"{distance}\"");
        let plan = planned(&source.replacen("[loss.objective]", &distance, 1));
        let outputs = plan.nodes.iter().flat_map(|node| &node.outputs);
        let with = outputs.filter(|output| output.schema.field_with_name("distribution").is_ok());
        let tables: Vec<String> = with.map(|output| output.table.clone()).collect();
        (tables, plan.nodes.iter().find(|node| node.name == "arguments").map(|node| node.key))
    };
    let (with, without) = (told("kl"), told("cross-entropy"));
    assert_eq!((&with.0[..], &without.0[..]), (&["arguments.calls".into(), "objective".into()][..], &[][..]));
    assert_ne!(with.1, without.1);
}

/// The file with some of its lines exchanged for others of its lines, or broken.
fn mutated() -> impl Strategy<Value = String> {
    let lines: Vec<&str> = WHOLE.lines().collect();
    let change = (0..lines.len(), 0..lines.len(), 0..4u8, ".?");
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for (at, other, how, text) in changes {
            match how {
                0 => lines[at].clear(),
                1 => lines[at] = lines[other].clone(),
                2 => lines.swap(at, other),
                _ => {
                    let middle = (0..=lines[at].len() / 2).rfind(|&byte| lines[at].is_char_boundary(byte));
                    lines[at].insert_str(middle.unwrap_or_default(), &text);
                }
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #[test]
    fn every_file_is_planned_or_its_problems_have_places(text in mutated()) {
        let reading = spec::read(&text, &catalogue());
        let planned = plan(&reading.pipeline, &rows::Rows);
        for problem in reading.problems.iter().chain(planned.as_ref().err().into_iter().flatten()) {
            prop_assert!(text.get(problem.span.clone()).is_some(), "{:?}", problem);
        }
        for (place, node) in planned.iter().flat_map(|plan| plan.nodes.iter().enumerate()) {
            prop_assert!(node.after.iter().all(|&stage| stage < place));
            prop_assert!(node.inputs.iter().all(|edge| node.after.contains(&edge.stage)));
        }
    }
}
