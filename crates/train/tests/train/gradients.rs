//! The two losses against their definitions and against finite differences.

use model::{Llama, Model, Tokenizer};
use proptest::prelude::*;
use spec::settings::Architecture;
use tch::{Device, Kind, Tensor, no_grad};
use train::{Example, Gradients, Objective, TrainError};

fn model() -> Model {
    let words: Vec<String> = (0..12).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    let architecture = Architecture { layers: 2, width: 8, heads: 2, context: 24, feed_forward: 16 };
    Model::new(architecture, tokenizer, 3)
}

/// An example that is a function of `key`.
fn example(key: usize, supervised: f32, advantage: Option<f32>) -> Example {
    let tokens = (0..4 + key % 17).map(|place| (4 + (key * 5 + place * 3) % 12) as u32).collect();
    let (log_probs, distribution) = (Vec::new(), Vec::new());
    Example { tokens, prompt_length: 2 + key % 2, supervised, stands_for: 1.0, advantage, log_probs, distribution }
}

/// The gradients of the default objective.
fn gradients(model: &Model, examples: &[Example], micro_batch: usize, workers: usize) -> Result<Gradients, TrainError> {
    train::gradients(model, examples, Objective::default(), micro_batch, workers)
}

/// Σ log p of an answer, one example at a time.
fn log_prob(model: &Model, example: &Example) -> f64 {
    let tokens: Vec<i64> = example.tokens.iter().map(|&token| i64::from(token)).collect();
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    let everywhere = Tensor::arange(tokens.len() as i64, (Kind::Int64, Device::Cpu));
    let logits = llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &everywhere);
    let log_probs = logits.to_kind(Kind::Double).log_softmax(1, Kind::Double);
    let answer = example.prompt_length..tokens.len();
    answer.map(|place| log_probs.double_value(&[place as i64 - 1, tokens[place]])).sum()
}

fn answer_length(example: &Example) -> f64 {
    (example.tokens.len() - example.prompt_length) as f64
}

/// L, as it is defined.
fn supervised(model: &Model, examples: &[Example]) -> f64 {
    let targets = || examples.iter().filter(|example| example.supervised != 0.0);
    let tokens: f64 = targets().map(answer_length).sum();
    targets().map(|example| -f64::from(example.supervised) * log_prob(model, example)).sum::<f64>() / tokens
}

/// J, as it is defined.
fn reward(model: &Model, examples: &[Example]) -> f64 {
    let rewarded = || examples.iter().filter_map(|example| Some((example, f64::from(example.advantage?))));
    let tokens: f64 = rewarded().map(|(example, _)| answer_length(example)).sum();
    rewarded().map(|(example, advantage)| advantage * log_prob(model, example)).sum::<f64>() / tokens
}

fn mixed() -> Vec<Example> {
    let advantage = [None, Some(0.7), Some(-1.3), Some(0.0)];
    (0..23).map(|key| example(key, [1.0, 0.0, 2.5, -0.5, 1.5][key % 5], advantage[key % 4])).collect()
}

/// The change of `loss` along the gradient, beside the gradient's own claim.
fn agrees(gradient: &Tensor, loss: impl Fn(&Model) -> f64) {
    let length = gradient.norm().double_value(&[]);
    let step = 0.001;
    let moved = |sign: f64| {
        let model = model();
        let _ = no_grad(|| model.weights.flat.shallow_clone().g_add_(&(gradient * (sign * step / length))));
        loss(&model)
    };
    let slope = (moved(1.0) - moved(-1.0)) / (2.0 * step);
    assert!((slope - length).abs() < 2e-3 * length, "slope {slope}, gradient {length}");
}

#[test]
fn the_terms_are_what_they_are_defined_to_be() {
    let both = gradients(&model(), &mixed(), 4, 1).unwrap();
    let (l, j) = (both.supervised.unwrap(), both.reward.unwrap());
    assert!((l.value - supervised(&model(), &mixed())).abs() < 1e-5);
    assert!((j.value - reward(&model(), &mixed())).abs() < 1e-5);
    agrees(&l.gradient, |model| supervised(model, &mixed()));
    agrees(&j.gradient, |model| reward(model, &mixed()));
}

