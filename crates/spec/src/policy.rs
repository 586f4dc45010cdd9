//! Reading of what trains on rewarded answers: `policy` and `kl` of `[train.NAME]`.

use std::ops::Bound;

use crate::{
    settings::{Importance, Kl, Policy, Ppo, Schedule},
    table::Table,
    value::Value,
};

/// What stands for advantage times log-probability, in one word or with a bound.
pub(crate) fn policy(value: &mut Value<'_>) -> Option<Policy> {
    if value.is_table() {
        return value.table(bounded);
    }
    match value.text()?.as_str() {
        "reinforce" => Some(Policy::Reinforce),
        other => value.unknown(other, ["reinforce", "{ ppo = { clip = 0.2 } }", "{ importance = { truncate = 2.0 } }"]),
    }
}

fn bounded(table: &mut Table<'_>) -> Policy {
    table.one_of(
        Policy::Reinforce,
        &[
            ("ppo", &|value| value.table(ppo).map(Policy::Ppo)),
            ("importance", &|value| value.table(importance).map(Policy::Importance)),
        ],
    )
}

fn ppo(table: &mut Table<'_>) -> Ppo {
    let within = (Bound::Excluded(0.0), Bound::Excluded(1.0));
    Ppo { clip: table.or("clip", 0.2, |value| value.number(within)) }
}

fn importance(table: &mut Table<'_>) -> Importance {
    let above = (Bound::Excluded(0.0), Bound::Unbounded);
    Importance { truncate: table.or("truncate", 2.0, |value| value.number(above)) }
}

pub(crate) fn kl(table: &mut Table<'_>) -> Kl {
    Kl {
        to: table.reference("to"),
        weight: table.required("weight", Schedule::Constant(0.0), |value| value.schedule(0.0..)),
    }
}
