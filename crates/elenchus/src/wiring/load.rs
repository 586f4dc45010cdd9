//! A pipeline file into a plan and all that it needs from outside; or everything that is wrong with it, at once.

use crate::{
    failure::Failure,
    wiring::{
        inputs::{self, Inputs},
        outside::Outside,
        wire::{self, Vocabulary},
    },
};
use batch::Run;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use model::Tokenizer;
use plan::Plan;
use spec::{
    Catalogue, Problem, Sources, Span,
    problem::list,
    settings::{Answer, By, Human, Model, Named, Pipeline, Questions, Reference, Stage, With},
};
use std::{collections::BTreeSet, fmt, path::Path};
use tasks::Task;

/// A run's own pipeline file, with every default written out.
const PIPELINE: &str = "pipeline.toml";

/// A pipeline that can be run.
pub struct Loaded {
    /// What was given: the file, and what is over or under it.
    pub source: String,
    /// What it says, with every default.
    pub pipeline: Pipeline,
    /// What that comes to.
    pub plan: Plan,
    /// What it reads from outside.
    pub inputs: Inputs,
    /// How many batches the run has: as the file says, or until the rows of all sources are used up.
    pub batches: u64,
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
    let outside = Outside::new(true);
    let plan = plan::plan(&pipeline, &outside).map_err(|more| problems.extend(more)).ok();
    let inputs = inputs::open(&pipeline, outside, &mut problems);
    problems.extend(misplaced_scripts(&pipeline, &inputs));
    let tokenizer = tokenizer(&pipeline, &inputs, plan.as_ref()).map_err(|more| problems.extend(more)).ok();
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    match (plan, tokenizer) {
        (Some(mut plan), Some(tokenizer)) if problems.is_empty() => {
            let batches = pipeline.batches.unwrap_or_else(|| inputs.batches(&pipeline));
            note_outside(&mut plan, &pipeline, &inputs, &tokenizer);
            Ok(Loaded { source: sources.record(), pipeline, plan, inputs, batches, tokenizer })
        }
        _ => Err(problems),
    }
}

/// Results depend on more than the file says: on the rows of files, the words that models know, and libtorch.
fn note_outside(plan: &mut Plan, pipeline: &Pipeline, inputs: &Inputs, tokenizer: &Tokenizer) {
    inputs.note(pipeline, plan);
    plan.note_states("words that models know", &blake3::hash(tokenizer.to_json().as_bytes()).to_string());
    plan.numerics = model::numerics().map(|(what, value)| (what.to_owned(), value)).into();
}

/// Plans a pipeline without the rows of its files, and without models and encoders that were trained before. Files of
/// plain tables are opened all the same: their columns are part of the plan.
pub fn load_offline(sources: &Sources) -> Result<(Pipeline, Plan), Failure> {
    let spec::Reading { pipeline, mut problems } = spec::read_sources(sources, &catalogue());
    let outside = Outside::new(false);
    let plan = plan::plan(&pipeline, &outside).map_err(|more| problems.extend(more)).ok();
    let mut generated = pipeline.clone();
    generated.stages.retain(|stage| !takes_files(&stage.settings));
    let inputs = inputs::open(&generated, outside, &mut problems);
    problems.extend(misplaced_scripts(&generated, &inputs));
    problems.sort_by_key(|problem| problem.span.start);
    match plan {
        Some(plan) if problems.is_empty() => Ok((pipeline, plan)),
        _ => Err(Failure::File { report: draw(&problems, sources) }),
    }
}

fn takes_files(stage: &Stage) -> bool {
    let any = |questions: &Questions| match questions {
        Questions::Task(_) => false,
        Questions::Files(_) | Questions::Mixture(_) => true,
    };
    match stage {
        Stage::Sample(sample) => any(&sample.questions) || sample.exclude.is_some(),
        Stage::Evaluate(evaluate) => any(&evaluate.questions),
        Stage::Read(_) => true,
        Stage::Join(join) => matches!(join.with, With::Files(_)),
        Stage::Loss(loss) => loss.distance.folder().is_some(),
        _ => false,
    }
}

/// The tokenizer of all models of a pipeline: that of the models which were trained before, or one for its own words.
fn tokenizer(pipeline: &Pipeline, inputs: &Inputs, plan: Option<&Plan>) -> Result<Tokenizer, Vec<Problem>> {
    let vocabulary = wire::vocabulary(pipeline, &inputs.questions);
    if let Some(tokenizer) = pretrained_tokenizer(pipeline, inputs, &vocabulary)? {
        return Ok(tokenizer);
    }
    let debate = pipeline.stages.iter().find(|stage| matches!(stage.settings, Stage::Debate(_)));
    let place = || debate.map_or(0..0, |debate| pipeline.places.of(&format!("debate.{}.wording", debate.name)));
    let models = plan.filter(|_| !pipeline.models.is_empty());
    let read = models.map_or(Ok(BTreeSet::new()), |plan| inputs.words(plan)).map_err(|problem| vec![problem])?;
    vocabulary.tokenizer(read).map_err(|error| vec![Problem::new(place(), error.to_string())])
}

