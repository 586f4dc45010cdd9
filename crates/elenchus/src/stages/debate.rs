//! `[debate.NAME]`: arguments on each question of the batch, and every call behind them.

use super::{
    Amplifier, note_usage,
    questions::{Question, questions, stop},
    samp::Held,
};
use crate::stages::tables;
use batch::{Bundle, Stage, StageError, Unit, stages::errors};
use debate::{
    answerer::Answerer,
    debate::{Argument, Debate as Debated, Models, Row, Rules, Stopped, Voice, debate},
    draw::Draw,
    question::{Form, yes},
    trace::{Call, argued},
};
use polars::prelude::*;
use spec::settings::{OnBadQuestion, SpeakerSide, Sufficient, Wording};

/// Debates the questions of each batch.
pub struct Debate {
    /// The stage's name.
    pub name: String,
    /// The table of questions.
    pub from: String,
    /// Amp≈(H, M).
    pub speaker: Amplifier,
    /// Who argues against it, where it does not argue on both sides.
    pub opponent: Option<Amplifier>,
    /// On which side the speaker argues against an opponent.
    pub speaker_side: SpeakerSide,
    /// Amp≈(H, M_target).
    pub overseer: Amplifier,
    /// In which form questions are debated.
    pub form: Form,
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
        let held = self.hold(unit)?;
        let debates = self.debate(unit, &held, &rows(asked, self.form, self.draw))?;
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
                trace.extend(argued(id, turn, argument));
            }
        }
        unit.metric("human_calls", human_calls(&trace));
        for held in held {
            let name = held.name().to_owned();
            held.settle(unit, &trace, |call| self.asked(call).samp.name == name);
        }
        let mut bundle = Bundle::from([
            (self.name.clone(), arguments.into_table(self.opponent.is_some())?),
            (format!("{}.calls", self.name), self.calls(&trace)?),
        ]);
        if self.on_error == OnBadQuestion::Skip {
            unit.metric("errors", refused.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(&refused)?);
        }
        Ok(bundle)
    }
}

impl Debate {
    /// Samp of each Amp≈, once: where the same one is asked for two things, both pay from one purse.
    fn hold<'a>(&self, unit: &mut Unit<'a>) -> Result<Vec<Held<'a>>, StageError> {
        let mut held: Vec<Held<'a>> = Vec::new();
        for amplifier in [Some(&self.speaker), self.opponent.as_ref(), Some(&self.overseer)].into_iter().flatten() {
            if held.iter().all(|other| other.name() != amplifier.samp.name) {
                held.push(amplifier.samp.hold(unit)?);
            }
        }
        Ok(held)
    }

    fn debate(&self, unit: &mut Unit<'_>, held: &[Held<'_>], rows: &[Row]) -> Result<Vec<Debated>, StageError> {
        let of = |amplifier: &Amplifier| {
            let held = held.iter().find(|held| held.name() == amplifier.samp.name);
            held.expect("each that is asked was held")
        };
        let approx = |amplifier| Amplifier::approx(amplifier, &self.wording, of(amplifier));
        let rules = Rules {
            speaker: approx(&self.speaker),
            opponent: self.opponent.as_ref().map(approx),
            speaker_side: self.speaker_side,
            overseer: approx(&self.overseer),
            min_turns: self.min_turns,
            max_turns: self.max_turns,
            sufficient: &self.sufficient,
            batch: unit.batch,
        };
        let (mut m, mut target) = (self.speaker.answerer(unit)?, self.overseer.answerer(unit)?);
        let mut other = self.opponent.as_ref().map(|opponent| opponent.answerer(unit)).transpose()?;
        let opponent = other.as_mut().map(|other| other as &mut dyn Answerer);
        let debates = debate(&rules, &mut Models { speaker: &mut m, opponent, overseer: &mut target }, rows)?;
        let usage = [Some(m.usage), other.map(|other| other.usage), Some(target.usage)];
        let of_adversaries = held.iter().map(Held::usage);
        note_usage(unit, &usage.into_iter().flatten().chain(of_adversaries).collect::<Vec<_>>());
        Ok(debates)
    }

    /// Who answered a call, or was called over.
    fn asked(&self, call: &Call) -> &Amplifier {
        match (call.voice, &self.opponent) {
            (None, _) => &self.overseer,
            (Some(Voice::Opponent), Some(opponent)) => opponent,
            (Some(_), _) => &self.speaker,
        }
    }

    /// The table of calls, with the columns that the form of the debate asks for.
    fn calls(&self, trace: &[Call]) -> PolarsResult<DataFrame> {
        let mut table = tables::from_calls(trace)?;
        if self.opponent.is_some() {
            let voices: Vec<Option<&str>> = trace.iter().map(|call| call.voice.map(Voice::name)).collect();
            table.with_column(Column::new("voice".into(), voices))?;
        }
        if let Form::Rival(_) = self.form {
            let held: Vec<Option<&str>> = trace.iter().map(|call| call.held.as_deref()).collect();
            table.with_column(Column::new("held".into(), held))?;
        }
        Ok(table)
    }
}

/// How often H was called.
pub fn human_calls(trace: &[Call]) -> f64 {
    trace.iter().filter(|call| call.part == debate::trace::Part::Human).count() as f64
}

/// Questions, each with the address of its debate's randomness.
pub fn rows(questions: Vec<Question>, form: Form, draw: Draw) -> Vec<Row> {
    let row = |Question { id, text, .. }| Row { id, question: text, form, draw: draw.at(id) };
    questions.into_iter().map(row).collect()
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
    voice: Vec<&'static str>,
}

impl Arguments {
    fn push(&mut self, id: u64, turn: usize, argument: &Argument, stopped: Option<Stopped>) {
        self.question.push(id);
        self.turn.push(turn as u32);
        self.text.push(argument.answer.text().to_owned());
        self.by.push(if argument.answer.human.is_some() { "human" } else { "model" });
        self.sufficient.push(argument.sufficient.as_ref().map(|said| yes(said.text()) == Some(true)));
        self.stopped.push(stopped.map(Stopped::name));
        self.voice.push(argument.voice.name());
    }

    /// Who argued is a column where there are two.
    fn into_table(self, has_opponent: bool) -> PolarsResult<DataFrame> {
        let mut columns = vec![
            Column::new("question".into(), &self.question),
            Column::new("turn".into(), self.turn),
            Column::new("text".into(), self.text),
            Column::new("by".into(), self.by),
            Column::new("sufficient".into(), self.sufficient),
            Column::new("stopped".into(), self.stopped),
        ];
        columns.extend(has_opponent.then(|| Column::new("voice".into(), self.voice)));
        DataFrame::new(self.question.len(), columns)
    }
}
