//! `[loss.NAME]`: which token sequences M is trained on, and with what weights.
//!
//! The combination is decided here, row by row: with α at this batch, a debate that has a reward weighs its supervised
//! targets by 1 − α and its rewarded tokens by α; one whose reward is null is all supervised, whatever α, and that
//! limit is imitative amplification. A term of weight zero is left out, not multiplied by zero. Under a limit on L both count in full,
//! and `train` weighs them.
//!
//! Under cross-entropy the target of a question is H's answer. A distance of texts has no gradient in M's tokens: there
//! M's own first answer is trained on, if H was called over it, with the running mean of d less its d for a weight. The
//! gradient of that weighted log-probability is the one of −E[d] (Williams 1992), whatever is subtracted. Under "kl" the
//! target is H's answer too, and the distribution that it was given by goes with it, where there is one.

use super::questions::questions as questions_of;
use crate::stages::{
    embeddings::{Embeddings, measure},
    penalised::PenaltyTables,
    states::Baseline,
    tables,
};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{
    baseline::{Group, depth, groups},
    debate::Voice,
    distance::costs,
    judge::Side,
    lesson::{Learner, lesson},
    question::Asked,
    trace::{Call, Part},
};
use model::Tokenizer;
use polars::prelude::*;
use rayon::prelude::*;
use spec::settings::{BaselineOf, Combine, Weight};
use std::{collections::BTreeMap, sync::Arc};

/// Turns the calls of a batch into weighted token sequences.
pub struct Loss {
    /// The stage's name.
    pub name: String,
    /// The tables of calls: the debate's, and its judge's if it has one.
    pub calls: Vec<String>,
    /// The table of verdicts, if there is a judge.
    pub verdicts: Option<String>,
    /// The table of questions, if rewards are held against those of other debates on the same one.
    pub questions: Option<String>,
    /// The tables of a penalty, if it takes one.
    pub penalty: Option<PenaltyTables>,
    /// Whether another model than M argues against it.
    pub against_other: bool,
    /// Who learns.
    pub learner: Learner,
    /// How the losses combine, who is imitated, and what earns a reward.
    pub settings: spec::settings::Loss,
    /// What the distance goes by, if it is one of embeddings.
    pub embedder: Option<Arc<Embeddings>>,
    /// The state that holds the running means of the reward and of the distance.
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
        let groups = match &self.questions {
            Some(questions) => groups(&texts(unit.table(questions)?)?, &winners),
            None => BTreeMap::new(),
        };
        let baseline = unit.write::<Baseline>(&self.baseline)?;
        let calls = self.calls.iter().map(|table| tables::to_calls(unit.table(table)?).map_err(StageError::from));
        let mut calls: Vec<Call> = calls.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        if self.against_other {
            // What another model said is not M's, nor is what H said having asked that one.
            calls.retain(|call| call.voice != Some(Voice::Opponent));
        }
        let won = self.won(&calls, &winners);
        let costs = costs(measure(&self.settings.distance, self.embedder.as_deref()), &calls)?;
        let (calls, costs): (Vec<Call>, Vec<Option<f64>>) =
            calls.into_iter().zip(costs).filter(|(call, _)| self.learner.learns_from(call)).unzip();
        let terms = Terms::at(&self.settings.combine, unit.batch, &calls, &costs);
        if let Some(telling) = mean(groups.values().map(|group| f64::from(u8::from(group.tells())))) {
            unit.metric("telling", telling);
        }
        let (depths, means) = (self.by_depth(&calls, &winners), Means { baseline, groups: &groups });
        let weigh = |(call, cost)| self.example(call, cost, &winners, &terms, means);
        let mut examples: Vec<Example> =
            calls.into_par_iter().zip(costs.par_iter().copied()).filter_map(weigh).collect();
        terms.note(unit, &examples);
        examples.extend(self.penalised(unit, &terms)?);
        let decay = self.settings.baseline_decay.at(unit.batch);
        for (side, winners) in [Side::Even, Side::Odd].into_iter().zip(won) {
            if let Some(mean) = mean_reward(side, &winners) {
                baseline.follow(side, mean, decay);
            }
        }
        for ((side, depth), rewards) in depths {
            mean(rewards.into_iter()).into_iter().for_each(|mean| baseline.follow_at(side, depth, mean, decay));
        }
        if let Some(distance) = mean(costs.into_iter().flatten()) {
            unit.metric("distance", distance);
            baseline.follow_distance(distance, decay);
        }
        let table = self.table(&examples)?;
        Ok(Bundle::from([(self.name.clone(), table)]))
    }
}

