//! What M can learn from a call: whether its answer is to be imitated, and which reward it earned.
//!
//! L = d(winner, M(its question)) + Σ_t d(argument_t, M(its question)) + d(sufficient_t, M(its question)), and the
//! debate reward on the tokens that M sampled on a side's behalf, which are never H's own words.

use crate::{
    judge::{Side, reward},
    question::Asked,
    trace::{Call, Part},
};
use spec::settings::{Credit, Imitate};

/// What one call teaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesson {
    /// Whether the answer is a target of the supervised loss.
    pub imitated: bool,
    /// The reward of the answer's tokens: null where they earned none, which is not 0.
    pub reward: Option<f32>,
}

/// The lesson of one call of a debate with this winner.
pub fn lesson(call: &Call, winner: Option<Side>, imitate: Imitate, credit: Credit) -> Lesson {
    let earns = match (call.asked, call.part) {
        (Asked::Argument, Part::First) => call.kept && credit.argument,
        // Words of H among them are nobody's sample.
        (Asked::Argument, Part::Sub) => credit.calls && call.sampled.is_some(),
        _ => false,
    };
    let imitated = match call.part {
        Part::Human => true,
        Part::First => call.kept && imitate == Imitate::All,
        Part::Adversary | Part::Again | Part::Sub | Part::Tool => false,
    };
    let reward = if earns { reward(winner, Side::at(call.turn)) } else { None };
    Lesson { imitated, reward }
}

/// Which model learns from calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learner {
    /// The only one that speaks.
    Only,
    /// The one that argues, where another answers H's sub-questions.
    Speaker,
    /// The one that answers them. Its targets are H's answers to bare questions, such as those are.
    Answerer,
}

impl Learner {
    /// Whether a call is one to learn from.
    pub fn learns_from(self, call: &Call) -> bool {
        match self {
            Learner::Only => true,
            Learner::Speaker => call.part != Part::Sub,
            Learner::Answerer => match call.part {
                Part::Sub => true,
                Part::Human => call.asked == Asked::Argument && call.turn == 0,
                Part::First | Part::Adversary | Part::Again | Part::Tool => false,
            },
        }
    }
}
