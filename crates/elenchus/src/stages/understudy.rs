//! H′ in a stage: the model that stands in for H, the moves that it learns from as a table, and how often it is right.

use crate::stages::{
    answerers::{ModelAnswerer, Usage},
    states::ModelState,
    tables,
};
use batch::{StageError, Unit};
use debate::{
    amplify::{Amplified, HumanAnswer},
    question::Asked,
    understudy::{self, Step, Understudy},
};
use model::{Sampling, Tokenizer};
use polars::prelude::*;
use spec::settings::Schedule;
use std::{cell::RefCell, collections::BTreeMap};

/// A model that stands in for H.
pub struct StandIn {
    /// The name of the learned human.
    pub name: String,
    /// The state that holds the model.
    pub model: String,
    /// The share of questions that H itself answers.
    pub share: Schedule,
    /// The longest move, in tokens.
    pub max_tokens: usize,
    /// Threads that compute on tensors.
    pub workers: usize,
    /// Turns H's own moves into tokens.
    pub tokenizer: Tokenizer,
}

/// The same in one batch.
pub struct Playing<'a> {
    model: RefCell<ModelAnswerer<'a>>,
    /// None where there is no H.
    share: Option<f64>,
}

/// Who takes part in an Amp≈ in one batch beside M, H and Samp.
#[derive(Default)]
pub struct Beside<'a> {
    /// What stands in for H.
    pub playing: Option<Playing<'a>>,
    /// Who answers H's sub-questions in M's place.
    pub answering: Option<RefCell<ModelAnswerer<'a>>>,
}

impl Beside<'_> {
    /// How much they were used.
    pub fn usage(&self) -> Usage {
        let answering = self.answering.as_ref().map(|model| model.borrow().usage).unwrap_or_default();
        answering + self.playing.as_ref().map(|playing| playing.model.borrow().usage).unwrap_or_default()
    }
}

impl StandIn {
    /// As it is in this batch.
    pub fn play<'a>(&self, unit: &Unit<'a>) -> Result<Playing<'a>, StageError> {
        let sampling = Sampling { max_tokens: self.max_tokens, temperature: 0.0 };
        let (model, version) = (unit.read::<ModelState>(&self.model)?, unit.version(&self.model)?);
        let model = RefCell::new(ModelAnswerer::new(&model.0, version, sampling, self.workers));
        Ok(Playing { model, share: Some(self.share.at(unit.batch)) })
    }

    /// The same without H: where it has no room, nobody answers.
    pub fn play_alone<'a>(&self, unit: &Unit<'a>) -> Result<Playing<'a>, StageError> {
        Ok(Playing { share: None, ..self.play(unit)? })
    }
}

impl Playing<'_> {
    /// As questions are put to it.
    pub fn understudy(&self) -> Understudy<'_> {
        Understudy { model: &self.model, share: self.share }
    }

    /// Notes of each answer that it gave which distribution it has at each token, as M is to read them: the end token too, and
    /// whatever it said before the answer itself as given. It answers with the likeliest words; this is at temperature 1.
    pub fn tell<'h>(&self, answers: impl Iterator<Item = &'h mut Amplified>) -> Result<(), StageError> {
        let of_own = |answer: &'h mut Amplified| answer.human.as_mut().filter(|human| human.of_understudy().is_some());
        let mut own: Vec<&mut HumanAnswer> = answers.filter_map(of_own).collect();
        let said: Vec<_> = own.iter().filter_map(|human| self.said(human)).collect();
        let told = self.model.borrow_mut().distributions(&said)?;
        own.iter_mut().zip(told).for_each(|(human, distribution)| human.distribution = distribution);
        Ok(())
    }

    /// What it was given, and an answer of its own, as tokens.
    fn said(&self, human: &HumanAnswer) -> Option<(Vec<u32>, Vec<u32>)> {
        let (given, before) = human.of_understudy()?;
        let model = self.model.borrow();
        let tokenizer = model.tokenizer();
        Some(([given.prompt.clone(), tokenizer.encode(before)].concat(), tokenizer.answer(&human.text)))
    }
}

