//! What the end-to-end tests share: small pipelines, and runs of them in folders of their own.

use elenchus::{
    verbs::run::perform,
    wiring::load::{Loaded, compile},
};
use spec::settings::Pipeline;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use tempfile::TempDir;

#[path = "../../crates/model/tests/model/encoder.rs"]
pub mod encoder;

/// Writes a tiny encoder into a folder of its own; its weights are a function of the seed.
pub fn write_encoder(folder: &Path, seed: u64) {
    fs::create_dir_all(folder).expect("a folder for an encoder");
    for (name, bytes) in encoder::files(seed, 1) {
        fs::write(folder.join(name), bytes).expect("a file of an encoder");
    }
}

/// A pipeline of either task, small enough for a test: a model of one layer, a few questions a batch.
pub fn small(task: &str, batches: u64) -> String {
    let (_, tail) = SMALL.split_once('\n').expect("the text has lines");
    tail.replace("TASK", task).replace("BATCHES", &batches.to_string())
}

/// A text with some of its parts replaced wherever they stand, one after the other.
pub fn changed(source: &str, changes: &[(&str, impl AsRef<str>)]) -> String {
    changes.iter().fold(source.to_owned(), |source, (from, to)| {
        assert!(source.contains(from), "there is no {from:?} to replace");
        source.replace(from, to.as_ref())
    })
}

const SMALL: &str = r#"
seed = 3
batches = BATCHES

[checkpoint]
every = 3

[model.agent]
new = { layers = 1, width = 16, heads = 2, context = 160 }

[model.target]
copy_of = "agent"

[human.expert]
script = "TASK"

[amplify.speaker]
model = "agent"
human = "expert"
call_human = { probability = 0.4 }

[amplify.overseer]
model = "target"
human = "expert"
call_human = "always"

[sample.questions]
task = { name = "TASK", depth = [0, 3] }
rows = 6

[debate.arguments]
from = "questions"
speaker = "speaker"
overseer = "overseer"
max_turns = 2

[judge.verdicts]
from = "arguments"
by = "overseer"

[loss.objective]
from = ["arguments", "verdicts"]
combine = { weighted = { alpha = 0.5 } }

[train.step]
from = "objective"
model = "agent"
adamw = { learning_rate = 2e-3 }

[sync.follow]
after = "step"
from_model = "agent"
to_model = "target"
polyak = 0.9

[evaluate.held_out]
after = "follow"
questions = { task = { name = "TASK", depth = [0, 3] } }
count = 12
of = "speaker"
every = 2
verdicts = "verdicts"
"#;

/// A pipeline as it is run.
pub fn load(source: &str) -> Loaded {
    compiled(source, |_| {})
}

fn compiled(source: &str, adjust: impl FnOnce(&mut Pipeline)) -> Loaded {
    let sources = spec::Sources::of_text("pipeline.toml", Path::new(env!("CARGO_MANIFEST_DIR")), source);
    compile(&sources, adjust).unwrap_or_else(|problems| panic!("{}", elenchus::wiring::load::draw(&problems, &sources)))
}

/// Runs a pipeline to its end in a new folder.
pub fn run(source: &str, root: &Path) {
    run_batches(source, root, None);
}

/// Runs a pipeline to its end in a new folder, and opens what it left there.
pub fn made(source: &str, root: &Path) -> batch::Run {
    run(source, root);
    batch::Run::open(root).expect("the folder of a run")
}

/// Runs a pipeline in a new folder, for its own number of batches or another.
pub fn run_batches(source: &str, root: &Path, batches: Option<u64>) {
    let shorten = |pipeline: &mut Pipeline| pipeline.batches = batches.or(pipeline.batches);
    let loaded = compiled(source, shorten);
    let texts = batch::Texts { pipeline: &loaded.pipeline.to_toml(), source, plan: &loaded.plan.to_text() };
    let mut folder = batch::RunFolder::create(root, &loaded.plan, texts).expect("the folder is new");
    let stop = AtomicBool::new(false);
    perform(loaded, &mut folder, &stop, &mut |_| {}).unwrap_or_else(|failure| panic!("{}", failure.text()));
}

