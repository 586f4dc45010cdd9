//! How `[train.NAME]` takes its steps where the loss has a limit: which limit that is at a batch, and what is known of it
//! from batch to batch.

use crate::stages::states::Constraint;
use batch::{StageError, Unit};
use model::Model;
use spec::settings::{Constrained, Cpo, Lagrangian, Limit, Method, Schedule};
use train::{
    AdamW, Example, Metrics, Step, TrainError,
    cpo::{Outcome, Region},
};

/// The limit of a train stage's loss.
pub struct Limited {
    /// What it is, and how it is kept.
    pub settings: Constrained,
    /// Decay per batch of the running mean of the loss before it.
    pub decay: Schedule,
    /// The state that holds this mean, and λ.
    pub state: String,
}

/// How a batch's steps are taken.
pub enum Way<'u> {
    /// By the optimizer, as the loss weighs its terms; the mean of L is kept where a limit is to come.
    Plain(Option<(&'u mut Constraint, f64)>),
    /// Constrained policy optimisation.
    Cpo {
        /// The most that L may be.
        limit: f64,
        /// Where a step is looked for.
        region: Region,
        /// What came of it.
        outcome: Option<Outcome>,
    },
    /// By the optimizer, as λ weighs the terms.
    Lagrangian {
        /// The most that L may be.
        limit: f64,
        /// How fast log λ rises.
        step: f64,
        /// λ at first.
        initial: f64,
        /// λ.
        state: &'u mut Constraint,
    },
}

impl Limited {
    /// The way of this batch.
    pub fn at<'u>(&self, unit: &mut Unit<'u>) -> Result<Way<'u>, StageError> {
        let batch = unit.batch;
        let state = unit.write::<Constraint>(&self.state)?;
        if batch < self.settings.from {
            return Ok(Way::Plain(Some((state, self.decay.at(batch)))));
        }
        let limit = self.limit(state)?;
        unit.metric("limit", limit);
        Ok(match &self.settings.method {
            Method::Cpo(cpo) => Way::Cpo { limit, region: region(cpo, batch), outcome: None },
            Method::Lagrangian(Lagrangian { step, initial }) => {
                Way::Lagrangian { limit, step: step.at(batch), initial: *initial, state }
            }
        })
    }

    /// The most that L may be.
    fn limit(&self, state: &Constraint) -> Result<f64, StageError> {
        match (self.settings.limit, state.mean) {
            (Limit::Nats(nats), _) => Ok(nats),
            (Limit::Slack(by), Some(mean)) => Ok((1.0 + by.slack) * mean),
            (Limit::Slack(_), None) => Err(format!(
                "no batch before batch {} had a target of imitation, so there is no L to take a baseline from; let the \
                 constraint start later, with `from`, or give `limit` in nats",
                self.settings.from
            )
            .into()),
        }
    }
}

fn region(cpo: &Cpo, batch: u64) -> Region {
    let Cpo { kl, damping, iterations, backtracks, shrink } = cpo;
    Region { kl: kl.at(batch), damping: *damping, iterations: *iterations, backtracks: *backtracks, shrink: *shrink }
}

impl Way<'_> {
    /// One step.
    pub fn step(
        &mut self,
        model: &mut Model,
        optimizer: &mut AdamW,
        examples: &[Example],
        settings: Step<'_>,
    ) -> Result<Metrics, TrainError> {
        match self {
            Way::Plain(_) => train::step(model, optimizer, examples, settings),
            Way::Cpo { limit, region, outcome } => {
                let Step { objective, micro_batch, workers, .. } = settings;
                let settings = train::Constrained { objective, limit: *limit, region: *region, micro_batch, workers };
                let (metrics, found) = train::constrained_step(model, examples, settings)?;
                *outcome = found;
                Ok(metrics)
            }
            Way::Lagrangian { limit, step, initial, state } => {
                let mut multiplier = state.multiplier(*initial);
                let settings = Step { multiplier: Some(multiplier), ..settings };
                let metrics = train::step(model, optimizer, examples, settings)?;
                let excess = metrics.supervised.map(|term| term.value - *limit);
                excess.into_iter().for_each(|excess| multiplier.ascend(*step, excess));
                state.log_multiplier = Some(multiplier.log);
                Ok(metrics)
            }
        }
    }

    /// Whether the optimizer takes the steps.
    pub fn has_optimizer(&self) -> bool {
        !matches!(self, Way::Cpo { .. })
    }

    /// What is to be known at the next batch, and what is worth plotting.
    pub fn end(self, unit: &mut Unit<'_>, loss: Option<f64>) {
        match self {
            Way::Plain(Some((state, decay))) => loss.into_iter().for_each(|loss| state.follow(loss, decay)),
            Way::Plain(None) => {}
            Way::Cpo { outcome, .. } => outcome.iter().for_each(|outcome| note(unit, outcome)),
            Way::Lagrangian { initial, state, .. } => unit.metric("lambda", state.multiplier(initial).value()),
        }
    }
}

fn note(unit: &mut Unit<'_>, outcome: &Outcome) {
    unit.metric("case", f64::from(outcome.case as u8));
    unit.metric("backtracks", outcome.backtracks as f64);
    unit.metric("step_kl", outcome.after.kl);
    unit.metric("loss_after", outcome.after.loss);
}
