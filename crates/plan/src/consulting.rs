//! How H consults, and who stands in for it: what that adds to the tables of a stage, and what is wrong with it. A model that
//! stands in for H learns from another human, in some `train` stage, and must come to an end.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use spec::{
    Pipeline, Problem,
    settings::{Amplify, Answer, By, Debate, Human, Loss, Model, Named, Reference, Stage, Train, Understudy},
};

use crate::{
    Output,
    names::Names,
    parties::{amplifies, no_room},
    tables::{column, list, optional},
};

/// What is wrong with it.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = names.pipeline.humans.iter().flat_map(|human| of_human(names, human)).collect();
    problems.extend(names.pipeline.amplifies.iter().filter_map(|amplify| endless(names, amplify)));
    for stage in &names.pipeline.stages {
        problems.extend(match &stage.settings {
            Stage::Debate(debate) => held(names, &stage.name, debate),
            Stage::Loss(loss) => of_loss(names, loss),
            Stage::Train(train) => other_model(names, train),
            Stage::Answer(Answer { by: By::Human(human), .. }) => alone(names, human),
            _ => None,
        });
    }
    problems
}

/// A model that stands in for H: for whom, and whether it is ever taught.
fn of_human(names: Names<'_>, human: &Named<Human>) -> Vec<Problem> {
    let Some(Understudy { from, model, max_tokens, .. }) = human.settings.understudy() else { return Vec::new() };
    let learns = match names.human(from) {
        Err(problem) => problem,
        Ok(found) => found.settings.understudy().map(|_| {
            let message = format!("`{}` is learned itself, and has no moves of its own", found.name);
            Problem::new(from.span.clone(), message).help("name a human that is a script")
        }),
    };
    let taught = match names.model(model) {
        Err(problem) => problem,
        Ok(found) => untaught(names, human, found, model),
    };
    let room = no_room(names, model, *max_tokens, &format!("human.{}.learned.max_tokens", human.name));
    [learns, taught, room].into_iter().flatten().collect()
}

