//! A pipeline resolved into a checked graph of stages.
//!
//! [`plan()`] takes what a file says and finds all that is wrong with the whole of it: names that lead nowhere, cycles,
//! missing tables and columns, gold answers on their way into training, a reward that nothing can earn. Each check is
//! a file of its own. A [`Plan`] has passed them all, so that whoever runs it need not ask again.

mod adversary;
mod answerer;
mod chain;
mod consistency;
mod constrained;
pub mod consulting;
mod distance;
mod dot;
mod expected;
mod graph;
mod inspection;
mod join;
mod json;
mod judging;
mod key;
mod mermaid;
mod milestone;
mod names;
mod opponent;
mod order;
mod parties;
mod penalty;
mod reward;
pub mod samp;
mod shapes;
mod snapshot;
pub mod states;
mod tables;
mod text;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};

use spec::{
    Pipeline, Problem,
    settings::{Named, Schedule, Stage},
};

pub use arrow_schema::SchemaRef;
pub use blake3::Hash;
pub use chain::{Chain, Point};
pub use expected::{Expected, Work};
pub use graph::{Done, Note};
pub use key::{Key, Recipe};
pub use shapes::{Pretrained, Shapes, query_name};
pub use wiring::Role;

use names::Names;

/// The stages of a run in the order they are executed, for every batch alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The stages.
    pub nodes: Vec<Node>,
    /// What each state depends on before the first batch.
    pub initial: BTreeMap<String, Recipe>,
    /// Stages that run ahead find the states as so many batches before the last left them.
    pub lag: u64,
    /// What bits depend on beside the file, such as libtorch and the CPU. Empty until whoever runs the plan says it.
    pub numerics: Recipe,
    /// What the whole run depends on, but for its length and its numerics.
    pub key: Hash,
}

impl Plan {
    /// Whether programs of the user's take part. What they come to is not in the file alone.
    pub fn asks_programs(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.stage, Stage::Command(_)))
    }
}

/// A stage in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub stage: Stage,
    /// The tables it is given.
    pub inputs: Vec<Edge>,
    /// The stages, by their place in the plan, that must be done before: those that make its inputs, those it is to
    /// come after, and those that change a state it reads or read a state it changes.
    pub after: Vec<usize>,
    /// The tables it makes, first the one that bears its name.
    pub outputs: Vec<Output>,
    /// The states it reads: `model.agent`.
    pub reads: Vec<String>,
    /// The states it changes.
    pub writes: Vec<String>,
    /// How much it is expected to do.
    pub work: Work,
    /// Whether its work on a batch can begin before the batches before it are done.
    pub ahead: Ahead,
    /// What it depends on beside its inputs, the batch and the versions of its states.
    pub recipe: Recipe,
    /// Those entries of its recipe that change over a run, and count as what they are at a batch.
    pub schedules: Vec<(String, Schedule)>,
    /// All of that with its inputs as one hash, but for the batch and the versions.
    pub key: Hash,
}

impl Node {
    /// The names of the tables it is given in a role.
    pub fn tables(&self, role: Role) -> impl Iterator<Item = &str> {
        self.inputs.iter().filter(move |edge| edge.role == role).map(|edge| edge.table.as_str())
    }

    /// Whether a run can take what another one has made of it: a dataset has a folder of its own, and a table that is not
    /// kept is nowhere.
    pub fn can_be_taken(&self) -> bool {
        self.outputs.iter().all(|output| output.kept) && !matches!(self.stage, Stage::Write(_))
    }

    /// The states it reads or changes, each once, in order.
    pub fn states(&self) -> BTreeSet<&str> {
        self.reads.iter().chain(&self.writes).map(String::as_str).collect()
    }
}

/// Whether a stage can run ahead of the batch that is to be committed next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ahead {
    /// It changes a state, or comes after a stage that does.
    Never,
    /// It reads states, or comes after a stage that does: as far ahead as the `lag` says.
    WithLag,
    /// It has nothing to do with states, so what it comes to does not depend on when that is.
    Always,
}

/// A table on its way to a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The stage that makes it, by its place in the plan.
    pub stage: usize,
    /// Its name: `arguments`, `arguments.calls`.
    pub table: String,
    /// What it is to the stage that takes it.
    pub role: Role,
}

/// A table that a stage promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name: `arguments`, `arguments.calls`.
    pub table: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// Whether it is written into the run's folder.
    pub kept: bool,
}

/// Plans a pipeline, or tells all that is wrong with its graph, in the order of the file.
pub fn plan(pipeline: &Pipeline, shapes: &dyn Shapes) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    let tables = shapes::tables(pipeline, shapes, &mut problems);
    let checkpoints = shapes::checkpoints(pipeline, shapes, &mut problems);
    let names = Names { pipeline, tables: &tables, checkpoints: &checkpoints };
    problems.extend(parties::problems(names));
    problems.extend(samp::problems(names));
    problems.extend(milestone::problems(names));
    problems.extend(adversary::problems(names));
    problems.extend(consulting::problems(names));
    problems.extend(answerer::problems(names));
    let wires = wiring::wire(names, &mut problems);
    let order = order::order(pipeline, &wires, &mut problems);
    problems.extend(consistency::problems(names));
    problems.extend(opponent::problems(names));
    problems.extend(inspection::problems(names));
    problems.extend(reward::problems(names));
    problems.extend(judging::problems(names));
    problems.extend(distance::problems(names));
    problems.extend(constrained::problems(names));
    problems.extend(penalty::problems(names));
    problems.extend(snapshot::problems(names));
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.span.start);
        return Err(problems);
    }
    let plan = assemble(names, &wires, &order);
    problems.extend(consistency::idle_lag(&plan, pipeline));
    problems.extend(consistency::unkept(&plan, pipeline));
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

/// Puts the stages into order; from here on they are known by their place in it.
fn assemble(names: Names<'_>, wires: &[wiring::Wires], order: &[usize]) -> Plan {
    let mut nodes: Vec<Node> = Vec::new();
    for &place in order {
        let Named { name, settings, .. } = &names.pipeline.stages[place];
        let here = |stage: usize| order.iter().position(|&other| other == stage).expect("every stage is in the order");
        let inputs: Vec<Edge> =
            wires[place].inputs.iter().map(|edge| Edge { stage: here(edge.stage), ..edge.clone() }).collect();
        let (reads, writes) = (states::reads(names, name, settings), states::writes(names, name, settings));
        let mut after: Vec<usize> = wires[place].before().into_iter().map(here).collect();
        after.extend(states::conflicts(&nodes, &reads, &writes));
        after.sort_unstable();
        after.dedup();
        let own = match (reads.is_empty(), writes.is_empty()) {
            (true, true) => Ahead::Always,
            (false, true) => Ahead::WithLag,
            (_, false) => Ahead::Never,
        };
        let ahead = after.iter().map(|&stage| nodes[stage].ahead).fold(own, Ahead::min);
        let outputs = names.tables[place].clone().expect("a table that is not known is a problem");
        let (recipe, schedules) = (key::recipe(names, place), key::schedules(names, place));
        let work = expected::work(names, settings, &inputs, &nodes);
        let (name, stage, key) = (name.clone(), settings.clone(), Hash::from_bytes([0; 32]));
        nodes.push(Node { name, stage, inputs, after, outputs, reads, writes, work, ahead, recipe, schedules, key });
    }
    let initial = states::initial(names, &nodes);
    let (lag, numerics, key) = (names.pipeline.lag, Recipe::new(), Hash::from_bytes([0; 32]));
    let mut plan = Plan { nodes, initial, lag, numerics, key };
    plan.seal();
    plan
}
