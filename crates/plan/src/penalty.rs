//! Whether a penalty can reach who is to learn from it: M, whose answers it is of, by a weight; and its adversary, whose
//! proposals it is of, by a loss of its own.

use spec::{
    Problem,
    settings::{Adversary, Loss, Model, Named, Penalty, Proposer, Questions, Reference, Stage, Train},
};

use crate::names::Names;

/// What is wrong with penalties, and with those who learn from them.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Penalty(penalty) => of_penalty(names, &stage.name, penalty),
        Stage::Loss(loss) if loss.proposals => of_proposals(names, &stage.name, loss).into_iter().collect(),
        Stage::Loss(loss) => of_loss(names, &stage.name, loss),
        Stage::Train(train) => other_adversary(names, train).into_iter().collect(),
        _ => Vec::new(),
    };
    names.pipeline.stages.iter().flat_map(of).collect()
}

fn of_penalty(names: Names<'_>, name: &str, penalty: &Penalty) -> Vec<Problem> {
    let Some(adversary) = &penalty.adversary else { return Vec::new() };
    let proposing = match &adversary.by {
        Proposer::Script(_) => None,
        Proposer::Model(model) => match names.model(&model.name) {
            Ok(found) => {
                judge_of_itself(penalty, found, &model.name).or_else(|| untrained(names, name, found, &model.name))
            }
            // Told where models are looked up.
            Err(_) => None,
        },
    };
    unrealised(names, name, penalty, adversary).into_iter().chain(proposing).collect()
}

/// An adversary needs a generator that makes what it proposes; and a script, one of its own task.
fn unrealised(names: Names<'_>, name: &str, penalty: &Penalty, adversary: &Adversary) -> Option<Problem> {
    let Stage::Sample(sample) = names.settings(names.maker(&penalty.from, &["sample"]).ok()?) else { return None };
    let Questions::Task(task) = &sample.questions else {
        let message = format!(
            "nobody makes the questions that an adversary proposes: those of `{}` come from files",
            penalty.from.name
        );
        let help = "take a `sample` with a `task`, whose generator makes them; or leave `adversary` out";
        return Some(Problem::new(penalty.from.span.clone(), message).help(help));
    };
    let Proposer::Script(script) = &adversary.by else { return None };
    let place = names.pipeline.places.of(&format!("penalty.{name}.adversary.script"));
    let message = format!("the script `{script}` proposes words that no question of `{}` has", task.name);
    let help = format!("take the script of the task: `script = \"{}\"`", task.name);
    (!script.is_empty() && *script != task.name).then(|| Problem::new(place, message).help(help))
}

