//! Transparency tools: the words that debates with them have, and their probes.

use crate::stages::tools::Inspecting;
use debate::tool::{LARGEST, MARK, WORDS, call};
use plan::states;
use spec::settings::{Debate, Inspection, Pipeline, Stage, Tool};

/// The tools of all debates of a pipeline.
fn inspections(pipeline: &Pipeline) -> impl Iterator<Item = &Inspection> {
    pipeline.stages.iter().filter_map(|stage| match &stage.settings {
        Stage::Debate(debate) => debate.inspection.as_ref(),
        _ => None,
    })
}

/// How tools are asked for, and how what they say is marked. The name of each is one token, and so is the call of it.
pub(super) fn phrases(pipeline: &Pipeline) -> impl Iterator<Item = String> {
    let of = |inspection: &Inspection| -> Vec<String> {
        let named = inspection.tools.iter().flat_map(|tool| [call(*tool), tool.name().to_owned()]);
        [MARK.to_owned()].into_iter().chain(named).collect()
    };
    inspections(pipeline).flat_map(of)
}

/// What tools say, but for the words of questions.
pub(super) fn words(pipeline: &Pipeline) -> impl Iterator<Item = String> {
    let numbers = (0..=LARGEST).map(|number| number.to_string());
    let said = WORDS.iter().map(|word| (*word).to_owned()).chain(numbers);
    said.filter(|_| inspections(pipeline).next().is_some()).collect::<Vec<_>>().into_iter()
}

/// Whether probes are trained in a debate.
pub(super) fn has_probe(debate: &Debate) -> bool {
    debate.inspection.as_ref().is_some_and(|inspection| inspection.has(Tool::Probe))
}

/// The tools of a debate, with the state that has its probes.
pub(super) fn inspecting(name: &str, debate: &Debate) -> Option<Inspecting> {
    let settings = debate.inspection.clone()?;
    Some(Inspecting { probes: has_probe(debate).then(|| states::probe(name)), settings })
}
