//! A model as files and back, and what is said of files that are not a model.

use model::{Model, Tokenizer};
use spec::settings::Architecture;

type Files = Vec<(String, Vec<u8>)>;

fn model() -> Model {
    let tokenizer =
        Tokenizer::from_wording(&["a phrase".to_string()], &["some words .".to_string()]).expect("no control tokens");
    let architecture = Architecture { layers: 1, width: 8, heads: 2, context: 16, feed_forward: 12 };
    Model { version: 7, ..Model::new(architecture, tokenizer, 5) }
}

fn file<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(other, _)| other == name).expect("a file of a checkpoint").1
}

/// The error after one file has been changed.
fn error(name: &str, change: impl Fn(&str) -> String) -> String {
    let mut files = model().save();
    let bytes = file(&mut files, name);
    *bytes = change(&String::from_utf8_lossy(bytes)).into_bytes();
    Model::load(&files).expect_err("the file is damaged").to_string()
}

#[test]
fn what_is_saved_is_loaded() {
    let files = model().save();
    let loaded = Model::load(&files).unwrap();
    assert!(loaded.weights.flat.equal(&model().weights.flat));
    assert_eq!((loaded.architecture(), loaded.version), (model().architecture(), 7));
    assert_eq!(loaded.save(), files);
}

#[test]
fn a_copy_does_not_follow() {
    let original = model();
    let copy = original.deep_copy();
    let _ = original.weights.flat.shallow_clone().zero_();
    assert!(copy.weights.flat.equal(&model().weights.flat));
}

#[test]
fn the_seed_decides_the_weights() {
    let fresh = |seed| Model::new(model().architecture().clone(), model().tokenizer, seed).weights.flat;
    assert!(fresh(1).equal(&fresh(1)));
    assert!(!fresh(1).equal(&fresh(2)));
}

#[test]
fn a_damaged_checkpoint_names_the_file_and_the_culprit() {
    let mut without = model().save();
    without.retain(|(name, _)| name != "tokenizer.json");
    insta::assert_snapshot!(Model::load(&without).unwrap_err(), @"tokenizer.json is missing");
    insta::assert_snapshot!(error("config.json", |text| text.replace('}', "")), @"config.json: EOF while parsing an object at line 25 column 0");
    insta::assert_snapshot!(error("config.json", |text| text.replace("\"hidden_size\"", "\"size\"")), @"config.json: `hidden_size` is missing, or not a whole number");
    insta::assert_snapshot!(error("config.json", |text| text.replace("_heads\": 2", "_heads\": 3")), @"config.json: `hidden_size` = 8 must be a multiple of 8, and an even number for each of 3 `num_attention_heads`");
    insta::assert_snapshot!(error("config.json", |text| text.replace("\"llama\"", "\"gpt2\"")), @r#"config.json: `model_type` is "gpt2", but only "llama" is supported"#);
    insta::assert_snapshot!(error("config.json", |text| text.replace("\"intermediate_size\": 12", "\"intermediate_size\": 16")), @"model.safetensors: `model.layers.0.mlp.gate_proj.weight` is F32 [12, 8], but config.json calls for F32 [16, 8]");
    insta::assert_snapshot!(error("config.json", |text| text.replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2")), @"model.safetensors has no tensor `model.layers.1.input_layernorm.weight`, which config.json calls for");
    insta::assert_snapshot!(error("config.json", |text| text.replace("\"vocab_size\": 8", "\"vocab_size\": 7")), @"tokenizer.json has 8 tokens, but config.json says `vocab_size` = 7");
    insta::assert_snapshot!(error("tokenizer.json", |text| text.replace("WordLevel", "Letters")), @"tokenizer.json: not a tokenizer: data did not match any variant of untagged enum ModelUntagged at line 136 column 1");
}

#[test]
fn damaged_weights_are_told() {
    let damaged = |change: fn(&mut Vec<u8>)| {
        let mut files = model().save();
        change(file(&mut files, "model.safetensors"));
        Model::load(&files).unwrap_err().to_string()
    };
    insta::assert_snapshot!(damaged(|bytes| bytes.truncate(5)), @"model.safetensors is damaged: header too small");
    insta::assert_snapshot!(damaged(|bytes| bytes.truncate(2000)), @"model.safetensors is damaged: incomplete metadata, file not fully covered");
    insta::assert_snapshot!(damaged(|bytes| bytes[20] = 0xff), @"model.safetensors is damaged: invalid UTF-8 in header: invalid utf-8 sequence of 1 bytes from index 12");
}
