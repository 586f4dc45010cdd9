//! Whether the debate reward can reach M as it should: with α > 0 and no token that could earn it, a run would train on
//! nothing and look as if it did.

use spec::{
    Problem,
    settings::{Amplify, BaselineOf, Combine, Loss, Named, Reference, Sample, Schedule, Stage, Train},
};

use crate::{names::Names, opponent::as_speaker, wiring::Role};

/// What keeps rewards from being earned where α asks for them, and settings of rewarded answers where it never does.
pub(crate) fn problems(names: Names<'_>) -> Vec<Problem> {
    let of = |stage: &Named<Stage>| match &stage.settings {
        Stage::Loss(loss) => {
            let held = unrewarded(names, ("loss", &stage.name), loss.of_reward(), (&stage.name, loss));
            loss_problems(names, &stage.name, loss)
                .into_iter()
                .chain(held)
                .chain(alone(names, &stage.name, loss))
                .collect()
        }
        Stage::Train(train) => of_train(names, &stage.name, train),
        _ => Vec::new(),
    };
    names.pipeline.stages.iter().flat_map(of).collect()
}

/// What a `train` stage says of answers that earned a reward.
fn of_train(names: Names<'_>, name: &str, train: &Train) -> Vec<Problem> {
    let Ok(place) = names.maker(&train.from, &["loss"]) else { return Vec::new() };
    let Named { name: loss, settings: Stage::Loss(settings), .. } = &names.pipeline.stages[place] else {
        return Vec::new();
    };
    // A penalty rewards answers too.
    if settings.penalty.counts() {
        return Vec::new();
    }
    unrewarded(names, ("train", name), train.of_reward(), (loss, settings))
}

/// What is said of answers that earned a reward, where α of a loss is 0 and none does.
fn unrewarded(
    names: Names<'_>,
    (kind, name): (&str, &str),
    keys: Vec<&str>,
    (loss, settings): (&str, &Loss),
) -> Vec<Problem> {
    // That a constraint never starts is told at its start.
    let rewarded = settings.combine.rewards_from(names.pipeline.batches.unwrap_or(u64::MAX)).is_some();
    if rewarded || settings.constrained().is_some() {
        return Vec::new();
    }
    let problem = |key: &str| {
        let message =
            format!("`{key}` is of answers that earned a reward, and `alpha` of `{loss}` is 0 at every batch");
        let help = format!("leave it out, or let `alpha` of `loss.{loss}` rise above 0");
        Problem::new(names.pipeline.places.of(&format!("{kind}.{name}.{key}")), message).help(help)
    };
    keys.into_iter().map(problem).collect()
}

/// A group of one: no question is debated more often than once in a batch.
fn alone(names: Names<'_>, name: &str, loss: &Loss) -> Option<Problem> {
    let Stage::Debate(debate) = &names.debate_of(loss).filter(|_| loss.baseline == BaselineOf::Group)?.settings else {
        return None;
    };
    let sample = drawn(names, &debate.from)?;
    let Stage::Sample(Sample { repeat: 1, .. }) = &sample.settings else { return None };
    let message = format!("`{}` has each question once in a batch, so that no debate has a group", sample.name);
    let help = format!("set `repeat = 4` in `sample.{}`, or leave `baseline` at \"side\"", sample.name);
    Some(Problem::new(names.pipeline.places.of(&format!("loss.{name}.baseline")), message).help(help))
}

/// The stage that draws the questions of a table, perhaps before some are filtered out. Of other tables nobody knows how
/// often they have a question.
fn drawn<'p>(names: Names<'p>, from: &Reference) -> Option<&'p Named<Stage>> {
    let stage = &names.pipeline.stages[names.maker(from, Role::Questions.made_by()).ok()?];
    match &stage.settings {
        Stage::Sample(_) => Some(stage),
        Stage::Filter(filter) => drawn(names, &filter.from),
        _ => None,
    }
}

