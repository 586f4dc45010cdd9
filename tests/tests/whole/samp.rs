//! Samp in whole runs: budgets, weights by propensities, and what they say of M.

mod adversary;

use batch::{Run, Stage as _, States, Unit};
use debate::{
    amplify::{Amplified, HumanAnswer, SubAnswer},
    answerer::{Answer, Sampled},
    debate::Voice,
    distance::distance as between,
    draw::Draw,
    question::Asked,
    trace::{Call, Part, calls},
};
use elenchus::{
    results::estimate::{Estimate, against_human},
    stages::{
        loss::Loss,
        predictions::{Predicted, Predictions},
    },
    stages::{states::Baseline, tables},
};
use polars::prelude::*;
use spec::settings::{Distance, Stage, Weight};
use std::collections::BTreeMap;
use tests::{assert_resumes, changed, load, made, small};

/// A pipeline that only imitates single arguments, each target weighed by its propensity.
fn imitating(call_human: &str, batches: u64) -> String {
    let changes = [
        ("alpha = 0.5", "alpha = 0.0"),
        ("max_turns = 2", "max_turns = 1"),
        ("call_human = { probability = 0.4 }", call_human),
        ("[loss.objective]", "[loss.objective]\nweight = \"propensity\""),
    ];
    changed(&small("web-of-lies", batches), &changes)
}

/// What teaches the Adv of the speaker.
const TEACHING: &str = r#"
[model.adversary]
new = { layers = 1, width = 16, heads = 2, context = 192 }

[loss.predictions]
from = "arguments"
predict = "speaker"
weight = "propensity"
combine = { weighted = { alpha = 0.0 } }

[train.adversary_step]
from = "predictions"
model = "adversary"
adamw = { learning_rate = 5e-3 }
"#;

/// An Adv that is asked in words which the pipeline has already, so that M has no others to know.
const LEARNED: &str = r#"{ learned = { model = "adversary", least = 0.1, most = 0.6, wording = "{question}\nEven: {answer}\nIs this a sufficient answer?" } }"#;

/// Each target by its question: its tokens, and its weight.
fn targets(examples: &DataFrame) -> BTreeMap<u64, (Vec<u32>, f64)> {
    let (questions, weights) =
        (tables::u64s(examples, "question").unwrap(), tables::f32s(examples, "supervised").unwrap());
    let tokens = tables::list_u32(examples, "tokens").unwrap().into_iter().flatten();
    questions.into_iter().zip(tokens.zip(weights.into_iter().map(f64::from))).collect()
}

/// Any distance will do that depends on the target alone.
fn distance(tokens: &[u32]) -> f64 {
    tokens.iter().map(|&token| f64::from(token)).sum()
}

const OF_M: [&str; 4] = ["Yes", "No", "Yes because Jim lies", "No because Jim lies"];
const OF_H: [&str; 4] = ["Yes", "No because Jim lies", "Yes", "No because Jim lies"];

/// The calls behind four single arguments, over some of which H was called.
fn trace(propensities: &[f64], called: impl Fn(usize) -> bool) -> Vec<Call> {
    let said = |text: &str, prompt: Vec<u32>| {
        let sampled = Sampled { prompt, tokens: vec![4], log_probs: vec![-0.1], version: 0 };
        Answer { text: text.to_owned(), sampled }
    };
    let answered = |i: usize| Amplified {
        prompt: format!("Question: {}", "lies ".repeat(i)),
        first: said(OF_M[i], vec![1, 3]),
        predicted: Some(SubAnswer::of_model(format!("Would H say so? {i}"), said("Yes", vec![1, i as u32, 3]))),
        again: Vec::new(),
        propensity: propensities[i],
        human: called(i).then(|| HumanAnswer::new(OF_H[i], Vec::new())),
    };
    (0..propensities.len()).flat_map(|i| calls(i as u64, Asked::Argument, 0, answered(i))).collect()
}

