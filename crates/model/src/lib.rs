//! A llama-form transformer: tokens in, tokens out. `llama.rs` is the model, to be read against its papers; `generate.rs`,
//! `tile.rs` and `sample.rs` answer with it; `inspect.rs` looks inside; `checkpoint.rs` writes it down. What trains it is the crate `train`.
//!
//! Beside it stands `bert.rs`, an encoder: a text in, a vector out. Nobody trains it.

mod bert;
mod checkpoint;
mod generate;
mod inspect;
mod llama;
mod numerics;
mod sample;
mod tile;
mod tokenizer;
mod weights;
mod workers;

pub use bert::Bert;
pub use checkpoint::CheckpointError;
pub use generate::{GenerateError, distributions, generate, score};
pub use inspect::{Inspected, inspect};
pub use llama::Llama;
pub use numerics::numerics;
pub use sample::{Generated, Sampling};
use spec::settings::Architecture;
pub use tokenizer::{Tokenizer, TokenizerError};
pub use weights::{Layout, Weights};
pub use workers::parallel;

/// M: a tokenizer and weights.
#[derive(Debug)]
pub struct Model {
    /// Text to tokens and back.
    pub tokenizer: Tokenizer,
    /// The parameters and their layout.
    pub weights: Weights,
    /// How often the weights were updated.
    pub version: u64,
}

impl Model {
    /// A model with fresh weights, a function of the seed alone. The width is a multiple of 8: the rows of a matrix are
    /// then aligned in memory, without which libtorch's last bits depend on where in it a row stands.
    pub fn new(architecture: Architecture, tokenizer: Tokenizer, seed: u64) -> Self {
        let layout = Layout { architecture, vocabulary: tokenizer.vocabulary() };
        Model { weights: Weights::new(layout, seed), tokenizer, version: 0 }
    }

    /// The sizes of the decoder.
    pub fn architecture(&self) -> &Architecture {
        &self.weights.layout.architecture
    }

    /// The same model in memory of its own.
    pub fn deep_copy(&self) -> Self {
        Model { tokenizer: self.tokenizer.clone(), weights: self.weights.deep_copy(), version: self.version }
    }
}
