//! What passes from batch to batch: which states each stage reads and changes. Between two stages that share a state,
//! one of which changes it, the order of execution decides which version the other sees; so one waits for the other.

use std::collections::BTreeMap;

use spec::settings::{Amplify, Answer, By, Debate, Loss, Model, Named, Reference, Stage, Tool, Train};

use crate::{
    Node,
    key::Recipe,
    milestone::{awaited, watched},
    names::Names,
    parties::{amplifies, judged, judging},
    samp::{deciding, followed},
};

/// The states that a stage reads.
pub(crate) fn reads(names: Names<'_>, name: &str, stage: &Stage) -> Vec<String> {
    let answering = amplifies(stage).into_iter().chain(judging(names, stage));
    let answering = answering.filter_map(|mention| names.amplify(mention).ok());
    let mut reads: Vec<String> = answering.map(|amplify| model(&amplify.settings.model)).collect();
    match stage {
        Stage::Answer(Answer { by: By::Model(sampled), .. }) => reads.push(model(&sampled.name)),
        Stage::Penalty(penalty) => {
            reads.push(model(&penalty.model));
            reads.extend(penalty.proposing().map(|it| model(&it.name)));
        }
        Stage::Loss(loss) => reads.extend(of_loss(name, loss)),
        Stage::Debate(debate) => reads.extend(has_probe(debate).then(|| probe(name))),
        Stage::Evaluate(evaluate) => {
            let debate = evaluate.judging().and_then(|mention| judged(names, mention)).filter(|(_, it)| has_probe(it));
            reads.extend(debate.map(|(judge, _)| probe(&judge.from.name)));
        }
        Stage::Train(train) => {
            reads.extend([model(&train.model), optimizer(name)]);
            reads.extend(train.kl.iter().map(|kl| model(&kl.to)));
            reads.extend(is_constrained(names, train).then(|| constraint(name)));
        }
        Stage::Sync(sync) => reads.extend([model(&sync.from_model), model(&sync.to_model)]),
        _ => {}
    }
    reads.dedup();
    for amplify in deciding(names.pipeline, stage) {
        reads.extend(followed(&amplify.settings).map(|_| imitation(&amplify.name)));
        reads.extend(amplify.settings.call_human.learned().map(|learned| model(&learned.model)));
    }
    for state in beside(names, stage) {
        reads.extend((!reads.contains(&state)).then_some(state));
    }
    // What Samp and its schedules change, they begin with.
    reads.extend(written_for_samp(names, name, stage));
    let reached = watched(names, name, stage).map(|it| milestone(&it.name));
    for state in awaited(names, name, stage).iter().map(|name| milestone(name)).chain(reached) {
        reads.extend((!reads.contains(&state)).then_some(state));
    }
    reads
}

/// The models that stand in for H or answer in M's place in a stage.
fn beside(names: Names<'_>, stage: &Stage) -> Vec<String> {
    let asked = amplifies(stage).into_iter().chain(judging(names, stage));
    let of = |mention: &Reference| {
        let amplify = names.amplify(mention).ok()?;
        let human = names.human(&amplify.settings.human).ok();
        let understudy = human.and_then(|human| human.settings.understudy());
        Some([understudy.map(|understudy| model(&understudy.model)), amplify.settings.answerer.as_ref().map(model)])
    };
    asked.into_iter().filter_map(of).flatten().flatten().collect()
}

/// The states that a stage changes.
pub(crate) fn writes(names: Names<'_>, name: &str, stage: &Stage) -> Vec<String> {
    let mut writes = match stage {
        Stage::Loss(loss) => of_loss(name, loss),
        Stage::Debate(debate) => has_probe(debate).then(|| probe(name)).into_iter().collect(),
        Stage::Train(train) => {
            let constraint = is_constrained(names, train).then(|| constraint(name));
            [model(&train.model), optimizer(name)].into_iter().chain(constraint).collect()
        }
        Stage::Sync(sync) => vec![model(&sync.to_model)],
        _ => Vec::new(),
    };
    writes.extend(written_for_samp(names, name, stage));
    writes.extend(watched(names, name, stage).map(|it| milestone(&it.name)));
    writes
}

