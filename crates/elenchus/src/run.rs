//! `elenchus run` and `elenchus resume`.

use crate::{
    command::Failure,
    load::{self, Loaded, load},
    progress::Progress,
    summary, wire,
};
use batch::{Job, Policy, Run, RunFolder, Texts};
use spec::settings::{File, Pipeline, Questions, Stage};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

/// A run's own pipeline file, with every default written out.
const PIPELINE: &str = "pipeline.toml";

/// What the command line sets over the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides {
    /// Another seed.
    pub seed: Option<u64>,
    /// Another number of batches.
    pub batches: Option<u64>,
}

/// Runs a pipeline file in a new folder.
pub fn run(file: &Path, out: Option<PathBuf>, overrides: Overrides) -> Result<ExitCode, Failure> {
    let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
    let loaded = load(file, |pipeline| {
        pipeline.seed = overrides.seed.unwrap_or(pipeline.seed);
        pipeline.batches = overrides.batches.unwrap_or(pipeline.batches);
        make_absolute(pipeline, &folder);
    })?;
    let root = out.unwrap_or_else(|| free_folder(file));
    let texts = Texts { pipeline: &loaded.pipeline.to_toml(), source: &loaded.source, plan: &loaded.plan.to_text() };
    let run = RunFolder::create(&root, &loaded.plan, texts).map_err(Failure::run)?;
    go(loaded, run)
}

/// Goes on with a run.
pub fn resume(root: &Path) -> Result<ExitCode, Failure> {
    let run = RunFolder::open(root).map_err(Failure::run)?;
    go(load(&root.join(PIPELINE), |_| {})?, run)
}

/// What a run's own pipeline file says. Nothing that it names is opened: a run can be read without its question files.
pub fn pipeline(root: &Path) -> Result<Pipeline, Failure> {
    Run::open(root).map_err(Failure::command)?;
    let path = root.join(PIPELINE);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::run(format!("{} cannot be read: {error}", path.display())))?;
    let spec::Reading { pipeline, problems } = spec::read(&text, &load::catalogue());
    if problems.is_empty() {
        Ok(pipeline)
    } else {
        Err(Failure::File { report: load::draw(&problems, PIPELINE, &text) })
    }
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
fn make_absolute(pipeline: &mut Pipeline, folder: &Path) {
    for stage in &mut pipeline.stages {
        let questions = match &mut stage.settings {
            Stage::Sample(sample) => &mut sample.questions,
            Stage::Evaluate(evaluate) => &mut evaluate.questions,
            _ => continue,
        };
        if let Questions::Files(files) = questions {
            files.iter_mut().for_each(|File { path, .. }| {
                let joined = folder.join(&*path);
                *path = std::path::absolute(&joined).unwrap_or(joined).display().to_string();
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
