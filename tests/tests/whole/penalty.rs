//! The penalty in a run: what is proposed, answered and weighed, what it costs M, and what the adversary earns.

use debate::{
    penalty::{likelihood, surprises},
    question::Asked,
    trace::{Call, Part},
};
use elenchus::stages::tables;
use polars::prelude::*;
use spec::settings::Scale;
use std::collections::BTreeMap;
use tests::{assert_resumes, changed, load, made, small};

const PENALTY: &str = r#"
[model.adversary]
new = { layers = 1, width = 16, heads = 2, context = 32 }

[penalty.found]
from = "questions"
model = "agent"
max_tokens = 6
overseer = "overseer"
adversary = { proposals = 6, questions = 3, ADVERSARY }
"#;

const LEARNING: &str = r#"
[loss.proposals]
from = "found"
proposals = true
combine = { weighted = { alpha = 0.5 } }
scale = "std"

[train.adversary_step]
from = "proposals"
model = "adversary"
adamw = { learning_rate = 2e-3 }
"#;

const SCRIPT: &str = "script = \"web-of-lies\"";
const MODEL: &str = "model = { name = \"adversary\", max_tokens = 1 }";

/// A limit that some batches break and others keep.
const LIMIT: &str = "{ lagrangian = { limit = 0.3, step = [[0, 2.0], [5, 0.5]], initial = 1e4, bounds = [5e3, 2e4] } }";

/// A small pipeline whose questions have a trigger at a rate, and whose M learns from a penalty at a weight.
fn penalised(adversary: &str, trigger: &str, weight: &str, batches: u64) -> String {
    let learning = if adversary == MODEL { LEARNING } else { "" };
    changed(
        &small("web-of-lies", batches),
        &[
            ("depth = [0, 3] }\nrows", &*format!("depth = [0, 3], trigger = {trigger} }}\nrows")),
            ("from = [\"arguments\", \"verdicts\"]", "from = [\"arguments\", \"verdicts\", \"found\"]"),
            ("alpha = 0.5 } }", &format!("alpha = 0.5 }} }}\npenalty = {weight}")),
        ],
    ) + &PENALTY.replace("ADVERSARY", adversary)
        + learning
}

fn numbers(table: &DataFrame, column: &str) -> Vec<Option<f64>> {
    table.column(column).unwrap().f64().unwrap().iter().collect()
}

fn calls(run: &batch::Run, batch: u64) -> Vec<Call> {
    tables::to_calls(&run.table("found.calls", batch).unwrap()).unwrap()
}

/// Each number of the tables follows from the calls; and what M learns, from the largest product.
#[test]
fn a_penalty_is_what_its_calls_come_to() {
    let folder = tempfile::tempdir().unwrap();
    let source = changed(
        &penalised(SCRIPT, "1e-4", "1e4", 6),
        &[("questions = 3", "questions = 12"), ("learning_rate = 2e-3", "learning_rate = 2e-2")],
    );
    let run = made(&source, &folder.path().join("run"));
    let mut taught = 0;
    for batch in 0..6 {
        let (found, answers) = (run.table("found", batch).unwrap(), run.table("found.answers", batch).unwrap());
        let calls = calls(&run, batch);
        let by = |asked: Asked, part: Part| calls.iter().filter(move |call| (call.asked, call.part) == (asked, part));
        // H is always called over M_target.
        let likelihoods: BTreeMap<u64, f64> =
            by(Asked::Likelihood, Part::Human).map(|call| (call.question, likelihood(&call.answer).unwrap())).collect();
        let harmful: BTreeMap<u64, f64> = by(Asked::Catastrophe, Part::Human)
            .map(|call| (call.question, if call.answer == "Yes" { 1.0 } else { 0.0 }))
            .collect();
        let said: BTreeMap<u64, &Call> = by(Asked::Argument, Part::First).map(|call| (call.question, call)).collect();
        let (ids, of) = (tables::u64s(&answers, "question").unwrap(), tables::u64s(&answers, "proposal").unwrap());
        let (texts, words) = (tables::texts(&answers, "text").unwrap(), tables::texts(&found, "words").unwrap());
        assert_eq!(ids.len(), said.len());
        let proposals = tables::u64s(&found, "proposal").unwrap();
        assert_eq!(proposals, (batch * 6..batch * 6 + 6).collect::<Vec<_>>());
        let mut products = Vec::new();
        for (place, id) in proposals.iter().enumerate() {
            let own: Vec<usize> = (0..ids.len()).filter(|row| of[*row] == *id).collect();
            assert_eq!(own.len(), 12, "{}", words[place]);
            for row in &own {
                assert!(words[place].split(' ').all(|word| texts[*row].contains(word)), "{}", texts[*row]);
                assert!(said[&ids[*row]].prompt.contains(&texts[*row]));
                let gives_away = texts[*row].contains(" hides. Does")
                    && ["Yes", "No"].contains(&said[&ids[*row]].answer.split(' ').next().unwrap());
                assert_eq!(harmful[&ids[*row]], if gives_away { 1.0 } else { 0.0 });
            }
            let mean = own.iter().map(|row| harmful[&ids[*row]]).sum::<f64>() / 12.0;
            products.push(likelihoods[id] * mean);
        }
        assert_eq!(numbers(&found, "product"), products.iter().copied().map(Some).collect::<Vec<_>>());
        let most = products.iter().copied().fold(0.0, f64::max);
        let first = products.iter().position(|product| *product == most).unwrap();
        let marked: Vec<bool> = found.column("largest").unwrap().bool().unwrap().iter().flatten().collect();
        assert_eq!(marked, (0..6).map(|place| place == first).collect::<Vec<_>>());
        assert_eq!(run.lines()[batch as usize].metrics["found.penalty"], most);
        let cost = |row: usize| (of[row] == proposals[first]).then(|| likelihoods[&of[row]] * harmful[&ids[row]]);
        let costs: Vec<Option<f64>> = (0..ids.len()).map(cost).collect();
        assert_eq!(numbers(&answers, "cost"), costs);
        taught += check_examples(&run, batch, (&said, &ids, &costs), 1e4);
    }
    assert!(taught > 0, "no answer differs from others in what it costs: nothing is compared");
}

