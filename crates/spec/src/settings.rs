//! What an experiment is made of, once its file has been read: every setting a user can make, its default and its
//! meaning. The names are those of the file, so that `pipelines/` reads like this page.

use crate::place::{Places, Span};

pub use crate::schedule::Schedule;

/// A thing of the file, `[kind.name]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T> {
    /// The key of its table.
    pub name: String,
    /// Where that key stands.
    pub span: Span,
    /// What the table says.
    pub settings: T,
}

/// A mention of another thing by its name, kept with its place until `plan` has resolved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name as written: `arguments`, or `arguments.calls` for one table of a bundle. Empty where the file lacks
    /// it: that is a problem found by reading, and not told twice.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// One experiment: a run is `batches` passes through all of its stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Every random number of a run is a function of this.
    pub seed: u64,
    /// How many batches a run has.
    pub batches: u64,
    /// How many threads compute on tensors, each on micro-batches or tiles of its own. Results do not depend on it.
    pub workers: usize,
    /// When weights and other states are written down.
    pub checkpoint: Checkpoint,
    /// `[model.NAME]`
    pub models: Vec<Named<Model>>,
    /// `[human.NAME]`
    pub humans: Vec<Named<Human>>,
    /// `[amplify.NAME]`
    pub amplifies: Vec<Named<Amplify>>,
    /// All stages, in the order of the file.
    pub stages: Vec<Named<Stage>>,
    /// Where each key stands.
    pub places: Places,
    /// Names of tables of an unknown kind: a problem found by reading, so that mentions of them are no further ones.
    pub unread: Vec<String>,
}

/// `[checkpoint]`
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// A checkpoint is written after every so many batches, and after the last. Default 50.
    pub every: u64,
    /// How many of the newest checkpoints are kept. Default 2.
    pub keep_last: usize,
    /// An `evaluate` stage whose accuracy picks one more checkpoint to keep.
    pub best: Option<Reference>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Checkpoint { every: 50, keep_last: 2, best: None }
    }
}

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

/// `[kind.name]` for the kinds that do work, batch by batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// `[sample.NAME]`
    Sample(Sample),
    /// `[debate.NAME]`
    Debate(Debate),
    /// `[judge.NAME]`
    Judge(Judge),
    /// `[loss.NAME]`
    Loss(Loss),
    /// `[train.NAME]`
    Train(Train),
    /// `[sync.NAME]`
    Sync(Sync),
    /// `[evaluate.NAME]`
    Evaluate(Evaluate),
}

impl Stage {
    /// The kind, as its table is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Stage::Sample(_) => "sample",
            Stage::Debate(_) => "debate",
            Stage::Judge(_) => "judge",
            Stage::Loss(_) => "loss",
            Stage::Train(_) => "train",
            Stage::Sync(_) => "sync",
            Stage::Evaluate(_) => "evaluate",
        }
    }
}

/// `[sample.NAME]`: questions for each batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Where they come from.
    pub questions: Questions,
    /// How many a batch has.
    pub rows: usize,
}

/// Where questions come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Questions {
    /// `task = { name = "web-of-lies", depth = [0, 4] }`: made as they are drawn.
    Task(Task),
    /// `files = ["…"]`: Parquet, JSON lines, or BIG-Bench JSON, drawn in order, over and over.
    Files(Vec<File>),
}

/// A file mentioned in the pipeline; relative paths start at the pipeline file's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// As written.
    pub path: String,
    /// Where it is written.
    pub span: Span,
}

/// A generator of questions.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// A name of the catalogue.
    pub name: String,
    /// The fewest and the most steps from a question to what is stated in it, drawn uniformly.
    pub depth: (u32, u32),
    /// Questions of so many words are never drawn, nor questions with such a part: keeps a test set out of training.
    pub exclude_words: Vec<u32>,
}

/// `[debate.NAME]`: arguments on each question, and whether they suffice.
#[derive(Debug, Clone, PartialEq)]
pub struct Debate {
    /// The questions.
    pub from: Reference,
    /// Who argues, on both sides: Amp≈(H, M).
    pub speaker: Reference,
    /// Who says whether an argument suffices: Amp≈(H, M_target).
    pub overseer: Reference,
    /// The most arguments a debate may have. Default 2.
    pub max_turns: usize,
    /// Whether "is it sufficient?" is asked. Default `"ask"`.
    pub sufficient: Sufficient,
    /// How the three questions of the procedure are worded.
    pub wording: Wording,
}

/// Who says that an argument suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sufficient {
    /// `"ask"`: the overseer is asked.
    Ask,
    /// `"always"`: every first argument suffices; nothing is debated.
    Always,
    /// `"never"`: every debate goes to `max_turns`.
    Never,
}

