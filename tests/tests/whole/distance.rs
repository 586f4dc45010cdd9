//! Distances between texts: what the loss stage makes of what M's own answers cost, and whole runs that train on it.

use batch::{Run, Stage as _, States, Unit};
use debate::{
    amplify::{Amplified, HumanAnswer},
    answerer::Answer,
    distance::distance,
    human::Exchange,
    judge::Side,
    question::Asked,
    trace::{Call, calls},
};
use elenchus::{
    stages::loss::Loss,
    stages::{states::Baseline, tables},
};
use polars::prelude::*;
use spec::settings::{Distance, Stage};
use std::{collections::BTreeMap, path::Path};
use tests::{assert_resumes, changed, load, run, small};

/// A pipeline whose M trains on a distance between texts, M_target being M.
fn with_distance(settings: &str, combine: &str, batches: u64) -> String {
    let changes = [
        ("[loss.objective]", &*format!("[loss.objective]\n{settings}")),
        ("{ weighted = { alpha = 0.5 } }", combine),
        ("polyak = 0.9", "every = 1"),
    ];
    changed(&small("web-of-lies", batches), &changes)
}

/// The running means before the batch: of the even side's reward, and of the distance.
const EVEN: f64 = 0.2;
const MEAN: f64 = 0.25;

/// What the loss stage of a pipeline makes of calls and of who won.
fn examples(source: &str, trace: &[Call], winners: &[(u64, Option<&str>)]) -> DataFrame {
    let loaded = load(source);
    let settings = loaded.pipeline.stages.iter().find_map(|stage| match &stage.settings {
        Stage::Loss(loss) => Some(loss.clone()),
        _ => None,
    });
    let state = "baseline.objective".to_owned();
    let mut baseline = Baseline::default();
    baseline.follow(Side::Even, EVEN, 0.5);
    baseline.follow_distance(MEAN, 0.5);
    let mut states = States::new();
    states.insert(state.clone(), baseline);
    let (questions, names): (Vec<u64>, Vec<Option<&str>>) = winners.iter().copied().unzip();
    let verdicts = df!("question" => questions, "winner" => names).unwrap();
    let (table, states_of_it) = (tables::from_calls(trace).unwrap(), [state.clone()]);
    let given = BTreeMap::from([("calls", &table), ("verdicts", &verdicts)]);
    let mut unit = Unit::new(0, given, &mut states, &states_of_it, &states_of_it);
    let loss = Loss {
        name: "objective".into(),
        calls: vec!["calls".into()],
        verdicts: Some("verdicts".into()),
        questions: None,
        penalty: None,
        against_other: false,
        learner: debate::lesson::Learner::Only,
        settings: settings.unwrap(),
        embedder: None,
        baseline: state,
        tokenizer: loaded.tokenizer,
    };
    loss.run(&mut unit).unwrap().remove("objective").unwrap()
}

/// The calls behind an answer of M and, where H was called with a propensity, H's.
fn answered(question: u64, asked: Asked, turn: usize, model: &str, human: Option<&str>, propensity: f64) -> Vec<Call> {
    let answer = |text: &str| Answer { text: text.to_owned(), ..Answer::default() };
    let amplified = Amplified {
        prompt: "Question: Jim lies. Does Jim tell the truth?".into(),
        first: answer(model),
        predicted: None,
        again: Vec::new(),
        propensity,
        human: human.map(|text| HumanAnswer::new(text, Vec::new())),
    };
    calls(question, asked, turn, amplified)
}

const ANSWERS: [&str; 4] = ["Yes", "No", "Yes because Jim lies", "No because Jim lies"];

/// An M that knows four answers, each with a logit: over all that it may answer, and all draws of Samp, the weights of
/// the log-probabilities make the gradient of (1 − α) times the expected distance.
#[test]
fn the_expected_gradient_is_that_of_the_expected_distance() {
    let logits: [f64; 4] = [0.3, -1.0, 0.8, 0.1];
    let all: f64 = logits.iter().map(|logit| logit.exp()).sum();
    let p = logits.map(|logit| logit.exp() / all);
    // Samp goes by M's answer, too.
    let propensities = [0.2, 0.9, 0.5, 1.0];
    let (reference, alpha) = ("No because Jim lies", 0.75);
    let combine = format!("{{ weighted = {{ alpha = {alpha} }} }}");
    for (name, measure) in
        [("exact", Distance::Exact), ("edit", Distance::Edit), ("chrf", Distance::Chrf), ("bleu", Distance::Bleu)]
    {
        let source = with_distance(&format!("distance = \"{name}\"\nweight = \"propensity\""), &combine, 1);
        let d = ANSWERS.map(|answer| distance(&measure, reference, answer).unwrap());
        let weight = |k: usize| {
            let trace = answered(0, Asked::Argument, 0, ANSWERS[k], Some(reference), propensities[k]);
            let table = examples(&source, &trace, &[(0, Some("even"))]);
            assert_eq!(table.column("distance").unwrap().f64().unwrap().get(0), Some(d[k]));
            f64::from(tables::f32s(&table, "supervised").unwrap()[0])
        };
        let expected: f64 = (0..4).map(|k| p[k] * d[k]).sum();
        for j in 0..4 {
            let slope = |k: usize| if k == j { 1.0 - p[j] } else { -p[j] };
            let of_loss: f64 = (0..4).map(|k| -p[k] * propensities[k] * weight(k) * slope(k)).sum();
            let of_distance = (1.0 - alpha) * p[j] * (d[j] - expected);
            assert!((of_loss - of_distance).abs() < 1e-6, "{name}: {of_loss}, not {of_distance}");
        }
    }
}

