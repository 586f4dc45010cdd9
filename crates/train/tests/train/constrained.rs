//! Constrained steps with a model: the Fisher matrix against its definition, what a step is held to, and that it is the same
//! step every time.

use model::{Llama, Model, Tokenizer};
use proptest::prelude::*;
use spec::settings::{Architecture, Normalise};
use tch::{Device, Kind, Tensor, no_grad};
use train::{
    AdamW, Constrained, Example, Fisher, Metrics, Multiplier, Objective, Rates, Step, TrainError, constrained_step,
    cpo::{Case, Outcome, Region},
    gradients, step,
};

fn model() -> Model {
    let words: Vec<String> = (0..6).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    Model::new(Architecture { layers: 2, width: 8, heads: 2, context: 24, feed_forward: 8 }, tokenizer, 3)
}

/// The same in f64, where differences are exact enough.
fn precise() -> Model {
    let mut model = model();
    model.weights.flat = model.weights.flat.to_kind(Kind::Double);
    model
}

/// An example that is a function of `key`.
fn example(key: usize) -> Example {
    Example {
        tokens: (0..4 + key % 7).map(|place| (4 + (key * 5 + place * 3) % 6) as u32).collect(),
        prompt_length: 2 + key % 2,
        supervised: [1.0, 0.0, 1.0][key % 3],
        stands_for: 1.0,
        advantage: [None, Some(0.7), Some(-1.3)][key % 3],
        log_probs: Vec::new(),
        distribution: Vec::new(),
    }
}

fn examples() -> Vec<Example> {
    (0..14).map(example).collect()
}

/// log p of each next token at the tokens of an answer, `[answer, vocabulary]`.
fn distributions(model: &Model, example: &Example) -> Tensor {
    let tokens: Vec<i64> = example.tokens.iter().map(|&token| i64::from(token)).collect();
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    let places =
        Tensor::arange_start(example.prompt_length as i64 - 1, tokens.len() as i64 - 1, (Kind::Int64, Device::Cpu));
    llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(-1, Kind::Double)
}

/// The answers of which the Fisher matrix is, each with what one of its tokens counts.
fn counted(examples: &[Example], normalise: Normalise) -> Vec<(&Example, f64)> {
    let rewarded: Vec<&Example> = examples.iter().filter(|example| example.advantage.is_some()).collect();
    let length = |example: &Example| (example.tokens.len() - example.prompt_length) as f64;
    let (of, normalise) = match rewarded.is_empty() {
        true => (examples.iter().filter(|example| example.supervised != 0.0).collect(), Normalise::Token),
        false => (rewarded, normalise),
    };
    let tokens: f64 = of.iter().map(|example| length(example)).sum();
    let share = |example: &Example| match normalise {
        Normalise::Token => 1.0 / tokens,
        Normalise::Trajectory => 1.0 / (of.len() as f64 * length(example)),
    };
    of.iter().map(|example| (*example, share(example))).collect()
}

fn moved(model: &Model, by: &Tensor) -> Model {
    let mut moved = model.deep_copy();
    moved.weights.flat = no_grad(|| &model.weights.flat + by);
    moved
}

/// The directional derivative of log p of every next token, by central differences.
fn slope(model: &Model, example: &Example, direction: &Tensor) -> Tensor {
    const STEP: f64 = 1e-5;
    let at = |step: f64| distributions(&moved(model, &(direction * step)), example);
    (at(STEP) - at(-STEP)) / (2.0 * STEP)
}

/// uᵀFv = Σ share · Σ_token p · (∂_u log p)(∂_v log p), the definition.
fn defined(model: &Model, of: &[(&Example, f64)], slopes: &[(Tensor, Tensor)]) -> f64 {
    let part = |((example, share), (u, v)): (&(&Example, f64), &(Tensor, Tensor))| {
        share * (distributions(model, example).exp() * u * v).sum(Kind::Double).double_value(&[])
    };
    of.iter().zip(slopes).map(part).sum()
}

/// A direction of length 1, a function of `key`.
fn direction(key: i64) -> Tensor {
    let numbers = Tensor::arange(precise().weights.flat.numel() as i64, (Kind::Double, Device::Cpu));
    let direction = (numbers * (0.37 + key as f64)).sin();
    &direction / direction.norm()
}

