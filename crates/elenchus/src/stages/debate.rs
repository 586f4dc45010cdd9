//! `[debate.NAME]`: arguments on each question of the batch, and every call behind them.

use super::{
    Amplifier, human_calls, note_usage,
    questions::{Question, questions, stop},
    samp::Held,
};
use crate::stages::{
    states::Probes,
    tables,
    tools::{Inspecting, Looking},
    understudy::Steps,
};
use batch::{Bundle, Stage, StageError, Unit, stages::errors};
use debate::{
    amplify::Amplified,
    answerer::Answerer,
    debate::{Argument, Debate as Debated, Models, Row, Rules, Stopped, Voice, debate},
    draw::Draw,
    question::{Asked, Form, yes},
    trace::{Call, Part, argued},
};
use polars::prelude::*;
use spec::settings::{History, OnBadQuestion, SpeakerSide, Sufficient, Wording};

/// Debates the questions of each batch.
pub struct Debate {
    /// The stage's name.
    pub name: String,
    /// The table of questions.
    pub from: String,
    /// Amp≈(H, M).
    pub speaker: Amplifier,
    /// Who argues against it, where it does not argue on both sides.
    pub opponent: Option<Amplifier>,
    /// On which side the speaker argues against an opponent.
    pub speaker_side: SpeakerSide,
    /// Amp≈(H, M_target).
    pub overseer: Amplifier,
    /// What debaters may look into each other with, if they may.
    pub inspecting: Option<Inspecting>,
    /// In which form questions are debated.
    pub form: Form,
    /// The fewest arguments.
    pub min_turns: usize,
    /// The most.
    pub max_turns: usize,
    /// Who says that an argument suffices.
    pub sufficient: Sufficient,
    /// What of former arguments stands in the context.
    pub history: History,
    /// What becomes of a question that cannot be debated.
    pub on_error: OnBadQuestion,
    /// Whether the distributions of what stands in for H are kept.
    pub distributions: bool,
    /// How questions are worded.
    pub wording: Wording,
    /// The root of the stage's draws.
    pub draw: Draw,
}

impl Stage for Debate {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let (asked, refused) = questions(unit.table(&self.from)?)?;
        if let (OnBadQuestion::Fail, Some(first)) = (self.on_error, refused.first()) {
            return Err(stop(first));
        }
        let held = self.hold(unit)?;
        let debates = self.debate(unit, &held, &rows(asked, self.form, self.draw))?;
        if !debates.is_empty() {
            let turns = debates.iter().map(|debate| debate.arguments.len()).sum::<usize>() as f64;
            unit.metric("length", turns / debates.len() as f64);
        }
        let mut arguments = Arguments::default();
        let mut trace: Vec<Call> = Vec::new();
        let said = debates.iter().flat_map(|debate| &debate.arguments);
        let answers =
            said.flat_map(|argument| [Some(&argument.answer), argument.sufficient.as_ref(), argument.summary.as_ref()]);
        unit.metric("human_calls", human_calls(answers.flatten()));
        let mut steps = Steps::default();
        for debate in debates {
            let (id, last) = (debate.row.id, debate.arguments.len() - 1);
            arguments.shown.extend(debate.shown(self.history));
            for (turn, argument) in debate.arguments.into_iter().enumerate() {
                arguments.push(id, turn, &argument, (turn == last).then_some(debate.stopped));
                self.take_steps(&mut steps, id, turn, &argument);
                trace.extend(argued(id, turn, argument));
            }
        }
        if self.inspecting.is_some() {
            unit.metric("tool_uses", trace.iter().filter(|call| call.part == Part::Tool).count() as f64);
        }
        steps.note(unit);
        for held in held {
            let name = held.name().to_owned();
            held.settle(unit, &trace, |call| self.asked(call).samp.name == name);
        }
        let mut bundle = Bundle::from([
            (self.name.clone(), arguments.into_table(self)?),
            (format!("{}.calls", self.name), self.calls(&trace)?),
        ]);
        if self.parties().any(|party| party.stand_in.is_some()) {
            bundle.insert(format!("{}.steps", self.name), steps.into_table()?);
        }
        if self.on_error == OnBadQuestion::Skip {
            unit.metric("errors", refused.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(&refused)?);
        }
        Ok(bundle)
    }
}

