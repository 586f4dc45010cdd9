//! The questions of every stage that has any: its files opened, its generators set up.

use crate::{
    stages::sample::{Excluded, Source, same_words},
    wiring::outside::Outside,
};
use batch::{BadRow, QuestionRow, question_rows, questions_among};
use plan::Plan;
use polars::frame::DataFrame;
use spec::{
    Places, Problem,
    settings::{Files, Join, Loss, Named, OnBadQuestion, Order, Pipeline, Questions, Read, Sample, Stage, With},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};
use tasks::{Generator, Task, TaskError};

/// Rows of files that are no questions, each with that as a problem.
type Others = Vec<(Problem, BadRow)>;

/// What a pipeline reads from outside.
pub struct Inputs {
    /// Where the questions of each `sample` and `evaluate` stage come from, by the stage's name.
    pub questions: BTreeMap<String, Source>,
    /// The questions that each `sample` stage must not draw.
    pub excluded: BTreeMap<String, Excluded>,
    /// The rows of files that are no questions, and that a `sample` stage skips.
    pub skipped: BTreeMap<String, Vec<BadRow>>,
    /// The rows that each `join` stage holds in memory.
    pub joined: BTreeMap<String, DataFrame>,
    /// The files, models and encoders that it names.
    pub outside: Outside,
}

/// Opens everything.
pub fn open(pipeline: &Pipeline, outside: Outside, problems: &mut Vec<Problem>) -> Inputs {
    let (questions, excluded, skipped, joined) = Default::default();
    let mut inputs = Inputs { questions, excluded, skipped, joined, outside };
    for stage in &pipeline.stages {
        match &stage.settings {
            Stage::Sample(sample) => inputs.open_sample(pipeline, &stage.name, sample, problems),
            Stage::Evaluate(evaluate) => {
                let path = format!("evaluate.{}.questions", stage.name);
                let source = inputs.source(&evaluate.questions, Order::Sequential, &path, &pipeline.places, None);
                inputs.keep(&stage.name, source, problems);
            }
            Stage::Loss(loss) => problems.extend(inputs.encoder_digest(loss).and_then(Result::err)),
            // Files that cannot be opened are a problem of the plan.
            Stage::Join(Join { with: With::Files(files), .. }) => {
                match inputs.outside.rows(files).map(|rows| rows.all()) {
                    Ok(Ok(rows)) => drop(inputs.joined.insert(stage.name.clone(), rows)),
                    Ok(Err(problem)) => problems.push(problem),
                    Err(_) => {}
                }
            }
            _ => {}
        }
    }
    inputs
}

impl Inputs {
    fn open_sample(&mut self, pipeline: &Pipeline, name: &str, sample: &Sample, problems: &mut Vec<Problem>) {
        let questions = match sample.exclude.as_ref().map(|files| self.rows(files, None)).transpose() {
            Ok(rows) => rows.unwrap_or_default().iter().map(|row| same_words(&row.text)).collect(),
            Err(more) => {
                problems.extend(more);
                BTreeSet::new()
            }
        };
        let path = format!("sample.{name}");
        let mut others = Vec::new();
        let source = self.source(&sample.questions, sample.order, &path, &pipeline.places, Some(&mut others));
        match (sample.on_error, others.first()) {
            (OnBadQuestion::Fail, Some((problem, _))) => {
                let help = "set `on_error = \"skip\"` to go on without it";
                return problems.push(problem.clone().help(help));
            }
            (OnBadQuestion::Fail, None) => {}
            (OnBadQuestion::Skip, _) => {
                let others = others.into_iter().map(|(_, other)| other).collect();
                self.skipped.insert(name.to_owned(), others);
            }
        }
        let mut excluded = Excluded { questions, rows: 0 };
        let source = source.and_then(|source| {
            without(source, &mut excluded).ok_or_else(|| {
                let place = pipeline.places.of(&format!("{path}.exclude"));
                vec![Problem::new(place, "every question of the files is excluded: none is left to draw")]
            })
        });
        self.keep(name, source, problems);
        self.excluded.insert(name.to_owned(), excluded);
    }

