//! Milestones in plans: who waits for them, and what depends on that.

use plan::{Chain, Plan, plan};
use spec::{Catalogue, Reading};

mod rows;

/// A file with a stage of each kind.
const WHOLE: &str = include_str!("whole.toml");

/// A milestone of its train stage.
const IMITATED: &str = "\n[milestone.imitated]\nloss_of = \"step\"\nbelow = 0.3\n";

fn read(changes: &[(&str, &str)]) -> Reading {
    let text = changes.iter().fold(WHOLE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let names = vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()];
    let reading = spec::read(&(text + IMITATED), &Catalogue { tasks: names.clone(), scripts: names });
    assert_eq!(reading.problems, []);
    reading
}

fn planned(changes: &[(&str, &str)]) -> Plan {
    plan(&read(changes).pipeline, &rows::Rows).expect("the file is valid")
}

/// What is wrong with a changed file.
fn problems(changes: &[(&str, &str)]) -> Vec<String> {
    let problems = plan(&read(changes).pipeline, &rows::Rows).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.message).collect()
}

/// The stages that read the milestone, `*` where they change it too.
fn check(changes: &[(&str, &str)], expect: &[&str]) {
    let state = &"milestone.imitated".to_owned();
    let plan = planned(changes);
    let reading = plan.nodes.iter().filter(|node| node.reads.contains(state));
    let line = |node: &plan::Node| format!("{}{}", node.name, if node.writes.contains(state) { "*" } else { "" });
    assert_eq!(reading.map(line).collect::<Vec<_>>(), expect, "{changes:?}");
    assert!(plan.initial.contains_key(state));
}

const ALPHA: (&str, &str) = ("alpha = 0.5", "alpha = { after = \"imitated\", points = [[0, 0.0], [50, 0.5]] }");

#[test]
fn who_waits_reads_the_state_that_a_train_stage_changes() {
    check(&[ALPHA], &["objective", "step*"]);
    let polyak = ("polyak = 0.9", "polyak = { after = \"imitated\", points = [[0, 0.9], [9, 0.5]] }");
    check(&[polyak], &["step*", "follow"]);
    let rate = ("learning_rate = 1e-3", "learning_rate = { after = \"imitated\", points = [[0, 1e-3], [9, 1e-4]] }");
    check(&[rate], &["step*"]);
    let probability = "call_human = { probability = { after = \"imitated\", points = [[0, 1], [9, 0.5]] } }";
    check(&[("call_human = \"always\"", probability)], &["arguments", "verdicts", "step*"]);
    let biased = (
        "max_turns = 2",
        "max_turns = 2\nsufficient = { biased = { after = \"imitated\", points = [[0, 1], [9, 0]] } }",
    );
    check(&[biased], &["arguments", "step*"]);
    // Debates that are evaluated end as those that are trained on.
    let debating = ("of = \"speaker\"", "of = \"speaker\"\nrows = [\"debate\"]");
    check(&[biased, debating], &["arguments", "step*", "held_out"]);
    // Tools sample as those who argue there.
    let of_speaker = "[amplify.speaker]\ntemperature = { after = \"imitated\", points = [[0, 1], [9, 0.5]] }";
    let of_other = ("of = \"speaker\"", "of = \"overseer\"\nrows = [\"debate\"]");
    let imitating = ("alpha = 0.5", "alpha = 0");
    check(&[("[amplify.speaker]", of_speaker), of_other, imitating], &["arguments", "step*", "held_out"]);
    let kl = "{ after = \"imitated\", points = [[0, 0.01], [9, 0.1]] }";
    let constrained = format!("combine = {{ constrained = {{ cpo = {{ kl = {kl} }}, limit = 2.0 }} }}");
    check(&[("combine = { weighted = { alpha = 0.5 } }", &constrained)], &["objective", "step*"]);
}

fn keys(changes: &[(&str, &str)]) -> Vec<Vec<plan::Key>> {
    let plan = planned(changes);
    let mut chain = Chain::new(&plan, 3);
    (0..3).map(|_| chain.advance()).collect()
}

/// The stages whose keys are the same in the first batch, however late it is that two files differ.
fn check_same(one: &[(&str, &str)], other: &[(&str, &str)], expect: &[&str]) {
    let plan = planned(one);
    let (one, other) = (keys(one), keys(other));
    let same = plan.nodes.iter().zip(one[0].iter().zip(&other[0])).filter(|(_, (one, other))| one == other);
    assert_eq!(same.map(|(node, _)| node.name.as_str()).collect::<Vec<_>>(), expect);
    let later = |place: usize| one[1][place] == other[1][place];
    let names = (0..plan.nodes.len()).filter(|&place| later(place)).map(|place| plan.nodes[place].name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["questions"]);
}

#[test]
fn what_waits_counts_as_it_is_written_from_the_first_batch_on() {
    let later = ("alpha = 0.5", "alpha = { after = \"imitated\", points = [[0, 0.0], [99, 0.5]] }");
    check_same(&[ALPHA], &[later], &["questions", "arguments", "verdicts", "held_out"]);
    let polyak = |points: &str| format!("polyak = {{ after = \"imitated\", points = [[0, 0.9], {points}] }}");
    let (one, other) = (polyak("[9, 0.5]"), polyak("[90, 0.5]"));
    let all_but_follow = ["questions", "arguments", "verdicts", "objective", "step", "held_out"];
    check_same(&[("polyak = 0.9", &one)], &[("polyak = 0.9", &other)], &all_but_follow);
}

/// Two rates stand under one key: the one that waits takes the other with it.
#[test]
fn beside_what_waits_the_rest_of_its_key_counts_too() {
    let betas = |last: &str, plain: &str| {
        format!("learning_rate = 1e-3, betas = [{{ after = \"imitated\", points = [[0, 0.9], {last}] }}, {plain}]")
    };
    let (from, all_but_step) = ("learning_rate = 1e-3", ["questions", "arguments", "verdicts", "objective"]);
    let one = betas("[9, 0.5]", "[[0, 0.98], [50, 0.9]]");
    for other in [betas("[90, 0.5]", "[[0, 0.98], [50, 0.9]]"), betas("[9, 0.5]", "[[0, 0.98], [50, 0.5]]")] {
        let (one, other) = (keys(&[(from, &one)]), keys(&[(from, &other)]));
        assert_eq!(one[0][..4], other[0][..4], "{all_but_step:?}");
        assert_ne!(one[0][4], other[0][4]);
    }
}

#[test]
fn a_reward_may_be_earned_if_any_alpha_is_above_0() {
    let alone = ("max_turns = 2", "max_turns = 1");
    insta::assert_snapshot!(problems(&[ALPHA, alone]).join("\n"), @"alpha rises above 0 once `imitated` is reached, but nothing can earn a reward: an argument alone has nobody to win against");
    let never = ("alpha = 0.5", "alpha = { after = \"imitated\", points = [[0, 0.0], [50, 0.0]] }");
    assert_eq!(problems(&[never, alone]), Vec::<String>::new());
}
