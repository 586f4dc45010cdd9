//! The resolved file: every setting written out, defaults too, in a form that reads back to the same settings. A run
//! keeps it beside its results, and what a stage's results depend on is hashed from it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::settings::{Amplify, Human, Milestone, Model, Named, Pipeline, Stage};

impl Pipeline {
    /// The resolved file.
    pub fn to_toml(&self) -> String {
        let (tables, keys): (Vec<_>, Vec<_>) = entries(self).into_iter().partition(|(_, value)| value.is_object());
        let mut parts = vec![lines(keys)];
        parts.extend(tables.into_iter().map(|(name, value)| table(&name, value)));
        parts.extend(self.models.iter().map(Named::<Model>::to_toml));
        parts.extend(self.humans.iter().map(Named::<Human>::to_toml));
        parts.extend(self.amplifies.iter().map(Named::<Amplify>::to_toml));
        parts.extend(self.milestones.iter().map(Named::<Milestone>::to_toml));
        parts.extend(self.stages.iter().map(Named::<Stage>::to_toml));
        parts.join("\n")
    }

    /// Every setting by its path, as it is written: `0.5` for `loss.objective.combine.weighted.alpha`.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        flatten("", &value(self), &mut settings);
        let named = |kind: &str, name: &str| format!("{kind}.{name}");
        self.models.iter().for_each(|it| flatten(&named("model", &it.name), &value(&it.settings), &mut settings));
        self.humans.iter().for_each(|it| flatten(&named("human", &it.name), &value(&it.settings), &mut settings));
        self.amplifies.iter().for_each(|it| flatten(&named("amplify", &it.name), &value(&it.settings), &mut settings));
        let milestones = self.milestones.iter();
        milestones.for_each(|it| flatten(&named("milestone", &it.name), &value(&it.settings), &mut settings));
        for stage in &self.stages {
            let by_kind = entries(&stage.settings).into_iter();
            by_kind.for_each(|(kind, value)| flatten(&named(&kind, &stage.name), &value, &mut settings));
        }
        settings
    }
}

/// Notes what is in a table, and in the tables within, by path.
fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                flatten(format!("{path}.{key}").trim_start_matches('.'), value, into);
            }
        }
        leaf => drop(into.insert(path.to_owned(), inline(leaf))),
    }
}

impl Named<Model> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table(&format!("model.{}", self.name), value(&self.settings))
    }
}

impl Named<Human> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table(&format!("human.{}", self.name), value(&self.settings))
    }
}

impl Named<Amplify> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table(&format!("amplify.{}", self.name), value(&self.settings))
    }
}

impl Named<Milestone> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table(&format!("milestone.{}", self.name), value(&self.settings))
    }
}

impl Named<Stage> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        let by_kind = entries(&self.settings).into_iter();
        by_kind.map(|(kind, settings)| table(&format!("{kind}.{}", self.name), settings)).collect()
    }
}

fn value(settings: &impl Serialize) -> Value {
    serde_json::to_value(settings).expect("settings are made of numbers, texts, lists and tables")
}

fn entries(settings: &impl Serialize) -> Map<String, Value> {
    match value(settings) {
        Value::Object(entries) => entries,
        other => unreachable!("a table was to be written, not {other}"),
    }
}

fn table(path: &str, settings: Value) -> String {
    format!("[{path}]\n{}", lines(entries(&settings)))
}

fn lines(entries: impl IntoIterator<Item = (String, Value)>) -> String {
    entries.into_iter().map(|(key, value)| format!("{key} = {}\n", inline(&value))).collect()
}

/// A value on one line. Numbers, truths and texts are written in TOML as in JSON, with the shortest digits that read
/// back to the same bits; only a delete character must be escaped in TOML alone.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{} = {}", bare(key), inline(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        plain => plain.to_string().replace('\u{7f}', "\\u007F"),
    }
}

/// A key, in quotes where it needs them: names of columns may be any text.
fn bare(key: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { inline(&Value::from(key)) }
}
