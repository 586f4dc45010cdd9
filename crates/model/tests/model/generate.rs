//! What a row is answered does not depend on what surrounds it.

use model::{GenerateError, Generated, Llama, Model, Sampling, Tokenizer, distributions, generate, score};
use proptest::prelude::*;
use spec::settings::Architecture;
use tch::{Device, Kind, Tensor};

fn model() -> Model {
    with(Architecture { layers: 2, width: 64, heads: 4, context: 400, feed_forward: 256 })
}

fn with(architecture: Architecture) -> Model {
    let words: Vec<String> = (0..40).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    Model::new(architecture, tokenizer, 5)
}

/// A prompt that is a function of `key`: from 1 to 97 tokens, and now and then some 300.
fn prompt(key: usize) -> Vec<u32> {
    let long = if key % 29 == 7 { 210 } else { 0 };
    (0..1 + key * 31 % 97 + long).map(|place| (4 + (key * 7 + place * (key + 3)) % 40) as u32).collect()
}

fn answers(model: &Model, keys: &[usize], temperature: f64, workers: usize) -> Vec<Generated> {
    let prompts: Vec<_> = keys.iter().map(|&key| prompt(key)).collect();
    let uniform = |row: usize, position: u32| ((keys[row] * 37 + position as usize * 11) % 97) as f64 / 97.0 + 0.005;
    generate(model, &prompts, Sampling { max_tokens: 6, temperature }, &uniform, workers).expect("all prompts fit")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_row_does_not_depend_on_its_batch(
        keys in prop::collection::vec(0usize..500, 1..150),
        workers in 1usize..4,
        greedy: bool,
    ) {
        let model = model();
        let temperature = if greedy { 0.0 } else { 0.7 };
        let together = answers(&model, &keys, temperature, workers);
        for (key, answer) in keys.iter().zip(&together).take(12) {
            prop_assert_eq!(&answers(&model, &[*key], temperature, 1)[0], answer);
        }
        let reversed: Vec<_> = keys.iter().rev().copied().collect();
        let mut backwards = answers(&model, &reversed, temperature, 2);
        backwards.reverse();
        prop_assert_eq!(backwards, together);
    }
}

#[test]
fn a_row_is_the_same_alone_and_among_7_64_and_500() {
    let model = model();
    let keys: Vec<usize> = (0..500).collect();
    let all = answers(&model, &keys, 1.0, 2);
    for count in [1, 7, 64] {
        assert_eq!(answers(&model, &keys[..count], 1.0, 1), all[..count]);
    }
}

#[test]
fn other_sizes_are_no_exception() {
    for (layers, width, heads, feed_forward) in [(1, 8, 2, 12), (2, 24, 3, 37), (3, 40, 2, 100), (2, 64, 8, 256)] {
        let model = with(Architecture { layers, width, heads, context: 400, feed_forward });
        let keys: Vec<usize> = (0..150).collect();
        let all = answers(&model, &keys, 1.0, 2);
        for (key, answer) in keys.iter().zip(all).step_by(7) {
            assert_eq!(answers(&model, &[*key], 1.0, 1)[0], answer, "width {width}, key {key}");
        }
    }
}

#[test]
fn the_cache_says_what_the_whole_sequence_says() {
    let model = model();
    let keys: Vec<usize> = (0..40).collect();
    for (key, answer) in keys.iter().zip(answers(&model, &keys, 1.0, 2)) {
        let tokens: Vec<i64> = prompt(*key).iter().chain(&answer.tokens).map(|&token| i64::from(token)).collect();
        let first = prompt(*key).len() - 1;
        let places = Tensor::arange_start(first as i64, tokens.len() as i64 - 1, (Kind::Int64, Device::Cpu));
        let llama = Llama::new(&model.weights.handle(false), tokens.len());
        let whole = llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(1, Kind::Double);
        for (step, (&token, &log_prob)) in answer.tokens.iter().zip(&answer.log_probs).enumerate() {
            let expected = whole.double_value(&[step as i64, i64::from(token)]);
            assert!((expected - f64::from(log_prob)).abs() < 1e-4, "{key}, {step}: {expected} {log_prob}");
        }
    }
}

/// An answer that is a function of `key`, of one to four tokens.
fn given(key: usize) -> Vec<u32> {
    (0..1 + key % 4).map(|place| (4 + (key * 5 + place * 11) % 40) as u32).collect()
}

fn scores(model: &Model, keys: &[usize], workers: usize) -> Vec<Generated> {
    let (prompts, answers): (Vec<_>, Vec<_>) = keys.iter().map(|&key| (prompt(key), given(key))).unzip();
    score(model, &prompts, &answers, workers).expect("all prompts fit")
}