/// What the loss stage makes of calls.
fn examples(trace: &[Call]) -> BTreeMap<u64, (Vec<u32>, f64)> {
    let loaded = load(&imitating("call_human = \"always\"", 1));
    let settings = loaded.pipeline.stages.iter().find_map(|stage| match &stage.settings {
        Stage::Loss(loss) => Some(loss.clone()),
        _ => None,
    });
    let baseline = "baseline.objective".to_owned();
    let (table, mut states) = (tables::from_calls(trace).unwrap(), States::new());
    states.insert(baseline.clone(), Baseline::default());
    let names = [baseline.clone()];
    let mut unit = Unit::new(0, BTreeMap::from([("calls", &table)]), &mut states, &names, &names);
    let loss = Loss {
        embedder: None,
        name: "objective".into(),
        calls: vec!["calls".into()],
        verdicts: None,
        questions: None,
        penalty: None,
        against_other: false,
        learner: debate::lesson::Learner::Only,
        settings: settings.unwrap(),
        baseline,
        tokenizer: loaded.tokenizer,
    };
    targets(&loss.run(&mut unit).unwrap()["objective"])
}

/// Over all draws on a fixed list, a sum that calls come to has the mean that it has where H is always called.
fn has_the_expectation_of_always(sum: impl Fn(&[Call]) -> f64) {
    let always = sum(&trace(&[1.0; 4], |_| true));
    for propensities in [[0.3; 4], [0.05, 1.0, 0.4, 0.9]] {
        let mut mean = 0.0;
        for drawn in 0..1u32 << 4 {
            let called = |i: usize| drawn >> i & 1 == 1;
            let chance = |i: usize| if called(i) { propensities[i] } else { 1.0 - propensities[i] };
            mean += (0..4).map(chance).product::<f64>() * sum(&trace(&propensities, called));
        }
        assert!((mean - always).abs() < 1e-5 * always, "{propensities:?}: {mean}, not {always}");
    }
}

#[test]
fn the_weighted_loss_has_the_expectation_of_always() {
    let weighted = |(tokens, weight): &(Vec<u32>, f64)| weight * distance(tokens);
    has_the_expectation_of_always(|trace| examples(trace).values().map(weighted).sum());
}

/// The same on runs in which M never changes: H then answers a question alike in all of them, if it is called.
#[test]
fn a_run_under_any_samp_has_the_weighted_loss_of_always() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, call_human: &str| {
        let source = imitating(&format!("call_human = {call_human}"), 12);
        let source = if call_human == LEARNED { source + TEACHING } else { source };
        let changes = [("learning_rate = 2e-3", "learning_rate = 0.0"), ("rows = 6", "rows = 25")];
        made(&changed(&source, &changes), &folder.path().join(name))
    };
    let of = |run: &Run| -> BTreeMap<u64, (Vec<u32>, f64)> {
        run.tables("objective").flat_map(|table| targets(&table.unwrap())).collect()
    };
    let always = of(&run("always", "\"always\""));
    let sum: f64 = always.values().map(|(tokens, _)| distance(tokens)).sum();
    for (i, rule) in [
        "{ probability = [[0, 0.2], [11, 0.6]] }",
        "{ confidence = { least = 0.2, most = 0.9 } }",
        "{ disagreement = { samples = 2, least = 0.1, most = 0.5 } }",
        "{ schedule = { loss = \"step\", points = [[1, 0.1], [10, 0.9]] } }",
        LEARNED,
        "{ confidence = { least = 0.2 } }\nbudget = { per_batch = 12, per_run = 130 }",
    ]
    .iter()
    .enumerate()
    {
        let run = run(&i.to_string(), rule);
        let (mut weighted, mut variance) = (0.0, 0.0);
        for (question, (tokens, weight)) in of(&run) {
            assert_eq!(always[&question].0, tokens, "{rule}: {question}");
            weighted += weight * distance(&tokens);
        }
        for (question, propensity) in propensities(&run, "arguments") {
            assert!(propensity > 0.0);
            variance += (1.0 - propensity) / propensity * distance(&always[&question].0).powi(2);
        }
        assert!(weighted != sum && (weighted - sum).abs() < 4.0 * variance.sqrt(), "{rule}: {weighted}, not {sum}");
    }
}

