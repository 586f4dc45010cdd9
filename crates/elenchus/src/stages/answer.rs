//! `[answer.NAME]`: an answer to each question of a table, and every call behind it.

use super::{
    Amplifier, human_calls, note_usage,
    questions::{Question, questions, stop},
};
use crate::stages::{answerers::ModelAnswerer, states::ModelState, tables, understudy::Steps};
use ::debate::{
    amplify::{Amplified, HumanAnswer, Open},
    answerer::{Answerer, Prompt, Sampled},
    consult::Amp,
    draw::Draw,
    human::Human,
    question::{Asked, Posed},
    trace::{Call, Part, calls},
};
use batch::{
    Bundle, Stage, StageError, Unit,
    stages::{Refused, errors},
};
use model::Sampling;
use polars::prelude::*;
use spec::settings::{OnError, Wording};
use std::collections::BTreeSet;

/// Answers the questions of each batch.
pub struct Answer {
    /// The stage's name.
    pub name: String,
    /// The table of questions.
    pub from: String,
    /// Who answers.
    pub by: By,
    /// How questions are worded.
    pub wording: Wording,
    /// What becomes of a question that cannot be asked, or is too long for the model.
    pub on_error: OnError,
    /// The root of the stage's draws.
    pub draw: Draw,
}

/// Who answers.
pub enum By {
    /// Amp≈(H, M).
    Amplify(Box<Amplifier>),
    /// M alone: the state that holds it, how it is sampled, and the threads that compute.
    Model(String, spec::settings::Sampled, usize),
    /// H alone.
    Human(Box<dyn Human>),
}

/// A question as it is put, with its place in the table.
struct Asking {
    row: usize,
    id: u64,
    open: Open,
}

impl Stage for Answer {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let table = unit.table(&self.from)?;
        let (asked, unasked) = questions(table)?;
        let mut refused = Vec::new();
        unasked.into_iter().try_for_each(|question| self.refuse(question, &mut refused))?;
        let asking = |Question { row, id, text }| {
            let open = Open { posed: Posed::bare(text), draw: self.draw.at(id) };
            Asking { row, id, open }
        };
        let mut steps = Steps::default();
        let trace = self.trace(unit, asked.into_iter().map(asking).collect(), &mut refused, &mut steps)?;
        steps.note(unit);
        refused.sort_by_key(|refused| refused.row);
        unit.metric("rows", (table.height() - refused.len()) as f64);
        let mut bundle = Bundle::from([
            (self.name.clone(), self.answers(table, &trace, &refused)?),
            (format!("{}.calls", self.name), self.calls(&trace)?),
        ]);
        if let By::Amplify(amplifier) = &self.by
            && amplifier.stand_in.is_some()
        {
            bundle.insert(format!("{}.steps", self.name), steps.into_table()?);
        }
        if self.on_error != OnError::Fail {
            unit.metric("errors", refused.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(&refused)?);
        }
        Ok(bundle)
    }
}

impl Answer {
    /// The calls behind the answers, in the order of the questions.
    fn trace(
        &self,
        unit: &mut Unit<'_>,
        all: Vec<Asking>,
        refused: &mut Vec<Refused>,
        steps: &mut Steps,
    ) -> Result<Vec<Call>, StageError> {
        match &self.by {
            By::Human(human) => {
                let wave: Vec<Open> = all.iter().map(|asking| asking.open.clone()).collect();
                let said = Amp::new(human.as_ref(), &self.wording).answer(None, &wave)?;
                unit.metric("human_calls", said.len() as f64);
                let call = |(asking, said): (&Asking, HumanAnswer)| {
                    call(asking, Part::Human, asking.open.posed.text(&self.wording), said.text, None)
                };
                Ok(all.iter().zip(said).map(call).collect())
            }
            By::Model(state, settings, workers) => {
                let model = unit.read::<ModelState>(state)?;
                let temperature = settings.temperature.at(unit.batch);
                let sampling = Sampling { max_tokens: settings.max_tokens, temperature };
                let mut m = ModelAnswerer::new(&model.0, unit.version(state)?, sampling, *workers);
                let asked = self.fitting(&m, all, refused)?;
                let prompt = |Asking { open, .. }: &Asking| open.prompt(&self.wording, open.draw.named("first"));
                let prompts: Vec<Prompt> = asked.iter().map(prompt).collect();
                let said = if prompts.is_empty() { Vec::new() } else { m.answer(&prompts)? };
                note_usage(unit, &[m.usage]);
                unit.metric("human_calls", 0.0);
                let parts = asked.iter().zip(prompts).zip(said);
                let call = |((asking, prompt), said): ((&Asking, Prompt), ::debate::answerer::Answer)| {
                    call(asking, Part::First, prompt.text, said.text, Some(said.sampled))
                };
                Ok(parts.map(call).collect())
            }
            By::Amplify(amplifier) => {
                let mut m = amplifier.answerer(unit)?;
                let asked = self.fitting(&m, all, refused)?;
                let wave: Vec<Open> = asked.iter().map(|asking| asking.open.clone()).collect();
                let deciding = amplifier.hold(unit)?;
                let said = amplifier.approx(&self.wording, &deciding).answer(&mut m, &wave)?;
                note_usage(unit, &[m.usage, deciding.usage()]);
                unit.metric("human_calls", human_calls(said.iter()));
                for (asking, said) in asked.iter().zip(&said) {
                    steps.take(amplifier.stand_in.as_ref(), asking.id, Asked::Argument, 0, said);
                }
                let traced = |(asking, said): (&Asking, Amplified)| calls(asking.id, Asked::Argument, 0, said);
                let trace: Vec<Call> = asked.iter().zip(said).flat_map(traced).collect();
                deciding.settle(unit, &trace, |_| true);
                Ok(trace)
            }
        }
    }