    fn keep(&mut self, name: &str, source: Result<Source, Vec<Problem>>, problems: &mut Vec<Problem>) {
        match source {
            Ok(source) => drop(self.questions.insert(name.to_owned(), source)),
            Err(more) => problems.extend(more),
        }
    }

    /// Where questions come from. With `others`, rows of files that are none are left out and kept there.
    fn source(
        &self,
        questions: &Questions,
        order: Order,
        path: &str,
        places: &Places,
        mut others: Option<&mut Others>,
    ) -> Result<Source, Vec<Problem>> {
        match questions {
            Questions::Task(settings) => generator(settings, path, places),
            Questions::Files(files) => Ok(Source::Rows(self.rows(files, others)?, order)),
            Questions::Mixture(shares) => {
                let path = format!("{path}.mixture");
                let share = |share: &spec::settings::Share| {
                    let source = self.source(&share.questions, order, &path, places, others.as_deref_mut())?;
                    Ok((share.weight, source))
                };
                shares.iter().map(share).collect::<Result<_, _>>().map(Source::Mixture)
            }
        }
    }

    /// A hash of the encoder by which a loss tells distances, if it does. A folder without a path has been reported by
    /// `spec`.
    fn encoder_digest(&self, loss: &Loss) -> Option<Result<String, Problem>> {
        let folder = loss.distance.folder().filter(|folder| !folder.path.is_empty())?;
        Some(self.outside.encoder_digest(folder))
    }

    fn rows(&self, files: &Files, others: Option<&mut Others>) -> Result<Vec<QuestionRow>, Vec<Problem>> {
        let source = self.outside.rows(files)?;
        let Some(others) = others else { return question_rows(&source).map_err(|problem| vec![problem]) };
        let (rows, more) = questions_among(&source).map_err(|problem| vec![problem])?;
        let more: Others = more.into_iter().map(|other| (source.problem_with(&other), other)).collect();
        if let (true, Some((first, _))) = (rows.is_empty(), more.first()) {
            return Err(vec![first.clone().help("none of its rows is a question")]);
        }
        others.extend(more);
        Ok(rows)
    }

