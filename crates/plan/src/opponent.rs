//! Who argues against whom: whether a debate has two sides where its form speaks of two, and whose words are M's.

use spec::{
    Problem,
    settings::{Amplify, Debate, History, Named, Stage},
};

use crate::names::Names;

/// What is wrong with those who argue in debates.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let stages = names.pipeline.stages.iter();
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Debate(debate) => {
            [itself(debate), one_sided(names, &stage.name, debate), no_history(names, &stage.name, debate)]
        }
        _ => [None, None, None],
    };
    stages.flat_map(of).flatten().collect()
}

/// Those who argue with the speaker's model: the speaker, and an opponent that differs in nothing but how it asks that.
pub(crate) fn as_speaker<'p>(names: Names<'p>, debate: &Debate) -> Vec<&'p Named<Amplify>> {
    let Ok(speaker) = names.amplify(&debate.speaker) else { return Vec::new() };
    let opponent = debate.opponent.as_ref().and_then(|opponent| names.amplify(opponent).ok());
    let same = |other: &&Named<Amplify>| other.settings.model.name == speaker.settings.model.name;
    [Some(speaker), opponent.filter(same)].into_iter().flatten().collect()
}

/// A speaker against itself is what there is without an opponent.
fn itself(debate: &Debate) -> Option<Problem> {
    let opponent = debate.opponent.as_ref()?;
    let message = format!("`{}` argues against itself", opponent.name);
    let help = "leave `opponent` out, and it argues on both sides; or name another `[amplify.NAME]`, which may ask the \
                same model";
    let same = !opponent.name.is_empty() && opponent.name == debate.speaker.name;
    same.then(|| Problem::new(opponent.span.clone(), message).help(help))
}

/// A debate that never has a second argument has nobody on its other side.
fn one_sided(names: Names<'_>, name: &str, debate: &Debate) -> Option<Problem> {
    let key = match (&debate.opponent, debate.rival) {
        (Some(_), _) => "opponent",
        (None, true) => "rival",
        (None, false) => return None,
    };
    let place = names.pipeline.places.of(&format!("debate.{name}.{key}"));
    let message = format!("`{key}` is about the other side, and no debate of `{name}` has a second argument");
    let ends = if debate.max_turns == 1 { "raise `max_turns`" } else { "change `sufficient`, or raise `min_turns`" };
    let help = format!("{ends}, or leave it out");
    (debate.turns_from(0).1 < 2).then(|| Problem::new(place, message).help(help))
}

/// Where no argument has another before it there is no history.
fn no_history(names: Names<'_>, name: &str, debate: &Debate) -> Option<Problem> {
    let told = debate.history != History::Arguments && debate.turns_from(0).1 < 2;
    let place = names.pipeline.places.of(&format!("debate.{name}.history"));
    let message = format!("`history` is of former arguments, and no debate of `{name}` has a second one");
    told.then(|| Problem::new(place, message).help("raise `max_turns`, change `sufficient`, or leave it out"))
}