impl Debate {
    /// Samp of each Amp≈, once: where the same one is asked for two things, both pay from one purse.
    fn hold<'a>(&self, unit: &mut Unit<'a>) -> Result<Vec<Held<'a>>, StageError> {
        let mut held: Vec<Held<'a>> = Vec::new();
        for amplifier in self.parties() {
            if held.iter().all(|other| other.name() != amplifier.samp.name) {
                held.push(amplifier.hold(unit)?);
            }
        }
        Ok(held)
    }

    fn debate(&self, unit: &mut Unit<'_>, held: &[Held<'_>], rows: &[Row]) -> Result<Vec<Debated>, StageError> {
        let of = |amplifier: &Amplifier| {
            let held = held.iter().find(|held| held.name() == amplifier.samp.name);
            held.expect("each that is asked was held")
        };
        let approx = |amplifier| Amplifier::approx(amplifier, &self.wording, of(amplifier));
        let probes = self.probes(unit)?;
        let known = probes.as_deref().cloned().unwrap_or_default();
        let looking = self.inspecting.as_ref().map(|it| it.looking(unit, &self.speaker, self.opponent.as_ref(), known));
        let looking = looking.transpose()?;
        let rules = Rules {
            speaker: approx(&self.speaker),
            opponent: self.opponent.as_ref().map(approx),
            speaker_side: self.speaker_side,
            overseer: approx(&self.overseer),
            min_turns: self.min_turns,
            max_turns: self.max_turns,
            sufficient: &self.sufficient,
            tools: looking.as_ref().map(Looking::tools),
            history: self.history,
            batch: unit.batch,
        };
        let (mut m, mut target) = (self.speaker.answerer(unit)?, self.overseer.answerer(unit)?);
        let mut other = self.opponent.as_ref().map(|opponent| opponent.answerer(unit)).transpose()?;
        let opponent = other.as_mut().map(|other| other as &mut dyn Answerer);
        let mut debates = debate(&rules, &mut Models { speaker: &mut m, opponent, overseer: &mut target }, rows)?;
        self.tell(held, &mut debates)?;
        if let (Some(looking), Some(probes)) = (&looking, probes) {
            looking.teach(unit, &debates, probes)?;
        }
        let usage = [Some(m.usage), other.map(|other| other.usage), Some(target.usage)].into_iter().flatten();
        let of_others = held.iter().map(Held::usage).chain(looking.iter().flat_map(Looking::usage));
        note_usage(unit, &usage.chain(of_others).collect::<Vec<_>>());
        Ok(debates)
    }

    /// Has whoever stands in for H say with which distribution it gave its answers, where that is asked for.
    fn tell(&self, held: &[Held<'_>], debates: &mut [Debated]) -> Result<(), StageError> {
        for held in held.iter().filter(|_| self.distributions) {
            let Some(playing) = &held.beside().playing else { continue };
            let arguments = debates.iter_mut().flat_map(|debate| &mut debate.arguments);
            playing.tell(arguments.flat_map(|argument| self.given_by(held.name(), argument)))?;
        }
        Ok(())
    }

    /// What an Amp≈ answered in an argument.
    fn given_by<'d>(&self, name: &str, argument: &'d mut Argument) -> impl Iterator<Item = &'d mut Amplified> {
        let argued = self.arguing(argument.voice).samp.name == name;
        let oversaw = self.overseer.samp.name == name;
        let Argument { answer, uses, sufficient, summary, .. } = argument;
        let arguments = uses.iter_mut().map(|used| &mut used.asked).chain([answer]).filter(move |_| argued);
        arguments.chain(sufficient.iter_mut().chain(summary).filter(move |_| oversaw))
    }

    /// The probes, if there are any.
    fn probes<'a>(&self, unit: &mut Unit<'a>) -> Result<Option<&'a mut Probes>, StageError> {
        let state = self.inspecting.as_ref().and_then(|inspecting| inspecting.probes.as_ref());
        Ok(state.map(|state| unit.write::<Probes>(state)).transpose()?)
    }

    /// Who is asked something.
    fn parties(&self) -> impl Iterator<Item = &Amplifier> {
        [Some(&self.speaker), self.opponent.as_ref(), Some(&self.overseer)].into_iter().flatten()
    }

    /// Who answered a call, or was called over.
    fn asked(&self, call: &Call) -> &Amplifier {
        call.voice.map_or(&self.overseer, |voice| self.arguing(voice))
    }

    fn arguing(&self, voice: Voice) -> &Amplifier {
        match (voice, &self.opponent) {
            (Voice::Opponent, Some(opponent)) => opponent,
            _ => &self.speaker,
        }
    }

    /// The moves behind an argument, and behind what was said of whether it suffices.
    fn take_steps(&self, steps: &mut Steps, id: u64, turn: usize, argument: &Argument) {
        let speaker = self.arguing(argument.voice).stand_in.as_ref();
        steps.take(speaker, id, Asked::Argument, turn, &argument.answer);
        let doubted = argument.sufficient.iter().map(|said| (Asked::Sufficient, said));
        for (asked, said) in doubted.chain(argument.summary.iter().map(|said| (Asked::Summary, said))) {
            steps.take(self.overseer.stand_in.as_ref(), id, asked, turn + 1, said);
        }
    }

    /// The table of calls, with the columns that the form of the debate asks for.
    fn calls(&self, trace: &[Call]) -> PolarsResult<DataFrame> {
        let mut table = tables::from_calls(trace)?;
        if self.opponent.is_some() {
            let voices: Vec<Option<&str>> = trace.iter().map(|call| call.voice.map(Voice::name)).collect();
            table.with_column(Column::new("voice".into(), voices))?;
        }
        if let Form::Rival(_) = self.form {
            let held: Vec<Option<&str>> = trace.iter().map(|call| call.held.as_deref()).collect();
            table.with_column(Column::new("held".into(), held))?;
        }
        if self.parties().any(|party| party.consults.depth > 1) {
            table = tables::with_paths(table, trace)?;
        }
        if self.distributions {
            table = tables::with_distributions(table, trace)?;
        }
        Ok(table)
    }
}

