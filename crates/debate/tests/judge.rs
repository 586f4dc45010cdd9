//! A judge that chooses, sees the sides in both orders, or is asked again and again: checked with a scripted M and H whose
//! words, and whose probabilities, depend on nothing but what they are asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Amplified, Approx, HumanAnswer},
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    choice::{drawn, probability_of_first},
    consult::Amp,
    debate::Row,
    draw::Draw,
    human::{Exchange, Human, Move},
    judge::{Ballot, Judging, Order, Side, Transcript, Verdict, judge},
    question::{Asked, Form, Posed},
    samp::{Rule, Samp},
};
use proptest::prelude::*;
use spec::settings::{Reply, Sees, Wording};

fn wording() -> Wording {
    Wording { winner: "{question}{context} even?".into(), ..Wording::default() }
}

/// What depends on a text, and on a draw.
fn address(text: &str, draw: Draw) -> Draw {
    text.bytes().fold(draw, |draw, byte| draw.at(u64::from(byte)))
}

/// An answer of some tokens that has these log-probabilities.
fn scored(text: &str, tokens: &[u32], log_probs: &[f32]) -> Answer {
    let sampled = Sampled { tokens: tokens.to_vec(), log_probs: log_probs.to_vec(), ..Sampled::default() };
    Answer { text: text.to_owned(), sampled }
}

/// Says yes, no or neither, by the text asked and the address of the draw; and finds each answer as likely as its prompt and
/// its text say. Counts its waves.
#[derive(Default)]
struct Scripted {
    waves: usize,
}

impl Answerer for Scripted {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        self.waves += 1;
        let said = |prompt: &Prompt| {
            let place = address(&prompt.text, prompt.draw).below(0, 3);
            scored(["Yes", "No", "mumble"][place], &[place as u32], &[-1.0])
        };
        Ok(wave.iter().map(said).collect())
    }

    fn score(&mut self, wave: &[Prompt], answers: &[&str]) -> Result<Vec<Vec<Answer>>, AnswererError> {
        assert!(!wave.is_empty(), "an empty wave is never asked");
        self.waves += 1;
        let of = |prompt: &Prompt, answer: &str| {
            let likely = address(answer, address(&prompt.text, Draw::new(1))).uniform(0);
            scored(answer, &[answer.len() as u32, 9], &[likely.ln() as f32, -0.5])
        };
        Ok(wave.iter().map(|prompt| answers.iter().map(|answer| of(prompt, answer)).collect()).collect())
    }
}

/// M that gives texts alone.
struct Wordy;

impl Answerer for Wordy {
    fn answer(&mut self, _: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        unreachable!("it is asked for probabilities")
    }
}

/// Says no.
struct Strict;

impl Human for Strict {
    fn next(&self, _: &Posed, _: &[Exchange], _: Draw) -> Move {
        Move::Answer("No".into())
    }
}

#[derive(Debug, Clone)]
struct Setting {
    rule: Rule,
    reply: Reply,
    temperature: f64,
    sees: Sees,
    repeats: usize,
}

fn transcript(id: u64) -> Transcript {
    let arguments = (0..id % 5).map(|turn| format!("argument {turn} on {id}")).collect();
    let row = Row { id, question: format!("question {id}?"), form: Form::Sequential, draw: Draw::new(7).at(id) };
    Transcript::new(row, arguments)
}

fn judged(setting: &Setting, ids: &[u64]) -> (Vec<Verdict>, usize) {
    let wording = wording();
    let &Setting { rule, reply, temperature, sees, repeats } = setting;
    let overseer = Approx { amp: Amp::new(&Strict, &wording), samp: Samp { rule, purse: None, adversary: None } };
    let transcripts: Vec<Transcript> = ids.iter().copied().map(transcript).collect();
    let mut target = Scripted::default();
    let verdicts = judge(&Judging { overseer, reply, temperature, sees, repeats }, &mut target, &transcripts).unwrap();
    (verdicts, target.waves)
}

