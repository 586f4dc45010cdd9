//! The procedure, stage by stage: questions, debate, judging, loss, training, weight sync, evaluation.

use super::{Reference, Schedule};
use crate::place::Span;

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
