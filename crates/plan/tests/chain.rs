//! Keys of units: which batches of which stages a change leaves as they were.

use std::collections::BTreeSet;

use plan::{Chain, Plan, Point, Recipe, plan};
use spec::Catalogue;

mod rows;

/// A file with a stage of each kind.
const WHOLE: &str = include_str!("whole.toml");

fn planned(text: &str) -> (Plan, u64) {
    let names = vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()];
    let reading = spec::read(text, &Catalogue { tasks: names.clone(), scripts: names });
    assert_eq!(reading.problems, []);
    (plan(&reading.pipeline, &rows::Rows).expect("the file is valid"), reading.pipeline.batches.expect("it is there"))
}

fn keys(plan: &Plan, batches: u64) -> Vec<Vec<plan::Key>> {
    let mut chain = Chain::new(plan, batches);
    (0..batches).map(|_| chain.advance()).collect()
}

/// The batches of each stage whose keys are the same, out of those of the shorter run.
fn check(changes: &[(&str, &str)], expect: &[&str]) {
    check_between(WHOLE, &changed(changes), expect);
}

fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(WHOLE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn check_between(old: &str, new: &str, expect: &[&str]) {
    let ((old, old_batches), (new, new_batches)) = (planned(old), planned(new));
    let (old_keys, new_keys) = (keys(&old, old_batches), keys(&new, new_batches));
    let same = |node: usize| {
        let pairs = old_keys.iter().zip(&new_keys).enumerate();
        let same: Vec<u64> = pairs.filter(|(_, (a, b))| a[node] == b[node]).map(|(batch, _)| batch as u64).collect();
        format!("{}: {}", new.nodes[node].name, ranges(&same))
    };
    assert_eq!((0..new.nodes.len()).map(same).collect::<Vec<_>>(), expect);
}

fn ranges(batches: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &batch in batches {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == batch => *end = batch,
            _ => ranges.push((batch, batch)),
        }
    }
    let range = |(start, end): (u64, u64)| if start == end { start.to_string() } else { format!("{start}–{end}") };
    ranges.into_iter().map(range).collect::<Vec<_>>().join(", ")
}

/// All until batch 60, but the questions, which are the same to the end.
const UNTIL_60: [&str; 7] = [
    "questions: 0–99",
    "arguments: 0–60",
    "verdicts: 0–60",
    "objective: 0–60",
    "step: 0–60",
    "follow: 0–60",
    "held_out: 0–60",
];

#[test]
fn nothing_changed() {
    let all = ["questions", "arguments", "verdicts", "objective", "step", "follow", "held_out"];
    check(&[], &all.map(|stage| format!("{stage}: 0–99")).each_ref().map(String::as_str));
}

/// What comes before the loss asks the model, so it is the same in the first batch only.
#[test]
fn a_loss_changed() {
    let expect = ["questions: 0–99", "arguments: 0", "verdicts: 0", "objective: ", "step: ", "follow: ", "held_out: 0"];
    check(&[("alpha = 0.5", "alpha = 0.25")], &expect);
}

#[test]
fn a_schedule_changed_late() {
    check_changed_after_60("learning_rate = [[60, 1e-3], [99, 1e-4]]");
}

/// A named shape is its values too: this one begins where the constant was, and leaves it after batch 60.
#[test]
fn a_shape_that_changes_late() {
    check_changed_after_60("learning_rate = { cosine = { from = 1e-3, to = 1e-4, over = [60, 99] } }");
}

/// Of two rates in one list, either may change.
#[test]
fn one_of_two_rates_that_changes_late() {
    check_changed_after_60("learning_rate = 1e-3, betas = [[[60, 0.9], [99, 0.5]], 0.98]");
    check_changed_after_60(
        "learning_rate = 1e-3, betas = [0.9, { cosine = { from = 0.98, to = 0.5, over = [60, 99] } }]",
    );
}

/// The settings of who is asked are part of the key of who asks.
#[test]
fn a_temperature_that_changes_late() {
    check(&[("[amplify.overseer]", "[amplify.overseer]\ntemperature = [[60, 1.0], [99, 0.5]]")], &UNTIL_60);
}

fn check_changed_after_60(learning_rate: &str) {
    let expect = [
        "questions: 0–99",
        "arguments: 0–61",
        "verdicts: 0–61",
        "objective: 0–61",
        "step: 0–60",
        "follow: 0–60",
        "held_out: 0–61",
    ];
    check(&[("learning_rate = 1e-3", learning_rate)], &expect);
}

