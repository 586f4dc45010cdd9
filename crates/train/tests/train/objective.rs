//! What rewarded answers are trained on, against its definition: by finite differences in f64, and against expectations
//! that are summed over all answers there are.

use model::{Llama, Model, Tokenizer};
use proptest::prelude::*;
use spec::settings::{Architecture, Importance, Normalise, Policy, Ppo};
use tch::{Device, Kind, Tensor, no_grad};
use train::{Example, Gradients, Objective, TrainError, gradients};

const CLIP: f64 = 0.2;
const TRUNCATE: f64 = 1.3;
const PPO: Policy = Policy::Ppo(Ppo { clip: CLIP });
const IMPORTANCE: Policy = Policy::Importance(Importance { truncate: TRUNCATE });

/// A two-layer model in f64.
fn model(seed: u64) -> Model {
    let words: Vec<String> = (0..12).map(|word| format!("w{word}")).collect();
    let tokenizer = Tokenizer::from_wording(&[], &words).expect("words are a wording");
    let architecture = Architecture { layers: 2, width: 8, heads: 2, context: 24, feed_forward: 16 };
    let mut model = Model::new(architecture, tokenizer, seed);
    model.weights.flat = model.weights.flat.to_kind(Kind::Double);
    model
}

/// The same with some of its weights elsewhere.
fn moved(model: &Model, by: &Tensor) -> Model {
    let mut moved = model.deep_copy();
    moved.weights.flat = no_grad(|| &model.weights.flat + by);
    moved
}

/// log p of each next token at the tokens of an answer, `[answer, vocabulary]`.
fn distributions(model: &Model, example: &Example) -> Tensor {
    let tokens: Vec<i64> = example.tokens.iter().map(|&token| i64::from(token)).collect();
    let (first, last) = (example.prompt_length as i64 - 1, tokens.len() as i64 - 1);
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    let places = Tensor::arange_start(first, last, (Kind::Int64, Device::Cpu));
    llama.logits(&Tensor::from_slice(&tokens).view([1, -1]), &places).log_softmax(-1, Kind::Double)
}

/// log p of each token of an answer.
fn log_probs(model: &Model, example: &Example) -> Vec<f64> {
    let all = distributions(model, example);
    let answer = example.tokens[example.prompt_length..].iter().enumerate();
    answer.map(|(place, &token)| all.double_value(&[place as i64, i64::from(token)])).collect()
}

/// An example that is a function of `key`. It was sampled where its tokens were likelier or less likely by turns, within
/// the bounds and beyond them.
fn example(key: usize) -> Example {
    let tokens = (0..5 + key % 13).map(|place| (4 + (key * 5 + place * 3) % 12) as u32).collect();
    let advantage = [None, Some(0.7), Some(-1.3), Some(0.4)][key % 4];
    let supervised = [1.0, 0.0, 2.5][key % 3];
    let example = Example {
        tokens,
        prompt_length: 2 + key % 2,
        supervised,
        stands_for: 1.0,
        advantage,
        log_probs: Vec::new(),
        distribution: Vec::new(),
    };
    let then = |(place, now): (usize, f64)| (now + [0.05, 0.6, -0.6, -0.05, 0.02][(key + place) % 5]) as f32;
    let log_probs = log_probs(&model(3), &example).into_iter().enumerate().map(then).collect();
    Example { log_probs, ..example }
}

fn examples() -> Vec<Example> {
    (0..23).map(example).collect()
}

/// Each rewarded answer with its advantage and what each of its tokens counts.
fn rewarded(examples: &[Example], normalise: Normalise) -> Vec<(&Example, f64, f64)> {
    let rewarded = || examples.iter().filter_map(|example| Some((example, f64::from(example.advantage?))));
    let length = |example: &Example| (example.tokens.len() - example.prompt_length) as f64;
    let (count, tokens) = (rewarded().count() as f64, rewarded().map(|(example, _)| length(example)).sum::<f64>());
    let share = |example: &Example| match normalise {
        Normalise::Token => 1.0 / tokens,
        Normalise::Trajectory => 1.0 / (count * length(example)),
    };
    rewarded().map(|(example, advantage)| (example, advantage, share(example))).collect()
}

