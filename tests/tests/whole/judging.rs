//! Verdicts by choice, in both orders and again and again, from the weights to the report; and how far their probabilities
//! can be believed.

use batch::Run;
use debate::judge::Side;
use elenchus::{
    results::{
        summary::summary,
        tallies::{Tally, tallies},
    },
    stages::{
        calibration::{Bin, Forecast, bins, brier, calibration_error},
        states::ModelState,
        tables,
        verdicts::{Judged, forecasts, right},
    },
    wiring::wire,
};
use model::{Llama, Model};
use polars::prelude::DataFrame;
use tch::{Device, Kind, Tensor};
use tests::{assert_resumes, assert_whole, load, made, small};

/// Debates of two sides that `settings` say how to judge; the judge's H is called as often as `calls` says.
fn judged_by(calls: &str, settings: &str) -> String {
    let judge = format!(
        "[amplify.judge]\nmodel = \"target\"\nhuman = \"expert\"\ncall_human = {calls}\n\n[judge.verdicts]\n{settings}\n"
    );
    small("web-of-lies", 4)
        .replace("[judge.verdicts]\n", &judge)
        .replace("max_turns = 2\n\n", "max_turns = 2\nsufficient = \"never\"\n\n")
        .replace("by = \"overseer\"", "by = \"judge\"")
}

const BOTH: &str = "reply = \"choice\"\nsees = \"both\"\nrepeats = 3";

fn numbers(table: &DataFrame, name: &str) -> Vec<Option<f64>> {
    table.column(name).unwrap().f64().unwrap().iter().collect()
}

fn texts(table: &DataFrame, name: &str) -> Vec<Option<String>> {
    tables::optional_texts(table, name).unwrap()
}

fn finished(source: &str) -> (tempfile::TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = made(source, &folder.path().join("run"));
    (folder, run)
}

/// The log-probability of an answer as a whole, from the logits of one forward over all of its tokens.
fn log_probability(model: &Model, prompt: &[u32], answer: &str) -> f64 {
    let answer = model.tokenizer.answer(answer);
    let tokens: Vec<i64> = prompt.iter().chain(&answer).map(|&token| i64::from(token)).collect();
    let places = Tensor::arange_start(prompt.len() as i64 - 1, tokens.len() as i64 - 1, (Kind::Int64, Device::Cpu));
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    let logits = llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(1, Kind::Double);
    answer.iter().enumerate().map(|(step, &token)| logits.double_value(&[step as i64, i64::from(token)])).sum()
}

#[test]
fn a_probability_is_that_of_the_models_logits() {
    let source = judged_by("\"never\"", "reply = \"choice\"");
    let (_folder, run) = finished(&source);
    let states = wire::states(&load(&source));
    let target = &states.get::<ModelState>("model.target").unwrap().0;
    let (verdicts, calls) = (run.table("verdicts", 0).unwrap(), run.table("verdicts.calls", 0).unwrap());
    let found = numbers(&verdicts, "probability");
    let calls = tables::to_calls(&calls).unwrap();
    assert_eq!((found.len(), calls.len()), (6, 6));
    for ((found, call), winner) in found.into_iter().zip(calls).zip(texts(&verdicts, "winner")) {
        let sampled = call.sampled.unwrap();
        let [yes, no] = ["Yes", "No"].map(|answer| log_probability(target, &sampled.prompt, answer));
        let expected = 1.0 / (1.0 + (no - yes).exp());
        assert!((found.unwrap() - expected).abs() < 1e-5, "{found:?} is not {expected}");
        let of_verdict: f64 = sampled.log_probs.iter().map(|&log_prob| f64::from(log_prob).exp()).product();
        let even = call.answer == "Yes";
        assert_eq!(winner.as_deref(), Some(if even { "even" } else { "odd" }));
        assert!((of_verdict - if even { expected } else { 1.0 - expected }).abs() < 1e-5);
    }
}

