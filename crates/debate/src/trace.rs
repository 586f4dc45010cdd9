//! The trace of a batch: one record for every call to M or H, as it is kept in tables.

use crate::{
    amplify::Amplified,
    answerer::{Answer, Sampled},
    debate::{Argument, Voice},
    question::Asked,
};

/// What a call was for, within one answer of Amp≈(H, M).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// M's own answer, given first.
    First,
    /// A further answer of M, which Samp holds against the first.
    Again,
    /// M's answer to a sub-question of H.
    Sub,
    /// H's answer.
    Human,
}

impl Part {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Part::First => "first",
            Part::Again => "again",
            Part::Sub => "sub",
            Part::Human => "human",
        }
    }
}

/// One call to M or H.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The id of the question debated.
    pub question: u64,
    /// Which question of the procedure was being answered.
    pub asked: Asked,
    /// Arguments before it was asked: for `Argument` its own turn, otherwise one past the last argument's.
    pub turn: usize,
    /// Who argued, for `Argument` in a debate; whoever else is asked has no voice in it.
    pub voice: Option<Voice>,
    /// What the answer had to begin with; `None` where it was free.
    pub held: Option<String>,
    /// What the call was for.
    pub part: Part,
    /// Its place among M's further answers, or among H's sub-questions.
    pub place: usize,
    /// The text asked.
    pub prompt: String,
    /// The text answered.
    pub answer: String,
    /// Whether this is the answer that counts.
    pub kept: bool,
    /// The probability that H was called; `None` for a further answer and a sub-answer.
    pub propensity: Option<f64>,
    /// The tokens, where M answered.
    pub sampled: Option<Sampled>,
}

/// The calls behind an argument, and behind what was said of whether it suffices.
pub fn argued(question: u64, turn: usize, argument: Argument) -> Vec<Call> {
    let Argument { answer, voice, held, sufficient } = argument;
    let argued = |call: Call| {
        // H's sub-questions are answered freely.
        let held = held.filter(|_| call.part != Part::Sub).map(str::to_owned);
        Call { voice: Some(voice), held, ..call }
    };
    let doubted = sufficient.into_iter().flat_map(|said| calls(question, Asked::Sufficient, turn + 1, said));
    calls(question, Asked::Argument, turn, answer).into_iter().map(argued).chain(doubted).collect()
}

/// The calls behind one answer, in the order they were made.
pub fn calls(question: u64, asked: Asked, turn: usize, answer: Amplified) -> Vec<Call> {
    let Amplified { prompt, first, again, propensity, human } = answer;
    let model = |part, place, prompt: String, answer: Answer, kept, propensity| Call {
        question,
        asked,
        turn,
        voice: None,
        held: None,
        part,
        place,
        prompt,
        answer: answer.text,
        kept,
        propensity,
        sampled: Some(answer.sampled),
    };
    let mut calls = vec![model(Part::First, 0, prompt.clone(), first, human.is_none(), Some(propensity))];
    for (place, again) in again.into_iter().enumerate() {
        calls.push(model(Part::Again, place, prompt.clone(), again, false, None));
    }
    let Some(human) = human else { return calls };
    for (place, sub) in human.calls.into_iter().enumerate() {
        calls.push(model(Part::Sub, place, sub.prompt, sub.answer, false, None));
    }
    calls.push(Call {
        question,
        asked,
        turn,
        voice: None,
        held: None,
        part: Part::Human,
        place: 0,
        prompt,
        answer: human.text,
        kept: true,
        propensity: Some(propensity),
        sampled: None,
    });
    calls
}
