//! Samp: which stages let it decide, what it goes by, and who pays from which part of a budget.

use spec::{
    Pipeline, Problem,
    settings::{Amplify, Answer, By, CallHuman, Named, Reference, Stage},
};

use crate::names::Names;

/// What is wrong with what Samp goes by.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let amplifies = names.pipeline.amplifies.iter();
    amplifies.flat_map(|amplify| [no_loss(names, amplify), no_end(names, amplify)]).flatten().collect()
}

/// A schedule by the loss of a stage that has none.
fn no_loss(names: Names<'_>, amplify: &Named<Amplify>) -> Option<Problem> {
    names.stage(followed(&amplify.settings)?, &["train"]).err()?
}

/// A budget of a run that ends nobody knows when.
fn no_end(names: Names<'_>, amplify: &Named<Amplify>) -> Option<Problem> {
    amplify.settings.budget.as_ref()?.per_run?;
    let place = names.pipeline.places.of(&format!("amplify.{}.budget.per_run", amplify.name));
    let message = "`per_run` is shared out over the batches of the run, and the file does not say how many it has";
    let help = "set `batches`, or limit each batch with `per_batch`";
    names.pipeline.batches.is_none().then(|| Problem::new(place, message).help(help))
}

/// The train stage whose loss decides, if one does.
pub(crate) fn followed(amplify: &Amplify) -> Option<&Reference> {
    match &amplify.call_human {
        CallHuman::Schedule(by_loss) => Some(&by_loss.loss),
        _ => None,
    }
}

/// The amplifies whose Samp decides in a stage, each once.
pub(crate) fn deciding<'p>(pipeline: &'p Pipeline, stage: &Stage) -> Vec<&'p Named<Amplify>> {
    pipeline.amplifies.iter().filter(|amplify| waves(stage, &amplify.name) > 0).collect()
}

/// How many waves of questions a stage puts to an amplify in a batch. One that nobody is left to ask in counts too.
pub(crate) fn waves(stage: &Stage, amplify: &str) -> usize {
    match stage {
        Stage::Debate(debate) => {
            let (speaker, opponent, overseer) = debate.waves();
            let of = |mention: Option<&Reference>, waves: usize| {
                if mention.is_some_and(|mention| mention.name == amplify) { waves } else { 0 }
            };
            of(Some(&debate.speaker), speaker)
                + of(debate.opponent.as_ref(), opponent)
                + of(Some(&debate.overseer), overseer)
        }
        Stage::Judge(judge) => usize::from(judge.by.name == amplify),
        Stage::Penalty(penalty) if penalty.overseer.name == amplify => penalty.waves(),
        Stage::Answer(Answer { by: By::Amplify(by), .. }) => usize::from(by.name == amplify),
        _ => 0,
    }
}

/// A stage's part of an amplify's budget: its waves of a batch, and those of all stages.
pub fn part(pipeline: &Pipeline, stage: &Stage, amplify: &str) -> (usize, usize) {
    let all = pipeline.stages.iter().map(|stage| waves(&stage.settings, amplify)).sum();
    (waves(stage, amplify), all)
}
