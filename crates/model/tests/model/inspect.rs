//! What is seen inside a model is what it computes, whatever else is looked into.

use model::{GenerateError, Inspected, Llama, Model, Sampling, Tokenizer, generate, inspect, score};
use proptest::prelude::*;
use spec::settings::Architecture;
use tch::{Device, Kind, Tensor};

fn model(layers: usize) -> Model {
    let words: Vec<String> = (0..40).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    Model::new(Architecture { layers, width: 64, heads: 4, context: 200, feed_forward: 256 }, tokenizer, 5)
}

/// A prompt that is a function of `key`: from 1 to 97 tokens.
fn prompt(key: usize) -> Vec<u32> {
    (0..1 + key * 31 % 97).map(|place| (4 + (key * 7 + place * (key + 3)) % 40) as u32).collect()
}

/// An answer that is a function of `key`, of one to four tokens.
fn given(key: usize) -> Vec<u32> {
    (0..1 + key % 4).map(|place| (4 + (key * 5 + place * 11) % 40) as u32).collect()
}

fn seen(model: &Model, keys: &[usize], workers: usize) -> Vec<Inspected> {
    let (prompts, answers): (Vec<_>, Vec<_>) = keys.iter().map(|&key| (prompt(key), given(key))).unzip();
    inspect(model, &prompts, &answers, workers).expect("all prompts fit")
}

/// The distributions of the tokens of an answer, by the model as it is trained.
fn whole(model: &Model, key: usize) -> Tensor {
    let tokens: Vec<i64> = prompt(key).iter().chain(&given(key)).map(|&token| i64::from(token)).collect();
    let first = prompt(key).len() as i64 - 1;
    let places = Tensor::arange_start(first, tokens.len() as i64 - 1, (Kind::Int64, Device::Cpu));
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(1, Kind::Double)
}

#[test]
fn log_probabilities_and_entropies_are_those_of_the_whole_sequence() {
    let model = model(2);
    let keys: Vec<usize> = (0..40).collect();
    let (prompts, answers): (Vec<_>, Vec<_>) = keys.iter().map(|&key| (prompt(key), given(key))).unzip();
    let scored = score(&model, &prompts, &answers, 2).expect("all prompts fit");
    for ((key, seen), scored) in keys.iter().zip(seen(&model, &keys, 2)).zip(scored) {
        let near = |one: &[f32], other: &[f32]| one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-4);
        assert_eq!(seen.log_probs.len(), given(*key).len());
        assert!(near(&seen.log_probs, &scored.log_probs), "{key}");
        let log_probs = whole(&model, *key);
        let entropies: Vec<f32> = (0..given(*key).len() as i64)
            .map(|step| {
                let row = log_probs.get(step);
                -(row.exp() * &row).sum(Kind::Double).double_value(&[]) as f32
            })
            .collect();
        assert!(near(&seen.entropies, &entropies), "{key}: {:?} {entropies:?}", seen.entropies);
    }
}

#[test]
fn the_lens_at_the_last_layer_is_the_model() {
    for layers in 1..4 {
        let model = model(layers);
        for (key, seen) in (0..20).zip(seen(&model, &(0..20).collect::<Vec<_>>(), 2)) {
            assert_eq!(seen.likeliest.len(), layers);
            let likeliest = whole(&model, key).get(0).argmax(0, false).int64_value(&[]) as u32;
            assert_eq!(seen.likeliest.last(), Some(&likeliest));
        }
    }
}

/// Until its last layer, a model is the one without it.
#[test]
fn the_lens_before_the_last_layer_is_a_model_without_it() {
    let deep = model(2);
    let mut shallow = model(1);
    let layer = (deep.weights.flat.numel() - shallow.weights.flat.numel()) as i64;
    let (all, width) = (deep.weights.flat.numel() as i64, 64);
    let parts = [deep.weights.flat.narrow(0, 0, all - width - layer), deep.weights.flat.narrow(0, all - width, width)];
    shallow.weights.flat = Tensor::cat(&parts, 0);
    let keys: Vec<usize> = (0..20).collect();
    for (deep, shallow) in seen(&deep, &keys, 1).iter().zip(seen(&shallow, &keys, 1)) {
        assert_eq!(deep.likeliest[0], shallow.likeliest[0]);
    }
}

#[test]
fn attention_is_shared_out_over_the_prompt() {
    let model = model(2);
    let keys: Vec<usize> = (0..60).collect();
    for (key, seen) in keys.iter().zip(seen(&model, &keys, 2)) {
        assert_eq!(seen.attention.len(), prompt(*key).len());
        assert!((seen.attention.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{key}");
        assert!(seen.attention.iter().all(|share| *share >= 0.0));
        assert_eq!(seen.hidden.len(), 64);
    }
}

/// Queries of 0 attend to all keys alike.
#[test]
fn attention_without_a_preference_is_even() {
    let mut model = model(1);
    let (vocabulary, width) = (model.tokenizer.vocabulary() as i64, 64);
    let flat = model.weights.flat.copy();
    let _ = flat.narrow(0, vocabulary * width + width, width * width).zero_();
    model.weights.flat = flat;
    for (key, seen) in (0..20).zip(seen(&model, &(0..20).collect::<Vec<_>>(), 1)) {
        let even = 1.0 / prompt(key).len() as f32;
        assert!(seen.attention.iter().all(|share| (share - even).abs() < 1e-5), "{:?}", seen.attention);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn what_is_seen_does_not_depend_on_its_batch(keys in prop::collection::vec(0usize..500, 1..80), workers in 1usize..4) {
        let model = model(2);
        let together = seen(&model, &keys, workers);
        for (key, alone) in keys.iter().zip(&together).take(12) {
            prop_assert_eq!(&seen(&model, &[*key], 1)[0], alone);
        }
    }
}

#[test]
fn what_was_sampled_is_seen_as_it_was_sampled() {
    let model = model(2);
    let prompts: Vec<Vec<u32>> = (0..20).map(prompt).collect();
    let sampling = Sampling { max_tokens: 6, temperature: 1.0 };
    let uniform = |row: usize, position: u32| ((row * 37 + position as usize * 11) % 97) as f64 / 97.0 + 0.005;
    let sampled = generate(&model, &prompts, sampling, &uniform, 2).expect("all prompts fit");
    let answers: Vec<Vec<u32>> = sampled.iter().map(|answer| answer.tokens.clone()).collect();
    for (seen, sampled) in inspect(&model, &prompts, &answers, 2).expect("they fit").iter().zip(&sampled) {
        let near = seen.log_probs.iter().zip(&sampled.log_probs).all(|(one, other)| (one - other).abs() < 1e-4);
        assert!(near, "{seen:?} {sampled:?}");
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let error = inspect(&model(1), &[vec![5; 198]], &[vec![6; 3]], 1).unwrap_err();
    assert!(matches!(error, GenerateError::PromptTooLong { row: 0, length: 198, limit: 197, .. }), "{error}");
    assert_eq!(inspect(&model(1), &[vec![]], &[vec![6]], 1), Err(GenerateError::PromptEmpty { row: 0 }));
}
