//! Transparency tools: whether there is anything to look into, and whether a probe can learn.

use spec::{
    Problem,
    settings::{Debate, Named, Stage, Tool},
};

use crate::names::Names;

/// What is wrong with the tools of debates.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let stages = names.pipeline.stages.iter();
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Debate(debate) => [nothing_to_see(names, &stage.name, debate), unlearned(names, &stage.name, debate)],
        _ => [None, None],
    };
    stages.flat_map(of).flatten().collect()
}

/// Nobody argues after the other side has.
fn nothing_to_see(names: Names<'_>, name: &str, debate: &Debate) -> Option<Problem> {
    debate.inspection.as_ref()?;
    let place = names.pipeline.places.of(&format!("debate.{name}.inspection"));
    let message = format!("a tool looks into the other side's last argument, and in `{name}` nobody argues after one");
    let help = "let debates have more arguments by `max_turns` and `sufficient`, or leave this out";
    (debate.turns_from(0).1 <= debate.round()).then(|| Problem::new(place, message).help(help))
}

/// A probe learns from the arguments that H overrules, and H is called over none.
fn unlearned(names: Names<'_>, name: &str, debate: &Debate) -> Option<Problem> {
    debate.inspection.as_ref().filter(|inspection| inspection.has(Tool::Probe))?;
    let argues = [Some(&debate.speaker), debate.opponent.as_ref()].into_iter().flatten();
    let argues: Option<Vec<_>> = argues.map(|mention| names.amplify(mention).ok()).collect();
    let never = argues?.iter().all(|amplify| amplify.settings.propensities().1 <= 0.0);
    let place = names.pipeline.places.of(&format!("debate.{name}.inspection.tools"));
    let message = "a probe learns which arguments H overrules, and H is never called over one";
    let help =
        format!("let `call_human` of `amplify.{}` be more than never, or leave \"probe\" out", debate.speaker.name);
    never.then(|| Problem::new(place, message).help(help))
}