#[test]
fn what_is_known_of_m_is_what_the_calls_say() {
    let folder = tempfile::tempdir().unwrap();
    let source = with_budgets(7);
    let run = made(&source, &folder.path().join("run"));
    let known = against_human(&run, &load(&source).pipeline).unwrap();
    let names = known.iter().map(|against| (against.stage.as_str(), against.asked.as_str())).collect::<Vec<_>>();
    assert_eq!(names, [("arguments", "argument"), ("arguments", "sufficient"), ("verdicts", "winner")]);
    for against in known {
        let table = format!("{}.calls", against.stage);
        let calls = run.tables(&table).flat_map(|table| tables::to_calls(&table.unwrap()).unwrap());
        let calls: Vec<Call> = calls.filter(|call| call.asked.name() == against.asked).collect();
        let count = |part: Part| calls.iter().filter(|call| call.part == part).count();
        let (posed, called) = (against.estimate.posed, against.estimate.called);
        assert_eq!((posed, called), (count(Part::First), count(Part::Human)));
        assert_eq!(against.estimate.uncovered, 0);
        let weight = |call: &Call| 1.0 / call.propensity.unwrap();
        let humans = calls.iter().filter(|call| call.part == Part::Human);
        let first = |human: &Call| {
            let of_m = |call: &&Call| call.part == Part::First && call.question == human.question;
            calls.iter().filter(of_m).find(|call| call.turn == human.turn).unwrap().answer.clone()
        };
        let (mut all, mut differing) = (0.0, 0.0);
        for human in humans {
            all += weight(human);
            differing += if debate::question::agree(&first(human), &human.answer) { 0.0 } else { weight(human) };
        }
        assert!((against.estimate.error().unwrap() - differing / all).abs() < 1e-9);
    }
}

/// The questions that a stage put to Amp≈, each with its propensity.
fn propensities(run: &Run, stage: &str) -> Vec<(u64, f64)> {
    let of_batch = |table: DataFrame| {
        let calls = tables::to_calls(&table).unwrap().into_iter();
        let first = |call: Call| (call.part == Part::First).then_some((call.question, call.propensity?));
        calls.filter_map(first).collect::<Vec<_>>()
    };
    run.tables(&format!("{stage}.calls")).flat_map(|table| of_batch(table.unwrap())).collect()
}

#[test]
fn one_is_always_and_zero_is_never() {
    let folder = tempfile::tempdir().unwrap();
    for (number, word) in [("{ probability = 1 }", "\"always\""), ("{ probability = 0 }", "\"never\"")] {
        let run = |call_human: &str| {
            let source = imitating(&format!("call_human = {call_human}"), 2);
            made(&source, &folder.path().join(call_human.replace(['"', ' '], "")))
        };
        let (number, word) = (run(number), run(word));
        for table in number.header().tables.keys() {
            assert!(number.table(table, 1).unwrap().equals_missing(&word.table(table, 1).unwrap()), "{table}");
        }
        assert_eq!(number.lines()[1].metrics, word.lines()[1].metrics);
    }
}

/// Debates in which every rule decides something, and the speaker has a budget, the overseer's shared by two stages.
fn with_budgets(batches: u64) -> String {
    let speaker = "call_human = { confidence = { least = 0.1 } }\nbudget = { per_run = 30 }";
    let overseer = "call_human = { schedule = { loss = \"step\", points = [[1, 0.2], [5, 1.0]] } }\n\
                    budget = { per_batch = 4, per_run = 25 }";
    let changes = [("call_human = { probability = 0.4 }", speaker), ("call_human = \"always\"", overseer)];
    changed(&small("web-of-lies", batches), &changes)
}

#[test]
fn a_run_with_budgets_resumes_to_the_same_bytes() {
    assert_resumes(&with_budgets(7), 5);
}

/// The sum of the propensities of a stage, in one batch or in all.
fn spent(run: &Run, batch: Option<u64>, stage: &str, asked: &[Asked]) -> f64 {
    let batches = batch.map_or(0..run.lines().len() as u64, |batch| batch..batch + 1);
    let tables = batches.map(|batch| run.table(&format!("{stage}.calls"), batch).unwrap());
    let calls = tables.flat_map(|table| tables::to_calls(&table).unwrap());
    let decided = calls.filter(|call| call.part == Part::First && asked.contains(&call.asked));
    decided.filter_map(|call| call.propensity).sum()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn budgets_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&with_budgets(7), &folder.path().join("run"));
    let left = |metric: &str| run.lines()[6].metrics[metric];
    let spoken = spent(&run, None, "arguments", &[Asked::Argument]);
    assert!(spoken <= 30.0 + 1e-9 && spoken > 20.0, "{spoken}");
    assert!(close(left("arguments.speaker_budget_left"), 30.0 - spoken));
    // One wave of the two is the debate's, one the judge's.
    for (stage, asked) in [("arguments", Asked::Sufficient), ("verdicts", Asked::Winner)] {
        let all = spent(&run, None, stage, &[asked]);
        assert!(all <= 12.5 + 1e-9, "{stage}: {all}");
        assert!(close(left(&format!("{stage}.overseer_budget_left")), 12.5 - all));
        (0..7).for_each(|batch| assert!(spent(&run, Some(batch), stage, &[asked]) <= 2.0 + 1e-9));
    }
}

