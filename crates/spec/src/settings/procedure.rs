//! The procedure, stage by stage, without the debate: questions, judging, loss, training, weight sync, evaluation.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{Files, Kl, Normalise, OnBadQuestion, Order, Policy, Reference, Schedule, Share, schedule, tables};
use crate::place::Span;

/// `[sample.NAME]`: questions for each batch.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    /// Where they come from.
    #[serde(flatten)]
    pub questions: Questions,
    /// How many a batch has.
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub rows: usize,
    /// The order in which rows of files are drawn.
    #[serde(skip_serializing_if = "Order::is_default")]
    #[schemars(extend("x-default" = "sequential", "x-changes" = "tables"))]
    pub order: Order,
    /// What becomes of a row of files that is no question: one that cannot be read, or whose text is null. A stop comes
    /// before the first batch; `NAME.errors` has what was skipped in the first batch.
    #[serde(skip_serializing_if = "OnBadQuestion::is_default")]
    #[schemars(extend("x-default" = "fail", "x-changes" = "tables"))]
    pub on_error: OnBadQuestion,
    /// Questions that must not be drawn: those of a test set.
    #[serde(serialize_with = "tables::short_if_any", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "tables::paths_or_table", extend("x-default" = "none", "x-changes" = "tables"))]
    pub exclude: Option<Files>,
}

/// Where questions come from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Questions {
    /// `task = { name = "web-of-lies", depth = [0, 4] }`: made as they are drawn.
    Task(Task),
    /// `files = ["…"]`: rows of files, over and over where the run has more batches than they fill.
    #[schemars(extend("x-changes" = "tables"))]
    Files(
        #[serde(serialize_with = "tables::short")]
        #[schemars(schema_with = "tables::paths_or_table")]
        Files,
    ),
    /// `mixture = [{ weight = 3, files = ["…"] }, { weight = 1, task = { … } }]`: each question from one of them.
    #[schemars(extend("x-changes" = "tables"))]
    Mixture(#[schemars(length(min = 1))] Vec<Share>),
}

/// A file mentioned in the pipeline. Relative paths start at the folder of the file that says it, and those of a `--set`
/// at the working directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct File {
    /// Its path, from the folder where it starts.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// A generator of questions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Task {
    /// A name of the catalogue: `elenchus list` shows it.
    #[schemars(length(min = 1), extend("x-changes" = "tables"))]
    pub name: String,
    /// The fewest and the most steps from a question to what is stated in it, drawn uniformly.
    #[schemars(extend("x-changes" = "tables"))]
    pub depth: (u32, u32),
    /// Questions of so many words are never drawn, nor questions with such a part: keeps a test set out of training.
    #[schemars(inner(range(min = 1)), extend("default" = [], "x-changes" = "tables"))]
    pub exclude_words: Vec<u32>,
}

/// `[judge.NAME]`: who won each debate.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Judge {
    /// The debate.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// Who judges: Amp≈(H, M_target).
    #[schemars(extend("x-changes" = "tables"))]
    pub by: Reference,
}

/// `[loss.NAME]`: which tokens are trained on, and how much.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Loss {
    /// A debate and its judge.
    #[schemars(schema_with = "super::one_or_some", extend("x-changes" = "tables"))]
    pub from: Vec<Reference>,
    /// d, the distance between two answers.
    #[schemars(extend("default" = "cross-entropy", "x-changes" = "tables"))]
    pub distance: Distance,
    /// How the supervised loss and the debate reward combine.
    pub combine: Combine,
    /// Whose answers are imitated.
    #[schemars(extend("default" = "human", "x-changes" = "tables"))]
    pub imitate: Imitate,
    /// What a target of imitation counts.
    #[serde(skip_serializing_if = "Weight::is_default")]
    #[schemars(extend("x-default" = "one", "x-changes" = "tables"))]
    pub weight: Weight,
    /// Which of the tokens that M sampled on a side's behalf earn its reward.
    #[serde(serialize_with = "earners")]
    #[schemars(with = "Vec<Earner>", extend("default" = ["argument", "calls"], "x-changes" = "tables"))]
    pub credit: Credit,
    /// Decay per batch of the running mean of the reward, kept per side, that is subtracted from it; and of that of d,
    /// where M trains on a distance of texts.
    #[schemars(schema_with = "schedule::decay", extend("default" = 0.95, "x-changes" = "tables"))]
    pub baseline_decay: Schedule,
}