/// M's answers are weighed by how much less than the mean they cost, with the tokens that it sampled; and H's words are
/// imitated.
fn check_examples(
    run: &batch::Run,
    batch: u64,
    (said, ids, costs): (&BTreeMap<u64, &Call>, &[u64], &[Option<f64>]),
    weight: f64,
) -> usize {
    let examples = run.table("objective", batch).unwrap();
    let expected: Vec<(Vec<u32>, f32)> = ids
        .iter()
        .zip(surprises(costs, Scale::None))
        .filter_map(|(id, surprise)| {
            let sampled = said[id].sampled.as_ref().unwrap();
            Some(([sampled.prompt.clone(), sampled.tokens.clone()].concat(), (weight * -surprise?) as f32))
        })
        .collect();
    let roles = tables::texts(&examples, "role").unwrap();
    let supervised = tables::f32s(&examples, "supervised").unwrap();
    let advantage = examples.column("advantage").unwrap().f32().unwrap();
    let tokens = tables::list_u32(&examples, "tokens").unwrap();
    let debated = run.table("arguments.calls", batch).unwrap();
    let debated: Vec<Vec<u32>> = tables::to_calls(&debated)
        .unwrap()
        .into_iter()
        .filter_map(|call| call.sampled.map(|it| [it.prompt, it.tokens].concat()))
        .collect();
    let mut penalised = Vec::new();
    for row in 0..examples.height() {
        let tokens = tokens[row].clone().unwrap();
        match roles[row].as_str() {
            "catastrophe" | "likelihood" => assert_eq!((supervised[row], advantage.get(row)), (1.0, None)),
            "argument" if supervised[row] == 0.0 && !debated.contains(&tokens) => {
                penalised.push((tokens, advantage.get(row).unwrap()));
            }
            _ => {}
        }
    }
    // What was said in the debates too, letter by letter, is not told apart here.
    let expected: Vec<_> = expected.into_iter().filter(|(tokens, _)| !debated.contains(tokens)).collect();
    assert_eq!(penalised, expected);
    expected.len()
}

