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
    /// Who it is.
    #[serde(flatten)]
    pub who: Who,
    /// How a script asks its sub-questions.
    #[serde(skip_serializing_if = "Asks::is_default")]
    #[schemars(extend("x-default" = "at-once", "x-changes" = "tables"))]
    pub asks: Asks,
    /// Texts by which a question is one on which a script deceives: it asserts the other answer, and argues for that. A model
    /// that imitates it has a flaw planted in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("x-default" = "[]", "x-changes" = "tables"))]
    pub deceives: Vec<String>,
}

impl Human {
    /// The script, where it is one.
    pub fn script(&self) -> Option<&str> {
        if let Who::Script(script) = &self.who { Some(script) } else { None }
    }

    /// What stands in for another, where it does.
    pub fn understudy(&self) -> Option<&Understudy> {
        if let Who::Learned(understudy) = &self.who { Some(understudy) } else { None }
    }
}

/// Who answers as H.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// `script = "web-of-lies"`: a scripted human of the catalogue.
    #[schemars(extend("x-changes" = "tables"))]
    Script(#[schemars(length(min = 1))] String),
    /// `learned = { from = "expert", model = "imitator", share = 0.2 }`: H′, a model that learns the moves of another human
    /// and stands in for it.
    #[schemars(extend("x-changes" = "tables"))]
    Learned(Understudy),
}

/// How a script asks its sub-questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// `"at-once"`: all of them in one round.
    #[default]
    AtOnce,
    /// `"one-by-one"`: each in a round of its own, and none once a claim is refuted.
    OneByOne,
}

impl Asks {
    /// All of them.
    pub(crate) const ALL: [Asks; 2] = [Asks::AtOnce, Asks::OneByOne];

    fn is_default(&self) -> bool {
        *self == Asks::default()
    }
}

/// H′: a model that is given a question and what M has said so far, and says what H would do next, ask or answer (Christiano,
/// Shlegeris and Amodei 2018). It takes the likeliest words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Understudy {
    /// H: another human, whose moves it learns.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// The model. A `loss` that has this human under `steps_of` makes its examples, and a `train` stage trains it. A question,
    /// what was asked and heard, and a move must fit in its context; where they do not, H itself goes on, and in an
    /// evaluation nobody answers.
    #[schemars(extend("x-changes" = "tables"))]
    pub model: Reference,
    /// The share of the questions put to it that H itself answers, by a seeded draw each: those it learns from. An
    /// evaluation has it answer all.
    #[schemars(schema_with = "schedule::probability", extend("x-changes" = "tables"))]
    pub share: Schedule,
    /// The longest move, in tokens: its questions, or its answer.
    #[schemars(range(min = 1), extend("default" = 32, "x-changes" = "tables"))]
    pub max_tokens: usize,
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
    /// Who answers H's sub-questions in M's place: another model. A `loss` whose `train` stage has that model takes what it
    /// answered on a side's behalf, and as targets what H answered to bare questions; M's takes the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub answerer: Option<Reference>,
    /// How many times H may ask before it must answer, each time any number of sub-questions. Without it, as often as it
    /// likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 32), extend("x-changes" = "tables"))]
    pub rounds: Option<usize>,
    /// Who answers H's sub-questions: at 1, M; at k, H who may ask in turn, to a depth of k - 1 (HCH, Christiano 2016). Calls
    /// of H beneath the first are always made, and no part of a `budget`.
    #[serde(skip_serializing_if = "is_shallow")]
    #[schemars(range(min = 1, max = 64), extend("x-default" = "1", "x-changes" = "tables"))]
    pub depth: u32,
    /// Whether a sub-question that several questions rest on is answered for each of them, or once.
    #[serde(skip_serializing_if = "SubAnswers::is_default")]
    #[schemars(extend("x-default" = "own", "x-changes" = "tables"))]
    pub sub_answers: SubAnswers,
}

fn is_shallow(depth: &u32) -> bool {
    *depth == 1
}

/// For whom a sub-question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubAnswers {
    /// `"own"`: for the question on whose behalf it is asked; another that asks the same has an answer of its own.
    #[default]
    Own,
    /// `"shared"`: once for all questions of a wave. Its randomness follows from its text and depth, so an answer does not
    /// depend on who else asks; but all that rests on it errs together.
    Shared,
}

impl SubAnswers {
    /// All of them.
    pub(crate) const ALL: [SubAnswers; 2] = [SubAnswers::Own, SubAnswers::Shared];

    fn is_default(&self) -> bool {
        *self == SubAnswers::default()
    }
}

impl Amplify {
    /// The smallest and the largest propensity that a question can get.
    pub fn propensities(&self) -> (f64, f64) {
        let (least, most) = self.call_human.bounds();
        (if self.budget.is_some() { 0.0 } else { least }, most)
    }
}