/// M has no interest in finding where it errs.
fn judge_of_itself(penalty: &Penalty, found: &Named<Model>, mention: &Reference) -> Option<Problem> {
    let message =
        format!("`{}` would look for its own catastrophes, and learn both to have and not to have them", found.name);
    let help = "name another model: `[model.NAME]` with `new = { … }`, which a `loss` with `proposals` trains";
    (found.name == penalty.model.name).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// Fresh weights that stay as they are propose at random.
fn untrained(names: Names<'_>, penalty: &str, adversary: &Named<Model>, mention: &Reference) -> Option<Problem> {
    let name = &adversary.name;
    let learns =
        |train: &Train| train.model.name == *name && proposed(names, train).is_some_and(|it| it.name == penalty);
    let trained = names.pipeline.stages.iter().any(|stage| matches!(&stage.settings, Stage::Train(it) if learns(it)));
    let message = format!("`{name}` never learns what the penalty is largest of");
    let help = format!(
        "add a `[loss.NAME]` with `from = \"{penalty}\"` and `proposals = true`, and a `[train.NAME]` from that with \
         `model = \"{name}\"`"
    );
    let fresh = matches!(adversary.settings, Model::New(_));
    (fresh && !trained).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// The penalties that a loss takes.
fn penalties<'p>(names: Names<'p>, loss: &'p Loss) -> impl Iterator<Item = (&'p Reference, &'p Named<Stage>)> {
    let penalty = move |mention: &'p Reference| Some((mention, names.maker(mention, &["penalty"]).ok()?));
    loss.from.iter().filter_map(penalty).map(move |(mention, place)| (mention, &names.pipeline.stages[place]))
}

/// What an adversary learns from is a penalty for which a model proposes, and nothing beside.
fn of_proposals(names: Names<'_>, name: &str, loss: &Loss) -> Option<Problem> {
    let found: Vec<_> = penalties(names, loss).collect();
    // A mention that leads to no table is told of where it is wired.
    if loss.from.iter().any(|it| names.maker(it, &["debate", "judge", "penalty"]).is_err()) || loss.from.is_empty() {
        return None;
    }
    let [(mention, stage)] = found[..] else { return Some(not_one(names, name)) };
    if loss.from.len() > 1 {
        return Some(not_one(names, name));
    }
    let Stage::Penalty(penalty) = &stage.settings else { return None };
    let message = format!("no model proposes for `{}`", stage.name);
    let help = "set `adversary = { model = { name = \"…\" } }` there, or leave this `loss` out";
    penalty.proposing().is_none().then(|| Problem::new(mention.span.clone(), message).help(help))
}

fn not_one(names: Names<'_>, name: &str) -> Problem {
    let place = names.pipeline.places.of(&format!("loss.{name}.from"));
    let help = "leave everything else out of `from`, or leave `proposals` out";
    Problem::new(place, "what an adversary learns from is one penalty alone").help(help)
}

/// A penalty and its weight go together, and it is of what M says that is trained.
fn of_loss(names: Names<'_>, name: &str, loss: &Loss) -> Vec<Problem> {
    let found: Vec<_> = penalties(names, loss).collect();
    let place = || names.pipeline.places.of(&format!("loss.{name}.penalty"));
    match &found[..] {
        [] if loss.penalty.counts() => {
            let help = "add a `[penalty.NAME]` to `from`, or leave `penalty` out";
            vec![Problem::new(place(), "no penalty is in `from` that this could weigh").help(help)]
        }
        [] => Vec::new(),
        [(mention, stage)] if loss.predict.is_none() => {
            let weightless = (!loss.penalty.counts()).then(|| {
                let message = format!("`{}` costs nothing", stage.name);
                let help = format!("say what a catastrophe costs, with `penalty` of `loss.{name}`; or leave this out");
                Problem::new(mention.span.clone(), message).help(help)
            });
            weightless.into_iter().chain(other_model(names, loss, mention, stage)).collect()
        }
        [(mention, _)] => {
            let help = "leave it out: a prediction is held against what H said in a debate";
            vec![Problem::new(mention.span.clone(), "no prediction is made for a penalty").help(help)]
        }
        [_, (second, _), ..] => {
            let help = "a second adversary has a `loss` of its own: take one penalty here";
            vec![Problem::new(second.span.clone(), "a loss has one penalty").help(help)]
        }
    }
}

/// What another model said is none of M's.
fn other_model(names: Names<'_>, loss: &Loss, mention: &Reference, stage: &Named<Stage>) -> Option<Problem> {
    let (Stage::Penalty(penalty), Stage::Debate(debate)) = (&stage.settings, &names.debate_of(loss)?.settings) else {
        return None;
    };
    let speaker = names.amplify(&debate.speaker).ok()?;
    let (answers, speaks) = (&names.model(&penalty.model).ok()?.name, &names.model(&speaker.settings.model).ok()?.name);
    let message = format!("`{}` is of what `{answers}` answers, and the debate of what `{speaks}` says", stage.name);
    let help = format!("set `model = \"{speaks}\"` in `penalty.{}`", stage.name);
    (answers != speaks).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// An adversary's proposals train the adversary, and nothing else.
fn other_adversary(names: Names<'_>, train: &Train) -> Option<Problem> {
    let Stage::Penalty(penalty) = &proposed(names, train)?.settings else { return None };
    let adversary = &names.model(&penalty.proposing()?.name).ok()?.name;
    let trained = &names.model(&train.model).ok()?.name;
    let message = format!("`{trained}` is trained on what `{adversary}` proposed");
    let help = format!("set `model = \"{adversary}\"`");
    (adversary != trained).then(|| Problem::new(train.model.span.clone(), message).help(help))
}

/// The penalty whose adversary a stage trains, if it trains one.
fn proposed<'p>(names: Names<'p>, train: &Train) -> Option<&'p Named<Stage>> {
    let Stage::Loss(loss) = names.settings(names.maker(&train.from, &["loss"]).ok()?) else { return None };
    if loss.proposals { penalties(names, loss).next().map(|(_, stage)| stage) } else { None }
}
