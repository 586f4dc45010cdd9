//! Who answers: models, humans, and both together.

use super::Reference;

/// `[model.NAME]`
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// `new = { … }`: a transformer with fresh weights.
    New(Architecture),
    /// `copy_of = "agent"`: starts as a copy, and changes only through a `sync` stage.
    CopyOf(Reference),
}

/// The sizes of a llama-form decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// Decoder layers.
    pub layers: usize,
    /// Width of the residual stream, a multiple of 8.
    pub width: usize,
    /// Attention heads; `width / heads` is even, because rotary embeddings turn pairs.
    pub heads: usize,
    /// The longest sequence in tokens, prompt and answer together.
    pub context: usize,
    /// Width of the feed-forward layer. Default `4 * width`.
    pub feed_forward: usize,
}

/// `[human.NAME]`: H, who answers what the wave asks, and may consult M.
#[derive(Debug, Clone, PartialEq)]
pub struct Human {
    /// `script = "web-of-lies"`: a scripted human of the catalogue.
    pub script: String,
}

/// `[amplify.NAME]`: Amp≈(H, M).
#[derive(Debug, Clone, PartialEq)]
pub struct Amplify {
    /// M.
    pub model: Reference,
    /// H.
    pub human: Reference,
    /// Samp.
    pub call_human: CallHuman,
    /// Temperature at which M is sampled; 0 takes the likeliest token. Default 1.
    pub temperature: f64,
    /// The longest answer M may give, in tokens. Default 16.
    pub max_tokens: usize,
}

/// Samp: when H is called over M's answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CallHuman {
    /// `"always"`
    Always,
    /// `"never"`
    Never,
    /// `{ probability = 0.3 }`, in [0, 1].
    Probability(f64),
}
