//! `[loss.NAME]`: which token sequences M is trained on, and with what weights.
//!
//! The combination is decided here, row by row: with α at this batch, a debate that has a reward weighs its supervised
//! targets by 1 − α and its rewarded tokens by α; one whose reward is null is all supervised, whatever α, and that
//! limit is imitative amplification. A term of weight zero is left out, not multiplied by zero.

use crate::{states::Baseline, tables};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{
    judge::Side,
    lesson::lesson,
    trace::{Call, Part},
};
use model::Tokenizer;
use polars::prelude::*;
use rayon::prelude::*;
use spec::settings::{Combine, Weight};
use std::collections::BTreeMap;

/// Turns the calls of a batch into weighted token sequences.
pub struct Loss {
    /// The stage's name.
    pub name: String,
    /// The tables of calls: the debate's, and its judge's if it has one.
    pub calls: Vec<String>,
    /// The table of verdicts, if there is a judge.
    pub verdicts: Option<String>,
    /// How the losses combine, who is imitated, and what earns a reward.
    pub settings: spec::settings::Loss,
    /// The state that holds the running mean of the reward.
    pub baseline: String,
    /// Turns H's words into tokens.
    pub tokenizer: Tokenizer,
}

impl Stage for Loss {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let winners = match &self.verdicts {
            Some(verdicts) => winners(unit.table(verdicts)?)?,
            None => BTreeMap::new(),
        };
        let baseline = unit.write::<Baseline>(&self.baseline)?;
        let Combine::Weighted { alpha } = &self.settings.combine;
        let alpha = alpha.at(unit.batch);
        unit.metric("alpha", alpha);
        let calls = self.calls.iter().map(|table| tables::to_calls(unit.table(table)?).map_err(StageError::from));
        let calls: Vec<Call> = calls.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let weigh = |call: Call| self.example(call, &winners, alpha, baseline);
        let examples: Vec<Example> = calls.into_par_iter().filter_map(weigh).collect();
        let mut table = into_table(&examples)?;
        if self.settings.weight == Weight::Propensity {
            let propensities: Vec<Option<f64>> = examples.iter().map(|example| example.propensity).collect();
            table.with_column(Column::new("propensity".into(), propensities))?;
        }
        if let Some(even) = mean_even(&winners) {
            baseline.follow(even, self.settings.baseline_decay.at(unit.batch));
        }
        Ok(Bundle::from([(self.name.clone(), table)]))
    }
}

impl Loss {
    /// What a call teaches, if it teaches anything.
    fn example(&self, call: Call, winners: &BTreeMap<u64, Side>, alpha: f64, baseline: &Baseline) -> Option<Example> {
        let winner = winners.get(&call.question).copied();
        let lesson = lesson(&call, winner, self.settings.imitate, self.settings.credit);
        let advantage = |reward| (alpha * (f64::from(reward) - baseline.of(Side::at(call.turn)))) as f32;
        let advantage = lesson.reward.filter(|_| alpha > 0.0).map(advantage);
        let weight = if winner.is_some() { 1.0 - alpha } else { 1.0 };
        // Who became a target by chance stands for those who did not.
        let drawn = self.settings.weight == Weight::Propensity && lesson.imitated;
        let propensity = call.propensity.filter(|_| drawn);
        let supervised = if lesson.imitated { (weight / propensity.unwrap_or(1.0)) as f32 } else { 0.0 };
        let teaches = supervised > 0.0 || advantage.is_some();
        let example = || Example::new(&self.tokenizer, call, supervised, lesson.reward, advantage);
        teaches.then(|| Example { propensity, ..example() })
    }
}

/// The winner of each debate that has one.
fn winners(verdicts: &DataFrame) -> PolarsResult<BTreeMap<u64, Side>> {
    let ids = tables::u64s(verdicts, "question")?;
    let names = tables::optional_texts(verdicts, "winner")?;
    ids.into_iter()
        .zip(names)
        .filter_map(|(id, name)| Some(tables::side_named(&name?).map(|side| (id, side))))
        .collect()
}

/// The mean reward of the even side over the debates that have one.
fn mean_even(winners: &BTreeMap<u64, Side>) -> Option<f64> {
    let even = winners.values().filter(|&&side| side == Side::Even).count() as f64;
    (!winners.is_empty()).then(|| 2.0 * even / winners.len() as f64 - 1.0)
}

/// A row of the table of examples.
struct Example {
    question: u64,
    turn: u32,
    role: &'static str,
    tokens: Vec<u32>,
    prompt_length: u32,
    supervised: f32,
    reward: Option<f32>,
    advantage: Option<f32>,
    log_probs: Option<Vec<f32>>,
    propensity: Option<f64>,
}

impl Example {
    /// M's own words keep the tokens they were sampled as; H's are tokenised here, once.
    fn new(tokenizer: &Tokenizer, call: Call, supervised: f32, reward: Option<f32>, advantage: Option<f32>) -> Self {
        let (prompt, answer, log_probs) = match call.sampled {
            Some(sampled) => (sampled.prompt, sampled.tokens, Some(sampled.log_probs)),
            None => (tokenizer.prompt(&call.prompt), tokenizer.answer(&call.answer), None),
        };
        Example {
            question: call.question,
            turn: call.turn as u32,
            role: if call.part == Part::Sub { "sub-answer" } else { call.asked.name() },
            prompt_length: prompt.len() as u32,
            tokens: [prompt, answer].concat(),
            supervised,
            reward,
            advantage,
            log_probs,
            propensity: None,
        }
    }
}

fn into_table(rows: &[Example]) -> PolarsResult<DataFrame> {
    let tokens: Vec<Option<&[u32]>> = rows.iter().map(|row| Some(row.tokens.as_slice())).collect();
    let log_probs: Vec<Option<&[f32]>> = rows.iter().map(|row| row.log_probs.as_deref()).collect();
    DataFrame::new(
        rows.len(),
        vec![
            Column::new("question".into(), rows.iter().map(|row| row.question).collect::<Vec<_>>()),
            Column::new("turn".into(), rows.iter().map(|row| row.turn).collect::<Vec<_>>()),
            Column::new("role".into(), rows.iter().map(|row| row.role).collect::<Vec<_>>()),
            tables::lists::<UInt32Type>("tokens", &tokens),
            Column::new("prompt_length".into(), rows.iter().map(|row| row.prompt_length).collect::<Vec<_>>()),
            Column::new("supervised".into(), rows.iter().map(|row| row.supervised).collect::<Vec<_>>()),
            Column::new("reward".into(), rows.iter().map(|row| row.reward).collect::<Vec<_>>()),
            Column::new("advantage".into(), rows.iter().map(|row| row.advantage).collect::<Vec<_>>()),
            tables::lists::<Float32Type>("log_probs", &log_probs),
        ],
    )
}
