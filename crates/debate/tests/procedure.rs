//! What holds of every debate, whoever argues: checked with a scripted M and H whose words depend on nothing but what
//! they are asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod scripted;

use debate::{
    debate::{Argument, Stopped},
    judge::{Side, reward},
    lesson::lesson,
    question::{Asked, Form, Posed, yes},
    samp::Rule,
    trace::{Call, Part},
};
use proptest::prelude::*;
use scripted::{Outcome, Setting, outcome, setting, wording};
use spec::settings::{CallHuman, Credit, History, Imitate, Schedule, SpeakerSide, Sufficient};

/// Who won the debate on a question.
fn winner(outcome: &Outcome, id: u64) -> Option<Side> {
    let at = outcome.debates.iter().position(|debate| debate.row.id == id);
    at.and_then(|at| outcome.verdicts[at].winner)
}

proptest! {
    #[test]
    fn a_debate_stops_when_it_suffices_or_at_the_cap(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let outcome = outcome(&setting, &ids);
        for debate in &outcome.debates {
            let turns = debate.arguments.len();
            prop_assert!((setting.min_turns..=setting.max_turns).contains(&turns));
            prop_assert_eq!(debate.stopped == Stopped::Cap, turns == setting.max_turns);
            for (turn, argument) in debate.arguments.iter().enumerate() {
                let round_ends = (turn + 1).is_multiple_of(setting.form.round());
                let open = (setting.min_turns..setting.max_turns).contains(&(turn + 1)) && round_ends;
                let asked = matches!(setting.sufficient, Sufficient::Ask | Sufficient::Biased(_)) && open;
                prop_assert_eq!(argument.sufficient.is_some(), asked);
                let suffices = argument.sufficient.as_ref().and_then(|answer| yes(answer.text())) == Some(true);
                prop_assert!(!asked || suffices == (turn + 1 == turns && debate.stopped == Stopped::Sufficient));
            }
        }
    }

    #[test]
    fn a_row_is_debated_alike_in_any_batch(setting in setting(), ids in prop::collection::hash_set(0u64..1000, 1..20)) {
        let ids: Vec<u64> = ids.into_iter().collect();
        let together = outcome(&setting, &ids);
        for (i, &id) in ids.iter().enumerate() {
            let alone = outcome(&setting, &[id]);
            prop_assert_eq!(alone.debates[0].stopped, together.debates[i].stopped);
            prop_assert_eq!(alone.verdicts[0].winner, together.verdicts[i].winner);
            let calls: Vec<Call> = together.calls().into_iter().filter(|call| call.question == id).collect();
            prop_assert_eq!(alone.calls(), calls);
        }
    }

    #[test]
    fn calls_do_not_grow_with_rows(setting in setting(), rows in 1usize..200) {
        let ids: Vec<u64> = (0..rows as u64).collect();
        // In each round of a depth M may be asked, and so it may in all rounds of the depth beneath.
        let of_depth = |beneath: usize, _| 2 * (1 + beneath);
        let most_rounds = 1 + (1..=setting.depth).fold(0, of_depth);
        let rounds = setting.max_turns / setting.form.round();
        let [speaker, opponent, overseer] = outcome(&setting, &ids).waves;
        prop_assert!(speaker <= rounds * most_rounds);
        prop_assert!(opponent <= rounds * most_rounds && (opponent == 0 || setting.opponent.is_some()));
        let summed_up = if setting.history == History::Summaries { rounds } else { 0 };
        prop_assert!(overseer <= ((rounds - 1) + 1 + summed_up) * most_rounds);
    }

    #[test]
    fn rewards_are_null_or_zero_sum(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let outcome = outcome(&setting, &ids);
        for (debate, verdict) in outcome.debates.iter().zip(&outcome.verdicts) {
            prop_assert_eq!(verdict.ballots.len(), usize::from(debate.arguments.len() > 1));
            prop_assert!(verdict.winner.is_none() || !verdict.ballots.is_empty());
            let (even, odd) = (verdict.reward(Side::Even), verdict.reward(Side::Odd));
            prop_assert_eq!(even, odd.map(|odd| -odd));
            prop_assert!(even.is_none_or(|even| even.abs() == 1.0));
        }
    }

    #[test]
    fn forced_sufficiency_leaves_every_reward_null(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let form = if setting.form == Form::Simultaneous { Form::Sequential } else { setting.form };
        let sufficient = Sufficient::Always;
        let outcome = outcome(&Setting { sufficient, form, min_turns: 1, max_turns: 2, ..setting }, &ids);
        let credit = Credit { argument: true, calls: true };
        for call in outcome.calls() {
            prop_assert_eq!(lesson(&call, winner(&outcome, call.question), Imitate::All, credit).reward, None);
        }
    }

    #[test]
    fn only_what_m_sampled_for_a_side_earns_its_reward(
        setting in setting(), ids in prop::collection::hash_set(0u64..1000, 1..20), argument: bool, calls: bool, all: bool,
    ) {
        let ids: Vec<u64> = ids.into_iter().collect();
        let outcome = outcome(&setting, &ids);
        let imitate = if all { Imitate::All } else { Imitate::Human };
        for call in outcome.calls() {
            let winner = winner(&outcome, call.question);
            let lesson = lesson(&call, winner, imitate, Credit { argument, calls });
            let for_a_side = call.asked == Asked::Argument
                && ((argument && call.part == Part::First && call.kept)
                    || (calls && call.part == Part::Sub && call.sampled.is_some()));
            let expected = if for_a_side { reward(winner, Side::at(call.turn)) } else { None };
            prop_assert_eq!(lesson.reward, expected);
            prop_assert!(lesson.reward.is_none() || call.sampled.is_some());
            prop_assert_eq!(lesson.imitated, call.kept && (all || call.part == Part::Human));
        }
    }

    #[test]
    fn probability_one_is_always_and_zero_is_never(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        for (probability, same) in [(1.0, CallHuman::Always), (0.0, CallHuman::Never)] {
            let with = |call_human| outcome(&Setting { speaker: Rule::of(&call_human, 0, None), ..setting.clone() }, &ids);
            let by_probability = with(CallHuman::Probability(Schedule::Constant(probability)));
            prop_assert_eq!(&by_probability.debates, &with(same).debates);
        }
    }

    #[test]
    fn as_many_turns_as_must_be_is_never(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let all = Setting { min_turns: setting.max_turns, ..setting.clone() };
        let never = Setting { sufficient: Sufficient::Never, ..setting };
        prop_assert_eq!(&outcome(&all, &ids).debates, &outcome(&never, &ids).debates);
    }

    #[test]
    fn a_bias_of_zero_is_ask_and_one_stops_as_soon_as_may_be(
        setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20),
    ) {
        let with = |sufficient| outcome(&Setting { sufficient, ..setting.clone() }, &ids).debates;
        let (asked, unbiased) = (with(Sufficient::Ask), with(Sufficient::Biased(Schedule::Constant(0.0))));
        prop_assert_eq!(&asked, &unbiased);
        for (asked, biased) in asked.iter().zip(&with(Sufficient::Biased(Schedule::Constant(1.0)))) {
            // What was said of it stays as it was said; of one that stays alone nobody wants a summary.
            let said = |arguments: &[Argument]| -> Vec<Argument> {
                arguments.iter().map(|argument| Argument { summary: None, ..argument.clone() }).collect()
            };
            prop_assert_eq!(said(&asked.arguments[..setting.min_turns]), said(&biased.arguments));
        }
    }

    #[test]
    fn random_one_argues_as_always_does_and_zero_as_never(
        setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20),
    ) {
        for (probability, same) in [(1.0, Sufficient::Always), (0.0, Sufficient::Never)] {
            let with = |sufficient| outcome(&Setting { sufficient, ..setting.clone() }, &ids).debates;
            let drawn = with(Sufficient::Random(Schedule::Constant(probability)));
            for (drawn, same) in drawn.iter().zip(&with(same)) {
                prop_assert_eq!(&drawn.arguments, &same.arguments);
                prop_assert_eq!(drawn.stopped == Stopped::Cap, same.stopped == Stopped::Cap);
            }
        }
    }
}