#[test]
fn a_probability_of_samp_that_changes_late() {
    let with = |points: &str| {
        let probability = format!("call_human = {{ probability = {points} }}");
        changed(&[("call_human = { probability = 0.3 }", &probability)])
    };
    check_between(&with("[[0, 0.9], [60, 0.3]]"), &with("[[0, 0.9], [60, 0.3], [99, 0.1]]"), &UNTIL_60);
}

/// Debates in which arguments suffice in some way.
fn sufficing(sufficient: &str) -> String {
    changed(&[("max_turns = 2", &format!("max_turns = 2\nsufficient = {sufficient}"))])
}

#[test]
fn a_probability_of_sufficiency_that_changes_late() {
    let (one, other) = ("{ random = 0.5 }", "{ random = [[60, 0.5], [99, 0.1]] }");
    check_between(&sufficing(one), &sufficing(other), &UNTIL_60);
}

/// The same probability in another way is something else.
#[test]
fn another_way_to_suffice() {
    let expect = ["questions: 0–99", "arguments: ", "verdicts: ", "objective: ", "step: ", "follow: ", "held_out: "];
    check_between(&sufficing("{ random = 0.5 }"), &sufficing("{ biased = 0.5 }"), &expect);
}

#[test]
fn a_stage_that_only_reads_changed() {
    let kept =
        ["questions: 0–99", "arguments: 0–99", "verdicts: 0–99", "objective: 0–99", "step: 0–99", "follow: 0–99"];
    check(&[("of = \"speaker\"", "of = \"overseer\"")], &[&kept[..], &["held_out: 0–98"]].concat());
    check(&[("of = \"speaker\"", "of = \"speaker\"\nevery = 50")], &[&kept[..], &["held_out: 0–48, 50–99"]].concat());
}

/// A longer run is the same but for what is done after the last batch.
#[test]
fn a_run_made_longer() {
    let kept =
        ["questions: 0–99", "arguments: 0–99", "verdicts: 0–99", "objective: 0–99", "step: 0–99", "follow: 0–99"];
    check(&[("batches = 100", "batches = 150")], &[&kept[..], &["held_out: 0–98"]].concat());
}

/// A file whose loss has a limit from batch 60 on.
fn limited(settings: &str) -> String {
    changed(&[("{ weighted = { alpha = 0.5 } }", &format!("{{ constrained = {{ {settings} }} }}"))])
}

/// Until a limit starts, nothing that is said of it counts: not what it is, nor how it is kept, nor when it starts.
#[test]
fn a_limit_that_starts_late() {
    let one = limited("cpo = {}, limit = 0.8, from = 60");
    let until_60 = [
        "questions: 0–99",
        "arguments: 0–60",
        "verdicts: 0–60",
        "objective: 0–59",
        "step: 0–59",
        "follow: 0–59",
        "held_out: 0–60",
    ];
    let same_until_60 = |settings: &str| {
        check_between(&one, &limited(settings), &until_60);
    };
    same_until_60("cpo = { kl = [[0, 0.5], [9, 0.1]] }, limit = 0.8, from = 60");
    same_until_60("cpo = { damping = 0.2 }, limit = 0.8, from = 60");
    same_until_60("lagrangian = { step = 0.1 }, limit = { baseline = \"start\", slack = 0.1 }, from = 60");
    same_until_60("cpo = {}, limit = 0.8, from = 70");
}

/// From its start on, a schedule counts by its values.
#[test]
fn a_schedule_of_a_limit_that_changes_late() {
    let at = |kl: &str| limited(&format!("cpo = {{ kl = {kl} }}, limit = 0.8, from = 30"));
    let expect = [
        "questions: 0–99",
        "arguments: 0–61",
        "verdicts: 0–61",
        "objective: 0–60",
        "step: 0–60",
        "follow: 0–60",
        "held_out: 0–61",
    ];
    check_between(&at("0.1"), &at("[[60, 0.1], [99, 0.2]]"), &expect);
    check_between(&at("0.1"), &at("[[0, 0.7], [29, 0.7], [30, 0.1], [60, 0.1], [99, 0.2]]"), &expect);
}

