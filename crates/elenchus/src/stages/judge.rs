//! `[judge.NAME]`: who won each debate, and the reward that follows.

use super::{Amplifier, human_calls, loss::mean, note_usage, questions::questions};
use crate::stages::{tables, understudy::Steps, wins};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{
    debate::Row,
    draw::Draw,
    judge::{Judging, Order, Side, Transcript, Verdict, judge},
    question::{Asked, Form},
    tool::Finding,
    trace::{Call, calls},
};
use polars::prelude::*;
use spec::settings::{Reply, Sees, Wording};
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
    /// How M_target gives its verdict.
    pub reply: Reply,
    /// In which order the sides are shown.
    pub sees: Sees,
    /// How many answers are asked for in each order.
    pub repeats: usize,
    /// Whether the distributions of what stands in for H are kept.
    pub distributions: bool,
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
        let held = self.by.hold(unit)?;
        let judging = Judging {
            overseer: self.by.approx(&self.wording, &held),
            reply: self.reply,
            temperature: self.by.temperature.at(unit.batch),
            sees: self.sees,
            repeats: self.repeats,
        };
        let mut verdicts = judge(&judging, &mut target, &transcripts)?;
        if let Some(playing) = held.beside().playing.as_ref().filter(|_| self.distributions) {
            let ballots = verdicts.iter_mut().flat_map(|verdict| &mut verdict.ballots);
            playing.tell(ballots.map(|ballot| &mut ballot.answer))?;
        }
        note_usage(unit, &[target.usage, held.usage()]);
        let table = self.table(&transcripts, &verdicts)?;
        self.note(unit, &verdicts);
        note_wins(unit, &wins::sides(arguments)?, &transcripts, &verdicts);
        let answers = || verdicts.iter().flat_map(|verdict| &verdict.ballots).map(|ballot| &ballot.answer);
        unit.metric("human_calls", human_calls(answers()));
        let steps = self.steps(&transcripts, &verdicts);
        steps.note(unit);
        let trace = trace(&transcripts, verdicts);
        held.settle(unit, &trace, |_| true);
        let mut calls = tables::from_calls(&trace)?;
        if self.by.consults.depth > 1 {
            calls = tables::with_paths(calls, &trace)?;
        }
        if self.distributions {
            calls = tables::with_distributions(calls, &trace)?;
        }
        let mut bundle = Bundle::from([(self.name.clone(), table), (format!("{}.calls", self.name), calls)]);
        if self.by.stand_in.is_some() {
            bundle.insert(format!("{}.steps", self.name), steps.into_table()?);
        }
        Ok(bundle)
    }
}

impl Judge {
    /// The moves behind verdicts.
    fn steps(&self, transcripts: &[Transcript], verdicts: &[Verdict]) -> Steps {
        let mut steps = Steps::default();
        for (transcript, verdict) in transcripts.iter().zip(verdicts) {
            for ballot in &verdict.ballots {
                let (id, turn) = (transcript.row.id, transcript.arguments.len());
                steps.take(self.by.stand_in.as_ref(), id, Asked::Winner, turn, &ballot.answer);
            }
        }
        steps
    }

    /// A row for each debate, with the columns that the settings ask for.
    fn table(&self, transcripts: &[Transcript], verdicts: &[Verdict]) -> PolarsResult<DataFrame> {
        let sides = |of: &dyn Fn(&Verdict) -> Option<Side>| -> Vec<Option<&str>> {
            verdicts.iter().map(|verdict| of(verdict).map(Side::name)).collect()
        };
        let numbers = |of: fn(&Verdict) -> Option<f64>| -> Vec<Option<f64>> { verdicts.iter().map(of).collect() };
        let ids: Vec<u64> = transcripts.iter().map(|transcript| transcript.row.id).collect();
        let reward: Vec<Option<f32>> = verdicts.iter().map(|verdict| verdict.reward(Side::Even)).collect();
        let mut columns = vec![
            Column::new("question".into(), ids),
            Column::new("winner".into(), sides(&|verdict| verdict.winner)),
            Column::new("reward".into(), reward),
        ];
        match self.sees {
            Sees::Given => {}
            Sees::Random => {
                let order = |verdict: &Verdict| verdict.ballots.first().map(|ballot| ballot.order.name());
                columns.push(Column::new("order".into(), verdicts.iter().map(order).collect::<Vec<_>>()));
            }
            Sees::Both => columns.extend(
                Order::BOTH.map(|order| Column::new(order.name().into(), sides(&|verdict| verdict.in_order(order)))),
            ),
        }
        if self.repeats > 1 {
            columns.push(Column::new("agreement".into(), numbers(Verdict::agreement)));
        }
        if self.reply == Reply::Choice {
            columns.push(Column::new("probability".into(), numbers(Verdict::probability)));
        }
        DataFrame::new(verdicts.len(), columns)
    }

