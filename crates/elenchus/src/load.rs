//! A pipeline file into a plan and all that it needs from outside; or everything that is wrong with it, at once.

use crate::{command::Failure, stages::sample::Source, wire};
use batch::read_questions;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use model::Tokenizer;
use plan::Plan;
use spec::{
    Catalogue, Places, Problem,
    settings::{File, Pipeline, Questions, Stage},
};
use std::{collections::BTreeMap, fmt, path::Path};
use tasks::{Generator, Task, TaskError};

/// A pipeline that can be run.
pub struct Loaded {
    /// The file as it is.
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

/// Reads a pipeline file; `adjust` may change settings before they are planned.
pub fn load(path: &Path, adjust: impl FnOnce(&mut Pipeline)) -> Result<Loaded, Failure> {
    let source = std::fs::read_to_string(path)
        .map_err(|error| Failure::command(format!("the pipeline file {} cannot be read: {error}", path.display())))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    compile(&source, folder, adjust).map_err(|problems| {
        let name = path.display().to_string();
        Failure::File { report: draw(&problems, &name, &source) }
    })
}

/// The passes from a text to a runnable pipeline. Relative paths in it start at `folder`.
pub fn compile(source: &str, folder: &Path, adjust: impl FnOnce(&mut Pipeline)) -> Result<Loaded, Vec<Problem>> {
    let spec::Reading { mut pipeline, mut problems } = spec::read(source, &catalogue());
    adjust(&mut pipeline);
    let plan = plan::plan(&pipeline).map_err(|more| problems.extend(more)).ok();
    let questions = questions(&pipeline, folder, &mut problems);
    problems.extend(misplaced_scripts(&pipeline, &questions));
    let tokenizer = tokenizer(&pipeline, &questions).map_err(|problem| problems.push(problem)).ok();
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    match (plan, tokenizer) {
        (Some(mut plan), Some(tokenizer)) if problems.is_empty() => {
            plan.key = key_with_rows(plan.key, &questions);
            Ok(Loaded { source: source.to_owned(), pipeline, plan, questions, tokenizer })
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
fn questions(pipeline: &Pipeline, folder: &Path, problems: &mut Vec<Problem>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    for stage in &pipeline.stages {
        let (questions, path) = match &stage.settings {
            Stage::Sample(sample) => (&sample.questions, format!("sample.{}.task", stage.name)),
            Stage::Evaluate(evaluate) => (&evaluate.questions, format!("evaluate.{}.questions.task", stage.name)),
            _ => continue,
        };
        let source = match questions {
            Questions::Task(settings) => generator(settings, &path, &pipeline.places),
            Questions::Files(files) => rows(files, folder),
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

fn rows(files: &[File], folder: &Path) -> Result<Source, Vec<Problem>> {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for File { path, span } in files {
        match read_questions(&folder.join(path)) {
            Ok(read) => rows.extend(read),
            Err(error) => problems.push(Problem::new(span.clone(), error.to_string())),
        }
    }
    if problems.is_empty() { Ok(Source::Rows(rows)) } else { Err(problems) }
}

/// A problem with the text it is about.
#[derive(Debug)]
struct Placed<'a> {
    problem: &'a Problem,
    source: NamedSource<String>,
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
        let label = LabeledSpan::new_with_span(self.problem.label.clone(), self.problem.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

/// All problems of a file, drawn beneath each other.
pub fn draw(problems: &[Problem], name: &str, source: &str) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut text = String::new();
    for problem in problems {
        let placed = Placed { problem, source: NamedSource::new(name, source.to_owned()) };
        // Writing to a String cannot fail.
        let _ = handler.render_report(&mut text, &placed);
    }
    let count = problems.len();
    text.push_str(&format!("{name}: {count} problem{}\n", if count == 1 { "" } else { "s" }));
    text
}
