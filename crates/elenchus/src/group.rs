//! Variants of a pipeline, a run each, all in one folder.

use crate::{
    cache::Sharing,
    command::Failure,
    compare,
    comparison::{Comparison, runs},
    load::{Loaded, load},
    progress::Told,
    run::{STOPPED, create, own_file, pipeline, resumed, written},
};
use batch::Run;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// All runs of a group on one page.
const PAGE: &str = "comparison.html";
/// The names of a group's runs, a line each. A folder that merely has runs in it is no group: nobody asked to run those.
const MEMBERS: &str = "group.txt";

/// Whether a folder is that of a group.
pub fn is_group(root: &Path) -> bool {
    root.join(MEMBERS).exists()
}

/// Makes the folders of all runs of a group, each by its name. They are there together or not at all, so that none is
/// forgotten when the group goes on after a kill.
pub fn make(root: &Path, members: &[(String, Loaded)]) -> Result<(), Failure> {
    let unmade = |error| Failure::run(format!("`{}` cannot be made: {error}", root.display()));
    if fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
        let message =
            format!("`{}` is not empty: go on with `elenchus resume`, or name another folder", root.display());
        return Err(Failure::run(message));
    }
    refuse_shared(root, members)?;
    let mut unfinished = root.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished).map_err(unmade)?;
    for (name, loaded) in members {
        create(&unfinished.join(name), loaded)?;
    }
    let names: String = members.iter().map(|(name, _)| format!("{name}\n")).collect();
    fs::write(unfinished.join(MEMBERS), names).map_err(unmade)?;
    fs::rename(&unfinished, root).map_err(unmade)
}

/// No two runs of a group may write the same dataset.
fn refuse_shared(root: &Path, members: &[(String, Loaded)]) -> Result<(), Failure> {
    let mut folders = members.iter().flat_map(|(name, loaded)| written(loaded, &root.join(name)));
    let mut known = BTreeSet::new();
    match folders.find(|folder| !known.insert(folder.clone())) {
        Some(folder) => Err(Failure::command(format!(
            "all runs of this group would write the dataset {}: leave `folder` out, and each has its own",
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// Runs what is left of a group, run after run, and compares them.
#[expect(clippy::print_stdout, reason = "this is the result")]
pub fn go_on(root: &Path, sharing: &Sharing, told: Told) -> Result<ExitCode, Failure> {
    let all = runs(&[root.to_owned()])?;
    let mut left = Vec::new();
    for run in &all {
        if !is_complete(run)? {
            left.push(run);
        }
    }
    if left.is_empty() {
        let (root, count) = (root.display(), all.len());
        return Err(Failure::run(format!(
            "`{root}` is complete: all its {count} runs are, 0 batches remain; compare it"
        )));
    }
    let sharing = sharing.beside(root);
    for run in left {
        if !resumed(run, &sharing, told)?.complete {
            return Ok(ExitCode::from(STOPPED));
        }
    }
    let comparison = Comparison::read(&[root.to_owned()])?;
    let page = root.join(PAGE);
    compare::write_page(&comparison, &page)?;
    if told == Told::Person {
        print!("{}\nplots: {}\n", compare::text(&comparison, &[])?, page.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a run has all its batches.
fn is_complete(root: &Path) -> Result<bool, Failure> {
    let run = Run::open(root).map_err(Failure::command)?;
    // Without a number, only the rows of its sources tell how many batches it has.
    let batches = match pipeline(root)?.batches {
        Some(batches) => batches,
        None => load(&own_file(root)?, |_| {})?.batches,
    };
    Ok(run.lines().len() as u64 >= batches)
}
