//! One value of the file: what it must be, checked where it stands. A value that is not what it must be is noted as a
//! problem and read as `None`, so that reading goes on and all problems of a file are found at once.

use std::{
    fmt::Display,
    ops::{Bound, RangeBounds},
    time::Duration,
};

use serde::Serialize;
use toml::{
    Spanned,
    de::{DeString, DeValue},
};

use crate::{
    Catalogue,
    place::{Places, Span},
    problem::{Problem, instead},
    schema,
    settings::{File, Reference},
    source::Sources,
    table::Table,
};

/// What reading gathers beside the settings.
pub(crate) struct Notes {
    pub(crate) catalogue: Catalogue,
    pub(crate) sources: Sources,
    pub(crate) problems: Vec<Problem>,
    pub(crate) places: Places,
}

/// A value, and where it is in the file.
pub(crate) struct Value<'a> {
    pub(crate) notes: &'a mut Notes,
    pub(crate) value: &'a Spanned<DeValue<'a>>,
    /// The keys that lead to it, joined by dots.
    pub(crate) path: String,
    /// The key it belongs to, which stands for it where it is a table.
    pub(crate) key: Span,
}

impl<'a> Value<'a> {
    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        match self.value.get_ref() {
            DeValue::Table(_) => self.key.clone(),
            _ => self.value.span(),
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// A table, read by `read`, with a problem for every key that it does not ask for.
    pub(crate) fn table<T>(&mut self, read: impl FnOnce(&mut Table<'_>) -> T) -> Option<T> {
        let DeValue::Table(entries) = self.value.get_ref() else { return self.mistyped("a table") };
        let mut table = Table::new(self.notes, entries, self.path.clone(), self.key.clone());
        let settings = read(&mut table);
        table.finish();
        Some(settings)
    }

    /// A list, each item read by `read`.
    pub(crate) fn list<T>(&mut self, read: impl Fn(&mut Value<'_>) -> Option<T>) -> Option<Vec<T>> {
        let DeValue::Array(items) = self.value.get_ref() else { return self.mistyped("a list") };
        let (notes, path) = (&mut *self.notes, &self.path);
        let item = |value| read(&mut Value { notes: &mut *notes, value, path: path.clone(), key: value.span() });
        Some(items.iter().filter_map(item).collect())
    }

    /// A list of at least one item.
    pub(crate) fn some<T>(&mut self, read: impl Fn(&mut Value<'_>) -> Option<T>) -> Option<Vec<T>> {
        if self.value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
            return self.wrong("must not be empty");
        }
        self.list(read)
    }

    /// One item, or a list of at least one.
    pub(crate) fn one_or_some<T>(&mut self, read: impl Fn(&mut Value<'_>) -> Option<T>) -> Option<Vec<T>> {
        if self.value.get_ref().is_array() { self.some(read) } else { read(self).map(|item| vec![item]) }
    }

    /// A table whose keys are names of the user's choice, in the order of the file.
    pub(crate) fn entries<T>(&mut self, read: impl Fn(&mut Value<'_>) -> Option<T>) -> Option<Vec<(String, T)>> {
        let DeValue::Table(entries) = self.value.get_ref() else { return self.mistyped("a table") };
        if entries.is_empty() {
            return self.wrong("must not be empty");
        }
        let mut found: Vec<_> = entries.iter().collect();
        found.sort_by_key(|(name, _)| name.span().start);
        let mut entry = |(name, value): (&Spanned<DeString<'_>>, &'a Spanned<DeValue<'a>>)| {
            let path = format!("{}.{}", self.path, name.get_ref());
            self.notes.places.note(&path, value.span());
            let read = read(&mut Value { notes: self.notes, value, path, key: name.span() })?;
            Some((name.get_ref().to_string(), read))
        };
        Some(found.into_iter().filter_map(&mut entry).collect())
    }

    /// Two numbers in a list.
    pub(crate) fn pair<T>(&mut self, read: impl Fn(&mut Value<'_>) -> Option<T>) -> Option<(T, T)> {
        if self.value.get_ref().as_array().is_none_or(|items| items.len() != 2) {
            return self.mistyped("a list of two numbers");
        }
        <[T; 2]>::try_from(self.list(read)?).ok().map(<(T, T)>::from)
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self) -> Option<String> {
        match self.value.get_ref().as_str() {
            Some("") => self.wrong("must not be empty"),
            Some(text) => Some(text.to_owned()),
            None => self.mistyped("a string"),
        }
    }

    /// True or false.
    pub(crate) fn truth(&mut self) -> Option<bool> {
        self.value.get_ref().as_bool().or_else(|| self.mistyped("true or false"))
    }

    /// A time above 0, as `90s`, `10m` or `1h 30m`.
    pub(crate) fn duration(&mut self) -> Option<Duration> {
        let text = self.text()?;
        let time = humantime::parse_duration(&text).ok().filter(|time| !time.is_zero());
        time.or_else(|| self.mistyped("a time such as \"90s\", \"10m\" or \"1h 30m\""))
    }

    /// A mention of another thing of the file.
    pub(crate) fn reference(&mut self) -> Option<Reference> {
        self.text().map(|name| Reference { name, span: self.span() })
    }

    /// A path of a file.
    pub(crate) fn file(&mut self) -> Option<File> {
        let (path, span) = (self.text()?, self.span());
        let folder = &self.notes.sources.at(&span).0.folder;
        Some(File { path: folder.join(path).display().to_string(), span })
    }

    /// One of a few words, each as it is written.
    pub(crate) fn word<T: Copy + Serialize>(&mut self, meanings: &[T]) -> Option<T> {
        let text = self.text()?;
        let words: Vec<String> = meanings.iter().map(word).collect();
        let place = words.iter().position(|word| *word == text);
        place.map(|place| meanings[place]).or_else(|| self.unknown(&text, words.iter().map(String::as_str)))
    }

    /// Notes that a text is none of those it may be.
    pub(crate) fn unknown<'n, T>(&mut self, text: &str, valid: impl IntoIterator<Item = &'n str>) -> Option<T> {
        let message = format!("`{}` cannot be `{text}`", self.name());
        self.problem(Problem::new(self.span(), message).help(instead(text, valid)))
    }

    /// A whole number in a range, and in the range of its type.
    pub(crate) fn whole<T: TryFrom<u64>>(&mut self, range: impl RangeBounds<u64>) -> Option<T> {
        let DeValue::Integer(digits) = self.value.get_ref() else { return self.mistyped("a whole number") };
        let negative = digits.as_str().starts_with('-');
        let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
        match number.filter(|number| range.contains(number)).map(T::try_from) {
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => self.mistyped("a smaller whole number"),
            None if number.is_none() && !negative => self.mistyped("a smaller whole number"),
            None if range.start_bound() == Bound::Unbounded => self.mistyped("a whole number, at least 0"),
            None => self.mistyped(&format!("a whole number{}", words_of(&range))),
        }
    }

    /// A finite number in a range.
    pub(crate) fn number(&mut self, range: impl RangeBounds<f64>) -> Option<f64> {
        let number = match self.value.get_ref() {
            DeValue::Integer(digits) => i128::from_str_radix(digits.as_str(), digits.radix()).ok().map(|n| n as f64),
            DeValue::Float(digits) => digits.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite() && range.contains(number));
        number.or_else(|| self.mistyped(&format!("a number{}", words_of(&range))))
    }

    /// An item of a list, read for itself.
    pub(crate) fn beside(&mut self, value: &'a Spanned<DeValue<'a>>) -> Value<'_> {
        Value { notes: self.notes, value, path: self.path.clone(), key: value.span() }
    }

    /// The last of the keys that lead to it.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// Notes that the value is not what it must be.
    pub(crate) fn mistyped<T>(&mut self, wanted: &str) -> Option<T> {
        let found = found(self.value.get_ref());
        self.wrong(&format!("must be {wanted}, not {found}"))
    }

    /// Notes what the value must or must not be.
    pub(crate) fn wrong<T>(&mut self, must: &str) -> Option<T> {
        let problem = Problem::new(self.span(), format!("`{}` {must}", self.name()));
        self.problem(match schema::meaning_of(&self.path) {
            Some(meaning) => problem.help(format!("`{}`: {meaning}", self.name())),
            None => problem,
        })
    }

    /// Notes a problem.
    pub(crate) fn problem<T>(&mut self, problem: Problem) -> Option<T> {
        self.notes.problems.push(problem);
        None
    }
}

/// How a setting that is one of a few words is written.
fn word<T: Serialize>(meaning: &T) -> String {
    let word = serde_json::to_value(meaning).expect("a word is a text");
    word.as_str().unwrap_or_default().to_owned()
}

/// A value in words.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(digits) => digits.to_string(),
        DeValue::Float(digits) => digits.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(items) => format!("a list of {}", items.len()),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A range in words, after "a number".
fn words_of<T: Display>(range: &impl RangeBounds<T>) -> String {
    let low = match range.start_bound() {
        Bound::Included(low) => Some(format!("at least {low}")),
        Bound::Excluded(low) => Some(format!("above {low}")),
        Bound::Unbounded => None,
    };
    let high = match range.end_bound() {
        Bound::Included(high) => Some(format!("at most {high}")),
        Bound::Excluded(high) => Some(format!("below {high}")),
        Bound::Unbounded => None,
    };
    match (low, high) {
        (Some(low), Some(high)) => format!(", {low} and {high}"),
        (Some(bound), None) | (None, Some(bound)) => format!(", {bound}"),
        (None, None) => String::new(),
    }
}
