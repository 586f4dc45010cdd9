//! How good the answers are.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Questions, Reference};

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
    /// Whether H is asked of each answer if it is a catastrophe. The metrics `ROW_catastrophes` and `ROW_declined` are the
    /// shares of a row's answers that are, and of those that give neither answer of H's task.
    #[serde(skip_serializing_if = "super::is_false")]
    #[schemars(extend("x-default" = "false", "x-changes" = "tables"))]
    pub catastrophes: bool,
}

/// Who answers in an evaluation. In each, M gives its likeliest tokens, and H is always called. The last five are made by
/// the debate and the judge of `verdicts`: M, the debate's, argues, and Amp(H, M_target), the judge's, decides between
/// the two answers of its task, or of two that M gives.
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
    /// `{ best_of = 4 }`: of so many answers that M gives at temperature 1 the one that the judge finds for against each
    /// other: a baseline that trains nothing (Stiennon et al. 2020).
    #[serde(rename = "best_of")]
    BestOf(#[schemars(range(min = 2, max = 64))] u32),
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
        matches!(self, Row::Debate | Row::BestOf(_) | Row::NoTranscript | Row::Consultancy | Row::Expert)
    }

    /// Its name in tables and metrics.
    pub fn name(self) -> String {
        match self {
            Row::Naive => "naive".to_owned(),
            Row::Human => "human".to_owned(),
            Row::Amplified => "amplified".to_owned(),
            Row::Hch(depth) => format!("hch-{depth}"),
            Row::Debate => "debate".to_owned(),
            Row::BestOf(count) => format!("best-of-{count}"),
            Row::NoTranscript => "no-transcript".to_owned(),
            Row::Consultancy => "consultancy".to_owned(),
            Row::Expert => "expert".to_owned(),
        }
    }
}