/// Fresh weights that stay as they are make no move.
fn untaught(names: Names<'_>, human: &Named<Human>, model: &Named<Model>, mention: &Reference) -> Option<Problem> {
    let name = &model.name;
    let teaches = |train: &Train| train.model.name == *name && taught(names, train).is_some();
    let is_taught =
        names.pipeline.stages.iter().any(|stage| matches!(&stage.settings, Stage::Train(it) if teaches(it)));
    let message = format!("`{name}` is never trained on what H does");
    let help = format!(
        "add a `[loss.NAME]` with `steps_of = \"{}\"`, and a `[train.NAME]` from that with `model = \"{name}\"`",
        human.name
    );
    let fresh = matches!(model.settings, Model::New(_));
    (fresh && !is_taught).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// A model may ask on and on.
fn endless(names: Names<'_>, amplify: &Named<Amplify>) -> Option<Problem> {
    let human = names.human(&amplify.settings.human).ok()?;
    human.settings.understudy().filter(|_| amplify.settings.rounds.is_none())?;
    let message = format!("`{}` is a model, which may ask on and on without an answer", human.name);
    let help =
        format!("set `rounds = 2` in `amplify.{}`, or as many as the human needs that it learns from", amplify.name);
    Some(Problem::new(amplify.settings.human.span.clone(), message).help(help))
}

/// Nobody tells the model which answer it would have to give.
fn held(names: Names<'_>, name: &str, debate: &Debate) -> Option<Problem> {
    let arguing = [Some(&debate.speaker), debate.opponent.as_ref()].into_iter().flatten();
    let humans = arguing.filter_map(|mention| names.human(&names.amplify(mention).ok()?.settings.human).ok());
    let mut humans = humans.filter(|_| debate.rival);
    let learned = humans.find(|human| human.settings.understudy().is_some())?;
    let message =
        format!("a rival argues for a given answer, and `{}`, which is learned, is told of none", learned.name);
    let place = names.pipeline.places.of(&format!("debate.{name}.rival"));
    Some(Problem::new(place, message).help("let a script argue, or leave `rival` out"))
}

/// H′ alone would have nobody to ask, and its moves nobody to learn from them.
fn alone(names: Names<'_>, mention: &Reference) -> Option<Problem> {
    let human = names.human(mention).ok()?;
    human.settings.understudy()?;
    let message = format!("`{}` is learned, and answers as part of an Amp≈", human.name);
    let help = format!("name an `[amplify.NAME]` with `human = \"{}\"`, as `amplify = \"…\"`", human.name);
    Some(Problem::new(mention.span.clone(), message).help(help))
}

/// A loss of moves is one of a human that is learned, and takes the moves of a stage that asks it.
fn of_loss(names: Names<'_>, loss: &Loss) -> Option<Problem> {
    let mention = loss.steps_of.as_ref()?;
    let human = match names.human(mention) {
        Ok(human) => human,
        Err(problem) => return problem,
    };
    if human.settings.understudy().is_none() {
        let message = format!("`{}` is no learned human: no model makes its moves", human.name);
        let help = "name the human that stands in for it: `[human.NAME]` with `learned = { from = \"…\", … }`";
        return Some(Problem::new(mention.span.clone(), message).help(help));
    }
    let makers = loss.from.iter().filter_map(|from| names.maker(from, &["debate", "judge"]).ok());
    let stages: Vec<&Stage> = makers.map(|place| names.settings(place)).collect();
    let asked = stages.iter().any(|stage| humans(names.pipeline, stage).any(|asked| asked.name == human.name));
    let message = format!("nothing in `from` asks `{}`", human.name);
    let help = "take the debate or the judge whose questions are put to it";
    (!stages.is_empty() && !asked).then(|| Problem::new(mention.span.clone(), message).help(help))
}

/// The model that stands in is what its moves train.
fn other_model(names: Names<'_>, train: &Train) -> Option<Problem> {
    let human = taught(names, train)?;
    let own = &names.model(&human.settings.understudy()?.model).ok()?.name;
    let trained = &names.model(&train.model).ok()?.name;
    let message = format!("`{trained}` is trained on the moves of H, and `{own}` makes them");
    let help = format!("train `{own}`, which stands in as `{}`", human.name);
    (own != trained).then(|| Problem::new(train.model.span.clone(), message).help(help))
}

/// The learned human whose moves a stage trains on, if it does.
fn taught<'p>(names: Names<'p>, train: &Train) -> Option<&'p Named<Human>> {
    let Stage::Loss(loss) = names.settings(names.maker(&train.from, &["loss"]).ok()?) else { return None };
    names.human(loss.steps_of.as_ref()?).ok()
}

/// The humans that a stage asks, by way of what it approximates.
fn humans<'p>(pipeline: &'p Pipeline, stage: &'p Stage) -> impl Iterator<Item = &'p Named<Human>> {
    asked(pipeline, stage).filter_map(|amplify| human(pipeline, amplify))
}

/// The amplifies that a stage asks.
fn asked<'p>(pipeline: &'p Pipeline, stage: &'p Stage) -> impl Iterator<Item = &'p Named<Amplify>> {
    let named = |mention: &Reference| pipeline.amplifies.iter().find(|amplify| amplify.name == mention.name);
    amplifies(stage).into_iter().filter_map(named)
}

/// H of an amplify.
fn human<'p>(pipeline: &'p Pipeline, amplify: &Named<Amplify>) -> Option<&'p Named<Human>> {
    pipeline.humans.iter().find(|human| human.name == amplify.settings.human.name)
}

/// Whether a stage makes a table of the moves of a learned human.
pub(crate) fn has_steps(pipeline: &Pipeline, stage: &Stage) -> bool {
    let asks = matches!(stage, Stage::Debate(_) | Stage::Judge(_) | Stage::Answer(_));
    asks && humans(pipeline, stage).any(|human| human.settings.understudy().is_some())
}

