//! A debate of a run as a person reads it.

use crate::{failure::Failure, stages::tables};
use batch::{Run, manifest::Line};
use debate::{
    debate::Voice,
    judge::Side,
    question::{Asked, SIDES},
    trace::{Call, Part},
};
use polars::prelude::*;
use spec::settings::{Pipeline, Stage, Turns};
use std::fmt::Write;

/// A debate, with all that is behind it.
pub struct Transcript {
    /// The id of the question debated.
    pub id: u64,
    /// The batch that drew it.
    pub batch: u64,
    /// Q.
    pub question: String,
    /// The right answer, where it is known.
    pub gold: Option<String>,
    /// Every call to M or H, in the order of the debate.
    pub calls: Vec<Call>,
    /// Whether both sides' arguments of a round were given at the same time.
    pub simultaneous: bool,
    /// What ended it.
    pub stopped: String,
    /// Who won; `None` where it was not judged, and within where there is no winner.
    pub winner: Option<Option<String>>,
}

impl Transcript {
    /// The debate on a question, wherever in a run it is.
    pub fn read(run: &Run, pipeline: &Pipeline, id: u64) -> Result<Self, Failure> {
        let debate = Found::debate(pipeline)?;
        Self::of(run, &debate, batch_of(run, &debate, id)?, id)
    }

    /// The debate on a question of some batch.
    pub fn of(run: &Run, debate: &Found<'_>, batch: u64, id: u64) -> Result<Self, Failure> {
        let kept = |name: &str| run.header().tables.contains_key(name);
        let read = |name: &str, column: &str| with(&run.table(name, batch)?, column, id);
        let text = |name: &str, id_column: &str, column: &str| optional(&read(name, id_column)?, column);
        let first = |name: Option<&str>, column: &str| -> Result<Option<String>, Failure> {
            let texts = name.map(|name| text(name, "id", column)).transpose()?;
            Ok(texts.into_iter().flatten().flatten().next())
        };
        let mut calls = calls(&read(&format!("{}.calls", debate.arguments), "question")?)?;
        let mut winner = None;
        if let Some(verdicts) = debate.verdicts {
            calls.extend(self::calls(&read(&format!("{verdicts}.calls"), "question")?)?);
            winner = text(verdicts, "question", "winner")?.into_iter().next();
        }
        let question = first(debate.questions.iter().copied().find(|name| kept(name)), "text")?;
        let gold = debate.questions.last().map(|drawn| format!("{drawn}.gold"));
        Ok(Transcript {
            id,
            batch,
            // Where no table with the question is kept, M was asked it all the same.
            question: question.or_else(|| Some(calls.first()?.prompt.clone())).unwrap_or_default(),
            gold: first(gold.as_deref().filter(|name| kept(name)), "gold")?,
            calls,
            simultaneous: debate.simultaneous,
            stopped: text(debate.arguments, "question", "stopped")?
                .into_iter()
                .flatten()
                .next_back()
                .unwrap_or_default(),
            winner,
        })
    }

    /// As a person reads it.
    pub fn text(&self) -> String {
        let mut text = format!("debate {} (batch {})\n\n{}\n", self.id, self.batch, self.question);
        if let Some(gold) = &self.gold {
            let _ = writeln!(text, "  gold: {gold}");
        }
        if self.simultaneous {
            text += "  two arguments at a time, neither in the other's context\n";
        }
        for call in &self.calls {
            tell(&mut text, call);
        }
        let _ = writeln!(text, "\nstopped: {}", self.stopped);
        match &self.winner {
            Some(Some(winner)) => {
                let _ = writeln!(text, "winner: {winner}{}", self.voice_of(winner));
            }
            Some(None) => text += "winner: none, so the reward is null\n",
            None => {}
        }
        text
    }

    /// Who argued on a side, where the table of calls says.
    pub fn voice_of(&self, side: &str) -> String {
        let argued = self.calls.iter().find(|call| call.voice.is_some() && Side::at(call.turn).name() == side);
        argued.and_then(|call| call.voice).map_or_else(String::new, of)
    }
}

/// The names of the tables of a pipeline's first debate.
pub struct Found<'a> {
    /// Those with its questions: the one that it takes, and through whatever filters, that which they were drawn into.
    questions: Vec<&'a str>,
    arguments: &'a str,
    simultaneous: bool,
    /// Of the judge, if there is one.
    pub verdicts: Option<&'a str>,
}

impl<'a> Found<'a> {
    /// Finds them.
    pub fn debate(pipeline: &'a Pipeline) -> Result<Self, Failure> {
        let debate = pipeline.stages.iter().find_map(|stage| match &stage.settings {
            Stage::Debate(debate) => Some((stage.name.as_str(), debate)),
            _ => None,
        });
        let (arguments, debate) = debate.ok_or_else(|| Failure::command("this run has no `debate` stage to show"))?;
        let verdicts = pipeline.stages.iter().find_map(|stage| match &stage.settings {
            Stage::Judge(judge) if judge.from.name == arguments => Some(stage.name.as_str()),
            _ => None,
        });
        let questions = drawn(pipeline, &debate.from.name);
        Ok(Found { questions, arguments, simultaneous: debate.turns == Turns::Simultaneous, verdicts })
    }
}

