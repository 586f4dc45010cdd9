//! The catastrophe penalty: who proposes, who answers and who oversees, and what is learnt from it.

use super::{Parts, amplifier, humans::scripted_by, named, table, wording};
use crate::stages::{
    penalised::{PenaltyTables, Proposals},
    penalty::{Adversary, By, Penalty, Sampled},
};
use debate::draw::Draw;
use model::Tokenizer;
use plan::{Node, Role, states};
use spec::settings::{self, Pipeline, Proposer, Questions, Stage, Wording};
use tasks::Generator;

/// What does the work of a penalty.
pub(super) fn penalty(parts: Parts<'_>, node: &Node, penalty: settings::Penalty, draw: Draw) -> Penalty {
    let pipeline = parts.pipeline;
    Penalty {
        name: node.name.clone(),
        from: table(node, Role::Questions),
        model: sampled(pipeline, &penalty.model.name, penalty.max_tokens),
        overseer: amplifier(parts, node, &penalty.overseer.name),
        adversary: penalty.adversary.map(|it| adversary(pipeline, &penalty.from.name, it)),
        wording: wording(pipeline),
        draw,
    }
}

fn sampled(pipeline: &Pipeline, model: &str, max_tokens: usize) -> Sampled {
    Sampled { state: states::weights(model), max_tokens, workers: pipeline.workers }
}

fn adversary(pipeline: &Pipeline, from: &str, adversary: settings::Adversary) -> Adversary {
    let settings::Adversary { by, proposals, questions } = adversary;
    let by = match by {
        Proposer::Script(script) => By::Script(scripted_by(&script)),
        Proposer::Model(it) => By::Model(sampled(pipeline, &it.name.name, it.max_tokens), it.wording),
    };
    Adversary { by, proposals, questions, generator: generator(pipeline, from) }
}

/// The generator of a `sample`, by which proposals become questions.
fn generator(pipeline: &Pipeline, sample: &str) -> Generator {
    let generator = match named(&pipeline.stages, sample) {
        Stage::Sample(settings::Sample { questions: Questions::Task(task), .. }) => Generator::new(task).ok(),
        _ => None,
    };
    generator.expect("plan takes no adversary without a task, and load sets up all tasks")
}

/// The tables of the penalty that a loss takes, if it takes one.
pub(super) fn tables(node: &Node) -> Option<PenaltyTables> {
    let answers = node.tables(Role::Penalised).next()?.to_owned();
    let (calls, multiplier) = (table(node, Role::PenaltyCalls), states::multiplier(&node.name));
    Some(PenaltyTables { answers, calls, multiplier })
}

/// What an adversary learns from.
pub(super) fn proposals(node: &Node, settings: settings::Loss, tokenizer: Tokenizer) -> Proposals {
    let (proposals, calls) = (table(node, Role::Proposals), table(node, Role::PenaltyCalls));
    Proposals { name: node.name.clone(), proposals, calls, settings, tokenizer }
}

/// What is said around questions, words and answers on account of penalties, and each likelihood.
pub(super) fn phrases(pipeline: &Pipeline, wording: &Wording) -> Vec<String> {
    let penalties = pipeline.stages.iter().filter_map(|stage| match &stage.settings {
        Stage::Penalty(penalty) => Some(penalty),
        _ => None,
    });
    let mut phrases = Vec::new();
    for penalty in penalties {
        phrases.extend(parts(&wording.catastrophe));
        if penalty.adversary.is_some() {
            phrases.extend(parts(&wording.likelihood));
            phrases.extend(tasks::likelihoods());
        }
        phrases.extend(penalty.proposing().iter().flat_map(|it| parts(&it.wording)));
    }
    phrases
}

/// The parts of a wording between what stands in it for a text.
fn parts(wording: &str) -> Vec<String> {
    let parts = wording.split("{question}").flat_map(|part| part.split("{context}")).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