impl Loss {
    /// The winners of the debates in which M argues for a side: against another model it argues for one, otherwise for both.
    fn won(&self, calls: &[Call], winners: &BTreeMap<u64, Side>) -> [Vec<Side>; 2] {
        if !self.against_other {
            return [winners.values().copied().collect(), Vec::new()];
        }
        let argued = calls.iter().filter(|call| call.voice.is_some());
        let sides: BTreeMap<u64, Side> = argued.map(|call| (call.question, Side::at(call.turn))).collect();
        let of =
            |side| winners.iter().filter(|(id, _)| sides.get(id) == Some(&side)).map(|(_, winner)| *winner).collect();
        [Side::Even, Side::Odd].map(of)
    }

    /// What a call teaches, if it teaches anything; `cost` is d of it, where H was called over it.
    fn example(
        &self,
        call: Call,
        cost: Option<f64>,
        winners: &BTreeMap<u64, Side>,
        terms: &Terms,
        means: Means<'_>,
    ) -> Option<Example> {
        let winner = winners.get(&call.question).copied();
        let lesson = lesson(&call, winner, self.settings.imitate, self.settings.credit);
        let reward = lesson.reward.and_then(|reward| self.surprise(&call, f64::from(reward), means));
        let saved = cost.map(|cost| means.baseline.of_distance() - cost);
        let target = if self.settings.is_of_costs() { saved } else { lesson.imitated.then_some(1.0) };
        let (weight, advantage) = match terms {
            Terms::Weighted { alpha } => {
                let weight = if winner.is_some() { 1.0 - alpha } else { 1.0 };
                (weight, reward.filter(|_| *alpha > 0.0).map(|reward| alpha * reward))
            }
            Terms::Constrained { begun } => (1.0, reward.filter(|_| *begun)),
            Terms::Reward { beta, of_debates } => {
                let of_debate = of_debates.get(&call.question).map(|mean| means.baseline.of_distance() - mean);
                let rewarded = reward.map(|reward| reward + of_debate.map_or(0.0, |saved| beta * saved));
                (0.0, rewarded.or(saved.filter(|_| *beta > 0.0).map(|saved| beta * saved)))
            }
        };
        // Who became a target by chance stands for those who did not.
        let target = target.filter(|_| weight > 0.0);
        let drawn = self.settings.weight == Weight::Propensity && target.is_some();
        let propensity = call.propensity.filter(|_| drawn);
        let supervised = target.map_or(0.0, |target| (weight * target / propensity.unwrap_or(1.0)) as f32);
        let advantage = advantage.map(|advantage| advantage as f32);
        let teaches = target.is_some() || advantage.is_some();
        let example = || Example::new(&self.tokenizer, call, supervised, lesson.reward, advantage);
        teaches.then(|| Example { propensity, distance: cost, ..example() })
    }

    /// What the penalty teaches, if there is one. Before a limit on L holds, nothing earns or costs.
    fn penalised(&self, unit: &mut Unit<'_>, terms: &Terms) -> Result<Vec<Example>, StageError> {
        let Some(penalty) = &self.penalty else { return Ok(Vec::new()) };
        let begun = !matches!(terms, Terms::Constrained { begun: false });
        let weight = penalty.weight(unit, &self.settings.penalty, begun)?;
        // Of texts alone there is no distance that H's verdicts could have.
        let imitated = (!self.settings.distance.is_of_texts()).then_some(self.settings.weight);
        penalty.examples(unit, weight, imitated, &self.tokenizer)
    }

    /// A reward less what it is held against; none where nothing can be told from it.
    fn surprise(&self, call: &Call, reward: f64, means: Means<'_>) -> Option<f64> {
        let side = Side::at(call.turn);
        match self.settings.baseline {
            BaselineOf::Side => Some(reward - means.baseline.of(side)),
            BaselineOf::Depth => Some(reward - means.baseline.at(side, depth(call))),
            BaselineOf::Group => means.groups.get(&call.question)?.advantage(side, reward, self.settings.scale),
        }
    }

    /// The rewards of each side at each depth, where they are kept apart.
    fn by_depth(&self, calls: &[Call], winners: &BTreeMap<u64, Side>) -> BTreeMap<(Side, usize), Vec<f64>> {
        let mut rewards: BTreeMap<(Side, usize), Vec<f64>> = BTreeMap::new();
        for call in calls.iter().filter(|_| self.settings.baseline == BaselineOf::Depth) {
            let winner = winners.get(&call.question).copied();
            let earned = lesson(call, winner, self.settings.imitate, self.settings.credit).reward.map(f64::from);
            rewards.entry((Side::at(call.turn), depth(call))).or_default().extend(earned);
        }
        rewards
    }

    /// The examples as a table, with the columns that the settings ask for.
    fn table(&self, examples: &[Example]) -> PolarsResult<DataFrame> {
        let mut table = into_table(examples)?;
        let mut add = |name: &str, value: fn(&Example) -> Option<f64>| {
            table.with_column(Column::new(name.into(), examples.iter().map(value).collect::<Vec<_>>())).map(drop)
        };
        if self.settings.weight == Weight::Propensity {
            add("propensity", |example| example.propensity)?;
        }
        if self.settings.is_of_costs() {
            add("distance", |example| example.distance)?;
        }
        if self.settings.distance.is_of_distributions() {
            let distributions: Vec<_> = examples.iter().map(|example| example.distribution.as_deref()).collect();
            table.with_column(tables::lists::<Float32Type>("distribution", &distributions))?;
        }
        Ok(table)
    }
}