#[test]
fn every_parameter_agrees_with_its_finite_difference() {
    let both = gradients(&model(), &mixed(), 4, 1).unwrap();
    let gradient = Vec::<f32>::try_from(both.supervised.unwrap().gradient).unwrap();
    for place in (0..gradient.len()).step_by(61) {
        let moved = |by: f64| {
            let model = model();
            let _ = no_grad(|| model.weights.flat.get(place as i64).g_add_scalar_(by));
            supervised(&model, &mixed())
        };
        let slope = (moved(1e-3) - moved(-1e-3)) / 2e-3;
        assert!(
            (slope - f64::from(gradient[place])).abs() < 2e-3 * (1.0 + slope.abs()),
            "{place}: {slope} {}",
            gradient[place]
        );
    }
}

/// One of three that was drawn, with three times the weight, trains as the three do.
#[test]
fn a_target_counts_as_often_as_it_stands_for() {
    let other = || example(4, 0.5, None);
    let drawn = [Example { supervised: 1.5, stands_for: 3.0, ..example(3, 0.5, None) }, other()];
    let all = [example(3, 0.5, None), example(3, 0.5, None), example(3, 0.5, None), other()];
    let of = |examples: &[Example]| gradients(&model(), examples, 4, 1).unwrap();
    let (drawn, all) = (of(&drawn), of(&all));
    assert_eq!(drawn.supervised_weight, all.supervised_weight);
    let (drawn, all) = (drawn.supervised.unwrap(), all.supervised.unwrap());
    assert!((drawn.value - all.value).abs() < 1e-5);
    assert!(drawn.gradient.allclose(&all.gradient, 1e-3, 1e-6, false));
}

#[test]
fn a_null_advantage_is_not_0() {
    let with_null = [example(3, 0.0, Some(1.0)), example(4, 0.0, None)];
    let with_zero = [example(3, 0.0, Some(1.0)), example(4, 0.0, Some(0.0))];
    let value = |examples: &[Example]| gradients(&model(), examples, 4, 1).unwrap().reward.unwrap().value;
    assert_eq!(value(&with_null), value(&with_null[..1]));
    assert!(value(&with_zero).abs() < 0.8 * value(&with_null).abs());
    let null = gradients(&model(), &with_null[1..], 4, 1).unwrap();
    assert!(null.reward.is_none() && null.supervised.is_none());
}

#[test]
fn a_term_without_weight_is_not_computed() {
    let mut imitated: Vec<Example> = mixed();
    imitated.iter_mut().for_each(|example| example.advantage = None);
    assert!(gradients(&model(), &imitated, 4, 1).unwrap().reward.is_none());
    let mut rewarded = mixed();
    rewarded.iter_mut().for_each(|example| example.supervised = 0.0);
    assert!(gradients(&model(), &rewarded, 4, 1).unwrap().supervised.is_none());
}

#[test]
fn an_example_that_cannot_be_trained_on_is_an_error() {
    let error = |example: Example| gradients(&model(), &[example], 4, 1).unwrap_err();
    let long = Example { tokens: vec![5; 25], ..example(1, 1.0, None) };
    insta::assert_snapshot!(error(long), @"example 0 has 25 tokens, but the model's context is 24; raise its `context`");
    let unanswered = Example { prompt_length: 5, ..example(1, 1.0, None) };
    insta::assert_snapshot!(error(unanswered), @"example 0 has 5 tokens, of which 5 are its prompt; both parts need one");
    assert!(matches!(error(Example { prompt_length: 0, ..example(1, 1.0, None) }), TrainError::Empty { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn workers_do_not_change_a_bit(keys in prop::collection::vec(0usize..100, 1..40), micro_batch in 1usize..9) {
        let examples: Vec<_> = keys.iter().map(|&key| example(key, 1.0, Some(key as f32 - 50.0))).collect();
        let with = |workers| gradients(&model(), &examples, micro_batch, workers).unwrap().combined().unwrap();
        let one = with(1);
        prop_assert!(with(2).equal(&one));
        prop_assert!(with(3).equal(&one));
    }

    #[test]
    fn micro_batches_only_change_rounding(micro_batch in 1usize..30) {
        let with = |micro_batch| gradients(&model(), &mixed(), micro_batch, 1).unwrap().combined().unwrap();
        prop_assert!(with(micro_batch).allclose(&with(23), 1e-3, 1e-5, false));
    }
}
