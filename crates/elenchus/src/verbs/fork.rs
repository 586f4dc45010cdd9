//! `elenchus fork`: a run goes on otherwise from some batch on.

use crate::{
    failure::{Exit, Failure},
    verbs::{
        cache::Sharing,
        command::Given,
        progress::{Progress, Told},
        run::{datasets, free_folder, go_on, lead_to, make_absolute, policy, refuse_written},
        unfinished::Unfinished,
    },
    wiring::{
        load::{Loaded, load, own_file},
        wire,
    },
};
use batch::{Branch, ForkError, Job, Run, RunError, RunFolder, Texts};
use spec::settings::Stage;
use std::path::{Path, PathBuf};

/// What a fork does otherwise.
#[derive(Debug, Clone, clap::Args)]
pub struct Changes {
    /// The pipeline file to go on with [default: the run's own]
    #[arg(long)]
    file: Option<PathBuf>,
    /// A file whose settings go over those before; may be repeated
    #[arg(long = "overlay", value_name = "FILE")]
    overlays: Vec<PathBuf>,
    /// A setting that goes over all files, as in --set train.step.steps=2; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// Makes a run that begins with the first batches of another one and goes on otherwise.
pub fn fork(
    root: &Path,
    batch: u64,
    changes: Changes,
    out: Option<PathBuf>,
    sharing: &Sharing,
    told: Told,
) -> Result<Exit, Failure> {
    let committed = Run::open(root)?.lines().len() as u64;
    let Changes { file, overlays, sets } = changes;
    let given = Given { file: file.unwrap_or_else(|| root.join("pipeline.toml")), overlays, sets };
    let (mut old, new) = (load(&own_file(root)?, |_| {})?, load(&given.sources()?, make_absolute)?);
    refuse_idle(root, batch, committed, new.batches)?;
    if old.plan.key == new.plan.key {
        return Err(Failure::command(format!(
            "a fork of {0} with nothing changed would be a copy: change something with --set, --overlay or --file, or \
             go on with: elenchus resume {0}",
            root.display()
        )));
    }
    let folder = out.clone().unwrap_or_else(|| free_folder(root));
    refuse_its_datasets(root, &old, &new)?;
    refuse_written(&folder, &new)?;
    let unfinished = Unfinished::begin(&folder)?;
    write_anew(&mut old, &new);
    let progress = Progress::start(&folder, new.batches, told, None);
    match made(root, batch, old, &new, &unfinished.folder(), &progress) {
        Ok(()) => unfinished.finish()?,
        Err(ForkError::Run(RunError::Stopped)) => {
            progress.gave_up("the fork");
            return Ok(Exit::Stopped);
        }
        Err(error) => {
            let failure = failure(error);
            progress.failed(&failure);
            return Err(failure);
        }
    }
    let mut run = RunFolder::open(&folder)?;
    sharing.share(&mut run);
    lead_to(&folder, out.is_none())?;
    go_on(new, run, &progress)
}

/// Makes the fork's folder, as far as its first batches go.
fn made(
    root: &Path,
    batch: u64,
    old: Loaded,
    new: &Loaded,
    folder: &Path,
    progress: &Progress,
) -> Result<(), ForkError> {
    let (plan, checkpoints, mut states) = (old.plan.clone(), policy(&old.pipeline), wire::states(&old));
    let batches = old.batches;
    let stages = wire::stages(old, folder);
    let job = Job { plan: &plan, stages: &stages, batches, checkpoints, stop: progress.stop() };
    let texts = Texts { pipeline: &new.pipeline.to_toml(), source: &new.source, plan: &new.plan.to_text() };
    let run = &std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let branch = Branch { run, batch, folder, plan: &new.plan, texts };
    batch::fork(&job, &mut states, branch, &mut |event| progress.observe(&event)).map(drop)
}

fn failure(error: ForkError) -> Failure {
    match error {
        ForkError::NotThere { .. } | ForkError::NotItsOwn { .. } | ForkError::OtherStates { .. } => {
            Failure::command(error)
        }
        ForkError::Folder(error) => error.into(),
        error => Failure::run(error),
    }
}

/// Datasets are written again from the first batch on, into the folders of the fork.
fn write_anew(old: &mut Loaded, new: &Loaded) {
    for node in &mut old.plan.nodes {
        let same = new.plan.nodes.iter().find(|other| other.name == node.name);
        if let (Stage::Write(before), Some(Stage::Write(after))) = (&mut node.stage, same.map(|node| &node.stage)) {
            before.folder.clone_from(&after.folder);
        }
    }
}

/// A dataset with a name of its own is the run's: the fork has to write elsewhere.
fn refuse_its_datasets(root: &Path, old: &Loaded, new: &Loaded) -> Result<(), Failure> {
    let theirs: Vec<PathBuf> = datasets(&old.pipeline, root).map(|(_, folder)| folder).collect();
    match datasets(&new.pipeline, Path::new("")).find(|(_, folder)| theirs.contains(folder)) {
        Some((stage, folder)) => Err(Failure::command(format!(
            "the dataset {} is that of {}: give the fork another one with --set write.{stage}.folder=…",
            folder.display(),
            root.display()
        ))),
        None => Ok(()),
    }
}

/// A fork has something to begin with, and something left to do.
fn refuse_idle(root: &Path, batch: u64, committed: u64, batches: u64) -> Result<(), Failure> {
    if batch > committed {
        let root = root.display();
        return Err(Failure::command(format!("{root} has {committed} batches: fork it after one of them")));
    }
    if batch >= batches {
        return Err(Failure::command(format!("with {batches} batches, nothing is left to do after batch {batch}")));
    }
    Ok(())
}
