//! Whether a distance can reach M as it should. The gradient of one of texts is that of M's own answers, weighed by what
//! they cost: answers of another model, or of M at another temperature, would pull M elsewhere. One of distributions needs
//! somebody who has them.

use spec::{
    Problem,
    problem::list,
    settings::{Amplify, Follow, Imitate, Loss, Named, Stage},
};

use crate::{consulting::is_stood_in_for, names::Names, opponent::as_speaker};

/// What keeps costs from being those of M's own answers, and distributions from being there.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let stages = names.pipeline.stages.iter();
    let problems = stages.flat_map(|stage| match &stage.settings {
        Stage::Loss(loss) if loss.is_of_costs() => loss_problems(names, &stage.name, loss),
        Stage::Loss(loss) if loss.distance.is_of_distributions() && loss.is_of_words() => {
            no_distribution(names, &stage.name, loss).into_iter().collect()
        }
        _ => Vec::new(),
    });
    problems.collect()
}

/// H itself has no distribution: where no model ever answers in its place, a divergence would be a cross-entropy.
fn no_distribution(names: Names<'_>, name: &str, loss: &Loss) -> Option<Problem> {
    let makers = loss.from.iter().filter_map(|mention| names.maker(mention, &["debate", "judge", "penalty"]).ok());
    let stages: Vec<&Stage> = makers.map(|place| names.settings(place)).collect();
    let stood_in_for = stages.iter().any(|stage| is_stood_in_for(names.pipeline, stage));
    let from = list(loss.from.iter().map(|mention| mention.name.as_str()));
    let message =
        format!("no model ever answers in H's place in {from}, and H itself has no distribution to come near to");
    let help = "leave `distance` at \"cross-entropy\", or let an `[amplify.NAME]` that is asked there name a `human` that is \
                `learned`, with a `share` below 1";
    let place = names.pipeline.places.of(&format!("loss.{name}.distance"));
    (!stages.is_empty() && !stood_in_for).then(|| Problem::new(place, message).help(help))
}

fn loss_problems(names: Names<'_>, name: &str, loss: &Loss) -> Vec<Problem> {
    let Some(debate) = names.debate_of(loss) else { return Vec::new() };
    let Stage::Debate(settings) = &debate.settings else { return Vec::new() };
    let Ok(speaker) = names.amplify(&settings.speaker) else { return Vec::new() };
    let learning = learning(names, loss, debate);
    let others = learning.iter().filter_map(|amplify| other_model(names, name, speaker, amplify));
    others.chain(learning.iter().filter_map(|amplify| tempered(names, name, amplify))).collect()
}

/// Whether M has nobody to imitate: H answers nothing, and M's own answers are no targets.
pub(crate) fn has_no_target(names: Names<'_>, loss: &Loss, debate: &Named<Stage>) -> bool {
    loss.imitate == Imitate::Human && learning(names, loss, debate).is_empty()
}

/// The amplifies whose first answers H may be called over, each once.
fn learning<'p>(names: Names<'p>, loss: &Loss, debate: &'p Named<Stage>) -> Vec<&'p Named<Amplify>> {
    let Stage::Debate(settings) = &debate.settings else { return Vec::new() };
    let doubts = settings.sufficient.is_asked() && settings.min_turns < settings.max_turns;
    let judge = loss.from.iter().find_map(|mention| names.maker(mention, &["judge"]).ok());
    let judge = judge.filter(|_| settings.turns_from(0).1 > 1).and_then(|place| match names.settings(place) {
        Stage::Judge(judge) => Some(&judge.by),
        _ => None,
    });
    let mentions = [Some(&settings.overseer).filter(|_| doubts), judge];
    let judging = mentions.into_iter().flatten().filter_map(|mention| names.amplify(mention).ok());
    let mut learning: Vec<&Named<Amplify>> = Vec::new();
    for amplify in as_speaker(names, settings).into_iter().chain(judging) {
        if amplify.settings.propensities().1 > 0.0 && !learning.iter().any(|other| other.name == amplify.name) {
            learning.push(amplify);
        }
    }
    learning
}

/// The answers of a model that is not M, nor the same as M whenever it answers.
fn other_model(names: Names<'_>, name: &str, speaker: &Named<Amplify>, amplify: &Named<Amplify>) -> Option<Problem> {
    let model = names.model(&speaker.settings.model).ok()?.name.as_str();
    let other = names.model(&amplify.settings.model).ok()?.name.as_str();
    let message = format!(
        "`loss.{name}` trains `{model}` on what its own answers cost, but those of `{}` are `{other}`'s",
        amplify.name
    );
    let help = format!(
        "let `{model}` answer, or let `{other}` follow it with `every = 1` right after it is trained, so that they are \
         the same, or leave `distance` at \"cross-entropy\""
    );
    let differs = model != other && !same(names, model, other);
    differs.then(|| Problem::new(amplify.settings.model.span.clone(), message).help(help))
}

/// Whether a model is made the same as M whenever M was trained.
fn same(names: Names<'_>, model: &str, other: &str) -> bool {
    names.pipeline.stages.iter().any(|stage| {
        let Stage::Sync(sync) = &stage.settings else { return false };
        let Ok(after) = names.stage(&sync.after, &["train"]) else { return false };
        let trained = matches!(names.settings(after), Stage::Train(train) if train.model.name == model);
        let follows = sync.from_model.name == model && sync.to_model.name == other;
        trained && follows && sync.follow == Follow::Every(1)
    })
}

/// What is sampled from a sharper or flatter distribution than M's.
fn tempered(names: Names<'_>, name: &str, amplify: &Named<Amplify>) -> Option<Problem> {
    let (least, most) = amplify.settings.temperature.range_from(0);
    let other = if least < 1.0 { least } else { most };
    let message = format!(
        "`loss.{name}` trains M on what its own answers cost, but `{}` samples them at temperature {other}, where that \
         gradient is not that of M",
        amplify.name
    );
    let place = names.pipeline.places.of(&format!("amplify.{}.temperature", amplify.name));
    let help = "let it be 1, or leave `distance` at \"cross-entropy\"";
    (other != 1.0).then(|| Problem::new(place, message).help(help))
}
