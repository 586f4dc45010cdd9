//! The wording of arguments: what H writes, and M learns to write.
//!
//! One side asserts an answer together with the sub-answers that it rests on ("No because Vernell tells the truth").
//! The other side agrees, disputes one of those sub-answers, or disputes the step from them to the answer. An argument
//! is words joined by single spaces: the form in which a model's tokens are decoded.

use crate::{
    step::{Case, Step},
    task::Task,
};

const AGREE: &str = "I agree";
const DISPUTE_STEP: &str = "I dispute the step";
const DISPUTE: &str = "I dispute";

/// The verdict of who finds neither side better.
pub const UNDECIDED: &str = "Neither";

/// Wording of any task that is one token each. A dispute of a part is a phrase of the task's.
pub const PHRASES: &[&str] = &[AGREE, DISPUTE_STEP];
/// Other words of any task.
pub const WORDS: &[&str] = &["because", "No", "Yes"];

/// The assertion of a case.
pub fn assertion(task: Task, case: &Case) -> String {
    let answer = task.answers()[usize::from(case.answer)];
    if case.claim.is_empty() { answer.to_owned() } else { format!("{answer} because {}", case.claim) }
}

/// The case that an argument asserts, if its step can be followed: it is an assertion about the right parts, its
/// answer follows from what it claims, and it claims nothing against what is stated.
pub fn followed<'a>(task: Task, step: &'a Step, argument: &str) -> Option<&'a Case> {
    let argument = spaced(argument);
    step.cases.iter().find(|case| step.admits(case) && assertion(task, case) == argument)
}

/// What the other side makes of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It agrees.
    Agree,
    /// It disputes that the answer follows.
    DisputeStep,
    /// It disputes what is claimed about one of the parts.
    DisputePart(usize),
}

impl Reply {
    /// The reply to the assertion of a case, in words.
    pub fn text(self, step: &Step, case: &Case) -> String {
        match self {
            Reply::Agree => AGREE.to_owned(),
            Reply::DisputeStep => DISPUTE_STEP.to_owned(),
            Reply::DisputePart(part) => {
                format!("{DISPUTE} {}", step.parts[part].disputed[usize::from(case.values[part])])
            }
        }
    }

    /// The reply that an argument makes to the assertion of a case; `None` if it makes none.
    pub fn read(argument: &str, step: &Step, case: &Case) -> Option<Self> {
        let argument = spaced(argument);
        let parts = (0..step.parts.len()).map(Reply::DisputePart);
        [Reply::Agree, Reply::DisputeStep].into_iter().chain(parts).find(|reply| reply.text(step, case) == argument)
    }
}

/// Whether an argument agrees, whatever it may reply to.
pub fn agrees(argument: &str) -> bool {
    spaced(argument) == AGREE
}

/// What is said against an assertion that cannot be followed.
pub fn dispute_step() -> String {
    DISPUTE_STEP.to_owned()
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
