//! Who answers H's sub-questions in M's place: that it is another model, and that each of the two is trained on what it said
//! itself.

use spec::{
    Problem,
    settings::{Amplify, Debate, Loss, Named, Stage, Train},
};

use crate::{names::Names, opponent::as_speaker, parties::no_room};

/// What is wrong with it.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> =
        names.pipeline.amplifies.iter().flat_map(|amplify| of_amplify(names, amplify)).collect();
    for stage in &names.pipeline.stages {
        problems.extend(match &stage.settings {
            Stage::Debate(debate) => two_answerers(names, debate),
            Stage::Train(train) => unfit(names, train),
            _ => None,
        });
    }
    problems
}

fn of_amplify(names: Names<'_>, amplify: &Named<Amplify>) -> Vec<Problem> {
    let Some(mention) = &amplify.settings.answerer else { return Vec::new() };
    let itself = match names.model(mention) {
        Err(problem) => problem,
        Ok(found) if found.name == amplify.settings.model.name => {
            let message = format!("`{}` answers H's sub-questions as it is", found.name);
            Some(Problem::new(mention.span.clone(), message).help("name another model, or leave `answerer` out"))
        }
        Ok(_) => None,
    };
    let path = format!("amplify.{}.max_tokens", amplify.name);
    itself.into_iter().chain(no_room(names, mention, amplify.settings.max_tokens, &path)).collect()
}

/// Whose words the answers to sub-questions are must be the same on both sides, if the same model argues there.
fn two_answerers(names: Names<'_>, debate: &Debate) -> Option<Problem> {
    let [speaker, opponent] = as_speaker(names, debate)[..] else { return None };
    let of = |amplify: &Named<Amplify>| amplify.settings.answerer.as_ref().map(|answerer| answerer.name.clone());
    let message = format!("`{}` and `{}` argue with one model, and have others answer", speaker.name, opponent.name);
    let help = "give both the same `answerer`, or let another model argue against the speaker";
    let mention = debate.opponent.as_ref()?;
    (of(speaker) != of(opponent)).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// The amplify that argues in the debate of a loss.
fn speaker<'p>(names: Names<'p>, loss: &Loss) -> Option<&'p Named<Amplify>> {
    let Stage::Debate(debate) = &names.debate_of(loss)?.settings else { return None };
    names.amplify(&debate.speaker).ok()
}

/// Whether a model is one that answers sub-questions in the debate of a loss, and does not argue there.
pub(crate) fn answers(names: Names<'_>, loss: &Loss, model: &str) -> bool {
    let speaker = speaker(names, loss).filter(|_| loss.is_of_m());
    speaker.and_then(|speaker| speaker.settings.answerer.as_ref()).is_some_and(|answerer| answerer.name == model)
}

/// What a loss says that has no meaning for the model that it trains.
fn unfit(names: Names<'_>, train: &Train) -> Option<Problem> {
    let place = names.maker(&train.from, &["loss"]).ok()?;
    let Named { name, settings: Stage::Loss(loss), .. } = &names.pipeline.stages[place] else { return None };
    let answers = answers(names, loss, &train.model.name);
    let speaker = speaker(names, loss).filter(|_| loss.is_of_m())?;
    speaker.settings.answerer.as_ref()?;
    let rewarded = loss.combine.rewards_from(names.pipeline.batches.unwrap_or(u64::MAX)).is_some();
    let (key, message, help) = match answers {
        true if loss.distance.is_of_texts() => (
            "distance",
            format!(
                "a distance of texts is of what M answered first, and `{}` answers only what H asks",
                train.model.name
            ),
            "leave `distance` at \"cross-entropy\"",
        ),
        true if rewarded && !loss.credit.calls => (
            "credit",
            format!("`{}` answers only what H asks, and answers to sub-questions are not credited", train.model.name),
            "credit \"calls\", or let nothing be rewarded",
        ),
        false if rewarded && !loss.credit.argument => (
            "credit",
            format!("`{}` only argues, and arguments are not credited", train.model.name),
            "credit \"argument\", or let nothing be rewarded",
        ),
        _ => return None,
    };
    Some(Problem::new(names.pipeline.places.of(&format!("loss.{name}.{key}")), message).help(help))
}
