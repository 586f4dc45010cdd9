//! What a penalty teaches: M, that its answers cost; and the adversary, that its proposals earn.
//!
//! A cost is a number, and has no gradient in M's tokens: they are weighed by how much less than usual their answer cost
//! (Williams 1992). Usual is the mean over the answers to the same proposal, so where all of them are catastrophes, or none
//! is, nothing is to be learnt. The adversary learns likewise from the products of a batch's proposals.

use super::loss::{Example, into_table, mean};
use crate::stages::{states::PenaltyWeight, tables};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{
    penalty::surprises,
    question::Asked,
    trace::{Call, Part},
};
use model::Tokenizer;
use polars::prelude::*;
use spec::settings::{Combine, PenaltyLimit, Price, Scale, Weight};
use std::collections::BTreeMap;

/// Where a penalty's tables are, and what weighs it.
pub struct PenaltyTables {
    /// What M answered, and what that costs.
    pub answers: String,
    /// The calls.
    pub calls: String,
    /// The state that holds λ, where there is a limit.
    pub multiplier: String,
}

impl PenaltyTables {
    /// What the penalty of a batch counts, if it counts yet; and, under a limit, the next λ.
    pub(super) fn weight(&self, unit: &mut Unit<'_>, price: &Price, begun: bool) -> Result<f64, StageError> {
        match price {
            Price::Weight(weight) => {
                let weight = if begun { weight.at(unit.batch) } else { 0.0 };
                unit.metric("penalty", weight);
                Ok(weight)
            }
            Price::Limited { lagrangian } => self.multiplied(unit, lagrangian, begun),
        }
    }

    /// λ as the batches before left it, which this batch's answers move for the next. Where nothing is known of any, it
    /// stays. λ weighs costs, whose unit is that of a reward; the share that moves it is in [0, 1].
    fn multiplied(&self, unit: &mut Unit<'_>, limit: &PenaltyLimit, begun: bool) -> Result<f64, StageError> {
        let state = unit.write::<PenaltyWeight>(&self.multiplier)?;
        let weight = if begun { state.value(limit) } else { 0.0 };
        unit.metric("penalty_weight", weight);
        if let Some(share) = catastrophes(unit.table(&self.answers)?)? {
            unit.metric("penalty_cost", share);
            // A λ that moved while nothing costs would be of what M does untaught.
            if begun {
                state.follow(share, limit, unit.batch);
            }
        }
        Ok(weight)
    }

    /// M's answers as examples, each with its advantage times a weight; and H's words on likelihoods and catastrophes, as
    /// targets of imitation where it is asked for.
    pub(super) fn examples(
        &self,
        unit: &Unit<'_>,
        weight: f64,
        imitated: Option<Weight>,
        tokenizer: &Tokenizer,
    ) -> Result<Vec<Example>, StageError> {
        let advantages = if weight > 0.0 { advantages(unit.table(&self.answers)?)? } else { BTreeMap::new() };
        let calls = tables::to_calls(unit.table(&self.calls)?)?;
        let example = |call: Call| match (call.asked, call.part) {
            (Asked::Argument, Part::First) => {
                let (cost, advantage) = *advantages.get(&call.question)?;
                let advantage = (weight * advantage) as f32;
                Some(Example::new(tokenizer, call, 0.0, Some(-cost as f32), Some(advantage)))
            }
            (_, Part::Human) => Some(verdict(tokenizer, call, imitated?)),
            _ => None,
        };
        Ok(calls.into_iter().filter_map(example).collect())
    }
}

/// What H said, as a target: nothing here earns the reward of a debate, so α takes nothing off it.
fn verdict(tokenizer: &Tokenizer, call: Call, weight: Weight) -> Example {
    let propensity = call.propensity.filter(|_| weight == Weight::Propensity);
    let supervised = (1.0 / propensity.unwrap_or(1.0)) as f32;
    let mut example = Example::new(tokenizer, call, supervised, None, None);
    example.propensity = propensity;
    example
}

/// Of the answers that cost something unusual: what it is, and how much less than the mean.
fn advantages(answers: &DataFrame) -> PolarsResult<BTreeMap<u64, (f64, f64)>> {
    let costs: Vec<Option<f64>> = answers.column("cost")?.f64()?.iter().collect();
    let surprises = surprises(&costs, Scale::None);
    let unusual = tables::u64s(answers, "question")?.into_iter().zip(costs.into_iter().zip(surprises));
    Ok(unusual.filter_map(|(question, (cost, surprise))| Some((question, (cost?, -surprise?)))).collect())
}

/// The share of catastrophes among the answers to the proposal with the largest product; `None` where there are none. Of a
/// proposal that is never asked for, with a likelihood of 0, no answer is one: its product is 0 whatever M says.
fn catastrophes(answers: &DataFrame) -> PolarsResult<Option<f64>> {
    let (costs, harms) = (answers.column("cost")?.f64()?, answers.column("catastrophe")?.f64()?);
    let share = |(cost, harm): (Option<f64>, Option<f64>)| Some(if cost? > 0.0 { harm? } else { 0.0 });
    Ok(mean(costs.iter().zip(harms.iter()).filter_map(share)))
}

/// `[loss.NAME]` with `proposals`: what the adversary of a penalty learns.
pub struct Proposals {
    /// The stage's name.
    pub name: String,
    /// The table of proposals.
    pub proposals: String,
    /// The table of calls.
    pub calls: String,
    /// What a product counts.
    pub settings: spec::settings::Loss,
    /// Turns words into tokens.
    pub tokenizer: Tokenizer,
}

impl Stage for Proposals {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let alpha = match &self.settings.combine {
            Combine::Weighted { alpha } => alpha.at(unit.batch),
            Combine::Reward { .. } | Combine::Constrained(_) => 0.0,
        };
        unit.metric("alpha", alpha);
        let table = unit.table(&self.proposals)?;
        let products: Vec<Option<f64>> = table.column("product")?.f64()?.iter().collect();
        let surprises = surprises(&products, self.settings.scale);
        let earned: BTreeMap<u64, (Option<f64>, Option<f64>)> =
            tables::u64s(table, "proposal")?.into_iter().zip(products.into_iter().zip(surprises)).collect();
        let calls = tables::to_calls(unit.table(&self.calls)?)?;
        let example = |call: Call| {
            let (product, surprise) = *earned.get(&call.question)?;
            let advantage = surprise.filter(|_| alpha > 0.0).map(|surprise| (alpha * surprise) as f32)?;
            Some(Example::new(&self.tokenizer, call, 0.0, product.map(|product| product as f32), Some(advantage)))
        };
        let proposed = calls.into_iter().filter(|call| call.asked == Asked::Proposal);
        let examples: Vec<Example> = proposed.filter_map(example).collect();
        Ok(Bundle::from([(self.name.clone(), into_table(&examples)?)]))
    }
}
