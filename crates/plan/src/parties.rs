//! Who answers: the models, humans and amplifies that a file mentions, and whether their sizes fit.

use spec::{
    Problem,
    settings::{Amplify, Answer, Architecture, By, Debate, Judge, Model, Named, Penalty, Reference, Sampled, Stage},
};

use crate::names::{Found, Names};

/// All that is wrong with them, and with the mentions of them.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(names.pipeline.models.iter().filter_map(|model| architecture(names, model).err()?));
    for amplify in &names.pipeline.amplifies {
        problems.extend(names.model(&amplify.settings.model).err().flatten());
        problems.extend(names.human(&amplify.settings.human).err().flatten());
        let Amplify { model, max_tokens, .. } = &amplify.settings;
        problems.extend(no_room(names, model, *max_tokens, &format!("amplify.{}.max_tokens", amplify.name)));
    }
    for stage in &names.pipeline.stages {
        problems.extend(amplifies(&stage.settings).into_iter().filter_map(|mention| names.amplify(mention).err()?));
        problems.extend(models(&stage.settings).into_iter().filter_map(|mention| names.model(mention).err()?));
        problems.extend(match &stage.settings {
            Stage::Answer(answer) => answering(names, &stage.name, answer).into_iter().collect(),
            Stage::Penalty(penalty) => penalised(names, &stage.name, penalty),
            _ => Vec::new(),
        });
    }
    let best = names.pipeline.checkpoint.best.as_ref();
    problems.extend(best.and_then(|best| names.stage(best, &["evaluate"]).err()?));
    problems
}

/// The amplifies that a stage asks.
pub(crate) fn amplifies(stage: &Stage) -> Vec<&Reference> {
    match stage {
        Stage::Debate(debate) => debaters(debate),
        Stage::Judge(judge) => vec![&judge.by],
        Stage::Penalty(penalty) => vec![&penalty.overseer],
        Stage::Evaluate(evaluate) => vec![&evaluate.of],
        Stage::Answer(Answer { by: By::Amplify(amplify), .. }) => vec![amplify],
        _ => Vec::new(),
    }
}

/// The amplifies of the debate and the judge that an evaluation asks for too.
pub(crate) fn judging<'p>(names: Names<'p>, stage: &'p Stage) -> Vec<&'p Reference> {
    let Stage::Evaluate(evaluate) = stage else { return Vec::new() };
    let Some((judge, debate)) = evaluate.judging().and_then(|mention| judged(names, mention)) else {
        return Vec::new();
    };
    debaters(debate).into_iter().chain([&judge.by]).collect()
}

/// Those who argue in a debate, and who oversees it.
fn debaters(debate: &Debate) -> Vec<&Reference> {
    [Some(&debate.speaker), debate.opponent.as_ref(), Some(&debate.overseer)].into_iter().flatten().collect()
}

/// A judge, and the debate that it judges. A problem with either is told elsewhere.
pub(crate) fn judged<'p>(names: Names<'p>, mention: &Reference) -> Option<(&'p Judge, &'p Debate)> {
    let Stage::Judge(judge) = names.settings(names.stage(mention, &["judge"]).ok()?) else { return None };
    let Stage::Debate(debate) = names.settings(names.stage(&judge.from, &["debate"]).ok()?) else { return None };
    Some((judge, debate))
}

/// What is wrong with a human or a model that answers alone.
fn answering(names: Names<'_>, stage: &str, answer: &Answer) -> Option<Problem> {
    match &answer.by {
        By::Amplify(_) => None,
        By::Human(human) => names.human(human).err()?,
        By::Model(Sampled { name, max_tokens, .. }) => {
            no_room(names, name, *max_tokens, &format!("answer.{stage}.model.max_tokens"))
        }
    }
}

/// A model that leaves no room for a question: M, or one that proposes.
fn penalised(names: Names<'_>, stage: &str, penalty: &Penalty) -> Vec<Problem> {
    let own = no_room(names, &penalty.model, penalty.max_tokens, &format!("penalty.{stage}.max_tokens"));
    let path = format!("penalty.{stage}.adversary.model.max_tokens");
    let proposing = penalty.proposing().and_then(|it| no_room(names, &it.name, it.max_tokens, &path));
    own.into_iter().chain(proposing).collect()
}

/// The models that a stage changes, follows, or asks alone.
fn models(stage: &Stage) -> Vec<&Reference> {
    match stage {
        Stage::Train(train) => [&train.model].into_iter().chain(train.kl.iter().map(|kl| &kl.to)).collect(),
        Stage::Sync(sync) => vec![&sync.from_model, &sync.to_model],
        Stage::Penalty(penalty) => [&penalty.model].into_iter().chain(penalty.proposing().map(|it| &it.name)).collect(),
        Stage::Answer(Answer { by: By::Model(sampled), .. }) => vec![&sampled.name],
        _ => Vec::new(),
    }
}

/// The sizes of a model, its own or those of what it is a copy of. A circle of copies is charged to the first of them.
pub(crate) fn architecture<'p>(names: Names<'p>, model: &'p Named<Model>) -> Found<&'p Architecture> {
    let mut path = vec![model];
    loop {
        let original = match &path[path.len() - 1].settings {
            Model::New(architecture) => return Ok(architecture),
            // A folder without a model has been told of, and one that was not opened has no sizes to check.
            Model::Checkpoint(_) => {
                let pretrained = names.checkpoints.get(&path[path.len() - 1].name);
                return pretrained.map(|pretrained| &pretrained.architecture).ok_or(None);
            }
            Model::CopyOf(original) => original,
        };
        // A mention that is wrong is told of the model that makes it, not of copies of that.
        let next = names.model(original).map_err(|problem| problem.filter(|_| path.len() == 1))?;
        if let Some(start) = path.iter().position(|other| other.name == next.name) {
            let charged = start == 0 && path.iter().all(|other| model.span.start <= other.span.start);
            return Err(charged.then(|| copies_in_a_circle(&path)));
        }
        path.push(next);
    }
}

fn copies_in_a_circle(circle: &[&Named<Model>]) -> Problem {
    let mut names: Vec<&str> = circle.iter().map(|model| model.name.as_str()).collect();
    names.push(names[0]);
    let span = match &circle[0].settings {
        Model::CopyOf(original) => original.span.clone(),
        Model::New(_) | Model::Checkpoint(_) => circle[0].span.clone(),
    };
    Problem::new(span, format!("models copy each other in a circle: {}", names.join(" → ")))
        .help("give one of them sizes of its own: `new = { layers, width, heads, context }`")
}

/// An answer of full length must leave room for a prompt.
pub(crate) fn no_room(names: Names<'_>, model: &Reference, max_tokens: usize, path: &str) -> Option<Problem> {
    let model = names.model(model).ok()?;
    let context = architecture(names, model).ok()?.context;
    let message = format!("an answer of {max_tokens} tokens leaves no room for a prompt in a context of {context}");
    let span = names.pipeline.places.of(path);
    let help = format!("lower `max_tokens`, or raise `context` of model `{}`", model.name);
    (max_tokens >= context).then(|| Problem::new(span, message).help(help))
}