prop_compose! {
    fn setting()(
        rule in prop_oneof![
            Just(Rule::Constant(0.0)),
            Just(Rule::Constant(1.0)),
            (0.0..=1.0).prop_map(Rule::Constant),
            Just(Rule::Confidence { least: 0.0, most: 1.0 }),
            Just(Rule::Disagreement { samples: 3, least: 0.0, most: 1.0 }),
        ],
        reply in prop::sample::select(vec![Reply::Text, Reply::Choice]),
        temperature in prop::sample::select(vec![0.0, 0.5, 1.0, 3.0]),
        sees in prop::sample::select(vec![Sees::Given, Sees::Random, Sees::Both]),
        repeats in 1usize..6,
    ) -> Setting {
        Setting { rule, reply, temperature, sees, repeats }
    }
}

fn ids() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::hash_set(0u64..1000, 1..20).prop_map(|ids| ids.into_iter().collect())
}

proptest! {
    #[test]
    fn a_debate_is_judged_alike_in_any_batch(setting in setting(), ids in ids()) {
        let (together, waves) = judged(&setting, &ids);
        prop_assert!(waves <= 1, "all are asked in one wave");
        for (verdict, id) in together.iter().zip(&ids) {
            prop_assert_eq!(&judged(&setting, &[*id]).0[0], verdict);
        }
    }

    #[test]
    fn each_order_is_asked_as_often_as_it_is_to_be(setting in setting(), ids in ids()) {
        for (verdict, id) in judged(&setting, &ids).0.iter().zip(&ids) {
            let asked = |order| verdict.ballots.iter().filter(|ballot| ballot.order == order).count();
            let (given, swapped) = (asked(Order::Given), asked(Order::Swapped));
            let expected = if id % 5 > 1 { setting.repeats } else { 0 };
            match setting.sees {
                Sees::Given => prop_assert_eq!((given, swapped), (expected, 0)),
                Sees::Both => prop_assert_eq!((given, swapped), (expected, expected)),
                Sees::Random => prop_assert!((given, swapped) == (expected, 0) || (given, swapped) == (0, expected)),
            }
        }
    }

    #[test]
    fn an_order_drawn_is_one_of_both_and_the_first_answer_is_that_of_a_judge_asked_once(setting in setting(), ids in ids()) {
        let with = |sees, repeats| judged(&Setting { sees, repeats, ..setting.clone() }, &ids).0;
        let (random, both) = (with(Sees::Random, setting.repeats), with(Sees::Both, setting.repeats));
        for (random, both) in random.iter().zip(&both) {
            let same: Vec<&Ballot> = both.ballots.iter().filter(|it| Some(it.order) == random.ballots.first().map(|it| it.order)).collect();
            prop_assert_eq!(random.ballots.iter().collect::<Vec<_>>(), same);
        }
        for (many, once) in with(Sees::Given, setting.repeats).iter().zip(&with(Sees::Given, 1)) {
            prop_assert_eq!(many.ballots.first(), once.ballots.first());
        }
    }

    #[test]
    fn a_probability_is_there_where_m_chose_and_nowhere_else(setting in setting(), ids in ids()) {
        for ballot in judged(&setting, &ids).0.iter().flat_map(|verdict| &verdict.ballots) {
            let chose = setting.reply == Reply::Choice && ballot.answer.human.is_none();
            prop_assert_eq!(ballot.probability.is_some(), chose);
            if let Some(even) = ballot.probability {
                prop_assert!((0.0..=1.0).contains(&even));
                let likelier = if even > 0.5 { Side::Even } else { Side::Odd };
                prop_assert!(setting.temperature > 0.0 || ballot.winner() == Some(likelier));
            }
            let own = &ballot.answer.first;
            prop_assert!(setting.reply == Reply::Text || ["Yes", "No"].contains(&own.text.as_str()));
        }
    }

    #[test]
    fn a_winner_is_that_of_both_orders_or_the_likelier_one(setting in setting(), ids in ids()) {
        for verdict in judged(&Setting { sees: Sees::Both, ..setting }, &ids).0 {
            let [given, swapped] = Order::BOTH.map(|order| verdict.in_order(order));
            match (verdict.winner, verdict.probability()) {
                (winner, _) if given == swapped => prop_assert_eq!(winner, given),
                (winner, Some(even)) => prop_assert_eq!(winner, Some(if even > 0.5 { Side::Even } else { Side::Odd })),
                (winner, None) => prop_assert_eq!(winner, None),
            }
            prop_assert_eq!(verdict.reward(Side::Even), verdict.reward(Side::Odd).map(|odd| -odd));
        }
    }

    #[test]
    fn the_probability_of_one_is_what_the_other_lacks(one in -50f32..0.0, other in -50f32..0.0, temperature in 0.0..5.0) {
        let answers = [scored("Yes", &[4, 2], &[one, -0.25]), scored("No", &[5, 2], &[other, -0.25])];
        let [first, second] = [answers.clone(), [answers[1].clone(), answers[0].clone()]]
            .map(|answers| probability_of_first(&answers, temperature));
        prop_assert!((first + second - 1.0).abs() < 1e-12);
        prop_assert!(first == second || (first > second) == (one > other));
    }
}

