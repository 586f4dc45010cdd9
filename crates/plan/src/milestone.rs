//! Milestones: who waits for them, who reaches them, and whether they can be reached at all.

use std::collections::BTreeSet;

use spec::{
    Problem,
    settings::{Combine, Loss, Milestone, Named, Stage},
};

use crate::{
    distance::has_no_target,
    key::changing,
    names::{Found, Names},
    parties::{judged, judging},
};

/// What is wrong with milestones, and with the mentions of them.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let awaited = names.pipeline.awaited();
    let of = |milestone: &Named<Milestone>| {
        let idle = !awaited.iter().any(|mention| mention.name == milestone.name);
        [idle.then(|| unneeded(milestone)), unsupervised(names, milestone)]
    };
    let unknown = awaited.iter().filter_map(|mention| names.milestone(mention).err()?);
    unknown.chain(names.pipeline.milestones.iter().flat_map(of).flatten()).collect()
}

/// The milestones that a train stage reaches.
pub(crate) fn watched<'p>(names: Names<'p>, name: &str, stage: &Stage) -> impl Iterator<Item = &'p Named<Milestone>> {
    let name = matches!(stage, Stage::Train(_)).then(|| name.to_owned());
    let milestones = names.pipeline.milestones.iter();
    milestones.filter(move |milestone| Some(&milestone.settings.loss_of.name) == name.as_ref())
}

/// The milestones that a stage waits for: those of its own numbers, of whom it asks, of those in a debate that an
/// evaluation asks for, and of the stage by whose numbers it goes too.
pub(crate) fn awaited(names: Names<'_>, name: &str, stage: &Stage) -> BTreeSet<String> {
    let own = changing(names, name, stage).into_iter().map(|(_, schedule)| schedule);
    let debating = judging(names, stage).into_iter().filter_map(|mention| names.amplify(mention).ok());
    let debating = debating.flat_map(|amplify| amplify.settings.schedules());
    let others = follows(names, stage).into_iter().flat_map(Stage::schedules).chain(debating);
    own.chain(others.map(|(_, schedule)| schedule))
        .filter_map(|schedule| Some(schedule.milestone()?.name.clone()))
        .collect()
}

/// The stage by whose numbers another goes: the loss whose limit a train stage keeps to, or the debate that an
/// evaluation asks for.
fn follows<'p>(names: Names<'p>, stage: &Stage) -> Option<&'p Stage> {
    match stage {
        Stage::Train(train) => {
            let loss = names.settings(names.maker(&train.from, &["loss"]).ok()?);
            matches!(loss, Stage::Loss(it) if it.constrained().is_some()).then_some(loss)
        }
        Stage::Evaluate(evaluate) => {
            let (judge, _) = judged(names, evaluate.judging()?)?;
            Some(names.settings(names.stage(&judge.from, &["debate"]).ok()?))
        }
        _ => None,
    }
}

/// A milestone that nobody waits for.
fn unneeded(milestone: &Named<Milestone>) -> Problem {
    let name = &milestone.name;
    let message = format!("nothing needs the milestone `{name}`: no schedule waits for it");
    let help = format!("leave it out, or let a number wait for it: `{{ after = \"{name}\", points = [[0, …], …] }}`");
    Problem::new(milestone.span.clone(), message).help(help)
}

/// A milestone of a stage that has no supervised loss.
fn unsupervised(names: Names<'_>, milestone: &Named<Milestone>) -> Option<Problem> {
    let loss_of = &milestone.settings.loss_of;
    let loss = match loss_behind(names, milestone) {
        Ok(loss) => loss,
        Err(problem) => return problem,
    };
    let why = why_unsupervised(names, loss)?;
    let message = format!("`{}` has no supervised loss that could fall: {why}", loss_of.name);
    let help = "go by a `train` stage whose model imitates somebody";
    Some(Problem::new(loss_of.span.clone(), message).help(help))
}

/// The loss of its train stage. What is wrong with the way to that loss is told elsewhere.
fn loss_behind<'p>(names: Names<'p>, milestone: &Named<Milestone>) -> Found<&'p Loss> {
    let place = names.stage(&milestone.settings.loss_of, &["train"])?;
    let Stage::Train(train) = names.settings(place) else { return Err(None) };
    let Stage::Loss(loss) = names.settings(names.maker(&train.from, &["loss"]).map_err(|_| None)?) else {
        return Err(None);
    };
    Ok(loss)
}

/// Why a loss has no target of imitation, where it has none at any batch.
fn why_unsupervised(names: Names<'_>, loss: &Loss) -> Option<String> {
    if loss.proposals {
        return Some("an adversary learns from what its proposals earn, and imitates nobody".to_owned());
    }
    let is = |kind: &'static str| loss.from.iter().any(|mention| names.maker(mention, &[kind]).is_ok());
    // Other models have targets of their own, and of a penalty H's words are.
    let debate = names.debate_of(loss).filter(|_| loss.is_of_m() && !is("penalty"))?;
    let Stage::Debate(settings) = &debate.settings else { return None };
    names.amplify(&settings.speaker).ok()?;
    if has_no_target(names, loss, debate) {
        return Some(format!("H answers nothing in `{}`", debate.name));
    }
    // A debate of one argument is supervised whatever α is.
    let Combine::Weighted { alpha } = &loss.combine else { return None };
    let rewarded = alpha.min() >= 1.0 && settings.fewest() > 1 && is("judge");
    rewarded.then(|| "its `alpha` is 1 at every batch".to_owned())
}
