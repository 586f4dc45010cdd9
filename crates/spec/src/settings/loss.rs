//! What is trained on: the distance between answers, and how it and the debate's reward become one objective.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Constrained, Reference, Schedule, schedule};

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
    /// `{ constrained = { cpo = {}, limit = 0.8, from = 300 } }`: J as large as can be while L stays within a limit.
    Constrained(Constrained),
}

impl Combine {
    /// The first of so many batches in which the debate reward counts.
    pub fn rewards_from(&self, batches: u64) -> Option<u64> {
        match self {
            Combine::Weighted { alpha } => alpha.first_above_zero(batches),
            Combine::Reward { .. } => Some(0).filter(|batch| *batch < batches),
            Combine::Constrained(constrained) => Some(constrained.from).filter(|batch| *batch < batches),
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