/// The moves on questions that were put to learned humans, column by column.
#[derive(Default)]
pub struct Steps {
    question: Vec<u64>,
    asked: Vec<&'static str>,
    turn: Vec<u32>,
    path: Vec<Option<String>>,
    place: Vec<u32>,
    human: Vec<String>,
    by: Vec<&'static str>,
    prompt: Vec<String>,
    said: Vec<String>,
    own: Vec<String>,
    prompt_tokens: Vec<Vec<u32>>,
    tokens: Vec<Vec<u32>>,
    /// Of each learned human, how many moves of H it would have made, and of how many.
    agreed: BTreeMap<String, (u32, u32)>,
}

impl Steps {
    /// Takes the moves on the way to an answer, those on sub-questions after the one that asked them.
    pub fn take(&mut self, of: Option<&StandIn>, question: u64, asked: Asked, turn: usize, answer: &Amplified) {
        let (Some(of), Some(human)) = (of, &answer.human) else { return };
        self.take_all(of, (question, asked, turn as u32), None, human);
    }

    fn take_all(&mut self, of: &StandIn, at: (u64, Asked, u32), path: Option<String>, human: &HumanAnswer) {
        for (place, step) in human.steps.iter().enumerate() {
            self.push(of, at, path.clone(), place, step);
        }
        for (place, sub) in human.calls.iter().enumerate().filter(|(_, sub)| !sub.repeated) {
            let beneath = path.as_ref().map_or_else(|| place.to_string(), |path| format!("{path}.{place}"));
            sub.human.iter().for_each(|human| self.take_all(of, at, Some(beneath.clone()), human));
        }
    }

    fn push(
        &mut self,
        of: &StandIn,
        (id, asked, turn): (u64, Asked, u32),
        path: Option<String>,
        place: usize,
        step: &Step,
    ) {
        let Some((prompt, own)) = &step.own else { return };
        let said = if step.real { understudy::in_words(&step.next) } else { own.text.clone() };
        let tokens = if step.real { of.tokenizer.answer(&said) } else { own.sampled.tokens.clone() };
        if let Some(agrees) = step.agrees() {
            let (agreed, all) = self.agreed.entry(of.name.clone()).or_default();
            (*agreed, *all) = (*agreed + u32::from(agrees), *all + 1);
        }
        self.question.push(id);
        self.asked.push(asked.name());
        self.turn.push(turn);
        self.path.push(path);
        self.place.push(place as u32);
        self.human.push(of.name.clone());
        self.by.push(if step.real { "human" } else { "learned" });
        self.prompt.push(prompt.clone());
        self.said.push(said);
        self.own.push(own.text.clone());
        self.prompt_tokens.push(own.sampled.prompt.clone());
        self.tokens.push(tokens);
    }

    /// Notes of each learned human which share of H's moves it would have made.
    pub fn note(&self, unit: &mut Unit<'_>) {
        for (name, (agreed, all)) in &self.agreed {
            unit.metric(format!("{name}_agreement"), f64::from(*agreed) / f64::from(*all));
        }
    }

    /// The moves as a table.
    pub fn into_table(self) -> PolarsResult<DataFrame> {
        let lists = |name: &str, rows: &[Vec<u32>]| {
            tables::lists::<UInt32Type>(name, &rows.iter().map(|row| Some(row.as_slice())).collect::<Vec<_>>())
        };
        DataFrame::new(
            self.question.len(),
            vec![
                Column::new("question".into(), &self.question),
                Column::new("asked".into(), self.asked),
                Column::new("turn".into(), self.turn),
                Column::new("path".into(), self.path),
                Column::new("place".into(), self.place),
                Column::new("human".into(), self.human),
                Column::new("by".into(), self.by),
                Column::new("prompt".into(), self.prompt),
                Column::new("said".into(), self.said),
                Column::new("own".into(), self.own),
                lists("prompt_tokens", &self.prompt_tokens),
                lists("tokens", &self.tokens),
            ],
        )
    }
}
