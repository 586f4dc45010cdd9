//! Every key of the schema says under `x-changes` what another value of it changes: here is another value of each, and
//! a run that shows it.

mod milestones;
mod others;
mod penalty;
mod tables;

use batch::{
    Digest, Run,
    manifest::{Checkpoint, Line, Part},
};
use elenchus::{verbs::run::perform, wiring::load::compile};
use milestones::{OTHERS_OF_MILESTONES, WAITING};
use others::{OTHERS, Other, SCHEDULED};
use penalty::{OTHERS_OF_PENALTY, SCHEDULED_OF_PENALTY};
use serde_json::Value;
use spec::Sources;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use tables::{OTHERS_OF_TABLES, SCHEDULED_OF_TABLES};

/// The keys of the schema that are set to a value, each with what it says it changes.
fn declared() -> BTreeMap<String, String> {
    let schema = spec::schema();
    let mut keys = BTreeMap::new();
    collect(&schema, "Pipeline", &mut keys);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        collect(definition, name, &mut keys);
    }
    keys
}

fn collect(schema: &Value, path: &str, keys: &mut BTreeMap<String, String>) {
    for (name, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match value["x-changes"].as_str() {
            Some(changes) => drop(keys.insert(path, changes.to_owned())),
            None => collect(value, &path, keys),
        }
    }
}

/// The keys of the schema that take a schedule.
fn scheduled() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, definition) in spec::schema()["definitions"].as_object().unwrap() {
        collect_scheduled(definition, name, &mut keys);
    }
    keys
}

fn collect_scheduled(schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    for (name, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match is_schedule(value) || is_schedule(&value["items"]) {
            true => drop(keys.insert(path)),
            false => collect_scheduled(value, &path, keys),
        }
    }
    for way in ["anyOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
        collect_scheduled(way, path, keys);
    }
}

fn is_schedule(schema: &Value) -> bool {
    schema["anyOf"].as_array().into_iter().flatten().any(|way| way["properties"]["cosine"].is_object())
}

const LIES: &str = "{\"question\": \"Question: Jim lies. Does Jim tell the truth?\", \"answer\": \"No\"}
{\"question\": \"Question: Jim lies. Inga says Jim lies. Does Inga tell the truth?\", \"answer\": \"Yes\"}
";
const EXPRESSIONS: &str = "{\"question\": \"not True is\", \"answer\": \"False\"}
{\"question\": \"not True and False is\", \"answer\": \"False\"}
";
const CARD: &str = "---
configs:
- config_name: main
  data_files:
  - split: train
    path: train.jsonl
  - split: test
    path: test.jsonl
- config_name: other
  data_files:
  - split: train
    path: test.jsonl
---
";

/// Six rows to read: of both tasks, each with a number, and an answer at the end of its reason.
fn rows(first: usize) -> String {
    let texts = [
        "Question: Jim lies. Does Jim tell the truth?",
        "not True is",
        "Question: Jim lies. Inga says Jim lies. Does Inga tell the truth?",
    ];
    let row =
        |n: usize| format!("{{\"text\": \"{}\", \"n\": {n}, \"answer\": \"Since {n}. #### {n}\"}}\n", texts[n % 3]);
    (first..first + 6).map(row).collect()
}

/// Runs of one pipeline with some of its settings changed, each made once.
struct Runs {
    folder: tempfile::TempDir,
    made: BTreeMap<Vec<&'static str>, PathBuf>,
    begun: usize,
}

impl Runs {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("hub")).unwrap();
        let files = [
            ("pipeline.toml", text.to_owned()),
            ("lies.jsonl", LIES.to_owned()),
            ("expressions.jsonl", EXPRESSIONS.to_owned()),
            ("mixed.jsonl", [LIES, EXPRESSIONS].concat()),
            ("rows.jsonl", rows(0)),
            ("others.jsonl", rows(3)),
            ("right.jsonl", "{\"text\": \"not True is\", \"score\": 1.5}\n".to_owned()),
            ("name", "Tom".to_owned()),
            ("hub/README.md", CARD.to_owned()),
            ("hub/train.jsonl", rows(0)),
            ("hub/test.jsonl", rows(2)),
            ("hub/name", "Ada".to_owned()),
        ];
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        tests::write_encoder(&folder.path().join("encoder"), 1);
        tests::write_encoder(&folder.path().join("other-encoder"), 2);
        Runs { folder, made: BTreeMap::new(), begun: 0 }
    }

    fn of(&mut self, sets: Vec<&'static str>) -> Result<PathBuf, String> {
        if let Some(root) = self.made.get(&sets) {
            return Ok(root.clone());
        }
        self.begun += 1;
        let root = self.folder.path().join(self.begun.to_string());
        run(self.folder.path(), &sets, &root)?;
        self.made.insert(sets, root.clone());
        Ok(root)
    }
}

