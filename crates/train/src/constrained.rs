//! A step of constrained policy optimisation on a batch of examples: J rises while L stays within a limit. L is a function
//! of the weights on the batch's fixed contexts, so its gradient is exact, and no critic has to tell what it costs.

use model::{Model, Weights, parallel};
use tch::{Kind, Tensor, no_grad};

use crate::{
    cpo::{self, Measured, Outcome, Region, Slopes},
    fisher::Fisher,
    gradients::{Example, Term, TrainError, gradients, supervised},
    micro_batch::{Aim, MicroBatch, micro_batches},
    objective::Objective,
    step::Metrics,
};

/// How a constrained step is taken.
#[derive(Debug, Clone, Copy)]
pub struct Constrained<'a> {
    /// How rewarded answers are trained on. What stands for advantage times log-probability is that of REINFORCE.
    pub objective: Objective<'a>,
    /// The most that L may be, in nats per token of the targets.
    pub limit: f64,
    /// Where a step is looked for.
    pub region: Region,
    /// Sequences in one forward and backward pass.
    pub micro_batch: usize,
    /// Threads.
    pub workers: usize,
}

/// Trains the model on the examples, once. The weights are set by the step itself, and no optimizer has a part in it.
/// Without targets nothing changes, and there is no outcome: nobody can tell whether L is within its limit then. On an
/// error nothing has changed.
pub fn constrained_step(
    model: &mut Model,
    examples: &[Example],
    settings: Constrained<'_>,
) -> Result<(Metrics, Option<Outcome>), TrainError> {
    let Constrained { objective, limit, region, micro_batch, workers } = settings;
    let found = gradients(model, examples, objective, micro_batch, workers)?;
    let metrics = found.metrics(None);
    metrics.check()?;
    let Some(imitation) = &found.supervised else { return Ok((metrics, None)) };
    let loss = in_double(imitation) / found.supervised_weight;
    let gain = found.reward.as_ref().map_or_else(|| loss.zeros_like(), in_double);
    let fisher = Fisher::new(&model.weights, examples, objective, micro_batch, workers);
    let targets = Targets::new(examples, micro_batch, workers);
    let measure = |step: &Tensor| {
        let after = moved(&model.weights, step);
        let (gain, kl) = fisher.measure(&after);
        Measured { gain, loss: targets.loss(&after), kl }
    };
    let slopes = Slopes { gain: &gain, loss: &loss };
    let outcome = cpo::step(slopes, limit, region, |vector| fisher.product(vector), measure);
    let outcome = outcome.ok_or(TrainError::NotFinite("constrained step"))?;
    if let Some(step) = &outcome.step {
        model.weights.flat = moved(&model.weights, step).flat;
        model.version += 1;
    }
    Ok((metrics, Some(outcome)))
}

fn in_double(term: &Term) -> Tensor {
    term.gradient.to_kind(Kind::Double)
}

/// Weights after a step.
fn moved(weights: &Weights, step: &Tensor) -> Weights {
    let flat = no_grad(|| (weights.flat.to_kind(Kind::Double) + step).to_kind(weights.flat.kind()));
    Weights { layout: weights.layout.clone(), flat }
}

/// The targets of imitation.
struct Targets {
    batches: Vec<MicroBatch>,
    weight: f64,
    workers: usize,
}

impl Targets {
    fn new(examples: &[Example], micro_batch: usize, workers: usize) -> Self {
        let (rows, weight) = supervised(examples);
        Targets { batches: micro_batches(rows, Aim::LIKELIHOOD, micro_batch), weight, workers }
    }

    /// L under some weights.
    fn loss(&self, weights: &Weights) -> f64 {
        let context = || weights.handle(false);
        let parts = parallel(self.workers, &self.batches, context, |weights, batch| no_grad(|| batch.loss(weights)));
        parts.into_iter().sum::<f64>() / self.weight
    }
}