fn loss_problems(names: Names<'_>, name: &str, loss: &Loss) -> Vec<Problem> {
    let batches = names.pipeline.batches.unwrap_or(u64::MAX);
    let Some(batch) = loss.combine.rewards_from(batches) else { return Vec::new() };
    let Some(debate) = names.debate_of(loss) else { return Vec::new() };
    let reason = |(path, reason): (String, &str)| {
        let counts = counts(&loss.combine, batch);
        let message = format!("{counts}, but nothing can earn a reward: {reason}");
        let help = format!("change this, or {}", no_reward(&loss.combine, name));
        Problem::new(names.pipeline.places.of(&path), message).help(help)
    };
    let mut problems: Vec<Problem> = reasons(names, (name, loss), batch, debate).into_iter().map(reason).collect();
    // Where M trains on its own answers whatever they earn, all of them are looked at together.
    if !loss.is_of_costs() {
        let tempered = |it| tempered(names, (name, loss), batch, it);
        problems.extend(speaking(names, debate).into_iter().filter_map(tempered));
    }
    problems
}

/// From when on the reward counts.
fn counts(combine: &Combine, batch: u64) -> String {
    match combine {
        Combine::Weighted { alpha: Schedule::After(waiting) } if batch > 0 => {
            format!("alpha rises above 0 once `{}` is reached", waiting.after.name)
        }
        Combine::Weighted { .. } => format!("alpha is above 0 from batch {batch} on"),
        Combine::Reward { .. } => "M is to train on a reward alone".to_owned(),
        Combine::Constrained(_) => format!("the reward is maximised from batch {batch} on"),
    }
}

/// How it would not count.
fn no_reward(combine: &Combine, name: &str) -> String {
    let instead = match combine {
        Combine::Weighted { .. } => "let `alpha`",
        Combine::Reward { .. } | Combine::Constrained(_) => "combine by `weighted`, and let `alpha`",
    };
    format!("{instead} of `loss.{name}` be 0")
}

/// The gradient of the reward is that of M's own distribution: what is sampled from a sharper or flatter one would
/// pull it elsewhere, and at temperature 0 nothing is tried out at all.
fn tempered(names: Names<'_>, (name, loss): (&str, &Loss), batch: u64, speaker: &Named<Amplify>) -> Option<Problem> {
    let (least, most) = speaker.settings.temperature.range_from(batch);
    let other = if least < 1.0 { least } else { most };
    let message = format!(
        "{}, but `{}` samples M at temperature {other} then, where the reward's gradient is not that of M",
        counts(&loss.combine, batch),
        speaker.name
    );
    let place = names.pipeline.places.of(&format!("amplify.{}.temperature", speaker.name));
    let help = format!("let it be 1 from there on, or {}", no_reward(&loss.combine, name));
    (other != 1.0).then(|| Problem::new(place, message).help(help))
}

/// The settings that keep rewards from being earned from a batch on, each with the path of its key.
fn reasons(
    names: Names<'_>,
    (name, loss): (&str, &Loss),
    batch: u64,
    debate: &Named<Stage>,
) -> Vec<(String, &'static str)> {
    let Stage::Debate(settings) = &debate.settings else { return Vec::new() };
    let mut reasons = Vec::new();
    let mut give = |path: String, reason| reasons.push((path, reason));
    if settings.max_turns == 1 {
        give(format!("debate.{}.max_turns", debate.name), "an argument alone has nobody to win against");
    }
    if settings.fewest() == 1 && settings.sufficient.regardless_from(batch).0 >= 1.0 {
        let key = debate.settings.schedules().first().map_or("sufficient", |(key, _)| key);
        give(format!("debate.{}.{key}", debate.name), "an argument alone has nobody to win against");
    }
    let credit = format!("loss.{name}.credit");
    let propensities: Vec<(f64, f64)> = speaking(names, debate).iter().map(|it| it.settings.propensities()).collect();
    let all = |holds: fn(&(f64, f64)) -> bool| !propensities.is_empty() && propensities.iter().all(holds);
    let (always, never) = (all(|(least, _)| *least >= 1.0), all(|(_, most)| *most <= 0.0));
    match (loss.credit.argument, loss.credit.calls) {
        (false, false) => give(credit, "no tokens are credited"),
        (true, false) if always => give(credit, "the speaker always calls H, so that no argument is M's own"),
        (false, true) if never => give(credit, "the speaker never calls H, so that nobody asks M anything"),
        _ => {}
    }
    reasons
}

/// Those whose M earns what it says.
fn speaking<'p>(names: Names<'p>, debate: &Named<Stage>) -> Vec<&'p Named<Amplify>> {
    if let Stage::Debate(debate) = &debate.settings { as_speaker(names, debate) } else { Vec::new() }
}
