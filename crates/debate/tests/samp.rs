//! What holds of propensities and budgets, whatever M says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    adversary::{Adversary, outcomes, probability},
    amplify::{Amplified, Approx, Open},
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    consult::Amp,
    distance::Measure,
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Posed},
    samp::{Purse, Rule, Samp, allowance, calls_human, lower},
    trace::{Part, calls},
};
use proptest::prelude::*;
use spec::settings::{Budget, ByLoss, CallHuman, Distance, Reference, Schedule, Wording};
use std::cell::{Cell, RefCell};

/// Says one of three things, each with a probability of its own, by the address of the draw.
struct Scripted;

impl Answerer for Scripted {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        let said = |prompt: &Prompt| {
            let said = prompt.draw.below(0, 3);
            let sampled = Sampled { log_probs: vec![[-0.1, -1.0, -0.3][said]; 2], ..Sampled::default() };
            Answer { text: ["Yes", "No", "Yes because so"][said].into(), sampled }
        };
        Ok(wave.iter().map(said).collect())
    }
}

/// Adv: says that H would say so, or not, or neither, by the address of the draw; and remembers what it was asked.
#[derive(Default)]
struct Suspicious {
    asked: Vec<String>,
    waves: usize,
}

impl Answerer for Suspicious {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        self.waves += 1;
        self.asked.extend(wave.iter().map(|prompt| prompt.text.clone()));
        let said = |prompt: &Prompt| {
            let said = prompt.draw.below(0, 3);
            let sampled = Sampled { log_probs: vec![[-0.2, -0.5, -0.1][said]], ..Sampled::default() };
            Answer { text: ["Yes", "No", "perhaps"][said].into(), sampled }
        };
        Ok(wave.iter().map(said).collect())
    }
}

/// Always says the same.
struct Certain;

impl Human for Certain {
    fn next(&self, _: &Posed, _: &[Exchange], _: Draw) -> Move {
        Move::Answer("Yes".into())
    }
}

fn open(id: u64) -> Open {
    Open { posed: Posed::bare(format!("question {id}")), draw: Draw::new(5).at(id) }
}

const SUSPECTED: &str = "Of {question}: {answer}?";

fn answered(rule: Rule, purse: Option<&Cell<Purse>>, wave: &[Open]) -> Vec<Amplified> {
    answered_beside(&RefCell::new(Suspicious::default()), rule, purse, wave)
}

fn answered_beside(
    adversary: &RefCell<Suspicious>,
    rule: Rule,
    purse: Option<&Cell<Purse>>,
    wave: &[Open],
) -> Vec<Amplified> {
    let adversary = Adversary { model: adversary, wording: SUSPECTED };
    let adversary = matches!(rule, Rule::Learned { .. }).then_some(adversary);
    let (samp, wording) = (Samp { rule, purse, adversary }, Wording::default());
    Approx { amp: Amp::new(&Certain, &wording), samp }.answer(&mut Scripted, wave).unwrap()
}

fn propensities(rule: Rule, purse: Option<&Cell<Purse>>, wave: &[Open]) -> Vec<f64> {
    answered(rule, purse, wave).iter().map(|answer| answer.propensity).collect()
}

/// Every rule with a least propensity, and that.
fn rule() -> impl Strategy<Value = (Rule, f64)> {
    let bounds = || (0.01..=1.0, 0.01..=1.0).prop_map(|(a, b): (f64, f64)| (a.min(b), a.max(b)));
    prop_oneof![
        (0.01..=1.0).prop_map(|probability| (Rule::Constant(probability), probability)),
        bounds().prop_map(|(least, most)| (Rule::Confidence { least, most }, least)),
        (bounds(), 1..4usize).prop_map(|((least, most), samples)| (Rule::Disagreement { samples, least, most }, least)),
        bounds().prop_map(|(least, most)| (Rule::Learned { least, most }, least)),
    ]
}

fn most(rule: Rule) -> f64 {
    match rule {
        Rule::Constant(most) => most,
        Rule::Confidence { most, .. } | Rule::Disagreement { most, .. } | Rule::Learned { most, .. } => most,
    }
}

/// Two numbers, but for the last bits.
fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

