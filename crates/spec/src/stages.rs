//! The kinds that do work, batch by batch: each is read by one function, key by key.

pub(crate) mod tables;

use std::ops::Bound;

use crate::{
    constrained, distance, inspection, penalty, policy,
    problem::Problem,
    settings::{
        AdamW, BaselineOf, Combine, Credit, Debate, Distance, Earner, Evaluate, Follow, History, Imitate, Judge, Loss,
        Normalise, OnBadQuestion, Policy, Price, Reply, Row, Scale, Schedule, Sees, SpeakerSide, Sufficient, Sync,
        Task, Train, Turns, Weight, Wording,
    },
    table::Table,
    value::Value,
};

pub(crate) fn task(table: &mut Table<'_>) -> Task {
    Task {
        name: table.required("name", String::new(), task_name),
        depth: table.required("depth", (0, 0), depth),
        exclude_words: table.or("exclude_words", Vec::new(), |value| value.list(|count| count.whole(1..))),
        trigger: table.or("trigger", 0.0, |value| value.number(0.0..=1.0)),
    }
}

fn task_name(value: &mut Value<'_>) -> Option<String> {
    let name = value.text()?;
    let tasks = value.notes.catalogue.tasks.clone();
    if tasks.contains(&name) { Some(name) } else { value.unknown(&name, tasks.iter().map(String::as_str)) }
}

fn depth(value: &mut Value<'_>) -> Option<(u32, u32)> {
    let (fewest, most) = value.pair(|steps| steps.whole(..))?;
    if fewest <= most {
        return Some((fewest, most));
    }
    let problem = Problem::new(value.span(), "`depth` goes from the fewest steps to the most");
    value.problem(problem.help(format!("write `[{most}, {fewest}]`")))
}

/// `[debate.NAME]`
pub(crate) fn debate(table: &mut Table<'_>) -> Debate {
    let debate = Debate {
        from: table.reference("from"),
        speaker: table.reference("speaker"),
        opponent: table.optional("opponent", |value| value.reference()),
        speaker_side: table.or("speaker_side", SpeakerSide::Drawn, |value| value.word(&SpeakerSide::ALL)),
        overseer: table.reference("overseer"),
        max_turns: table.or("max_turns", 2, |value| value.whole(1..)),
        min_turns: table.or("min_turns", 1, |value| value.whole(1..)),
        turns: table.or("turns", Turns::Sequential, |value| value.word(&Turns::ALL)),
        rival: table.or("rival", false, |value| value.truth()),
        history: table.or("history", History::Arguments, |value| value.word(&History::ALL)),
        sufficient: table.or("sufficient", Sufficient::Ask, sufficient),
        inspection: table.optional("inspection", |value| value.table(inspection::inspection)),
        on_error: table.or("on_error", OnBadQuestion::Fail, tables::on_bad_question),
        wording: table.or("wording", Wording::default(), |value| value.table(wording)),
    };
    let (fewest, most) = (debate.min_turns, debate.max_turns);
    if fewest > most {
        let message = format!("`min_turns` is {fewest}, which is above the `max_turns` of {most}");
        table.problem_at("min_turns", message, "lower it, or raise `max_turns`");
    }
    for (key, message, help) in shapeless(&debate) {
        table.problem_at(key, message, help);
    }
    Debate { min_turns: fewest.min(most), ..debate }
}

/// What a debate says of its form that has no meaning together: at which key, why, and what to do.
fn shapeless(debate: &Debate) -> Vec<(&'static str, &'static str, &'static str)> {
    let simultaneous = debate.turns == Turns::Simultaneous;
    let problems = [
        (
            debate.opponent.is_none() && debate.speaker_side != SpeakerSide::Drawn,
            "speaker_side",
            "without an `opponent` the speaker argues on both sides",
            "name another `[amplify.NAME]` as `opponent`, or leave `speaker_side` out",
        ),
        (
            simultaneous && !debate.max_turns.is_multiple_of(2),
            "max_turns",
            "a round of a simultaneous debate has an argument of each side, so their number is even",
            "set it to 2, 4, …, or leave `turns` at \"sequential\"",
        ),
        (
            simultaneous && debate.rival,
            "rival",
            "a rival argues for another answer than the first argument gave, and in a simultaneous debate does not see it",
            "leave `rival` out, or `turns` at \"sequential\"",
        ),
        (
            debate.rival && debate.inspection.is_some(),
            "inspection",
            "a rival is held to an answer by its first words, which are then those of an argument and ask for no tool",
            "leave `rival` out, or `inspection`",
        ),
    ];
    let wrong = problems.into_iter().filter(|(holds, ..)| *holds);
    wrong.map(|(_, key, message, help)| (key, message, help)).collect()
}

/// Who says that an argument suffices, in one word or by a draw.
fn sufficient(value: &mut Value<'_>) -> Option<Sufficient> {
    if value.is_table() {
        return value.table(drawn);
    }
    match value.text()?.as_str() {
        "ask" => Some(Sufficient::Ask),
        "always" => Some(Sufficient::Always),
        "never" => Some(Sufficient::Never),
        other => value.unknown(other, ["ask", "always", "never", "{ random = 0.3 }", "{ biased = 0.3 }"]),
    }
}

fn drawn(table: &mut Table<'_>) -> Sufficient {
    table.one_of(
        Sufficient::Ask,
        &[
            ("random", &|value| value.schedule(0.0..=1.0).map(Sufficient::Random)),
            ("biased", &|value| value.schedule(0.0..=1.0).map(Sufficient::Biased)),
        ],
    )
}