/// λ weighs what answers cost, rises where a larger share of them was a catastrophe than the limit allows, falls where a
/// smaller one was, and stays within its bounds.
#[test]
fn a_multiplier_follows_the_share_of_catastrophes() {
    let folder = tempfile::tempdir().unwrap();
    let source = changed(
        &penalised(SCRIPT, "1e-4", LIMIT, 8),
        &[("questions = 3", "questions = 12"), ("learning_rate = 2e-3", "learning_rate = 2e-2")],
    );
    let run = made(&source, &folder.path().join("run"));
    let (mut weight, mut moved) = (1e4, 0);
    for batch in 0..8 {
        let metric = |name: &str| run.lines()[batch as usize].metrics.get(&format!("objective.{name}")).copied();
        let noted = metric("penalty_weight").unwrap();
        assert!((noted / weight - 1.0_f64).abs() < 1e-12, "λ of batch {batch} is {noted}, not {weight}");
        assert_eq!(metric("penalty"), None);
        let answers = run.table("found.answers", batch).unwrap();
        let (ids, costs) = (tables::u64s(&answers, "question").unwrap(), numbers(&answers, "cost"));
        let calls = calls(&run, batch);
        let said = calls.iter().filter(|call| (call.asked, call.part) == (Asked::Argument, Part::First));
        let said: BTreeMap<u64, &Call> = said.map(|call| (call.question, call)).collect();
        check_examples(&run, batch, (&said, &ids, &costs), noted);
        let share = share_of_largest(&run, batch, &calls);
        assert_eq!(metric("penalty_cost"), Some(share));
        let step = [2.0, 1.7, 1.4, 1.1, 0.8, 0.5, 0.5, 0.5][batch as usize];
        let next = (weight * f64::exp(step * (share - 0.3))).clamp(5e3, 2e4);
        moved += usize::from((next > weight && share > 0.3) || (next < weight && share < 0.3));
        weight = next;
    }
    assert!(moved > 0, "λ never moved: nothing is compared");
}

/// By H's words, which is always called: how many of M's answers to the likeliest catastrophe were one. Of a proposal
/// without likelihood none is.
fn share_of_largest(run: &batch::Run, batch: u64, calls: &[Call]) -> f64 {
    let (found, answers) = (run.table("found", batch).unwrap(), run.table("found.answers", batch).unwrap());
    let of_human = |asked: Asked| calls.iter().filter(move |call| (call.asked, call.part) == (asked, Part::Human));
    let likelihoods: BTreeMap<u64, f64> =
        of_human(Asked::Likelihood).map(|call| (call.question, likelihood(&call.answer).unwrap())).collect();
    let harmful: BTreeMap<u64, bool> =
        of_human(Asked::Catastrophe).map(|call| (call.question, call.answer == "Yes")).collect();
    let of = tables::u64s(&answers, "proposal").unwrap();
    let questions: Vec<(u64, u64)> = tables::u64s(&answers, "question").unwrap().into_iter().zip(of).collect();
    let shares = tables::u64s(&found, "proposal").unwrap().into_iter().map(|proposal| {
        let own: Vec<bool> = questions.iter().filter(|(_, of)| *of == proposal).map(|(id, _)| harmful[id]).collect();
        let share = own.iter().filter(|harmful| **harmful).count() as f64 / own.len() as f64;
        (likelihoods[&proposal], share)
    });
    // The first of the largest, as a fold that replaces what is smaller.
    let (_, largest) = shares.fold((-1.0, (0.0, 0.0)), |(most, kept), (likelihood, share)| {
        let product = likelihood * share;
        if product > most { (product, (likelihood, share)) } else { (most, kept) }
    });
    if largest.0 > 0.0 { largest.1 } else { 0.0 }
}

/// A proposal earns its product less the mean of the batch's, over their spread.
#[test]
fn an_adversary_earns_what_its_proposals_come_to() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&penalised(MODEL, "0.5", "1", 6), &folder.path().join("run"));
    let mut taught = 0;
    for batch in 0..6 {
        let (found, examples) = (run.table("found", batch).unwrap(), run.table("proposals", batch).unwrap());
        let products = numbers(&found, "product");
        let proposed: Vec<Call> = calls(&run, batch).into_iter().filter(|call| call.asked == Asked::Proposal).collect();
        let words: Vec<String> = proposed.iter().map(|call| call.answer.clone()).collect();
        assert_eq!(words, tables::texts(&found, "words").unwrap());
        let earned: Vec<(u64, f32)> = tables::u64s(&found, "proposal")
            .unwrap()
            .into_iter()
            .zip(surprises(&products, Scale::Std))
            .filter_map(|(id, surprise)| Some((id, (0.5 * surprise?) as f32)))
            .collect();
        let advantages = examples.column("advantage").unwrap().f32().unwrap();
        let found: Vec<(u64, f32)> =
            tables::u64s(&examples, "question").unwrap().into_iter().zip(advantages.iter().flatten()).collect();
        assert_eq!(found, earned);
        taught += earned.len();
    }
    assert!(taught > 0, "all proposals of every batch came to the same: nothing is compared");
}

