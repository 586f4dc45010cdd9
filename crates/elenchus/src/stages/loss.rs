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
use spec::settings::Combine;
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
        let mut examples = Examples::default();
        for table in &self.calls {
            for call in tables::to_calls(unit.table(table)?)? {
                let winner = winners.get(&call.question).copied();
                let lesson = lesson(&call, winner, self.settings.imitate, self.settings.credit);
                let advantage = lesson
                    .reward
                    .filter(|_| alpha > 0.0)
                    .map(|reward| (alpha * (f64::from(reward) - baseline.of(Side::at(call.turn)))) as f32);
                let weight = if winner.is_some() { 1.0 - alpha } else { 1.0 };
                let supervised = if lesson.imitated { weight as f32 } else { 0.0 };
                if supervised > 0.0 || advantage.is_some() {
                    examples.push(&self.tokenizer, call, supervised, lesson.reward, advantage);
                }
            }
        }
        if let Some(even) = mean_even(&winners) {
            baseline.follow(even, self.settings.baseline_decay.at(unit.batch));
        }
        Ok(Bundle::from([(self.name.clone(), examples.into_table()?)]))
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

/// The table of examples, column by column.
#[derive(Default)]
struct Examples {
    question: Vec<u64>,
    turn: Vec<u32>,
    role: Vec<String>,
    tokens: Vec<Vec<u32>>,
    prompt_length: Vec<u32>,
    supervised: Vec<f32>,
    reward: Vec<Option<f32>>,
    advantage: Vec<Option<f32>>,
    log_probs: Vec<Option<Vec<f32>>>,
}

impl Examples {
    /// M's own words keep the tokens they were sampled as; H's are tokenised here, once.
    fn push(
        &mut self,
        tokenizer: &Tokenizer,
        call: Call,
        supervised: f32,
        reward: Option<f32>,
        advantage: Option<f32>,
    ) {
        let role = if call.part == Part::Sub { "sub-answer" } else { call.asked.name() };
        let (prompt, answer, log_probs) = match call.sampled {
            Some(sampled) => (sampled.prompt, sampled.tokens, Some(sampled.log_probs)),
            None => (tokenizer.prompt(&call.prompt), tokenizer.answer(&call.answer), None),
        };
        self.question.push(call.question);
        self.turn.push(call.turn as u32);
        self.role.push(role.to_owned());
        self.prompt_length.push(prompt.len() as u32);
        self.tokens.push([prompt, answer].concat());
        self.supervised.push(supervised);
        self.reward.push(reward);
        self.advantage.push(advantage);
        self.log_probs.push(log_probs);
    }

    fn into_table(self) -> PolarsResult<DataFrame> {
        let tokens: Vec<Option<&[u32]>> = self.tokens.iter().map(|tokens| Some(tokens.as_slice())).collect();
        let log_probs: Vec<Option<&[f32]>> = self.log_probs.iter().map(Option::as_deref).collect();
        DataFrame::new(
            self.question.len(),
            vec![
                Column::new("question".into(), self.question),
                Column::new("turn".into(), self.turn),
                Column::new("role".into(), self.role),
                tables::lists::<UInt32Type>("tokens", &tokens),
                Column::new("prompt_length".into(), self.prompt_length),
                Column::new("supervised".into(), self.supervised),
                Column::new("reward".into(), self.reward),
                Column::new("advantage".into(), self.advantage),
                tables::lists::<Float32Type>("log_probs", &log_probs),
            ],
        )
    }
}