    /// The words of the rows that are read on their way to somebody who is asked: a model has to know them.
    pub fn words(&self, plan: &Plan) -> Result<BTreeSet<String>, Problem> {
        let mut words = BTreeSet::new();
        let read = before_asking(plan).into_iter().filter_map(|stage| self.outside.rows(read_by(stage)?).ok());
        for source in read {
            source.visit(|rows| {
                let texts = rows.columns().iter().filter_map(|column| column.str().ok());
                for text in texts.flat_map(|texts| texts.iter().flatten()) {
                    words.extend(text.split_whitespace().map(str::to_owned));
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(words)
    }

    /// Whether a task understands any question of a stage; none where that is not known, for they come from elsewhere.
    pub fn is_understood(&self, stage: &Named<Stage>, task: Task) -> Option<bool> {
        let Stage::Read(read) = &stage.settings else {
            return Some(self.questions.get(&stage.name)?.is_of(task));
        };
        let mut understood = false;
        let looked = self.outside.rows(&read.files).ok()?.visit(|rows| {
            let texts = rows.column("text").and_then(|texts| texts.str());
            understood = texts.is_ok_and(|texts| texts.iter().flatten().any(|text| task.depth(text).is_some()));
            if understood { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        looked.ok().map(|()| understood)
    }

    /// How many batches use up the rows of all sources: each batch takes a stage's `rows` of them.
    pub fn batches(&self, pipeline: &Pipeline) -> u64 {
        let of = |stage: &Named<Stage>| match &stage.settings {
            Stage::Sample(sample) => Some((self.questions.get(&stage.name)?.count()?, sample.rows / sample.repeat)),
            Stage::Read(read) => Some((self.outside.rows(&read.files).ok()?.rows(), read.rows)),
            _ => None,
        };
        let batches = pipeline.stages.iter().filter_map(of).map(|(rows, batch)| rows.div_ceil(batch as u64));
        batches.max().unwrap_or(1).max(1)
    }

    /// Notes what the stages depend on beside the file: the rows that they read, and must not draw, and encoders.
    pub fn note(&self, pipeline: &Pipeline, plan: &mut Plan) {
        for (stage, source) in &self.questions {
            let rows = source.parts().into_iter().filter_map(|part| match part {
                Source::Rows(rows, _) => Some(digest(rows.iter().map(|row| format!("{row:?}")))),
                _ => None,
            });
            let parts: Vec<String> = rows.collect();
            if !parts.is_empty() {
                plan.note(stage, "rows of its files", digest(&parts));
            }
            if pipeline.batches.is_none() {
                plan.note(stage, "its end", "with the rows of its files".to_owned());
            }
        }
        for (stage, skipped) in &self.skipped {
            if !skipped.is_empty() {
                plan.note(stage, "rows that are skipped", digest(skipped.iter().map(|row| format!("{row:?}"))));
            }
        }
        for (stage, excluded) in &self.excluded {
            if !excluded.questions.is_empty() {
                let excluded = format!("{} by {}", excluded.rows, digest(&excluded.questions));
                plan.note(stage, "rows that are excluded", excluded);
            }
        }
        for stage in &pipeline.stages {
            if let Some(source) = read_by(&stage.settings).and_then(|files| self.outside.rows(files).ok()) {
                plan.note(&stage.name, "rows of its files", source.fingerprint().to_string());
            }
            if let Stage::Loss(loss) = &stage.settings
                && let Some(Ok(digest)) = self.encoder_digest(loss)
            {
                plan.note(&stage.name, "files of its encoder", digest);
            }
        }
    }
}

/// A hash of texts, such that two in a row are no other two.
fn digest(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        let text = text.as_ref();
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_string()
}

/// The stages whose tables, or what is made of them, come to a stage that asks.
fn before_asking(plan: &Plan) -> Vec<&Stage> {
    let mut reaches = vec![false; plan.nodes.len()];
    for (place, node) in plan.nodes.iter().enumerate().rev() {
        reaches[place] |= matches!(node.stage, Stage::Debate(_) | Stage::Answer(_) | Stage::Penalty(_));
        if reaches[place] {
            node.inputs.iter().for_each(|edge| reaches[edge.stage] = true);
        }
    }
    plan.nodes.iter().zip(reaches).filter_map(|(node, reaches)| reaches.then_some(&node.stage)).collect()
}

/// The files of a stage that works on plain tables.
pub fn read_by(stage: &Stage) -> Option<&Files> {
    match stage {
        Stage::Read(Read { files, .. }) => Some(files),
        Stage::Join(join) => match &join.with {
            With::Files(files) => Some(files),
            With::Table(_) => None,
        },
        _ => None,
    }
}

/// The source without rows that are excluded, which are counted; none where no row is left.
fn without(source: Source, excluded: &mut Excluded) -> Option<Source> {
    match source {
        Source::Rows(mut rows, order) => {
            let all = rows.len();
            rows.retain(|row| !excluded.questions.contains(&same_words(&row.text)));
            excluded.rows += (all - rows.len()) as u64;
            (!rows.is_empty()).then_some(Source::Rows(rows, order))
        }
        Source::Mixture(shares) => {
            let share = |(weight, source)| Some((weight, without(source, excluded)?));
            shares.into_iter().map(share).collect::<Option<_>>().map(Source::Mixture)
        }
        task => Some(task),
    }
}

fn generator(settings: &spec::settings::Task, path: &str, places: &Places) -> Result<Source, Vec<Problem>> {
    let key = |error: &TaskError| match error {
        // A name that is not in the catalogue has been reported by `spec`.
        TaskError::Name(_) => None,
        TaskError::Depth { .. } => Some("depth"),
        TaskError::Exhausted { .. } | TaskError::NoLengths(_) => Some("exclude_words"),
        TaskError::NoTrigger(_) => Some("trigger"),
    };
    let unfit = |error: TaskError| {
        let place = key(&error).map(|key| places.of(&format!("{path}.task.{key}")));
        place.map(|place| Problem::new(place, error.to_string())).into_iter().collect()
    };
    Generator::new(settings).map(Source::Task).map_err(unfit)
}
