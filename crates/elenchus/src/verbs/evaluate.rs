//! `elenchus evaluate`: a run's model answers a question file, and is scored where gold answers are given.

use crate::{
    failure::{Exit, Failure},
    results::{
        figures::number,
        surface::{self, Known, Surface},
    },
    stages::{
        answerers::ModelAnswerer,
        evaluation::{Count, Scored, agrees, by_depth, sum},
        tables,
    },
    verbs::command::{print, say},
    wiring::wire,
};
use batch::{QuestionRow, Run, Source, question_rows};
use debate::{
    answerer::{Answerer, AnswererError, Prompt},
    cost::Cost,
    draw::Draw,
    question::Posed,
};
use model::{Model, Sampling};
use plan::states::weights;
use serde_json::json;
use spec::{
    Problem,
    settings::{File, Files, Pipeline, Row, Stage},
};
use std::{collections::BTreeMap, path::Path};

/// Questions of the run that a surface classifier is fitted to.
const SURFACE_QUESTIONS: usize = 20_000;

/// What came of it.
pub struct Evaluation {
    /// After how many batches the model is.
    pub checkpoint: u64,
    /// Every question with its answer, and the gold answer where it is given.
    pub answers: Vec<Answered>,
    /// Right answers of M, by depth.
    pub by_depth: BTreeMap<Option<u32>, Count>,
    /// Right answers of classifiers on the questions' surface, fitted to the run's own questions.
    pub surface: Option<(Count, Count)>,
    /// Words of the questions that M never met.
    pub unknown: usize,
}

/// A question answered.
pub struct Answered {
    /// Q.
    pub question: String,
    /// M's answer; none where the question is too long for M's context, which counts as a wrong answer.
    pub answer: Option<String>,
    /// The gold answer, where it is given.
    pub gold: Option<String>,
}

/// Evaluates and prints.
pub fn evaluate(root: &Path, questions: &Path, checkpoint: &str, as_json: bool) -> Result<Exit, Failure> {
    let evaluation = of(root, questions, checkpoint)?;
    print(if as_json { evaluation.json() } else { evaluation.text() })?;
    Ok(Exit::Done)
}

/// Answers a question file with the model of a run.
pub fn of(root: &Path, questions: &Path, checkpoint: &str) -> Result<Evaluation, Failure> {
    let run = Run::open(root)?;
    let pipeline = crate::wiring::load::pipeline(root)?;
    let rows = asked(questions)?;
    let trained = trained(&pipeline)?;
    let (best, checkpoint) = (checkpoint == "best", choose(&run, &pipeline, checkpoint)?);
    if best {
        warn_of_higher(&run, &pipeline, checkpoint);
    }
    let files = run.state_files(checkpoint, &weights(trained)).map_err(Failure::run)?;
    let model = Model::load(&files).map_err(Failure::run)?;
    let of_model = pipeline.amplifies.iter().filter(|amplify| amplify.settings.model.name == trained);
    let max_tokens = of_model.map(|amplify| amplify.settings.max_tokens).max().unwrap_or(16);
    let sampling = Sampling { max_tokens, temperature: 0.0 };
    let mut m = ModelAnswerer::new(&model, checkpoint, sampling, pipeline.workers);
    let wording = wire::wording(&pipeline);
    let draw = Draw::new(pipeline.seed);
    let prompt = |text: &str| Prompt { text: Posed::bare(text).text(&wording), begin: None, draw };
    let prompts: Vec<Prompt> = rows.iter().map(|row| prompt(&row.text)).collect();
    let told = |error| Failure::command(format!("{} cannot be answered: {error}", questions.display()));
    let answers = answer_what_fits(&mut m, &prompts).map_err(told)?;
    let unknown = prompts.iter().map(|prompt| model.tokenizer.unknown(&model.tokenizer.encode(&prompt.text))).sum();
    let answered: Vec<Answered> = rows
        .into_iter()
        .zip(answers)
        .map(|(row, answer)| Answered { question: row.text, answer, gold: row.gold })
        .collect();
    let by_depth = by_depth(&scored(&answered));
    let surface = surface_scores(&run, &pipeline, &model, &answered)?;
    Ok(Evaluation { checkpoint, answers: answered, by_depth, surface, unknown })
}

