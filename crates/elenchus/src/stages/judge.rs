//! `[judge.NAME]`: who won each debate, and the reward that follows.

use super::{Amplifier, debate::human_calls, note_usage, questions::questions};
use crate::{tables, wins};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{
    debate::Row,
    draw::Draw,
    judge::{Side, Transcript, Verdict, judge},
    question::{Asked, Form},
    trace::{Call, calls},
};
use polars::prelude::*;
use spec::settings::Wording;
use std::collections::BTreeMap;

/// Judges the debates of each batch.
pub struct Judge {
    /// The stage's name.
    pub name: String,
    /// The table of questions.
    pub questions: String,
    /// The table of arguments.
    pub arguments: String,
    /// In which form they were debated.
    pub form: Form,
    /// Amp≈(H, M_target).
    pub by: Amplifier,
    /// How questions are worded.
    pub wording: Wording,
    /// The root of the stage's draws.
    pub draw: Draw,
}

impl Stage for Judge {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        // Those that could not be debated, the debate has told of.
        let (debated, _) = questions(unit.table(&self.questions)?)?;
        let rows = super::debate::rows(debated, self.form, self.draw);
        let arguments = unit.table(&self.arguments)?;
        let transcripts = transcripts(rows, arguments)?;
        let mut target = self.by.answerer(unit)?;
        let judging = self.by.samp.hold(unit)?;
        let verdicts = judge(&self.by.approx(&self.wording, &judging), &mut target, &transcripts)?;
        note_usage(unit, &[target.usage]);
        let ids: Vec<u64> = transcripts.iter().map(|transcript| transcript.row.id).collect();
        let winner: Vec<Option<&str>> = verdicts.iter().map(|verdict| verdict.winner.map(Side::name)).collect();
        let reward: Vec<Option<f32>> = verdicts.iter().map(|verdict| verdict.reward(Side::Even)).collect();
        note_rewards(unit, &reward);
        let sides = wins::sides(arguments)?;
        if !sides.is_empty() {
            let won = ids.iter().zip(&verdicts).map(|(id, verdict)| (verdict.winner, sides.get(id).copied()));
            wins::note(unit, wins::count(won));
        }
        let trace = trace(&transcripts, verdicts);
        unit.metric("human_calls", human_calls(&trace));
        judging.settle(unit, &trace, |_| true);
        let table = DataFrame::new(
            ids.len(),
            vec![
                Column::new("question".into(), ids),
                Column::new("winner".into(), winner),
                Column::new("reward".into(), reward),
            ],
        )?;
        Ok(Bundle::from([(self.name.clone(), table), (format!("{}.calls", self.name), tables::from_calls(&trace)?)]))
    }
}

/// The debates of a table of arguments, which has them in order of turn.
fn transcripts(rows: Vec<Row>, arguments: &DataFrame) -> PolarsResult<Vec<Transcript>> {
    let mut said: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (id, text) in tables::u64s(arguments, "question")?.into_iter().zip(tables::texts(arguments, "text")?) {
        said.entry(id).or_default().push(text);
    }
    Ok(rows.into_iter().map(|row| Transcript { arguments: said.remove(&row.id).unwrap_or_default(), row }).collect())
}

fn trace(transcripts: &[Transcript], verdicts: Vec<Verdict>) -> Vec<Call> {
    let mut trace = Vec::new();
    for (transcript, verdict) in transcripts.iter().zip(verdicts) {
        let turn = transcript.arguments.len();
        trace.extend(verdict.answer.into_iter().flat_map(|said| calls(transcript.row.id, Asked::Winner, turn, said)));
    }
    trace
}

/// The share of debates without a reward, and the mean reward of the even side in the others.
fn note_rewards(unit: &mut Unit<'_>, rewards: &[Option<f32>]) {
    let given: Vec<f64> = rewards.iter().flatten().map(|&reward| f64::from(reward)).collect();
    if !rewards.is_empty() {
        unit.metric("null_rewards", 1.0 - given.len() as f64 / rewards.len() as f64);
    }
    if !given.is_empty() {
        unit.metric("reward_even", given.iter().sum::<f64>() / given.len() as f64);
    }
}
