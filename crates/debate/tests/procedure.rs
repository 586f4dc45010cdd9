//! What holds of every debate, whoever argues: checked with a scripted M and H whose words depend on nothing but what
//! they are asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Amplified, Approx},
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    debate::{Debate, Row, Rules, Stopped, debate},
    draw::Draw,
    human::{Exchange, Human, Move},
    judge::{Judging, Side, Transcript, Verdict, judge, reward},
    lesson::lesson,
    question::{Asked, Posed, yes},
    samp::{Rule, Samp},
    trace::{Call, Part, calls},
};
use proptest::prelude::*;
use spec::settings::{CallHuman, Credit, Imitate, Reply, Schedule, Sees, Sufficient, Wording};

fn wording() -> Wording {
    Wording {
        argument: "{question}{context}".into(),
        sufficient: "{question}{context} sufficient?".into(),
        winner: "{question}{context} even?".into(),
    }
}

/// Says one of a few things, by the text asked and the address of the draw. Counts its waves.
#[derive(Default)]
struct Scripted {
    waves: usize,
}

impl Answerer for Scripted {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        assert!(!wave.is_empty(), "an empty wave is never asked");
        self.waves += 1;
        let said = |prompt: &Prompt| {
            let draw = prompt.text.bytes().fold(prompt.draw, |draw, byte| draw.at(u64::from(byte)));
            let token = draw.below(0, 4);
            let sampled = Sampled { tokens: vec![token as u32], log_probs: vec![-1.0], ..Sampled::default() };
            Answer { text: ["Yes", "No", "Yes because", "mumble"][token].into(), sampled }
        };
        Ok(wave.iter().map(said).collect())
    }
}

/// Asks up to two rounds of up to two sub-questions, then answers by what it heard.
struct Curious;

impl Human for Curious {
    fn next(&self, posed: &Posed, said: &[Exchange], draw: Draw) -> Move {
        let rounds = posed.question.len() % 3;
        if said.len() < rounds {
            let parts = 1 + draw.below(9, 2);
            return Move::Ask((0..parts).map(|part| format!("{} part {part}", posed.question)).collect());
        }
        let heard = said.iter().filter(|exchange| exchange.answer.as_deref().and_then(yes) == Some(true)).count();
        Move::Answer(if (heard + draw.below(8, 2)).is_multiple_of(2) { "Yes" } else { "No" }.into())
    }
}

#[derive(Debug, Clone)]
struct Setting {
    speaker: Rule,
    overseer: Rule,
    min_turns: usize,
    max_turns: usize,
    sufficient: Sufficient,
    batch: u64,
}

struct Outcome {
    debates: Vec<Debate>,
    verdicts: Vec<Verdict>,
    waves: usize,
}

impl Outcome {
    fn calls(&self) -> Vec<Call> {
        let mut all = Vec::new();
        let mut push = |id, asked, turn, answer: &Amplified| all.extend(calls(id, asked, turn, answer.clone()));
        for (debate, verdict) in self.debates.iter().zip(&self.verdicts) {
            for (turn, argument) in debate.arguments.iter().enumerate() {
                push(debate.row.id, Asked::Argument, turn, &argument.answer);
                argument.sufficient.iter().for_each(|answer| push(debate.row.id, Asked::Sufficient, turn + 1, answer));
            }
            let turns = debate.arguments.len();
            verdict.ballots.iter().for_each(|ballot| push(debate.row.id, Asked::Winner, turns, &ballot.answer));
        }
        all
    }

    fn winner(&self, id: u64) -> Option<Side> {
        let at = self.debates.iter().position(|debate| debate.row.id == id);
        at.and_then(|at| self.verdicts[at].winner)
    }
}

fn row(id: u64) -> Row {
    Row { id, question: format!("{}?", "q".repeat(id as usize % 7)), draw: Draw::new(7).at(id) }
}

fn outcome(setting: &Setting, ids: &[u64]) -> Outcome {
    let wording = wording();
    let approx =
        |rule| Approx { human: &Curious, samp: Samp { rule, purse: None, adversary: None }, wording: &wording };
    let rules = Rules {
        speaker: approx(setting.speaker),
        overseer: approx(setting.overseer),
        min_turns: setting.min_turns,
        max_turns: setting.max_turns,
        sufficient: &setting.sufficient,
        batch: setting.batch,
    };
    let (mut m, mut target) = (Scripted::default(), Scripted::default());
    let rows: Vec<Row> = ids.iter().copied().map(row).collect();
    let debates = debate(&rules, &mut m, &mut target, &rows).unwrap();
    let transcript = |debate: &Debate| Transcript {
        row: debate.row.clone(),
        arguments: debate.arguments.iter().map(|argument| argument.answer.text().to_owned()).collect(),
    };
    let transcripts: Vec<Transcript> = debates.iter().map(transcript).collect();
    let (reply, sees) = (Reply::Text, Sees::Given);
    let judging = Judging { overseer: rules.overseer, reply, temperature: 1.0, sees, repeats: 1 };
    let verdicts = judge(&judging, &mut target, &transcripts).unwrap();
    Outcome { debates, verdicts, waves: m.waves + target.waves }
}

