//! Adv, by which Samp learns: as it is asked, and as it is taught.

use super::named;
use crate::stages::{
    embeddings::Embeddings,
    predictions::{Predicted, Predictions},
    samp::Learnt,
};
use debate::{debate::Voice, question::Asked};
use model::Tokenizer;
use plan::{Node, Role, states};
use spec::settings::{Learned, Loss, Pipeline, Stage};
use std::sync::Arc;

/// As Samp asks it.
pub(super) fn learnt(learned: &Learned, workers: usize) -> Learnt {
    Learnt { model: states::weights(&learned.model.name), wording: learned.wording.clone(), workers }
}

/// What is said around question and answer, of every Adv of a pipeline.
pub(super) fn phrases(pipeline: &Pipeline) -> impl Iterator<Item = String> {
    let wordings = pipeline.amplifies.iter().filter_map(|it| Some(&it.settings.call_human.learned()?.wording));
    let parts = wordings.flat_map(|text| text.split("{question}").flat_map(|part| part.split("{answer}")));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// What teaches it.
pub(super) fn predictions(
    pipeline: &Pipeline,
    node: &Node,
    loss: &Loss,
    embedder: Option<Arc<Embeddings>>,
    tokenizer: Tokenizer,
) -> Predictions {
    let amplify = loss.predict.as_ref().map_or("", |predict| &predict.name);
    let asked = |table: &str| Predicted { table: table.to_owned(), asked: asked(pipeline, table, amplify) };
    let (name, calls) = (node.name.clone(), node.tables(Role::Calls).map(asked).collect());
    Predictions { name, calls, distance: loss.distance.clone(), embedder, weight: loss.weight, tokenizer }
}

/// Those of the questions in a table of calls that are put to an Amp≈, and whose voice it is, where the table says.
fn asked(pipeline: &Pipeline, table: &str, amplify: &str) -> Vec<(Asked, Option<Voice>)> {
    let parties = match named(&pipeline.stages, table.trim_end_matches(".calls")) {
        Stage::Debate(debate) => {
            let against = debate.opponent.iter().map(|opponent| (Asked::Argument, Some(Voice::Opponent), opponent));
            let speaks = debate.opponent.as_ref().map(|_| Voice::Speaker);
            let of_overseer = |asked| (asked, None, &debate.overseer);
            let overseen = [Asked::Sufficient, Asked::Summary].map(of_overseer);
            let always = [(Asked::Argument, speaks, &debate.speaker)].into_iter().chain(overseen);
            always.chain(against).collect()
        }
        Stage::Judge(judge) => vec![(Asked::Winner, None, &judge.by)],
        _ => Vec::new(),
    };
    let of_amplify = parties.into_iter().filter(|(.., party)| party.name == amplify);
    of_amplify.map(|(asked, voice, _)| (asked, voice)).collect()
}
