//! Both ways to keep to a limit, on a policy that is a softmax over a few actions: gradients and Fisher matrix are exact, and
//! the largest reward that the limit allows is known.

use tch::{Kind, Tensor};
use train::{
    Multiplier,
    cpo::{Measured, Region, Slopes, step},
};

const REWARDS: [f64; 6] = [1.0, 0.2, 0.6, 0.0, 0.9, 0.4];
/// What H answers, how often.
const ANSWERS: [f64; 6] = [0.05, 0.3, 0.1, 0.35, 0.05, 0.15];

fn answers() -> Tensor {
    Tensor::from_slice(&ANSWERS)
}

fn rewards() -> Tensor {
    Tensor::from_slice(&REWARDS)
}

/// Somewhat above the least that L can be, the entropy of H's answers.
fn limit() -> f64 {
    0.15 - ANSWERS.iter().map(|share| share * share.ln()).sum::<f64>()
}

fn policy(logits: &Tensor) -> Tensor {
    logits.softmax(0, Kind::Double)
}

fn number(tensor: &Tensor) -> f64 {
    tensor.double_value(&[])
}

/// J
fn reward(logits: &Tensor) -> f64 {
    number(&policy(logits).dot(&rewards()))
}

/// L
fn loss(logits: &Tensor) -> f64 {
    -number(&logits.log_softmax(0, Kind::Double).dot(&answers()))
}

/// ∇J and ∇L.
fn slopes(logits: &Tensor) -> (Tensor, Tensor) {
    let policy = policy(logits);
    (&policy * (rewards() - reward(logits)), policy - answers())
}

/// The largest J within the limit. Where it binds, r + λ·t/π is the same for all actions, so that π = λ·t/(μ − r): μ is what
/// makes the sum 1, and λ what makes L its limit.
fn largest() -> f64 {
    let at = |lambda: f64| {
        let weights = |mu: f64| REWARDS.iter().zip(ANSWERS).map(move |(r, t)| lambda * t / (mu - r));
        let mu = halved(1.0, 1.0 + 7.0 * lambda, |mu| weights(mu).sum::<f64>() > 1.0);
        weights(mu).collect::<Vec<f64>>()
    };
    let of = |policy: &[f64]| -ANSWERS.iter().zip(policy).map(|(t, p)| t * p.ln()).sum::<f64>();
    let lambda = halved(1e-3, 1e3, |lambda| of(&at(lambda)) > limit());
    at(lambda).iter().zip(REWARDS).map(|(p, r)| p * r).sum()
}

/// Where a condition ceases to hold.
fn halved(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    high
}

/// Logits: H's answers, moved.
fn begun_at(by: [f64; 6]) -> Tensor {
    answers().log() + Tensor::from_slice(&by)
}

/// At H's answers; within the limit but far from the best way to it; and above it.
fn beginnings() -> [Tensor; 3] {
    [[0.0; 6], [0.0, -0.7, 0.7, 0.3, -0.4, 0.4], [0.0, 1.5, -1.0, 0.3, -0.4, 0.4]].map(begun_at)
}

fn by_cpo(mut logits: Tensor, steps: usize) -> Tensor {
    let region = Region { kl: 0.002, damping: 1e-3, iterations: 10, backtracks: 10, shrink: 0.8 };
    for _ in 0..steps {
        let (gain, slope) = slopes(&logits);
        let before = policy(&logits);
        let fisher = |vector: &Tensor| &before * (vector - before.dot(vector));
        let measure = |step: &Tensor| {
            let after = &logits + step;
            let apart = before.log() - after.log_softmax(0, Kind::Double);
            Measured { gain: reward(&after), loss: loss(&after), kl: number(&before.dot(&apart)) }
        };
        let slopes = Slopes { gain: &gain, loss: &slope };
        let outcome = step(slopes, limit(), region, fisher, measure).expect("all numbers are finite");
        assert!(outcome.after.kl <= region.kl, "a step left its region");
        logits = outcome.step.map_or_else(|| logits.shallow_clone(), |step| &logits + step);
    }
    logits
}

fn by_multiplier(mut logits: Tensor, steps: usize) -> Tensor {
    let mut multiplier = Multiplier { log: 0.0 };
    for _ in 0..steps {
        let (gain, slope) = slopes(&logits);
        let (of_reward, of_loss) = multiplier.shares();
        multiplier.ascend(0.1, loss(&logits) - limit());
        logits += (gain * of_reward - slope * of_loss) * 0.5;
    }
    logits
}

fn assert_best(logits: &Tensor, above: f64) {
    let (found, best) = (reward(logits), largest());
    assert!(loss(logits) <= limit() + above, "L is {}, above its limit of {}", loss(logits), limit());
    assert!((found - best).abs() < 0.02 * best, "J is {found}, and could be {best}");
}

#[test]
fn a_limit_costs_reward() {
    let (least, best) = (reward(&begun_at([0.0; 6])), largest());
    assert!(best > least + 0.1 && best < 0.9, "{least} to {best}");
}

#[test]
fn constrained_policy_optimisation_finds_the_best_within_the_limit() {
    for beginning in beginnings() {
        assert_best(&by_cpo(beginning, 150), 0.0);
    }
}

/// Within the limit no step leaves it.
#[test]
fn the_limit_holds_at_every_step() {
    for steps in 0..40 {
        let logits = by_cpo(beginnings()[1].shallow_clone(), steps);
        assert!(loss(&logits) <= limit(), "after {steps} steps");
    }
}

#[test]
fn a_multiplier_finds_the_best_within_the_limit() {
    for beginning in beginnings() {
        assert_best(&by_multiplier(beginning, 2000), 1e-4);
    }
}

#[test]
fn a_multiplier_stays_a_number() {
    let mut multiplier = Multiplier { log: 0.0 };
    multiplier.ascend(1.0, 1e6);
    assert!(multiplier.value().is_finite());
    let (of_reward, of_loss) = multiplier.shares();
    assert!(of_reward >= 0.0 && of_loss == 1.0);
    multiplier.ascend(1.0, -1e7);
    assert!(multiplier.value() > 0.0 && multiplier.shares().0 == 1.0);
}
