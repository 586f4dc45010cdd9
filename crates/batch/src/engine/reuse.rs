//! What earlier runs have done already is taken from them: the same key, the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Chain, Node, Point};

use super::execute::Engine;
use crate::error::RunError;
use crate::event::Event;
use crate::store::donors::{Donor, donors};
use crate::store::durable::FileError;
use crate::store::folder::{RunFolder, Sharing};
use crate::store::manifest::{Line, Part};
use crate::store::segments;

impl<'a> Engine<'a> {
    /// Finds the runs that have something in common with this one, and gives this one's results to those that come.
    pub(crate) fn open_store(&mut self) -> Result<(), RunError> {
        let Some(Sharing { store, reuse }) = self.folder.sharing.clone() else { return Ok(()) };
        if let Err(error) = self.folder.enrol(&store) {
            (self.observe)(Event::NotShared { error: &error });
        }
        // A program of the user's may have changed since.
        if reuse && !self.job.plan.asks_programs() {
            let first = Chain::new(self.job.plan, self.job.batches).advance();
            self.donors = donors(&store, self.job.plan, &first, Some(self.folder.root()))?;
        }
        Ok(())
    }

    /// Takes what can be taken of the batch under way; says which stages that was.
    pub(crate) fn take(&mut self) -> Vec<bool> {
        let places = 0..self.job.plan.nodes.len();
        places.map(|place| self.take_unit(place)).collect()
    }

    fn take_unit(&mut self, place: usize) -> bool {
        let (node, batch, key) = (&self.job.plan.nodes[place], self.now.line.batch, self.now.line.units[place]);
        if !node.can_be_taken() {
            return false;
        }
        for donor in &self.donors {
            let Some(line) = donor.unit(batch, &node.name, key) else { continue };
            match take_from(donor, node, line, self.folder) {
                Ok(parts) => {
                    self.now.line.tables.extend(parts);
                    let metrics = line.metrics_of(&node.name);
                    self.now.line.metrics.extend(metrics.map(|(name, value)| (name.clone(), *value)));
                    (self.observe)(Event::StageReused { batch, stage: &node.name });
                    *self.reused.entry(node.name.clone()).or_default() += 1;
                    return true;
                }
                Err(error) => (self.observe)(Event::NotReused { batch, stage: &node.name, error: &error }),
            }
        }
        false
    }

    /// The states that have to be at hand before a stage of the batch under way: those of all stages from there on that
    /// have to run, but for those that a stage would have changed by then that does not.
    pub(crate) fn wanted(&self, place: usize, ready: &[bool]) -> BTreeSet<&'a str> {
        let (mut wanted, mut changed) = (BTreeSet::new(), BTreeSet::new());
        for (node, ready) in self.job.plan.nodes.iter().zip(ready).skip(place) {
            let batch = self.now.line.batch;
            if *ready {
                changed.extend(self.chain.writes(node, batch).iter().map(String::as_str));
            } else {
                wanted.extend(self.chain.states(node, batch).filter(|name| !changed.contains(name)));
            }
        }
        wanted
    }

    /// Reads the tables that a stage is given and that were taken rather than made.
    pub(crate) fn fetch_inputs(&mut self, node: &Node) -> Result<(), RunError> {
        for edge in &node.inputs {
            if let Some(part) = self.now.line.tables.get(&edge.table)
                && !self.now.tables.contains_key(&edge.table)
            {
                let table = self.folder.table(&edge.table, self.now.line.batch, part)?;
                self.now.tables.insert(edge.table.clone(), table);
            }
        }
        Ok(())
    }

    /// Notes the checkpoints of other runs: their states are the same where their versions are.
    pub(crate) fn find_shared_sources(&mut self) {
        let found = |donor: &Donor| {
            let sources = donor.checkpoints().map(|(batches, states)| (donor.folder.clone(), batches, states.clone()));
            sources.collect::<Vec<_>>()
        };
        let found: Vec<_> = self.donors.iter().flat_map(found).collect();
        found.into_iter().for_each(|(root, batches, states)| self.add_shared_source(&root, batches, states));
    }

    /// All states, at the moment before a batch.
    pub(crate) fn all_states(&self) -> BTreeSet<&'a str> {
        self.job.plan.initial.keys().map(String::as_str).collect()
    }

    /// The moment after the batch under way.
    pub(crate) fn after(&self) -> Point {
        Point::before(self.now.line.batch + 1)
    }
}

/// Makes the tables of another run's unit this run's, where they are what was written.
fn take_from(
    donor: &Donor,
    node: &Node,
    line: &Line,
    folder: &mut RunFolder,
) -> Result<BTreeMap<String, Part>, FileError> {
    let theirs = node.outputs.iter().filter_map(|output| line.tables.get_key_value(&output.table));
    let mut parts: BTreeMap<String, Part> = theirs.map(|(table, part)| (table.clone(), part.clone())).collect();
    for place in parts.values().filter_map(|part| part.place.as_ref()) {
        segments::read_bytes(&donor.folder, place)?;
    }
    for place in parts.values_mut().filter_map(|part| part.place.as_mut()) {
        place.segment = folder.link(&segments::path(&donor.folder, place))?;
        place.shared = true;
    }
    Ok(parts)
}
