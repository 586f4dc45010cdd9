//! `elenchus run` and `elenchus resume`.

use crate::{
    failure::{Exit, Failure},
    results::{derived::Derived, pages::report::report, summary::summary, watch::Watch},
    verbs::{
        cache::Sharing,
        command::{Given, print},
        group::{self, Member},
        progress::{Progress, Told},
        variants::Variants,
    },
    wiring::{
        load::{Loaded, load, own_file},
        wire,
    },
};
use batch::{Event, Job, Outcome, Policy, Run, RunError, RunFolder, Texts, stages::dataset};
use spec::settings::{Command, Distance, File, Files, Loss, Model, Pipeline, Questions, Stage, With, Write};
use std::{
    collections::BTreeMap,
    error::Error,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// A run on one page.
const REPORT: &str = "report.html";

/// Runs a pipeline in a new folder, or a group of its variants.
pub fn run(
    given: &Given,
    out: Option<PathBuf>,
    variants: &Variants,
    sharing: &Sharing,
    told: Told,
) -> Result<Exit, Failure> {
    let root = out.clone().unwrap_or_else(|| free_folder(&given.file));
    if !variants.is_none() {
        group::make(&root, &variants.of(given)?)?;
        lead_to(&root, out.is_none())?;
        return group::go_on(&root, sharing, told);
    }
    let loaded = read(given)?;
    let mut run = create(&root, &loaded)?;
    sharing.share(&mut run);
    lead_to(&root, out.is_none())?;
    go(loaded, run, told)
}

/// Reads a pipeline that is to be run.
pub fn read(given: &Given) -> Result<Loaded, Failure> {
    load(&given.sources()?, make_absolute)
}

/// Makes the folder of a run.
pub fn create(root: &Path, loaded: &Loaded) -> Result<RunFolder, Failure> {
    refuse_written(root, loaded)?;
    let texts = Texts { pipeline: &loaded.pipeline.to_toml(), source: &loaded.source, plan: &loaded.plan.to_text() };
    Ok(RunFolder::create(root, &loaded.plan, texts)?)
}

/// No dataset that a run is to write may be there.
pub(crate) fn refuse_written(root: &Path, loaded: &Loaded) -> Result<(), Failure> {
    match datasets(&loaded.pipeline, root).map(|(_, folder)| folder).find(|folder| folder.exists()) {
        Some(folder) => {
            let folder = folder.display();
            Err(Failure::command(format!("the dataset {folder} is there already: remove it, or name another")))
        }
        None => Ok(()),
    }
}

/// Goes on with a run, or with the runs of a group; by default with the newest.
pub fn resume(root: Option<PathBuf>, sharing: &Sharing, told: Told) -> Result<Exit, Failure> {
    let root = root.map_or_else(newest, Ok)?;
    if group::is_group(&root) {
        return group::go_on(&root, sharing, told);
    }
    let mut run = RunFolder::open(&root)?;
    sharing.share(&mut run);
    go(load(&own_file(&root)?, |_| {})?, run, told)
}

/// What `runs/latest` leads to.
fn newest() -> Result<PathBuf, Failure> {
    let none = |_| Failure::command("there is no run in the folder `runs`: name the run to go on with");
    fs::read_link(Path::new("runs").join("latest")).map(|run| Path::new("runs").join(run)).map_err(none)
}

/// Goes on with a run of a group, without a summary at its end.
pub fn resumed(member: Member<'_>, sharing: &Sharing, told: Told) -> Result<Outcome, Failure> {
    let root = member.root();
    let mut run = RunFolder::open(&root)?;
    sharing.share(&mut run);
    let loaded = load(&own_file(&root)?, |_| {})?;
    let progress = Progress::start(&root, loaded.batches, told, Some(member));
    watched(loaded, run, &progress)
}

fn go(loaded: Loaded, run: RunFolder, told: Told) -> Result<Exit, Failure> {
    let progress = Progress::start(run.root(), loaded.batches, told, None);
    go_on(loaded, run, &progress)
}

/// Runs what is left of a run, and sums it up.
pub(crate) fn go_on(loaded: Loaded, run: RunFolder, progress: &Progress) -> Result<Exit, Failure> {
    let root = run.root().to_owned();
    let outcome = watched(loaded, run, progress)?;
    if outcome.complete && progress.told() == Told::Person {
        print(summary(&root)?)?;
    }
    Ok(if outcome.complete { Exit::Done } else { Exit::Stopped })
}

/// Runs what is left of a run; tells of it, and writes what is derived from it.
fn watched(loaded: Loaded, mut run: RunFolder, progress: &Progress) -> Result<Outcome, Failure> {
    let root = run.root().to_owned();
    let (done, batches) = (run.lines().len() as u64, loaded.batches);
    if (1..batches).contains(&done) {
        progress.say(&format!("{} of {batches} batches remain", batches - done));
    }
    let warned = |error: &dyn Error| progress.warn(&error.to_string());
    let pipeline = loaded.pipeline.clone();
    let mut watch = Watch::new(&pipeline);
    run.lines().iter().for_each(|line| drop(watch.see(line.batch, &line.metrics)));
    let mut derived = Derived::open(&root, run.lines()).inspect_err(|error| warned(error)).ok();
    let outcome = perform(loaded, &mut run, progress.stop(), &mut |event| {
        if let Event::BatchCommitted { batch, metrics, .. } = event {
            let new = watch.see(batch, metrics);
            progress.watched(&watch, &new);
        }
        progress.observe(&event);
        if let (Event::BatchCommitted { batch, metrics, .. }, Some(open)) = (event, &mut derived)
            && let Err(error) = open.add(batch, metrics)
        {
            warned(&error);
            derived = None;
        }
    });
    drop(run);
    match report(&root) {
        Ok(page) => drop(fs::write(root.join(REPORT), page).inspect_err(|error| warned(error))),
        Err(failure) => progress.warn(&failure.text()),
    }
    progress.finish(&outcome);
    outcome
}

/// Runs what is left of a run, without a word.
pub fn perform(
    loaded: Loaded,
    run: &mut RunFolder,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, Failure> {
    // The first run of a process decides; what comes out never depends on it.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(loaded.pipeline.workers).build_global();
    let mut states = wire::states(&loaded);
    let (plan, pipeline, batches) = (loaded.plan.clone(), loaded.pipeline.clone(), loaded.batches);
    let writers = writers(&loaded, run.root());
    let stages = wire::stages(loaded, run.root());
    let checkpoints = policy(&pipeline);
    let job = Job { plan: &plan, stages: &stages, batches, checkpoints, stop };
    let left = |outcome: &Result<Outcome, RunError>| {
        let complete = matches!(outcome, Ok(Outcome { complete: true, .. }) | Err(RunError::Complete { .. }));
        writers.iter().filter(move |(write, _)| complete && !write.is_whole()).collect::<Vec<_>>()
    };
    let outcome = batch::run(&job, &mut states, run, observe);
    let unfinished = left(&outcome);
    if unfinished.is_empty() {
        return Ok(outcome?);
    }
    // A kill may have come between the last commit and this.
    let committed = Run::open(run.root())?;
    for (write, description) in unfinished {
        let from = plan.nodes.iter().flat_map(|node| &node.outputs).find(|output| output.table == write.from);
        let schema = &from.expect("plan finds the table of every mention").schema;
        write.finish(&committed, schema, description.as_deref()).map_err(Failure::run)?;
    }
    let reused = BTreeMap::new();
    Ok(outcome.unwrap_or(Outcome { committed: batches, complete: true, resumed_at: batches, replayed: 0, reused }))
}

/// When the states of a run are written down.
pub fn policy(pipeline: &Pipeline) -> Policy {
    Policy {
        every: pipeline.checkpoint.every,
        keep_last: pipeline.checkpoint.keep_last,
        best: wire::best_metric(pipeline),
    }
}

/// The stages that write datasets, each with what its card is to say.
fn writers(loaded: &Loaded, root: &Path) -> Vec<(batch::stages::Write, Option<String>)> {
    let nodes = loaded.plan.nodes.iter();
    let writer = |node: &plan::Node| match &node.stage {
        Stage::Write(write) => Some((wire::writer(node, write, root), write.description.clone())),
        _ => None,
    };
    nodes.filter_map(writer).collect()
}

/// The folders of the datasets that a pipeline writes, each after its stage's name.
pub fn datasets<'a>(pipeline: &'a Pipeline, root: &'a Path) -> impl Iterator<Item = (&'a str, PathBuf)> {
    pipeline.stages.iter().filter_map(move |stage| match &stage.settings {
        Stage::Write(write) => {
            let named = write.folder.as_ref().map(|folder| PathBuf::from(&folder.path));
            Some((stage.name.as_str(), named.unwrap_or_else(|| dataset(root, &stage.name))))
        }
        _ => None,
    })
}

/// A run is resumed from its own folder, so its files are named from the root.
pub(crate) fn make_absolute(pipeline: &mut Pipeline) {
    let models = pipeline.models.iter_mut().filter_map(|model| match &mut model.settings {
        Model::Checkpoint(folder) => Some(folder),
        Model::New(_) | Model::CopyOf(_) => None,
    });
    for file in pipeline.stages.iter_mut().flat_map(|stage| named_files(&mut stage.settings)).chain(models) {
        if let Ok(absolute) = std::path::absolute(&file.path) {
            file.path = absolute.display().to_string();
        }
    }
}

/// The files and folders that a stage names.
fn named_files(stage: &mut Stage) -> Vec<&mut File> {
    match stage {
        Stage::Sample(sample) => {
            let excluded = sample.exclude.iter_mut().flat_map(|files| &mut files.paths);
            of_questions(&mut sample.questions).into_iter().chain(excluded).collect()
        }
        Stage::Evaluate(evaluate) => of_questions(&mut evaluate.questions),
        Stage::Read(read) => read.files.paths.iter_mut().collect(),
        Stage::Join(spec::settings::Join { with: With::Files(files), .. }) => files.paths.iter_mut().collect(),
        Stage::Write(Write { folder: Some(folder), .. }) => vec![folder],
        Stage::Command(Command { folder, .. }) => vec![folder],
        Stage::Loss(Loss { distance: Distance::Embedding(embedding), .. }) => vec![&mut embedding.folder],
        _ => Vec::new(),
    }
}

fn of_questions(questions: &mut Questions) -> Vec<&mut File> {
    match questions {
        Questions::Files(Files { paths, .. }) => paths.iter_mut().collect(),
        Questions::Mixture(shares) => shares.iter_mut().flat_map(|share| of_questions(&mut share.questions)).collect(),
        Questions::Task(_) => Vec::new(),
    }
}

/// `runs/FILE-1`, or the first number that is free.
pub(crate) fn free_folder(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let numbered = |number: u32| PathBuf::from("runs").join(format!("{stem}-{number}"));
    (1..).map(numbered).find(|folder| !folder.exists()).unwrap_or_else(|| numbered(0))
}

/// Lets `runs/latest` lead to a run, if it has its folder there.
pub(crate) fn lead_to(root: &Path, among_runs: bool) -> Result<(), Failure> {
    if among_runs { link_latest(root).map_err(Failure::run) } else { Ok(()) }
}

/// Lets `latest` beside a run's folder lead to it. Whatever else has that name is left alone.
fn link_latest(root: &Path) -> io::Result<()> {
    let (latest, new) = (root.with_file_name("latest"), root.with_file_name("latest.new"));
    if latest.exists() && !latest.is_symlink() {
        return Ok(());
    }
    // A link is replaced as a whole, so that whoever follows it never finds none.
    let _ = fs::remove_file(&new);
    symlink(root.file_name().unwrap_or_default(), &new)?;
    fs::rename(new, latest)
}