/// J of a token. Where importance weights are constants, they are those of the weights at which the gradient is taken.
fn gain(policy: Policy, advantage: f64, now: f64, sampled: f64, at: f64) -> f64 {
    let ratio = (now - sampled).exp();
    match policy {
        Policy::Reinforce => advantage * now,
        Policy::Ppo(ppo) => (ratio * advantage).min(ratio.clamp(1.0 - ppo.clip, 1.0 + ppo.clip) * advantage),
        Policy::Importance(importance) => (at - sampled).exp().min(importance.truncate) * advantage * now,
    }
}

/// J, entropy and divergence, as they are defined.
fn values(live: &Model, at: &Model, objective: Objective<'_>, examples: &[Example]) -> (f64, f64, f64) {
    let reference = model(4);
    let (mut j, mut entropy, mut kl) = (0.0, 0.0, 0.0);
    for (example, advantage, share) in rewarded(examples, objective.normalise) {
        let (now, then) = (log_probs(live, example), log_probs(at, example));
        for ((now, then), &sampled) in now.into_iter().zip(then).zip(&example.log_probs) {
            j += share * gain(objective.policy, advantage, now, f64::from(sampled), then);
        }
        let (ours, theirs) = (distributions(live, example), distributions(&reference, example));
        let mean = |of: &Tensor| share * (ours.exp() * of).sum(Kind::Double).double_value(&[]);
        entropy -= mean(&ours);
        kl += mean(&(&ours - theirs));
    }
    (j, entropy, kl)
}

/// Directions of length 1 in the space of the weights.
fn directions() -> impl Iterator<Item = Tensor> {
    let numbers = Tensor::arange(model(3).weights.flat.numel() as i64, (Kind::Double, Device::Cpu));
    (1..7).map(move |n| (&numbers * (0.37 + f64::from(n))).sin()).map(|direction| &direction / direction.norm())
}

/// A gradient agrees with the slope of what it is of, along every direction.
fn agrees(gradient: &Tensor, of: impl Fn(&Model) -> f64) {
    const STEP: f64 = 1e-5;
    let length = gradient.norm().double_value(&[]);
    assert!(length > 1e-3, "a gradient of {length} agrees with anything");
    for direction in directions() {
        let at = |step: f64| of(&moved(&model(3), &(&direction * step)));
        let (slope, claimed) = ((at(STEP) - at(-STEP)) / (2.0 * STEP), gradient.dot(&direction).double_value(&[]));
        assert!((slope - claimed).abs() < 1e-6 * length, "slope {slope}, gradient {claimed}");
    }
}

fn check(policy: Policy, normalise: Normalise, entropy: f64, kl: f64) {
    let reference = model(4);
    let kl = (kl > 0.0).then_some((&reference.weights, kl));
    let objective = Objective { policy, normalise, entropy, kl };
    let found = gradients(&model(3), &examples(), objective, 4, 1).expect("the examples are finite");
    let reward = found.reward.expect("some examples earned a reward");
    let (j, wide, far) = values(&model(3), &model(3), objective, &examples());
    assert!((reward.value - j).abs() < 1e-6, "{} is not {j}", reward.value);
    assert_eq!((found.entropy.is_some(), found.kl.is_some()), (entropy > 0.0, kl.is_some()));
    assert!(found.entropy.is_none_or(|found| (found - wide).abs() < 1e-6));
    assert!(found.kl.is_none_or(|found| (found - far).abs() < 1e-6));
    let weight = kl.map_or(0.0, |(_, weight)| weight);
    agrees(&reward.gradient, |live| {
        let (j, wide, far) = values(live, &model(3), objective, &examples());
        j + entropy * wide - weight * far
    });
}

#[test]
fn every_term_agrees_with_finite_differences() {
    check(Policy::Reinforce, Normalise::Token, 0.0, 0.0);
    check(Policy::Reinforce, Normalise::Trajectory, 0.0, 0.0);
    check(PPO, Normalise::Token, 0.0, 0.0);
    check(IMPORTANCE, Normalise::Token, 0.0, 0.0);
    check(Policy::Reinforce, Normalise::Token, 0.5, 0.0);
    check(Policy::Reinforce, Normalise::Token, 0.0, 0.5);
    check(PPO, Normalise::Trajectory, 0.3, 0.2);
}

#[test]
fn the_supervised_loss_agrees_with_finite_differences() {
    let supervised = gradients(&model(3), &examples(), Objective::default(), 4, 1).unwrap().supervised.unwrap();
    let examples: Vec<Example> = examples().into_iter().filter(|example| example.supervised != 0.0).collect();
    let tokens: usize = examples.iter().map(|example| example.log_probs.len()).sum();
    agrees(&supervised.gradient, |live| {
        let loss = |example: &Example| {
            -f64::from(example.supervised) * log_probs(live, example).iter().sum::<f64>() / tokens as f64
        };
        examples.iter().map(loss).sum()
    });
}