/// The names of tables with the questions of a debate: the one that it takes, and through whatever filters, that which they
/// were drawn into. None if there is no such debate.
pub fn questions_of<'a>(pipeline: &'a Pipeline, debate: &str) -> Vec<&'a str> {
    match pipeline.stages.iter().find(|stage| stage.name == debate).map(|stage| &stage.settings) {
        Some(Stage::Debate(debate)) => drawn(pipeline, &debate.from.name),
        _ => Vec::new(),
    }
}

fn drawn<'a>(pipeline: &'a Pipeline, from: &'a str) -> Vec<&'a str> {
    let filtered = |name: &&'a str| match &pipeline.stages.iter().find(|stage| stage.name == **name)?.settings {
        Stage::Filter(filter) => Some(filter.from.name.as_str()),
        _ => None,
    };
    std::iter::successors(Some(from), filtered).collect()
}

/// The batch of a debate. Where every question that is drawn is debated, ids count up: so that batch is the first to be
/// looked at.
fn batch_of(run: &Run, debate: &Found<'_>, id: u64) -> Result<u64, Failure> {
    let drawn =
        |line: &Line| debate.questions.last().and_then(|name| line.tables.get(*name)).map_or(0, |part| part.rows);
    let mut before = 0;
    let likely = run.lines().iter().find(|line| {
        before += drawn(line);
        id < before
    });
    let mut known: Option<(u64, u64)> = None;
    for batch in likely.map(|line| line.batch).into_iter().chain(0..run.lines().len() as u64) {
        let table = run.table(debate.arguments, batch)?;
        let ids = tables::u64s(&table, "question").map_err(Failure::run)?;
        if ids.contains(&id) {
            return Ok(batch);
        }
        for id in ids {
            known = known.map(|(least, most)| (least.min(id), most.max(id))).or(Some((id, id)));
        }
    }
    Err(Failure::command(match known {
        Some((least, most)) => {
            format!("there is no debate {id} yet: those that are committed go from {least} to {most}")
        }
        None => format!("there is no debate {id} yet: none is committed"),
    }))
}

fn with(table: &DataFrame, column: &str, id: u64) -> Result<DataFrame, Failure> {
    let ids = table.column(column).and_then(|ids| ids.u64().cloned()).map_err(Failure::run)?;
    let mask: BooleanChunked = ids.iter().map(|value| value == Some(id)).collect();
    table.filter(&mask).map_err(Failure::run)
}

fn optional(table: &DataFrame, column: &str) -> Result<Vec<Option<String>>, Failure> {
    tables::optional_texts(table, column).map_err(Failure::run)
}

fn calls(table: &DataFrame) -> Result<Vec<Call>, Failure> {
    tables::to_calls(table).map(ordered).map_err(Failure::run)
}

/// Who argued, in words that follow a side or an argument.
fn of(voice: Voice) -> String {
    format!(", the {}", voice.name())
}

/// What a call was for, in words.
pub fn heading(call: &Call) -> String {
    match call.asked {
        Asked::Argument => {
            let side = SIDES[call.turn % 2].trim_end_matches(':').to_lowercase();
            let held = call.held.as_ref().map_or_else(String::new, |held| format!(", which must be for {held}"));
            format!("{side} argument {}{}{held}", call.turn, call.voice.map_or_else(String::new, of))
        }
        Asked::Sufficient => format!("is argument {} sufficient?", call.turn - 1),
        Asked::Summary => format!("what does argument {} say in short?", call.turn - 1),
        Asked::Winner | Asked::Choice => "were the even arguments more helpful?".to_owned(),
        Asked::Catastrophe => "would it be a catastrophe?".to_owned(),
        Asked::Likelihood => "how likely is such a question?".to_owned(),
        Asked::Proposal => "what may end in a catastrophe?".to_owned(),
    }
}

/// The model into which a tool looked, in words that follow what it said.
pub fn version(call: &Call) -> String {
    call.sampled.as_ref().map_or_else(String::new, |sampled| format!(" (weights {})", sampled.version))
}

/// H, or H′ where that stood in for it.
fn human(call: &Call) -> &'static str {
    if call.learned { "H′" } else { "H" }
}

/// Puts each answer to a sub-question before those that it rests on, as a person reads them.
fn ordered(mut calls: Vec<Call>) -> Vec<Call> {
    let parts = calls.chunk_by_mut(|one, next| one.part == Part::Sub && next.part == Part::Sub);
    parts
        .filter(|part| part[0].part == Part::Sub)
        .for_each(|part| part.sort_by(|one, other| one.path.cmp(&other.path)));
    calls
}

/// One call, indented beneath what it was for.
fn tell(text: &mut String, call: &Call) {
    let heading = heading(call);
    let overridden = if call.kept { "" } else { " (overridden)" };
    let _ = match call.part {
        Part::First => writeln!(text, "\n{heading}\n  M: {}{overridden}", call.answer),
        Part::Adversary => writeln!(text, "    would H say so? {}", call.answer),
        Part::Again => writeln!(text, "    M again: {}", call.answer),
        Part::Sub => {
            let (indent, who) =
                (" ".repeat(4 * call.path.len().max(1)), if call.sampled.is_some() { "M" } else { human(call) });
            let whom = if who == "M" { "M" } else { "itself" };
            writeln!(text, "{indent}H asks {whom}: {}\n{indent}  {who}: {}", call.prompt, call.answer)
        }
        Part::Human => writeln!(text, "  {}: {}", human(call), call.answer),
        Part::Tool => writeln!(text, "  tool: {}{}", call.answer, version(call)),
    };
}
