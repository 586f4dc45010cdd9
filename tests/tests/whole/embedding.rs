//! A distance by an encoder: runs that train on it, what their results depend on, and what is said of folders without
//! one.

use batch::Run;
use debate::distance::{Embedder as _, Measure};
use elenchus::{
    stages::embeddings::Embeddings,
    wiring::load::{compile, draw, load_offline},
};
use model::Bert;
use spec::{
    Sources,
    settings::{Distance, Embedding, File},
};
use std::{fs, path::Path};
use tests::{assert_resumes, encoder, load, run, small, write_encoder};

/// A pipeline whose M trains on how far its answers are from H's by the encoder in a folder.
fn by_encoder(folder: &str, combine: &str, batches: u64) -> String {
    let distance = format!("[loss.objective]\ndistance = {{ embedding = {{ folder = \"{folder}\" }} }}");
    let source = small("web-of-lies", batches).replace("[loss.objective]", &distance);
    source.replace("{ weighted = { alpha = 0.5 } }", combine).replace("polyak = 0.9", "every = 1")
}

const WEIGHTED: &str = "{ weighted = { alpha = 0.5 } }";
const REWARD: &str = "{ reward = { beta = 0.5 } }";

fn embeddings() -> Embeddings {
    Embeddings::new(Bert::load(&encoder::files(1, 1)).unwrap(), 2)
}

fn distances(embeddings: &Embeddings, pairs: &[(&str, &str)]) -> Vec<f64> {
    let distance = Distance::Embedding(Embedding { folder: File { path: String::new(), span: 0..0 } });
    let measure = Measure { distance: &distance, embedder: Some(embeddings) };
    measure.of(pairs).unwrap().into_iter().map(Option::unwrap).collect()
}

#[test]
fn the_same_is_at_0_and_others_as_far_there_as_back() {
    let embeddings = embeddings();
    let texts = ["Yes", "No", "Yes because Jim lies.", "No because Jim tells the truth.", "", "Inga lies , Zoltan ?"];
    let pairs: Vec<(&str, &str)> = texts.iter().flat_map(|&one| texts.map(|other| (one, other))).collect();
    let all = distances(&embeddings, &pairs);
    let of = |one: usize, other: usize| all[one * texts.len() + other];
    for (one, from) in texts.iter().enumerate() {
        assert_eq!(of(one, one), 0.0);
        for (other, to) in texts.iter().enumerate() {
            assert_eq!(of(one, other), of(other, one));
            assert!((0.0..=1.0).contains(&of(one, other)), "{}", of(one, other));
            // Whatever else is asked with it.
            assert_eq!(distances(&embeddings, &[(*from, *to)]), [of(one, other)]);
        }
    }
    assert!(of(0, 1) > 0.01, "{all:?}");
    assert_eq!(distances(&embeddings, &[("Yes because Jim lies.", "Yes  because Jim lies .")]), [0.0]);
    assert_eq!(embeddings.embed(&["jim"]).unwrap(), embeddings.embed(&["JIM"]).unwrap());
}

#[test]
fn runs_that_train_on_embeddings_resume_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = folder.path().join("encoder");
    write_encoder(&encoder, 1);
    for combine in [WEIGHTED, REWARD] {
        let source = by_encoder(encoder.to_str().unwrap(), combine, 7);
        let (_runs, whole) = assert_resumes(&source, 5);
        let run = Run::open(&whole).unwrap();
        let noted = run.lines()[6].metrics["objective.distance"];
        assert!((0.0..=1.0).contains(&noted), "{noted}");
        let rows = run.table("objective", 0).unwrap();
        let costs: Vec<f64> = rows.column("distance").unwrap().f64().unwrap().iter().flatten().collect();
        assert!(costs.iter().any(|cost| *cost > 0.0 && *cost < 1.0), "an embedding is not all or nothing: {costs:?}");
    }
}

#[test]
fn a_prediction_may_be_of_how_far_embeddings_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(&folder.path().join("encoder"), 1);
    let encoder = folder.path().join("encoder");
    let learned = "call_human = { learned = { model = \"adversary\", least = 0.5 } }";
    let adversary = format!(
        "[model.adversary]\nnew = {{ layers = 1, width = 16, heads = 2, context = 200 }}\n\n[loss.predictions]\n\
         from = \"arguments\"\npredict = \"speaker\"\ndistance = {{ embedding = {{ folder = \"{}\" }} }}\n\
         combine = {{ weighted = {{ alpha = 0.0 }} }}\n\n[train.adversary_step]\nfrom = \"predictions\"\n\
         model = \"adversary\"\nadamw = {{ learning_rate = 1e-2 }}\n",
        encoder.display()
    );
    let source = small("web-of-lies", 3).replace("call_human = { probability = 0.4 }", learned) + &adversary;
    let root = folder.path().join("run");
    run(&source, &root);
    let rows = Run::open(&root).unwrap().table("predictions", 0).unwrap();
    let weights: Vec<f32> = rows.column("supervised").unwrap().f32().unwrap().iter().flatten().collect();
    assert!(weights.iter().any(|weight| *weight > 0.0 && *weight < 1.0), "{weights:?}");
}

/// Results depend on what is in the folder.
#[test]
fn another_encoder_makes_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = folder.path().join("encoder");
    write_encoder(&encoder, 1);
    let source = by_encoder(encoder.to_str().unwrap(), WEIGHTED, 2);
    let key = load(&source).plan.key;
    write_encoder(&encoder, 1);
    assert_eq!(load(&source).plan.key, key);
    write_encoder(&encoder, 2);
    assert_ne!(load(&source).plan.key, key);
}

fn reported(folder: &Path, encoder: &str) -> String {
    let sources = Sources::of_text("pipeline.toml", folder, &by_encoder(encoder, WEIGHTED, 2));
    match compile(&sources, |_| {}) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => draw(&problems, &sources).replace(&folder.display().to_string(), "FOLDER"),
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let change = |name: &str, file: &str, from: &str, to: &str| {
        write_encoder(&path.join(name), 1);
        let text = fs::read_to_string(path.join(name).join(file)).unwrap();
        fs::write(path.join(name).join(file), text.replace(from, to)).unwrap();
    };
    fs::create_dir(path.join("empty")).unwrap();
    change("family", "config.json", "\"bert\"", "\"distilbert\"");
    change("deeper", "config.json", "_layers\":1", "_layers\":2");
    change("wider", "config.json", "_size\":24", "_size\":32");
    let found = ["nowhere", "empty", "family", "deeper", "wider"].map(|name| reported(path, name));
    for (report, cause) in found.iter().zip([
        "there is no encoder in `FOLDER/nowhere`: No such file or directory",
        "there is no encoder in `FOLDER/empty`: config.json is missing",
        "`model_type` is \"distilbert\"",
        "`encoder.layer.1.attention.self.query.weight`",
        "is F32 [24, 16]",
    ]) {
        // Lines are broken where they are too long.
        let words = |text: &str| text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(report).contains(cause), "{report}");
        assert!(report.contains("pipeline.toml:") && report.contains("help: name a folder of the BERT"), "{report}");
    }
    write_encoder(&path.join("right"), 1);
    assert_eq!(reported(path, "right"), "no problems");
}

#[test]
fn a_pipeline_is_checked_offline_without_the_encoder() {
    let source = by_encoder("nowhere", WEIGHTED, 2);
    assert!(load_offline(&Sources::of_text("pipeline.toml", Path::new("/nowhere"), &source)).is_ok());
}
