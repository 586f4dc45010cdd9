//! The kinds that do work, batch by batch: each is read by one function, key by key.

pub(crate) mod loss;
pub(crate) mod tables;

use std::ops::Bound;

use crate::{
    inspection, policy,
    problem::Problem,
    settings::{
        AdamW, Debate, Evaluate, Follow, History, Judge, Normalise, OnBadQuestion, Policy, Reply, Row, Schedule, Sees,
        SpeakerSide, Sufficient, Sync, Task, Train, Turns, Wording,
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