#[test]
fn h_gives_no_probability_and_the_orders_are_kept() {
    let (_folder, run) = finished(&judged_by("{ probability = 0.2 }", BOTH));
    let (mut own, mut by_human) = (0, 0);
    for batch in 0..4 {
        let (verdicts, calls) = (run.table("verdicts", batch).unwrap(), run.table("verdicts.calls", batch).unwrap());
        let calls = tables::to_calls(&calls).unwrap();
        let ids = tables::u64s(&verdicts, "question").unwrap();
        let orders = texts(&verdicts, "given").into_iter().zip(texts(&verdicts, "swapped"));
        let winners = texts(&verdicts, "winner").into_iter().zip(orders);
        for ((id, probability), (winner, (given, swapped))) in
            ids.iter().zip(numbers(&verdicts, "probability")).zip(winners)
        {
            let asked = || calls.iter().filter(|call| call.question == *id);
            assert_eq!(asked().filter(|call| call.part == debate::trace::Part::First).count(), 6);
            let judged = asked().any(|call| call.part == debate::trace::Part::Human);
            assert_eq!(probability.is_none(), judged);
            assert!(given != swapped || winner == given);
            (own, by_human) = (own + u32::from(!judged), by_human + u32::from(judged));
        }
        assert!(numbers(&verdicts, "agreement").into_iter().all(|it| (0.5..=1.0).contains(&it.unwrap())));
        let metrics = &run.lines()[batch as usize].metrics;
        assert!((0.0..=1.0).contains(&metrics["verdicts.order_agreement"]));
        assert!((0.5..=1.0).contains(&metrics["verdicts.repeat_agreement"]));
    }
    assert!(own > 0 && by_human > 0, "{own} verdicts are M's own, {by_human} H's");
}

#[test]
fn metrics_summary_and_report_are_of_the_same_verdicts() {
    let (folder, run) = finished(&judged_by("\"never\"", "reply = \"choice\""));
    let pipeline = load(&judged_by("\"never\"", "reply = \"choice\"")).pipeline;
    let tallies = tallies(&run, &pipeline).unwrap();
    let [Tally { stage, judged }] = &tallies[..] else { panic!("there is one judge") };
    assert_eq!((stage.as_str(), judged.len()), ("verdicts", 24));
    assert_eq!(forecasts(judged).len(), 24);
    // The mean over batches of as many verdicts each is the mean over verdicts.
    let mean = |name: &str| run.lines().iter().map(|line| line.metrics[name]).sum::<f64>() / 4.0;
    assert!((mean("held_out.brier") - brier(&forecasts(judged)).unwrap()).abs() < 1e-12);
    assert!((mean("held_out.right_verdicts") - right(judged).accuracy()).abs() < 1e-12);
    assert!((mean("verdicts.reward_even") - (2.0 * tallies[0].wins(Side::Even).accuracy() - 1.0)).abs() < 1e-6);
    let error = calibration_error(&bins(&forecasts(judged))).unwrap();
    assert!(mean("held_out.calibration_error") >= error - 1e-12, "of few forecasts it is larger");
    let root = folder.path().join("run");
    let told = summary(&root).unwrap();
    assert!(
        told.contains(&format!(
            "verdicts: 24 probabilities have a Brier score of {:.3}",
            brier(&forecasts(judged)).unwrap()
        )),
        "{told}"
    );
    let report = elenchus::results::pages::report::report(&root).unwrap();
    for said in ["Verdicts, over", "is the even side right?", "24 probabilities", "% odd wins"] {
        assert!(report.contains(said), "{said}");
    }
    assert_whole(&report);
}

#[test]
fn a_run_that_was_broken_off_ends_in_the_same_bytes() {
    let source = judged_by("{ confidence = { least = 0.1 } }", BOTH);
    assert_resumes(&source, 2);
}

#[test]
fn verdicts_do_not_depend_on_workers() {
    let verdicts = |workers: u32| {
        let (_folder, run) = finished(&format!("workers = {workers}\n{}", judged_by("{ probability = 0.2 }", BOTH)));
        (0..4).map(|batch| run.table("verdicts", batch).unwrap()).collect::<Vec<_>>()
    };
    for (one, other) in verdicts(1).iter().zip(&verdicts(3)) {
        assert!(one.equals_missing(other));
    }
}

