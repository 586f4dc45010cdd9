//! An encoder against its own arithmetic in plain loops, and what is said of folders that hold none.

use crate::encoder::{FEED_FORWARD, HEADS, POSITIONS, WIDTH, WORDS, files, vocabulary};
use model::Bert;
use proptest::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::json;

type Files = Vec<(String, Vec<u8>)>;

fn bert(files: &Files) -> Bert {
    Bert::load(files).expect("the files hold an encoder")
}

fn embedded(files: &Files, text: &str) -> Vec<f32> {
    bert(files).embed(&[text], 1).expect("every text has tokens").remove(0)
}

fn file<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(other, _)| other == name).expect("a file of an encoder").1
}

/// So many words, a function of `key`.
fn words(key: usize, count: usize) -> Vec<&'static str> {
    (0..count).map(|place| WORDS[(key * 7 + place * (key + 3)) % WORDS.len()]).collect()
}

/// The ids of words, and of the control tokens around them.
fn ids(words: &[&str]) -> Vec<usize> {
    let vocabulary = vocabulary();
    let id = |word: &&str| vocabulary.iter().position(|token| token == word).expect("it is in the vocabulary");
    let words = words.iter().take(POSITIONS - 2);
    [&"[CLS]"].into_iter().chain(words).chain([&"[SEP]"]).map(id).collect()
}

/// Tensors by their names, as plain numbers.
struct Weights<'f>(SafeTensors<'f>);

impl Weights<'_> {
    fn numbers(&self, name: &str) -> Vec<f64> {
        let view = self.0.tensor(name).expect("the encoder has this tensor");
        let number = |bytes: &[u8]| f64::from(f32::from_le_bytes(bytes.try_into().expect("four bytes")));
        view.data().chunks_exact(4).map(number).collect()
    }

    fn row(&self, name: &str, row: usize) -> Vec<f64> {
        self.numbers(name)[row * WIDTH..][..WIDTH].to_vec()
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (self.numbers(&format!("{name}.weight")), self.numbers(&format!("{name}.bias")));
        weight.chunks(x.len()).zip(bias).map(|(row, bias)| dot(row, x) + bias).collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (gain, bias) = (self.numbers(&format!("{name}.weight")), self.numbers(&format!("{name}.bias")));
        let mean = x.iter().sum::<f64>() / WIDTH as f64;
        let variance = x.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / WIDTH as f64;
        let scaled = x.iter().map(|number| (number - mean) / (variance + 1e-12).sqrt());
        scaled.zip(gain).zip(bias).map(|((number, gain), bias)| number * gain + bias).collect()
    }

    /// One layer, token by token and head by head.
    fn layer(&self, number: usize, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let of = |part: &str| x.iter().map(|x| self.linear(&name(part), x)).collect::<Vec<_>>();
        let (queries, keys, values) =
            (of("attention.self.query"), of("attention.self.key"), of("attention.self.value"));
        let attended =
            |query: &[f64]| -> Vec<f64> { (0..HEADS).flat_map(|head| attended(head, query, &keys, &values)).collect() };
        let ended = |(x, query): (&Vec<f64>, &Vec<f64>)| {
            let output = self.linear(&name("attention.output.dense"), &attended(query));
            let x = self.norm(&name("attention.output.LayerNorm"), &sum(&output, x));
            let inner: Vec<f64> = self.linear(&name("intermediate.dense"), &x).into_iter().map(gelu).collect();
            assert_eq!(inner.len(), FEED_FORWARD);
            self.norm(&name("output.LayerNorm"), &sum(&self.linear(&name("output.dense"), &inner), &x))
        };
        x.iter().zip(&queries).map(ended).collect()
    }
}

/// The numbers of a head.
const SIZE: usize = WIDTH / HEADS;

