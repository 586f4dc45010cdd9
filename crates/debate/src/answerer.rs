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

/// An answer to look into: what M was asked, and what was said to it, by M or by H.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The question as it was put.
    pub prompt: String,
    /// What the answer had to begin with; `None` where it was free.
    pub begin: Option<String>,
    /// The answer.
    pub text: String,
    /// The tokens behind it, where M sampled it. H's words become tokens as M reads them.
    pub sampled: Option<Sampled>,
}

/// What goes on in M as it reads a question and comes to an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inside {
    /// The natural logarithm of the probability of each token of the answer, at temperature 1.
    pub log_probs: Vec<f32>,
    /// The entropy of the distribution at each of them, in nats.
    pub entropies: Vec<f32>,
    /// Whether the first of them is the likeliest token after each layer, first to last.
    pub leads: Vec<bool>,
    /// The tokens of the question, control tokens left out, each with the attention on it where the first token of the
    /// answer is chosen: the mean over all heads of all layers.
    pub attention: Vec<(String, f32)>,
    /// The residual stream after the last layer, where the last token of the answer is chosen.
    pub hidden: Vec<f32>,
}

/// Why M could not answer.
pub type AnswererError = Box<dyn std::error::Error + Send + Sync>;

/// M. Each wave is one call, and is never empty.
pub trait Answerer {
    /// One answer for each prompt, in order, that begins as it must. That beginning is part of its text.
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError>;

    /// For each prompt, in order, every one of some answers, with the log-probability that M gives each of its tokens at
    /// temperature 1, the end token among them. An M that gives nothing but texts cannot tell.
    fn score(&mut self, _wave: &[Prompt], _answers: &[&str]) -> Result<Vec<Vec<Answer>>, AnswererError> {
        Err("this model does not say how likely it finds an answer: leave `reply` at \"text\"".into())
    }

    /// What goes on in M as it comes to each of some answers, in order. Into an M that gives nothing but texts nobody can
    /// look.
    fn look_inside(&mut self, _wave: &[Evidence]) -> Result<Vec<Inside>, AnswererError> {
        Err("nobody can look into this model: leave tools to \"resampling\" and \"consistency\"".into())
    }

    /// Whether a prompt leaves room for an answer.
    fn fits(&self, _prompt: &Prompt) -> bool {
        true
    }
}
