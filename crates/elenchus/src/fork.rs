//! `elenchus fork`: a run goes on otherwise from some batch on.

use crate::{
    cache::Sharing,
    command::{Failure, Given},
    load::{Loaded, load},
    progress::Told,
    run::{free_folder, go, lead_to, make_absolute, own_file, policy, refuse_written},
    wire,
};
use batch::{Branch, Job, Run, Texts};
use spec::settings::Stage;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

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
) -> Result<ExitCode, Failure> {
    let committed = Run::open(root).map_err(Failure::command)?.lines().len() as u64;
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
    refuse_written(&folder, &new)?;
    write_anew(&mut old, &new);
    let (plan, checkpoints, mut states) = (old.plan.clone(), policy(&old.pipeline), wire::states(&old));
    let batches = old.batches;
    let stages = wire::stages(old, &folder);
    let stop = AtomicBool::new(false);
    let job = Job { plan: &plan, stages: &stages, batches, checkpoints, stop: &stop };
    let texts = Texts { pipeline: &new.pipeline.to_toml(), source: &new.source, plan: &new.plan.to_text() };
    let branch = Branch { run: root, batch, folder: &folder, plan: &new.plan, texts };
    let mut run = batch::fork(&job, &mut states, branch, &mut |_| {}).map_err(Failure::run)?;
    sharing.share(&mut run);
    lead_to(&folder, out.is_none())?;
    go(new, run, told)
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
