//! The divergence from whoever gave a target, against its definition: by finite differences in f64, and against
//! cross-entropy, which it is where they were sure.

use model::{Llama, Model, Tokenizer};
use proptest::prelude::*;
use spec::settings::Architecture;
use tch::{Device, Kind, Tensor, no_grad};
use train::{AdamW, Example, Gradients, Objective, Rates, Step, gradients, step};

fn model(seed: u64) -> Model {
    let words: Vec<String> = (0..12).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    let architecture = Architecture { layers: 2, width: 8, heads: 2, context: 24, feed_forward: 16 };
    Model::new(architecture, tokenizer, seed)
}

/// The same in f64, where differences are exact enough.
fn precise(seed: u64) -> Model {
    let mut model = model(seed);
    model.weights.flat = model.weights.flat.to_kind(Kind::Double);
    model
}

/// The log-probabilities of all tokens at those of an answer, `[answer, vocabulary]`.
fn log_probs(model: &Model, example: &Example) -> Tensor {
    let tokens: Vec<i64> = example.tokens.iter().map(|&token| i64::from(token)).collect();
    let (first, last) = (example.prompt_length as i64 - 1, tokens.len() as i64 - 1);
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    let places = Tensor::arange_start(first, last, (Kind::Int64, Device::Cpu));
    llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(-1, Kind::Double)
}

/// A target that is a function of `key`, of which nothing is known but its words.
fn said(key: usize) -> Example {
    Example {
        tokens: (0..4 + key % 9).map(|place| (4 + (key * 5 + place * 3) % 12) as u32).collect(),
        prompt_length: 2 + key % 2,
        supervised: [1.0, 0.5, 2.5][key % 3],
        stands_for: 1.0,
        advantage: None,
        log_probs: Vec::new(),
        distribution: Vec::new(),
    }
}

/// The same, given by a model.
fn given(key: usize, by: &Model) -> Example {
    let said = said(key);
    let rows = log_probs(by, &said).to_kind(Kind::Float).flatten(0, -1);
    Example { distribution: Vec::try_from(rows).expect("a row of numbers"), ..said }
}

/// The same, given by somebody who would have said nothing else.
fn sure(key: usize) -> Example {
    let (said, vocabulary) = (said(key), model(3).tokenizer.vocabulary());
    let mut distribution = vec![f32::NEG_INFINITY; (said.tokens.len() - said.prompt_length) * vocabulary];
    for (row, &token) in said.tokens[said.prompt_length..].iter().enumerate() {
        distribution[row * vocabulary + token as usize] = 0.0;
    }
    Example { distribution, ..said }
}

/// Some targets of which the giver is known, and some of which it is not.
fn mixed() -> Vec<Example> {
    let other = precise(4);
    (0..23).map(|key| if key % 4 == 1 { said(key) } else { given(key, &other) }).collect()
}

/// What a target costs, as it is defined.
fn cost(live: &Model, example: &Example) -> f64 {
    let ours = log_probs(live, example);
    if example.distribution.is_empty() {
        let answer = example.tokens[example.prompt_length..].iter().enumerate();
        return answer.map(|(place, &token)| -ours.double_value(&[place as i64, i64::from(token)])).sum();
    }
    let theirs = Tensor::from_slice(&example.distribution).to_kind(Kind::Double).view_as(&ours);
    (theirs.exp() * (&theirs - ours)).sum(Kind::Double).double_value(&[])
}

/// L, as it is defined.
fn loss(live: &Model, examples: &[Example]) -> f64 {
    let tokens: usize = examples.iter().map(|example| example.tokens.len() - example.prompt_length).sum();
    examples.iter().map(|example| f64::from(example.supervised) * cost(live, example)).sum::<f64>() / tokens as f64
}

fn found(model: &Model, examples: &[Example], micro_batch: usize, workers: usize) -> Gradients {
    gradients(model, examples, Objective::default(), micro_batch, workers).expect("the examples are finite")
}

