//! Whether a limit on the supervised loss can be kept as it should: it has to begin, there has to be a loss, and a step
//! that sets out from the weights that sampled has to be the only one of its batch.

use spec::{
    Problem,
    settings::{Constrained, Loss, Method, Named, Policy, Stage, Train},
};

use crate::{distance::has_no_target, names::Names};

/// What keeps a limit from being kept.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Loss(loss) => loss_problems(names, &stage.name, loss),
        Stage::Train(train) => train_problems(names, &stage.name, train),
        _ => Vec::new(),
    };
    names.pipeline.stages.iter().flat_map(of).collect()
}

fn loss_problems(names: Names<'_>, name: &str, loss: &Loss) -> Vec<Problem> {
    let Some(constrained) = loss.constrained() else { return Vec::new() };
    [never_begins(names, name, constrained), no_target(names, name, loss)].into_iter().flatten().collect()
}

fn never_begins(names: Names<'_>, name: &str, constrained: &Constrained) -> Option<Problem> {
    let batches = names.pipeline.batches.filter(|batches| constrained.from >= *batches)?;
    let message = format!(
        "the constraint starts at batch {}, and a run of {batches} batches has none of that number",
        constrained.from
    );
    let place = names.pipeline.places.of(&format!("loss.{name}.combine.constrained.from"));
    Some(Problem::new(place, message).help("let it start earlier, or raise `batches`"))
}

/// Without a target there is no L.
fn no_target(names: Names<'_>, name: &str, loss: &Loss) -> Option<Problem> {
    let debate = names.debate_of(loss)?;
    let Stage::Debate(settings) = &debate.settings else { return None };
    names.amplify(&settings.speaker).ok()?;
    let message = format!("the limit is on what M loses on H's answers, and H answers nothing in `{}`", debate.name);
    let place = names.pipeline.places.of(&format!("loss.{name}.combine.constrained.limit"));
    let help =
        format!("let `call_human` of an amplify that takes part call H, or set `imitate = \"all\"` in `loss.{name}`");
    has_no_target(names, loss, debate).then(|| Problem::new(place, message).help(help))
}

/// A step of constrained policy optimisation is bounded by itself, and sets out from the weights that sampled.
fn train_problems(names: Names<'_>, name: &str, train: &Train) -> Vec<Problem> {
    let Ok(place) = names.maker(&train.from, &["loss"]) else { return Vec::new() };
    let Named { name: loss, settings: Stage::Loss(settings), .. } = &names.pipeline.stages[place] else {
        return Vec::new();
    };
    let Some(Constrained { method: Method::Cpo(_), .. }) = settings.constrained() else { return Vec::new() };
    let problem = |key: &str, message: String, help: &str| {
        Problem::new(names.pipeline.places.of(&format!("train.{name}.{key}")), message).help(help)
    };
    let bounded = (train.policy != Policy::Reinforce).then(|| {
        let message =
            format!("a step by `cpo` of `{loss}` is bounded by its `kl`, and weighs no token by how old it is");
        problem("policy", message, "leave `policy` out, or keep to the limit by `lagrangian`")
    });
    let several = (train.steps > 1).then(|| {
        let message = format!(
            "a step by `cpo` of `{loss}` sets out from the weights that sampled, so a batch has one, and not {}",
            train.steps
        );
        problem("steps", message, "let `steps` be 1 and `kl` larger, or keep to the limit by `lagrangian`")
    });
    [bounded, several].into_iter().flatten().collect()
}
