//! Bringing states to where they were at some moment of a run. They are loaded from a checkpoint that has them all in
//! the versions that some earlier moment had; from there on, the units that changed them are run once more, fed with the
//! committed tables. Whatever such a unit puts out is held against what was committed: a replay that differs is another
//! program's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plan::{Edge, Key, Node, Point};
use polars::frame::DataFrame;

use super::execute::Engine;
use super::unit::{Work, run_unit};
use crate::error::RunError;
use crate::event::Event;
use crate::stage::Bundle;
use crate::store::checkpoint;
use crate::store::durable::Digest;
use crate::store::journal::Outside;
use crate::store::manifest::{Checkpoint, Line};
use crate::store::segments;

/// A checkpoint that is there.
pub(crate) struct Source {
    pub(crate) folder: PathBuf,
    pub(crate) batches: u64,
    /// Whether it is this run's.
    pub(crate) own: bool,
    pub(crate) states: Checkpoint,
}

/// How states come to be what they were at a moment.
struct Way<'a> {
    /// The moment at which they can be had.
    from: Point,
    /// Which are needed, each as it is at a moment: at that one, or where no unit touches it, at the last.
    needed: BTreeMap<&'a str, Point>,
    /// The units that then change them, the last one first.
    replay: Vec<Point>,
}

impl<'a> Engine<'a> {
    /// Notes the run's own checkpoints, the newest first.
    pub(crate) fn find_sources(&mut self) {
        for batches in self.kept() {
            if let Some(states) = self.folder.lines()[batches as usize - 1].checkpoint.clone() {
                self.add_source(batches, states);
            }
        }
    }

    pub(crate) fn add_source(&mut self, batches: u64, states: Checkpoint) {
        let folder = checkpoint::folder(self.folder.root(), batches);
        self.sources.insert(0, Source { folder, batches, own: true, states });
    }

    pub(crate) fn add_shared_source(&mut self, root: &Path, batches: u64, states: Checkpoint) {
        self.sources.push(Source { folder: checkpoint::folder(root, batches), batches, own: false, states });
    }

    /// The place of a checkpoint that has all states in the versions of a moment.
    pub(crate) fn source_of_all(&self, names: &BTreeSet<&str>, at: Point) -> Option<usize> {
        let version = |name: &str| self.chain.version_before(name, at, &|at| self.key(at));
        self.sources.iter().position(|source| names.iter().all(|name| source.has(name, version(name))))
    }

    /// Whether all states are held as they are at a moment.
    pub(crate) fn holds(&self, names: &BTreeSet<&str>, at: Point) -> bool {
        self.available(names, at, |_, _| false)
    }

    /// Brings some states to what they are just before a unit, and with them those that follow them.
    pub(crate) fn bring(&mut self, names: &BTreeSet<&'a str>, at: Point) -> Result<(), RunError> {
        if self.holds(names, at) {
            return Ok(());
        }
        let names = &self.with_followers(names);
        let mut way = self.way(names, at);
        while !self.load(&way)? {
            way = self.way(names, at);
        }
        (self.observe)(Event::Restored { batches: way.from.batch, committed: at.batch });
        let mut replay = way.replay.into_iter().rev().peekable();
        while let Some(unit) = replay.next() {
            self.check_stop()?;
            self.replay(unit)?;
            if replay.peek().is_none_or(|next| next.batch > unit.batch) {
                self.replayed += 1;
                (self.observe)(Event::Replayed { batch: unit.batch, committed: at.batch });
                self.renew_checkpoint(unit.batch)?;
            }
        }
        Ok(())
    }

    /// Some states, and all that are changed by what these are. A follower that stayed behind could not be brought on
    /// later: what it had to be shown would be gone.
    fn with_followers(&self, names: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut all = names.clone();
        loop {
            let nodes = self.job.plan.nodes.iter();
            let led = nodes.filter(|node| !node.states().is_disjoint(&all));
            let followers: BTreeSet<&str> = led.flat_map(|node| &node.writes).map(String::as_str).collect();
            if followers.is_subset(&all) {
                return all;
            }
            all.extend(followers);
        }
    }

    /// Whether all states can be had in the versions of a moment: they are held, or stand `elsewhere`.
    pub(crate) fn available(&self, names: &BTreeSet<&str>, at: Point, elsewhere: impl Fn(&str, Key) -> bool) -> bool {
        names.iter().all(|name| {
            let version = self.chain.version_before(name, at, &|at| self.key(at));
            self.states.holds(name, version) || elsewhere(name, version)
        })
    }

