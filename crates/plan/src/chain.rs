//! The keys of all units of a run, batch after batch, computed without running anything: a state's version is the key
//! of the unit that last changed it, so that the versions a unit finds follow from the keys before it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use blake3::Hasher;
use spec::settings::Schedule;

use crate::{
    Ahead, Node, Plan,
    key::{Key, Recipe, add, add_recipe},
};

/// A unit of work by its place in a run; as a moment, the one just before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The batch.
    pub batch: u64,
    /// The stage, by its place in the plan.
    pub node: usize,
}

impl Point {
    /// The moment before a batch.
    pub fn before(batch: u64) -> Self {
        Point { batch, node: 0 }
    }
}

/// The versions of all states at some moment.
type Versions<'a> = BTreeMap<&'a str, Key>;

/// Goes through a run batch by batch and says the key of each unit.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    plan: &'a Plan,
    batches: u64,
    digests: Vec<Digests<'a>>,
    initial: Versions<'a>,
    /// The first batch that this plan had to do with; what was before is in `initial`.
    floor: u64,
    batch: u64,
    /// Before the next batch and the `lag` batches before it, the oldest first.
    past: VecDeque<Versions<'a>>,
}

/// What of a stage's key does not change from batch to batch.
#[derive(Debug, Clone)]
struct Digests<'a> {
    due: [u8; 32],
    undue: [u8; 32],
    /// Before the batch from which on some settings count.
    early: Option<(u64, [u8; 32])>,
    /// Each with the first batch in which it counts.
    schedules: Vec<(u64, &'a Schedule)>,
}

impl<'a> Chain<'a> {
    /// From the first batch of a run on.
    pub fn new(plan: &'a Plan, batches: u64) -> Self {
        let numerics = &plan.numerics;
        let digests = plan.nodes.iter().map(|node| Digests::of(node, numerics)).collect();
        let version = |recipe| Key::of(start(numerics, recipe, |_| true).finalize());
        let initial: Versions<'a> =
            plan.initial.iter().map(|(state, recipe)| (state.as_str(), version(recipe))).collect();
        let past = VecDeque::from([initial.clone()]);
        Chain { plan, batches, digests, initial, floor: 0, batch: 0, past }
    }

    /// Says that batches before this one were another plan's, and which versions that left behind.
    pub fn rest_on(&mut self, batch: u64, version: impl Fn(&str) -> Option<Key>) {
        self.floor = batch;
        for (state, initial) in &mut self.initial {
            *initial = version(state).unwrap_or(*initial);
        }
    }

    /// Goes on after some batches whose keys are known.
    pub fn seek(&mut self, batch: u64, key: &dyn Fn(Point) -> Key) {
        let versions = |batch| {
            let version = |&state: &&'a str| (state, self.version_before(state, Point::before(batch), key));
            self.initial.keys().map(version).collect()
        };
        let past = (batch.saturating_sub(self.plan.lag)..=batch).map(versions).collect();
        (self.batch, self.past) = (batch, past);
    }

    /// The keys of the next batch's units, in the plan's order.
    pub fn advance(&mut self) -> Vec<Key> {
        let mut versions = self.past.back().cloned().unwrap_or_default();
        let mut keys: Vec<Key> = Vec::with_capacity(self.plan.nodes.len());
        for (node, digests) in self.plan.nodes.iter().zip(&self.digests) {
            let found = if node.ahead > Ahead::Never { &self.past[0] } else { &versions };
            let key = self.key(node, digests, &keys, found);
            for state in self.writes(node, self.batch) {
                versions.insert(state, key);
            }
            keys.push(key);
        }
        self.past.push_back(versions);
        if self.past.len() as u64 > self.plan.lag + 1 {
            self.past.pop_front();
        }
        self.batch += 1;
        keys
    }

    fn key(&self, node: &Node, digests: &Digests<'_>, keys: &[Key], versions: &Versions<'_>) -> Key {
        let due = self.is_due(node, self.batch);
        let mut hasher = Hasher::new();
        hasher.update(digests.at(self.batch, due)).update(&self.batch.to_le_bytes());
        for edge in &node.inputs {
            add(&mut hasher, &edge.table);
            hasher.update(&keys[edge.stage].bytes());
        }
        if due {
            for (_, schedule) in digests.schedules.iter().filter(|(from, _)| *from <= self.batch) {
                hasher.update(&schedule.at(self.batch).to_bits().to_le_bytes());
            }
            for state in node.states() {
                add(&mut hasher, state);
                hasher.update(&versions[state].bytes());
            }
        }
        Key::of(hasher.finalize())
    }