/// Runs a pipeline in a new folder, and tells it to stop after some batches.
pub fn break_off(source: &str, root: &Path, batches: u64) {
    let loaded = load(source);
    let texts = batch::Texts { pipeline: &loaded.pipeline.to_toml(), source, plan: &loaded.plan.to_text() };
    let mut folder = batch::RunFolder::create(root, &loaded.plan, texts).expect("the folder is new");
    let stop = AtomicBool::new(false);
    let mut observe = |event: batch::Event<'_>| {
        if matches!(event, batch::Event::BatchCommitted { batch, .. } if batch + 1 == batches) {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let outcome = perform(loaded, &mut folder, &stop, &mut observe);
    assert!(!outcome.unwrap_or_else(|failure| panic!("{}", failure.text())).complete);
}

/// Makes the folder of a run, of which nothing is done yet.
pub fn create(source: &str, root: &Path) {
    let loaded = load(source);
    let texts = batch::Texts { pipeline: &loaded.pipeline.to_toml(), source, plan: &loaded.plan.to_text() };
    batch::RunFolder::create(root, &loaded.plan, texts).expect("the folder is new");
}

/// Takes a run that was broken off to its end.
pub fn resume(source: &str, root: &Path) {
    try_to_resume(source, root).unwrap_or_else(|failure| panic!("{failure}"));
}

/// Takes a run that was broken off to its end, or says why that cannot be.
pub fn try_to_resume(source: &str, root: &Path) -> Result<(), String> {
    let mut folder = batch::RunFolder::open(root).expect("the folder of a run");
    let stop = AtomicBool::new(false);
    perform(load(source), &mut folder, &stop, &mut |_| {}).map(drop).map_err(|failure| failure.text())
}

/// All files of a run that are promised to be the same byte for byte: not when things were done, nor by whom, nor what
/// is derived from the others, which the next `resume` brings up to them.
pub fn promised(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a run's folder can be listed") {
            let path = entry.expect("a run's folder can be listed").path();
            if path.is_dir() {
                folders.extend((!path.ends_with("tensorboard")).then_some(path));
            } else if !["timings.jsonl", "lock", "metrics.jsonl", "report.html"].iter().any(|name| path.ends_with(name))
            {
                let name = path.strip_prefix(root).expect("it is inside").to_owned();
                files.insert(name, fs::read(&path).expect("a run's file can be read"));
            }
        }
    }
    files
}

/// Asserts that two runs have the same files with the same bytes, and names the first that differs.
pub fn assert_same(one: &Path, other: &Path) {
    assert_same_files(&promised(one), &promised(other));
}

/// Asserts that two runs have the same tables and states, whatever else there is of them.
pub fn assert_same_results(one: &Path, other: &Path) {
    let [one, other] = [one, other].map(|root| {
        let mut files = promised(root);
        files.retain(|name, _| name.starts_with("segments") || name.starts_with("checkpoints"));
        files
    });
    assert!(!one.is_empty());
    assert_same_files(&one, &other);
}

fn assert_same_files(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) {
    assert!(one.keys().eq(other.keys()), "{:?} and {:?}", one.keys(), other.keys());
    for (name, bytes) in one {
        assert!(*bytes == other[name], "{} differs", name.display());
    }
}

/// Asserts that a run which is broken off after some batches goes on to the bytes of an unbroken one, and returns the folder
/// of that one, inside a folder for others.
pub fn assert_resumes(source: &str, batches: u64) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for runs");
    let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
    run(source, &whole);
    break_off(source, &broken, batches);
    resume(source, &broken);
    assert_same(&whole, &broken);
    (folder, whole)
}

/// A page needs no network: the one address in it is the name of SVG.
pub fn assert_whole(page: &str) {
    let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!page.contains("http") && !page.contains("<script"));
}