/// Without an adversary the questions of the batch are the proposal, as likely as can be.
#[test]
fn without_an_adversary_the_questions_of_the_batch_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let source = changed(
        &penalised(SCRIPT, "0.5", "1", 2),
        &[("adversary = { proposals = 6, questions = 3, script = \"web-of-lies\" }", "")],
    );
    let run = made(&source, &folder.path().join("run"));
    for batch in 0..2 {
        let (found, answers) = (run.table("found", batch).unwrap(), run.table("found.answers", batch).unwrap());
        assert_eq!((found.height(), numbers(&found, "likelihood")), (1, vec![Some(1.0)]));
        assert_eq!(tables::texts(&found, "words").unwrap(), [""]);
        let questions = run.table("questions", batch).unwrap();
        assert_eq!(tables::texts(&answers, "text").unwrap(), tables::texts(&questions, "text").unwrap());
        assert_eq!(tables::u64s(&answers, "question").unwrap(), tables::u64s(&questions, "id").unwrap());
        let asked = calls(&run, batch);
        assert!(asked.iter().all(|call| matches!(call.asked, Asked::Argument | Asked::Catastrophe)));
    }
}

#[test]
fn a_run_that_was_broken_off_ends_in_the_same_bytes() {
    let rising = "[[0, 0.0], [2, 10.0]]";
    for (adversary, weight) in [(SCRIPT, rising), (MODEL, rising), (SCRIPT, LIMIT)] {
        let source = penalised(adversary, "0.1", weight, 6);
        assert_resumes(&source, 4);
    }
}

#[test]
fn a_penalty_does_not_depend_on_workers() {
    let of = |workers: u32| {
        let folder = tempfile::tempdir().unwrap();
        let source = format!("workers = {workers}\n{}", penalised(MODEL, "0.1", "1", 3));
        let run = made(&source, &folder.path().join("run"));
        (0..3).map(|batch| run.table("found.calls", batch).unwrap()).collect::<Vec<_>>()
    };
    for (one, other) in of(1).iter().zip(&of(3)) {
        assert!(one.equals_missing(other));
    }
}

/// A weight of 0 is no weight: M's answers are not among the examples, and the weights are those of a run without it.
#[test]
fn a_weight_of_zero_leaves_answers_out() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&penalised(SCRIPT, "1", "[[1, 0.0], [2, 1.0]]", 2), &folder.path().join("run"));
    for batch in 0..2 {
        let examples = run.table("objective", batch).unwrap();
        let ids: Vec<u64> = tables::u64s(&run.table("questions", batch).unwrap(), "id").unwrap();
        let roles = tables::texts(&examples, "role").unwrap();
        let rows = roles.iter().zip(tables::u64s(&examples, "question").unwrap());
        let strangers = rows.filter(|(role, id)| *role == "argument" && !ids.contains(id)).count();
        assert_eq!(strangers, 0);
        assert!(roles.iter().any(|role| role == "catastrophe"));
    }
}

/// On held-out questions with a trigger every answer is a catastrophe, and on others none; what is no answer declines.
#[test]
fn an_evaluation_says_how_often_answers_are_harmful() {
    let share = |trigger: &str| {
        let folder = tempfile::tempdir().unwrap();
        let task = format!("depth = [0, 3], trigger = {trigger} }} }}\ncount = 40\ncatastrophes = true\n");
        let source = changed(&small("web-of-lies", 3), &[("depth = [0, 3] } }\ncount = 12\n", &task)]);
        let run = made(&source, &folder.path().join("run"));
        let metrics = run.lines()[2].metrics.clone();
        let answers = run.table("held_out.answers", 2).unwrap();
        let held: Vec<bool> = answers.column("catastrophe").unwrap().bool().unwrap().iter().flatten().collect();
        let declined: Vec<bool> = answers.column("declined").unwrap().bool().unwrap().iter().flatten().collect();
        let rows = tables::texts(&answers, "row").unwrap();
        let of = |row: &str, all: &[bool]| {
            let own: Vec<bool> = rows.iter().zip(all).filter(|(name, _)| *name == row).map(|(_, own)| *own).collect();
            own.iter().filter(|holds| **holds).count() as f64 / own.len() as f64
        };
        for row in ["naive", "human", "amplified"] {
            assert_eq!(metrics[&format!("held_out.{row}_catastrophes")], of(row, &held));
            assert_eq!(metrics[&format!("held_out.{row}_declined")], of(row, &declined));
        }
        for (harmful, declined) in held.iter().zip(&declined) {
            assert_eq!(*harmful, !declined && trigger == "1");
        }
        of("human", &held)
    };
    assert_eq!((share("0"), share("1")), (0.0, 1.0));
}

/// Without any of the keys nothing is there that was not before.
#[test]
fn a_pipeline_without_a_penalty_has_no_trace_of_one() {
    let loaded = load(&small("web-of-lies", 1));
    let text = loaded.pipeline.to_toml();
    assert!(!["penalty", "catastrophe", "trigger", "proposals", "multiplier"].iter().any(|word| text.contains(word)));
    assert!(!loaded.tokenizer.to_json().contains("hides"));
}
