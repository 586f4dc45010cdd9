//! The kinds that work on plain tables, and where rows come from.

use std::{ops::Bound, time::Duration};

use crate::{
    settings::{
        Answer, By, Column, Command, File, Files, Filter, How, Join, Kind, Named, OnBadQuestion, OnError, Order,
        Pattern, Questions, Read, Reference, Sample, Sampled, Schedule, Share, Sql, Stage, With, Write,
    },
    table::Table,
    value::Value,
};

/// `[sample.NAME]`
pub(crate) fn sample(table: &mut Table<'_>) -> Sample {
    let questions = questions(table);
    let order =
        table.optional("order", |value| value.word(&[Order::Sequential, Order::Shuffled, Order::WithReplacement]));
    if order.is_some() && matches!(questions, Questions::Task(_)) {
        table.problem_at("order", "a task has no order: each question is made as it is drawn", "remove `order`");
    }
    let on_error = table.optional("on_error", on_bad_question);
    if on_error.is_some() && matches!(questions, Questions::Task(_)) {
        table.problem_at("on_error", "a task makes its questions: none of them can be wrong", "remove `on_error`");
    }
    let rows: usize = table.required("rows", 1, |value| value.whole(1..));
    let repeat: usize = table.or("repeat", 1, |value| value.whole(1..));
    if !rows.is_multiple_of(repeat) {
        let message = format!("a batch of {rows} rows does not have each of its questions {repeat} times");
        table.problem_at("repeat", message, "let `rows` be a multiple of `repeat`: so many questions, so many times");
    }
    Sample {
        questions,
        rows,
        repeat,
        order: order.unwrap_or(Order::Sequential),
        on_error: on_error.unwrap_or(OnBadQuestion::Fail),
        exclude: table.optional("exclude", files),
    }
}

/// Where questions come from.
pub(crate) fn questions(table: &mut Table<'_>) -> Questions {
    table.one_of(
        nothing(),
        &[
            ("task", &|value| value.table(super::task).map(Questions::Task)),
            ("files", &|value| files(value).map(Questions::Files)),
            ("mixture", &|value| value.some(|share| share.table(share_of)).map(Questions::Mixture)),
        ],
    )
}

/// What takes the place of questions that cannot be read.
pub(crate) fn nothing() -> Questions {
    Questions::Files(Files::new(Vec::new()))
}

fn share_of(table: &mut Table<'_>) -> Share {
    let above_zero = (Bound::Excluded(0.0), Bound::Unbounded);
    Share { weight: table.required("weight", 1.0, |value| value.number(above_zero)), questions: questions(table) }
}

/// Paths, or a table that says more of them.
pub(crate) fn files(value: &mut Value<'_>) -> Option<Files> {
    if value.is_table() { value.table(files_table) } else { paths(value).map(Files::new) }
}

fn paths(value: &mut Value<'_>) -> Option<Vec<File>> {
    value.one_or_some(|file| file.file())
}

fn files_table(table: &mut Table<'_>) -> Files {
    Files {
        paths: table.required("paths", Vec::new(), paths),
        split: table.optional("split", |value| value.text()),
        config: table.optional("config", |value| value.text()),
        columns: table.or("columns", Vec::new(), |value| value.entries(|name| name.reference())),
        gold_pattern: table.optional("gold_pattern", |value| Some(Pattern { text: value.text()?, span: value.span() })),
        limit: table.optional("limit", |value| value.whole(1..)),
    }
}

fn on_error(table: &mut Table<'_>) -> OnError {
    table.or("on_error", OnError::Fail, |value| value.word(&[OnError::Fail, OnError::Skip, OnError::Null]))
}

/// What becomes of a question that cannot be asked.
pub(crate) fn on_bad_question(value: &mut Value<'_>) -> Option<OnBadQuestion> {
    value.word(&[OnBadQuestion::Fail, OnBadQuestion::Skip])
}

fn keep(table: &mut Table<'_>) -> bool {
    table.or("keep", true, |value| value.truth())
}

/// `[read.NAME]`
pub(crate) fn read(table: &mut Table<'_>) -> Read {
    Read {
        files: table.required("files", Files::new(Vec::new()), files),
        rows: table.required("rows", 1, |value| value.whole(1..)),
        number: table.optional("number", |value| value.text()),
        on_error: on_error(table),
        keep: keep(table),
    }
}

/// `[filter.NAME]`
pub(crate) fn filter(table: &mut Table<'_>) -> Filter {
    Filter {
        from: table.reference("from"),
        condition: table.required("condition", String::new(), |value| value.text()),
        keep: keep(table),
    }
}