/// The text put to M and H.
fn check(asked: Asked, question: &str, context: &[&str], expect: &str) {
    let context = context.iter().map(|argument| (*argument).to_owned()).collect();
    let posed = Posed::new(asked, question, context);
    assert_eq!(posed.text(&wording()), expect);
}

#[test]
fn the_next_argument_with_nothing_said_is_the_bare_question() {
    check(Asked::Argument, "Is it so?", &[], "Is it so?");
    check(Asked::Argument, "Is it so?", &["Yes"], "Is it so?\nEven: Yes");
    check(Asked::Winner, "Is it so?", &["Yes", "No"], "Is it so?\nEven: Yes\nOdd: No even?");
}

#[test]
fn arguments_stand_as_they_are_shown() {
    let context = ["Yes because so", "No"].map(str::to_owned).to_vec();
    let posed = Posed::new(Asked::Winner, "Is it so?", context);
    let posed = Posed { shown: vec!["Yes\nH asks: Why?\nM says: So".into(), "No".into()], ..posed };
    assert_eq!(posed.text(&wording()), "Is it so?\nEven: Yes\nH asks: Why?\nM says: So\nOdd: No even?");
    let swapped = Posed { swapped: true, ..posed };
    assert_eq!(swapped.text(&wording()), "Is it so?\nOdd: No\nEven: Yes\nH asks: Why?\nM says: So even?");
}

