//! Variants of a pipeline, a run each, all in one folder.

use crate::{
    failure::{Exit, Failure},
    results::comparison::Comparison,
    verbs::{
        cache::Sharing,
        command::{print, report},
        compare,
        progress::Told,
        run::{create, datasets, resumed},
        unfinished::Unfinished,
    },
    wiring::load::{Loaded, load, own_file, pipeline},
};
use batch::Run;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// All runs of a group on one page.
const PAGE: &str = "comparison.html";
/// The names of a group's runs, a line each. A folder that merely has runs in it is no group: nobody asked to run those.
const MEMBERS: &str = "group.txt";

/// A run among those of its group.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The group's folder.
    pub group: &'a Path,
    /// The run's name in it.
    pub name: &'a str,
    /// Its place among the runs, from 1.
    pub number: usize,
    /// How many runs there are.
    pub of: usize,
}

impl<'a> Member<'a> {
    fn all(group: &'a Path, names: &'a [String]) -> impl Iterator<Item = Self> {
        let of = names.len();
        names.iter().enumerate().map(move |(i, name)| Member { group, name, number: i + 1, of })
    }

    /// The run's folder.
    pub fn root(&self) -> PathBuf {
        self.group.join(self.name)
    }
}

/// Whether a folder is that of a group.
pub fn is_group(root: &Path) -> bool {
    root.join(MEMBERS).exists()
}

/// Makes the folders of all runs of a group, each by its name. They are there together or not at all, so that none is
/// forgotten when the group goes on after a kill.
pub fn make(root: &Path, members: &[(String, Loaded)]) -> Result<(), Failure> {
    refuse_shared_datasets(root, members)?;
    let unfinished = Unfinished::begin(root)?;
    let folder = unfinished.folder();
    for (name, loaded) in members {
        create(&folder.join(name), loaded)?;
    }
    let names: String = members.iter().map(|(name, _)| format!("{name}\n")).collect();
    let list = folder.join(MEMBERS);
    fs::write(&list, names)
        .map_err(|error| Failure::run(format!("`{}` cannot be written: {error}", list.display())))?;
    unfinished.finish()
}

/// Each run writes its own datasets.
fn refuse_shared_datasets(root: &Path, members: &[(String, Loaded)]) -> Result<(), Failure> {
    let mut writers = BTreeMap::new();
    for (name, loaded) in members {
        for (stage, folder) in datasets(&loaded.pipeline, &root.join(name)) {
            if let Some(other) = writers.insert(folder.clone(), name) {
                return Err(Failure::command(format!(
                    "`{other}` and `{name}` would both write the dataset {}: leave `folder` out of `[write.{stage}]`, \
                     and each has it in its run's folder, or give each its own with `--sweep write.{stage}.folder=…`",
                    folder.display()
                )));
            }
        }
    }
    Ok(())
}

/// Runs what is left of a group, run after run, and compares them. One that fails does not keep the others from theirs.
pub fn go_on(root: &Path, sharing: &Sharing, told: Told) -> Result<Exit, Failure> {
    let names = members(root)?;
    let page = root.join(PAGE);
    // Why a run cannot be read is told when it is its turn.
    let is_left = |member: &Member<'_>| !is_complete(&member.root()).unwrap_or(false);
    let left: Vec<Member<'_>> = Member::all(root, &names).filter(is_left).collect();
    if left.is_empty() && page.exists() {
        let (root, count) = (root.display(), names.len());
        return Err(Failure::run(format!(
            "`{root}` is complete: all its {count} runs are, 0 batches remain; compare it"
        )));
    }
    if !left.is_empty() {
        // It would be of what was there before.
        let _ = fs::remove_file(&page);
    }
    let (sharing, mut failures) = (sharing.beside(root), Vec::new());
    for member in left {
        match resumed(member, &sharing, told) {
            Ok(outcome) if outcome.complete => {}
            Ok(_) => {
                if let Some(failure) = failed(root, &failures) {
                    report(&failure);
                }
                return Ok(Exit::Stopped);
            }
            Err(failure) => failures.push(format!("`{}`: {}", member.name, failure.text())),
        }
    }
    let compared = compared(root, &page, told);
    failed(root, &failures).map_or(compared, Err)
}

/// What kept some runs of a group from their ends.
fn failed(root: &Path, failures: &[String]) -> Option<Failure> {
    let (count, root) = (failures.len(), root.display());
    let runs = if count == 1 { "a run".to_owned() } else { format!("{count} runs") };
    let message =
        format!("{runs} of the group failed; try again with: elenchus resume {root}\n{}", failures.join("\n"));
    (count > 0).then(|| Failure::run(message))
}

/// Compares the runs of a group, on its page and in words.
fn compared(root: &Path, page: &Path, told: Told) -> Result<Exit, Failure> {
    let comparison = Comparison::read(&[root.to_owned()])?;
    compare::write_page(&comparison, page)?;
    if told == Told::Person {
        print(format!("{}\nplots: {}\n", compare::text(&comparison, &[])?, page.display()))?;
    }
    Ok(Exit::Done)
}

/// The names of a group's runs, in the order in which they run.
fn members(root: &Path) -> Result<Vec<String>, Failure> {
    let list = root.join(MEMBERS);
    let unread = |error| Failure::run(format!("`{}` cannot be read: {error}", list.display()));
    Ok(fs::read_to_string(&list).map_err(unread)?.lines().map(str::to_owned).collect())
}

/// Whether a run has all its batches, and its datasets their names.
fn is_complete(root: &Path) -> Result<bool, Failure> {
    let (run, pipeline) = (Run::open(root)?, pipeline(root)?);
    // Without a number, only the rows of its sources tell how many batches it has.
    let batches = match pipeline.batches {
        Some(batches) => batches,
        None => load(&own_file(root)?, |_| {})?.batches,
    };
    let written = datasets(&pipeline, root).all(|(_, folder)| folder.exists());
    Ok(run.lines().len() as u64 >= batches && written)
}
