//! Debates: who argues in them and in which form, in a stage and in an evaluation.

use super::{Parts, amplifier, humans, named, table, tools::inspecting};
use crate::stages::{self, procedure::Procedure};
use debate::{draw::Draw, lesson::Learner, question::Form};
use plan::{Node, Role};
use spec::settings::{Debate, Evaluate, Loss, Named, Pipeline, Stage, Turns};

/// What does the work of a debate.
pub(super) fn debate(parts: Parts<'_>, node: &Node, debate: Debate, draw: Draw) -> stages::debate::Debate {
    let pipeline = parts.pipeline;
    stages::debate::Debate {
        name: node.name.clone(),
        from: table(node, Role::Questions),
        inspecting: inspecting(&node.name, &debate),
        form: form(pipeline, &debate),
        speaker: amplifier(parts, node, &debate.speaker.name),
        opponent: debate.opponent.map(|opponent| amplifier(parts, node, &opponent.name)),
        speaker_side: debate.speaker_side,
        overseer: amplifier(parts, node, &debate.overseer.name),
        min_turns: debate.min_turns,
        max_turns: debate.max_turns,
        sufficient: debate.sufficient,
        history: debate.history,
        on_error: debate.on_error,
        distributions: humans::distributions(node),
        wording: debate.wording,
        draw,
    }
}

/// The debate of a name, if that is one.
fn debate_named<'p>(pipeline: &'p Pipeline, name: &str) -> Option<&'p Debate> {
    let stage = pipeline.stages.iter().find(|stage| stage.name == name)?;
    if let Stage::Debate(debate) = &stage.settings { Some(debate) } else { None }
}

/// In which form the debate of a name is.
pub(super) fn form_of(pipeline: &Pipeline, name: &str) -> Form {
    debate_named(pipeline, name).map(|debate| form(pipeline, debate)).unwrap_or_default()
}

/// Whether in the debate that a judge judges each side argues for an answer of its own.
pub(super) fn both_answer(pipeline: &Pipeline, judge: &str) -> bool {
    let Stage::Judge(judge) = named(&pipeline.stages, judge) else { return false };
    debate_named(pipeline, &judge.from.name).is_some_and(Debate::both_answer)
}

/// In which form a debate is. Rivals argue for the two answers of the task of the speaker's H.
fn form(pipeline: &Pipeline, debate: &Debate) -> Form {
    match debate.turns {
        Turns::Simultaneous => Form::Simultaneous,
        Turns::Sequential if debate.rival => {
            let human = &named(&pipeline.amplifies, &debate.speaker.name).human;
            Form::Rival(answers(pipeline, &human.name))
        }
        Turns::Sequential => Form::Sequential,
    }
}

/// The two answers of the task of a human.
fn answers(pipeline: &Pipeline, human: &str) -> [&'static str; 2] {
    humans::task(pipeline, human).answers()
}

/// The two answers of which one that declines gives neither, where an evaluation looks at that.
pub(super) fn declinable(pipeline: &Pipeline, evaluate: &Evaluate) -> Option<[&'static str; 2]> {
    evaluate.catastrophes.then(|| answers(pipeline, &named(&pipeline.amplifies, &evaluate.of.name).human.name))
}

/// Whether in the debate of a name another model than the speaker's argues against it.
pub(super) fn against_other(pipeline: &Pipeline, debate: &str) -> bool {
    let model = |amplify: &str| &named(&pipeline.amplifies, amplify).model.name;
    let Some(debate) = debate_named(pipeline, debate) else { return false };
    debate.opponent.as_ref().is_some_and(|opponent| model(&opponent.name) != model(&debate.speaker.name))
}

/// Who learns from a loss: whoever a `train` stage says. Where another model than M answers H's sub-questions, each has its
/// own words to learn from.
pub(super) fn learner(pipeline: &Pipeline, name: &str, loss: &Loss) -> Learner {
    let debate = loss.from.iter().find_map(|from| debate_named(pipeline, &from.name));
    let speaker = debate.map(|debate| named(&pipeline.amplifies, &debate.speaker.name));
    let Some(answerer) = speaker.and_then(|speaker| speaker.answerer.as_ref()) else { return Learner::Only };
    let trains = |stage: &Named<Stage>| match &stage.settings {
        Stage::Train(train) => train.from.name == name && train.model.name == answerer.name,
        _ => false,
    };
    if pipeline.stages.iter().any(trains) { Learner::Answerer } else { Learner::Speaker }
}

/// The debate and the judge of an evaluation, if it has rows that take them.
pub(super) fn procedure(parts: Parts<'_>, node: &Node, evaluate: &Evaluate) -> Option<Procedure> {
    let pipeline = parts.pipeline;
    let judge = evaluate.judging()?;
    let Stage::Judge(judge) = named(&pipeline.stages, &judge.name) else { return None };
    let debate = debate_named(pipeline, &judge.from.name)?;
    Some(Procedure {
        speaker: amplifier(parts, node, &debate.speaker.name),
        opponent: debate.opponent.as_ref().map(|opponent| amplifier(parts, node, &opponent.name)),
        speaker_side: debate.speaker_side,
        form: form(pipeline, debate),
        inspecting: inspecting(&judge.from.name, debate),
        overseer: amplifier(parts, node, &debate.overseer.name),
        judge: amplifier(parts, node, &judge.by.name),
        min_turns: debate.min_turns,
        max_turns: debate.max_turns,
        sufficient: debate.sufficient.clone(),
        history: debate.history,
        wording: debate.wording.clone(),
        answers: answers(pipeline, &named(&pipeline.amplifies, &judge.by.name).human.name),
    })
}