proptest! {
    #[test]
    fn propensities_keep_their_bounds((rule, least) in rule(), ids in prop::collection::vec(0u64..1000, 0..20)) {
        let wave: Vec<Open> = ids.into_iter().map(open).collect();
        for propensity in propensities(rule, None, &wave) {
            prop_assert!((least..=most(rule)).contains(&propensity), "{propensity}");
        }
    }

    #[test]
    fn a_share_is_kept_and_nobody_comes_first(
        propensities in prop::collection::vec(0.0..=1.0, 1..20), share in 0.0..12.0, floor in 0.0..=1.0,
    ) {
        let least = propensities.iter().copied().fold(1.0, f64::min) * floor;
        let lowered = lower(propensities.clone(), share, least);
        let sum: f64 = propensities.iter().sum();
        prop_assert!(close(lowered.iter().sum(), sum.min(share)), "{lowered:?}");
        let kept = least.min(share / propensities.len() as f64);
        for (lowered, own) in lowered.iter().zip(&propensities) {
            prop_assert!(*lowered >= kept - 1e-12 && lowered <= own, "{lowered} of {own}");
        }
        let mut backwards = propensities.clone();
        backwards.reverse();
        let mut other = lower(backwards, share, least);
        other.reverse();
        prop_assert_eq!(&lowered, &other);
        for (i, j) in (0..lowered.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
            prop_assert!(propensities[i] < propensities[j] || lowered[i] >= lowered[j]);
        }
    }

    #[test]
    fn a_budget_is_never_exceeded_in_expectation(
        (rule, _) in rule(), per_batch in prop::option::of(1u64..12), per_run in prop::option::of(1u64..60),
        sizes in prop::collection::vec(prop::collection::vec(0u64..9, 3), 1..9), own in 1usize..=3,
    ) {
        let (budget, batches) = (Budget { per_batch, per_run }, sizes.len() as u64);
        prop_assume!(per_batch.is_some() || per_run.is_some());
        // The stage puts `own` of three waves; the others are another stage's, which has a part of its own.
        let of_part = |calls: Option<u64>| calls.map_or(f64::INFINITY, |calls| calls as f64 * own as f64 / 3.0);
        let (mut spent, mut id) = (0.0, 0);
        for (batch, waves) in sizes.iter().enumerate() {
            let left = allowance(&budget, (own, 3), spent, batch as u64, batches);
            let purse = Cell::new(Purse { left, waves: own });
            let mut in_batch = 0.0;
            for &size in &waves[..own] {
                let wave: Vec<Open> = (id..id + size).map(open).collect();
                id += size;
                in_batch += propensities(rule, Some(&purse), &wave).iter().sum::<f64>();
            }
            prop_assert!(in_batch <= of_part(per_batch) + 1e-9);
            prop_assert!(close(left - purse.get().left, in_batch));
            spent += in_batch;
        }
        prop_assert!(spent <= of_part(per_run) + 1e-9);
    }

    /// Σ over who was called of distance/propensity has, over all draws, the mean that it has where H is always called.
    #[test]
    fn weighted_by_propensities_the_sum_is_that_of_always(
        (rule, _) in rule(), left in prop::option::of(0.1..6.0), distances in prop::collection::vec(0.0..9.0, 1..9),
    ) {
        let wave: Vec<Open> = (0..distances.len() as u64).map(open).collect();
        let purse = left.map(|left| Cell::new(Purse { left, waves: 1 }));
        let propensities = propensities(rule, purse.as_ref(), &wave);
        let mut mean = 0.0;
        for drawn in 0..1u32 << distances.len() {
            let (mut chance, mut sum) = (1.0, 0.0);
            for (i, (propensity, distance)) in propensities.iter().zip(&distances).enumerate() {
                let called = drawn >> i & 1 == 1;
                chance *= if called { *propensity } else { 1.0 - propensity };
                sum += if called { distance / propensity } else { 0.0 };
            }
            mean += chance * sum;
        }
        prop_assert!(close(mean, distances.iter().sum()), "{mean}");
    }
}

#[test]
fn waves_that_leave_something_leave_it_to_the_next() {
    let purse = Cell::new(Purse { left: 3.0, waves: 3 });
    let spent = |wave: Vec<Open>| propensities(Rule::Constant(0.5), Some(&purse), &wave).iter().sum();
    let sums = [0..1, 1..21, 21..41].map(|ids| spent(ids.map(open).collect()));
    assert!([0.5, 1.25, 1.25].iter().zip(sums).all(|(expect, sum): (_, f64)| close(*expect, sum)), "{sums:?}");
}

#[test]
fn who_is_unsure_is_called_over_more_often() {
    let wave: Vec<Open> = (0..200).map(open).collect();
    let confidence = answered(Rule::Confidence { least: 0.1, most: 0.9 }, None, &wave);
    for answer in &confidence {
        let log_prob: f64 = answer.first.sampled.log_probs.iter().map(|&log_prob| f64::from(log_prob)).sum();
        assert!(close(answer.propensity, 0.1 + 0.8 * (1.0 - log_prob.exp())));
    }
    let rule = Rule::Disagreement { samples: 2, least: 0.1, most: 0.9 };
    let disagreement = answered(rule, None, &wave);
    for answer in &disagreement {
        assert_eq!(answer.again.len(), 2);
        let says_no = |answer: &&Answer| answer.text == "No";
        let others = answer.again.iter().filter(|other| says_no(other) != says_no(&&answer.first)).count();
        assert!(close(answer.propensity, [0.1, 0.5, 0.9][others]), "{answer:?}");
    }
    let firsts = |answers: &[Amplified]| answers.iter().map(|answer| answer.first.clone()).collect::<Vec<_>>();
    assert_eq!(firsts(&confidence), firsts(&disagreement), "what is asked beside it changes no first answer");
    let addresses: Vec<&str> = disagreement.iter().map(|answer| answer.again[0].text.as_str()).collect();
    assert!(disagreement.iter().zip(addresses).any(|(answer, again)| answer.again[1].text != again));
}

