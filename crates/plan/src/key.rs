//! What a stage's results depend on, as one hash: its version, all settings that bear on it, and the keys of what it is
//! given. With the batch, the versions of the states and the numerics it becomes the key of a unit of work.

use blake3::{Hash, Hasher};
use spec::{
    Pipeline,
    settings::{Answer, By, Reference, Stage},
};

use crate::{Edge, Node, names::Names, parties::amplifies};

/// The key of the stage at a place in the file. Its name is part of it: draws and tables go by that.
pub(crate) fn node(names: Names<'_>, place: usize, inputs: &[Edge], nodes: &[Node]) -> Hash {
    let stage = &names.pipeline.stages[place];
    let mut hasher = Hasher::new();
    add(&mut hasher, &format!("version {} seed {}", version(&stage.settings), names.pipeline.seed));
    add(&mut hasher, &stage.to_toml());
    for mention in amplifies(&stage.settings) {
        add(&mut hasher, &amplify(names, mention));
    }
    if let Stage::Answer(Answer { by: By::Human(mention), .. }) = &stage.settings {
        add(&mut hasher, &names.human(mention).map(|human| human.to_toml()).unwrap_or_default());
    }
    for edge in inputs {
        add(&mut hasher, &edge.table);
        hasher.update(nodes[edge.stage].key.as_bytes());
    }
    hasher.finalize()
}

/// The key of the whole run. Its length is no part of it: a run can be made longer.
pub(crate) fn plan(pipeline: &Pipeline, nodes: &[Node]) -> Hash {
    let mut hasher = Hasher::new();
    add(&mut hasher, &format!("seed {}", pipeline.seed));
    for model in &pipeline.models {
        add(&mut hasher, &model.to_toml());
    }
    for node in nodes {
        hasher.update(node.key.as_bytes());
    }
    hasher.finalize()
}

/// Goes up when a stage, given the same, comes to other results than before.
fn version(stage: &Stage) -> u32 {
    match stage {
        Stage::Sample(_) => 1,
        Stage::Debate(_) => 1,
        Stage::Judge(_) => 1,
        Stage::Loss(_) => 1,
        Stage::Train(_) => 1,
        Stage::Sync(_) => 1,
        Stage::Evaluate(_) => 1,
        Stage::Read(_) => 1,
        Stage::Filter(_) => 1,
        Stage::Sql(_) => 1,
        Stage::Join(_) => 1,
        Stage::Command(_) => 1,
        Stage::Answer(_) => 1,
        Stage::Write(_) => 1,
    }
}

/// An amplify with its human; the model is a state.
fn amplify(names: Names<'_>, mention: &Reference) -> String {
    let Ok(amplify) = names.amplify(mention) else { return String::new() };
    let human = names.human(&amplify.settings.human).map(|human| human.to_toml());
    amplify.to_toml() + &human.unwrap_or_default()
}

/// Adds a text in such a way that two texts in a row are no other two.
fn add(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}
