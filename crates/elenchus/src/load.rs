//! A pipeline file into a plan and all that it needs from outside; or everything that is wrong with it, at once.

use crate::{command::Failure, stages::sample::Source, wire};
use batch::read_questions;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use model::Tokenizer;
use plan::Plan;
use spec::{
    Catalogue, Places, Problem, Sources, Span,
    settings::{File, Pipeline, Questions, Stage},
};
use std::{collections::BTreeMap, fmt, path::Path};
use tasks::{Generator, Task, TaskError};

/// A pipeline that can be run.
pub struct Loaded {
    /// What was given: the file, and what is over or under it.
    pub source: String,
    /// What it says, with every default.
    pub pipeline: Pipeline,
    /// What that comes to.
    pub plan: Plan,
    /// Where the questions of each `sample` and `evaluate` stage come from, by the stage's name.
    pub questions: BTreeMap<String, Source>,
    /// Turns their wording into tokens.
    pub tokenizer: Tokenizer,
}

/// Reads a pipeline; `adjust` may change settings before they are planned.
pub fn load(sources: &Sources, adjust: impl FnOnce(&mut Pipeline)) -> Result<Loaded, Failure> {
    compile(sources, adjust).map_err(|problems| Failure::File { report: draw(&problems, sources) })
}

/// The passes from texts to a runnable pipeline.
pub fn compile(sources: &Sources, adjust: impl FnOnce(&mut Pipeline)) -> Result<Loaded, Vec<Problem>> {
    let spec::Reading { mut pipeline, mut problems } = spec::read_sources(sources, &catalogue());
    adjust(&mut pipeline);
    let plan = plan::plan(&pipeline).map_err(|more| problems.extend(more)).ok();
    let questions = questions(&pipeline, &mut problems);
    problems.extend(misplaced_scripts(&pipeline, &questions));
    let tokenizer = tokenizer(&pipeline, &questions).map_err(|problem| problems.push(problem)).ok();
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    match (plan, tokenizer) {
        (Some(mut plan), Some(tokenizer)) if problems.is_empty() => {
            plan.key = key_with_rows(plan.key, &questions);
            Ok(Loaded { source: sources.record(), pipeline, plan, questions, tokenizer })
        }
        _ => Err(problems),
    }
}

/// What a run depends on includes the rows of its question files: one whose files have changed is not resumed.
fn key_with_rows(key: plan::Hash, questions: &BTreeMap<String, Source>) -> plan::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key.as_bytes());
    for source in questions.values() {
        if let Source::Rows(rows) = source {
            for row in rows {
                hasher.update(format!("{row:?}").as_bytes());
            }
        }
    }
    hasher.finalize()
}

fn tokenizer(pipeline: &Pipeline, questions: &BTreeMap<String, Source>) -> Result<Tokenizer, Problem> {
    let debate = pipeline.stages.iter().find(|stage| matches!(stage.settings, Stage::Debate(_)));
    let place = || debate.map_or(0..0, |debate| pipeline.places.of(&format!("debate.{}.wording", debate.name)));
    wire::tokenizer(pipeline, questions).map_err(|error| Problem::new(place(), error.to_string()))
}

/// Scripted humans who are asked questions of another task than their own: they could only guess.
fn misplaced_scripts(pipeline: &Pipeline, questions: &BTreeMap<String, Source>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for stage in &pipeline.stages {
        let (amplify, asked) = match &stage.settings {
            Stage::Debate(debate) => (&debate.speaker.name, &debate.from.name),
            Stage::Evaluate(evaluate) => (&evaluate.of.name, &stage.name),
            _ => continue,
        };
        let amplify = pipeline.amplifies.iter().find(|named| named.name == *amplify);
        let human =
            amplify.and_then(|amplify| pipeline.humans.iter().find(|human| human.name == amplify.settings.human.name));
        let (Some(human), Some(source)) = (human, questions.get(asked)) else { continue };
        if Task::of_script(&human.settings.script).is_some_and(|task| !source.is_of(task)) {
            let place = pipeline.places.of(&format!("human.{}.script", human.name));
            let message =
                format!("the script `{}` understands none of the questions of `{asked}`", human.settings.script);
            problems.push(Problem::new(place, message).help("a scripted human answers questions of its own task"));
        }
    }
    problems.dedup();
    problems
}

/// The names that a pipeline file may use and that `spec` does not know by itself.
pub fn catalogue() -> Catalogue {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Catalogue { tasks: names(tasks::TASKS), scripts: names(tasks::SCRIPTS) }
}

/// Opens the question files and sets up the generators of all stages that have any.
fn questions(pipeline: &Pipeline, problems: &mut Vec<Problem>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    for stage in &pipeline.stages {
        let (questions, path) = match &stage.settings {
            Stage::Sample(sample) => (&sample.questions, format!("sample.{}.task", stage.name)),
            Stage::Evaluate(evaluate) => (&evaluate.questions, format!("evaluate.{}.questions.task", stage.name)),
            _ => continue,
        };
        let source = match questions {
            Questions::Task(settings) => generator(settings, &path, &pipeline.places),
            Questions::Files(files) => rows(files),
        };
        match source {
            Ok(source) => drop(sources.insert(stage.name.clone(), source)),
            Err(more) => problems.extend(more),
        }
    }
    sources
}

fn generator(settings: &spec::settings::Task, path: &str, places: &Places) -> Result<Source, Vec<Problem>> {
    let key = |error: &TaskError| match error {
        // A name that is not in the catalogue has been reported by `spec`.
        TaskError::Name(_) => None,
        TaskError::Depth { .. } => Some("depth"),
        TaskError::Exhausted { .. } | TaskError::NoLengths(_) => Some("exclude_words"),
    };
    let unfit = |error: TaskError| {
        let place = key(&error).map(|key| places.of(&format!("{path}.{key}")));
        place.map(|place| Problem::new(place, error.to_string())).into_iter().collect()
    };
    Generator::new(settings).map(Source::Task).map_err(unfit)
}

fn rows(files: &[File]) -> Result<Source, Vec<Problem>> {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for File { path, span } in files {
        match read_questions(Path::new(path)) {
            Ok(read) => rows.extend(read),
            Err(error) => problems.push(Problem::new(span.clone(), error.to_string())),
        }
    }
    if problems.is_empty() { Ok(Source::Rows(rows)) } else { Err(problems) }
}

/// A problem with the text it is about, and its place in that.
#[derive(Debug)]
struct Placed<'a> {
    problem: &'a Problem,
    source: NamedSource<String>,
    span: Span,
}

impl fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Placed<'_> {}

impl Diagnostic for Placed<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(self.problem.label.clone(), self.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

/// All problems of a pipeline, drawn beneath each other.
pub fn draw(problems: &[Problem], sources: &Sources) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut text = String::new();
    for problem in problems {
        let (source, span) = sources.at(&problem.span);
        let placed = Placed { problem, source: NamedSource::new(&source.name, source.text().to_owned()), span };
        // Writing to a String cannot fail.
        let _ = handler.render_report(&mut text, &placed);
    }
    let count = problems.len();
    let name = &sources.at(&sources.beginning()).0.name;
    text.push_str(&format!("{name}: {count} problem{}\n", if count == 1 { "" } else { "s" }));
    text
}
