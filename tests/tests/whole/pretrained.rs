//! Pipelines whose M was trained before.

use batch::Run;
use elenchus::wiring::load::{compile, draw, load_offline};
use spec::Sources;
use std::{fs, path::Path};

const ASKED: &str = r#"
seed = 1
batches = 1

[model.agent]
checkpoint = "trained/checkpoints/000003/model.agent"

[read.rows]
files = "questions.jsonl"
rows = 9
number = "id"

[answer.asked]
from = "rows"
model = { name = "agent", temperature = 0.0 }
"#;

const QUESTIONS: &str = r#"{"text": "Question: Jim lies. Does Jim tell the truth?"}
{"text": "Question: Inga lies. Jim says Inga lies. Does Jim tell the truth?"}
{"text": "Question: Zoltan tells the truth. Does Zoltan tell the truth?"}
"#;

/// A folder with questions and with a run of each task.
fn scratch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("questions.jsonl"), QUESTIONS).unwrap();
    tests::run(&tests::small("web-of-lies", 3), &folder.path().join("trained"));
    tests::run(&tests::small("boolean-expressions", 3), &folder.path().join("other"));
    folder
}

fn sources(source: &str, folder: &Path) -> Sources {
    Sources::of_text("pipeline.toml", folder, source)
}

fn reported(source: &str, folder: &Path) -> String {
    let sources = sources(source, folder);
    match compile(&sources, |_| {}) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => draw(&problems, &sources).replace(&folder.display().to_string(), "FOLDER"),
    }
}

#[test]
fn m_answers_as_the_run_that_trained_it() {
    let folder = scratch();
    let source = ASKED.replace("\"trained", &format!("\"{}/trained", folder.path().display()));
    let source = source.replace("\"questions", &format!("\"{}/questions", folder.path().display()));
    let root = folder.path().join("run");
    tests::run(&source, &root);
    let asked = Run::open(&root).unwrap().table("asked", 0).unwrap();
    let answers: Vec<String> =
        asked.column("answer").unwrap().str().unwrap().iter().map(|it| it.unwrap().into()).collect();
    let trained = folder.path().join("trained");
    let evaluated = elenchus::verbs::evaluate::of(&trained, &folder.path().join("questions.jsonl"), "last");
    let evaluated = evaluated.unwrap_or_else(|failure| panic!("{}", failure.text()));
    assert_eq!(answers, evaluated.answers.into_iter().map(|row| row.answer.unwrap()).collect::<Vec<_>>());
}

/// Training goes on from the weights, not from fresh ones; and the run is another one if its folder holds others.
#[test]
fn training_starts_with_the_weights_of_the_folder() {
    let folder = scratch();
    let trained = folder.path().join("trained/checkpoints/000003/model.agent");
    let new = "new = { layers = 1, width = 16, heads = 2, context = 160 }";
    let source = tests::small("web-of-lies", 1).replace(new, &format!("checkpoint = \"{}\"", trained.display()));
    let source = source.replace("learning_rate = 2e-3", "learning_rate = 0.0");
    let root = folder.path().join("run");
    tests::run(&source, &root);
    for model in ["model.agent", "model.target"] {
        let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
        assert!(weights(&root.join("checkpoints/000001").join(model)) == weights(&trained), "{model}");
    }
    let key = tests::load(&source).plan.key;
    fs::copy(
        folder.path().join("trained/checkpoints/000003/model.target/model.safetensors"),
        trained.join("model.safetensors"),
    )
    .unwrap();
    assert_ne!(tests::load(&source).plan.key, key);
}

#[test]
fn what_is_wrong_with_a_folder_is_told_at_its_place() {
    let folder = scratch();
    let path = folder.path();
    fs::create_dir(path.join("damaged")).unwrap();
    for file in ["config.json", "tokenizer.json"] {
        fs::copy(path.join("trained/checkpoints/000003/model.agent").join(file), path.join("damaged").join(file))
            .unwrap();
    }
    fs::write(path.join("damaged/model.safetensors"), "no tensors").unwrap();
    let with = |folder: &str| ASKED.replace("trained/checkpoints/000003/model.agent", folder);
    let human = "[human.expert]\nscript = \"boolean-expressions\"\n";
    let another = "[model.another]\ncheckpoint = \"other/checkpoints/000003/model.agent\"\n";
    let reports = [
        with("nowhere"),
        with("trained"),
        with("damaged"),
        format!("{ASKED}\n{human}"),
        format!("{ASKED}\n{another}"),
        ASKED.replace("temperature = 0.0", "max_tokens = 160"),
    ];
    insta::assert_snapshot!(reports.map(|source| reported(&source, path)).join("\n"));
}

#[test]
fn a_pipeline_is_checked_offline_without_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("questions.jsonl"), QUESTIONS).unwrap();
    assert!(load_offline(&sources(ASKED, folder.path())).is_ok());
}