/// The natural-language distance d. All but cross-entropy are numbers of two texts, 0 for the same and 1 at most. M
/// trains on these by the score function (Williams 1992): where H was called over M's first answer, the tokens of that
/// answer earn the running mean of d less its own d.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// `"cross-entropy"`: of the tokens of the target under M.
    CrossEntropy,
    /// `"exact"`: 0 where M's answer says the same but for spaces, otherwise 1.
    Exact,
    /// `"edit"`: letters inserted, deleted and replaced, over those of the longer answer; spaces do not count
    /// (Levenshtein 1966).
    Edit,
    /// `"chrf"`: 1 less the F of sequences of up to 6 letters, in which recall weighs twice (Popović 2015).
    Chrf,
    /// `"bleu"`: 1 less the sentence's BLEU, of sequences of up to 4 words, smoothed where none match (Chen & Cherry
    /// 2014).
    Bleu,
}

impl Distance {
    /// All of them.
    pub(crate) const ALL: [Distance; 5] =
        [Distance::CrossEntropy, Distance::Exact, Distance::Edit, Distance::Chrf, Distance::Bleu];

    /// Whether it is a number of two texts, which has no gradient in M's tokens.
    pub fn is_of_texts(self) -> bool {
        self != Distance::CrossEntropy
    }
}

/// How the supervised loss L and the reward J become one objective.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// `{ weighted = { alpha = … } }`: (1 − α)·L − α·J.
    Weighted {
        /// α in [0, 1].
        #[schemars(schema_with = "schedule::probability", extend("x-changes" = "tables"))]
        alpha: Schedule,
    },
    /// `{ reward = { beta = … } }`: J alone, with what d costs taken off what M's answers earn. A side's reward is less
    /// β times the mean d of the debate's questions that H answered; an answer of M over which H was called costs β
    /// times its d.
    Reward {
        /// β, at least 0.
        #[schemars(schema_with = "schedule::not_negative", extend("x-changes" = "tables"))]
        beta: Schedule,
    },
}

impl Combine {
    /// The first of so many batches in which the debate reward counts.
    pub fn rewards_from(&self, batches: u64) -> Option<u64> {
        match self {
            Combine::Weighted { alpha } => alpha.first_above_zero(batches),
            Combine::Reward { .. } => Some(0).filter(|batch| *batch < batches),
        }
    }
}

/// Whose answers M imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Imitate {
    /// `"human"`: only what H answered.
    Human,
    /// `"all"`: L as the paper writes it, M's own kept answers among the targets.
    All,
}

/// What a target of imitation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// `"one"`: each the same.
    One,
    /// `"propensity"`: 1/propensity, so that those whom Samp seldom takes to H stand for others like them. Over a fixed
    /// list of posed questions the weighted sum of distances has the expectation that it has where H is always called,
    /// if no propensity is 0 (Horvitz & Thompson 1952). A step divides it by the tokens, counted alike.
    Propensity,
}

impl Weight {
    pub(crate) fn is_default(&self) -> bool {
        *self == Weight::One
    }
}

/// What earns reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Earner {
    /// `"argument"`: arguments of M that Samp kept.
    Argument,
    /// `"calls"`: M's answers to H's sub-questions.
    Calls,
}

/// Which of the tokens that M sampled on a side's behalf earn its reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// Whether arguments do.
    pub argument: bool,
    /// Whether calls do.
    pub calls: bool,
}

