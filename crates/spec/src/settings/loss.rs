//! What is trained on: the distance between answers, and how it and the debate's reward become one objective.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Constrained, File, Price, Reference, Schedule, price, schedule};

/// `[loss.NAME]`: which tokens are trained on, and how much.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Loss {
    /// A debate, its judge, and perhaps a penalty.
    #[schemars(schema_with = "super::one_or_some", extend("x-changes" = "tables"))]
    pub from: Vec<Reference>,
    /// An Amp≈ whose `call_human` is `learned`: examples for its Adv, the model that predicts whether H would say what M
    /// said. Each answer that H gave over M's makes one that says yes, and weighs 1 − d, and one that says no, and weighs
    /// d, by a `distance` of texts; that is "exact" then if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub predict: Option<Reference>,
    /// Examples for the adversary of the penalty in `from`, which is all that it takes: what each of its proposals earns is
    /// the product less the mean of the batch's, divided by what `scale` says, times α.
    #[serde(skip_serializing_if = "super::is_false")]
    #[schemars(extend("x-default" = "false", "x-changes" = "tables"))]
    pub proposals: bool,
    /// What a catastrophe costs where the reward of a debate is 1: the weight of the penalty in `from`. M's answers to the
    /// proposal with the largest product cost its likelihood times their probability of a catastrophe, less the mean of that
    /// over these answers. 0 leaves it out. Instead of a weight it may be a limit on their share of catastrophes, which sets
    /// the weight from batch to batch: `{ lagrangian = { … } }`.
    #[serde(skip_serializing_if = "Price::is_zero")]
    #[schemars(schema_with = "price::price", extend("x-default" = "0", "x-changes" = "tables"))]
    pub penalty: Price,
    /// A human that is `learned`: examples for the model that stands in for H. Each move that H itself made is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub steps_of: Option<Reference>,
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
    /// What is subtracted from a reward.
    #[serde(skip_serializing_if = "BaselineOf::is_default")]
    #[schemars(extend("x-default" = "side", "x-changes" = "tables"))]
    pub baseline: BaselineOf,
    /// What is left of a reward, under `baseline = "group"` or of a proposal, is divided by.
    #[serde(skip_serializing_if = "Scale::is_default")]
    #[schemars(extend("x-default" = "none", "x-changes" = "tables"))]
    pub scale: Scale,
    /// Decay per batch of the running mean of the reward, kept per side, that is subtracted from it; and of that of d,
    /// where M trains on a distance of texts.
    #[schemars(schema_with = "schedule::decay", extend("default" = 0.95, "x-changes" = "tables"))]
    pub baseline_decay: Schedule,
}

impl Loss {
    /// Whether M is what learns from it, what it says in debates: neither the Adv of a Samp, nor the adversary of a penalty, nor
    /// what stands in for H.
    pub fn is_of_m(&self) -> bool {
        self.predict.is_none() && !self.proposals && self.steps_of.is_none()
    }

    /// Whether it is of what was said, and not of what an Adv or what stands in for H learns of that.
    pub fn is_of_words(&self) -> bool {
        self.predict.is_none() && self.steps_of.is_none()
    }

    /// Whether M trains on what its own answers cost: not where a distance of texts is what is to be predicted.
    pub fn is_of_costs(&self) -> bool {
        self.distance.is_of_texts() && self.is_of_m()
    }
}

/// The natural-language distance d. All but the first two are numbers of two texts, 0 for the same and 1 at most. M
/// trains on these by the score function (Williams 1992): where H was called over M's first answer, the tokens of that
/// answer earn the running mean of d less its own d.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// `"cross-entropy"`: of the tokens of the target under M.
    CrossEntropy,
    /// `"kl"`: KL(H's distribution‖M's) of each token of the target, where a model that stands in for H gave it in a debate
    /// or to a judge (Hinton et al. 2015); cross-entropy where H itself did, and of what is said to a penalty's questions.
    Kl,
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
    /// `{ embedding = { folder = "…" } }`: 1 less the cosine of the two answers' vectors, at most 1, by an encoder of
    /// the BERT family (Reimers & Gurevych 2019).
    Embedding(Embedding),
}

/// What turns an answer into a vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Embedding {
    /// A folder of the BERT or RoBERTa family in the layout of Hugging Face: `config.json`, `model.safetensors`, and
    /// `tokenizer.json` or `vocab.txt`. A text's vector is the mean of its tokens' last hidden states. The folder has
    /// to stay for as long as the run is to be gone on with.
    #[schemars(extend("x-changes" = "tables"))]
    pub folder: File,
}

impl Distance {
    /// Whether it is a number of two texts, which has no gradient in M's tokens.
    pub fn is_of_texts(&self) -> bool {
        !matches!(self, Distance::CrossEntropy | Distance::Kl)
    }

    /// Whether it takes the distributions of whoever answered.
    pub fn is_of_distributions(&self) -> bool {
        *self == Distance::Kl
    }

    /// The folder of the encoder that it goes by, if it goes by one.
    pub fn folder(&self) -> Option<&File> {
        match self {
            Distance::Embedding(embedding) => Some(&embedding.folder),
            _ => None,
        }
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

/// What is subtracted from a reward: what was to be expected of it, whatever the call said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaselineOf {
    /// `"side"`: the running mean of the side's reward.
    Side,
    /// `"depth"`: the same, kept apart by how many arguments were given before the call, and one more for an answer to a
    /// sub-question of H. Of a depth that earned nothing so far, that of the side.
    Depth,
    /// `"group"`: the mean of the side's reward over the batch's debates on the same question; see `repeat` in a
    /// `sample`. A debate whose group came to the same throughout earns nothing (Shao et al. 2024).
    Group,
}

impl BaselineOf {
    pub(crate) fn is_default(&self) -> bool {
        *self == BaselineOf::Side
    }
}

/// What the reward less the mean of its group is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// `"none"`: by nothing (Liu et al. 2025).
    None,
    /// `"std"`: by the standard deviation of the group's rewards (Shao et al. 2024), so that the one that won or lost alone
    /// counts more.
    Std,
}

impl Scale {
    pub(crate) fn is_default(&self) -> bool {
        *self == Scale::None
    }
}

impl Loss {
    /// The keys by which it says something of what is subtracted from rewards.
    pub fn of_reward(&self) -> Vec<&'static str> {
        let said = [("baseline", !self.baseline.is_default()), ("scale", !self.scale.is_default())];
        said.into_iter().filter(|(_, said)| *said).map(|(key, _)| key).collect()
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
