//! Adv, by which Samp learns when to call H: that it is another than the model it judges, that something trains it, and
//! that what trains it are predictions.

use spec::{
    Problem,
    settings::{Amplify, CallHuman, Learned, Loss, Model, Named, Reference, Stage, Train},
};

use crate::names::Names;

/// What is wrong with them.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let amplifies = names.pipeline.amplifies.iter();
    let mut problems: Vec<Problem> = amplifies.filter_map(|amplify| of_amplify(names, amplify)).collect();
    for stage in &names.pipeline.stages {
        problems.extend(match &stage.settings {
            Stage::Loss(loss) => of_loss(names, loss),
            Stage::Train(train) => other_model(names, train),
            _ => None,
        });
    }
    problems
}

fn of_amplify(names: Names<'_>, amplify: &Named<Amplify>) -> Option<Problem> {
    let Learned { model, .. } = amplify.settings.call_human.learned()?;
    match names.model(model) {
        Err(problem) => problem,
        Ok(found) if found.name == amplify.settings.model.name => {
            let message = format!("`{}` would judge its own answers", found.name);
            let help = "name another model: `[model.NAME]` with `new = { … }`, which nothing but a `loss` with `predict` trains";
            Some(Problem::new(model.span.clone(), message).help(help))
        }
        Ok(found) => untrained(names, amplify, found, model),
    }
}

/// Fresh weights that stay as they are have nothing to say.
fn untrained(
    names: Names<'_>,
    amplify: &Named<Amplify>,
    adversary: &Named<Model>,
    mention: &Reference,
) -> Option<Problem> {
    let name = &adversary.name;
    let trains = |train: &Train| train.model.name == *name && predicted(names, train).is_some();
    let trained = names.pipeline.stages.iter().any(|stage| matches!(&stage.settings, Stage::Train(it) if trains(it)));
    let message = format!("`{name}` is never trained to predict what H would say");
    let help = format!(
        "add a `[loss.NAME]` with `predict = \"{}\"`, and a `[train.NAME]` from that with `model = \"{name}\"`",
        amplify.name
    );
    let fresh = matches!(adversary.settings, Model::New(_));
    (fresh && !trained).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// A loss of predictions is one of an Amp≈ that goes by them, and takes the calls of a stage that asks it.
fn of_loss(names: Names<'_>, loss: &Loss) -> Option<Problem> {
    let predict = loss.predict.as_ref()?;
    let amplify = match names.amplify(predict) {
        Ok(amplify) => amplify,
        Err(problem) => return problem,
    };
    if !matches!(amplify.settings.call_human, CallHuman::Learned(_)) {
        let message = format!("`{}` calls H without anybody's prediction", amplify.name);
        let help = format!(
            "set `call_human = {{ learned = {{ model = \"…\", least = 0.05 }} }}` in `amplify.{}`",
            amplify.name
        );
        return Some(Problem::new(predict.span.clone(), message).help(help));
    }
    let makers = loss.from.iter().filter_map(|mention| names.maker(mention, &["debate", "judge"]).ok());
    let stages: Vec<&Stage> = makers.map(|place| names.settings(place)).collect();
    let asked = stages.iter().any(|stage| crate::samp::waves(stage, &amplify.name) > 0);
    let message = format!("nothing in `from` asks `{}`", amplify.name);
    let help = "take the debate or the judge whose questions are put to it";
    (!stages.is_empty() && !asked).then(|| Problem::new(predict.span.clone(), message).help(help))
}

/// What predicts is trained by predictions, and nothing else is.
fn other_model(names: Names<'_>, train: &Train) -> Option<Problem> {
    let amplify = predicted(names, train)?;
    let adversary = &amplify.settings.call_human.learned()?.model;
    let (adversary, trained) = (&names.model(adversary).ok()?.name, &names.model(&train.model).ok()?.name);
    let message = format!("`{trained}` is trained on what `{adversary}` is to predict");
    let help = format!("train `{adversary}`, by which `{}` decides on calls of H", amplify.name);
    (adversary != trained).then(|| Problem::new(train.model.span.clone(), message).help(help))
}

/// The Amp≈ whose Adv a stage trains, if it trains one.
fn predicted<'p>(names: Names<'p>, train: &Train) -> Option<&'p Named<Amplify>> {
    let Stage::Loss(loss) = names.settings(names.maker(&train.from, &["loss"]).ok()?) else { return None };
    names.amplify(loss.predict.as_ref()?).ok()
}
