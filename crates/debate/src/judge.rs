//! The verdict: "Were the even arguments in S more helpful than the odd arguments in answering Q?"

use crate::{
    amplify::{Amplified, Approx, HumanAnswer, Open, WaveError, amplify},
    answerer::Answerer,
    cost::Cost,
    debate::{Row, open},
    human::Human,
    question::{Asked, yes},
};
use spec::settings::Wording;

/// A side of a debate: the arguments at its even turns, or those at its odd turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Turns 0, 2, …
    Even,
    /// Turns 1, 3, …
    Odd,
}

impl Side {
    /// The side whose turn it is.
    pub fn at(turn: usize) -> Self {
        if turn.is_multiple_of(2) { Side::Even } else { Side::Odd }
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Side::Even => "even",
            Side::Odd => "odd",
        }
    }
}

/// A debate as a judge is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The question.
    pub row: Row,
    /// S, oldest first.
    pub arguments: Vec<String>,
}

/// Who won.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The judge's answer; `None` for a single argument, of which it is not asked.
    pub answer: Option<Amplified>,
    /// The winner; `None` where the judge was not asked, or said neither yes nor no.
    pub winner: Option<Side>,
}

impl Verdict {
    /// The debate reward of a side: +1 for the winner, −1 for the loser, null (never 0) where nobody won.
    pub fn reward(&self, side: Side) -> Option<f32> {
        reward(self.winner, side)
    }
}

/// The debate reward of a side, given the winner.
pub fn reward(winner: Option<Side>, side: Side) -> Option<f32> {
    winner.map(|winner| if winner == side { 1.0 } else { -1.0 })
}

/// Judges a batch of debates, all of them in one wave.
pub fn judge(
    overseer: &Approx<'_>,
    target: &mut dyn Answerer,
    transcripts: &[Transcript],
) -> Result<Vec<Verdict>, WaveError> {
    let debated = |transcript: &&Transcript| transcript.arguments.len() > 1;
    let wave: Vec<Open> = transcripts
        .iter()
        .filter(debated)
        .map(|transcript| open(&transcript.row, Asked::Winner, transcript.arguments.clone()))
        .collect();
    let mut answers = overseer.answer(target, &wave)?.into_iter();
    let verdict = |transcript: &Transcript| {
        let answer = if debated(&transcript) { answers.next() } else { None };
        let even = answer.as_ref().and_then(|answer| yes(answer.text()));
        Verdict { winner: even.map(|even| if even { Side::Even } else { Side::Odd }), answer }
    };
    Ok(transcripts.iter().map(verdict).collect())
}

/// Whether Amp(H, M_target), where H is always asked, finds for the even side of each context, with what that cost; `None`
/// where it says neither yes nor no. A single argument is accepted or rejected. All are asked in one wave.
pub fn finds_for_even(
    human: &dyn Human,
    target: &mut dyn Answerer,
    wording: &Wording,
    asked: Asked,
    transcripts: &[Transcript],
) -> Result<Vec<(Option<bool>, Cost)>, WaveError> {
    let wave: Vec<Open> =
        transcripts.iter().map(|transcript| open(&transcript.row, asked, transcript.arguments.clone())).collect();
    let answers = amplify(human, Some(target), wording, &wave)?;
    let found = |answer: HumanAnswer| (yes(&answer.text), answer.cost());
    Ok(answers.into_iter().map(found).collect())
}
