//! `elenchus show`: a run's summary, or one of its debates, as a person reads it.

use crate::{command::Failure, summary::summary, tables};
use batch::Run;
use debate::{
    question::{Asked, SIDES},
    trace::{Call, Part},
};
use polars::prelude::*;
use spec::settings::{Pipeline, Stage};
use std::{fmt::Write, path::Path, process::ExitCode};

/// Prints the debate on a question, or the summary.
#[expect(clippy::print_stdout, reason = "this is what the verb is for")]
pub fn show(root: &Path, debate: Option<u64>) -> Result<ExitCode, Failure> {
    print!("{}", debate.map_or_else(|| summary(root), |id| transcript(root, id))?);
    Ok(ExitCode::SUCCESS)
}

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
    /// What ended it.
    pub stopped: String,
    /// Who won; `None` where it was not judged, and within where there is no winner.
    pub winner: Option<Option<String>>,
}

impl Transcript {
    /// The debate on a question.
    pub fn read(run: &Run, pipeline: &Pipeline, id: u64) -> Result<Self, Failure> {
        let debate = Found::debate(pipeline)?;
        let batch = batch_of(run, debate.questions, id)?;
        let read = |name: &str, column: &str| with(&run.table(name, batch).map_err(Failure::run)?, column, id);
        let text = |name: &str, id_column: &str, column: &str| optional(&read(name, id_column)?, column);
        let mut calls = calls(&read(&format!("{}.calls", debate.arguments), "question")?)?;
        let mut winner = None;
        if let Some(verdicts) = debate.verdicts {
            calls.extend(self::calls(&read(&format!("{verdicts}.calls"), "question")?)?);
            winner = text(verdicts, "question", "winner")?.into_iter().next();
        }
        Ok(Transcript {
            id,
            batch,
            question: text(debate.questions, "id", "text")?.into_iter().flatten().next().unwrap_or_default(),
            gold: text(&format!("{}.gold", debate.questions), "id", "gold")?.into_iter().flatten().next(),
            calls,
            stopped: text(debate.arguments, "question", "stopped")?
                .into_iter()
                .flatten()
                .next_back()
                .unwrap_or_default(),
            winner,
        })
    }

    /// As a person reads it.
    fn text(&self) -> String {
        let mut text = format!("debate {} (batch {})\n\n{}\n", self.id, self.batch, self.question);
        if let Some(gold) = &self.gold {
            let _ = writeln!(text, "  gold: {gold}");
        }
        for call in &self.calls {
            tell(&mut text, call);
        }
        let _ = writeln!(text, "\nstopped: {}", self.stopped);
        if let Some(winner) = &self.winner {
            let _ = writeln!(text, "winner: {}", winner.as_deref().unwrap_or("none, so the reward is null"));
        }
        text
    }
}

/// The debate on a question, with the sub-questions behind each argument, and the verdict.
pub fn transcript(root: &Path, id: u64) -> Result<String, Failure> {
    let run = Run::open(root).map_err(Failure::command)?;
    Ok(Transcript::read(&run, &crate::run::pipeline(root)?, id)?.text())
}

/// The names of the tables of a pipeline's first debate.
struct Found<'a> {
    questions: &'a str,
    arguments: &'a str,
    verdicts: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn debate(pipeline: &'a Pipeline) -> Result<Self, Failure> {
        let debates = pipeline.stages.iter().filter_map(|stage| match &stage.settings {
            Stage::Debate(debate) => Some((stage.name.as_str(), debate.from.name.as_str())),
            _ => None,
        });
        let (arguments, questions) =
            debates.into_iter().next().ok_or_else(|| Failure::command("this run has no `debate` stage to show"))?;
        let verdicts = pipeline.stages.iter().find_map(|stage| match &stage.settings {
            Stage::Judge(judge) if judge.from.name == arguments => Some(stage.name.as_str()),
            _ => None,
        });
        Ok(Found { questions, arguments, verdicts })
    }
}

/// The batch that drew a question: ids count up through the run.
fn batch_of(run: &Run, questions: &str, id: u64) -> Result<u64, Failure> {
    let mut before = 0;
    for line in run.lines() {
        before += line.tables.get(questions).map_or(0, |part| part.rows);
        if id < before {
            return Ok(line.batch);
        }
    }
    Err(Failure::command(format!("there is no debate {id} yet: {before} are committed, from 0")))
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
    tables::to_calls(table).map_err(Failure::run)
}

/// What a call was for, in words.
pub fn heading(call: &Call) -> String {
    match call.asked {
        Asked::Argument => {
            format!("{} argument {}", SIDES[call.turn % 2].trim_end_matches(':').to_lowercase(), call.turn)
        }
        Asked::Sufficient => format!("is argument {} sufficient?", call.turn - 1),
        Asked::Winner => "were the even arguments more helpful?".to_owned(),
    }
}

/// One call, indented beneath what it was for.
fn tell(text: &mut String, call: &Call) {
    let heading = heading(call);
    let overridden = if call.kept { "" } else { " (overridden)" };
    let _ = match call.part {
        Part::First => writeln!(text, "\n{heading}\n  M: {}{overridden}", call.answer),
        Part::Sub => writeln!(text, "    H asks M: {}\n      M: {}", call.prompt, call.answer),
        Part::Human => writeln!(text, "  H: {}", call.answer),
    };
}
