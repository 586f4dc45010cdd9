//! `[penalty.NAME]`: what M's answers to an adversary's pseudo-inputs cost, or without one those to the batch's questions.

use super::{
    Amplifier, human_calls, note_usage,
    questions::{Question, questions},
};
use crate::stages::{answerers::ModelAnswerer, states::ModelState, tables};
use ::debate::{
    amplify::SubAnswer,
    answerer::Answerer,
    draw::Draw,
    human::Human,
    penalty::{Answered, Penalising, Proposal, Realised, Weighed, largest, prompt, propose, propose_by, weigh},
    question::Asked,
    trace::Call,
};
use batch::{Bundle, Stage, StageError, Unit};
use model::Sampling;
use polars::prelude::*;
use spec::settings::Wording;
use tasks::Generator;

/// Finds the penalty of each batch.
pub struct Penalty {
    /// The stage's name.
    pub name: String,
    /// The table of questions.
    pub from: String,
    /// M.
    pub model: Sampled,
    /// Amp≈(H, M_target).
    pub overseer: Amplifier,
    /// Who proposes; nobody, where the questions of the batch are all that is answered.
    pub adversary: Option<Adversary>,
    /// How questions are worded.
    pub wording: Wording,
    /// The root of the stage's draws.
    pub draw: Draw,
}

/// A model that is sampled at temperature 1.
pub struct Sampled {
    /// The state that holds it.
    pub state: String,
    /// The longest answer, in tokens.
    pub max_tokens: usize,
    /// Threads that compute on tensors.
    pub workers: usize,
}

/// Who proposes, and who makes what is proposed.
pub struct Adversary {
    /// Who proposes.
    pub by: By,
    /// How many proposals a batch has.
    pub proposals: usize,
    /// How many questions of each M answers.
    pub questions: usize,
    /// Makes them.
    pub generator: Generator,
}

/// Who proposes.
pub enum By {
    /// A script.
    Script(Box<dyn Human>),
    /// A model, and what it is asked.
    Model(Sampled, String),
}

impl Sampled {
    fn answerer<'a>(&self, unit: &Unit<'a>) -> Result<ModelAnswerer<'a>, StageError> {
        let sampling = Sampling { max_tokens: self.max_tokens, temperature: 1.0 };
        let model = unit.read::<ModelState>(&self.state)?;
        Ok(ModelAnswerer::new(&model.0, unit.version(&self.state)?, sampling, self.workers))
    }
}

impl Stage for Penalty {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let (mut m, mut target) = (self.model.answerer(unit)?, self.overseer.answerer(unit)?);
        let mut proposing = match self.adversary.as_ref().map(|adversary| &adversary.by) {
            Some(By::Model(model, _)) => Some(model.answerer(unit)?),
            _ => None,
        };
        let mut proposals = match &self.adversary {
            Some(adversary) => adversary.proposals(unit.batch, self.draw, proposing.as_mut())?,
            None => vec![self.of_batch(unit)?],
        };
        for proposal in &mut proposals {
            proposal.questions.retain(|of| m.fits(&prompt(of, &self.wording)));
        }
        let held = self.overseer.samp.hold(unit)?;
        let overseer = self.overseer.approx(&self.wording, &held);
        let rules = Penalising { overseer, temperature: self.overseer.temperature.at(unit.batch) };
        let weighed = weigh(&rules, &mut m, &mut target, proposals)?;
        let usage = [Some(m.usage), Some(target.usage), Some(held.usage()), proposing.map(|it| it.usage)];
        note_usage(unit, &usage.into_iter().flatten().collect::<Vec<_>>());
        note(unit, &weighed);
        let (own, answers) = (proposals_table(&weighed)?, answers_table(&weighed)?);
        unit.metric("human_calls", human_calls(weighed.iter().flat_map(Weighed::overseen)));
        let trace: Vec<Call> = weighed.into_iter().flat_map(Weighed::into_calls).collect();
        held.settle(unit, &trace, |call| matches!(call.asked, Asked::Catastrophe | Asked::Likelihood));
        let calls = tables::from_calls(&trace)?;
        let part = |part: &str| format!("{}.{part}", self.name);
        Ok(Bundle::from([(self.name.clone(), own), (part("answers"), answers), (part("calls"), calls)]))
    }
}

impl Penalty {
    /// The questions of the batch as one proposal, which stands for every question. Those that cannot be asked are left out,
    /// and so are those that leave no room for an answer; a debate tells of them.
    fn of_batch(&self, unit: &Unit<'_>) -> Result<Proposal, StageError> {
        let (asked, _) = questions(unit.table(&self.from)?)?;
        let realised = |Question { id, text, .. }| Realised { id, question: text, draw: self.draw.at(id) };
        let questions = asked.into_iter().map(realised).collect();
        let draw = self.draw.named("batch").at(unit.batch);
        Ok(Proposal { id: unit.batch, words: String::new(), said: None, draw, questions })
    }
}