#[test]
fn adv_is_asked_once_of_each_first_answer_and_h_is_called_where_it_suspects() {
    let wave: Vec<Open> = (0..100).map(open).collect();
    let adversary = RefCell::new(Suspicious::default());
    let learned = answered_beside(&adversary, Rule::Learned { least: 0.1, most: 0.9 }, None, &wave);
    assert_eq!(adversary.borrow().waves, 1);
    let mut seen = [false; 3];
    for (answer, asked) in learned.iter().zip(&adversary.borrow().asked) {
        assert_eq!(*asked, format!("Of {}: {}?", answer.prompt, answer.first.text));
        let predicted = answer.predicted.as_ref().unwrap();
        assert_eq!(predicted.prompt, *asked);
        // What is left beside no is yes; who says neither suspects the worst.
        let (which, agrees) = match predicted.answer.text.as_str() {
            "Yes" => (0, f64::from(-0.2f32).exp()),
            "No" => (1, 1.0 - f64::from(-0.5f32).exp()),
            _ => (2, 0.0),
        };
        seen[which] = true;
        assert!(close(probability(&predicted.answer), agrees));
        assert!(close(answer.propensity, 0.1 + 0.8 * (1.0 - agrees)), "{answer:?}");
    }
    assert_eq!(seen, [true; 3]);
    let constant = answered(Rule::Constant(0.5), None, &wave);
    assert!(constant.iter().zip(&learned).all(|(one, other)| one.first == other.first && one.predicted.is_none()));
    answered_beside(&adversary, Rule::Learned { least: 0.1, most: 0.9 }, None, &[]);
    assert_eq!(adversary.borrow().waves, 1, "of nothing nobody is asked");
}

#[test]
fn adv_learns_where_h_answered_and_by_how_far_that_is_from_m() {
    let wave: Vec<Open> = (0..60).map(open).collect();
    let learned = answered(Rule::Learned { least: 0.2, most: 0.6 }, None, &wave);
    let trace: Vec<_> = (0u64..).zip(learned.clone()).flat_map(|(id, it)| calls(id, Asked::Argument, 0, it)).collect();
    let outcomes = outcomes(Measure { distance: &Distance::Exact, embedder: None }, &trace).unwrap();
    let called: Vec<_> = (0u64..).zip(&learned).filter(|(_, answer)| answer.human.is_some()).collect();
    assert_eq!(outcomes.len(), called.len());
    assert!((1..60).contains(&called.len()));
    for (outcome, (id, answer)) in outcomes.iter().zip(called) {
        assert_eq!((outcome.call.question, outcome.call.part), (id, Part::Adversary));
        let distance = if answer.first.text == "Yes" { 0.0 } else { 1.0 };
        assert_eq!((outcome.distance, outcome.propensity), (distance, Some(answer.propensity)));
    }
}

#[test]
fn calls_are_fewer_as_the_loss_falls() {
    let by_loss = ByLoss {
        loss: Reference { name: "step".into(), span: 0..0 },
        points: vec![(0.5, 0.1), (1.0, 0.3), (2.0, 0.9)],
        decay: 0.9,
    };
    let at = |loss| Rule::of(&CallHuman::Schedule(by_loss.clone()), 7, loss);
    let expect = [(None, 0.9), (Some(3.0), 0.9), (Some(1.5), 0.6), (Some(0.75), 0.2), (Some(0.0), 0.1)];
    for (loss, probability) in expect {
        let Rule::Constant(found) = at(loss) else { panic!("it is the same for all questions") };
        assert!(close(found, probability), "{loss:?}: {found}");
    }
}

#[test]
fn a_probability_may_change_from_batch_to_batch() {
    let call_human = CallHuman::Probability(Schedule::Points(vec![(0, 1.0), (10, 0.0)]));
    assert_eq!([0, 5, 10].map(|batch| Rule::of(&call_human, batch, None)), [1.0, 0.5, 0.0].map(Rule::Constant));
}

#[test]
fn samp_calls_as_often_as_it_says() {
    let called = (0..10_000).filter(|&i| calls_human(0.3, Draw::new(1).at(i))).count();
    assert!((2_800..3_200).contains(&called), "{called}");
}
