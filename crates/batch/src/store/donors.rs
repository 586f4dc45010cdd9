//! Earlier runs that have done some of the work already. A unit is theirs if their line of its batch has its key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plan::{Key, Plan, Recipe};

use super::checkpoint;
use super::durable::FileError;
use super::folder::MANIFEST;
use super::manifest::{Checkpoint, Line, Manifest, ManifestError};
use super::shared::{Store, identity, origin};

/// A run that has something in common with another.
#[derive(Debug)]
pub(crate) struct Donor {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
    places: BTreeMap<String, usize>,
}

impl Donor {
    /// The line of a batch, if the key of a stage's unit in it is this one.
    pub(crate) fn unit(&self, batch: u64, stage: &str, key: Key) -> Option<&Line> {
        self.manifest.lines.get(batch as usize).filter(|_| self.key(batch, stage) == Some(key))
    }

    /// The key of a stage's unit.
    pub(crate) fn key(&self, batch: u64, stage: &str) -> Option<Key> {
        let place = *self.places.get(stage)?;
        let own = self.manifest.header.fork.as_ref().is_none_or(|fork| batch >= fork.batch);
        self.manifest.lines.get(batch as usize).filter(|_| own)?.units.get(place).copied()
    }

    /// What a stage depends on.
    pub(crate) fn recipe(&self, stage: &str) -> Option<&Recipe> {
        self.places.get(stage).map(|&place| &self.manifest.header.stages[place].recipe)
    }

    /// Where the run was made.
    pub(crate) fn run(&self) -> PathBuf {
        origin(&self.folder)
    }

    /// The checkpoints that are still there.
    pub(crate) fn checkpoints(&self) -> impl Iterator<Item = (u64, &Checkpoint)> {
        let lines = self.manifest.lines.iter();
        let written = lines.filter_map(|line| Some((line.batch + 1, line.checkpoint.as_ref()?)));
        written.filter(|(batches, _)| checkpoint::folder(&self.folder, *batches).exists())
    }
}

/// The runs of a store that have a unit of the first batch in common with a plan: others have nothing, but for forks,
/// whose first batches are another run's. A run whose manifest cannot be believed is left out, and so is that in `own`.
pub(crate) fn donors(store: &Store, plan: &Plan, first: &[Key], own: Option<&Path>) -> Result<Vec<Donor>, FileError> {
    let own = own.and_then(|own| identity(&own.join(MANIFEST)));
    let mut donors = Vec::new();
    for folder in store.candidates()? {
        if identity(&folder.join(MANIFEST)) != own
            && let Ok(Some(donor)) = donor(folder, plan, first)
        {
            donors.push(donor);
        }
    }
    Ok(donors)
}

fn donor(folder: PathBuf, plan: &Plan, first: &[Key]) -> Result<Option<Donor>, ManifestError> {
    let path = folder.join(MANIFEST);
    let of = |manifest| {
        let Manifest { header, .. } = &manifest;
        let places = header.stages.iter().enumerate().map(|(place, stage)| (stage.name.clone(), place)).collect();
        Donor { folder: folder.clone(), manifest, places }
    };
    let peeked = of(Manifest::read_first(&path)?);
    let forked = peeked.manifest.header.fork.is_some();
    let common = forked || plan.nodes.iter().zip(first).any(|(node, &key)| peeked.unit(0, &node.name, key).is_some());
    common.then(|| Manifest::read(&path).map(of)).transpose()
}