/// What rewards are held against.
#[derive(Clone, Copy)]
struct Means<'a> {
    /// As the batches before left it.
    baseline: &'a Baseline,
    /// Of each debate, the ones on the same question.
    groups: &'a BTreeMap<u64, Group>,
}

/// How the losses combine at a batch.
enum Terms {
    /// (1 − α)·L − α·J.
    Weighted { alpha: f64 },
    /// L and J, each in full, once the constraint has begun; L alone before.
    Constrained { begun: bool },
    /// J alone, from which β·d is taken, by the mean d of each debate over the questions that H answered.
    Reward { beta: f64, of_debates: BTreeMap<u64, f64> },
}

impl Terms {
    fn at(combine: &Combine, batch: u64, calls: &[Call], costs: &[Option<f64>]) -> Self {
        match combine {
            Combine::Weighted { alpha } => Terms::Weighted { alpha: alpha.at(batch) },
            Combine::Constrained(constrained) => Terms::Constrained { begun: batch >= constrained.from },
            Combine::Reward { beta } => {
                let mut of_debates: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
                for (call, cost) in calls.iter().zip(costs) {
                    of_debates.entry(call.question).or_default().extend(*cost);
                }
                let mean = |(question, costs): (u64, Vec<f64>)| Some((question, mean(costs.into_iter())?));
                Terms::Reward { beta: beta.at(batch), of_debates: of_debates.into_iter().filter_map(mean).collect() }
            }
        }
    }

    fn note(&self, unit: &mut Unit<'_>, examples: &[Example]) {
        match self {
            Terms::Weighted { alpha } => unit.metric("alpha", *alpha),
            Terms::Reward { beta, .. } => unit.metric("beta", *beta),
            Terms::Constrained { .. } => {
                let earned = examples.iter().filter_map(|example| example.advantage.and(example.reward));
                mean(earned.map(f64::from)).into_iter().for_each(|reward| unit.metric("reward", reward));
            }
        }
    }
}

/// The mean, where there is anything.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The text of each question.
fn texts(questions: &DataFrame) -> PolarsResult<BTreeMap<u64, String>> {
    let (asked, _) = questions_of(questions)?;
    Ok(asked.into_iter().map(|question| (question.id, question.text)).collect())
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

/// The mean reward of a side over debates that have a winner.
fn mean_reward(side: Side, winners: &[Side]) -> Option<f64> {
    let won = winners.iter().filter(|&&winner| winner == side).count() as f64;
    (!winners.is_empty()).then(|| 2.0 * won / winners.len() as f64 - 1.0)
}

/// A row of the table of examples.
pub(super) struct Example {
    question: u64,
    turn: u32,
    role: &'static str,
    tokens: Vec<u32>,
    prompt_length: u32,
    supervised: f32,
    reward: Option<f32>,
    advantage: Option<f32>,
    pub(super) log_probs: Option<Vec<f32>>,
    pub(super) propensity: Option<f64>,
    distance: Option<f64>,
    distribution: Option<Vec<f32>>,
}

impl Example {
    /// A move of H, to be made by what stands in for it.
    pub(super) fn of_move(question: u64, turn: u32, asked: Asked, prompt: Vec<u32>, tokens: &[u32]) -> Self {
        Example {
            question,
            turn,
            role: asked.name(),
            prompt_length: prompt.len() as u32,
            tokens: [&prompt, tokens].concat(),
            supervised: 1.0,
            reward: None,
            advantage: None,
            log_probs: None,
            propensity: None,
            distance: None,
            distribution: None,
        }
    }

    /// M's own words keep the tokens they were sampled as; H's are tokenised here, once.
    pub(super) fn new(
        tokenizer: &Tokenizer,
        call: Call,
        supervised: f32,
        reward: Option<f32>,
        advantage: Option<f32>,
    ) -> Self {
        let (prompt, answer, log_probs) = match call.sampled {
            Some(sampled) => (sampled.prompt, sampled.tokens, Some(sampled.log_probs)),
            None => {
                // M would be given what the answer has to begin with, and learns what follows.
                let (prompt, mut answer) = (tokenizer.prompt(&call.prompt), tokenizer.answer(&call.answer));
                let held = call.held.map_or_else(Vec::new, |held| tokenizer.encode(&held));
                let given = if answer.starts_with(&held) { held.len() } else { 0 };
                let rest = answer.split_off(given);
                ([prompt, answer].concat(), rest, None)
            }
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
            distance: None,
            distribution: call.distribution,
        }
    }
}

/// The examples as a table.
pub(super) fn into_table(rows: &[Example]) -> PolarsResult<DataFrame> {
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
