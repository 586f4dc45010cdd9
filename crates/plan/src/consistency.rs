//! Whether what is put together belongs together. Each check prevents a run that would go through and mean nothing.

use std::path::{Component, Path};

use spec::{
    Pipeline, Problem,
    problem::list,
    settings::{File, Follow, Loss, Named, Reference, Stage, Sync, Train, Write},
};

use crate::{Ahead, Edge, Node, Plan, answerer::answers, names::Names, parties::architecture};

/// What does not belong together.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let stages = names.pipeline.stages.iter();
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Loss(loss) => loss_problems(names, &stage.name, loss),
        Stage::Train(train) => [other_model(names, train), own_reference(train)].into_iter().flatten().collect(),
        Stage::Sync(sync) => sync_problems(names, &stage.name, sync),
        Stage::Write(write) => written_already(names, &stage.name, write).into_iter().collect(),
        _ => Vec::new(),
    };
    stages.flat_map(of).collect()
}

/// A loss is of one debate and its judge.
fn loss_problems(names: Names<'_>, name: &str, loss: &Loss) -> Vec<Problem> {
    let is = |mention: &Reference, kinds: &[&'static str]| names.maker(mention, kinds).is_ok();
    // What an adversary's takes is looked at in `penalty`.
    if loss.proposals || loss.from.is_empty() || loss.from.iter().any(|it| !is(it, &["debate", "judge", "penalty"])) {
        return Vec::new();
    }
    let of_debate = loss.from.iter().filter(|mention| !is(mention, &["penalty"]));
    let (debates, judges): (Vec<&Reference>, Vec<&Reference>) = of_debate.partition(|mention| is(mention, &["debate"]));
    let problem = match (&debates[..], &judges[..]) {
        ([_], []) if !loss.is_of_m() => None,
        ([debate], []) => no_judge(names, loss, debate),
        ([debate], [judge]) => other_debate(names, debate, judge),
        ([], _) => Some(Problem::new(names.pipeline.places.of(&format!("loss.{name}.from")), "a loss needs a debate")),
        ([_], [_, second, ..]) => Some(Problem::new(second.span.clone(), "a debate has one judge")),
        ([_, second, ..], _) => Some(Problem::new(second.span.clone(), "a loss is of one debate")),
    };
    problem.into_iter().collect()
}

/// Only a single argument can do without a judge, and only if there is nothing but imitation.
fn no_judge(names: Names<'_>, loss: &Loss, debate: &Reference) -> Option<Problem> {
    let place = names.maker(debate, &["debate"]).ok()?;
    let Stage::Debate(settings) = names.settings(place) else { return None };
    let single = settings.turns_from(0).1 == 1;
    let imitation = loss.combine.rewards_from(names.pipeline.batches.unwrap_or(u64::MAX)).is_none();
    let help = format!(
        "add a `[judge.NAME]` with `from = \"{}\"` to this list; only debates of a single argument, with an `alpha` of \
         0, go without",
        debate.name
    );
    let problem = Problem::new(debate.span.clone(), format!("nobody judges `{}`", debate.name)).help(help);
    (!(single && imitation)).then_some(problem)
}

/// The judge's verdicts must be about the debate.
fn other_debate(names: Names<'_>, debate: &Reference, judge: &Reference) -> Option<Problem> {
    let place = names.maker(judge, &["judge"]).ok()?;
    let Stage::Judge(settings) = names.settings(place) else { return None };
    let judged = names.maker(&settings.from, &["debate"]).ok()?;
    let message = format!("`{}` judges `{}`, not `{}`", judge.name, settings.from.name, debate.name);
    let help = format!("take the judge whose `from` is `{}`", debate.name);
    (judged != names.maker(debate, &["debate"]).ok()?).then(|| Problem::new(judge.span.clone(), message).help(help))
}

/// The tokens and log-probs of a debate are those of its speaker's model; no other can be trained on them.
fn other_model(names: Names<'_>, train: &Train) -> Option<Problem> {
    let Stage::Loss(loss) = names.settings(names.maker(&train.from, &["loss"]).ok()?) else { return None };
    // Predictions are another model's, and so are moves of H: see `adversary` and `consulting`.
    let Stage::Debate(debate) = &names.debate_of(loss).filter(|_| loss.is_of_m())?.settings else {
        return None;
    };
    let speaker = names.amplify(&debate.speaker).ok()?;
    let (speaks, trained) = (&names.model(&speaker.settings.model).ok()?.name, &names.model(&train.model).ok()?.name);
    let message = format!("`{trained}` is trained on what `{speaks}` said");
    let help = format!("train `{speaks}`, which argues for `{}`, or let `{trained}` argue", speaker.name);
    let said = speaks == trained || answers(names, loss, trained);
    (!said).then(|| Problem::new(train.model.span.clone(), message).help(help))
}

/// The divergence of a model from itself is 0.
fn own_reference(train: &Train) -> Option<Problem> {
    let to = &train.kl.as_ref()?.to;
    let message = format!("`{}` cannot keep near itself", to.name);
    let help = "name a model that is not trained here, such as one with `copy_of`";
    (!to.name.is_empty() && to.name == train.model.name).then(|| Problem::new(to.span.clone(), message).help(help))
}

/// A target follows a model of its own shape, and nothing else changes it.
fn sync_problems(names: Names<'_>, name: &str, sync: &Sync) -> Vec<Problem> {
    let (Ok(from), Ok(to)) = (names.model(&sync.from_model), names.model(&sync.to_model)) else { return Vec::new() };
    let at = sync.to_model.span.clone();
    if from.name == to.name {
        return vec![
            Problem::new(at, format!("`{}` cannot follow itself", to.name)).help("name the model that follows"),
        ];
    }
    let mut problems: Vec<Problem> = after_the_end(names, name, sync).into_iter().collect();
    if let Some(train) = trainer(names, &to.name) {
        let message = format!("`{}` is trained by `{train}`, and following `{}` would undo that", to.name, from.name);
        problems.push(Problem::new(at.clone(), message).help("let a model follow that is not trained"));
    }
    if let (Ok(one), Ok(other)) = (architecture(names, from), architecture(names, to))
        && one != other
    {
        let message = format!("`{}` has other sizes than `{}`, which it is to follow", to.name, from.name);
        problems.push(Problem::new(at, message).help(format!("declare it with `copy_of = \"{}\"`", from.name)));
    }
    problems
}

/// A copy that goes on to the end, though it was to stop.
fn after_the_end(names: Names<'_>, name: &str, sync: &Sync) -> Option<Problem> {
    let Follow::Until(until) = sync.follow else { return None };
    let batches = names.pipeline.batches.filter(|batches| until >= *batches)?;
    let place = names.pipeline.places.of(&format!("sync.{name}.until"));
    let message = format!("it follows for {until} batches, and the run ends after {batches}");
    Some(Problem::new(place, message).help("let it stop earlier, or follow with `every = 1` to the end"))
}

/// The train stage of a model.
fn trainer<'p>(names: Names<'p>, model: &str) -> Option<&'p str> {
    let trains = |stage: &&Named<Stage>| matches!(&stage.settings, Stage::Train(train) if train.model.name == model);
    names.pipeline.stages.iter().find(trains).map(|stage| stage.name.as_str())
}

