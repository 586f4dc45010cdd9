//! `elenchus run` and `elenchus resume`.

use crate::{
    command::{Failure, Given},
    load::{self, Loaded, load},
    progress::Progress,
    summary, wire,
};
use batch::{Job, Policy, Run, RunFolder, Texts};
use spec::{
    Sources,
    settings::{File, Pipeline, Questions, Stage},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

/// A run's own pipeline file, with every default written out.
const PIPELINE: &str = "pipeline.toml";

/// Runs a pipeline in a new folder.
pub fn run(given: &Given, out: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let loaded = load(&given.sources()?, make_absolute)?;
    let root = out.unwrap_or_else(|| free_folder(&given.file));
    let texts = Texts { pipeline: &loaded.pipeline.to_toml(), source: &loaded.source, plan: &loaded.plan.to_text() };
    let run = RunFolder::create(&root, &loaded.plan, texts).map_err(Failure::run)?;
    go(loaded, run)
}

/// Goes on with a run.
pub fn resume(root: &Path) -> Result<ExitCode, Failure> {
    let run = RunFolder::open(root).map_err(Failure::run)?;
    go(load(&own_file(root)?, |_| {})?, run)
}

/// What a run's own pipeline file says. Nothing that it names is opened: a run can be read without its question files.
pub fn pipeline(root: &Path) -> Result<Pipeline, Failure> {
    Run::open(root).map_err(Failure::command)?;
    let sources = own_file(root)?;
    let spec::Reading { pipeline, problems } = spec::read_sources(&sources, &load::catalogue());
    if problems.is_empty() { Ok(pipeline) } else { Err(Failure::File { report: load::draw(&problems, &sources) }) }
}

fn own_file(root: &Path) -> Result<Sources, Failure> {
    Sources::open(&root.join(PIPELINE), &[], &[]).map_err(Failure::run)
}

fn go(loaded: Loaded, mut run: RunFolder) -> Result<ExitCode, Failure> {
    let root = run.root().to_owned();
    let progress = Progress::start(&root, &loaded.pipeline);
    let stop = progress.stop();
    let outcome = perform(loaded, &mut run, stop, &mut |event| progress.observe(event))?;
    progress.finish();
    if outcome.complete {
        summary::print(&root)?;
        Ok(ExitCode::SUCCESS)
    } else {
        progress.say(&format!(
            "stopped after batch {} of this run; go on with: elenchus resume {}",
            outcome.committed,
            root.display()
        ));
        Ok(ExitCode::from(130))
    }
}

/// Runs what is left of a run, without a word.
pub fn perform(
    loaded: Loaded,
    run: &mut RunFolder,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(batch::Event<'_>),
) -> Result<batch::Outcome, Failure> {
    let mut states = wire::states(&loaded);
    let (plan, pipeline) = (loaded.plan.clone(), loaded.pipeline.clone());
    let stages = wire::stages(loaded);
    let checkpoints = Policy {
        every: pipeline.checkpoint.every,
        keep_last: pipeline.checkpoint.keep_last,
        best: wire::best_metric(&pipeline),
    };
    let job = Job { plan: &plan, stages: &stages, batches: pipeline.batches, checkpoints, stop };
    Ok(batch::run(&job, &mut states, run, observe)?)
}

/// A run is resumed from its own folder, so its question files are named from the root.
fn make_absolute(pipeline: &mut Pipeline) {
    for stage in &mut pipeline.stages {
        let questions = match &mut stage.settings {
            Stage::Sample(sample) => &mut sample.questions,
            Stage::Evaluate(evaluate) => &mut evaluate.questions,
            _ => continue,
        };
        if let Questions::Files(files) = questions {
            files.iter_mut().for_each(|File { path, .. }| {
                if let Ok(absolute) = std::path::absolute(&*path) {
                    *path = absolute.display().to_string();
                }
            });
        }
    }
}

/// `runs/FILE-1`, or the first number that is free.
fn free_folder(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let numbered = |number: u32| PathBuf::from("runs").join(format!("{stem}-{number}"));
    (1..).map(numbered).find(|folder| !folder.exists()).unwrap_or_else(|| numbered(0))
}