fn run(folder: &Path, sets: &[&str], root: &Path) -> Result<(), String> {
    // The paths in a setting start at the working directory, which tests share.
    let sets: Vec<String> = sets.iter().map(|set| set.replace("FOLDER", folder.to_str().unwrap())).collect();
    let sources = Sources::open(&folder.join("pipeline.toml"), &[], &sets).unwrap();
    let loaded = compile(&sources, |_| {}).map_err(|problems| elenchus::wiring::load::draw(&problems, &sources))?;
    let texts = batch::Texts { pipeline: &loaded.pipeline.to_toml(), source: "", plan: "" };
    let mut run = batch::RunFolder::create(root, &loaded.plan, texts).unwrap();
    perform(loaded, &mut run, &AtomicBool::new(false), &mut |_| {}).map_err(|failure| failure.text())?;
    Ok(())
}

/// The tables of a batch: the rows of each, and the digest of its bytes.
fn of_line(line: &Line) -> Vec<(String, u64, Option<Digest>)> {
    let bytes = |part: &Part| part.place.as_ref().map(|place| place.digest.clone());
    line.tables.iter().map(|(name, part)| (name.clone(), part.rows, bytes(part))).collect()
}

/// What differs between two runs, in the words of `x-changes`.
fn differences(one: &Path, other: &Path) -> BTreeSet<&'static str> {
    let datasets =
        |root: &Path| Some(root.join("datasets")).filter(|folder| folder.exists()).map(|it| tests::promised(&it));
    let mut found = BTreeSet::new();
    found.extend((datasets(one) != datasets(other)).then_some("datasets"));
    let (one, other) = (Run::open(one).unwrap(), Run::open(other).unwrap());
    let metrics = |run: &Run| run.lines().iter().map(|line| line.metrics.clone()).collect::<Vec<_>>();
    let tables = |run: &Run| run.lines().iter().map(of_line).collect::<Vec<_>>();
    let files = |checkpoint: &Checkpoint| checkpoint.values().map(|state| state.files.clone()).collect::<Vec<_>>();
    let last = |run: &Run| run.lines().last().unwrap().checkpoint.as_ref().map(files);
    found.extend((tables(&one) != tables(&other)).then_some("tables"));
    found.extend((last(&one) != last(&other)).then_some("weights"));
    found.extend((metrics(&one) != metrics(&other)).then_some("metrics"));
    found.extend((one.checkpoints() != other.checkpoints()).then_some("checkpoints"));
    found
}

#[test]
fn each_key_changes_what_it_says() {
    let declared = declared();
    let all = OTHERS.iter().chain(OTHERS_OF_MILESTONES).chain(OTHERS_OF_TABLES).chain(OTHERS_OF_PENALTY);
    let shown: BTreeSet<&str> = all.map(|(key, _, _)| *key).collect();
    assert_eq!(shown, declared.keys().map(String::as_str).collect(), "each key has another value here");
    let mut wrong = denials(include_str!("settings.toml"), OTHERS, &declared);
    wrong.extend(denials(include_str!("settings.toml"), OTHERS_OF_MILESTONES, &declared));
    wrong.extend(denials(include_str!("tables.toml"), OTHERS_OF_TABLES, &declared));
    wrong.extend(denials(include_str!("penalty.toml"), OTHERS_OF_PENALTY, &declared));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_schedule_counts_batch_by_batch() {
    let all = SCHEDULED.iter().chain(SCHEDULED_OF_TABLES).chain(SCHEDULED_OF_PENALTY);
    let shown: BTreeSet<String> = all.map(|(key, _, _)| (*key).to_owned()).collect();
    assert_eq!(shown, scheduled(), "each number that takes a schedule has one here");
    for (text, others) in [
        (include_str!("settings.toml"), SCHEDULED),
        (include_str!("settings.toml"), WAITING),
        (include_str!("tables.toml"), SCHEDULED_OF_TABLES),
        (include_str!("penalty.toml"), SCHEDULED_OF_PENALTY),
    ] {
        let mut runs = Runs::new(text);
        for (key, sets, both) in others {
            let (one, other) = (runs.of(both.to_vec()).unwrap(), runs.of([*both, *sets].concat()).unwrap());
            assert!(!differences(&one, &other).is_empty(), "{key} changes nothing");
            let first = |root: &Path| Run::open(root).unwrap().lines()[0].clone();
            let (one, other) = (first(&one), first(&other));
            assert_eq!((of_line(&one), &one.metrics), (of_line(&other), &other.metrics), "{key} in the first batch");
        }
    }
}

/// What is not as it is declared, of the keys that a pipeline shows.
fn denials(text: &str, others: &[Other], declared: &BTreeMap<String, String>) -> Vec<String> {
    let mut runs = Runs::new(text);
    let mut wrong = Vec::new();
    for (key, sets, both) in others {
        match runs.of(both.to_vec()).and_then(|one| Ok((one, runs.of([*both, *sets].concat())?))) {
            Ok((one, other)) => wrong.extend(denied(key, &declared[*key], &differences(&one, &other))),
            Err(error) => wrong.push(format!("{key}: {error}")),
        }
    }
    wrong
}

/// Whether what a key says is not what was found.
fn denied(key: &str, said: &str, found: &BTreeSet<&str>) -> Option<String> {
    let right = match said {
        // What a snapshot keeps is no part of a run, nor is what it warns of: `watch.rs` shows that.
        "speed" | "snapshots" | "warnings" => found.is_empty(),
        "checkpoints" | "metrics" => *found == BTreeSet::from([said]),
        _ => found.contains(said),
    };
    (!right).then(|| format!("{key} says {said}, and changes {found:?}"))
}