/// The names of what is credited.
fn earners<S: Serializer>(credit: &Credit, serializer: S) -> Result<S::Ok, S::Error> {
    let earners = [(credit.argument, Earner::Argument), (credit.calls, Earner::Calls)];
    serializer.collect_seq(earners.iter().filter(|(earns, _)| *earns).map(|(_, earner)| earner))
}

/// `[train.NAME]`: gradient steps on one model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Train {
    /// The loss.
    #[schemars(extend("x-changes" = "weights"))]
    pub from: Reference,
    /// M.
    #[schemars(extend("x-changes" = "weights"))]
    pub model: Reference,
    /// The optimizer.
    pub adamw: AdamW,
    /// What stands for advantage times log-probability in answers that earned a reward.
    #[serde(skip_serializing_if = "Policy::is_default")]
    #[schemars(extend("x-default" = "reinforce", "x-changes" = "weights"))]
    pub policy: Policy,
    /// What a token of such an answer counts.
    #[serde(skip_serializing_if = "Normalise::is_default")]
    #[schemars(extend("x-default" = "token", "x-changes" = "weights"))]
    pub normalise: Normalise,
    /// What a nat of the entropy of M's distribution earns, per token of such an answer; 0 leaves it out.
    #[serde(skip_serializing_if = "Schedule::is_zero")]
    #[schemars(schema_with = "schedule::not_negative", extend("x-default" = "0", "x-changes" = "weights"))]
    pub entropy: Schedule,
    /// What keeps M near another model at the tokens of such an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "weights"))]
    pub kl: Option<Kl>,
    /// Optimizer steps per batch, each on an equal share of its debates.
    #[schemars(range(min = 1), extend("default" = 1, "x-changes" = "weights"))]
    pub steps: usize,
    /// Sequences in one forward and backward pass, of similar length. Another number rounds otherwise.
    #[schemars(range(min = 1), extend("default" = 32, "x-changes" = "weights"))]
    pub micro_batch: usize,
}

/// `adamw = { … }`: Loshchilov & Hutter 2019.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AdamW {
    /// Step size.
    #[schemars(schema_with = "schedule::not_negative", extend("x-changes" = "weights"))]
    pub learning_rate: Schedule,
    /// Decay rates of the two moments, of the gradient and of its square, each in [0, 1).
    #[schemars(schema_with = "decays", extend("default" = [0.9, 0.98], "x-changes" = "weights"))]
    pub betas: (Schedule, Schedule),
    /// Added to the root of the second moment.
    #[schemars(schema_with = "schedule::positive", extend("default" = 1e-8, "x-changes" = "weights"))]
    pub epsilon: Schedule,
    /// Decoupled weight decay.
    #[schemars(schema_with = "schedule::not_negative", extend("default" = 0.0, "x-changes" = "weights"))]
    pub weight_decay: Schedule,
    /// The gradient is scaled down to this norm; 0 leaves it alone.
    #[schemars(schema_with = "schedule::not_negative", extend("default" = 1.0, "x-changes" = "weights"))]
    pub clip: Schedule,
}

/// The schema of two decay rates.
fn decays(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": schedule::decay(generator), "minItems": 2, "maxItems": 2 })
}

impl AdamW {
    /// The defaults, at a learning rate.
    pub fn new(learning_rate: Schedule) -> Self {
        AdamW {
            learning_rate,
            betas: (Schedule::Constant(0.9), Schedule::Constant(0.98)),
            epsilon: Schedule::Constant(1e-8),
            weight_decay: Schedule::Constant(0.0),
            clip: Schedule::Constant(1.0),
        }
    }
}

/// `[sync.NAME]`: one model follows another.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sync {
    /// The stage after which it happens.
    #[schemars(extend("x-changes" = "weights"))]
    pub after: Reference,
    /// The model that is followed.
    #[schemars(extend("x-changes" = "weights"))]
    pub from_model: Reference,
    /// The model that follows.
    #[schemars(extend("x-changes" = "weights"))]
    pub to_model: Reference,
    /// How.
    #[serde(flatten)]
    pub follow: Follow,
}