/// An order drawn for each debate: as often the one as the other.
#[test]
fn sides_are_swapped_in_about_half_of_the_debates() {
    let source = judged_by("\"never\"", "sees = \"random\"").replace("rows = 6", "rows = 60");
    let (_folder, run) = finished(&source);
    let mut swapped = 0;
    for batch in 0..4 {
        let (verdicts, calls) = (run.table("verdicts", batch).unwrap(), run.table("verdicts.calls", batch).unwrap());
        let prompts = tables::texts(&calls, "prompt").unwrap();
        for (order, prompt) in texts(&verdicts, "order").into_iter().zip(prompts) {
            let first_odd = prompt.find("Odd:") < prompt.find("Even:");
            assert_eq!(order.as_deref(), Some(if first_odd { "swapped" } else { "given" }));
            swapped += u32::from(first_odd);
        }
    }
    assert!((90..150).contains(&swapped), "{swapped} of 240");
}

fn check_calibration(forecasts: &[(f64, bool)], expect: (f64, f64)) {
    let forecasts: Vec<Forecast> =
        forecasts.iter().map(|&(probability, is_true)| Forecast { probability, is_true }).collect();
    let found = (brier(&forecasts).unwrap(), calibration_error(&bins(&forecasts)).unwrap());
    assert!((found.0 - expect.0).abs() < 1e-12 && (found.1 - expect.1).abs() < 1e-12, "{found:?}, not {expect:?}");
}

/// By hand: the squares sum up to 0.01 + 0.64 + 0.1225 + 0.49; of the bins one has two forecasts, of a mean of 0.325 and a
/// share of a half.
#[test]
fn scores_are_those_that_a_hand_works_out() {
    check_calibration(&[(0.9, true), (0.8, false), (0.35, false), (0.3, true)], (0.315_625, 0.3125));
    check_calibration(&[(1.0, true), (0.0, false)], (0.0, 0.0));
    check_calibration(&[(1.0, false), (0.0, true)], (1.0, 1.0));
    check_calibration(&[(0.5, true), (0.5, false)], (0.25, 0.0));
    // Right on average, and never: calibrated, and of no use beyond that.
    check_calibration(&[(0.75, true), (0.75, true), (0.75, true), (0.75, false)], (0.1875, 0.0));
    assert_eq!((brier(&[]), calibration_error(&bins(&[]))), (None, None));
}

#[test]
fn bins_are_of_equal_width_and_the_last_has_one() {
    let forecast = |probability, is_true| Forecast { probability, is_true };
    let found = bins(&[forecast(0.05, false), forecast(0.15, true), forecast(0.95, true), forecast(1.0, false)]);
    let expect = [(1, 0.05, 0.0), (1, 0.15, 1.0), (2, 0.975, 0.5)];
    assert_eq!(found, expect.map(|(count, probability, share)| Bin { count, probability, share }));
}

#[test]
fn what_is_not_known_is_no_forecast() {
    let judged = |winner, probability, right| Judged { winner, probability, right };
    let all = [
        judged(Some(Side::Even), Some(0.75), Some(Side::Odd)),
        judged(Some(Side::Odd), None, Some(Side::Odd)),
        judged(None, Some(0.5), Some(Side::Even)),
        judged(Some(Side::Odd), Some(0.25), None),
        judged(None, None, None),
    ];
    let expect = [(0.75, false), (0.5, true)].map(|(probability, is_true)| Forecast { probability, is_true });
    assert_eq!(forecasts(&all), expect);
    let count = right(&all);
    assert_eq!((count.correct, count.total), (1, 2));
}

/// Without any of the keys nothing is there that was not before.
#[test]
fn a_judge_by_default_leaves_no_trace_of_them() {
    let source = small("web-of-lies", 1);
    assert!(!load(&source).pipeline.to_toml().contains("watch"));
    let (folder, run) = finished(&source);
    let verdicts = run.table("verdicts", 0).unwrap();
    let names: Vec<&str> = verdicts.get_column_names().into_iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["question", "winner", "reward"]);
    let metrics = &run.lines()[0].metrics;
    let new = ["brier", "calibration_error", "order_agreement", "repeat_agreement"];
    assert!(!metrics.keys().any(|metric| new.iter().any(|name| metric.ends_with(name))));
    assert!(!std::fs::read_to_string(folder.path().join("run/pipeline.toml")).unwrap().contains("reply"));
}
