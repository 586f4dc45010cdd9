//! What holds of advantages, whoever wins.

use std::collections::BTreeMap;

use debate::{
    amplify::{Amplified, HumanAnswer, SubAnswer},
    answerer::Answer,
    baseline::{depth, groups},
    judge::{Side, reward},
    question::Asked,
    trace::{Part, calls},
};
use proptest::prelude::*;
use spec::settings::Scale;

/// Debates, each on one of a few questions, some with a winner.
fn debates() -> impl Strategy<Value = (BTreeMap<u64, String>, BTreeMap<u64, Side>)> {
    let winner = prop_oneof![Just(None), Just(Some(Side::Even)), Just(Some(Side::Odd))];
    let debate = (0..4u8, winner);
    prop::collection::btree_map(any::<u64>(), debate, 0..24).prop_map(|debates| {
        let question = |(id, (question, _)): (&u64, &(u8, _))| (*id, format!("question {question}"));
        let questions = debates.iter().map(question).collect();
        let won = debates.iter().filter_map(|(id, (_, winner))| Some((*id, (*winner)?)));
        (questions, won.collect())
    })
}

/// The advantages of a side over the debates on a question, by debate.
fn advantages(
    (questions, winners): &(BTreeMap<u64, String>, BTreeMap<u64, Side>),
    question: &str,
    side: Side,
    scale: Scale,
) -> Vec<Option<f64>> {
    let groups = groups(questions, winners);
    let of = winners.iter().filter(|(id, _)| questions[id] == question);
    let advantage = |(id, winner): (&u64, &Side)| {
        let reward = f64::from(reward(Some(*winner), side).unwrap_or_default());
        groups[id].advantage(side, reward, scale)
    };
    of.map(advantage).collect()
}

proptest! {
    #[test]
    fn a_group_is_held_against_its_own_mean(debates in debates()) {
        let groups = groups(&debates.0, &debates.1);
        prop_assert!(groups.keys().eq(debates.1.keys()), "each debate with a winner, and no other");
        for question in (0..4).map(|question| format!("question {question}")) {
            let winners = debates.1.iter().filter(|(id, _)| debates.0[id] == question);
            let (even, odd): (Vec<_>, Vec<_>) = winners.partition(|(_, winner)| **winner == Side::Even);
            let differ = !even.is_empty() && !odd.is_empty();
            for side in [Side::Even, Side::Odd] {
                let plain = advantages(&debates, &question, side, Scale::None);
                prop_assert!(plain.iter().all(|advantage| advantage.is_some() == differ));
                let sum: f64 = plain.iter().flatten().sum();
                prop_assert!(sum.abs() < 1e-9, "{sum}");
                let scaled = advantages(&debates, &question, side, Scale::Std);
                let squares: f64 = scaled.iter().flatten().map(|advantage| advantage.powi(2)).sum();
                let count = scaled.iter().flatten().count() as f64;
                prop_assert!((squares - count).abs() < 1e-9, "{squares}, not {count}");
                for (plain, scaled) in plain.iter().flatten().zip(scaled.iter().flatten()) {
                    prop_assert_eq!(plain.signum(), scaled.signum());
                }
            }
            // It is a game of two: what one side gains, the other loses.
            let both = [Side::Even, Side::Odd].map(|side| advantages(&debates, &question, side, Scale::None));
            for (even, odd) in both[0].iter().zip(&both[1]) {
                prop_assert!((even.unwrap_or(0.0) + odd.unwrap_or(0.0)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn ids_are_names_and_nothing_else(debates in debates(), shift in any::<u64>()) {
        let named = |id: &u64| id ^ shift;
        let questions = debates.0.iter().map(|(id, text)| (named(id), text.clone())).collect();
        let winners = debates.1.iter().map(|(id, winner)| (named(id), *winner)).collect();
        let (one, other) = (groups(&debates.0, &debates.1), groups(&questions, &winners));
        prop_assert!(one.iter().all(|(id, group)| other[&named(id)] == *group));
    }
}

#[test]
fn three_of_four() {
    let questions = (0..5).map(|id| (id, if id < 4 { "both" } else { "one" }.to_owned())).collect();
    let winners = (0..5).map(|id| (id, if id == 2 { Side::Odd } else { Side::Even })).collect();
    let groups = groups(&questions, &winners);
    // The mean of 1, 1, −1 and 1 is 0.5, their standard deviation √0.75.
    assert_eq!(groups[&0].advantage(Side::Even, 1.0, Scale::None), Some(0.5));
    assert_eq!(groups[&0].advantage(Side::Odd, -1.0, Scale::None), Some(-0.5));
    assert_eq!(groups[&2].advantage(Side::Odd, 1.0, Scale::None), Some(1.5));
    assert_eq!(groups[&2].advantage(Side::Even, -1.0, Scale::Std), Some(-1.5 / 0.75f64.sqrt()));
    assert_eq!(groups[&4].advantage(Side::Even, 1.0, Scale::None), None);
}

/// A side and a depth tell the turn, and whether it is a sub-answer.
#[test]
fn depths_part_arguments_from_sub_answers() {
    let answered = Amplified {
        prompt: "q".into(),
        first: Answer::default(),
        predicted: None,
        again: Vec::new(),
        propensity: 0.5,
        human: Some(HumanAnswer::new("No", vec![SubAnswer::of_model("p".into(), Answer::default())])),
    };
    let trace: Vec<_> = (0..4).flat_map(|turn| calls(7, Asked::Argument, turn, answered.clone())).collect();
    let rewarded = trace.iter().filter(|call| matches!(call.part, Part::First | Part::Sub));
    let places: Vec<_> = rewarded.map(|call| (Side::at(call.turn), depth(call))).collect();
    let (even, odd) = (Side::Even, Side::Odd);
    assert_eq!(places, [(even, 0), (even, 1), (odd, 1), (odd, 2), (even, 2), (even, 3), (odd, 3), (odd, 4)]);
}
