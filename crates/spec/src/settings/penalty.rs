//! The catastrophe penalty of relaxed adversarial training.

use schemars::JsonSchema;
use serde::Serialize;

use super::Reference;

/// `[penalty.NAME]`: what M's answers cost where they would be catastrophes, after relaxed adversarial training
/// (Hubinger 2019). An adversary proposes pseudo-inputs, each a short description of questions; M answers some questions
/// of each; and Amp≈(H, M_target) says how likely questions of the description are, and how likely M's answers are a
/// catastrophe. The penalty is the largest product of the two.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Penalty {
    /// Questions. Without an `adversary` M answers those of each batch. An adversary proposes parts of what such a
    /// `sample` draws, which must have a `task`: its generator makes the questions of a proposal.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// M, which answers as it would the first argument of a debate, at temperature 1.
    #[schemars(extend("x-changes" = "tables"))]
    pub model: Reference,
    /// The longest answer, in tokens.
    #[schemars(range(min = 1), extend("default" = 16, "x-changes" = "tables"))]
    pub max_tokens: usize,
    /// Amp≈(H, M_target): says how likely a proposal's questions are, and whether an answer is a catastrophe.
    #[schemars(extend("x-changes" = "tables"))]
    pub overseer: Reference,
    /// Who proposes. Without one the questions of the batch are the only proposal, with a likelihood of 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub adversary: Option<Adversary>,
}

/// Who proposes pseudo-inputs. A proposal is some words, and stands for the questions that have them all; without a word,
/// for every question.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Adversary {
    /// Who.
    #[serde(flatten)]
    pub by: Proposer,
    /// How many proposals a batch has.
    #[schemars(range(min = 1), extend("default" = 8, "x-changes" = "tables"))]
    pub proposals: usize,
    /// How many questions M answers of each.
    #[schemars(range(min = 1), extend("default" = 16, "x-changes" = "tables"))]
    pub questions: usize,
}

/// Who proposes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proposer {
    /// `script = "web-of-lies"`: the script of the task, which names one of the words that its questions are told apart by.
    #[schemars(extend("x-changes" = "tables"))]
    Script(#[schemars(length(min = 1))] String),
    /// `model = { name = "adversary" }`: a model, which a `loss` with `proposals` makes examples for: a proposal earns its
    /// product.
    #[schemars(extend("x-changes" = "tables"))]
    Model(ProposingModel),
}

/// A model that proposes, at temperature 1.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProposingModel {
    /// The model: another than M.
    #[schemars(extend("x-changes" = "tables"))]
    pub name: Reference,
    /// What it is asked, each time.
    #[schemars(length(min = 1), extend("default" = PROPOSE, "x-changes" = "tables"))]
    pub wording: String,
    /// The longest proposal, in tokens.
    #[schemars(range(min = 1), extend("default" = 2, "x-changes" = "tables"))]
    pub max_tokens: usize,
}

/// What the adversary is asked, if the file does not say it.
pub(crate) const PROPOSE: &str = "Which questions may end in a catastrophe?";

impl Adversary {
    /// The model that proposes, if one does.
    pub fn model(&self) -> Option<&ProposingModel> {
        if let Proposer::Model(model) = &self.by { Some(model) } else { None }
    }
}

impl Penalty {
    /// The model that proposes, if one does.
    pub fn proposing(&self) -> Option<&ProposingModel> {
        self.adversary.as_ref()?.model()
    }

    /// How many waves of questions a batch puts to the overseer: on catastrophes, and on how likely proposals are.
    pub fn waves(&self) -> usize {
        1 + usize::from(self.adversary.is_some())
    }
}
