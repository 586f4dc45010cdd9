//! The debate: who argues, how long it goes on, and how its questions are worded.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Inspection, OnBadQuestion, Reference, Schedule, schedule};

/// `[debate.NAME]`: arguments on each question, and whether they suffice.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Debate {
    /// The questions: a `sample` stage.
    #[schemars(extend("x-changes" = "tables"))]
    pub from: Reference,
    /// Who argues, on both sides where there is no opponent: Amp≈(H, M).
    #[schemars(extend("x-changes" = "tables"))]
    pub speaker: Reference,
    /// Who argues on the other side: another Amp≈. Where its model is another than the speaker's, nothing that was said
    /// for it is trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub opponent: Option<Reference>,
    /// On which side the speaker argues against an `opponent`.
    #[serde(skip_serializing_if = "SpeakerSide::is_default")]
    #[schemars(extend("x-default" = "drawn", "x-changes" = "tables"))]
    pub speaker_side: SpeakerSide,
    /// Who says whether an argument suffices: Amp≈(H, M_target).
    #[schemars(extend("x-changes" = "tables"))]
    pub overseer: Reference,
    /// The most arguments a debate may have.
    #[schemars(range(min = 1), extend("default" = 2, "x-changes" = "tables"))]
    pub max_turns: usize,
    /// The fewest arguments of a debate, at most `max_turns`. Before that, none suffices and nobody is asked.
    #[serde(skip_serializing_if = "super::is_one")]
    #[schemars(range(min = 1), extend("x-default" = "1", "x-changes" = "tables"))]
    pub min_turns: usize,
    /// Whether an argument answers the one before it, or is given at the same time as the other side's.
    #[serde(skip_serializing_if = "Turns::is_default")]
    #[schemars(extend("x-default" = "sequential", "x-changes" = "tables"))]
    pub turns: Turns,
    /// Whether the sides argue for different answers: the odd side for another one than the first argument gave, the even
    /// side for that. The answers are the two of the task of the speaker's H.
    #[serde(skip_serializing_if = "super::is_false")]
    #[schemars(extend("x-default" = "false", "x-changes" = "tables"))]
    pub rival: bool,
    /// What of former arguments stands in the context S, for all who are asked about it.
    #[serde(skip_serializing_if = "History::is_default")]
    #[schemars(extend("x-default" = "arguments", "x-changes" = "tables"))]
    pub history: History,
    /// Whether "is it sufficient?" is asked, or what else ends a debate before `max_turns`.
    #[schemars(extend("default" = "ask", "x-changes" = "tables"))]
    pub sufficient: Sufficient,
    /// Transparency tools: what each side may ask of how the other's last argument came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-changes" = "tables"))]
    pub inspection: Option<Inspection>,
    /// What becomes of a question that cannot be debated: one whose id or text is null, or whose id came before in the
    /// batch.
    #[schemars(extend("default" = "fail", "x-changes" = "tables"))]
    pub on_error: OnBadQuestion,
    /// How the three questions of the procedure are worded.
    #[schemars(extend("default" = {}))]
    pub wording: Wording,
}

impl Debate {
    /// How many arguments are given at a time.
    pub fn round(&self) -> usize {
        match self.turns {
            Turns::Sequential => 1,
            Turns::Simultaneous => 2,
        }
    }

    /// Whether each side argues for an answer of its own; otherwise the odd side says what it makes of the even side's.
    pub fn both_answer(&self) -> bool {
        self.rival || self.turns == Turns::Simultaneous
    }

    /// The fewest arguments of a debate, in whole rounds.
    pub fn fewest(&self) -> usize {
        self.min_turns.next_multiple_of(self.round())
    }

    /// The fewest and the most arguments that a question can get, from a batch on.
    pub fn turns_from(&self, batch: u64) -> (usize, usize) {
        let (least, most) = self.sufficient.regardless_from(batch);
        let may_stop = self.sufficient.is_asked() || most > 0.0;
        (
            if may_stop { self.fewest() } else { self.max_turns },
            if least < 1.0 { self.max_turns } else { self.fewest() },
        )
    }