#[test]
fn what_h_did_not_answer_over_costs_nothing() {
    let source = with_distance("distance = \"exact\"", "{ weighted = { alpha = 0.0 } }", 1);
    let trace = [
        answered(0, Asked::Argument, 0, "Yes", None, 0.5),
        answered(1, Asked::Argument, 0, "Yes", Some("Yes"), 0.5),
        answered(2, Asked::Argument, 0, "Yes", Some("No"), 0.5),
    ];
    let table = examples(&source, &trace.concat(), &[]);
    assert_eq!(tables::u64s(&table, "question").unwrap(), [1, 2]);
    assert_eq!(tables::f32s(&table, "supervised").unwrap(), [MEAN as f32, (MEAN - 1.0) as f32]);
}

/// A debate in which H took the place of M three times, and M was asked by H; and one of a single argument.
#[test]
fn a_reward_loses_what_the_debate_cost() {
    let beta = 0.5;
    let source = with_distance("distance = \"exact\"", &format!("{{ reward = {{ beta = {beta} }} }}"), 1);
    let mut second = answered(1, Asked::Argument, 1, "No", Some("Yes"), 0.5);
    let asked = [Exchange { question: "Question: Jim lies.".into(), answer: Some("No".into()) }];
    second.insert(
        1,
        Call {
            part: debate::trace::Part::Sub,
            propensity: None,
            answer: asked[0].answer.clone().unwrap(),
            ..second[0].clone()
        },
    );
    let trace = [
        answered(1, Asked::Argument, 0, "Yes", None, 0.5),
        second,
        answered(1, Asked::Sufficient, 1, "Yes", Some("Yes"), 1.0),
        answered(1, Asked::Winner, 2, "No", Some("Yes"), 1.0),
        answered(2, Asked::Argument, 0, "Yes", None, 0.5),
        answered(2, Asked::Sufficient, 1, "No", Some("Yes"), 1.0),
    ];
    let table = examples(&source, &trace.concat(), &[(1, Some("even")), (2, None)]);
    let of_debate = beta * (MEAN - 2.0 / 3.0);
    let expected = [
        ("argument", Some(1.0), 1.0 - EVEN + of_debate),
        ("argument", None, beta * (MEAN - 1.0)),
        ("sub-answer", Some(-1.0), EVEN - 1.0 + of_debate),
        ("sufficient", None, beta * MEAN),
        ("winner", None, beta * (MEAN - 1.0)),
        // A single argument has no reward, which is not 0: only what H answered over was not M's best.
        ("sufficient", None, beta * (MEAN - 1.0)),
    ];
    let roles = tables::texts(&table, "role").unwrap();
    let rewards: Vec<Option<f32>> = table.column("reward").unwrap().f32().unwrap().iter().collect();
    let advantages: Vec<Option<f32>> = table.column("advantage").unwrap().f32().unwrap().iter().collect();
    assert_eq!(roles, expected.map(|(role, _, _)| role));
    assert_eq!(rewards, expected.map(|(_, reward, _)| reward));
    assert_eq!(advantages, expected.map(|(_, _, advantage)| Some(advantage as f32)));
    assert!(tables::f32s(&table, "supervised").unwrap().iter().all(|&weight| weight == 0.0));
}

#[test]
fn a_running_mean_of_distances_follows_as_that_of_rewards() {
    let mut baseline = Baseline::default();
    assert_eq!(serde_json::to_string(&baseline).unwrap(), "{\"even\":null}");
    assert_eq!((baseline.of_distance(), baseline.of(Side::Odd)), (0.0, 0.0));
    baseline.follow_distance(0.8, 0.75);
    baseline.follow_distance(0.4, 0.75);
    assert!((baseline.of_distance() - 0.7).abs() < 1e-12);
    let read: Baseline = serde_json::from_str(&serde_json::to_string(&baseline).unwrap()).unwrap();
    assert_eq!(read, baseline);
}

#[test]
fn runs_that_train_on_distances_resume_to_the_same_bytes() {
    for (settings, combine) in [
        ("distance = \"bleu\"\nweight = \"propensity\"", "{ weighted = { alpha = 0.5 } }"),
        ("distance = \"edit\"", "{ reward = { beta = [[0, 0.0], [7, 1.0]] } }"),
    ] {
        let source = with_distance(settings, combine, 7);
        let (_runs, whole) = assert_resumes(&source, 5);
        let metrics = Run::open(&whole).unwrap().lines()[6].metrics.clone();
        let (noted, alone) = (metrics["objective.distance"], metrics.contains_key("step.supervised_norm"));
        assert!((0.0..=1.0).contains(&noted) && alone == combine.contains("weighted"), "{metrics:?}");
    }
}

/// The mean distance of each batch of a run.
fn distances(root: &Path) -> Vec<f64> {
    Run::open(root).unwrap().lines().iter().map(|line| line.metrics["objective.distance"]).collect()
}

#[test]
fn how_an_answer_looks_is_learned_by_being_right_or_wrong_alone() {
    let folder = tempfile::tempdir().unwrap();
    let changes = [
        ("depth = [0, 3]", "depth = [0, 0]"),
        ("rows = 6", "rows = 64"),
        ("max_turns = 2", "max_turns = 1"),
        ("call_human = { probability = 0.4 }", "call_human = \"always\"\nmax_tokens = 1"),
        ("learning_rate = 2e-3", "learning_rate = 1e-2"),
    ];
    let source = with_distance("distance = \"exact\"", "{ weighted = { alpha = 0.0 } }", 60);
    let root = folder.path().join("run");
    run(&changed(&source, &changes), &root);
    let distances = distances(&root);
    // M comes to say one of the two answers; which of them is right takes it longer.
    let last = distances[50..].iter().sum::<f64>() / 10.0;
    assert!(distances[0] > 0.9 && last < 0.6, "{last}: {distances:?}");
}