/// The questions of files, which are named as in a pipeline.
fn asked(questions: &Path) -> Result<Vec<QuestionRow>, Failure> {
    let told = |problems: Vec<Problem>| {
        let texts = problems.into_iter().map(|problem| [Some(problem.message), problem.help].into_iter().flatten());
        Failure::command(texts.map(|texts| texts.collect::<Vec<_>>().join("; ")).collect::<Vec<_>>().join("\n"))
    };
    let file = File { path: questions.display().to_string(), span: 0..0 };
    let source = Source::open(&Files::new(vec![file]), Path::new("")).map_err(told)?;
    question_rows(&source).map_err(|problem| told(vec![problem]))
}

/// One answer for each prompt that fits into M's context, in one wave.
fn answer_what_fits(m: &mut ModelAnswerer<'_>, prompts: &[Prompt]) -> Result<Vec<Option<String>>, AnswererError> {
    let (places, wave): (Vec<usize>, Vec<Prompt>) =
        prompts.iter().cloned().enumerate().filter(|(_, prompt)| m.fits(prompt)).unzip();
    let mut answers = vec![None; prompts.len()];
    if !wave.is_empty() {
        for (place, answer) in places.into_iter().zip(m.answer(&wave)?) {
            answers[place] = Some(answer.text);
        }
    }
    Ok(answers)
}

fn scored(answered: &[Answered]) -> Vec<Scored> {
    let known = answered.iter().filter_map(|answered| Some((answered, answered.gold.clone()?)));
    let scored = known.map(|(answered, gold)| Scored {
        row: Row::Naive,
        question: answered.question.clone(),
        depth: tasks::depth(&answered.question),
        answer: answered.answer.clone().unwrap_or_default(),
        correct: answered.answer.as_ref().is_some_and(|answer| agrees(answer, &gold)),
        gold,
        cost: Cost::default(),
        harm: None,
    });
    scored.collect()
}

/// The model that the run trains.
fn trained(pipeline: &Pipeline) -> Result<&str, Failure> {
    let trained = pipeline.stages.iter().find_map(|stage| match &stage.settings {
        Stage::Train(train) => Some(train.model.name.as_str()),
        _ => None,
    });
    trained.ok_or_else(|| Failure::command("this run trains no model: it has no `train` stage"))
}

fn choose(run: &Run, pipeline: &Pipeline, checkpoint: &str) -> Result<u64, Failure> {
    let found = match checkpoint {
        "last" => run.latest_checkpoint(),
        "best" => wire::best_metric(pipeline).and_then(|metric| run.best_checkpoint(&metric)),
        number => number.parse().ok().filter(|number| run.checkpoints().contains(number)),
    };
    found.ok_or_else(|| {
        let there: Vec<String> = run.checkpoints().iter().map(u64::to_string).collect();
        let there = if there.is_empty() { "none yet".to_owned() } else { there.join(", ") };
        let remedy = if checkpoint == "best" { "; `[checkpoint] best` names what is best" } else { "" };
        Failure::command(format!("there is no checkpoint `{checkpoint}`; those of this run: {there}{remedy}"))
    })
}

/// A height has no checkpoint where it was taken from a run that had written none.
fn warn_of_higher(run: &Run, pipeline: &Pipeline, checkpoint: u64) {
    let Some(metric) = wire::best_metric(pipeline) else { return };
    let heights = || run.lines().iter().filter_map(|line| Some((line.batch + 1, *line.metrics.get(&metric)?)));
    let chosen = heights().find(|(batches, _)| *batches == checkpoint);
    let highest = heights().max_by(|a, b| a.1.total_cmp(&b.1));
    if let (Some((_, chosen)), Some((batches, highest))) = (chosen, highest)
        && highest > chosen
    {
        let (highest, chosen) = (number(highest), number(chosen));
        say(&format!(
            "warning: {metric} was {highest} after batch {batches}, where there is no checkpoint; the best there is, after \
             batch {checkpoint}, has {chosen}: run anew with --no-reuse to have one at every height"
        ));
    }
}

