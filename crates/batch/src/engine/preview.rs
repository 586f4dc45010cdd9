//! What a run would take from earlier runs and what it would do itself, and why: found from keys, without running
//! anything.

use std::collections::BTreeSet;
use std::path::PathBuf;

use plan::{Ahead, Chain, Done, Key, Node, Note, Plan, Point, Recipe};
use serde::Serialize;

use crate::store::donors::{Donor, donors};
use crate::store::durable::FileError;
use crate::store::manifest::differing;
use crate::store::shared::Store;

/// What a run would take and do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The earlier run that has most in common with it; none where no run has anything.
    pub nearest: Option<PathBuf>,
    /// Its stages, in the plan's order.
    pub stages: Vec<StagePreview>,
}

/// What would become of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StagePreview {
    /// Its name.
    pub stage: String,
    /// The batches that would be taken, as stretches from the first to the last.
    pub reused: Vec<(u64, u64)>,
    /// The batches that would be run.
    pub run: Vec<(u64, u64)>,
    /// Why the first of those would be run, compared with the nearest run. Empty where nothing would, or no run has
    /// anything in common.
    pub why: Vec<String>,
}

/// Looks ahead at a run of so many batches.
pub fn preview(plan: &Plan, batches: u64, store: &Store) -> Result<Preview, FileError> {
    let mut chain = Chain::new(plan, batches);
    let keys: Vec<Vec<Key>> = (0..batches).map(|_| chain.advance()).collect();
    let donors = match keys.first() {
        Some(first) if !plan.asks_programs() => donors(store, plan, first, None)?,
        _ => Vec::new(),
    };
    let common = |donor: &&Donor| units(plan, &keys).filter(|&(at, key)| has(donor, plan, at, key)).count();
    let nearest = donors.iter().max_by_key(common);
    let look = Look { plan, chain: &chain, keys: &keys, donors: &donors, nearest };
    let stages = (0..plan.nodes.len()).map(|node| look.stage(node)).collect();
    Ok(Preview { nearest: nearest.map(Donor::run), stages })
}

fn units<'a>(plan: &'a Plan, keys: &'a [Vec<Key>]) -> impl Iterator<Item = (Point, Key)> + 'a {
    let all = (0..keys.len()).flat_map(|batch| (0..plan.nodes.len()).map(move |node| (batch, node)));
    all.map(|(batch, node)| (Point { batch: batch as u64, node }, keys[batch][node]))
}

fn has(donor: &Donor, plan: &Plan, at: Point, key: Key) -> bool {
    let node = &plan.nodes[at.node];
    node.can_be_taken() && donor.unit(at.batch, &node.name, key).is_some()
}

/// What is compared with what.
struct Look<'a> {
    plan: &'a Plan,
    chain: &'a Chain<'a>,
    keys: &'a [Vec<Key>],
    donors: &'a [Donor],
    nearest: Option<&'a Donor>,
}