/// How M_target follows M.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// `polyak = 0.9`: target = 0.9·target + 0.1·model, after every batch.
    #[schemars(extend("x-changes" = "weights"))]
    Polyak(#[schemars(schema_with = "schedule::decay")] Schedule),
    /// `every = 10`: a copy after every tenth batch.
    #[schemars(extend("x-changes" = "weights"))]
    Every(#[schemars(range(min = 1))] u64),
}

/// `[evaluate.NAME]`: how often the answers are right, on questions with gold answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Evaluate {
    /// The stage after which it happens.
    #[schemars(extend("x-changes" = "tables"))]
    pub after: Reference,
    /// Held-out questions.
    pub questions: Questions,
    /// How many questions: of a generator, or the first of the files.
    #[schemars(range(min = 1), extend("default" = 500, "x-changes" = "tables"))]
    pub count: usize,
    /// Amp≈(H, M), whose model and human are evaluated.
    #[schemars(extend("x-changes" = "tables"))]
    pub of: Reference,
    /// What is evaluated.
    #[schemars(length(min = 1), extend("default" = ["naive", "human", "amplified"], "x-changes" = "tables"))]
    pub rows: Vec<Row>,
    /// After every so many batches, and after the last. Default: after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-changes" = "tables"))]
    pub every: Option<u64>,
    /// A judge whose verdicts are compared with the gold answers of the questions debated, and who with the debate that
    /// it judges makes the rows that need them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub verdicts: Option<Reference>,
}

/// Who answers in an evaluation. In each, M gives its likeliest tokens, and H is always called. The last four are made by
/// the debate and the judge of `verdicts`: M, the debate's, argues, and Amp(H, M_target), the judge's, decides between
/// the two answers of its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// `"naive"`: M alone, likeliest tokens.
    Naive,
    /// `"human"`: H alone.
    Human,
    /// `"amplified"`: H who may consult M.
    Amplified,
    /// `{ hch = 2 }`: H who may consult H and so on, to this depth, at which H consults M; 1 is `"amplified"` (Christiano
    /// 2016).
    Hch(#[schemars(range(min = 1, max = 64))] u32),
    /// `"debate"`: M argues on both sides; the answer of the side that wins.
    Debate,
    /// `"no-transcript"`: the judge decides between the two answers without an argument for either.
    NoTranscript,
    /// `"consultancy"`: M argues for one of the two answers, drawn at random; the other one where the judge rejects it.
    Consultancy,
    /// `"expert"`: M argues for the gold answer; the other one where the judge rejects it. How often the judge can be
    /// brought to the truth.
    Expert,
}

impl Evaluate {
    /// The judge whose debates it asks for too, if it has rows that take one.
    pub fn judging(&self) -> Option<&Reference> {
        self.verdicts.as_ref().filter(|_| self.rows.iter().any(|row| row.is_judged()))
    }
}

impl Row {
    /// Those that are one word.
    pub const WORDS: [Row; 7] =
        [Row::Naive, Row::Human, Row::Amplified, Row::Debate, Row::NoTranscript, Row::Consultancy, Row::Expert];

    /// Whether it takes a debate and its judge.
    pub fn is_judged(self) -> bool {
        matches!(self, Row::Debate | Row::NoTranscript | Row::Consultancy | Row::Expert)
    }

    /// Its name in tables and metrics.
    pub fn name(self) -> String {
        match self {
            Row::Naive => "naive".to_owned(),
            Row::Human => "human".to_owned(),
            Row::Amplified => "amplified".to_owned(),
            Row::Hch(depth) => format!("hch-{depth}"),
            Row::Debate => "debate".to_owned(),
            Row::NoTranscript => "no-transcript".to_owned(),
            Row::Consultancy => "consultancy".to_owned(),
            Row::Expert => "expert".to_owned(),
        }
    }
}
