//! Samp in a stage: what it goes by in a batch, what it may spend, and what is noted of it.

use crate::stages::{
    answerers::{ModelAnswerer, Usage},
    states::{Imitation, ModelState, Spent},
    understudy::Beside,
};
use batch::{StageError, Unit};
use debate::{
    adversary::Adversary,
    samp::{self, Purse, Rule, Samp},
    trace::{Call, Part},
};
use model::Sampling;
use spec::settings::{Budget, CallHuman};
use std::cell::{Cell, RefCell};

/// Samp as a stage lets it decide.
pub struct Decider {
    /// The name of its amplify.
    pub name: String,
    /// When H is called.
    pub call_human: CallHuman,
    /// The state that holds the mean loss by which it goes, if it does.
    pub imitation: Option<String>,
    /// By whom it goes, if it learns.
    pub adversary: Option<Learnt>,
    /// The stage's part of the budget, if there is one.
    pub account: Option<Account>,
}

/// Adv, as Samp asks it.
pub struct Learnt {
    /// The state that holds it.
    pub model: String,
    /// What it is asked.
    pub wording: String,
    /// Threads that compute on tensors.
    pub workers: usize,
}

/// A stage's part of a budget.
pub struct Account {
    /// The budget, of all stages.
    pub budget: Budget,
    /// The stage's waves in a batch, and those of all stages.
    pub part: (usize, usize),
    /// The state that holds what the stage has spent, where there is a budget of the run.
    pub spent: String,
    /// How many batches share that.
    pub batches: u64,
}

/// Samp in one batch.
pub struct Held<'a> {
    name: String,
    rule: Rule,
    /// Whether propensities are another thing than a number of the file.
    varies: bool,
    purse: Option<Cell<Purse>>,
    /// Adv, and what it is asked.
    adversary: Option<(RefCell<ModelAnswerer<'a>>, String)>,
    beside: Beside<'a>,
    /// What may be spent in this batch.
    allowance: f64,
    run: Option<OfRun<'a>>,
}

/// The part of a run's budget.
struct OfRun<'a> {
    all: f64,
    spent: &'a mut Spent,
}

impl Decider {
    /// What it goes by in this batch.
    pub fn hold<'a>(&self, unit: &mut Unit<'a>) -> Result<Held<'a>, StageError> {
        let loss = self.imitation.as_ref().map(|state| unit.read::<Imitation>(state)).transpose()?;
        let rule = Rule::of(&self.call_human, unit.batch, loss.and_then(|imitation| imitation.mean));
        let (least, most) = self.call_human.bounds();
        let varies = least < most || self.account.is_some();
        let adversary = self.adversary.as_ref().map(|learnt| learnt.answerer(unit)).transpose()?;
        let (name, allowance) = (self.name.clone(), f64::INFINITY);
        let mut held =
            Held { name, rule, varies, purse: None, adversary, beside: Beside::default(), allowance, run: None };
        if let Some(Account { budget, part, spent, batches }) = &self.account {
            if let Some(calls) = budget.per_run {
                let spent = unit.write::<Spent>(spent)?;
                held.run = Some(OfRun { all: calls as f64 * part.0 as f64 / part.1 as f64, spent });
            }
            let before = held.run.as_ref().map_or(0.0, |run| run.spent.calls);
            held.allowance = samp::allowance(budget, *part, before, unit.batch, *batches);
            held.purse = Some(Cell::new(Purse { left: held.allowance, waves: part.0 }));
        }
        Ok(held)
    }
}

impl Learnt {
    /// Adv as it is in this batch. One word is enough, the likeliest.
    fn answerer<'a>(&self, unit: &Unit<'a>) -> Result<(RefCell<ModelAnswerer<'a>>, String), StageError> {
        let sampling = Sampling { max_tokens: 1, temperature: 0.0 };
        let (model, version) = (unit.read::<ModelState>(&self.model)?, unit.version(&self.model)?);
        let answerer = ModelAnswerer::new(&model.0, version, sampling, self.workers);
        Ok((RefCell::new(answerer), self.wording.clone()))
    }
}

impl<'a> Held<'a> {
    /// The same with who else takes part.
    pub fn with(self, beside: Beside<'a>) -> Self {
        Held { beside, ..self }
    }

    /// Who else takes part.
    pub fn beside(&self) -> &Beside<'a> {
        &self.beside
    }
}

impl Held<'_> {
    /// As waves are put to it.
    pub fn samp(&self) -> Samp<'_> {
        let adversary = self.adversary.as_ref().map(|(model, wording)| Adversary { model, wording });
        Samp { rule: self.rule, purse: self.purse.as_ref(), adversary }
    }

    /// How much Adv, and who else takes part, were used.
    pub fn usage(&self) -> Usage {
        let adversary = self.adversary.as_ref().map(|(model, _)| model.borrow().usage);
        adversary.unwrap_or_default() + self.beside.usage()
    }

    /// The name of its amplify.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Books what was spent, and notes the mean propensity of the questions that it decided on and what is left: of the
    /// run's budget, or else of the batch's.
    pub fn settle(self, unit: &mut Unit<'_>, trace: &[Call], decided: impl Fn(&Call) -> bool) {
        if !self.varies {
            return;
        }
        let firsts = trace.iter().filter(|call| call.part == Part::First && decided(call));
        let propensities: Vec<f64> = firsts.filter_map(|call| call.propensity).collect();
        if !propensities.is_empty() {
            let mean = propensities.iter().sum::<f64>() / propensities.len() as f64;
            unit.metric(format!("{}_propensity", self.name), mean);
        }
        let Some(purse) = self.purse else { return };
        let mut left = purse.get().left;
        if let Some(OfRun { all, spent }) = self.run {
            spent.calls += self.allowance - left;
            left = all - spent.calls;
        }
        unit.metric(format!("{}_budget_left", self.name), left);
    }
}
