//! What holds of a debate in each of its forms: who argues when, seeing what, for which answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scripted;

use debate::{
    debate::{Debate, Voice},
    question::{Asked, Form, given},
    samp::Rule,
    trace::Part,
};
use proptest::prelude::*;
use scripted::{Setting, outcome, setting};
use spec::settings::{History, SpeakerSide, Sufficient};

proptest! {
    #[test]
    fn each_round_is_one_wave_of_whoever_argues(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let never = Rule::Constant(0.0);
        let setting = Setting { speaker: never, opponent: setting.opponent.map(|_| never), sufficient: Sufficient::Never, ..setting };
        let [speaker, opponent, _] = outcome(&setting, &ids).waves;
        let rounds = setting.max_turns / setting.form.round();
        match (setting.opponent, setting.speaker_side, setting.form) {
            (None, ..) => prop_assert_eq!([speaker, opponent], [rounds, 0]),
            (_, SpeakerSide::Drawn, Form::Sequential | Form::Rival(_)) => prop_assert!(speaker <= rounds && opponent <= rounds),
            (_, _, Form::Simultaneous) => prop_assert_eq!([speaker, opponent], [rounds, rounds]),
            (_, SpeakerSide::Even, _) => prop_assert_eq!([speaker, opponent], [rounds.div_ceil(2), rounds / 2]),
            (_, SpeakerSide::Odd, _) => prop_assert_eq!([speaker, opponent], [rounds / 2, rounds.div_ceil(2)]),
        }
    }

    #[test]
    fn sides_alternate_and_each_has_one_voice(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let outcome = outcome(&setting, &ids);
        for Debate { arguments, .. } in &outcome.debates {
            let even = arguments[0].voice;
            let odd = match (setting.opponent, even) {
                (None, _) => Voice::Speaker,
                (Some(_), Voice::Speaker) => Voice::Opponent,
                (Some(_), Voice::Opponent) => Voice::Speaker,
            };
            prop_assert!(setting.opponent.is_some() || even == Voice::Speaker);
            prop_assert!(setting.speaker_side != SpeakerSide::Even || even == Voice::Speaker);
            prop_assert!(setting.opponent.is_none() || setting.speaker_side != SpeakerSide::Odd || odd == Voice::Speaker);
            for (turn, argument) in arguments.iter().enumerate() {
                prop_assert_eq!(argument.voice, [even, odd][turn % 2]);
                let said = [Some(&argument.answer.first), argument.answer.again.first()].into_iter().flatten();
                for answer in said {
                    prop_assert_eq!(answer.sampled.version, u64::from(argument.voice == Voice::Opponent));
                }
            }
        }
        for call in outcome.calls().into_iter().filter(|call| call.asked == Asked::Argument) {
            let asked = call.sampled.map_or(call.voice == Some(Voice::Opponent), |sampled| sampled.version == 1);
            prop_assert_eq!(call.voice, Some(if asked { Voice::Opponent } else { Voice::Speaker }));
        }
    }

    #[test]
    fn rivals_are_held_to_different_answers(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let answers = ["No", "Yes"];
        let outcome = outcome(&Setting { form: Form::Rival(answers), min_turns: 1, max_turns: 4, ..setting }, &ids);
        for Debate { arguments, .. } in &outcome.debates {
            let given: Vec<_> = arguments.iter().map(|argument| given(argument.answer.text(), answers)).collect();
            for (turn, argument) in arguments.iter().enumerate().skip(1) {
                prop_assert!(given[turn].is_some(), "whatever a first argument says, every other gives an answer");
                prop_assert_eq!(given[turn].map(|place| answers[place]), argument.held);
                prop_assert_eq!(given[turn] == given[1], turn % 2 == 1);
            }
            prop_assert!(arguments[0].held.is_none() && given.get(1).is_none_or(|odd| *odd != given[0]));
        }
        for call in outcome.calls() {
            let argues = call.asked == Asked::Argument && call.part != Part::Sub && call.turn > 0;
            prop_assert_eq!(call.held.is_some(), argues);
            prop_assert!(call.held.is_none_or(|held| call.answer.starts_with(&held)));
        }
    }

    #[test]
    fn at_the_same_time_nobody_sees_the_other_side(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let setting = Setting { form: Form::Simultaneous, min_turns: 2, max_turns: 4, ..setting };
        for Debate { arguments, .. } in outcome(&setting, &ids).debates {
            prop_assert!(arguments.len().is_multiple_of(2));
            for (turn, argument) in arguments.iter().enumerate() {
                let prompt = &argument.answer.prompt;
                let seen = prompt.lines().filter(|line| line.starts_with("Even: ") || line.starts_with("Odd: ")).count();
                prop_assert_eq!(seen, turn / 2 * 2);
                prop_assert!(argument.held.is_none());
            }
            for round in arguments.chunks(2) {
                let [even, odd] = [&round[0].answer.prompt, &round[1].answer.prompt];
                prop_assert_eq!(odd, &format!("{even}\nOdd:"), "the odd side is told which it is, and nothing else");
            }
        }
    }
}

/// The speaker has each side as often as the other.
#[test]
fn sides_are_drawn_fairly_and_by_question() {
    let never = Rule::Constant(0.0);
    let setting = Setting {
        speaker: never,
        opponent: Some(never),
        speaker_side: SpeakerSide::Drawn,
        overseer: never,
        form: Form::Sequential,
        min_turns: 2,
        max_turns: 2,
        sufficient: Sufficient::Never,
        batch: 0,
        rounds: None,
        depth: 1,
        shared: false,
        history: History::Arguments,
    };
    let debates = outcome(&setting, &(0..4000).collect::<Vec<_>>()).debates;
    let even = debates.iter().filter(|debate| debate.arguments[0].voice == Voice::Speaker).count() as f64 / 4000.0;
    assert!((even - 0.5).abs() < 0.03, "{even} of the debates have the speaker first");
}
