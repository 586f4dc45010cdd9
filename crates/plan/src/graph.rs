//! The plan as boxes and arrows, whatever draws them: a box for each stage, a drum for each state, an arrow for each
//! table with its columns, for each use of a state, and for each stage that merely comes after another.

use std::collections::BTreeSet;

use crate::{Node, Plan, text};

/// What is told of a stage in a drawing beneath its name: what earlier runs have done of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much.
    pub done: Done,
    /// In words, line by line.
    pub lines: Vec<String>,
}

/// How much of a stage earlier runs have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All of it.
    All,
    /// A part.
    Part,
    /// Nothing.
    Nothing,
}

/// What can be drawn.
pub(crate) struct Graph<'p> {
    /// The stages, in order.
    pub(crate) stages: Vec<Stage<'p>>,
    /// The states, in order of name.
    pub(crate) states: Vec<&'p str>,
    pub(crate) arrows: Vec<Arrow>,
}

/// A stage: the lines in its box, and how much of it is done, where that is told.
pub(crate) struct Stage<'p> {
    pub(crate) lines: Vec<&'p str>,
    pub(crate) done: Option<Done>,
}

/// An arrow between things, each by its place in its list.
pub(crate) enum Arrow {
    /// A table on its way from a stage to a stage: its name, and its columns.
    Table { from: usize, to: usize, table: String, columns: Vec<String> },
    /// A state read by a stage.
    Reads { state: usize, stage: usize },
    /// A state changed by a stage.
    Changes { stage: usize, state: usize },
    /// Order alone.
    After { from: usize, to: usize },
}

impl<'p> Graph<'p> {
    /// The graph of a plan, with a note on each stage or none.
    pub(crate) fn new(plan: &'p Plan, notes: &'p [Note]) -> Self {
        let stage = |(node, note): (&'p Node, Option<&'p Note>)| {
            let told = note.into_iter().flat_map(|note| note.lines.iter().map(String::as_str));
            let lines = [node.stage.kind(), &node.name].into_iter().chain(told).collect();
            Stage { lines, done: note.map(|note| note.done) }
        };
        let notes = notes.iter().map(Some).chain(std::iter::repeat(None));
        let stages = plan.nodes.iter().zip(notes).map(stage).collect();
        let states: BTreeSet<&str> =
            plan.nodes.iter().flat_map(|node| node.reads.iter().chain(&node.writes)).map(String::as_str).collect();
        let states: Vec<&str> = states.into_iter().collect();
        let arrows = (0..plan.nodes.len()).flat_map(|place| arrows(&plan.nodes, place, &states)).collect();
        Graph { stages, states, arrows }
    }
}

/// The arrows to a stage, and those from it to the states that it changes.
fn arrows(nodes: &[Node], place: usize, states: &[&str]) -> Vec<Arrow> {
    let node = &nodes[place];
    let state = |name: &String| states.iter().position(|state| state == name).unwrap_or_default();
    let table = |edge: &crate::Edge| Arrow::Table {
        from: edge.stage,
        to: place,
        table: edge.table.clone(),
        columns: columns(&nodes[edge.stage], &edge.table),
    };
    let mut arrows: Vec<Arrow> = node.inputs.iter().map(table).collect();
    let shown = |&&from: &&usize| node.inputs.iter().any(|edge| edge.stage == from) || share_state(&nodes[from], node);
    arrows.extend(node.after.iter().filter(|from| !shown(from)).map(|&from| Arrow::After { from, to: place }));
    let only_read = node.reads.iter().filter(|name| !node.writes.contains(name));
    arrows.extend(only_read.map(|name| Arrow::Reads { state: state(name), stage: place }));
    arrows.extend(node.writes.iter().map(|name| Arrow::Changes { stage: place, state: state(name) }));
    arrows
}

fn columns(maker: &Node, table: &str) -> Vec<String> {
    let output = maker.outputs.iter().find(|output| output.table == table);
    output.into_iter().flat_map(|output| output.schema.fields().iter().map(|field| text::column(field))).collect()
}

/// Whether the order of two stages can be seen from the states that they share.
fn share_state(one: &Node, other: &Node) -> bool {
    let uses = |node: &Node, state: &String| node.reads.contains(state) || node.writes.contains(state);
    one.writes.iter().any(|state| uses(other, state)) || other.writes.iter().any(|state| uses(one, state))
}
