//! Reading of `[penalty.NAME]`, and of what a catastrophe costs: `penalty` of `[loss.NAME]`.

use std::ops::Bound;

use crate::{
    parties::script,
    schedule::{cosine, exponential},
    settings::{Adversary, PROPOSE, Penalty, PenaltyLimit, Price, Proposer, ProposingModel, Schedule},
    table::Table,
    value::Value,
};

const ABOVE_ZERO: (Bound<f64>, Bound<f64>) = (Bound::Excluded(0.0), Bound::Unbounded);

/// `[penalty.NAME]`
pub(crate) fn penalty(table: &mut Table<'_>) -> Penalty {
    Penalty {
        from: table.reference("from"),
        model: table.reference("model"),
        max_tokens: table.or("max_tokens", 16, |value| value.whole(1..)),
        overseer: table.reference("overseer"),
        adversary: table.optional("adversary", |value| value.table(adversary)),
    }
}

fn adversary(table: &mut Table<'_>) -> Adversary {
    Adversary {
        by: table.one_of(
            Proposer::Script(String::new()),
            &[
                ("script", &|value| script(value).map(Proposer::Script)),
                ("model", &|value| value.table(model).map(Proposer::Model)),
            ],
        ),
        proposals: table.or("proposals", 8, |value| value.whole(1..)),
        questions: table.or("questions", 16, |value| value.whole(1..)),
    }
}

fn model(table: &mut Table<'_>) -> ProposingModel {
    ProposingModel {
        name: table.reference("name"),
        wording: table.or("wording", PROPOSE.to_owned(), |value| value.text()),
        max_tokens: table.or("max_tokens", 2, |value| value.whole(1..)),
    }
}

/// A weight, or a limit that sets it.
pub(crate) fn price(value: &mut Value<'_>) -> Option<Price> {
    let has = |key: &str| value.value.get_ref().as_table().is_some_and(|keys| keys.contains_key(key));
    let waits = has("after") || has("points");
    if value.is_table() && (has("lagrangian") || !waits) {
        return value.table(by_key);
    }
    value.schedule(0.0..).map(Price::Weight)
}

/// A table says by its key whether it is a limit, or a shape of a weight.
fn by_key(table: &mut Table<'_>) -> Price {
    let shaped = |shape| Price::Weight(Schedule::Shape(shape));
    table.one_of(
        Price::Weight(Schedule::Constant(0.0)),
        &[
            ("lagrangian", &|value| value.table(limit).map(|lagrangian| Price::Limited { lagrangian })),
            ("cosine", &|value| cosine(value, 0.0..).map(shaped)),
            ("exponential", &|value| exponential(value, 0.0..).map(shaped)),
        ],
    )
}

fn limit(table: &mut Table<'_>) -> PenaltyLimit {
    table.require("initial");
    let initial = table.optional("initial", |value| value.number(ABOVE_ZERO));
    let limit = PenaltyLimit {
        limit: table.required("limit", 0.0, |value| value.number(0.0..1.0)),
        step: table.required("step", Schedule::Constant(0.0), |value| value.schedule(0.0..)),
        initial: initial.unwrap_or(1.0),
        bounds: table.or("bounds", PenaltyLimit::BOUNDS, |value| value.pair(|bound| bound.number(ABOVE_ZERO))),
    };
    let (least, most) = limit.bounds;
    if least > most {
        let message = format!("`bounds` go from the least that λ may be to the most, and {least} is above {most}");
        table.problem_at("bounds", message, "write `bounds = [LEAST, MOST]`");
    } else if initial.is_some_and(|initial| !(least..=most).contains(&initial)) {
        let message = format!("λ begins with {}, which is not between {least} and {most}", limit.initial);
        let help = "let λ begin between its `bounds`, or give others: `bounds = [LEAST, MOST]`";
        table.problem_at("initial", message, help);
    }
    limit
}