/// One answer of one token, sampled where it was likelier or less likely by a factor.
fn alone(advantage: f32, ratio: f64) -> Example {
    let example = Example { advantage: Some(advantage), supervised: 0.0, ..example(0) };
    let example = Example { tokens: example.tokens[..3].to_vec(), log_probs: Vec::new(), ..example };
    let now = log_probs(&model(3), &example)[0];
    Example { log_probs: vec![(now - ratio.ln()) as f32], ..example }
}

#[test]
fn beyond_the_clip_there_is_no_gradient_and_within_it_the_ratio_counts() {
    let of = |advantage, ratio, policy| {
        let objective = Objective { policy, ..Objective::default() };
        gradients(&model(3), &[alone(advantage, ratio)], objective, 4, 1).unwrap()
    };
    for (advantage, ratio, clipped) in [
        (1.0, 1.5, true),
        (1.0, 1.1, false),
        (1.0, 0.5, false),
        (-1.0, 0.5, true),
        (-1.0, 0.9, false),
        (-1.0, 1.5, false),
    ] {
        let (found, plain) = (of(advantage, ratio, PPO), of(advantage, ratio, Policy::Reinforce));
        assert_eq!(found.clipped, Some(f64::from(u8::from(clipped))), "{advantage} {ratio}");
        let factor = if clipped { 0.0 } else { ratio };
        let (found, plain) = (found.reward.unwrap().gradient, plain.reward.unwrap().gradient);
        assert!(found.allclose(&(plain * factor), 1e-5, 1e-7, false), "{advantage} {ratio}");
    }
    let (found, plain) = (of(1.0, 1.5, IMPORTANCE), of(1.0, 1.5, Policy::Reinforce));
    assert_eq!(found.clipped, Some(1.0));
    assert!(found.reward.unwrap().gradient.allclose(&(plain.reward.unwrap().gradient * TRUNCATE), 1e-5, 1e-7, false));
}

/// Every answer of so many tokens to one prompt.
fn all_answers(length: usize) -> Vec<Example> {
    let vocabulary = model(3).tokenizer.vocabulary() as u32;
    let mut answers: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..length {
        answers = answers.iter().flat_map(|head| (0..vocabulary).map(|token| [&head[..], &[token]].concat())).collect();
    }
    let example = |answer: Vec<u32>| Example {
        tokens: [&[5, 9][..], &answer].concat(),
        prompt_length: 2,
        supervised: 0.0,
        stands_for: 1.0,
        advantage: Some(0.0),
        log_probs: Vec::new(),
        distribution: Vec::new(),
    };
    answers.into_iter().map(example).collect()
}

/// A reward that is a function of the answer's place in the list of all.
fn reward_of(place: usize) -> f64 {
    (place as f64 * 1.7).sin()
}

fn probability(model: &Model, example: &Example) -> f64 {
    log_probs(model, example).iter().sum::<f64>().exp()
}

/// E[r] over all answers of a model.
fn expected_reward(model: &Model, answers: &[Example]) -> f64 {
    answers.iter().enumerate().map(|(place, answer)| probability(model, answer) * reward_of(place)).sum()
}

/// The gradient of an objective in expectation over answers as `sampler` gives them: each answer there is, weighed by
/// its probability.
fn expected_gradient(policy: Policy, sampler: &Model, answers: &[Example], baseline: f64) -> Tensor {
    let tokens = answers.iter().map(|answer| answer.tokens.len() - 2).sum::<usize>() as f64;
    let weigh = |(place, answer): (usize, &Example)| {
        let advantage = probability(sampler, answer) * (reward_of(place) - baseline) * tokens;
        let log_probs = log_probs(sampler, answer).into_iter().map(|log_prob| log_prob as f32).collect();
        Example { advantage: Some(advantage as f32), log_probs, ..answer.clone() }
    };
    let weighed: Vec<Example> = answers.iter().enumerate().map(weigh).collect();
    let objective = Objective { policy, ..Objective::default() };
    let found = gradients(&model(3), &weighed, objective, 64, 1).expect("the examples are finite");
    found.reward.expect("all examples earned a reward").gradient
}