fn check(log_probs: [f32; 2], temperature: f64, expect: f64) {
    let [one, other] = log_probs;
    let answers = [scored("Yes", &[4, 2], &[one, 0.0]), scored("No", &[5, 2], &[other, 0.0])];
    let found = probability_of_first(&answers, temperature);
    assert!((found - expect).abs() < 1e-5, "{log_probs:?} at {temperature}: {found}, not {expect}");
}

#[test]
fn two_probabilities_are_scaled_to_sum_up_to_one() {
    check([0.3f32.ln(), 0.1f32.ln()], 1.0, 0.75);
    check([0.3f32.ln(), 0.1f32.ln()], 0.5, 0.9);
    check([0.3f32.ln(), 0.1f32.ln()], 0.0, 1.0);
    check([0.1f32.ln(), 0.3f32.ln()], 0.0, 0.0);
    check([-2.0, -2.0], 0.0, 0.5);
    // What neither a sum nor a quotient of such small numbers would tell.
    check([-900.0, -900.0 - 3f32.ln()], 1.0, 0.75);
}

/// All is decided where the two first differ: what Samp takes for M's confidence is the probability of the choice.
#[test]
fn a_choice_has_the_log_probabilities_of_what_it_was_drawn_from() {
    let answers = [
        scored("It holds", &[7, 4, 2], &[-0.1, 0.3f32.ln(), -0.2]),
        scored("It fails", &[7, 5, 2], &[-0.1, 0.1f32.ln(), -0.2]),
    ];
    let mut seen = [0, 0];
    for id in 0..2000 {
        let chosen = drawn(&answers, 1.0, Draw::new(3).at(id));
        let place = usize::from(chosen.text == "It fails");
        seen[place] += 1;
        let log_prob = [0.75f64, 0.25][place].ln() as f32;
        let found = &chosen.sampled.log_probs;
        assert!(found[0] == 0.0 && (found[1] - log_prob).abs() < 1e-6 && found[2] == 0.0, "{found:?}");
        assert_eq!(chosen.sampled.tokens, answers[place].sampled.tokens);
    }
    assert!((1420..1580).contains(&seen[0]), "{seen:?}");
}

#[test]
fn an_m_that_gives_texts_alone_cannot_choose() {
    let wording = wording();
    let samp = Samp { rule: Rule::Constant(0.0), purse: None, adversary: None };
    let overseer = Approx { amp: Amp::new(&Strict, &wording), samp };
    let judging = Judging { overseer, reply: Reply::Choice, temperature: 1.0, sees: Sees::Given, repeats: 1 };
    let error = judge(&judging, &mut Wordy, &[transcript(2)]).unwrap_err();
    assert_eq!(error.to_string(), "the model could not answer");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "this model does not say how likely it finds an answer: leave `reply` at \"text\"");
}