/// The step of a penalty's multiplier counts by its values, and the rest of the limit from the first batch on; the batch
/// after finds another multiplier.
#[test]
fn a_limit_on_catastrophes() {
    let at = |limit: &str, step: &str| {
        let penalty = "[penalty.sampled]\nfrom = \"questions\"\nmodel = \"agent\"\noverseer = \"overseer\"\n\n";
        let price = format!("penalty = {{ lagrangian = {{ limit = {limit}, step = {step}, initial = 10 }} }}\n");
        let from = ("from = [\"arguments\", \"verdicts\"]\n", "from = [\"arguments\", \"verdicts\", \"sampled\"]\n");
        changed(&[("[loss.objective]\n", &format!("{penalty}[loss.objective]\n{price}")), from])
    };
    let objective = |one: &str, other: &str| {
        let ((one, batches), (other, _)) = (planned(one), planned(other));
        let place = one.nodes.iter().position(|node| node.name == "objective").expect("it is there");
        assert_eq!(one.nodes[place].writes, ["baseline.objective", "multiplier.objective"]);
        assert_eq!(one.nodes[place].reads, one.nodes[place].writes);
        keys(&one, batches).iter().zip(&keys(&other, batches)).filter(|(a, b)| a[place] == b[place]).count()
    };
    assert_eq!(objective(&at("0.1", "1"), &at("0.1", "[[60, 1.0], [99, 0.5]]")), 61);
    assert_eq!(objective(&at("0.1", "1"), &at("0.2", "1")), 0);
}

/// A copy that stays as it is sooner is the same until then.
#[test]
fn a_copy_that_stays() {
    let until = |batches: u64| WHOLE.replace("polyak = 0.9", &format!("until = {batches}"));
    let expect = [
        "questions: 0–99",
        "arguments: 0–21",
        "verdicts: 0–21",
        "objective: 0–21",
        "step: 0–21",
        "follow: 0–20, 41–99",
        "held_out: 0–21",
    ];
    check_between(&until(21), &until(41), &expect);
}

/// With a lag, the first batches of what runs ahead all find the states as they were at the start.
#[test]
fn a_lag() {
    let expect =
        ["questions: 0–99", "arguments: 0", "verdicts: 0", "objective: 0", "step: 0", "follow: 0", "held_out: 0"];
    check(&[("batches = 100", "batches = 100\nlag = 2")], &expect);
}

#[test]
fn numerics_are_part_of_every_key() {
    let (plan, _) = planned(WHOLE);
    let other = Plan { numerics: Recipe::from([("libtorch".to_owned(), "another".to_owned())]), ..plan.clone() };
    let (one, two) = (Chain::new(&plan, 1).advance(), Chain::new(&other, 1).advance());
    assert!(one.iter().zip(&two).all(|(one, two)| one != two));
}

/// A chain that goes on in the middle says what one from the start does.
#[test]
fn a_chain_goes_on_anywhere() {
    for lag in 0..3 {
        let text =
            WHOLE.replace("polyak = 0.9", "every = 4").replace("batches = 100", &format!("batches = 9\nlag = {lag}"));
        let (plan, batches) = planned(&text);
        let all = keys(&plan, batches);
        for batch in 0..batches {
            let mut chain = Chain::new(&plan, batches);
            chain.seek(batch, &|at: Point| all[at.batch as usize][at.node]);
            let rest: Vec<_> = (batch..batches).map(|_| chain.advance()).collect();
            assert_eq!(rest, all[batch as usize..], "lag {lag}, batch {batch}");
        }
    }
}

/// The last unit that changed a state is what looking through all units before a moment finds.
#[test]
fn the_last_writer() {
    for follow in ["every = 4", "every = 200", "polyak = 0.9", "until = 1", "until = 7", "until = 99"] {
        let (plan, batches) = planned(&WHOLE.replace("polyak = 0.9", follow));
        let chain = Chain::new(&plan, batches);
        for state in plan.initial.keys().map(String::as_str) {
            let mut last = None;
            for batch in 0..batches {
                for (node, it) in plan.nodes.iter().enumerate() {
                    let at = Point { batch, node };
                    assert_eq!(chain.writer_before(&BTreeSet::from([state]), at), last, "{follow}, {state} at {at:?}");
                    if chain.writes(it, batch).iter().any(|written| written == state) {
                        last = Some(at);
                    }
                }
            }
        }
    }
}
