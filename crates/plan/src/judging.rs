//! Whether what a judge is asked can have a meaning: a choice that is never looked at, or the same verdict given again and
//! again, would cost much and tell nothing.

use spec::{
    Problem,
    settings::{Amplify, Judge, Loss, Named, Reply, Stage, Watch},
};

use crate::names::Names;

/// What has none.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Judge(judge) => judge_problems(names, &stage.name, judge),
        Stage::Loss(loss) => chosen(names, &stage.name, loss).into_iter().collect(),
        _ => Vec::new(),
    };
    names.pipeline.stages.iter().flat_map(of).chain(unwatched(names)).collect()
}

fn judge_problems(names: Names<'_>, name: &str, judge: &Judge) -> Vec<Problem> {
    let Ok(by) = names.amplify(&judge.by) else { return Vec::new() };
    [overruled(names, name, judge, by), repeated(names, name, judge, by)].into_iter().flatten().collect()
}

/// A choice over which H always judges.
fn overruled(names: Names<'_>, name: &str, judge: &Judge, by: &Named<Amplify>) -> Option<Problem> {
    let message = format!("M's choice never counts: `{}` calls H over every verdict", by.name);
    let help = format!("let `call_human` of `amplify.{}` be less than always, or leave `reply` at \"text\"", by.name);
    let never = judge.reply == Reply::Choice && by.settings.propensities().0 >= 1.0;
    never.then(|| Problem::new(names.pipeline.places.of(&format!("judge.{name}.reply")), message).help(help))
}

/// What is sampled at temperature 0 is the same every time.
fn repeated(names: Names<'_>, name: &str, judge: &Judge, by: &Named<Amplify>) -> Option<Problem> {
    let message = format!("at temperature 0, and without H, all answers of `{}` on a debate are the same", by.name);
    let help = format!("set `temperature` of `amplify.{}` above 0, or leave `repeats` at 1", by.name);
    let same = by.settings.temperature.max() == 0.0 && by.settings.propensities().1 <= 0.0;
    let place = || names.pipeline.places.of(&format!("judge.{name}.repeats"));
    (same && judge.repeats > 1).then(|| Problem::new(place(), message).help(help))
}

/// A distance of texts trains M on its own answers by their gradient; that of a choice between two is another.
fn chosen(names: Names<'_>, name: &str, loss: &Loss) -> Option<Problem> {
    let place = loss.from.iter().find_map(|mention| names.maker(mention, &["judge"]).ok())?;
    let Stage::Judge(judge) = names.settings(place) else { return None };
    let judged = &names.pipeline.stages[place].name;
    let learns = names.amplify(&judge.by).ok()?.settings.propensities().1 > 0.0;
    let message = format!(
        "`loss.{name}` trains M on what its own answers cost, but those of `{judged}` are chosen between two, where that \
         gradient is not that of M"
    );
    let help = format!("leave `reply` of `judge.{judged}` at \"text\", or `distance` at \"cross-entropy\"");
    let at = names.pipeline.places.of(&format!("judge.{judged}.reply"));
    let wrong = loss.distance.is_of_texts() && judge.reply == Reply::Choice && learns;
    wrong.then(|| Problem::new(at, message).help(help))
}

/// Something to watch for where nobody judges.
fn unwatched(names: Names<'_>) -> Option<Problem> {
    let judges = names.pipeline.stages.iter().any(|stage| matches!(stage.settings, Stage::Judge(_)));
    let idle = names.pipeline.watch != Watch::default() && !judges;
    let help = "add a `[judge.NAME]`, or leave `watch` out";
    let problem = || Problem::new(names.pipeline.places.of("watch"), "no debate is judged, so none can be watched");
    idle.then(|| problem().help(help))
}
