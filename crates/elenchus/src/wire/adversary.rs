//! Adv, by which Samp learns: as it is asked, and as it is taught.

use super::named;
use crate::stages::{predictions::Predictions, samp::Learnt};
use debate::question::Asked;
use model::Tokenizer;
use plan::{Node, Role, states};
use spec::settings::{Learned, Loss, Pipeline, Stage};

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
pub(super) fn predictions(pipeline: &Pipeline, node: &Node, loss: &Loss, tokenizer: Tokenizer) -> Predictions {
    let amplify = loss.predict.as_ref().map_or("", |predict| &predict.name);
    let asked = |table: &str| (table.to_owned(), asked(pipeline, table, amplify));
    let (name, calls) = (node.name.clone(), node.tables(Role::Calls).map(asked).collect());
    Predictions { name, calls, distance: loss.distance, weight: loss.weight, tokenizer }
}

/// Those of the questions in a table of calls that are put to an Amp≈.
fn asked(pipeline: &Pipeline, table: &str, amplify: &str) -> Vec<Asked> {
    let parties = match named(&pipeline.stages, table.trim_end_matches(".calls")) {
        Stage::Debate(debate) => vec![(Asked::Argument, &debate.speaker), (Asked::Sufficient, &debate.overseer)],
        Stage::Judge(judge) => vec![(Asked::Winner, &judge.by)],
        _ => Vec::new(),
    };
    parties.into_iter().filter(|(_, party)| party.name == amplify).map(|(asked, _)| asked).collect()
}