impl Adversary {
    /// What is proposed for a batch, with questions. Numbers count on from batch to batch.
    fn proposals(
        &self,
        batch: u64,
        draw: Draw,
        model: Option<&mut ModelAnswerer<'_>>,
    ) -> Result<Vec<Proposal>, StageError> {
        let ids = batch * self.proposals as u64..(batch + 1) * self.proposals as u64;
        let draws: Vec<Draw> = ids.clone().map(|id| draw.named(Asked::Proposal.name()).at(id)).collect();
        let said: Vec<(String, Option<SubAnswer>)> = match (&self.by, model) {
            (By::Model(_, wording), Some(model)) => {
                let said = propose_by(model, wording, &draws)?;
                said.into_iter().map(|said| (said.answer.text.clone(), Some(said))).collect()
            }
            (By::Script(script), _) => {
                propose(script.as_ref(), &draws).into_iter().map(|words| (words, None)).collect()
            }
            (By::Model(..), None) => unreachable!("a model that proposes is set up where it is the one"),
        };
        let proposal = |((id, draw), (words, said)): ((u64, Draw), (String, Option<SubAnswer>))| Proposal {
            id,
            questions: self.realised(id, &words, draw),
            words,
            said,
            draw,
        };
        Ok(ids.zip(draws).zip(said).map(proposal).collect())
    }

    /// Questions of a proposal; none from the first on that cannot be found.
    fn realised(&self, proposal: u64, words: &str, draw: Draw) -> Vec<Realised> {
        let first = proposal * self.questions as u64;
        let made = |place: u64| {
            let draw = draw.named("question").at(place);
            let question = self.generator.question_with(words, draw)?.text;
            Some(Realised { id: first + place, question, draw })
        };
        (0..self.questions as u64).map_while(made).collect()
    }
}

/// Notes the penalty, how likely the proposal is that it is of, and how likely M's answers to that one are a catastrophe.
fn note(unit: &mut Unit<'_>, weighed: &[Weighed]) {
    let asked: usize = weighed.iter().map(|weighed| weighed.answers.len()).sum();
    unit.metric("questions", asked as f64);
    let Some(largest) = largest(weighed).map(|place| &weighed[place]) else { return };
    let numbers =
        [("penalty", largest.product()), ("likelihood", largest.likelihood()), ("catastrophe", largest.catastrophe())];
    numbers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .for_each(|(name, value)| unit.metric(name, value));
}

/// A row for each proposal.
fn proposals_table(weighed: &[Weighed]) -> PolarsResult<DataFrame> {
    let numbers = |of: fn(&Weighed) -> Option<f64>| -> Vec<Option<f64>> { weighed.iter().map(of).collect() };
    let words: Vec<&str> = weighed.iter().map(|weighed| weighed.proposal.words.as_str()).collect();
    let largest = largest(weighed);
    DataFrame::new(
        weighed.len(),
        vec![
            Column::new("proposal".into(), weighed.iter().map(|weighed| weighed.proposal.id).collect::<Vec<_>>()),
            Column::new("words".into(), words),
            Column::new("questions".into(), weighed.iter().map(|it| it.answers.len() as u32).collect::<Vec<_>>()),
            Column::new("likelihood".into(), numbers(Weighed::likelihood)),
            Column::new("catastrophe".into(), numbers(Weighed::catastrophe)),
            Column::new("product".into(), numbers(Weighed::product)),
            Column::new("largest".into(), (0..weighed.len()).map(|it| Some(it) == largest).collect::<Vec<_>>()),
        ],
    )
}

/// A row for each of M's answers.
fn answers_table(weighed: &[Weighed]) -> PolarsResult<DataFrame> {
    let largest = largest(weighed);
    let all = || {
        weighed.iter().enumerate().flat_map(|(place, weighed)| {
            let likelihood = weighed.likelihood().filter(|_| Some(place) == largest);
            weighed.answers.iter().map(move |answered| (weighed.proposal.id, likelihood, answered))
        })
    };
    let texts = |of: fn(&Answered) -> &str| -> Vec<&str> { all().map(|(.., answered)| of(answered)).collect() };
    let cost = |(_, likelihood, answered): (u64, Option<f64>, &Answered)| Some(likelihood? * answered.catastrophe?);
    DataFrame::new(
        all().count(),
        vec![
            Column::new("question".into(), all().map(|(.., answered)| answered.of.id).collect::<Vec<_>>()),
            Column::new("proposal".into(), all().map(|(proposal, ..)| proposal).collect::<Vec<_>>()),
            Column::new("text".into(), texts(|answered| &answered.of.question)),
            Column::new("answer".into(), texts(|answered| &answered.answer.text)),
            Column::new("catastrophe".into(), all().map(|(.., answered)| answered.catastrophe).collect::<Vec<_>>()),
            Column::new("cost".into(), all().map(cost).collect::<Vec<_>>()),
        ],
    )
}
