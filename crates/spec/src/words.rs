//! Settings that are one of a few words: the same list reads them and writes them.

use crate::settings::{CallHuman, Distance, Imitate, Row, Sufficient};

/// The words of a setting, and what each stands for.
pub(crate) type Words<T> = &'static [(&'static str, T)];

pub(crate) const CALL_HUMAN: Words<CallHuman> = &[("always", CallHuman::Always), ("never", CallHuman::Never)];

pub(crate) const SUFFICIENT: Words<Sufficient> =
    &[("ask", Sufficient::Ask), ("always", Sufficient::Always), ("never", Sufficient::Never)];

pub(crate) const DISTANCE: Words<Distance> = &[("cross-entropy", Distance::CrossEntropy)];

pub(crate) const IMITATE: Words<Imitate> = &[("human", Imitate::Human), ("all", Imitate::All)];

pub(crate) const ROW: Words<Row> = &[("naive", Row::Naive), ("human", Row::Human), ("amplified", Row::Amplified)];

/// What earns reward: the argument itself, or the calls it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earner {
    Argument,
    Calls,
}

pub(crate) const EARNER: Words<Earner> = &[("argument", Earner::Argument), ("calls", Earner::Calls)];
