//! What holds of a penalty, whatever M, H and the adversary say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::Approx,
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    consult::{Amp, Consulting},
    draw::Draw,
    human::{Exchange, Human, Move},
    penalty::{Penalising, Proposal, Realised, Weighed, largest, likelihood, one_in, propose, surprises, weigh},
    question::{Asked, Posed},
    samp::{Rule, Samp},
    trace::Part,
};
use proptest::prelude::*;
use spec::settings::{Scale, Wording};

/// M answers by the address of the draw; as M_target it finds every answer a catastrophe with probability 1/4.
#[derive(Default)]
struct Scripted {
    waves: usize,
    asked: Vec<String>,
}

impl Answerer for Scripted {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        assert!(!wave.is_empty(), "an empty wave is never asked");
        self.waves += 1;
        self.asked.extend(wave.iter().map(|prompt| prompt.text.clone()));
        let said = |prompt: &Prompt| {
            let said = prompt.draw.below(0, 3);
            let sampled = Sampled { tokens: vec![said as u32], log_probs: vec![-0.5], ..Sampled::default() };
            Answer { text: ["Yes", "I decline", "1 in 100"][said].into(), sampled }
        };
        Ok(wave.iter().map(said).collect())
    }

    fn score(&mut self, wave: &[Prompt], answers: &[&str]) -> Result<Vec<Vec<Answer>>, AnswererError> {
        let one = |(text, probability): (&&str, f64)| Answer {
            text: (*text).to_owned(),
            sampled: Sampled { tokens: vec![0], log_probs: vec![probability.ln() as f32], ..Sampled::default() },
        };
        Ok(wave.iter().map(|_| answers.iter().zip([0.25, 0.75]).map(one).collect()).collect())
    }
}

/// Finds "Yes" a catastrophe, and words as unlikely as they are many.
struct Careful;

impl Human for Careful {
    fn next(&self, posed: &Posed, _: &[Exchange], _: Draw) -> Move {
        Move::Answer(match posed.asked {
            Asked::Catastrophe => if posed.context == ["Yes"] { "Yes" } else { "No" }.into(),
            Asked::Likelihood => one_in(posed.question.split_whitespace().count() as u32),
            _ => format!("{:?}", posed.asked),
        })
    }
}

fn proposal(id: u64, words: &str, questions: usize) -> Proposal {
    let draw = Draw::new(3).at(id);
    let realised = |place: u64| Realised {
        id: id * 100 + place,
        question: format!("{words} {place}?"),
        draw: draw.named("question").at(place),
    };
    Proposal { id, words: words.to_owned(), said: None, draw, questions: (0..questions as u64).map(realised).collect() }
}

fn weighed(human: bool, proposals: Vec<Proposal>) -> (Vec<Weighed>, Scripted, Scripted) {
    let wording = Wording::default();
    let rule = Rule::Constant(if human { 1.0 } else { 0.0 });
    let amp = Amp { human: &Careful, wording: &wording, consulting: Consulting::default() };
    let overseer = Approx { amp, samp: Samp { rule, purse: None, adversary: None } };
    let (mut m, mut target) = (Scripted::default(), Scripted::default());
    let weighed = weigh(&Penalising { overseer, temperature: 1.0 }, &mut m, &mut target, proposals).unwrap();
    (weighed, m, target)
}

#[test]
fn the_penalty_is_the_largest_product() {
    let (weighed, ..) = weighed(true, vec![proposal(0, "a b c", 8), proposal(1, "a", 8), proposal(2, "none", 0)]);
    for one in &weighed[..2] {
        let harmful = one.answers.iter().filter(|answered| answered.answer.text == "Yes").count() as f64;
        assert!((one.catastrophe().unwrap() - harmful / 8.0).abs() < 1e-12);
        assert!((one.product().unwrap() - one.likelihood().unwrap() * harmful / 8.0).abs() < 1e-12);
    }
    assert_eq!(weighed[0].likelihood(), Some(1e-3));
    assert_eq!((weighed[2].likelihood(), weighed[2].catastrophe(), weighed[2].product()), (Some(0.0), None, Some(0.0)));
    assert_eq!(largest(&weighed), Some(1));
    assert_eq!(largest(&[]), None);
}

/// Words that stand for every question are as likely as can be, and nobody is asked.
#[test]
fn every_question_has_a_likelihood_of_one() {
    let (weighed, m, target) = weighed(true, vec![proposal(0, "", 4)]);
    assert_eq!((weighed[0].likelihood(), weighed[0].likelihood.is_none()), (Some(1.0), true));
    // H is asked about every answer, and M_target is not let speak.
    assert_eq!((m.waves, target.waves), (1, 0));
}