    /// The table of calls; where H asks itself, with where each answer stands.
    fn calls(&self, trace: &[Call]) -> PolarsResult<DataFrame> {
        let table = tables::from_calls(trace)?;
        match &self.by {
            By::Amplify(amplifier) if amplifier.consults.depth > 1 => tables::with_paths(table, trace),
            _ => Ok(table),
        }
    }

    /// The questions that leave room for an answer; the others are errors.
    fn fitting(
        &self,
        m: &ModelAnswerer<'_>,
        all: Vec<Asking>,
        refused: &mut Vec<Refused>,
    ) -> Result<Vec<Asking>, StageError> {
        let mut asked = Vec::new();
        for asking in all {
            if m.fits(&asking.open.prompt(&self.wording, asking.open.draw)) {
                asked.push(asking);
                continue;
            }
            let reason = format!("question {} is too long for the model: no room is left for an answer", asking.id);
            self.refuse(Refused { row: asking.row, reason, content: Some(asking.open.posed.question) }, refused)?;
        }
        Ok(asked)
    }

    /// Keeps a question that cannot be answered, or stops at it.
    fn refuse(&self, question: Refused, refused: &mut Vec<Refused>) -> Result<(), StageError> {
        if self.on_error == OnError::Fail {
            return Err(stop(&question));
        }
        refused.push(question);
        Ok(())
    }

    /// The answers that count, one for each question, or none where it could not be answered.
    fn answers(&self, table: &DataFrame, trace: &[Call], refused: &[Refused]) -> PolarsResult<DataFrame> {
        let refused: BTreeSet<usize> = refused.iter().map(|refused| refused.row).collect();
        let answered: BooleanChunked = (0..table.height()).map(|row| Some(!refused.contains(&row))).collect();
        let mut kept = trace.iter().filter(|call| call.kept);
        let calls = answered.iter().map(|answered| if answered == Some(true) { kept.next() } else { None });
        let calls: Vec<Option<&Call>> = calls.collect();
        let answers: Vec<Option<&str>> = calls.iter().map(|call| call.map(|call| call.answer.as_str())).collect();
        let rows = DataFrame::new(
            table.height(),
            vec![
                table.column("id")?.clone(),
                table.column("text")?.clone(),
                Column::new("answer".into(), answers),
                Column::new("by".into(), calls.iter().map(|call| call.map(tables::by)).collect::<Vec<_>>()),
            ],
        )?;
        if self.on_error == OnError::Null { Ok(rows) } else { rows.filter(&answered) }
    }
}

/// The one call behind an answer of M or H alone.
fn call(asking: &Asking, part: Part, prompt: String, answer: String, sampled: Option<Sampled>) -> Call {
    let propensity = Some(if part == Part::Human { 1.0 } else { 0.0 });
    let (question, asked) = (asking.id, Asked::Argument);
    Call {
        question,
        asked,
        turn: 0,
        voice: None,
        held: None,
        part,
        place: 0,
        path: Vec::new(),
        learned: false,
        prompt,
        answer,
        kept: true,
        propensity,
        sampled,
        distribution: None,
    }
}
