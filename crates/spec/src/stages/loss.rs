//! What is learnt, and what of it has no meaning together.

use crate::{
    constrained, distance, penalty,
    settings::{BaselineOf, Combine, Credit, Distance, Earner, Imitate, Loss, Price, Scale, Schedule, Weight},
    table::Table,
    value::Value,
};

/// `[loss.NAME]`
pub(crate) fn loss(table: &mut Table<'_>) -> Loss {
    let both = Credit { argument: true, calls: true };
    let nothing = Combine::Weighted { alpha: Schedule::Constant(0.0) };
    let from = table.required("from", Vec::new(), |value| value.one_or_some(|mention| mention.reference()));
    let predict = table.optional("predict", |value| value.reference());
    let steps_of = table.optional("steps_of", |value| value.reference());
    let usual = if predict.is_some() { Distance::Exact } else { Distance::CrossEntropy };
    let loss = Loss {
        from,
        predict,
        proposals: table.or("proposals", false, |value| value.truth()),
        penalty: table.or("penalty", Price::Weight(Schedule::Constant(0.0)), penalty::price),
        steps_of,
        distance: table.or("distance", usual, distance::distance),
        combine: table.required("combine", nothing, |value| value.table(combine)),
        imitate: table.or("imitate", Imitate::Human, |value| value.word(&[Imitate::Human, Imitate::All])),
        weight: table.or("weight", Weight::One, |value| value.word(&[Weight::One, Weight::Propensity])),
        credit: table.or("credit", both, credit),
        baseline: table.or("baseline", BaselineOf::Side, |value| {
            value.word(&[BaselineOf::Side, BaselineOf::Depth, BaselineOf::Group])
        }),
        scale: table.or("scale", Scale::None, |value| value.word(&[Scale::None, Scale::Std])),
        baseline_decay: table.or("baseline_decay", Schedule::Constant(0.95), |value| value.schedule(0.0..1.0)),
    };
    for (key, message, help) in inconsistent(&loss) {
        table.problem_at(key, message, help);
    }
    loss
}

/// What a loss says that has no meaning together: at which key, why, and what to do.
fn inconsistent(loss: &Loss) -> Vec<(&'static str, &'static str, &'static str)> {
    let weighs = loss.weight == Weight::Propensity;
    let (own, of_texts) = (loss.imitate == Imitate::All, loss.distance.is_of_texts());
    let as_reward = matches!(loss.combine, Combine::Reward { .. });
    let (predicts, imitates_steps) = (loss.predict.is_some(), loss.steps_of.is_some());
    let rewards = loss.combine.rewards_from(u64::MAX).is_some();
    let problems = [
        (
            weighs && own,
            "weight",
            "M's own kept answers are no sample of what H would have answered, so no propensity weighs them",
            "leave `imitate` at \"human\", or `weight` at \"one\"",
        ),
        (
            own && of_texts && !predicts,
            "imitate",
            "M's own kept answer has a distance of 0 to itself, whatever it says, and M would learn nothing of it",
            "leave `imitate` at \"human\", or `distance` at \"cross-entropy\"",
        ),
        (
            loss.constrained().is_some() && of_texts,
            "distance",
            "the limit is on what M loses by the probability of H's answers, and a distance of texts has no gradient of it",
            "leave `distance` at \"cross-entropy\", or combine by `{ weighted = { alpha = … } }`",
        ),
        (
            as_reward && !of_texts && !predicts,
            "combine",
            "`reward` takes the distance of two answers off what M's earns, and neither cross-entropy nor KL is one of two answers",
            "set `distance` to one of two answers, such as \"edit\", or combine by `{ weighted = { alpha = … } }`",
        ),
        (
            as_reward && weighs && !predicts,
            "weight",
            "under `reward` no answer is a target of imitation, so there is nothing to weigh",
            "leave `weight` at \"one\", or combine by `{ weighted = { alpha = … } }`",
        ),
        (
            loss.scale != Scale::None && loss.baseline != BaselineOf::Group && !loss.proposals,
            "scale",
            "only what is left of a reward after the mean of its group is divided by their spread",
            "set `baseline` to \"group\", or remove `scale`",
        ),
        (
            predicts && own,
            "imitate",
            "a prediction is held against what H answered, and M's own kept answers say nothing of that",
            "leave `imitate` at \"human\"",
        ),
        (
            predicts && !of_texts,
            "distance",
            "a prediction is of how far two answers are apart, and neither cross-entropy nor KL is one of two answers",
            "set it to one of two answers, such as \"edit\"",
        ),
        (
            predicts && rewards,
            "combine",
            "no prediction earns a reward of a debate",
            "combine by `{ weighted = { alpha = 0.0 } }`",
        ),
        (
            predicts && loss.proposals,
            "proposals",
            "proposals are an adversary's of a penalty, and predictions of an Amp≈",
            "give each a `loss` of its own",
        ),
        (
            loss.penalty.counts() && (predicts || loss.proposals),
            "penalty",
            "what an adversary learns costs M nothing",
            "set it in the `loss` from which M is trained",
        ),
        (
            loss.proposals && !rewards_proposals(loss),
            "combine",
            "proposals are rewarded, and nothing else: α weighs that",
            "combine by `{ weighted = { alpha = 1.0 } }`",
        ),
        (
            predicts && imitates_steps,
            "steps_of",
            "what H would say is one thing to learn, and how H gets there another",
            "make a loss of each",
        ),
        (
            imitates_steps && (loss.distance != Distance::CrossEntropy || own || weighs || rewards),
            "steps_of",
            "a move of H is imitated by cross-entropy, each alike, and earns nothing of a debate",
            "leave `distance`, `imitate` and `weight` out, and combine by `{ weighted = { alpha = 0.0 } }`",
        ),
    ];
    let wrong = problems.into_iter().filter(|(holds, ..)| *holds);
    wrong.map(|(_, key, message, help)| (key, message, help)).collect()
}

/// Whether the products of proposals count at all.
fn rewards_proposals(loss: &Loss) -> bool {
    matches!(&loss.combine, Combine::Weighted { alpha } if alpha.max() > 0.0)
}

fn combine(table: &mut Table<'_>) -> Combine {
    let nothing = Combine::Weighted { alpha: Schedule::Constant(0.0) };
    table.one_of(
        nothing,
        &[
            ("weighted", &|value| value.table(weighted)),
            ("reward", &|value| value.table(as_reward)),
            ("constrained", &|value| value.table(constrained::constrained).map(Combine::Constrained)),
        ],
    )
}

fn as_reward(table: &mut Table<'_>) -> Combine {
    Combine::Reward { beta: table.required("beta", Schedule::Constant(0.0), |value| value.schedule(0.0..)) }
}

fn weighted(table: &mut Table<'_>) -> Combine {
    let alpha = |value: &mut Value<'_>| value.schedule(0.0..=1.0);
    Combine::Weighted { alpha: table.required("alpha", Schedule::Constant(0.0), alpha) }
}

fn credit(value: &mut Value<'_>) -> Option<Credit> {
    let earners = value.list(|earner| earner.word(&[Earner::Argument, Earner::Calls]))?;
    Some(Credit { argument: earners.contains(&Earner::Argument), calls: earners.contains(&Earner::Calls) })
}