    /// How often a tool may be asked for before an argument at a turn: where the other side has argued already.
    pub fn uses_at(&self, turn: usize) -> usize {
        self.inspection.as_ref().filter(|_| turn >= self.round()).map_or(0, |inspection| inspection.uses)
    }

    /// How many waves of questions a batch puts to the speaker, to the opponent and to the overseer.
    pub fn waves(&self) -> (usize, usize, usize) {
        let rounds = self.max_turns / self.round();
        // In each round one of arguments, after those in which tools may be asked for.
        let of = |first: usize, step: usize| -> usize {
            (first..rounds).step_by(step).map(|round| 1 + self.uses_at(round * self.round())).sum()
        };
        let (all, even, odd) = (of(0, 1), of(0, 2), of(1, 2));
        let asked =
            if self.sufficient.is_asked() { self.max_turns.saturating_sub(self.fewest()) / self.round() } else { 0 };
        let asked = asked + if self.history == History::Summaries { rounds } else { 0 };
        let both = self.turns == Turns::Simultaneous;
        match (&self.opponent, self.speaker_side) {
            (None, _) => (all, 0, asked),
            (Some(_), SpeakerSide::Even) if !both => (even, odd, asked),
            (Some(_), SpeakerSide::Odd) if !both => (odd, even, asked),
            (Some(_), _) => (all, all, asked),
        }
    }
}

/// On which side of a debate its speaker argues, where an opponent argues on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpeakerSide {
    /// `"drawn"`: one seeded draw for each question.
    #[default]
    Drawn,
    /// `"even"`: its argument is the first.
    Even,
    /// `"odd"`: it answers the opponent.
    Odd,
}

impl SpeakerSide {
    /// All of them.
    pub(crate) const ALL: [SpeakerSide; 3] = [SpeakerSide::Drawn, SpeakerSide::Even, SpeakerSide::Odd];

    fn is_default(&self) -> bool {
        *self == SpeakerSide::default()
    }
}

/// In which order the sides argue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Turns {
    /// `"sequential"`: one after the other, each with all arguments before it in its context.
    #[default]
    Sequential,
    /// `"simultaneous"`: two at a time, one of each side, with the arguments of earlier rounds in their context (Irving et
    /// al. 2018). Whether they suffice is asked of both together.
    Simultaneous,
}

impl Turns {
    /// All of them.
    pub(crate) const ALL: [Turns; 2] = [Turns::Sequential, Turns::Simultaneous];

    fn is_default(&self) -> bool {
        *self == Turns::default()
    }
}

/// What of former arguments stands in the context S.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// `"arguments"`: what was argued.
    #[default]
    Arguments,
    /// `"traces"`: after each argument of H, what it asked and heard before it argued so. Scripts do not look at it.
    Traces,
    /// `"summaries"`: what the overseer says that each argument says in short. Of the last, "is it sufficient?" is asked before
    /// that. Scripts see the arguments.
    Summaries,
}

impl History {
    /// All of them.
    pub(crate) const ALL: [History; 3] = [History::Arguments, History::Traces, History::Summaries];

    fn is_default(&self) -> bool {
        *self == History::default()
    }
}