/// What one head attends to for a query.
fn attended(head: usize, query: &[f64], keys: &[Vec<f64>], values: &[Vec<f64>]) -> Vec<f64> {
    let part = |of: &[f64]| of[head * SIZE..][..SIZE].to_vec();
    let score = |key: &Vec<f64>| (dot(&part(query), &part(key)) / (SIZE as f64).sqrt()).exp();
    let scores: Vec<f64> = keys.iter().map(score).collect();
    let all: f64 = scores.iter().sum();
    scores.iter().zip(values).fold(vec![0.0; SIZE], |total, (score, value)| {
        let weighted: Vec<f64> = part(value).into_iter().map(|number| number * score / all).collect();
        sum(&total, &weighted)
    })
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn sum(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter().zip(other).map(|(one, other)| one + other).collect()
}

/// x · Φ(x), where Φ is taken from the series of the error function.
fn gelu(x: f64) -> f64 {
    let half = x / 2f64.sqrt();
    let (mut term, mut sum) = (half, half);
    for n in 1..200 {
        term *= -half * half / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    x * (0.5 + sum / std::f64::consts::PI.sqrt())
}

/// The vector of some tokens, the first of which is at a position.
fn computed(files: &Files, layers: usize, ids: &[usize], first: usize) -> Vec<f64> {
    let (_, bytes) = files.iter().find(|(name, _)| name == "model.safetensors").expect("there are weights");
    let weights = Weights(SafeTensors::deserialize(bytes).expect("they can be read"));
    let begin = |(place, &id): (usize, &usize)| {
        let word = weights.row("embeddings.word_embeddings.weight", id);
        let position = weights.row("embeddings.position_embeddings.weight", first + place);
        let x = sum(&sum(&word, &position), &weights.row("embeddings.token_type_embeddings.weight", 0));
        weights.norm("embeddings.LayerNorm", &x)
    };
    let x: Vec<Vec<f64>> = ids.iter().enumerate().map(begin).collect();
    let x = (0..layers).fold(x, |x, number| weights.layer(number, &x));
    let total = x.iter().fold(vec![0.0; WIDTH], |total, x| sum(&total, x));
    let length = dot(&total, &total).sqrt();
    total.into_iter().map(|number| number / length).collect()
}

fn check(files: &Files, text: &str, expect: &[f64]) {
    let found = embedded(files, text);
    let worst = found.iter().zip(expect).map(|(found, expect)| (f64::from(*found) - expect).abs()).fold(0.0, f64::max);
    assert!(found.len() == expect.len() && worst < 1e-5, "{text:?} is off by {worst}: {found:?}, not {expect:?}");
}

/// The texts cross the lengths to which they are padded, and the one to which they are cut.
#[test]
fn a_vector_is_the_mean_of_the_last_hidden_states() {
    for layers in [1, 2] {
        let files = files(5, layers);
        for count in [0, 1, 2, 3, 13, 14, 15, 29, 30, 31, 38, 39, 60] {
            let words = words(count, count);
            check(&files, &words.join(" "), &computed(&files, layers, &ids(&words), 0));
        }
    }
}

#[test]
fn words_are_divided_as_bert_divides_them() {
    let files = files(5, 1);
    let ids = |tokens: &[&str]| computed(&files, 1, &ids(tokens), 0);
    check(&files, "  JIM\tlies.", &ids(&["jim", "lies", "."]));
    check(&files, "No, Jím", &ids(&["no", ",", "jim"]));
    check(&files, "yesb", &ids(&["yes", "##b"]));
    check(&files, "ab ?", &ids(&["a", "##b", "[UNK]"]));
    // No text becomes a control token.
    check(&files, "[SEP]", &ids(&["[UNK]", "s", "##e", "##p", "[UNK]"]));
}

#[test]
fn capital_letters_may_count() {
    let mut files = files(5, 1);
    files.push(("tokenizer_config.json".to_owned(), json!({ "do_lower_case": false }).to_string().into_bytes()));
    check(&files, "Jim jim", &computed(&files, 1, &ids(&["[UNK]", "jim"]), 0));
}

/// It may say to pad and to cut; neither is done.
#[test]
fn a_tokenizer_file_goes_before_a_list_of_tokens() {
    let mut files = files(5, 1);
    let tokens: serde_json::Map<_, _> = vocabulary().into_iter().zip((0..).map(serde_json::Value::from)).collect();
    let special = |id: usize, token: &str| {
        json!({ "id": id, "content": token, "special": true,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false })
    };
    let tokenizer = json!({
        "version": "1.0",
        "truncation": { "direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0 },
        "padding": { "strategy": { "Fixed": 32 }, "direction": "Right", "pad_to_multiple_of": null,
                     "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]" },
        "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")],
        "normalizer": null,
        "pre_tokenizer": { "type": "Whitespace" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": tokens, "unk_token": "[UNK]" },
    });
    files.push(("tokenizer.json".to_owned(), tokenizer.to_string().into_bytes()));
    let words = words(3, 12);
    check(&files, &words.join(" "), &computed(&files, 1, &ids(&words), 0));
    check(&files, "Jim jim", &computed(&files, 1, &ids(&["[UNK]", "jim"]), 0));
    check(&files, "[SEP]", &computed(&files, 1, &ids(&["[UNK]"; 3]), 0));
}

/// The positions of RoBERTa begin after that of its padding token.
#[test]
fn roberta_counts_from_its_padding_token() {
    let mut files = files(5, 1);
    let config = file(&mut files, "config.json");
    *config = String::from_utf8_lossy(config).replace("\"bert\"", "\"roberta\"").into_bytes();
    let words = words(4, 9);
    check(&files, &words.join(" "), &computed(&files, 1, &ids(&words), 1));
    let whole = bert(&files).embed(&[words.repeat(9).join(" ").as_str()], 1).expect("it is cut");
    assert_eq!(whole[0].len(), WIDTH);
}

/// The files with every tensor under another name, and stored in another way.
fn rewritten(files: &Files, name: fn(&str) -> String, kind: Dtype, bytes: fn(&[u8]) -> Vec<u8>) -> Files {
    let mut files = files.clone();
    let weights = file(&mut files, "model.safetensors");
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = {
        let stored = SafeTensors::deserialize(weights).expect("they can be read");
        let tensor = |(old, view): (String, TensorView<'_>)| (name(&old), view.shape().to_vec(), bytes(view.data()));
        stored.tensors().into_iter().map(tensor).collect()
    };
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(kind, shape.clone(), bytes).expect("as many bytes as numbers"))
    });
    *weights = safetensors::serialize(views, None).expect("they can be written");
    files
}