/// The tokenizer of the models that were trained before, if there are any. They must have the same, and it must know the
/// words that M and H use; those of question files may be unknown to it, as they may in an evaluation.
fn pretrained_tokenizer(
    pipeline: &Pipeline,
    inputs: &Inputs,
    vocabulary: &Vocabulary,
) -> Result<Option<Tokenizer>, Vec<Problem>> {
    let mut shared: Option<(&str, Tokenizer)> = None;
    let mut problems = Vec::new();
    for model in &pipeline.models {
        let Model::Checkpoint(folder) = &model.settings else { continue };
        // A folder without a model is a problem of the plan.
        let Ok(tokenizer) = inputs.outside.model(folder).map(|model| model.tokenizer) else { continue };
        match &shared {
            Some((first, other)) if other.to_json() != tokenizer.to_json() => {
                let message = format!("`{}` and `{first}` divide text into other tokens", model.name);
                let help = "the models of a pipeline share a tokenizer: take checkpoints of runs on the same questions";
                problems.push(Problem::new(folder.span.clone(), message).help(help));
            }
            Some(_) => {}
            None => {
                let unknown: Vec<&str> = vocabulary.unknown_to(&tokenizer).collect();
                if !unknown.is_empty() {
                    let message = format!("`{}` does not know {}", model.name, list(unknown));
                    let help = "tasks and wordings of the pipeline use these words: take a checkpoint of a run with the \
                                same tasks and wordings";
                    problems.push(Problem::new(folder.span.clone(), message).help(help));
                }
                shared = Some((&model.name, tokenizer));
            }
        }
    }
    if problems.is_empty() { Ok(shared.map(|(_, tokenizer)| tokenizer)) } else { Err(problems) }
}

/// Scripted humans who are asked questions of another task than their own: they could only guess.
fn misplaced_scripts(pipeline: &Pipeline, inputs: &Inputs) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (human, asked) in pipeline.stages.iter().flat_map(|stage| humans_asked(pipeline, stage)) {
        let named = |name: &str| pipeline.humans.iter().find(|named| named.name == name);
        // Who stands in for another has learnt from that one's answers.
        let original = |human: &'_ Named<Human>| match human.settings.understudy() {
            Some(understudy) => named(&understudy.from.name),
            None => named(&human.name),
        };
        let human = named(&human.name).and_then(original);
        let (Some(human), Some(source)) = (human, source_of(pipeline, asked)) else { continue };
        let understood = |task| inputs.is_understood(source, task);
        let script = human.settings.script().unwrap_or_default();
        if Task::of_script(script).and_then(understood) == Some(false) {
            let place = pipeline.places.of(&format!("human.{}.script", human.name));
            let message = format!("the script `{script}` understands none of the questions of `{asked}`");
            problems.push(Problem::new(place, message).help("a scripted human answers questions of its own task"));
        }
    }
    problems.dedup();
    problems
}

/// The humans who are asked by a stage, and whose questions.
fn humans_asked<'p>(pipeline: &'p Pipeline, stage: &'p Named<Stage>) -> Vec<(&'p Reference, &'p str)> {
    let human_of = |mention: &Reference| {
        let amplify = pipeline.amplifies.iter().find(|named| named.name == mention.name);
        amplify.map(|amplify| &amplify.settings.human)
    };
    let judge_of = |mention: &Reference| {
        let judge = pipeline.stages.iter().find(|named| named.name == mention.name);
        judge.and_then(|judge| if let Stage::Judge(judge) = &judge.settings { human_of(&judge.by) } else { None })
    };
    let (humans, asked) = match &stage.settings {
        Stage::Debate(debate) => {
            let arguing = [Some(&debate.speaker), debate.opponent.as_ref()].into_iter().flatten();
            (arguing.map(human_of).collect(), &debate.from.name)
        }
        Stage::Evaluate(evaluate) => (vec![human_of(&evaluate.of), evaluate.judging().and_then(judge_of)], &stage.name),
        Stage::Penalty(penalty) => (vec![human_of(&penalty.overseer)], &penalty.from.name),
        Stage::Answer(Answer { by: By::Amplify(amplify), from, .. }) => (vec![human_of(amplify)], &from.name),
        Stage::Answer(Answer { by: By::Human(human), from, .. }) => (vec![Some(human)], &from.name),
        _ => return Vec::new(),
    };
    humans.into_iter().flatten().map(|human| (human, asked.as_str())).collect()
}

/// The stage that questions come from, before any were filtered out.
fn source_of<'p>(pipeline: &'p Pipeline, name: &str) -> Option<&'p Named<Stage>> {
    let mut stage = pipeline.stages.iter().find(|stage| stage.name == name)?;
    // Filters may be in a circle, which is a problem of its own.
    for _ in &pipeline.stages {
        let Stage::Filter(filter) = &stage.settings else { return Some(stage) };
        stage = pipeline.stages.iter().find(|stage| stage.name == filter.from.name)?;
    }
    None
}

/// The names that a pipeline file may use and that `spec` does not know by itself.
pub fn catalogue() -> Catalogue {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Catalogue { tasks: names(tasks::TASKS), scripts: names(tasks::SCRIPTS) }
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

/// What a run's own pipeline file says. Nothing that it names is opened: a run can be read without its question files.
pub fn pipeline(root: &Path) -> Result<Pipeline, Failure> {
    Run::open(root)?;
    let sources = own_file(root)?;
    let spec::Reading { pipeline, problems } = spec::read_sources(&sources, &catalogue());
    if problems.is_empty() { Ok(pipeline) } else { Err(Failure::File { report: draw(&problems, &sources) }) }
}

/// The pipeline file of a run.
pub fn own_file(root: &Path) -> Result<Sources, Failure> {
    Sources::open(&root.join(PIPELINE), &[], &[]).map_err(Failure::run)
}