impl Look<'_> {
    fn key(&self, at: Point) -> Key {
        self.keys[at.batch as usize][at.node]
    }

    fn stage(&self, node: usize) -> StagePreview {
        let taken = |&batch: &u64| {
            let at = Point { batch, node };
            self.donors.iter().any(|donor| has(donor, self.plan, at, self.key(at)))
        };
        let (reused, run): (Vec<u64>, Vec<u64>) = (0..self.keys.len() as u64).partition(taken);
        let first = run.first().zip(self.nearest);
        let why = first.map(|(&batch, nearest)| self.why(Point { batch, node }, nearest)).unwrap_or_default();
        StagePreview {
            stage: self.plan.nodes[node].name.clone(),
            reused: stretches(&reused),
            run: stretches(&run),
            why,
        }
    }

    /// Why a unit is not among those of an earlier run.
    fn why(&self, at: Point, nearest: &Donor) -> Vec<String> {
        let node = &self.plan.nodes[at.node];
        if !node.can_be_taken() {
            return vec!["what it makes is not kept for other runs".to_owned()];
        }
        let Some(theirs) = nearest.recipe(&node.name) else { return vec!["the stage is new".to_owned()] };
        let committed = nearest.manifest.lines.len() as u64;
        if at.batch >= committed {
            return vec![format!("only {committed} batches are there")];
        }
        if nearest.key(at.batch, &node.name) == Some(self.key(at)) {
            return vec!["its tables are lost".to_owned()];
        }
        let mut why: Vec<String> = changes("settings changed", &node.recipe, theirs).into_iter().collect();
        why.extend(changes("numerics changed", &self.plan.numerics, &nearest.manifest.header.numerics));
        why.extend(self.changed("input", self.inputs(node, at), nearest));
        why.extend(self.changed("state", self.states(node, at), nearest));
        why.extend(self.other_beginning(node, at, nearest));
        if why.is_empty() {
            why.push("the run ends at another batch, or lags otherwise".to_owned());
        }
        why
    }

    /// The tables that a unit is given, each with the unit that makes it.
    fn inputs<'n>(&self, node: &'n Node, at: Point) -> Vec<(&'n str, Point)> {
        let made = |stage| Point { batch: at.batch, node: stage };
        node.inputs.iter().map(|edge| (edge.table.as_str(), made(edge.stage))).collect()
    }

    /// The states that a unit finds, each with the unit that changed it last.
    fn states<'n>(&self, node: &'n Node, at: Point) -> Vec<(&'n str, Point)> {
        let moment = if node.ahead > Ahead::Never { Point::before(at.batch.saturating_sub(self.plan.lag)) } else { at };
        let writer = |state: &'n str| Some((state, self.chain.writer_before(&BTreeSet::from([state]), moment)?));
        node.states().into_iter().filter_map(writer).collect()
    }

    /// What the states that nothing has changed yet begin with otherwise than in an earlier run.
    fn other_beginning(&self, node: &Node, at: Point, nearest: &Donor) -> Option<String> {
        let changed: BTreeSet<&str> = self.states(node, at).into_iter().map(|(state, _)| state).collect();
        let unchanged = node.states().into_iter().filter(|state| !changed.contains(state));
        let names: BTreeSet<String> =
            unchanged.flat_map(|state| nearest.manifest.header.beginning(self.plan, state)).collect();
        (!names.is_empty()).then(|| format!("it begins with other states: {}", Vec::from_iter(names).join(", ")))
    }

    /// Those that an earlier run made otherwise.
    fn changed(&self, what: &str, from: Vec<(&str, Point)>, nearest: &Donor) -> Option<String> {
        let other = |at: &Point| nearest.key(at.batch, &self.plan.nodes[at.node].name) != Some(self.key(*at));
        let names: Vec<&str> = from.iter().filter(|(_, at)| other(at)).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| format!("{what} changed: {}", names.join(", ")))
    }
}

fn changes(what: &str, ours: &Recipe, theirs: &Recipe) -> Option<String> {
    let names = differing(ours, theirs);
    (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
}

/// Numbers in order as stretches without gaps.
fn stretches(batches: &[u64]) -> Vec<(u64, u64)> {
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for &batch in batches {
        match stretches.last_mut() {
            Some((_, end)) if *end + 1 == batch => *end = batch,
            _ => stretches.push((batch, batch)),
        }
    }
    stretches
}

impl Preview {
    /// A line for each stage: what is reused, what runs, and why.
    pub fn to_text(&self) -> String {
        let Some(nearest) = &self.nearest else { return "No earlier run has anything in common with it.\n".to_owned() };
        let mut text = format!("Compared with earlier runs, the nearest of them {}:\n\n", nearest.display());
        let width = self.stages.iter().map(|stage| stage.stage.chars().count()).max().unwrap_or_default();
        for stage in &self.stages {
            let mut line = format!("  {:<width$}  {}", stage.stage, stage.batches());
            if !stage.why.is_empty() {
                line.push_str(&format!("  ({})", stage.why.join("; ")));
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// The same for drawings of the plan: a note on each stage. None where no run has anything in common.
    pub fn notes(&self) -> Vec<Note> {
        let stages = self.nearest.iter().flat_map(|_| &self.stages);
        stages.map(|stage| Note { done: stage.done(), lines: [&[stage.batches()], &stage.why[..]].concat() }).collect()
    }
}

impl StagePreview {
    fn done(&self) -> Done {
        match (self.reused.is_empty(), self.run.is_empty()) {
            (_, true) => Done::All,
            (true, false) => Done::Nothing,
            (false, false) => Done::Part,
        }
    }

    /// Which batches are reused and which run.
    fn batches(&self) -> String {
        let parts = [("reuse", &self.reused), ("run", &self.run)].into_iter();
        let parts = parts.filter(|(_, batches)| !batches.is_empty()).map(|(verb, of)| format!("{verb} {}", list(of)));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Stretches in words: the first three, and how many more.
fn list(stretches: &[(u64, u64)]) -> String {
    let word = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}–{last}") };
    let mut words: Vec<String> = stretches.iter().take(3).map(word).collect();
    if stretches.len() > 3 {
        let rest: u64 = stretches[3..].iter().map(|(first, last)| last - first + 1).sum();
        words.push(format!("{rest} more"));
    }
    words.join(", ")
}
