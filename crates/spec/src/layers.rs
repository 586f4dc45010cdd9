//! All texts of a pipeline in one table: later ones over earlier ones, key by key. Each key keeps the place where it was
//! first given a table, or last a value.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use crate::{
    place::Span,
    problem::Problem,
    source::{Source, Sources},
};

/// The table of all sources, and what is wrong with how they are written. There is none if a source is missing or not
/// TOML: what the rest would mean is anybody's guess.
pub(crate) fn merged(sources: &Sources) -> (Option<DeTable<'_>>, Vec<Problem>) {
    let (mut whole, mut problems) = (DeTable::new(), sources.problems.clone());
    let mut is_whole = problems.is_empty();
    for source in sources.iter() {
        let (document, errors) = DeTable::parse_recoverable(source.padded());
        let (twice, garbled): (Vec<Error>, Vec<Error>) =
            errors.into_iter().partition(|error| error.message() == "duplicate key");
        problems.extend(twice.iter().map(|error| given_twice(source, error)));
        problems.extend(syntax(source, &garbled));
        is_whole &= garbled.is_empty();
        merge(&mut whole, document.into_inner());
    }
    (is_whole.then_some(whole), problems)
}

fn merge<'a>(under: &mut DeTable<'a>, over: DeTable<'a>) {
    for (key, value) in over {
        let name: &str = key.get_ref();
        match (under.get_mut(name).map(Spanned::get_mut), value.get_ref()) {
            (Some(DeValue::Table(lower)), DeValue::Table(_)) => merge(lower, table(value)),
            _ => {
                under.remove(name);
                under.insert(key, value);
            }
        }
    }
}

fn table<'a>(value: Spanned<DeValue<'a>>) -> DeTable<'a> {
    match value.into_inner() {
        DeValue::Table(table) => table,
        _ => DeTable::new(),
    }
}

/// Where a value was last given, or the last of its keys.
pub(crate) fn latest(value: &Spanned<DeValue<'_>>) -> Span {
    let inner = value.get_ref().as_table().into_iter().flatten().map(|(_, value)| latest(value));
    inner.max_by_key(|span| span.start).unwrap_or_else(|| value.span())
}

fn given_twice(source: &Source, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let key = &source.padded()[span.clone()];
    Problem::new(span, format!("`{key}` is there twice")).help("keep one of the two")
}

/// The errors of a text that is not TOML, the first of each line: one slip causes several.
fn syntax(source: &Source, errors: &[Error]) -> Vec<Problem> {
    let mut first: BTreeMap<usize, Problem> = BTreeMap::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = source.padded()[..span.start].lines().count();
        let problem = Problem::new(span, format!("this is not TOML: {}", error.message()));
        let problem = problem.help(match source.is_set() {
            true => set_help(source.text()),
            false => "how TOML is written: https://toml.io".to_owned(),
        });
        let kept = first.entry(line).or_insert_with(|| problem.clone());
        if problem.span.start < kept.span.start {
            *kept = problem;
        }
    }
    first.into_values().collect()
}

/// How a setting is given on the command line.
fn set_help(set: &str) -> String {
    match set.split_once('=') {
        Some((key, value)) => format!(
            "a text takes quotes, and the shell takes them away unless they stand in others: --set '{}=\"{}\"'",
            key.trim(),
            value.trim()
        ),
        None => "write --set KEY=VALUE".to_owned(),
    }
}