/// The wording of the questions put to M and H alike. `{question}` stands for Q and `{context}` for the arguments of
/// S so far; with S empty, the argument's wording is the bare question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// "What is the next argument you would give on Q in context S?" Default `"{question}{context}"`.
    pub argument: String,
    /// "Is argument_t a sufficient answer to Q in context S?"
    pub sufficient: String,
    /// "Were the even arguments in S more helpful than the odd arguments in answering Q?"
    pub winner: String,
}

impl Default for Wording {
    fn default() -> Self {
        Wording {
            argument: "{question}{context}".to_owned(),
            sufficient: "{question}{context}\nIs this a sufficient answer?".to_owned(),
            winner: "{question}{context}\nWere the even arguments more helpful?".to_owned(),
        }
    }
}

/// `[judge.NAME]`: who won each debate.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    /// The debate.
    pub from: Reference,
    /// Amp≈(H, M_target).
    pub by: Reference,
}

/// `[loss.NAME]`: which tokens are trained on, and how much.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// A debate and its judge.
    pub from: Vec<Reference>,
    /// d.
    pub distance: Distance,
    /// How the supervised loss and the debate reward combine.
    pub combine: Combine,
    /// Whose answers are imitated. Default `"human"`.
    pub imitate: Imitate,
    /// Which of M's tokens earn a side's reward. Default both.
    pub credit: Credit,
    /// Decay per batch of the running mean of the reward, kept per side, that is subtracted from it. Default 0.95.
    pub baseline_decay: f64,
}

/// The natural-language distance d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// `"cross-entropy"`: of the tokens of the target under M.
    CrossEntropy,
}

/// How the supervised loss L and the reward J become one objective.
#[derive(Debug, Clone, PartialEq)]
pub enum Combine {
    /// `{ weighted = { alpha = … } }`: (1 − α)·L − α·J.
    Weighted {
        /// α in [0, 1].
        alpha: Schedule,
    },
}

/// Whose answers M imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imitate {
    /// `"human"`: only what H answered.
    Human,
    /// `"all"`: L as the paper writes it, M's own kept answers among the targets.
    All,
}

/// Which of the tokens that M sampled on a side's behalf earn its reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// `"argument"`: arguments of M that Samp kept.
    pub argument: bool,
    /// `"calls"`: M's answers to H's sub-questions.
    pub calls: bool,
}

/// `[train.NAME]`: gradient steps on one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// The loss.
    pub from: Reference,
    /// M.
    pub model: Reference,
    /// The optimizer.
    pub adamw: AdamW,
    /// Optimizer steps per batch, each on an equal share of its debates. Default 1.
    pub steps: usize,
    /// Sequences in one forward and backward pass, of similar length. Default 32.
    pub micro_batch: usize,
}

/// `adamw = { … }`: Loshchilov & Hutter 2019.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    /// Step size.
    pub learning_rate: Schedule,
    /// Decay rates of the two moments, each in [0, 1). Default `[0.9, 0.98]`.
    pub betas: (f64, f64),
    /// Added to the root of the second moment. Default 1e-8.
    pub epsilon: f64,
    /// Decoupled weight decay. Default 0.
    pub weight_decay: f64,
    /// The gradient is scaled down to this norm; 0 leaves it alone. Default 1.
    pub clip: f64,
}

impl AdamW {
    /// The defaults, at a learning rate.
    pub fn new(learning_rate: Schedule) -> Self {
        AdamW { learning_rate, betas: (0.9, 0.98), epsilon: 1e-8, weight_decay: 0.0, clip: 1.0 }
    }
}

/// `[sync.NAME]`: one model follows another.
#[derive(Debug, Clone, PartialEq)]
pub struct Sync {
    /// The stage after which it happens.
    pub after: Reference,
    /// Followed.
    pub from_model: Reference,
    /// Following.
    pub to_model: Reference,
    /// How.
    pub follow: Follow,
}

/// How M_target follows M.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Follow {
    /// `polyak = 0.9`: target = 0.9·target + 0.1·model, after every batch.
    Polyak(f64),
    /// `every = 10`: a copy after every tenth batch.
    Every(u64),
}

/// `[evaluate.NAME]`: how often the answers are right, on questions with gold answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluate {
    /// The stage after which it happens.
    pub after: Reference,
    /// Held-out questions.
    pub questions: Questions,
    /// How many questions: of a generator, or the first of the files. Default 500.
    pub count: usize,
    /// Amp≈(H, M), whose model and human are evaluated.
    pub of: Reference,
    /// What is evaluated. Default all three.
    pub rows: Vec<Row>,
    /// After every so many batches, and after the last. Default: after the last.
    pub every: Option<u64>,
    /// A judge whose verdicts are compared with the gold answers of the questions debated.
    pub verdicts: Option<Reference>,
}

/// Who answers in an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// `"naive"`: M alone, likeliest tokens.
    Naive,
    /// `"human"`: H alone.
    Human,
    /// `"amplified"`: H who may consult M.
    Amplified,
}
