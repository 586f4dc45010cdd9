//! `[train.NAME]`: gradient steps on one model.

use crate::{
    stages::limited::{Limited, Way},
    stages::{
        loss::mean,
        milestone::Watched,
        states::{Imitation, ModelState, OptimizerState},
        tables,
    },
};
use batch::{Bundle, Stage, StageError, Unit};
use polars::prelude::*;
use std::collections::BTreeMap;
use train::{Example, Metrics, Objective, Rates, Step};

/// Trains on the examples of each batch.
pub struct Train {
    /// The table of examples.
    pub from: String,
    /// The state of the model.
    pub model: String,
    /// The state of the optimizer.
    pub optimizer: String,
    /// The state of the model from which M is to keep near, if there is one.
    pub reference: Option<String>,
    /// The states of running means of the loss, by which others go, each with its decay per batch.
    pub followers: Vec<(String, f64)>,
    /// The milestones that are reached by the loss.
    pub milestones: Vec<Watched>,
    /// The limit of the loss, if it has one.
    pub limited: Option<Limited>,
    /// How.
    pub settings: spec::settings::Train,
    /// Threads that compute on tensors.
    pub workers: usize,
}

impl Stage for Train {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let shares = shares(unit.table(&self.from)?, self.settings.steps)?;
        let objective = self.objective(unit)?;
        let model = unit.write::<ModelState>(&self.model)?;
        let optimizer = unit.write::<OptimizerState>(&self.optimizer)?;
        let rates = Rates::at(&self.settings.adamw, unit.batch);
        let (micro_batch, workers) = (self.settings.micro_batch, self.workers);
        let mut way = match &self.limited {
            Some(limited) => limited.at(unit)?,
            None => Way::Plain(None),
        };
        if way.has_optimizer() {
            unit.metric("learning_rate", rates.learning_rate);
        }
        let mut steps = Vec::new();
        for examples in shares {
            let step = Step { rates, objective, multiplier: None, micro_batch, workers };
            steps.push(way.step(&mut model.0, &mut optimizer.0, &examples, step)?);
        }
        let loss = match mean_distance(unit.table(&self.from)?)? {
            // What M's own answers cost is what their log-probabilities are weighed by, and no mean of these.
            Some(distance) => Some(distance),
            None => mean(steps.iter().filter_map(|step| Some(step.supervised?.value))),
        };
        loss.into_iter().for_each(|loss| unit.metric("supervised_loss", loss));
        note(unit, &steps);
        way.end(unit, loss);
        for (state, decay) in &self.followers {
            let imitation = unit.write::<Imitation>(state)?;
            loss.into_iter().for_each(|loss| imitation.follow(loss, *decay));
        }
        self.milestones.iter().try_for_each(|milestone| milestone.see(unit, loss))?;
        Ok(Bundle::new())
    }
}

impl Train {
    /// How the answers that earned a reward are trained on in this batch.
    fn objective<'u>(&self, unit: &Unit<'u>) -> Result<Objective<'u>, StageError> {
        let spec::settings::Train { policy, normalise, entropy, kl, .. } = &self.settings;
        let (policy, normalise, entropy) = (*policy, *normalise, entropy.at(unit.batch));
        let kl = match (&self.reference, kl) {
            (Some(state), Some(kl)) => Some((&unit.read::<ModelState>(state)?.0.weights, kl.weight.at(unit.batch))),
            _ => None,
        };
        Ok(Objective { policy, normalise, entropy, kl })
    }
}

/// The examples of each optimizer step: those of every so many-th debate.
fn shares(table: &DataFrame, steps: usize) -> PolarsResult<Vec<Vec<Example>>> {
    let (question, tokens) = (tables::u64s(table, "question")?, tables::list_u32(table, "tokens")?);
    let (prompt_length, supervised) = (tables::u32s(table, "prompt_length")?, tables::f32s(table, "supervised")?);
    let advantage = table.column("advantage")?.f32()?;
    let mut log_probs = tables::list_f32(table, "log_probs")?;
    // A loss that weighs by propensities says them.
    let propensity = table.column("propensity").ok().map(|column| column.f64()).transpose()?;
    // And one that goes by distributions, these.
    let mut distribution = tables::list_f32_if_any(table, "distribution")?;
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut shares: Vec<Vec<Example>> = (0..steps).map(|_| Vec::new()).collect();
    for (i, tokens) in tokens.into_iter().enumerate() {
        let next = places.len();
        let place = *places.entry(question[i]).or_insert(next);
        shares[place % steps].push(Example {
            tokens: tokens.unwrap_or_default(),
            prompt_length: prompt_length[i] as usize,
            supervised: supervised[i],
            stands_for: propensity.and_then(|column| column.get(i)).map_or(1.0, |propensity| 1.0 / propensity),
            advantage: advantage.get(i),
            log_probs: log_probs[i].take().unwrap_or_default(),
            distribution: distribution[i].take().unwrap_or_default(),
        });
    }
    shares.retain(|share| !share.is_empty());
    Ok(shares)
}

/// The mean distance of M's answers to H's, each counted as often as it stands for others; `None` where the loss is not
/// one of a distance between texts.
fn mean_distance(table: &DataFrame) -> PolarsResult<Option<f64>> {
    let Ok(distance) = table.column("distance") else { return Ok(None) };
    let distance = distance.f64()?;
    let propensity = table.column("propensity").ok().map(|column| column.f64()).transpose()?;
    let stands_for = |i| propensity.and_then(|column| column.get(i)).map_or(1.0, |propensity| 1.0 / propensity);
    let weighted = (0..table.height()).filter_map(|i| Some((stands_for(i), distance.get(i)?)));
    let (all, sum) = weighted.fold((0.0, 0.0), |(all, sum), (count, distance)| (all + count, sum + count * distance));
    Ok((all > 0.0).then(|| sum / all))
}

/// The means over a batch's optimizer steps of whatever they report.
fn note(unit: &mut Unit<'_>, steps: &[Metrics]) {
    let mut note = |name: &str, value: fn(&Metrics) -> Option<f64>| {
        mean(steps.iter().filter_map(value)).into_iter().for_each(|mean| unit.metric(name, mean));
    };
    note("supervised_norm", |step| step.supervised.map(|term| term.norm));
    note("reward_value", |step| step.reward.map(|term| term.value));
    note("reward_norm", |step| step.reward.map(|term| term.norm));
    note("reward_share", |step| step.share);
    note("cosine", |step| step.cosine);
    note("norm", |step| step.norm);
    note("entropy", |step| step.entropy);
    note("kl", |step| step.kl);
    note("clipped", |step| step.clipped);
    unit.metric("tokens", steps.iter().map(|step| step.tokens).sum::<usize>() as f64);
}