/// An answer for a side, or for neither, in an order; with the probability of the even side where M chose.
fn ballot(order: Order, said: &str, probability: Option<f64>) -> Ballot {
    let human = probability.is_none().then(|| HumanAnswer::new(said, Vec::new()));
    let first = scored(said, &[], &[]);
    let answer = Amplified { prompt: String::new(), first, predicted: None, again: Vec::new(), propensity: 0.5, human };
    Ballot { order, answer, probability }
}

#[test]
fn answers_come_to_a_verdict() {
    use Order::{Given, Swapped};
    let winner = |ballots: &[(Order, &str, Option<f64>)]| {
        Verdict::of(ballots.iter().map(|&(order, said, probability)| ballot(order, said, probability)).collect()).winner
    };
    assert_eq!(winner(&[]), None);
    assert_eq!(winner(&[(Given, "Yes", None)]), Some(Side::Even));
    assert_eq!(winner(&[(Swapped, "No", None)]), Some(Side::Odd));
    // Most count; who says neither yes nor no has no voice.
    assert_eq!(winner(&[(Given, "Yes", None), (Given, "No", None), (Given, "No", None)]), Some(Side::Odd));
    assert_eq!(winner(&[(Given, "Yes", None), (Given, "No", None)]), None);
    assert_eq!(winner(&[(Given, "Yes", None), (Given, "perhaps", None)]), Some(Side::Even));
    // Where the orders disagree, probabilities decide, if all have one.
    assert_eq!(winner(&[(Given, "Yes", None), (Swapped, "Yes", None)]), Some(Side::Even));
    assert_eq!(winner(&[(Given, "Yes", None), (Swapped, "No", None)]), None);
    assert_eq!(winner(&[(Given, "Yes", Some(0.6)), (Swapped, "No", Some(0.1))]), Some(Side::Odd));
    assert_eq!(winner(&[(Given, "Yes", Some(0.6)), (Swapped, "No", Some(0.4))]), None);
    assert_eq!(winner(&[(Given, "Yes", Some(0.9)), (Swapped, "No", None)]), None);
    // Where they agree, none does.
    assert_eq!(winner(&[(Given, "Yes", Some(0.2)), (Swapped, "Yes", Some(0.3))]), Some(Side::Even));
}

#[test]
fn agreement_is_that_of_the_orders_and_of_what_is_said_in_each() {
    use Order::{Given, Swapped};
    let said = |ballots: &[(Order, &str)]| {
        Verdict::of(ballots.iter().map(|&(order, said)| ballot(order, said, None)).collect())
    };
    let split =
        said(&[(Given, "Yes"), (Given, "Yes"), (Given, "No"), (Swapped, "No"), (Swapped, "No"), (Swapped, "No")]);
    assert_eq!(split.orders_agree(), Some(false));
    assert!((split.agreement().unwrap() - (2.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12);
    assert_eq!(said(&[(Given, "Yes"), (Swapped, "Yes")]).orders_agree(), Some(true));
    assert_eq!(said(&[(Given, "Yes"), (Swapped, "perhaps")]).orders_agree(), None);
    assert_eq!(said(&[(Given, "Yes")]).orders_agree(), None);
    assert_eq!(said(&[]).agreement(), None);
}

/// Whose an argument is stands beside it in either order.
#[test]
fn swapped_sides_keep_their_names() {
    let context = |count: usize| ["No", "I dispute", "Yes"][..count].iter().map(|it| (*it).to_owned()).collect();
    let text = |count, swapped| Posed { swapped, ..Posed::new(Asked::Winner, "Q?", context(count)) }.text(&wording());
    assert_eq!(text(2, false), "Q?\nEven: No\nOdd: I dispute even?");
    assert_eq!(text(2, true), "Q?\nOdd: I dispute\nEven: No even?");
    assert_eq!(text(3, true), "Q?\nOdd: I dispute\nEven: No\nEven: Yes even?");
}
