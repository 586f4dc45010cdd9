//! The question sets of `data/` are what the generators make of a fixed seed: made anew here and compared. Run with
//! `ELENCHUS_UPDATE=1` to write them.

use debate::draw::Draw;
use polars::prelude::{Column, DataFrame};
use spec::settings::Task;
use std::path::Path;
use tasks::{Generator, Question};

const SEED: u64 = 20_200;
const QUESTIONS: u64 = 500;

fn check(name: &str, depth: (u32, u32), exclude_words: Vec<u32>) {
    let generator = Generator::new(&Task { name: name.to_owned(), depth, exclude_words, trigger: 0.0 }).unwrap();
    let draw = Draw::new(SEED).named(name);
    let questions: Vec<Question> = (0..QUESTIONS).map(|ordinal| generator.question(draw.at(ordinal))).collect();
    let column = |name: &str, text: fn(&Question) -> &str| {
        Column::new(name.into(), questions.iter().map(text).collect::<Vec<_>>())
    };
    let depths: Vec<u32> = questions.iter().map(|question| question.depth).collect();
    let columns = vec![
        column("question", |question| &question.text),
        column("answer", |question| &question.gold),
        Column::new("depth".into(), depths),
    ];
    let made = DataFrame::new(questions.len(), columns).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name).join("test.parquet");
    if std::env::var_os("ELENCHUS_UPDATE").is_some() {
        std::fs::write(&file, batch::parquet::encode(&made).unwrap()).unwrap();
    }
    let kept = batch::parquet::decode(&std::fs::read(&file).unwrap()).unwrap();
    assert!(kept.equals_missing(&made), "{} is not what its generator makes", file.display());
}

#[test]
fn web_of_lies() {
    check("web-of-lies", (0, 4), Vec::new());
}

#[test]
fn boolean_expressions() {
    check("boolean-expressions", (1, 5), vec![8]);
}