fn rule() -> impl Strategy<Value = Rule> {
    let bounds = || (0.0..=1.0, 0.0..=1.0).prop_map(|(a, b): (f64, f64)| (a.min(b), a.max(b)));
    prop_oneof![
        Just(Rule::Constant(1.0)),
        Just(Rule::Constant(0.0)),
        (0.0..=1.0).prop_map(Rule::Constant),
        bounds().prop_map(|(least, most)| Rule::Confidence { least, most }),
        (bounds(), 1..4usize).prop_map(|((least, most), samples)| Rule::Disagreement { samples, least, most }),
    ]
}

/// Among them probabilities that change from 0 to 1 over ten batches.
fn sufficient() -> impl Strategy<Value = Sufficient> {
    let probability =
        || prop_oneof![(0.0..=1.0).prop_map(Schedule::Constant), Just(Schedule::Points(vec![(0, 0.0), (9, 1.0)]))];
    prop_oneof![
        Just(Sufficient::Ask),
        Just(Sufficient::Always),
        Just(Sufficient::Never),
        probability().prop_map(Sufficient::Random),
        probability().prop_map(Sufficient::Biased),
    ]
}

prop_compose! {
    fn setting()(
        speaker in rule(),
        overseer in rule(),
        (min_turns, max_turns) in (1usize..5, 1usize..5).prop_map(|(a, b)| (a.min(b), a.max(b))),
        sufficient in sufficient(),
        batch in 0u64..10,
    ) -> Setting {
        Setting { speaker, overseer, min_turns, max_turns, sufficient, batch }
    }
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
                let open = (setting.min_turns..setting.max_turns).contains(&(turn + 1));
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
            prop_assert_eq!(&alone.debates[0], &together.debates[i]);
            prop_assert_eq!(&alone.verdicts[0], &together.verdicts[i]);
        }
    }

    #[test]
    fn calls_do_not_grow_with_rows(setting in setting(), rows in 1usize..200) {
        let ids: Vec<u64> = (0..rows as u64).collect();
        let asked = setting.max_turns + (setting.max_turns - 1) + 1;
        let most_rounds = 1 + 2;
        prop_assert!(outcome(&setting, &ids).waves <= asked * most_rounds);
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
        let outcome = outcome(&Setting { sufficient: Sufficient::Always, min_turns: 1, max_turns: 2, ..setting }, &ids);
        let credit = Credit { argument: true, calls: true };
        for call in outcome.calls() {
            prop_assert_eq!(lesson(&call, outcome.winner(call.question), Imitate::All, credit).reward, None);
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
            let winner = outcome.winner(call.question);
            let lesson = lesson(&call, winner, imitate, Credit { argument, calls });
            let for_a_side = call.asked == Asked::Argument
                && ((argument && call.part == Part::First && call.kept) || (calls && call.part == Part::Sub));
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
            // What was said of it stays as it was said.
            prop_assert_eq!(&asked.arguments[..setting.min_turns], &biased.arguments[..]);
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
fn a_question_that_speaks_of_the_template_is_left_as_it_is() {
    check(Asked::Sufficient, "{context} {question}?", &["Yes"], "{context} {question}?\nEven: Yes sufficient?");
}

/// Draws of their own: as many debates of each length as there should be.
#[test]
fn arguments_suffice_as_often_as_drawn() {
    let sufficient = Sufficient::Random(Schedule::Constant(0.25));
    let (speaker, overseer) = (Rule::Constant(0.0), Rule::Constant(0.0));
    let setting = Setting { speaker, overseer, min_turns: 2, max_turns: 4, sufficient, batch: 0 };
    let ids: Vec<u64> = (0..4000).collect();
    let debates = outcome(&setting, &ids).debates;
    for (turns, share) in [(1, 0.0), (2, 0.25), (3, 0.75 * 0.25), (4, 0.75 * 0.75)] {
        let found = debates.iter().filter(|debate| debate.arguments.len() == turns).count() as f64 / 4000.0;
        assert!((found - share).abs() < 0.03, "{found} of the debates have {turns} arguments, not {share}");
    }
}