fn wording(table: &mut Table<'_>) -> Wording {
    let default = Wording::default();
    Wording {
        argument: table.or("argument", default.argument, |value| template(value, &["{question}"])),
        sufficient: table.or("sufficient", default.sufficient, |value| template(value, &["{question}", "{context}"])),
        winner: table.or("winner", default.winner, |value| template(value, &["{question}", "{context}"])),
        summary: table.or("summary", default.summary, |value| template(value, &["{question}", "{context}"])),
        catastrophe: table
            .or("catastrophe", default.catastrophe, |value| template(value, &["{question}", "{context}"])),
        likelihood: table.or("likelihood", default.likelihood, |value| template(value, &["{question}"])),
    }
}

/// A text that names what the answer depends on.
pub(crate) fn template(value: &mut Value<'_>, wanted: &[&str]) -> Option<String> {
    let text = value.text()?;
    match wanted.iter().find(|part| !text.contains(**part)) {
        Some(part) => value.wrong(&format!("must contain `{part}`")),
        None => Some(text),
    }
}

/// `[judge.NAME]`
pub(crate) fn judge(table: &mut Table<'_>) -> Judge {
    Judge {
        from: table.reference("from"),
        by: table.reference("by"),
        reply: table.or("reply", Reply::Text, |value| value.word(&[Reply::Text, Reply::Choice])),
        sees: table.or("sees", Sees::Given, |value| value.word(&[Sees::Given, Sees::Random, Sees::Both])),
        repeats: table.or("repeats", 1, |value| value.whole(1..)),
    }
}

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

/// `[train.NAME]`
pub(crate) fn train(table: &mut Table<'_>) -> Train {
    Train {
        from: table.reference("from"),
        model: table.reference("model"),
        adamw: table.required("adamw", AdamW::new(Schedule::Constant(0.0)), |value| value.table(adamw)),
        policy: table.or("policy", Policy::Reinforce, policy::policy),
        normalise: table
            .or("normalise", Normalise::Token, |value| value.word(&[Normalise::Token, Normalise::Trajectory])),
        entropy: table.or("entropy", Schedule::Constant(0.0), |value| value.schedule(0.0..)),
        kl: table.optional("kl", |value| value.table(policy::kl)),
        steps: table.or("steps", 1, |value| value.whole(1..)),
        micro_batch: table.or("micro_batch", 32, |value| value.whole(1..)),
    }
}

fn adamw(table: &mut Table<'_>) -> AdamW {
    let rate = table.required("learning_rate", Schedule::Constant(0.0), |value| value.schedule(0.0..));
    let default = AdamW::new(rate);
    AdamW {
        betas: table.or("betas", default.betas, |value| value.pair(|beta| beta.schedule(0.0..1.0))),
        epsilon: table.or("epsilon", default.epsilon, |value| value.schedule((Bound::Excluded(0.0), Bound::Unbounded))),
        weight_decay: table.or("weight_decay", default.weight_decay, |value| value.schedule(0.0..)),
        clip: table.or("clip", default.clip, |value| value.schedule(0.0..)),
        ..default
    }
}

/// `[sync.NAME]`
pub(crate) fn sync(table: &mut Table<'_>) -> Sync {
    Sync {
        after: table.reference("after"),
        from_model: table.reference("from_model"),
        to_model: table.reference("to_model"),
        follow: table.one_of(
            Follow::Every(1),
            &[
                ("polyak", &|value| value.schedule(0.0..1.0).map(Follow::Polyak)),
                ("every", &|value| value.whole(1..).map(Follow::Every)),
                ("until", &|value| value.whole(1..).map(Follow::Until)),
            ],
        ),
    }
}

/// `[evaluate.NAME]`
pub(crate) fn evaluate(table: &mut Table<'_>) -> Evaluate {
    let default = vec![Row::Naive, Row::Human, Row::Amplified];
    let evaluate = Evaluate {
        after: table.reference("after"),
        questions: table.required("questions", tables::nothing(), |value| value.table(tables::questions)),
        count: table.or("count", 500, |value| value.whole(1..)),
        of: table.reference("of"),
        rows: table.or("rows", default, |value| value.some(row)),
        every: table.optional("every", |value| value.whole(1..)),
        verdicts: table.optional("verdicts", |value| value.reference()),
        catastrophes: table.or("catastrophes", false, |value| value.truth()),
    };
    if let Some(row) = evaluate.rows.iter().find(|row| row.is_judged())
        && evaluate.verdicts.is_none()
    {
        let message = format!("the row `{}` takes a debate and its judge, and none is named", row.name());
        table.problem_at("rows", message, "name the judge: `verdicts = \"…\"`; the debate is the one that it judges");
    }
    evaluate
}

/// Who answers, in one word or with a number.
fn row(value: &mut Value<'_>) -> Option<Row> {
    if value.is_table() {
        return value.table(numbered);
    }
    let text = value.text()?;
    let found = Row::WORDS.into_iter().find(|row| row.name() == text);
    let numbered = ["{ hch = 2 }", "{ best_of = 4 }"].map(str::to_owned);
    let words = || Row::WORDS.map(Row::name).into_iter().chain(numbered).collect::<Vec<_>>();
    found.or_else(|| value.unknown(&text, words().iter().map(String::as_str)))
}

fn numbered(table: &mut Table<'_>) -> Row {
    table.one_of(
        Row::Naive,
        &[
            ("hch", &|value| value.whole(1..=64).map(Row::Hch)),
            ("best_of", &|value| value.whole(2..=64).map(Row::BestOf)),
        ],
    )
}
