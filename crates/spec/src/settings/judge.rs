//! The judge, and what a run is watched for.

use schemars::JsonSchema;
use serde::Serialize;

use super::Reference;

/// `[judge.NAME]`: who won each debate.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Judge {
    /// The debate.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// Who judges: Amp≈(H, M_target).
    #[schemars(extend("x-changes" = "tables"))]
    pub by: Reference,
    /// How M_target gives its verdict. H, where it is called over that, gives its own in words.
    #[serde(skip_serializing_if = "Reply::is_default")]
    #[schemars(extend("x-default" = "text", "x-changes" = "tables"))]
    pub reply: Reply,
    /// In which order the two sides of a debate are shown to the judge.
    #[serde(skip_serializing_if = "Sees::is_default")]
    #[schemars(extend("x-default" = "given", "x-changes" = "tables"))]
    pub sees: Sees,
    /// How many answers are asked for in each order, by draws of their own. The verdict is that of most; where as many are
    /// for each side, there is none.
    #[serde(skip_serializing_if = "super::is_one")]
    #[schemars(range(min = 1), extend("x-default" = "1", "x-changes" = "tables"))]
    pub repeats: usize,
}

/// How a judge's model says who won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// `"text"`: in words, of which the first counts.
    Text,
    /// `"choice"`: one of the two verdicts, drawn by how likely it finds each as a whole, at the temperature of its Amp≈;
    /// at 0 the likelier one. The probability is kept.
    Choice,
}

impl Reply {
    fn is_default(&self) -> bool {
        *self == Reply::Text
    }
}

/// In which order a judge is shown the sides of a debate. Whose an argument is stands beside it in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// `"given"`: as they argued.
    Given,
    /// `"random"`: as they argued or, by a draw for each debate, of each two arguments the odd side's first.
    Random,
    /// `"both"`: each debate is judged in both orders. Where these disagree, the side wins that M finds likelier over both, if
    /// both verdicts are its own choice; otherwise nobody does.
    Both,
}

impl Sees {
    fn is_default(&self) -> bool {
        *self == Sees::Given
    }
}

impl Judge {
    /// How many answers it asks for on a debate.
    pub fn answers(&self) -> usize {
        self.repeats * if self.sees == Sees::Both { 2 } else { 1 }
    }
}

/// `[watch]`: when a run says that its debates die out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Watch {
    /// The share of a judge's debates without a reward, from which on a batch counts.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-default" = "0.9", "x-changes" = "warnings"))]
    pub null_rewards: f64,
    /// How many such batches in a row. A number above that of the run's batches keeps it silent.
    #[schemars(range(min = 1), extend("x-default" = "20", "x-changes" = "warnings"))]
    pub batches: u64,
}

impl Watch {
    pub(crate) fn is_default(&self) -> bool {
        *self == Watch::default()
    }
}

impl Default for Watch {
    fn default() -> Self {
        Watch { null_rewards: 0.9, batches: 20 }
    }
}