/// One weight alone.
fn axis(place: i64) -> Tensor {
    let axis = Tensor::zeros([precise().weights.flat.numel() as i64], (Kind::Double, Device::Cpu));
    let _ = axis.get(place).fill_(1.0);
    axis
}

fn check_product(examples: &[Example], normalise: Normalise) {
    let model = precise();
    let objective = Objective { normalise, ..Objective::default() };
    let fisher = Fisher::new(&model.weights, examples, objective, 4, 1);
    let of = counted(examples, normalise);
    let v = direction(1);
    let product = fisher.product(&v);
    let of_v: Vec<Tensor> = of.iter().map(|(example, _)| slope(&model, example, &v)).collect();
    let size = product.norm().double_value(&[]);
    assert!(size > 1e-4, "a product of {size} agrees with anything");
    let every = (0..v.numel() as i64).step_by(29).map(axis);
    for u in every.chain([v.shallow_clone(), direction(2)]) {
        let slopes =
            of.iter().zip(&of_v).map(|((example, _), of_v)| (slope(&model, example, &u), of_v.shallow_clone()));
        let (expected, found) = (defined(&model, &of, &slopes.collect::<Vec<_>>()), product.dot(&u).double_value(&[]));
        assert!((found - expected).abs() < 1e-6 * size, "{found} is not {expected}");
    }
}

#[test]
fn products_are_those_of_the_fisher_matrix() {
    check_product(&examples(), Normalise::Token);
    check_product(&examples(), Normalise::Trajectory);
}

#[test]
fn where_nothing_was_earned_it_is_that_of_the_targets() {
    let unrewarded: Vec<Example> = examples().into_iter().map(|it| Example { advantage: None, ..it }).collect();
    check_product(&unrewarded, Normalise::Token);
}

/// Half of xᵀFx is the divergence of a small step x, and the slope of what stands for J along it is that of J.
#[test]
fn what_is_measured_is_what_is_approximated() {
    let (model, reference) = (precise(), moved(&precise(), &(direction(5) * 0.3)));
    let objective = Objective { entropy: 0.3, kl: Some((&reference.weights, 0.2)), ..Objective::default() };
    let fisher = Fisher::new(&model.weights, &examples(), objective, 4, 2);
    let gradient = gradients(&model, &examples(), objective, 4, 1).unwrap().reward.unwrap().gradient;
    for key in 1..5 {
        let at = |step: f64| fisher.measure(&moved(&model, &(direction(key) * step)).weights);
        let square = fisher.product(&direction(key)).dot(&direction(key)).double_value(&[]);
        let (_, kl) = at(1e-3);
        assert!((kl - 0.5e-6 * square).abs() < 1e-2 * kl, "{kl} is not half of {square}");
        let (found, expected) = ((at(1e-4).0 - at(-1e-4).0) / 2e-4, gradient.dot(&direction(key)).double_value(&[]));
        assert!((found - expected).abs() < 1e-5 * gradient.norm().double_value(&[]), "{found} is not {expected}");
    }
}

const REGION: Region = Region { kl: 0.01, damping: 0.1, iterations: 10, backtracks: 10, shrink: 0.8 };

fn settings(limit: f64) -> Constrained<'static> {
    Constrained { objective: Objective::default(), limit, region: REGION, micro_batch: 4, workers: 2 }
}

fn take(model: &mut Model, limit: f64) -> (Metrics, Outcome) {
    let (metrics, outcome) = constrained_step(model, &examples(), settings(limit)).expect("the examples are finite");
    (metrics, outcome.expect("there are targets"))
}

/// L of the examples.
fn loss(model: &Model) -> f64 {
    let found = gradients(model, &examples(), Objective::default(), 4, 1).expect("the examples are finite");
    found.supervised.expect("there are targets").value
}

#[test]
fn a_step_keeps_to_its_bounds_and_says_what_it_came_to() {
    let at = loss(&model());
    for (limit, case) in [
        (at + 100.0, Case::Within),
        (at + 1e-3, Case::Boundary),
        (at - 1e-4, Case::Return),
        (at - 100.0, Case::Recovery),
    ] {
        let mut model = model();
        let (metrics, outcome) = take(&mut model, limit);
        assert_eq!(outcome.case, case, "at a limit of {limit}");
        assert!(outcome.step.is_some() && outcome.after.kl > 0.0 && outcome.after.kl <= REGION.kl);
        assert!((metrics.supervised.unwrap().value - outcome.before.loss).abs() < 1e-6);
        assert!((loss(&model) - outcome.after.loss).abs() < 1e-6);
        match at > limit {
            true => assert!(outcome.after.loss < outcome.before.loss),
            false => assert!(outcome.after.loss <= limit && outcome.after.gain >= outcome.before.gain),
        }
        assert_eq!((metrics.norm, model.version), (None, 1));
    }
}