/// What a score is of, all of it, whatever else is read.
#[test]
fn a_distribution_has_what_is_scored_at_its_place() {
    let model = model();
    let read = |keys: &[usize], workers| {
        let (prompts, answers): (Vec<_>, Vec<_>) = keys.iter().map(|&key| (prompt(key), given(key))).unzip();
        distributions(&model, &prompts, &answers, workers).expect("all prompts fit")
    };
    let (keys, vocabulary) = ((0..60).collect::<Vec<usize>>(), model.tokenizer.vocabulary());
    for ((key, found), scored) in keys.iter().zip(read(&keys, 2)).zip(scores(&model, &keys, 1)) {
        assert_eq!((&found.tokens, &found.log_probs), (&scored.tokens, &scored.log_probs));
        assert_eq!((found.distributions.len(), scored.distributions.len()), (found.tokens.len() * vocabulary, 0));
        for (place, row) in found.distributions.chunks(vocabulary).enumerate() {
            assert_eq!(row[found.tokens[place] as usize], found.log_probs[place]);
            let all: f64 = row.iter().map(|&log_prob| f64::from(log_prob).exp()).sum();
            assert!((all - 1.0).abs() < 1e-5, "{all}");
        }
        assert_eq!(read(&[*key], 1)[0], found);
    }
}

/// One ends early beside another that goes on, each at the end of the context.
#[test]
fn a_context_is_read_to_its_last_token() {
    let model = model();
    let long = |length: usize| (0..length).map(|place| (4 + place % 40) as u32).collect::<Vec<u32>>();
    let (prompts, answers) = ([long(399), long(390)], [long(2), long(11)]);
    let both = distributions(&model, &prompts, &answers, 1).expect("both fit");
    for row in 0..2 {
        let alone = distributions(&model, &prompts[row..=row], &answers[row..=row], 1);
        assert_eq!(alone, Ok(vec![both[row].clone()]));
    }
    let error = GenerateError::PromptTooLong { row: 0, length: 400, limit: 399, context: 400, max_tokens: 1 };
    assert_eq!(distributions(&model, &[long(400)], &[long(2)], 1), Err(error));
}

/// Bit for bit: both go the same way.
#[test]
fn what_was_sampled_is_scored_as_it_was_sampled() {
    let model = model();
    let keys: Vec<usize> = (0..60).collect();
    let sampled = answers(&model, &keys, 1.0, 2);
    let prompts: Vec<_> = keys.iter().map(|&key| prompt(key)).collect();
    let tokens: Vec<_> = sampled.iter().map(|answer| answer.tokens.clone()).collect();
    assert_eq!(score(&model, &prompts, &tokens, 2), Ok(sampled));
}

#[test]
fn a_score_is_the_log_softmax_of_the_whole_sequence() {
    let model = model();
    let keys: Vec<usize> = (0..40).collect();
    for (key, scored) in keys.iter().zip(scores(&model, &keys, 2)) {
        assert_eq!(scored.tokens, given(*key));
        let tokens: Vec<i64> = prompt(*key).iter().chain(&scored.tokens).map(|&token| i64::from(token)).collect();
        let first = prompt(*key).len() - 1;
        let places = Tensor::arange_start(first as i64, tokens.len() as i64 - 1, (Kind::Int64, Device::Cpu));
        let llama = Llama::new(&model.weights.handle(false), tokens.len());
        let whole = llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(1, Kind::Double);
        for (step, (&token, &log_prob)) in scored.tokens.iter().zip(&scored.log_probs).enumerate() {
            let expected = whole.double_value(&[step as i64, i64::from(token)]);
            assert!((expected - f64::from(log_prob)).abs() < 1e-4, "{key}, {step}: {expected} {log_prob}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_score_does_not_depend_on_its_batch(keys in prop::collection::vec(0usize..500, 1..150), workers in 1usize..4) {
        let model = model();
        let together = scores(&model, &keys, workers);
        for (key, scored) in keys.iter().zip(&together).take(12) {
            prop_assert_eq!(&scores(&model, &[*key], 1)[0], scored);
        }
    }
}

#[test]
fn a_prompt_that_leaves_no_room_for_an_answer_is_not_scored() {
    let error = score(&model(), &[vec![5; 398]], &[vec![6; 3]], 1).unwrap_err();
    assert!(matches!(error, GenerateError::PromptTooLong { row: 0, length: 398, limit: 397, .. }), "{error}");
}

#[test]
fn a_prompt_that_leaves_no_room_is_an_error() {
    let error =
        generate(&model(), &[prompt(1), vec![5; 395]], Sampling { max_tokens: 6, temperature: 1.0 }, &|_, _| 0.5, 1);
    insta::assert_snapshot!(
        error.unwrap_err(),
        @"prompt 1 has 395 tokens, but a context of 400 leaves room for 394 before an answer of 6; raise the model's `context`, lower `max_tokens`, or ask shorter questions"
    );
    let empty = generate(&model(), &[vec![]], Sampling { max_tokens: 6, temperature: 1.0 }, &|_, _| 0.5, 1);
    assert_eq!(empty, Err(GenerateError::PromptEmpty { row: 0 }));
}