/// What a loss stage goes by from batch to batch, and changes, where M learns from it.
fn of_loss(name: &str, loss: &Loss) -> Vec<String> {
    let weight = loss.penalty_limit().map(|_| multiplier(name));
    loss.is_of_m().then(|| baseline(name)).into_iter().chain(weight).collect()
}

/// Whether probes are trained in a debate.
fn has_probe(debate: &Debate) -> bool {
    debate.inspection.as_ref().is_some_and(|inspection| inspection.has(Tool::Probe))
}

/// Whether the loss of a train stage is to stay within a limit.
fn is_constrained(names: Names<'_>, train: &Train) -> bool {
    let loss = names.maker(&train.from, &["loss"]).map(|place| names.settings(place));
    matches!(loss, Ok(Stage::Loss(loss)) if loss.constrained().is_some())
}

/// What a stage has spent of a run's budgets; and the mean loss by which a stage that asks is to go.
fn written_for_samp(names: Names<'_>, name: &str, stage: &Stage) -> Vec<String> {
    let of_run = |it: &&Named<Amplify>| it.settings.budget.as_ref().is_some_and(|budget| budget.per_run.is_some());
    let spending = deciding(names.pipeline, stage).into_iter().filter(of_run).map(|it| spent(&it.name, name));
    spending.chain(followers(names, name, stage).map(|it| imitation(&it.name))).collect()
}

/// The amplifies that go by the loss of a train stage.
pub(crate) fn followers<'p>(names: Names<'p>, name: &str, stage: &Stage) -> impl Iterator<Item = &'p Named<Amplify>> {
    let name = matches!(stage, Stage::Train(_)).then(|| name.to_owned());
    let amplifies = names.pipeline.amplifies.iter();
    amplifies.filter(move |it| followed(&it.settings).is_some_and(|loss| Some(&loss.name) == name.as_ref()))
}

/// The nodes before this one that change what it reads, or read or change what it changes.
pub(crate) fn conflicts(before: &[Node], reads: &[String], writes: &[String]) -> Vec<usize> {
    let shared = |ours: &[String], theirs: &[String]| ours.iter().any(|state| theirs.contains(state));
    let conflict =
        |node: &Node| shared(writes, &node.reads) || shared(writes, &node.writes) || shared(reads, &node.writes);
    (0..before.len()).filter(|&place| conflict(&before[place])).collect()
}

/// What each state depends on before the first batch: a model, on the sizes and the seed of what it starts as, or on the
/// files that it starts with; the optimizer of a stage, on those of the model that it trains; whatever is counted or
/// averaged over a run, on nothing.
pub(crate) fn initial(names: Names<'_>, nodes: &[Node]) -> BTreeMap<String, Recipe> {
    let models = names.pipeline.models.iter();
    let mut initial: BTreeMap<String, Recipe> =
        models.map(|model| (weights(&model.name), fresh(names, &model.name))).collect();
    for node in nodes {
        if let Stage::Train(train) = &node.stage {
            initial.insert(optimizer(&node.name), fresh(names, &train.model.name));
        }
        for state in &node.writes {
            initial.entry(state.clone()).or_default();
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

/// The name of what a train stage knows of a limit on its loss: the loss before it, and λ.
pub fn constraint(stage: &str) -> String {
    format!("constraint.{stage}")
}

/// The name of the running mean that a loss stage subtracts from rewards.
pub fn baseline(stage: &str) -> String {
    format!("baseline.{stage}")
}

/// The name of the multiplier that weighs the penalty of a loss stage, where it has a limit.
pub fn multiplier(stage: &str) -> String {
    format!("multiplier.{stage}")
}

/// The name of the probes that are trained in a debate stage.
pub fn probe(stage: &str) -> String {
    format!("probe.{stage}")
}

/// The name of the running mean of the imitation loss by which an amplify's Samp goes.
pub fn imitation(amplify: &str) -> String {
    format!("imitation.{amplify}")
}

/// The name of the running mean of a milestone, and of the batch at which it was reached.
pub fn milestone(name: &str) -> String {
    format!("milestone.{name}")
}

/// The name of what a stage has spent of its part of an amplify's budget.
pub fn spent(amplify: &str, stage: &str) -> String {
    format!("spent.{amplify}.{stage}")
}