#[test]
fn reward_rises_within_the_limit() {
    let (mut model, limit) = (model(), loss(&model()) + 0.02);
    let mut gained = 0.0;
    for _ in 0..6 {
        let (_, Outcome { before, after, .. }) = take(&mut model, limit);
        assert!(after.loss <= limit);
        gained += after.gain - before.gain;
    }
    assert!(gained > 0.04, "{gained}");
}

#[test]
fn above_the_limit_the_loss_falls_to_it() {
    let (mut model, limit) = (model(), loss(&model()) - 0.2);
    (0..8).for_each(|_| drop(take(&mut model, limit)));
    assert!(loss(&model) <= limit, "{} is above {limit}", loss(&model));
}

#[test]
fn without_targets_nobody_knows_whether_the_limit_is_kept() {
    let rewarded: Vec<Example> = examples().into_iter().map(|it| Example { supervised: 0.0, ..it }).collect();
    let mut model = model();
    let before = model.save();
    let (metrics, outcome) = constrained_step(&mut model, &rewarded, settings(1.0)).unwrap();
    assert!(outcome.is_none() && metrics.supervised.is_none() && metrics.reward.is_some());
    assert_eq!(model.save(), before);
}

#[test]
fn without_rewards_there_is_a_step_above_the_limit_alone() {
    let unrewarded: Vec<Example> = examples().into_iter().map(|it| Example { advantage: None, ..it }).collect();
    let take = |limit: f64| constrained_step(&mut model(), &unrewarded, settings(limit)).unwrap().1.unwrap();
    assert!(take(loss(&model()) + 0.1).step.is_none());
    let recovered = take(-100.0);
    assert!(recovered.case == Case::Recovery && recovered.after.loss < recovered.before.loss);
}

#[test]
fn what_is_not_finite_changes_nothing() {
    let mut poisoned = examples();
    poisoned[1].advantage = Some(f32::INFINITY);
    let mut model = model();
    let before = model.save();
    let error = constrained_step(&mut model, &poisoned, settings(1.0)).unwrap_err();
    assert_eq!((error, model.save()), (TrainError::NotFinite("debate reward"), before));
}

/// Under a multiplier the optimizer steps by the gradient of (J − λL)/(1 + λ).
#[test]
fn a_multiplier_weighs_both_terms() {
    let rates = Rates { learning_rate: 0.01, betas: (0.9, 0.98), epsilon: 1e-8, weight_decay: 0.0, clip: 0.0 };
    let multiplier = Some(Multiplier { log: 3f64.ln() });
    let settings = Step { rates, objective: Objective::default(), multiplier, micro_batch: 4, workers: 1 };
    let (mut one, mut other) = (model(), model());
    let found = gradients(&one, &examples(), Objective::default(), 4, 1).unwrap();
    let (l, j) = (found.supervised.unwrap(), found.reward.unwrap());
    let mut optimizer = AdamW::new(one.weights.flat.numel());
    let metrics = step(&mut one, &mut optimizer, &examples(), settings).unwrap();
    let mut optimizer = AdamW::new(other.weights.flat.numel());
    optimizer.step(&mut other.weights, &(&l.gradient * 0.75 - &j.gradient * 0.25), &rates);
    assert!(one.weights.flat.allclose(&other.weights.flat, 1e-5, 1e-6, false));
    assert_eq!((metrics.supervised.unwrap().value, metrics.reward.unwrap().value), (l.value, j.value));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn workers_do_not_change_a_bit(keys in prop::collection::vec(0usize..100, 4..20), micro_batch in 1usize..6) {
        let examples: Vec<Example> = keys.iter().copied().chain([0, 1]).map(example).collect();
        let after = |workers| {
            let mut model = model();
            let found = constrained_step(&mut model, &examples, Constrained { micro_batch, workers, ..settings(2.0) });
            let outcome = found.unwrap().1.unwrap();
            (model.save(), outcome.case, outcome.after, outcome.backtracks)
        };
        let one = after(1);
        prop_assert!(after(1) == one && after(2) == one && after(3) == one);
    }
}