#[test]
fn the_loss_and_its_gradient_are_what_they_are_defined_to_be() {
    const STEP: f64 = 1e-5;
    let (model, examples) = (precise(3), mixed());
    let term = found(&model, &examples, 4, 1).supervised.expect("there are targets");
    assert!((term.value - loss(&model, &examples)).abs() < 1e-6);
    let length = term.gradient.norm().double_value(&[]);
    let numbers = Tensor::arange(model.weights.flat.numel() as i64, (Kind::Double, Device::Cpu));
    for n in 1..7 {
        let direction = (&numbers * (0.37 + f64::from(n))).sin();
        let direction = &direction / direction.norm();
        let at = |step: f64| {
            let mut moved = model.deep_copy();
            moved.weights.flat = no_grad(|| &model.weights.flat + &direction * step);
            loss(&moved, &examples)
        };
        let (slope, claimed) = ((at(STEP) - at(-STEP)) / (2.0 * STEP), term.gradient.dot(&direction).double_value(&[]));
        assert!((slope - claimed).abs() < 1e-6 * length, "slope {slope}, gradient {claimed}");
    }
}

/// Where M is who gave them there is nothing to learn, however unlikely their words were.
#[test]
fn from_itself_m_learns_nothing() {
    let model = precise(3);
    let own: Vec<Example> = (0..9).map(|key| given(key, &model)).collect();
    let term = found(&model, &own, 4, 1).supervised.expect("there are targets");
    assert!(term.value.abs() < 1e-5 && term.gradient.norm().double_value(&[]) < 1e-5, "{}", term.value);
    let words: Vec<Example> = (0..9).map(said).collect();
    let imitated = found(&model, &words, 4, 1).supervised.expect("there are targets");
    assert!(imitated.gradient.norm().double_value(&[]) > 1e-2);
}

/// What earns a reward is weighed by its own probability, whoever gave it.
#[test]
fn a_reward_is_of_the_words_that_were_said() {
    let rewarded = |example: Example| Example { advantage: Some(0.7), supervised: 0.0, ..example };
    let of = |examples: Vec<Example>| found(&model(3), &examples, 4, 1).reward.expect("there are rewards").gradient;
    let other = model(4);
    let known = of((0..9).map(|key| rewarded(given(key, &other))).collect());
    assert!(known.equal(&of((0..9).map(|key| rewarded(said(key))).collect())));
}

#[test]
fn a_distribution_over_other_tokens_is_an_error() {
    let other = Example { distribution: vec![-1.0; 3], ..said(1) };
    let error = gradients(&model(3), &[other], Objective::default(), 4, 1).expect_err("three numbers are too few");
    insta::assert_snapshot!(error, @"example 0 has 3 log-probabilities of who gave its answer, where 2 tokens from a vocabulary of 16 have 2 times 16; let one tokenizer make the tokens of both models");
}

/// The weights after a step.
fn trained(examples: &[Example]) -> Tensor {
    // An epsilon above what is lost by rounding, which would be divided by itself otherwise.
    let rates = Rates { learning_rate: 0.01, betas: (0.9, 0.98), epsilon: 1e-2, weight_decay: 0.0, clip: 1.0 };
    let mut model = model(3);
    let mut optimizer = AdamW::new(model.weights.layout.parameters());
    let settings = Step { rates, objective: Objective::default(), multiplier: None, micro_batch: 4, workers: 2 };
    step(&mut model, &mut optimizer, examples, settings).expect("the examples are finite");
    model.weights.flat
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn who_is_sure_is_imitated_word_by_word(keys in prop::collection::vec(0usize..100, 1..20)) {
        let of = |example: fn(usize) -> Example| keys.iter().map(|&key| example(key)).collect::<Vec<_>>();
        let (words, distributions) = (of(said), of(sure));
        let before = model(3).weights.flat;
        prop_assert!(!trained(&words).allclose(&before, 0.0, 1e-4, false));
        prop_assert!(trained(&distributions).allclose(&trained(&words), 0.0, 1e-6, false));
        let value = |examples: &[Example]| found(&model(3), examples, 4, 1).supervised.expect("there are targets").value;
        prop_assert!((value(&distributions) - value(&words)).abs() < 1e-5);
    }

    #[test]
    fn workers_do_not_change_a_bit(micro_batch in 1usize..9) {
        let with = |workers| found(&model(3), &mixed(), micro_batch, workers).combined().expect("there are targets");
        let one = with(1);
        prop_assert!(with(2).equal(&one));
        prop_assert!(with(3).equal(&one));
    }
}
