//! H: given a question and what M has said so far, the next move.

use crate::{draw::Draw, question::Posed};

/// A sub-question that H asked, and what M said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exchange {
    /// The bare question that H asked.
    pub question: String,
    /// M's answer; `None` where H has no M to ask (H alone), or has asked as often as it may.
    pub answer: Option<String>,
}

/// What H does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Ask M these questions, in parallel.
    Ask(Vec<String>),
    /// Answer the question.
    Answer(String),
}

/// H. The only thing a human is given is the question and what M said: never gold, never a generator's state.
pub trait Human: Send + Sync {
    /// The next move on one question. `said` holds every exchange so far, in the order asked. `draw` is this
    /// question's own randomness, the same at every move, for guesses.
    fn next(&self, posed: &Posed, said: &[Exchange], draw: Draw) -> Move;
}
