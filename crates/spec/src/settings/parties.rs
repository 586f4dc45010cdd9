//! Who answers: models, humans, and both together.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Budget, CallHuman, File, Reference, Schedule, schedule};

/// `[model.NAME]`: who answers, a transformer. M, or M_target, which follows M.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// `new = { … }`: a transformer with fresh weights.
    #[schemars(extend("x-changes" = "weights"))]
    New(Architecture),
    /// `copy_of = "agent"`: starts as a copy, and changes only through a `sync` stage.
    #[schemars(extend("x-changes" = "weights"))]
    CopyOf(Reference),
    /// `checkpoint = "runs/web-of-lies-1/checkpoints/000360/model.agent"`: starts with the weights of a folder in the layout
    /// of Hugging Face, and with its tokenizer, which is then that of all models of the pipeline. The folder has
    /// to stay for as long as the run is to be gone on with.
    #[schemars(extend("x-changes" = "weights"))]
    Checkpoint(File),
}

/// The sizes of a llama-form decoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Architecture {
    /// Decoder layers.
    #[schemars(range(min = 1), extend("x-changes" = "weights"))]
    pub layers: usize,
    /// Width of the residual stream, a multiple of 8.
    #[schemars(range(min = 1), extend("multipleOf" = 8, "x-changes" = "weights"))]
    pub width: usize,
    /// Attention heads; `width / heads` is even, because rotary embeddings turn pairs.
    #[schemars(range(min = 1), extend("x-changes" = "weights"))]
    pub heads: usize,
    /// The longest sequence in tokens, prompt and answer together; it stands in the model's own folder.
    #[schemars(range(min = 1), extend("x-changes" = "weights"))]
    pub context: usize,
    /// Width of the feed-forward layer. Default `4 * width`.
    #[schemars(range(min = 1), extend("x-default" = "4 * width", "x-changes" = "weights"))]
    pub feed_forward: usize,
}

/// `[human.NAME]`: H, who answers what the wave asks, and may consult M.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Human {
    /// `script = "web-of-lies"`: a scripted human of the catalogue.
    #[schemars(length(min = 1), extend("x-changes" = "tables"))]
    pub script: String,
}

/// `[amplify.NAME]`: Amp≈(H, M). M answers first, and H is called over its answer as Samp decides.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Amplify {
    /// M: a model.
    #[schemars(extend("x-changes" = "tables"))]
    pub model: Reference,
    /// H: a human.
    #[schemars(extend("x-changes" = "tables"))]
    pub human: Reference,
    /// Samp: when H is called over M's answer.
    #[schemars(extend("x-changes" = "tables"))]
    pub call_human: CallHuman,
    /// How many calls of H there may be. Stages that ask the same Amp≈ part it by how many waves of questions they put
    /// to it in a batch, and the waves of a stage take equal shares of what those before have left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub budget: Option<Budget>,
    /// Temperature at which M is sampled; 0 takes the likeliest token.
    #[schemars(schema_with = "schedule::not_negative", extend("default" = 1.0, "x-changes" = "tables"))]
    pub temperature: Schedule,
    /// The longest answer M may give, in tokens.
    #[schemars(range(min = 1), extend("default" = 16, "x-changes" = "tables"))]
    pub max_tokens: usize,
}

impl Amplify {
    /// The smallest and the largest propensity that a question can get.
    pub fn propensities(&self) -> (f64, f64) {
        let (least, most) = self.call_human.bounds();
        (if self.budget.is_some() { 0.0 } else { least }, most)
    }
}