/// Questions, each with the address of its debate's randomness.
pub fn rows(questions: Vec<Question>, form: Form, draw: Draw) -> Vec<Row> {
    let row = |Question { id, text, .. }| Row { id, question: text, form, draw: draw.at(id) };
    questions.into_iter().map(row).collect()
}

/// The table of arguments, column by column.
#[derive(Default)]
struct Arguments {
    question: Vec<u64>,
    turn: Vec<u32>,
    text: Vec<String>,
    by: Vec<&'static str>,
    sufficient: Vec<Option<bool>>,
    stopped: Vec<Option<&'static str>>,
    voice: Vec<&'static str>,
    findings: Vec<Option<String>>,
    shown: Vec<String>,
}

impl Arguments {
    fn push(&mut self, id: u64, turn: usize, argument: &Argument, stopped: Option<Stopped>) {
        self.question.push(id);
        self.turn.push(turn as u32);
        self.text.push(argument.answer.text().to_owned());
        self.by.push(tables::answered_by(&argument.answer));
        self.sufficient.push(argument.sufficient.as_ref().map(|said| yes(said.text()) == Some(true)));
        self.stopped.push(stopped.map(Stopped::name));
        self.voice.push(argument.voice.name());
        let findings: Vec<&str> = argument.uses.iter().map(|used| used.text.as_str()).collect();
        self.findings.push((!findings.is_empty()).then(|| findings.join("\n")));
    }

    /// Who argued is a column where there are two, how arguments stand in S where that is otherwise, and what tools said where
    /// there are any.
    fn into_table(self, of: &Debate) -> PolarsResult<DataFrame> {
        let mut columns = vec![
            Column::new("question".into(), &self.question),
            Column::new("turn".into(), self.turn),
            Column::new("text".into(), self.text),
            Column::new("by".into(), self.by),
            Column::new("sufficient".into(), self.sufficient),
            Column::new("stopped".into(), self.stopped),
        ];
        columns.extend(of.opponent.is_some().then(|| Column::new("voice".into(), self.voice)));
        columns.extend((of.history != History::Arguments).then(|| Column::new("shown".into(), self.shown)));
        columns.extend(of.inspecting.is_some().then(|| Column::new("findings".into(), self.findings)));
        DataFrame::new(self.question.len(), columns)
    }
}