#[test]
fn the_score_function_gradient_is_that_of_the_expected_reward() {
    for length in [1, 2] {
        let answers = all_answers(length);
        for baseline in [0.0, 0.8] {
            let gradient = expected_gradient(Policy::Reinforce, &model(3), &answers, baseline);
            agrees(&gradient, |model| expected_reward(model, &answers));
        }
    }
}

#[test]
fn importance_weights_give_that_gradient_from_the_samples_of_another_model() {
    let answers = all_answers(1);
    let whole = Policy::Importance(Importance { truncate: 1e9 });
    let gradient = expected_gradient(whole, &model(4), &answers, 0.0);
    agrees(&gradient, |model| expected_reward(model, &answers));
    let unweighed = expected_gradient(Policy::Reinforce, &model(4), &answers, 0.0);
    assert!(!unweighed.allclose(&gradient, 1e-2, 1e-3, false));
}

/// The same as it was sampled, by the weights that are trained.
fn fresh(examples: Vec<Example>) -> Vec<Example> {
    let own = |example: &Example| log_probs(&model(3), example).into_iter().map(|log_prob| log_prob as f32).collect();
    examples.into_iter().map(|example| Example { log_probs: own(&example), ..example }).collect()
}

#[test]
fn with_fresh_weights_every_policy_has_the_gradient_of_reinforce() {
    let of = |policy| {
        let objective = Objective { policy, ..Objective::default() };
        gradients(&model(3), &fresh(examples()), objective, 4, 1).unwrap()
    };
    let plain = of(Policy::Reinforce).reward.unwrap().gradient;
    for policy in [PPO, IMPORTANCE] {
        let found = of(policy);
        assert_eq!(found.clipped, Some(0.0));
        // The log-probabilities of the sampler are kept in single precision.
        let apart = (found.reward.unwrap().gradient - &plain).norm().double_value(&[]);
        assert!(apart < 1e-5 * plain.norm().double_value(&[]), "{policy:?}: {apart}");
    }
}

#[test]
fn what_counts_nothing_is_not_computed() {
    let (plain, reference) = (Objective::default(), model(4));
    let weightless = Objective { kl: Some((&reference.weights, 0.0)), ..plain };
    let of = |objective| gradients(&model(3), &examples(), objective, 4, 1).unwrap();
    let (found, plain) = (of(weightless), of(plain));
    assert_eq!((found.entropy, found.kl, found.clipped), (None, None, None));
    assert!(found.reward.unwrap().gradient.equal(&plain.reward.unwrap().gradient));
    let unrewarded: Vec<Example> = examples().into_iter().map(|it| Example { advantage: None, ..it }).collect();
    let all = Objective { policy: PPO, entropy: 0.5, kl: Some((&reference.weights, 0.5)), ..Objective::default() };
    let Gradients { reward, entropy, kl, clipped, .. } = gradients(&model(3), &unrewarded, all, 4, 1).unwrap();
    assert!(reward.is_none() && entropy.is_none() && kl.is_none() && clipped.is_none());
}

#[test]
fn an_answer_without_its_sampler_is_an_error_where_the_objective_goes_by_it() {
    let bare = [Example { log_probs: Vec::new(), ..example(1) }];
    let objective = Objective { policy: PPO, ..Objective::default() };
    let error = gradients(&model(3), &bare, objective, 4, 1).unwrap_err();
    assert!(matches!(error, TrainError::NotSampled { .. }));
    insta::assert_snapshot!(error, @r#"example 0 has an answer of 3 tokens and 0 log-probabilities of its sampler; train on answers as M sampled them, or leave `policy` at "reinforce""#);
    assert!(gradients(&model(3), &bare, Objective::default(), 4, 1).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn workers_do_not_change_a_bit(keys in prop::collection::vec(0usize..100, 4..30), micro_batch in 1usize..9) {
        let examples: Vec<_> = keys.iter().map(|&key| Example { advantage: Some(key as f32 - 50.0), ..example(key) }).collect();
        let reference = model(4);
        let kl = Some((&reference.weights, 0.1));
        let objective = Objective { policy: PPO, normalise: Normalise::Trajectory, entropy: 0.1, kl };
        let with = |workers| gradients(&model(3), &examples, objective, micro_batch, workers).unwrap();
        let (one, other) = (with(1), with(3));
        prop_assert_eq!((one.entropy, one.kl, one.clipped), (other.entropy, other.kl, other.clipped));
        prop_assert!(one.combined().unwrap().equal(&other.combined().unwrap()));
    }
}