#[test]
fn m_target_gives_probabilities_and_h_says_yes_or_no() {
    let (own, ..) = weighed(false, vec![proposal(0, "a", 6)]);
    assert!(own[0].answers.iter().all(|answered| (answered.catastrophe.unwrap() - 0.25).abs() < 1e-6));
    let (by_human, ..) = weighed(true, vec![proposal(0, "a", 6)]);
    let said = by_human[0].answers.iter().map(|answered| (answered.answer.text == "Yes", answered.catastrophe));
    assert!(said.into_iter().all(|(harmful, found)| found == Some(if harmful { 1.0 } else { 0.0 })));
}

/// M_target's word on a likelihood may be none; then there is no product, which is not 0.
#[test]
fn what_is_no_likelihood_makes_no_product() {
    let proposals = (0..40).map(|id| proposal(id, "a", 1)).collect();
    let (weighed, ..) = weighed(false, proposals);
    let known = weighed.iter().filter(|one| one.product().is_some()).count();
    assert!(0 < known && known < 40, "{known} of 40");
    for one in &weighed {
        let text = one.likelihood.as_ref().unwrap().text();
        assert_eq!(one.product().is_some(), text == "1 in 100");
    }
}

#[test]
fn calls_bear_the_number_of_what_they_are_about() {
    let (weighed, ..) = weighed(true, vec![proposal(7, "a", 2)]);
    let calls = weighed.into_iter().next().unwrap().into_calls();
    let told: Vec<(u64, Asked, Part)> = calls.iter().map(|call| (call.question, call.asked, call.part)).collect();
    let of_answer = |id| {
        [
            (id, Asked::Argument, Part::First),
            (id, Asked::Catastrophe, Part::First),
            (id, Asked::Catastrophe, Part::Human),
        ]
    };
    let asked = [(7, Asked::Likelihood, Part::First), (7, Asked::Likelihood, Part::Human)];
    assert_eq!(told, [&asked[..], &of_answer(700), &of_answer(701)].concat());
    assert!(calls.iter().filter(|call| call.part == Part::First).all(|call| call.sampled.is_some()));
}

#[test]
fn likelihoods_are_read_as_they_are_told() {
    for exponent in 0..10 {
        assert!((likelihood(&one_in(exponent)).unwrap() - 0.1f64.powi(exponent as i32)).abs() < 1e-15);
    }
    let all = ["Never", " 1  in 4 ", "1 in 0", "1 in", "", "in 10", "1 in -2", "2 in 3", "never"];
    assert_eq!(all.map(likelihood), [Some(0.0), Some(0.25), None, None, None, None, None, None, None]);
}

#[test]
fn a_script_is_asked_for_proposals() {
    assert_eq!(propose(&Careful, &[Draw::new(1), Draw::new(2)]), ["Proposal", "Proposal"]);
}

proptest! {
    /// What M answers to a proposal does not depend on what else is proposed.
    #[test]
    fn a_proposal_is_weighed_by_itself(ids in prop::collection::btree_set(0u64..20, 1..5), human: bool) {
        let of = |id: u64| proposal(id, if id.is_multiple_of(3) { "" } else { "a b" }, id as usize % 4);
        let (together, ..) = weighed(human, ids.iter().map(|id| of(*id)).collect());
        for (one, id) in together.iter().zip(&ids) {
            let (alone, ..) = weighed(human, vec![of(*id)]);
            prop_assert_eq!(one, &alone[0]);
        }
    }

    #[test]
    fn surprises_are_against_the_mean(values in prop::collection::vec(prop::option::of(0.0..1.0f64), 0..9), divided: bool) {
        let surprises = surprises(&values, if divided { Scale::Std } else { Scale::None });
        prop_assert_eq!(surprises.len(), values.len());
        let found: Vec<f64> = surprises.iter().copied().flatten().collect();
        prop_assert!(found.iter().sum::<f64>().abs() < 1e-9);
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        let differ = known.iter().any(|value| *value != known[0]);
        prop_assert_eq!(found.len(), if differ { known.len() } else { 0 });
        if differ && divided {
            let spread = found.iter().map(|value| value * value).sum::<f64>() / found.len() as f64;
            prop_assert!((spread - 1.0).abs() < 1e-6);
        }
        for (value, surprise) in values.iter().zip(&surprises) {
            prop_assert!(value.is_some() || surprise.is_none());
        }
    }
}
