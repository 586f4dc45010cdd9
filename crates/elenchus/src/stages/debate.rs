//! `[debate.NAME]`: arguments on each question of the batch, and every call behind them.

use super::{
    Amplifier, note_usage,
    questions::{Question, questions, stop},
    samp::Held,
};
use crate::tables;
use batch::{Bundle, Stage, StageError, Unit, stages::errors};
use debate::{
    debate::{Argument, Row, Rules, Stopped, debate},
    draw::Draw,
    question::{Asked, yes},
    trace::{Call, calls},
};
use polars::prelude::*;
use spec::settings::{OnBadQuestion, Sufficient, Wording};

/// Debates the questions of each batch.
pub struct Debate {
    /// The stage's name.
    pub name: String,
    /// The table of questions.
    pub from: String,
    /// Amp≈(H, M).
    pub speaker: Amplifier,
    /// Amp≈(H, M_target).
    pub overseer: Amplifier,
    /// The fewest arguments.
    pub min_turns: usize,
    /// The most.
    pub max_turns: usize,
    /// Who says that an argument suffices.
    pub sufficient: Sufficient,
    /// What becomes of a question that cannot be debated.
    pub on_error: OnBadQuestion,
    /// How questions are worded.
    pub wording: Wording,
    /// The root of the stage's draws.
    pub draw: Draw,
}

impl Stage for Debate {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let (asked, refused) = questions(unit.table(&self.from)?)?;
        if let (OnBadQuestion::Fail, Some(first)) = (self.on_error, refused.first()) {
            return Err(stop(first));
        }
        let rows = rows(asked, self.draw);
        let speaking = self.speaker.samp.hold(unit)?;
        // Where the same Amp≈ argues and oversees, both pay from one purse.
        let apart = self.overseer.samp.name != self.speaker.samp.name;
        let overseeing = if apart { Some(self.overseer.samp.hold(unit)?) } else { None };
        let rules = Rules {
            speaker: self.speaker.approx(&self.wording, &speaking),
            overseer: self.overseer.approx(&self.wording, overseeing.as_ref().unwrap_or(&speaking)),
            min_turns: self.min_turns,
            max_turns: self.max_turns,
            sufficient: &self.sufficient,
            batch: unit.batch,
        };
        let mut m = self.speaker.answerer(unit)?;
        let mut target = self.overseer.answerer(unit)?;
        let debates = debate(&rules, &mut m, &mut target, &rows)?;
        let of_adversaries =
            [Some(&speaking), overseeing.as_ref()].map(|held| held.map(Held::usage).unwrap_or_default());
        note_usage(unit, &[[m.usage, target.usage], of_adversaries].concat());
        if !debates.is_empty() {
            let turns = debates.iter().map(|debate| debate.arguments.len()).sum::<usize>() as f64;
            unit.metric("length", turns / debates.len() as f64);
        }
        let mut arguments = Arguments::default();
        let mut trace: Vec<Call> = Vec::new();
        for debate in debates {
            let (id, last) = (debate.row.id, debate.arguments.len() - 1);
            for (turn, argument) in debate.arguments.into_iter().enumerate() {
                arguments.push(id, turn, &argument, (turn == last).then_some(debate.stopped));
                trace.extend(calls(id, Asked::Argument, turn, argument.answer));
                trace.extend(
                    argument.sufficient.into_iter().flat_map(|said| calls(id, Asked::Sufficient, turn + 1, said)),
                );
            }
        }
        unit.metric("human_calls", human_calls(&trace));
        speaking.settle(unit, &trace, |asked| asked == Asked::Argument || !apart);
        if let Some(overseeing) = overseeing {
            overseeing.settle(unit, &trace, |asked| asked == Asked::Sufficient);
        }
        let mut bundle = Bundle::from([
            (self.name.clone(), arguments.into_table()?),
            (format!("{}.calls", self.name), tables::from_calls(&trace)?),
        ]);
        if self.on_error == OnBadQuestion::Skip {
            unit.metric("errors", refused.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(&refused)?);
        }
        Ok(bundle)
    }
}

/// How often H was called.
pub fn human_calls(trace: &[Call]) -> f64 {
    trace.iter().filter(|call| call.part == debate::trace::Part::Human).count() as f64
}

/// Questions, each with the address of its debate's randomness.
pub fn rows(questions: Vec<Question>, draw: Draw) -> Vec<Row> {
    questions.into_iter().map(|Question { id, text, .. }| Row { id, question: text, draw: draw.at(id) }).collect()
}

/// The table of arguments, column by column.
#[derive(Default)]
struct Arguments {
    question: Vec<u64>,
    turn: Vec<u32>,
    text: Vec<String>,
    by: Vec<&'static str>,
    sufficient: Vec<Option<bool>>,
    stopped: Vec<Option<&'static str>>,
}

impl Arguments {
    fn push(&mut self, id: u64, turn: usize, argument: &Argument, stopped: Option<Stopped>) {
        self.question.push(id);
        self.turn.push(turn as u32);
        self.text.push(argument.answer.text().to_owned());
        self.by.push(if argument.answer.human.is_some() { "human" } else { "model" });
        self.sufficient.push(argument.sufficient.as_ref().map(|said| yes(said.text()) == Some(true)));
        self.stopped.push(stopped.map(Stopped::name));
    }

    fn into_table(self) -> PolarsResult<DataFrame> {
        DataFrame::new(
            self.question.len(),
            vec![
                Column::new("question".into(), self.question),
                Column::new("turn".into(), self.turn),
                Column::new("text".into(), self.text),
                Column::new("by".into(), self.by),
                Column::new("sufficient".into(), self.sufficient),
                Column::new("stopped".into(), self.stopped),
            ],
        )
    }
}