    /// The shortest way. What can be had at once is left alone, unless a unit on the way back touches it too.
    fn way(&self, names: &BTreeSet<&'a str>, at: Point) -> Way<'a> {
        let stored = |name: &str, version| self.sources.iter().any(|source| source.has(name, version));
        let missing = |name: &&&str| !self.available(&BTreeSet::from([**name]), at, stored);
        let mut back: BTreeSet<&str> = names.iter().filter(missing).copied().collect();
        loop {
            let way = self.way_back(back.clone(), at, stored);
            let touched: BTreeSet<&str> = names.iter().filter(|name| way.needed.contains_key(*name)).copied().collect();
            if touched.is_subset(&back) {
                let alone = names.iter().filter(|name| !way.needed.contains_key(*name)).map(|name| (*name, at));
                return Way { needed: way.needed.iter().map(|(name, at)| (*name, *at)).chain(alone).collect(), ..way };
            }
            back.extend(touched);
        }
    }

    /// Back from unit to unit, until there is a moment at which all states can be had, with those that the units touch.
    fn way_back(&self, mut needed: BTreeSet<&'a str>, at: Point, stored: impl Fn(&str, Key) -> bool) -> Way<'a> {
        let (mut from, mut replay) = (at, Vec::new());
        while !self.available(&needed, from, &stored) {
            let Some(writer) = self.chain.writer_before(&needed, from) else { break };
            needed.extend(self.chain.states(&self.job.plan.nodes[writer.node], writer.batch));
            replay.push(writer);
            from = writer;
        }
        Way { from, needed: needed.into_iter().map(|name| (name, from)).collect(), replay }
    }

    /// Loads what is needed and not held, all or nothing. A checkpoint that turns out damaged is said aloud and
    /// forgotten: then another way has to be found.
    fn load(&mut self, way: &Way<'a>) -> Result<bool, RunError> {
        let mut found = Vec::new();
        for (&name, &moment) in &way.needed {
            let version = self.chain.version_before(name, moment, &|at| self.key(at));
            if self.states.holds(name, version) {
                continue;
            }
            let Some(place) = self.sources.iter().position(|source| source.has(name, version)) else {
                return Err(RunError::Lost(name.to_owned()));
            };
            let source = &self.sources[place];
            match checkpoint::read(&source.folder, name, &source.states[name]) {
                Ok(files) => found.push((name, source.states[name].clone(), files)),
                Err(error) => {
                    let batches = self.sources.remove(place).batches;
                    (self.observe)(Event::CheckpointUnusable { batches, error: &error });
                    return Ok(false);
                }
            }
        }
        for (name, saved, files) in found {
            checkpoint::load(name, &saved, &files, self.states)?;
        }
        Ok(true)
    }

    fn replay(&mut self, at: Point) -> Result<(), RunError> {
        let (node, stage) = (&self.job.plan.nodes[at.node], self.job.stages[at.node].as_ref());
        let inputs = self.given(node, at.batch)?;
        let (due, key) = (self.chain.is_due(node, at.batch), self.key(at));
        let outside = Outside::new(key, &self.folder.journal);
        let work = run_unit(node, stage, at.batch, due, &inputs, self.states, outside)?;
        self.states.advance(self.chain.writes(node, at.batch), key);
        check_replayed(node, &work, self.line(at.batch))
    }

    /// The tables that a unit was given.
    pub(crate) fn given(&self, node: &Node, batch: u64) -> Result<Bundle, RunError> {
        node.inputs.iter().map(|edge| Ok((edge.table.clone(), self.table(edge, batch)?))).collect()
    }

    /// A table of a batch. Of the one under way, some may be at hand only.
    fn table(&self, edge: &Edge, batch: u64) -> Result<DataFrame, RunError> {
        let line = self.line(batch);
        let under_way = std::ptr::eq(line, &self.now.line);
        if let Some(made) = self.now.tables.get(&edge.table).filter(|_| under_way) {
            return Ok(made.clone());
        }
        let part = line.tables.get(&edge.table).expect("stages that change states take only kept tables");
        Ok(self.folder.table(&edge.table, batch, part)?)
    }

    /// Where a replay passes a checkpoint, the states must be what was written then; one that could not be used is
    /// written again.
    fn renew_checkpoint(&mut self, batch: u64) -> Result<(), RunError> {
        let Some(written) = self.line(batch).checkpoint.clone() else { return Ok(()) };
        let held = written.iter().filter(|(name, saved)| self.states.holds(name, saved.version));
        let held: BTreeSet<&str> = held.map(|(name, _)| name.as_str()).collect();
        let mut saved = checkpoint::save(self.states)?;
        saved.retain(|name, _| held.contains(name.as_str()));
        for (name, state) in checkpoint::describe(&saved, self.states) {
            if let Some(file) = difference(&state.files, &written[&name].files) {
                return Err(RunError::Replay { batch, what: format!("`{name}/{file}` of the states") });
            }
        }
        let (whole, batches) = (held.len() == written.len(), batch + 1);
        if whole && self.kept().contains(&batches) {
            checkpoint::write(self.folder.root(), batches, &saved)?;
            self.add_source(batches, written);
            (self.observe)(Event::CheckpointWritten { batches });
        }
        Ok(())
    }
}

impl Source {
    pub(crate) fn has(&self, name: &str, version: Key) -> bool {
        self.states.get(name).is_some_and(|saved| saved.version == version)
    }
}

/// Whether a stage put out what was committed: tables byte for byte, metrics bit for bit.
fn check_replayed(node: &Node, work: &Work, line: &Line) -> Result<(), RunError> {
    let differs = |what: String| RunError::Replay { batch: line.batch, what };
    for (table, frame) in &work.tables {
        let bytes = segments::encode(table, frame)?;
        let replayed = (!bytes.is_empty()).then(|| Digest::of(&bytes));
        let committed = line.tables.get(table).and_then(|part| part.place.as_ref());
        if committed.map(|place| &place.digest) != replayed.as_ref() {
            return Err(differs(format!("table `{table}`")));
        }
    }
    let committed = line.metrics_of(&node.name).map(|(name, value)| (name, value.to_bits())).collect();
    let replayed = work.metrics.iter().map(|(name, value)| (name, value.to_bits())).collect();
    difference(&replayed, &committed).map_or(Ok(()), |metric| Err(differs(format!("metric `{metric}`"))))
}

/// The first name at which two maps differ.
fn difference<'a, K: Ord, V: PartialEq>(left: &'a BTreeMap<K, V>, right: &'a BTreeMap<K, V>) -> Option<&'a K> {
    let names = left.keys().chain(right.keys());
    names.filter(|name| left.get(name) != right.get(name)).min()
}