/// Classifiers fitted to the questions that the run drew, whose gold answers stand beside them.
fn surface_scores(
    run: &Run,
    pipeline: &Pipeline,
    model: &Model,
    answered: &[Answered],
) -> Result<Option<(Count, Count)>, Failure> {
    let sample = pipeline.stages.iter().find(|stage| matches!(stage.settings, Stage::Sample(_)));
    let Some(sample) = sample else { return Ok(None) };
    let known = |text: &str, gold: Option<&String>| Some((model.tokenizer.encode(text), gold?.clone()));
    let mut train: Vec<Known> = Vec::new();
    for batch in 0..run.lines().len() as u64 {
        let read = |name: &str| run.table(name, batch).map_err(Failure::run);
        let texts = tables::texts(&read(&sample.name)?, "text").map_err(Failure::run)?;
        let golds = tables::optional_texts(&read(&format!("{}.gold", sample.name))?, "gold").map_err(Failure::run)?;
        train.extend(texts.iter().zip(&golds).filter_map(|(text, gold)| known(text, gold.as_ref())));
        if train.len() >= SURFACE_QUESTIONS {
            break;
        }
    }
    let test: Vec<Known> = answered.iter().filter_map(|row| known(&row.question, row.gold.as_ref())).collect();
    if train.is_empty() || test.is_empty() {
        return Ok(None);
    }
    let score = |surface| surface::score(surface, &train, &test);
    Ok(Some((score(Surface::Length), score(Surface::Words))))
}

impl Evaluation {
    /// As JSON: `accuracy` (null without gold answers), `correct`, `total`, `interval` (of the accuracy, 95 %),
    /// `checkpoint`, `unknown_words`, `too_long`, `by_depth`, `surface`, `answers`.
    pub fn json(&self) -> String {
        let count = |count: &Count| {
            let accuracy = (count.total > 0).then(|| count.accuracy());
            json!({ "accuracy": accuracy, "correct": count.correct, "total": count.total })
        };
        let all = sum(self.by_depth.values().copied());
        let by_depth: Vec<_> = self
            .by_depth
            .iter()
            .map(|(depth, part)| json!({ "depth": depth, "correct": part.correct, "total": part.total }))
            .collect();
        let answers: Vec<_> = self
            .answers
            .iter()
            .map(|row| json!({ "question": row.question, "answer": row.answer, "gold": row.gold }))
            .collect();
        let mut value = count(&all);
        value["checkpoint"] = json!(self.checkpoint);
        value["interval"] =
            (all.total > 0).then(|| all.interval()).map_or(json!(null), |(low, high)| json!([low, high]));
        value["unknown_words"] = json!(self.unknown);
        value["too_long"] = json!(self.too_long());
        value["by_depth"] = json!(by_depth);
        value["surface"] = self
            .surface
            .as_ref()
            .map_or(json!(null), |(length, words)| json!({ "length": count(length), "words": count(words) }));
        value["answers"] = json!(answers);
        format!("{value:#}\n")
    }

    /// As a person reads it: the score, or, without gold answers, the answers.
    pub fn text(&self) -> String {
        let all = sum(self.by_depth.values().copied());
        if all.total == 0 {
            let answer = |row: &Answered| row.answer.clone().unwrap_or_else(|| "(too long for M's context)".to_owned());
            return self.answers.iter().map(|row| format!("{}\n  {}\n", row.question, answer(row))).collect();
        }
        let line = |name: &str, count: Count| {
            format!("{name:<28} {:>6.1} %  {} of {}\n", 100.0 * count.accuracy(), count.correct, count.total)
        };
        let (low, high) = all.interval();
        let mut text = line("M alone", all);
        text += &format!("{:<28} {:>6.1} to {:.1} %\n", "  with 95 % confidence", 100.0 * low, 100.0 * high);
        for (depth, count) in &self.by_depth {
            text += &line(&depth.map_or("  depth unknown".into(), |depth| format!("  depth {depth}")), *count);
        }
        if let Some((length, words)) = self.surface {
            text += &line("from the length alone", length);
            text += &line("from word counts alone", words);
        }
        if self.unknown > 0 {
            text += &format!("{} words of the questions are not in the model's vocabulary\n", self.unknown);
        }
        if self.too_long() > 0 {
            text +=
                &format!("{} questions are too long for the model's context, and count as wrong\n", self.too_long());
        }
        text
    }

    /// How many questions M was not asked, because they leave no room for an answer.
    fn too_long(&self) -> usize {
        self.answers.iter().filter(|row| row.answer.is_none()).count()
    }
}
