//! H: who it is, whom it consults, and what stands in for it.

use super::named;
use crate::stages::{Consults, understudy::StandIn};
use debate::{
    draw::Draw,
    human::Human,
    understudy::{ANSWERS, ASKS, SAYS},
};
use model::Tokenizer;
use plan::{Node, states};
use spec::settings::{self, Amplify, History, Named, Pipeline, Stage, SubAnswers};
use tasks::Task;

/// A human of the pipeline; of one that is learned, the one that it learns from.
fn script<'p>(pipeline: &'p Pipeline, name: &str) -> (&'p settings::Human, &'p str) {
    let human = named(&pipeline.humans, name);
    let human = human.understudy().map_or(human, |understudy| named(&pipeline.humans, &understudy.from.name));
    (human, human.script().expect("plan lets a model learn from scripts alone"))
}

/// The human of a name; of one that is learned, the one that it learns from.
pub(super) fn human(pipeline: &Pipeline, name: &str) -> Box<dyn Human> {
    let (human, script) = script(pipeline, name);
    tasks::human_who(script, human.asks, &human.deceives).expect("spec checks scripts against the catalogue")
}

/// The human that runs a script.
pub(super) fn scripted_by(script: &str) -> Box<dyn Human> {
    tasks::human(script).expect("spec checks scripts against the catalogue")
}

/// The task of a human's questions.
pub(super) fn task(pipeline: &Pipeline, name: &str) -> Task {
    Task::of_script(script(pipeline, name).1).expect("spec checks scripts against the catalogue")
}

/// Whom H consults in a stage. What is shared there is at addresses of the stage.
pub(super) fn consults(pipeline: &Pipeline, node: &Node, amplify: &Amplify) -> Consults {
    let draw = || Draw::new(pipeline.seed).named(&node.name).named("shared");
    let shared = (amplify.sub_answers == SubAnswers::Shared).then(draw);
    Consults { rounds: amplify.rounds, depth: amplify.depth, shared }
}

/// What stands in for a human, if anything does.
pub(super) fn stand_in(pipeline: &Pipeline, name: &str, tokenizer: &Tokenizer) -> Option<StandIn> {
    let settings::Understudy { model, share, max_tokens, .. } = named(&pipeline.humans, name).understudy()?;
    Some(StandIn {
        name: name.to_owned(),
        model: states::weights(&model.name),
        share: share.clone(),
        max_tokens: *max_tokens,
        workers: pipeline.workers,
        tokenizer: tokenizer.clone(),
    })
}

/// Whether the distributions of what stands in for a human are among the calls that a node promises.
pub(super) fn distributions(node: &Node) -> bool {
    node.outputs.iter().any(|output| output.schema.field_with_name("distribution").is_ok())
}

/// What is said around what was asked and heard, where a model stands in for H, or a debate has it as its history.
pub(super) fn phrases(pipeline: &Pipeline) -> impl Iterator<Item = String> {
    let stands_in = pipeline.humans.iter().any(|human| human.settings.understudy().is_some());
    let traced =
        |stage: &Named<Stage>| matches!(&stage.settings, Stage::Debate(debate) if debate.history == History::Traces);
    let traced = pipeline.stages.iter().any(traced);
    let said = [(ASKS, stands_in || traced), (SAYS, stands_in || traced), (ANSWERS, stands_in)];
    said.into_iter().filter(|(_, used)| *used).map(|(phrase, _)| phrase.to_owned())
}
