//! What passes from batch to batch: which states each stage reads and changes. Between two stages that share a state,
//! one of which changes it, the order of execution decides which version the other sees; so one waits for the other.

use std::collections::BTreeMap;

use spec::settings::{Answer, By, Model, Reference, Stage};

use crate::{Node, key::Recipe, names::Names, parties::amplifies};

/// The states that a stage reads.
pub(crate) fn reads(names: Names<'_>, name: &str, stage: &Stage) -> Vec<String> {
    let answering = amplifies(stage).into_iter().filter_map(|mention| names.amplify(mention).ok());
    let mut reads: Vec<String> = answering.map(|amplify| model(&amplify.settings.model)).collect();
    match stage {
        Stage::Answer(Answer { by: By::Model(sampled), .. }) => reads.push(model(&sampled.name)),
        Stage::Loss(_) => reads.push(baseline(name)),
        Stage::Train(train) => reads.extend([model(&train.model), optimizer(name)]),
        Stage::Sync(sync) => reads.extend([model(&sync.from_model), model(&sync.to_model)]),
        _ => {}
    }
    reads.dedup();
    reads
}

/// The states that a stage changes.
pub(crate) fn writes(name: &str, stage: &Stage) -> Vec<String> {
    match stage {
        Stage::Loss(_) => vec![baseline(name)],
        Stage::Train(train) => vec![model(&train.model), optimizer(name)],
        Stage::Sync(sync) => vec![model(&sync.to_model)],
        _ => Vec::new(),
    }
}

/// The nodes before this one that change what it reads, or read or change what it changes.
pub(crate) fn conflicts(before: &[Node], reads: &[String], writes: &[String]) -> Vec<usize> {
    let shared = |ours: &[String], theirs: &[String]| ours.iter().any(|state| theirs.contains(state));
    let conflict =
        |node: &Node| shared(writes, &node.reads) || shared(writes, &node.writes) || shared(reads, &node.writes);
    (0..before.len()).filter(|&place| conflict(&before[place])).collect()
}

/// What each state depends on before the first batch: a model, on the sizes and the seed of what it starts as, or on the
/// files that it starts with; the optimizer of a stage, on those of the model that it trains; a baseline, on nothing.
pub(crate) fn initial(names: Names<'_>, nodes: &[Node]) -> BTreeMap<String, Recipe> {
    let models = names.pipeline.models.iter();
    let mut initial: BTreeMap<String, Recipe> =
        models.map(|model| (weights(&model.name), fresh(names, &model.name))).collect();
    for node in nodes {
        match &node.stage {
            Stage::Train(train) => drop(initial.insert(optimizer(&node.name), fresh(names, &train.model.name))),
            Stage::Loss(_) => drop(initial.insert(baseline(&node.name), Recipe::new())),
            _ => {}
        }
    }
    initial
}

/// What weights depend on at first; those of a copy are the original's.
fn fresh(names: Names<'_>, model: &str) -> Recipe {
    let Some(found) = names.pipeline.models.iter().find(|other| other.name == model) else { return Recipe::new() };
    match &found.settings {
        Model::CopyOf(original) => fresh(names, &original.name),
        Model::New(_) => {
            let mut recipe = found.leaves();
            recipe.insert("seed".to_owned(), names.pipeline.seed.to_string());
            recipe
        }
        Model::Checkpoint(_) => {
            let pretrained = names.checkpoints.get(model).map(|pretrained| pretrained.digest.clone());
            pretrained.map(|digest| (format!("model.{model}.checkpoint"), digest)).into_iter().collect()
        }
    }
}

fn model(mention: &Reference) -> String {
    weights(&mention.name)
}

/// The name of a model's weights among the states.
pub fn weights(model: &str) -> String {
    format!("model.{model}")
}

/// The name of the moments of a train stage's optimizer.
pub fn optimizer(stage: &str) -> String {
    format!("optimizer.{stage}")
}

/// The name of the running mean that a loss stage subtracts from rewards.
pub fn baseline(stage: &str) -> String {
    format!("baseline.{stage}")
}