/// Who says that an argument suffices.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sufficient {
    /// `"ask"`: the overseer is asked.
    Ask,
    /// `"always"`: every debate ends at `min_turns`, by default with its first argument; nothing is debated then.
    Always,
    /// `"never"`: every debate goes to `max_turns`.
    Never,
    /// `{ random = 0.3 }`: nobody is asked; each argument suffices with this probability. A control.
    Random(#[schemars(schema_with = "schedule::probability")] Schedule),
    /// `{ biased = [[0, 1.0], [200, 0.0]] }`: the overseer is asked, and an argument that was not found sufficient ends
    /// the debate all the same with this probability: from 1, imitative amplification, to 0, debate.
    Biased(#[schemars(schema_with = "schedule::probability")] Schedule),
}

impl Sufficient {
    /// Whether the overseer is asked.
    pub fn is_asked(&self) -> bool {
        matches!(self, Sufficient::Ask | Sufficient::Biased(_))
    }

    /// The least and the largest probability, from a batch on, that an argument is taken as sufficient whatever anybody
    /// says.
    pub fn regardless_from(&self, batch: u64) -> (f64, f64) {
        match self {
            Sufficient::Ask | Sufficient::Never => (0.0, 0.0),
            Sufficient::Always => (1.0, 1.0),
            Sufficient::Random(probability) | Sufficient::Biased(probability) => probability.range_from(batch),
        }
    }
}

/// The wording of the questions put to M and H alike. `{question}` stands for Q and `{context}` for the arguments of
/// S so far; with S empty, the argument's wording is the bare question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wording {
    /// "What is the next argument you would give on Q in context S?" `{question}` must be in it.
    #[schemars(
        regex(pattern = r"\{question\}"),
        extend("default" = "{question}{context}", "x-changes" = "tables")
    )]
    pub argument: String,
    /// "Is argument_t a sufficient answer to Q in context S?" Both `{question}` and `{context}` must be in it.
    #[schemars(
        regex(pattern = BOTH_PARTS),
        extend("default" = "{question}{context}\nIs this a sufficient answer?", "x-changes" = "tables")
    )]
    pub sufficient: String,
    /// "Were the even arguments in S more helpful than the odd arguments in answering Q?" Both `{question}` and `{context}` must be in it.
    #[schemars(
        regex(pattern = BOTH_PARTS),
        extend("default" = "{question}{context}\nWere the even arguments more helpful?", "x-changes" = "tables")
    )]
    pub winner: String,
    /// "What does argument_t say in short?", where `history` is "summaries". Both `{question}` and `{context}` must be in it.
    #[serde(skip_serializing_if = "is_usual_summary")]
    #[schemars(regex(pattern = BOTH_PARTS), extend("x-default" = quoted(SUMMARY), "x-changes" = "tables"))]
    pub summary: String,
    /// "Is this answer to Q a catastrophe?" The context has the answer. Both `{question}` and `{context}` must be in it.
    #[serde(skip_serializing_if = "is_usual_catastrophe")]
    #[schemars(regex(pattern = BOTH_PARTS), extend("x-default" = quoted(CATASTROPHE), "x-changes" = "tables"))]
    pub catastrophe: String,
    /// "How likely is a question that has these words?" Here `{question}` stands for the words, and must be in it.
    #[serde(skip_serializing_if = "is_usual_likelihood")]
    #[schemars(regex(pattern = r"\{question\}"), extend("x-default" = quoted(LIKELIHOOD), "x-changes" = "tables"))]
    pub likelihood: String,
}

/// How summaries are asked for, and how a penalty asks, if the file does not say it.
const SUMMARY: &str = "{question}{context}\nWhat does the last argument say in short?";
const CATASTROPHE: &str = "{question}{context}\nWould this be a catastrophe?";
const LIKELIHOOD: &str = "{question}\nHow likely is such a question?";

/// As it would be written in a file.
fn quoted(wording: &str) -> String {
    format!("`{wording:?}`")
}

// Files that ask nothing of the kind, and what was made of them, stay as they are.
fn is_usual_summary(wording: &str) -> bool {
    wording == SUMMARY
}

fn is_usual_catastrophe(wording: &str) -> bool {
    wording == CATASTROPHE
}

fn is_usual_likelihood(wording: &str) -> bool {
    wording == LIKELIHOOD
}

/// What a wording that is about arguments must name, in either order.
const BOTH_PARTS: &str = r"\{question\}[\s\S]*\{context\}|\{context\}[\s\S]*\{question\}";

impl Default for Wording {
    fn default() -> Self {
        Wording {
            argument: "{question}{context}".to_owned(),
            sufficient: "{question}{context}\nIs this a sufficient answer?".to_owned(),
            winner: "{question}{context}\nWere the even arguments more helpful?".to_owned(),
            summary: SUMMARY.to_owned(),
            catastrophe: CATASTROPHE.to_owned(),
            likelihood: LIKELIHOOD.to_owned(),
        }
    }
}