    /// The version of a state before the first batch.
    pub fn initial(&self, state: &str) -> Option<Key> {
        self.initial.get(state).copied()
    }

    /// Whether a stage asks or changes its states at a batch.
    pub fn is_due(&self, node: &Node, batch: u64) -> bool {
        node.stage.due().is_at(batch, self.batches)
    }

    /// The states that a stage reads at a batch.
    pub fn reads<'n>(&self, node: &'n Node, batch: u64) -> &'n [String] {
        if self.is_due(node, batch) { &node.reads } else { &[] }
    }

    /// The states that a stage changes at a batch.
    pub fn writes<'n>(&self, node: &'n Node, batch: u64) -> &'n [String] {
        if self.is_due(node, batch) { &node.writes } else { &[] }
    }

    /// Both.
    pub fn states<'n>(&self, node: &'n Node, batch: u64) -> impl Iterator<Item = &'n str> {
        self.reads(node, batch).iter().chain(self.writes(node, batch)).map(String::as_str)
    }

    /// The last unit before a moment that changes one of these states.
    pub fn writer_before(&self, states: &BTreeSet<&str>, at: Point) -> Option<Point> {
        let nodes = &self.plan.nodes;
        let writes = |node: &Node| node.writes.iter().any(|state| states.contains(state.as_str()));
        // A stage may be due seldom or never, so its last time is computed and not looked for.
        let last = |node: usize| {
            let end = if node < at.node { at.batch + 1 } else { at.batch };
            let batch = nodes[node].stage.due().last_before(end, self.batches)?;
            (batch >= self.floor).then_some(Point { batch, node })
        };
        let writers = (0..nodes.len()).filter(|&node| writes(&nodes[node]));
        writers.filter_map(last).max()
    }

    /// The version of a state at a moment, given the keys of the units before it.
    pub fn version_before(&self, state: &str, at: Point, key: &dyn Fn(Point) -> Key) -> Key {
        let initial = || self.initial(state).unwrap_or_default();
        self.writer_before(&BTreeSet::from([state]), at).map_or_else(initial, key)
    }
}

impl<'a> Digests<'a> {
    fn of(node: &'a Node, numerics: &Recipe) -> Self {
        let path = format!("{}.{}.", node.stage.kind(), node.name);
        let below = |key: &str, keys: &[&str]| keys.iter().any(|known| key.strip_prefix(known).is_some_and(ends));
        let is = |what: &str, keys: &[&str]| what.strip_prefix(&path).is_some_and(|key| below(key, keys));
        let (timing, undue) = (node.stage.timing(), node.stage.undue());
        let is_schedule =
            |what: &str| node.schedules.iter().any(|(key, _)| what.strip_prefix(key.as_str()).is_some_and(ends));
        let always = |what: &str| is(what, undue) || what == "seed" || what.starts_with("version of ");
        let counts = |what: &str| !is(what, timing) && !is_schedule(what);
        let late = node.stage.counts_from();
        let is_late = |what: &str| late.is_some_and(|(key, _)| is(what, &[key]));
        let early = |(key, from): (&str, u64)| {
            let mut hasher = start(numerics, &node.recipe, |what| counts(what) && !is_late(what));
            (from, *hasher.update(key.as_bytes()).finalize().as_bytes())
        };
        let since = |what: &str| late.filter(|_| is_late(what)).map_or(0, |(_, from)| from);
        Digests {
            due: *start(numerics, &node.recipe, counts).finalize().as_bytes(),
            undue: *start(numerics, &node.recipe, always).update(node.name.as_bytes()).finalize().as_bytes(),
            early: late.map(early),
            schedules: node.schedules.iter().map(|(what, schedule)| (since(what), schedule)).collect(),
        }
    }

    fn at(&self, batch: u64, due: bool) -> &[u8; 32] {
        match &self.early {
            _ if !due => &self.undue,
            Some((from, early)) if batch < *from => early,
            _ => &self.due,
        }
    }
}

/// Whether nothing follows a key, or the keys below it.
fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

fn start(numerics: &Recipe, recipe: &Recipe, counts: impl Fn(&str) -> bool) -> Hasher {
    let mut hasher = Hasher::new();
    add_recipe(&mut hasher, numerics, |_| true);
    add_recipe(&mut hasher, recipe, counts);
    hasher
}
