//! Steps: what they do to weights, what they refuse, and that a saved optimizer goes on to the last bit.

use model::{Model, Tokenizer};
use spec::settings::Architecture;
use tch::{Tensor, no_grad};
use train::{AdamW, Example, Metrics, Objective, Rates, Step, TrainError, copy, polyak, step};

fn model() -> Model {
    let words: Vec<String> = (0..12).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    let architecture = Architecture { layers: 1, width: 16, heads: 2, context: 24, feed_forward: 32 };
    Model::new(architecture, tokenizer, 3)
}

const RATES: Rates = Rates { learning_rate: 0.01, betas: (0.9, 0.98), epsilon: 1e-8, weight_decay: 0.0, clip: 1.0 };

fn examples() -> Vec<Example> {
    let example = |key: usize| Example {
        tokens: (0..5 + key % 7).map(|place| (4 + (key * 5 + place * 3) % 12) as u32).collect(),
        prompt_length: 3,
        supervised: [0.75, 0.0][key % 2],
        stands_for: 1.0,
        advantage: [None, Some(0.5), None, Some(-0.5)][key % 4],
        log_probs: Vec::new(),
        distribution: Vec::new(),
    };
    (0..16).map(example).collect()
}

/// Rates after so many steps: the first moment's changes at every third, the second's at every step.
fn changing(steps: u64) -> Rates {
    Rates { betas: ([0.9, 0.5, 0.0][steps as usize / 3 % 3], 0.9 + 0.01 * (steps % 10) as f64), ..RATES }
}

fn take(model: &mut Model, optimizer: &mut AdamW, examples: &[Example]) -> Result<Metrics, TrainError> {
    take_by(RATES, model, optimizer, examples)
}

fn take_by(
    rates: Rates,
    model: &mut Model,
    optimizer: &mut AdamW,
    examples: &[Example],
) -> Result<Metrics, TrainError> {
    step(
        model,
        optimizer,
        examples,
        Step { rates, objective: Objective::default(), multiplier: None, micro_batch: 4, workers: 2 },
    )
}

fn fresh() -> (Model, AdamW) {
    let model = model();
    let optimizer = AdamW::new(model.weights.layout.parameters());
    (model, optimizer)
}

#[test]
fn the_loss_falls() {
    let (mut model, mut optimizer) = fresh();
    let mut imitated = examples();
    imitated.iter_mut().for_each(|example| example.advantage = None);
    let losses: Vec<f64> =
        (0..60).map(|_| take(&mut model, &mut optimizer, &imitated).unwrap().supervised.unwrap().value).collect();
    assert!(losses[59] < 0.2 * losses[0], "{losses:?}");
    assert_eq!((model.version, optimizer.steps()), (60, 60));
}

#[test]
fn the_metrics_add_up() {
    let (mut model, mut optimizer) = fresh();
    let metrics = take(&mut model, &mut optimizer, &examples()).unwrap();
    let (l, j) = (metrics.supervised.unwrap().norm, metrics.reward.unwrap().norm);
    let (share, cosine, norm) = (metrics.share.unwrap(), metrics.cosine.unwrap(), metrics.norm.unwrap());
    assert!((share - j / (j + l)).abs() < 1e-6);
    assert!((norm.powi(2) - (l * l + j * j + 2.0 * cosine * l * j)).abs() < 1e-4 * norm.powi(2));
    let lengths = examples().iter().map(|example| example.tokens.len()).sum::<usize>();
    assert_eq!(metrics.tokens, lengths);
}

#[test]
fn without_examples_nothing_changes() {
    let (mut model, mut optimizer) = fresh();
    let metrics = take(&mut model, &mut optimizer, &[]).unwrap();
    assert_eq!((metrics.norm, metrics.tokens, model.version, optimizer.steps()), (None, 0, 0, 0));
}

#[test]
fn one_step_is_adamw() {
    let (mut model, mut optimizer) = fresh();
    let before = model.weights.flat.copy();
    let gradient = Tensor::full_like(&before, -2.0);
    let decayed = Rates { weight_decay: 0.1, ..RATES };
    optimizer.step(&mut model.weights, &gradient, &decayed);
    // Corrected moments of a first gradient g are g and g²: the step is the learning rate, against its sign.
    assert!(model.weights.flat.allclose(&(before * (1.0 - 0.01 * 0.1) + 0.01), 1e-5, 1e-6, false));
}

