//! One table of the file, read key by key. It keeps which keys were asked for: the others are unknown.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use crate::{
    layers::latest,
    place::Span,
    problem::{Problem, instead, list, nearest},
    settings::{File, Named, Reference},
    value::{Notes, Value},
};

/// The ways to give one setting, each by a key of its own.
pub(crate) type Ways<'w, T> = [(&'static str, &'w dyn Fn(&mut Value<'_>) -> Option<T>)];

/// A key and its value.
type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

/// A table being read.
pub(crate) struct Table<'a> {
    pub(crate) notes: &'a mut Notes,
    entries: &'a DeTable<'a>,
    /// The keys that lead to it, joined by dots.
    path: String,
    /// The last key of its header, to which missing keys are charged.
    header: Span,
    known: Vec<&'a str>,
    /// Groups of keys, one of which should have been there.
    missing: Vec<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(notes: &'a mut Notes, entries: &'a DeTable<'a>, path: String, header: Span) -> Self {
        notes.places.note(&path, header.clone());
        Table { notes, entries, path, header, known: Vec::new(), missing: Vec::new() }
    }

    /// The setting of a key, where it is given and is what it must be.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Value<'_>) -> Option<T>,
    ) -> Option<T> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let (name, value) = self.entries.get_key_value(key)?;
        let path = self.path_of(key);
        let mut value = Value { notes: self.notes, value, path, key: name.span() };
        value.notes.places.note(&value.path, value.span());
        read(&mut value)
    }

    /// The setting of a key, or its default.
    pub(crate) fn or<T>(&mut self, key: &'static str, default: T, read: impl FnOnce(&mut Value<'_>) -> Option<T>) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// The setting of a key that must be there. `stand_in` takes its place where it is not, so that the rest of the
    /// file can be checked.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        stand_in: T,
        read: impl FnOnce(&mut Value<'_>) -> Option<T>,
    ) -> T {
        self.require(key);
        self.or(key, stand_in, read)
    }

    /// Notes a key that must be there, where it is not.
    pub(crate) fn require(&mut self, key: &'static str) {
        if !self.entries.contains_key(key) {
            self.missing.push(vec![key]);
        }
    }

    /// Notes that one of some keys must be there at least, where none is.
    pub(crate) fn require_one_of(&mut self, keys: &[&'static str]) {
        if !keys.iter().any(|key| self.entries.contains_key(*key)) {
            self.missing.push(keys.to_vec());
        }
    }

    /// A mention that must be there.
    pub(crate) fn reference(&mut self, key: &'static str) -> Reference {
        let absent = Reference { name: String::new(), span: self.header.clone() };
        self.required(key, absent, |value| value.reference())
    }

    /// The folder of the file that the table is in.
    pub(crate) fn folder(&self) -> File {
        let folder = &self.notes.sources.at(&self.header).0.folder;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File { path: folder.display().to_string(), span: self.header.clone() }
    }

    /// A setting that is given by exactly one of several keys.
    pub(crate) fn one_of<T>(&mut self, stand_in: T, ways: &Ways<'_, T>) -> T {
        let keys: Vec<&'static str> = ways.iter().map(|(key, _)| *key).collect();
        let given = self.last_given(&keys);
        self.known.extend(&keys);
        let read = ways.iter().filter(|(key, _)| given.iter().any(|(given, _)| given == key));
        let settings: Vec<Option<T>> = read.map(|(key, read)| self.optional(key, read)).collect();
        if given.is_empty() {
            self.missing.push(keys);
        } else if let Some((_, second)) = given.get(1) {
            let message = format!("{} takes one of {}, not both", self.title(), list(keys));
            self.problem(Problem::new(second.clone(), message).help("keep one of them"));
        }
        settings.into_iter().flatten().next().unwrap_or(stand_in)
    }

    /// Those of the keys that are given, in the order of their places. Of several sources the last decides: what it
    /// gives in one way takes the place of what others gave in another.
    fn last_given(&self, keys: &[&'static str]) -> Vec<(&'static str, Span)> {
        let entry = |key: &&'static str| self.entries.get_key_value(*key).map(|(name, value)| (*key, name, value));
        let rank = |value| self.notes.sources.index_at(&latest(value));
        let mut given: Vec<_> = keys.iter().filter_map(entry).collect();
        let last = given.iter().map(|(_, _, value)| rank(value)).max();
        given.retain(|(_, _, value)| Some(rank(value)) == last);
        given.sort_by_key(|(_, name, _)| name.span().start);
        given.into_iter().map(|(key, name, _)| (key, name.span())).collect()
    }

    /// The tables `[kind.NAME]` of a kind, in the order of the file.
    pub(crate) fn kind<T>(&mut self, kind: &'static str, read: impl Fn(&mut Table<'_>) -> T) -> Vec<Named<T>> {
        let mut found = self.or(kind, Vec::new(), |value| value.table(|names| names.named(read)));
        found.sort_by_key(|named| named.span.start);
        found
    }

    fn named<T>(&mut self, read: impl Fn(&mut Table<'_>) -> T) -> Vec<Named<T>> {
        let entries = self.entries;
        self.known.extend(entries.keys().map(|name| name.get_ref().as_ref()));
        if let Some((name, value)) = entries.iter().find(|(_, value)| !value.get_ref().is_table()) {
            let problem = nameless(&self.path, name, value, self.header.clone());
            self.problem(problem);
            return Vec::new();
        }
        entries.iter().filter_map(|(name, value)| self.one(name.get_ref(), name.span(), value, &read)).collect()
    }

    fn one<T>(
        &mut self,
        name: &str,
        span: Span,
        value: &Spanned<DeValue<'_>>,
        read: impl Fn(&mut Table<'_>) -> T,
    ) -> Option<Named<T>> {
        if self.notes.sources.at(&span).0.is_set() {
            self.set_nothing(name, span);
            return None;
        }
        self.check_name(name, &span);
        let path = self.path_of(name);
        let settings = Value { notes: self.notes, value, path, key: span.clone() }.table(read)?;
        Some(Named { name: name.to_owned(), span, settings })
    }

    /// A setting on the command line is of a thing that the files have.
    fn set_nothing(&mut self, name: &str, span: Span) {
        let kind = self.path.clone();
        let sources = &self.notes.sources;
        let others = self.entries.keys().filter(|other| !sources.at(&other.span()).0.is_set());
        let others: Vec<&str> = others.map(|other| other.get_ref().as_ref()).collect();
        let problem = Problem::new(span, format!("there is no {kind} `{name}`"));
        self.problem(match &others[..] {
            [] => problem.help(format!("no file has a table `[{kind}.NAME]`")),
            _ => problem.help(instead(name, others)),
        });
    }

    /// A name becomes part of the names of tables and states, in which dots part it from what follows.
    fn check_name(&mut self, name: &str, span: &Span) {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if name.is_empty() || !name.chars().all(plain) {
            let message = format!("`{name}` cannot be a name");
            let help = "names are made of letters A to z, digits, `_` and `-`";
            self.problem(Problem::new(span.clone(), message).help(help));
        }
    }

    /// Notes a problem at the value of a key, or at the header where the file leaves it to its default.
    pub(crate) fn problem_at(&mut self, key: &str, message: impl Into<String>, help: &str) {
        let span = self.notes.places.of(&self.path_of(key));
        self.problem(Problem::new(span, message).help(help));
    }

    /// Notes a problem.
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.notes.problems.push(problem);
    }

    /// Notes the keys that nobody asked for, and those that nobody gave. A key misspelled is one problem, not two.
    pub(crate) fn finish(mut self) {
        let unknown = self.unknown();
        self.missing.retain(|keys| keys.len() == 1 || unknown.is_empty());
        for (key, value) in unknown {
            let name = key.get_ref().as_ref();
            let meant = nearest(name, self.known.iter().copied());
            self.missing.retain(|keys| !keys.iter().any(|key| Some(*key) == meant));
            let message = match self.path.is_empty() && value.get_ref().is_table() {
                true => format!("there is no kind `{name}`"),
                false => format!("{} has no key `{name}`", self.title()),
            };
            let help = instead(name, self.known.iter().copied());
            self.problem(Problem::new(key.span(), message).help(help));
        }
        for keys in std::mem::take(&mut self.missing) {
            let which = if keys.len() > 1 { "one of " } else { "" };
            let message = format!("{} needs {which}{}", self.title(), list(keys.iter().copied()));
            self.problem(Problem::new(self.header.clone(), message).help(format!("add `{} = …`", keys[0])));
        }
    }

    /// The names in the tables that nobody asked for.
    pub(crate) fn unread(&self) -> Vec<String> {
        let unknown = self.unknown();
        let names = unknown.iter().filter_map(|(_, value)| value.get_ref().as_table()).flat_map(|table| table.keys());
        names.map(|name| name.get_ref().to_string()).collect()
    }

    /// What nobody asked for.
    fn unknown(&self) -> Vec<Entry<'a>> {
        let unknown = |(key, _): &Entry<'a>| !self.known.contains(&key.get_ref().as_ref());
        self.entries.iter().filter(unknown).collect()
    }

    fn title(&self) -> String {
        match self.path.as_str() {
            "" => "the file".to_owned(),
            path => format!("`{path}`"),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// What is wrong with a kind that holds something else than tables with a name.
fn nameless(kind: &str, key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>, header: Span) -> Problem {
    let name = key.get_ref();
    if value.get_ref().is_array() {
        return Problem::new(key.span(), format!("`{kind}.{name}` is a list of tables"))
            .help(format!("write `[{kind}.{name}]`, and give each further one a name of its own"));
    }
    Problem::new(header, format!("a `{kind}` needs a name, before settings such as `{name}`"))
        .help(format!("write `[{kind}.NAME]`, with a name of your choice"))
}