    fn note(&self, unit: &mut Unit<'_>, verdicts: &[Verdict]) {
        note_rewards(unit, &verdicts.iter().map(|verdict| verdict.reward(Side::Even)).collect::<Vec<_>>());
        if self.sees == Sees::Both {
            let agree = |verdict: &Verdict| verdict.orders_agree().map(|agree| if agree { 1.0 } else { 0.0 });
            note_mean(unit, "order_agreement", verdicts.iter().filter_map(agree));
        }
        if self.repeats > 1 {
            note_mean(unit, "repeat_agreement", verdicts.iter().filter_map(Verdict::agreement));
        }
    }
}

/// How often the speaker won, where an opponent argues against it on the side that it is not on.
fn note_wins(unit: &mut Unit<'_>, sides: &BTreeMap<u64, Side>, transcripts: &[Transcript], verdicts: &[Verdict]) {
    if !sides.is_empty() {
        let of_speaker = transcripts.iter().map(|transcript| sides.get(&transcript.row.id).copied());
        wins::note(unit, wins::count(verdicts.iter().map(|verdict| verdict.winner).zip(of_speaker)));
    }
}

/// The mean, where there is anything.
fn note_mean(unit: &mut Unit<'_>, name: &str, values: impl Iterator<Item = f64>) {
    mean(values).into_iter().for_each(|mean| unit.metric(name, mean));
}

/// The debates of a table of arguments, which has them in order of turn.
fn transcripts(rows: Vec<Row>, arguments: &DataFrame) -> PolarsResult<Vec<Transcript>> {
    let mut transcripts: Vec<Transcript> = rows.into_iter().map(|row| Transcript::new(row, Vec::new())).collect();
    let mut of: BTreeMap<u64, &mut Transcript> = transcripts.iter_mut().map(|it| (it.row.id, it)).collect();
    let told = tables::texts_if_any(arguments, "shown")?.into_iter().zip(tables::texts_if_any(arguments, "findings")?);
    let argued = tables::u64s(arguments, "question")?.into_iter().zip(tables::texts(arguments, "text")?);
    for ((id, text), (shown, found)) in argued.zip(told) {
        let Some(transcript) = of.get_mut(&id) else { continue };
        let turn = transcript.arguments.len();
        let lines = found.iter().flat_map(|found| found.lines());
        transcript.findings.extend(lines.map(|line| Finding { turn, text: line.to_owned() }));
        transcript.shown.extend(shown);
        transcript.arguments.push(text);
    }
    Ok(transcripts)
}

fn trace(transcripts: &[Transcript], verdicts: Vec<Verdict>) -> Vec<Call> {
    let mut trace = Vec::new();
    for (transcript, verdict) in transcripts.iter().zip(verdicts) {
        let (id, turn) = (transcript.row.id, transcript.arguments.len());
        trace.extend(verdict.ballots.into_iter().flat_map(|ballot| calls(id, Asked::Winner, turn, ballot.answer)));
    }
    trace
}

/// The share of debates without a reward, and the mean reward of the even side in the others.
fn note_rewards(unit: &mut Unit<'_>, rewards: &[Option<f32>]) {
    let given: Vec<f64> = rewards.iter().flatten().map(|&reward| f64::from(reward)).collect();
    if !rewards.is_empty() {
        unit.metric("null_rewards", 1.0 - given.len() as f64 / rewards.len() as f64);
    }
    note_mean(unit, "reward_even", given.into_iter());
}