#[test]
fn who_argues_and_oversees_pays_from_one_purse() {
    let folder = tempfile::tempdir().unwrap();
    let changes = [("per_run = 30", "per_batch = 3"), ("overseer = \"overseer\"", "overseer = \"speaker\"")];
    let run = made(&changed(&with_budgets(3), &changes), &folder.path().join("run"));
    for batch in 0..3 {
        let all = spent(&run, Some(batch), "arguments", &[Asked::Argument, Asked::Sufficient]);
        assert!(all <= 3.0 + 1e-9 && all > 2.0, "{all}");
        assert!(close(run.lines()[batch as usize].metrics["arguments.speaker_budget_left"], 3.0 - all));
    }
}

#[test]
fn the_interval_holds_the_share_as_often_as_it_says() {
    const TRIALS: u64 = 1000;
    const QUESTIONS: u64 = 300;
    for (error, of_differing, of_same) in [(0.1, 0.5, 0.2), (0.1, 0.2, 0.5), (0.02, 0.3, 0.3), (0.5, 0.9, 0.1)] {
        let (mut held, mut mean) = (0, 0.0);
        for trial in 0..TRIALS {
            let mut estimate = Estimate::default();
            for question in 0..QUESTIONS {
                let differs = (question as f64) < error * QUESTIONS as f64;
                let propensity = if differs { of_differing } else { of_same };
                let called = Draw::new(9).at(trial).at(question).uniform(0) < propensity;
                estimate.add(propensity, called.then_some(differs));
            }
            let (low, high) = estimate.interval().unwrap();
            held += u64::from((low..=high).contains(&error));
            mean += estimate.error().unwrap() / TRIALS as f64;
        }
        assert!((930..=990).contains(&held), "{error}: {held} of {TRIALS}");
        // A ratio is a little off where few were drawn of the larger group.
        assert!((mean - error).abs() < 0.02 * (0.5 + error), "{error}: {mean}");
    }
}

#[test]
fn what_has_no_chance_of_h_is_told() {
    let mut estimate = Estimate::default();
    (0..30).for_each(|i| estimate.add(1.0, Some(i < 6)));
    (0..10).for_each(|_| estimate.add(0.0, None));
    assert_eq!(
        (estimate.error(), estimate.interval(), estimate.uncovered_share()),
        (Some(0.2), Some((0.2, 0.2)), 0.25)
    );
    let mut unknown = Estimate::default();
    unknown.add(0.5, None);
    assert_eq!((unknown.error(), unknown.interval()), (None, None));
}

const UNASKED: &str = "max_turns = 2\nsufficient = \"never\"";
const LATE: &str = "max_turns = 2\nmin_turns = 2";
const DRAWN: &str = "max_turns = 2\nsufficient = { random = 0.5 }";

/// Where nobody asks whether an argument suffices, there is no loss to look at and no budget to pay from.
#[test]
fn an_overseer_who_is_not_asked_needs_nothing_to_go_by() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = "call_human = { schedule = { loss = \"step\", points = [[0.1, 0.5], [1.0, 1.0]] } }";
    let samp = format!("{schedule}\nbudget = {{ per_run = 50 }}");
    for (name, turns) in [("single", "max_turns = 1"), ("unasked", UNASKED), ("late", LATE), ("drawn", DRAWN)] {
        let changes =
            [("alpha = 0.5", "alpha = 0.0"), ("max_turns = 2", turns), ("call_human = \"always\"", samp.as_str())];
        let run = made(&changed(&small("web-of-lies", 2), &changes), &folder.path().join(name));
        let metrics: Vec<&String> = run.lines().iter().flat_map(|line| line.metrics.keys()).collect();
        let paying = |stage: &str| metrics.iter().any(|metric| **metric == format!("{stage}.overseer_budget_left"));
        assert_eq!((paying("arguments"), paying("verdicts")), (false, true), "{name}");
    }
}
