//! Reading of Samp: `call_human` and `budget` of `[amplify.NAME]`.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use crate::{
    settings::{ADVERSARY, Budget, ByLoss, CallHuman, Confidence, Disagreement, Learned, Schedule},
    stages::template,
    table::Table,
    value::Value,
};

const PROBABILITY: RangeInclusive<f64> = 0.0..=1.0;

/// How often H is called, in one word or by a rule.
pub(crate) fn call_human(value: &mut Value<'_>) -> Option<CallHuman> {
    if value.is_table() {
        return value.table(rule);
    }
    let rules =
        ["{ probability = 0.3 }", "{ confidence = … }", "{ disagreement = … }", "{ schedule = … }", "{ learned = … }"];
    match value.text()?.as_str() {
        "always" => Some(CallHuman::Always),
        "never" => Some(CallHuman::Never),
        other => value.unknown(other, ["always", "never"].into_iter().chain(rules)),
    }
}

fn rule(table: &mut Table<'_>) -> CallHuman {
    table.one_of(
        CallHuman::Probability(Schedule::Constant(0.5)),
        &[
            ("probability", &|value| value.schedule(PROBABILITY).map(CallHuman::Probability)),
            ("confidence", &|value| value.table(confidence).map(CallHuman::Confidence)),
            ("disagreement", &|value| value.table(disagreement).map(CallHuman::Disagreement)),
            ("schedule", &|value| value.table(by_loss).map(CallHuman::Schedule)),
            ("learned", &|value| value.table(learned).map(CallHuman::Learned)),
        ],
    )
}

fn confidence(table: &mut Table<'_>) -> Confidence {
    let (least, most) = bounds(table);
    Confidence { least, most }
}

fn disagreement(table: &mut Table<'_>) -> Disagreement {
    let samples = table.required("samples", 1, |value| value.whole(1..));
    let (least, most) = bounds(table);
    Disagreement { samples, least, most }
}

fn learned(table: &mut Table<'_>) -> Learned {
    let model = table.reference("model");
    let (least, most) = bounds(table);
    let wording = table.or("wording", ADVERSARY.to_owned(), |value| template(value, &["{question}", "{answer}"]));
    Learned { model, least, most, wording }
}

/// The smallest propensity and the largest.
fn bounds(table: &mut Table<'_>) -> (f64, f64) {
    let least = table.required("least", 0.0, |value| value.number(PROBABILITY));
    let most = table.or("most", 1.0, |value| value.number(PROBABILITY));
    if least > most {
        let message = format!("`least` is {least}, which is above the `most` of {most}");
        table.problem_at("least", message, "`least` is the smallest propensity, `most` the largest");
    }
    (least, most)
}

fn by_loss(table: &mut Table<'_>) -> ByLoss {
    ByLoss {
        loss: table.reference("loss"),
        points: table.required("points", vec![(0.0, 0.5)], |value| value.rising("loss", point)),
        decay: table.or("decay", 0.9, |value| value.number(0.0..1.0)),
    }
}

fn point(value: &mut Value<'_>) -> Option<(f64, f64)> {
    let DeValue::Array(items) = value.value.get_ref() else { return value.mistyped("a list of `[loss, probability]`") };
    let [loss, probability] = &items[..] else { return value.mistyped("a list of `[loss, probability]`") };
    let loss = value.beside(loss).number(0.0..);
    Some((loss?, value.beside(probability).number(PROBABILITY)?))
}

pub(crate) fn budget(table: &mut Table<'_>) -> Budget {
    table.require_one_of(&["per_batch", "per_run"]);
    Budget {
        per_batch: table.optional("per_batch", |value| value.whole(1..)),
        per_run: table.optional("per_run", |value| value.whole(1..)),
    }
}

/// What is sampled at temperature 0 is the same every time.
pub(crate) fn refuse_sameness(table: &mut Table<'_>, call_human: &CallHuman, temperature: &Schedule) {
    if matches!(call_human, CallHuman::Disagreement(_)) && temperature.min() == 0.0 {
        let message = "at temperature 0 all of M's answers to a question are the same, so none disagrees";
        table.problem_at("temperature", message, "set it above 0, or let `call_human` go by `confidence`");
    }
}