/// A dataset is whole once its stage has written all of it, so no other may write there.
fn written_already(names: Names<'_>, name: &str, write: &Write) -> Option<Problem> {
    let folder = write.folder.as_ref()?;
    let same = |stage: &&Named<Stage>| match &stage.settings {
        Stage::Write(Write { folder: Some(other), .. }) => is_same_place(other, folder),
        _ => false,
    };
    let earlier = names.pipeline.stages.iter().take_while(|stage| stage.name != name).find(same)?;
    let message = format!("`{}` writes its dataset to this folder already", earlier.name);
    Some(Problem::new(folder.span.clone(), message).help("give each `write` stage a folder of its own"))
}

fn is_same_place(one: &File, other: &File) -> bool {
    let parts = |file: &File| -> Vec<String> {
        let parts = Path::new(&file.path).components().filter(|part| *part != Component::CurDir);
        parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    parts(one) == parts(other)
}

/// A lag that no stage would feel.
pub(crate) fn idle_lag(plan: &Plan, pipeline: &Pipeline) -> Option<Problem> {
    let changed = |state: &String| plan.nodes.iter().any(|node| node.writes.contains(state));
    let lags = |node: &Node| node.ahead == Ahead::WithLag && node.reads.iter().any(changed);
    let help = "leave it out: it lets stages that ask a model run beside the training of that model";
    let message = "`lag` changes nothing here: no stage that could run ahead reads a state that changes";
    (plan.lag > 0 && !plan.nodes.iter().any(lags)).then(|| Problem::new(pipeline.places.of("lag"), message).help(help))
}

/// Tables that a stage which changes states takes, and that a run which goes on could not have again.
pub(crate) fn unkept(plan: &Plan, pipeline: &Pipeline) -> Vec<Problem> {
    let changing = plan.nodes.iter().filter(|node| !node.writes.is_empty());
    let edges = changing.flat_map(|node| node.inputs.iter().map(move |edge| (node, edge)));
    let problem = |(node, edge): (&Node, &Edge)| {
        let maker = &plan.nodes[edge.stage];
        let kept = maker.outputs.iter().any(|made| made.table == edge.table && made.kept);
        let place = pipeline.places.of(&format!("{}.{}.keep", maker.stage.kind(), maker.name));
        let message = format!(
            "`{}` changes {}, so a run that goes on may need these rows again",
            node.name,
            list(node.writes.iter().map(String::as_str))
        );
        let help = "leave `keep` out; or, if it is for a budget of the run, limit each batch with `per_batch` instead";
        (!kept).then(|| Problem::new(place, message).help(help))
    };
    edges.filter_map(problem).collect()
}
