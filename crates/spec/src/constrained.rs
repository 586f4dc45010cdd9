//! Reading of a limit on the supervised loss: `combine = { constrained = … }` of `[loss.NAME]`.

use std::ops::Bound;

use crate::{
    settings::{Baseline, Constrained, Cpo, Lagrangian, Limit, Method, Schedule, Slack},
    table::Table,
    value::Value,
};

const ABOVE_ZERO: (Bound<f64>, Bound<f64>) = (Bound::Excluded(0.0), Bound::Unbounded);

pub(crate) fn constrained(table: &mut Table<'_>) -> Constrained {
    let stand_in = Method::Lagrangian(Lagrangian { step: Schedule::Constant(0.0), initial: 1.0 });
    let constrained = Constrained {
        method: table.one_of(
            stand_in,
            &[
                ("cpo", &|value| value.table(cpo).map(Method::Cpo)),
                ("lagrangian", &|value| value.table(lagrangian).map(Method::Lagrangian)),
            ],
        ),
        limit: table.required("limit", Limit::Nats(1.0), limit),
        from: table.or("from", 0, |value| value.whole(..)),
    };
    if let (Limit::Slack(_), 0) = (constrained.limit, constrained.from) {
        let message = "the constraint starts at batch 0, before which there is no L to take a baseline from";
        table.problem_at("limit", message, "let it start later, with `from`, or give the limit in nats: `limit = 0.8`");
    }
    constrained
}

fn cpo(table: &mut Table<'_>) -> Cpo {
    let part = (Bound::Excluded(0.0), Bound::Excluded(1.0));
    Cpo {
        kl: table.or("kl", Schedule::Constant(0.01), |value| value.schedule(ABOVE_ZERO)),
        damping: table.or("damping", 0.1, |value| value.number(ABOVE_ZERO)),
        iterations: table.or("iterations", 10, |value| value.whole(1..)),
        backtracks: table.or("backtracks", 10, |value| value.whole(..)),
        shrink: table.or("shrink", 0.8, |value| value.number(part)),
    }
}

fn lagrangian(table: &mut Table<'_>) -> Lagrangian {
    Lagrangian {
        step: table.required("step", Schedule::Constant(0.0), |value| value.schedule(0.0..)),
        initial: table.or("initial", 1.0, |value| value.number(ABOVE_ZERO)),
    }
}

/// Nats, or a part more than L was.
fn limit(value: &mut Value<'_>) -> Option<Limit> {
    if value.is_table() { value.table(slack).map(Limit::Slack) } else { value.number(ABOVE_ZERO).map(Limit::Nats) }
}

fn slack(table: &mut Table<'_>) -> Slack {
    Slack {
        baseline: table.required("baseline", Baseline::Start, |value| value.word(&[Baseline::Start])),
        slack: table.required("slack", 0.0, |value| value.number(0.0..)),
    }
}