/// The gradient of a step, another at each.
fn gradient(step: i32) -> Tensor {
    let numbers = Tensor::arange(model().weights.layout.parameters() as i64, (tch::Kind::Float, tch::Device::Cpu));
    (numbers * (0.3 * f64::from(step))).sin()
}

#[test]
fn rates_that_stay_correct_by_their_powers_to_the_last_bit() {
    let (mut model, mut optimizer) = fresh();
    let mut weights = model.weights.flat.copy();
    let (mut first, mut second) = (weights.zeros_like(), weights.zeros_like());
    for n in 1..=20 {
        let gradient = gradient(n);
        optimizer.step(&mut model.weights, &gradient, &RATES);
        let (beta1, beta2) = RATES.betas;
        (first, second) = (first.lerp(&gradient, 1.0 - beta1), second.lerp(&gradient.square(), 1.0 - beta2));
        let spread = (&second / (1.0 - beta2.powf(f64::from(n)))).sqrt() + RATES.epsilon;
        weights -= &first / spread * (RATES.learning_rate / (1.0 - beta1.powf(f64::from(n))));
        assert!(model.weights.flat.equal(&weights), "step {n}");
    }
}

/// Whatever the rates, the corrected moments are means of the gradients: of one gradient again and again, they are it
/// and its square.
#[test]
fn rates_that_change_keep_the_moments_means() {
    let (mut model, mut optimizer) = fresh();
    let before = model.weights.flat.copy();
    let gradient = Tensor::full_like(&before, -2.0);
    for n in 1..=20 {
        let rates = changing(optimizer.steps());
        optimizer.step(&mut model.weights, &gradient, &rates);
        let moved = &model.weights.flat - &before;
        let expected = Tensor::full_like(&before, f64::from(n) * rates.learning_rate);
        assert!(moved.allclose(&expected, 1e-4, 1e-6, false), "step {n}");
    }
}

#[test]
fn a_saved_optimizer_goes_on_to_the_last_bit() {
    let (mut model, mut optimizer) = fresh();
    let take = |model: &mut Model, optimizer: &mut AdamW| {
        take_by(changing(optimizer.steps()), model, optimizer, &examples()).unwrap()
    };
    for _ in 0..5 {
        take(&mut model, &mut optimizer);
    }
    let mut resumed = Model::load(&model.save()).unwrap();
    let mut resumed_optimizer = AdamW::load(&optimizer.save(), model.weights.layout.parameters()).unwrap();
    for _ in 0..5 {
        let one = take(&mut model, &mut optimizer);
        assert_eq!(take(&mut resumed, &mut resumed_optimizer), one);
    }
    assert_eq!(resumed.save(), model.save());
    assert_eq!(resumed_optimizer.save(), optimizer.save());
}

#[test]
fn what_is_not_finite_changes_nothing() {
    let (mut model, mut optimizer) = fresh();
    let mut poisoned = examples();
    poisoned[1].advantage = Some(f32::INFINITY);
    let (before, state) = (model.save(), optimizer.save());
    let error = take(&mut model, &mut optimizer, &poisoned).unwrap_err();
    insta::assert_snapshot!(error, @"the debate reward is not finite; the weights were left as they were. Lower `learning_rate`, or set `clip`");
    assert_eq!((model.save(), optimizer.save()), (before, state));

    let _ = no_grad(|| model.weights.flat.get(0).fill_(f64::NAN));
    let error = take(&mut model, &mut optimizer, &examples()).unwrap_err();
    assert_eq!(error, TrainError::NotFinite("supervised loss"));
}

#[test]
fn a_foreign_optimizer_is_refused() {
    let saved = AdamW::new(5).save();
    insta::assert_snapshot!(AdamW::load(&saved, 6).unwrap_err(), @"the optimizer's file has no `first` of 6 numbers; it belongs to another model");
    insta::assert_snapshot!(AdamW::load(&saved[..20], 5).unwrap_err(), @"the optimizer's file is damaged: invalid header length");
}

#[test]
fn a_target_follows() {
    let at = |value: f64| {
        let model = model();
        let _ = no_grad(|| model.weights.flat.shallow_clone().fill_(value));
        model
    };
    let (mut target, source) = (at(1.0), at(2.0));
    polyak(&mut target, &source, 0.9);
    assert!(target.weights.flat.allclose(&at(1.1).weights.flat, 1e-6, 0.0, false));
    copy(&mut target, &source);
    assert!(target.weights.flat.equal(&source.weights.flat));
    assert_eq!(target.version, 2);
}
