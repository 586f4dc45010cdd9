//! Writes a model with random weights, some prompts and the logits it gives them, for `ci/check-transformers` to compare
//! with what Hugging Face computes from the same files: `logits FOLDER`.

use std::{error::Error, fs, path::PathBuf};

use model::{Llama, Model, Tokenizer};
use serde_json::{Value, json};
use spec::settings::Architecture;
use tch::{Device, Kind, Tensor};

const PROMPTS: [&str; 5] = [
    "Question: Ada tells the truth. Ben says Ada lies. Does Ben tell the truth?",
    "Ben lies.",
    "not ( True and False ) or True is",
    "Question: Unheard-of words, <eos> and a  gap?",
    "Ada says Ben tells the truth. Ben says Ada tells the truth. Ada lies. Ben lies. Ada says Ben lies. Does Ada lie?",
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: logits FOLDER")?);
    fs::create_dir_all(&folder)?;
    let phrases = ["tells the truth", "tell the truth", "lies"].map(String::from);
    let words =
        ["Question : Ada Ben says Does ? . ( ) < eos > - ,", "not True False and or is a gap"].map(String::from);
    let tokenizer = Tokenizer::from_wording(&phrases, &words)?;
    let architecture = Architecture { layers: 3, width: 64, heads: 4, context: 64, feed_forward: 176 };
    let model = Model::new(architecture, tokenizer, 11);
    for (name, bytes) in model.save() {
        fs::write(folder.join(name), bytes)?;
    }
    let rows: Vec<Value> = PROMPTS.iter().map(|prompt| row(&model, prompt)).collect();
    fs::write(folder.join("logits.json"), json!(rows).to_string())?;
    Ok(())
}

fn row(model: &Model, text: &str) -> Value {
    let ids = model.tokenizer.prompt(text);
    let tokens: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    let llama = Llama::new(&model.weights.handle(false), ids.len());
    let everywhere = Tensor::arange(tokens.len() as i64, (Kind::Int64, Device::Cpu));
    let logits = llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &everywhere);
    let mut numbers = vec![0f32; logits.numel()];
    logits.copy_data(&mut numbers, logits.numel());
    json!({ "text": text, "ids": ids, "decoded": model.tokenizer.decode(&ids), "logits": numbers })
}