proptest! {
    /// Whoever is asked reads summaries of all arguments but those that were given last, of which "is it sufficient?" is.
    #[test]
    fn what_is_summed_up_is_read_in_short(setting in setting(), ids in prop::collection::hash_set(0u64..1000, 1..20)) {
        let setting = Setting { history: History::Summaries, ..setting };
        let outcome = outcome(&setting, &ids.into_iter().collect::<Vec<_>>());
        let calls = outcome.calls();
        for debate in &outcome.debates {
            let alone = debate.arguments.len() == 1;
            prop_assert!(debate.arguments.iter().all(|argument| argument.summary.is_some() != alone));
            let summaries: Vec<&str> =
                debate.arguments.iter().filter_map(|argument| Some(argument.summary.as_ref()?.text())).collect();
            let winner = calls.iter().filter(|call| call.question == debate.row.id && call.asked == Asked::Winner);
            for call in winner.filter(|call| matches!(call.part, Part::First | Part::Human)) {
                let shown: String =
                    summaries.iter().zip(["Even:", "Odd:"].iter().cycle()).map(|(it, side)| format!("\n{side} {it}")).collect();
                prop_assert_eq!(&call.prompt, &format!("{}{shown} even?", debate.row.question));
            }
        }
    }
}

#[test]
fn a_question_that_speaks_of_the_template_is_left_as_it_is() {
    check(Asked::Sufficient, "{context} {question}?", &["Yes"], "{context} {question}?\nEven: Yes sufficient?");
}

/// Draws of their own: as many debates of each length as there should be.
#[test]
fn arguments_suffice_as_often_as_drawn() {
    let sufficient = Sufficient::Random(Schedule::Constant(0.25));
    let (speaker, overseer) = (Rule::Constant(0.0), Rule::Constant(0.0));
    let (form, speaker_side) = (Form::Sequential, SpeakerSide::Drawn);
    let setting = Setting {
        speaker,
        opponent: None,
        speaker_side,
        overseer,
        form,
        min_turns: 2,
        max_turns: 4,
        sufficient,
        batch: 0,
        rounds: None,
        depth: 1,
        shared: false,
        history: History::Arguments,
    };
    let ids: Vec<u64> = (0..4000).collect();
    let debates = outcome(&setting, &ids).debates;
    for (turns, share) in [(1, 0.0), (2, 0.25), (3, 0.75 * 0.25), (4, 0.75 * 0.75)] {
        let found = debates.iter().filter(|debate| debate.arguments.len() == turns).count() as f64 / 4000.0;
        assert!((found - share).abs() < 0.03, "{found} of the debates have {turns} arguments, not {share}");
    }
}
