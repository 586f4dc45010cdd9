//! M: answers a wave of questions at once.

use crate::draw::Draw;

/// A question as text, and where its answer's randomness comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What is asked.
    pub text: String,
    /// What the answer must begin with; `None` where it is free.
    pub begin: Option<String>,
    /// The address of the answer's random numbers.
    pub draw: Draw,
}

/// M's answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// As text, for people and scripts.
    pub text: String,
    /// As it was sampled, for training: text is never tokenised a second time.
    pub sampled: Sampled,
}

/// The tokens behind an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampled {
    /// Token ids of the prompt, control tokens included, and of what the answer had to begin with: nobody sampled that.
    pub prompt: Vec<u32>,
    /// Token ids of the answer, with the end token where it was reached.
    pub tokens: Vec<u32>,
    /// The sampler's log-probability of each token of the answer, in nats.
    pub log_probs: Vec<f32>,
    /// The version of M's weights: how many batches had trained them.
    pub version: u64,
}

/// Why M could not answer.
pub type AnswererError = Box<dyn std::error::Error + Send + Sync>;

/// M. Each wave is one call, and is never empty.
pub trait Answerer {
    /// One answer for each prompt, in order, that begins as it must. That beginning is part of its text.
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError>;
}