/// `[sql.NAME]`
pub(crate) fn sql(table: &mut Table<'_>) -> Sql {
    Sql {
        from: table.required("from", Vec::new(), |value| value.one_or_some(|mention| mention.reference())),
        query: table.required("query", String::new(), |value| value.text()),
        keep: keep(table),
    }
}

/// `[join.NAME]`
pub(crate) fn join(table: &mut Table<'_>) -> Join {
    let nothing = With::Files(Files::new(Vec::new()));
    Join {
        from: table.reference("from"),
        with: table.one_of(
            nothing,
            &[("with", &|value| value.reference().map(With::Table)), ("files", &|value| files(value).map(With::Files))],
        ),
        on: table.required("on", Vec::new(), keys),
        how: table.or("how", How::Inner, |value| value.word(&[How::Inner, How::Left, How::Semi, How::Anti])),
        suffix: table.or("suffix", "_right".to_owned(), |value| value.text()),
        keep: keep(table),
    }
}

/// Names that both sides have, or pairs of names.
fn keys(value: &mut Value<'_>) -> Option<Vec<(String, String)>> {
    if value.is_table() {
        return value.entries(|right| right.text());
    }
    let names = value.one_or_some(|name| name.text())?;
    Some(names.into_iter().map(|name| (name.clone(), name)).collect())
}

/// `[write.NAME]`
pub(crate) fn write(table: &mut Table<'_>) -> Write {
    Write {
        from: table.reference("from"),
        folder: table.optional("folder", |value| value.file()),
        split: table.or("split", "train".to_owned(), split),
        description: table.optional("description", |value| value.text()),
    }
}

/// A split becomes part of the names of files, where a dash ends it.
fn split(value: &mut Value<'_>) -> Option<String> {
    let name = value.text()?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    if name.chars().all(plain) { Some(name) } else { value.wrong("is made of letters A to z, digits, `_` and `.`") }
}

/// `[command.NAME]`
pub(crate) fn command(table: &mut Table<'_>) -> Command {
    let ten_minutes = Duration::from_secs(600);
    Command {
        from: table.reference("from"),
        run: table.required("run", Vec::new(), |value| value.some(|part| part.text())),
        folder: table.optional("folder", |value| value.file()).unwrap_or_else(|| table.folder()),
        columns: table.required("columns", Vec::new(), columns),
        time_limit: table.or("time_limit", ten_minutes, |value| value.duration()),
        on_error: on_error(table),
    }
}

fn columns(value: &mut Value<'_>) -> Option<Vec<Column>> {
    let columns = value.entries(|kind| {
        let text = kind.text()?;
        let words = Kind::WORDS.iter().map(|(word, _)| *word).chain(["[f32]", "str?"]);
        Column::kind_of(&text).or_else(|| kind.unknown(&text, words))
    })?;
    let column = |(name, (kind, nullable))| Column { name, kind, nullable };
    Some(columns.into_iter().map(column).collect())
}

/// `[answer.NAME]`
pub(crate) fn answer(table: &mut Table<'_>) -> Answer {
    let nobody = By::Amplify(Reference { name: String::new(), span: 0..0 });
    Answer {
        from: table.reference("from"),
        by: table.one_of(
            nobody,
            &[
                ("amplify", &|value| value.reference().map(By::Amplify)),
                ("model", &|value| sampled(value).map(By::Model)),
                ("human", &|value| value.reference().map(By::Human)),
            ],
        ),
        on_error: on_error(table),
    }
}

/// A model's name, or a table that says how it is sampled too.
fn sampled(value: &mut Value<'_>) -> Option<Sampled> {
    if !value.is_table() {
        let temperature = Schedule::Constant(0.0);
        return value.reference().map(|name| Sampled { name, temperature, max_tokens: 16 });
    }
    value.table(|table| Sampled {
        name: table.reference("name"),
        temperature: table.or("temperature", Schedule::Constant(0.0), |value| value.schedule(0.0..)),
        max_tokens: table.or("max_tokens", 16, |value| value.whole(1..)),
    })
}

/// Whether a run of these ends without being told when: something reads rows that are used up, and nothing trains.
pub(crate) fn ends(stages: &[Named<Stage>]) -> bool {
    let finite = |stage: &Named<Stage>| match &stage.settings {
        Stage::Read(_) => true,
        Stage::Sample(Sample { questions: Questions::Files(_), order, .. }) => *order != Order::WithReplacement,
        _ => false,
    };
    stages.iter().any(finite) && !stages.iter().any(|stage| matches!(stage.settings, Stage::Train(_)))
}