/// Whether the distributions of what stands in for H are kept among the calls of a stage: where a loss goes by them.
pub(crate) fn has_distributions(pipeline: &Pipeline, stage: &Named<Stage>) -> bool {
    let reads = |loss: &Loss| loss.from.iter().any(|mention| mention.name == stage.name);
    let goes_by = |other: &Named<Stage>| match &other.settings {
        Stage::Loss(loss) => loss.distance.is_of_distributions() && reads(loss),
        _ => false,
    };
    has_known_calls(&stage.settings) && has_steps(pipeline, &stage.settings) && pipeline.stages.iter().any(goes_by)
}

/// Whether the answers of what stands in for H are known by more than their words in a stage.
fn has_known_calls(stage: &Stage) -> bool {
    matches!(stage, Stage::Debate(_) | Stage::Judge(_))
}

/// Whether a model ever answers in H's place in a stage, so that there are distributions to go by.
pub(crate) fn is_stood_in_for(pipeline: &Pipeline, stage: &Stage) -> bool {
    let called = asked(pipeline, stage).filter(|amplify| amplify.settings.propensities().1 > 0.0);
    let mut called = called.filter_map(|amplify| human(pipeline, amplify)?.settings.understudy());
    has_known_calls(stage) && called.any(|understudy| understudy.share.range_from(0).0 < 1.0)
}

/// Whether H asks itself in a stage.
pub fn is_deep(pipeline: &Pipeline, stage: &Stage) -> bool {
    asked(pipeline, stage).any(|amplify| amplify.settings.depth > 1)
}

/// The tables of a stage with what is known of how H consults there: where each answer to a sub-question stands, the
/// distributions of a learned human, where a loss goes by them, and its moves.
pub(crate) fn completed(pipeline: &Pipeline, stage: &Named<Stage>, mut outputs: Vec<Output>) -> Vec<Output> {
    let doc = "of a sub-question, its place among those of the question it rests under, after that one's own: 0.1; null \
               otherwise";
    let path = is_deep(pipeline, &stage.settings).then(|| optional("path", DataType::Utf8, doc));
    let doc = "where a learned human gave an answer that counts, the natural logarithm of the probability that it gives each \
               token of the vocabulary at each token of the answer, the end token too, one row of these after another, at \
               temperature 1; null otherwise, and where its context has no room to read both";
    let distribution = || optional("distribution", list(DataType::Float32), doc);
    let distribution = has_distributions(pipeline, stage).then(distribution);
    let more: Vec<Arc<Field>> = path.into_iter().chain(distribution).map(Arc::new).collect();
    let calls = format!("{}.calls", stage.name);
    for output in outputs.iter_mut().filter(|output| output.table == calls && !more.is_empty()) {
        let columns = output.schema.fields().iter().chain(&more).cloned();
        output.schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
    }
    if has_steps(pipeline, &stage.settings) {
        outputs.push(Output { table: format!("{}.steps", stage.name), schema: Arc::new(steps()), kept: true });
    }
    outputs
}

/// One row per move on a question that was put to a learned human.
fn steps() -> Schema {
    Schema::new(vec![
        column("question", DataType::UInt64, "the id of the question debated"),
        column("asked", DataType::Utf8, "what was to be answered: argument, sufficient or winner"),
        column("turn", DataType::UInt32, "arguments in the context"),
        optional("path", DataType::Utf8, "of a sub-question that was put to H, its path; null otherwise"),
        column("place", DataType::UInt32, "how many moves on this question came before"),
        column("human", DataType::Utf8, "the learned human that it was put to"),
        column("by", DataType::Utf8, "who made the move: human or learned"),
        column("prompt", DataType::Utf8, "the question, and what was asked and heard so far"),
        column("said", DataType::Utf8, "the move"),
        column("own", DataType::Utf8, "the move that the model would have made, or made"),
        column("prompt_tokens", list(DataType::UInt32), "token ids the model was given"),
        column("tokens", list(DataType::UInt32), "token ids of the move"),
    ])
}