/// The number of 16 bits in which each number begins, and as much of the number of 32.
fn halves(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(4).flat_map(|number| [number[2], number[3]]).collect()
}

fn cut(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(4).flat_map(|number| [0, 0, number[2], number[3]]).collect()
}

#[test]
fn weights_may_be_named_and_stored_in_several_ways() {
    let files = files(5, 2);
    let text = "no because jim tells the truth";
    let part = rewritten(&files, |name| format!("bert.{name}"), Dtype::F32, <[u8]>::to_vec);
    assert_eq!(embedded(&part, text), embedded(&files, text));
    let old = |name: &str| {
        let name = format!("bert.{name}").replace("LayerNorm.weight", "LayerNorm.gamma");
        name.replace("LayerNorm.bias", "LayerNorm.beta")
    };
    assert_eq!(embedded(&rewritten(&files, old, Dtype::F32, <[u8]>::to_vec), text), embedded(&files, text));
    let stored = rewritten(&files, str::to_owned, Dtype::BF16, halves);
    assert_eq!(embedded(&stored, text), embedded(&rewritten(&files, str::to_owned, Dtype::F32, cut), text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_vector_has_length_1_and_does_not_depend_on_its_batch(
        keys in prop::collection::vec(0usize..200, 1..60),
        workers in 1usize..4,
    ) {
        let bert = bert(&files(5, 2));
        let texts: Vec<String> = keys.iter().map(|&key| words(key, key % 43).join(" ")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let together = bert.embed(&texts, workers).expect("every text has tokens");
        for (text, vector) in texts.iter().zip(&together).take(12) {
            let length: f64 = vector.iter().map(|number| f64::from(*number).powi(2)).sum();
            prop_assert!((length - 1.0).abs() < 1e-6);
            prop_assert_eq!(&bert.embed(&[*text], 1).expect("every text has tokens")[0], vector);
        }
    }
}

#[test]
fn nothing_has_no_vectors() {
    assert!(bert(&files(5, 1)).embed(&[], 2).expect("there is nothing to do").is_empty());
}

/// The error after one file has been changed.
fn error(name: &str, from: &str, to: &str) -> String {
    let mut files = files(5, 1);
    let bytes = file(&mut files, name);
    let text = String::from_utf8_lossy(bytes).into_owned();
    assert!(text.contains(from), "{name} has no {from}");
    *bytes = text.replace(from, to).into_bytes();
    Bert::load(&files).expect_err("the file is damaged").to_string()
}

/// The error without one file.
fn without(name: &str) -> String {
    let mut files = files(5, 1);
    files.retain(|(other, _)| other != name);
    Bert::load(&files).expect_err("a file is missing").to_string()
}

#[test]
fn what_is_no_encoder_names_the_file_and_the_culprit() {
    insta::assert_snapshot!(without("config.json"), @"config.json is missing");
    insta::assert_snapshot!(without("model.safetensors"), @"model.safetensors is missing");
    insta::assert_snapshot!(without("vocab.txt"), @"tokenizer.json (or vocab.txt) is missing");
    insta::assert_snapshot!(error("config.json", "\"bert\"", "\"distilbert\""), @r#"config.json: `model_type` is "distilbert", but only "bert", "roberta", "xlm-roberta" or "camembert" is supported"#);
    insta::assert_snapshot!(error("config.json", "\"gelu\"", "\"relu\""), @r#"config.json: `hidden_act` is "relu", but only "gelu" or "gelu_new" is supported"#);
    insta::assert_snapshot!(error("config.json", "\"hidden_act\"", "\"position_embedding_type\":\"relative_key\",\"hidden_act\""), @r#"config.json: `position_embedding_type` is "relative_key", but only "absolute" is supported"#);
    insta::assert_snapshot!(error("config.json", "\"hidden_size\"", "\"dim\""), @"config.json: `hidden_size` is missing, or not a whole number");
    insta::assert_snapshot!(error("config.json", "_heads\":2", "_heads\":3"), @"config.json: `hidden_size` = 16 cannot be parted among 3 `num_attention_heads`");
    insta::assert_snapshot!(error("config.json", "_layers\":1", "_layers\":2"), @"model.safetensors has no tensor `encoder.layer.1.attention.self.query.weight`, which config.json calls for");
    insta::assert_snapshot!(error("config.json", "_size\":24", "_size\":32"), @"model.safetensors: `encoder.layer.0.intermediate.dense.weight` is F32 [24, 16], but config.json calls for F32 [32, 16]");
    insta::assert_snapshot!(error("config.json", "_embeddings\":40", "_embeddings\":2"), @"config.json: `max_position_embeddings` is 2, but only 3 or more is supported");
    insta::assert_snapshot!(error("config.json", "\"vocab_size\":67", "\"vocab_size\":66"), @"vocab.txt has 67 tokens, but config.json says `vocab_size` = 66");
    insta::assert_snapshot!(error("vocab.txt", "[CLS]", "[BEGIN]"), @"vocab.txt has no token `[CLS]`");
}
