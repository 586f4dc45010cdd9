//! What holds of every debate, whoever argues: checked with a scripted M and H whose words depend on nothing but what
//! they are asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Amplified, Approx},
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    debate::{Debate, Models, Row, Rules, Stopped, Voice, debate},
    draw::Draw,
    human::{Exchange, Human, Move},
    judge::{Side, Transcript, Verdict, judge, reward},
    lesson::lesson,
    question::{Asked, Form, Posed, given, yes},
    samp::{Rule, Samp},
    trace::{Call, Part, argued, calls},
};
use proptest::prelude::*;
use spec::settings::{CallHuman, Credit, Imitate, Schedule, SpeakerSide, Sufficient, Wording};

fn wording() -> Wording {
    Wording {
        argument: "{question}{context}".into(),
        sufficient: "{question}{context} sufficient?".into(),
        winner: "{question}{context} even?".into(),
    }
}

/// Says one of a few things, by the text asked and the address of the draw. Counts its waves, and signs what it says with
/// its version.
#[derive(Default)]
struct Scripted {
    waves: usize,
    version: u64,
}

impl Answerer for Scripted {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        assert!(!wave.is_empty(), "an empty wave is never asked");
        self.waves += 1;
        let said = |prompt: &Prompt| {
            let draw = prompt.text.bytes().fold(prompt.draw, |draw, byte| draw.at(u64::from(byte)));
            let token = draw.below(0, 4);
            let (tokens, log_probs, version) = (vec![token as u32], vec![-1.0], self.version);
            let sampled = Sampled { tokens, log_probs, version, ..Sampled::default() };
            let said = ["Yes", "No", "Yes because", "mumble"][token];
            let begin = prompt.begin.iter().map(String::as_str);
            Answer { text: begin.chain([said]).collect::<Vec<_>>().join(" "), sampled }
        };
        Ok(wave.iter().map(said).collect())
    }
}

/// Asks up to two rounds of up to two sub-questions, then answers by what it heard, unless it is held to an answer.
struct Curious;

impl Human for Curious {
    fn next(&self, posed: &Posed, said: &[Exchange], draw: Draw) -> Move {
        let rounds = posed.question.len() % 3;
        if said.len() < rounds {
            let parts = 1 + draw.below(9, 2);
            return Move::Ask((0..parts).map(|part| format!("{} part {part}", posed.question)).collect());
        }
        if let Some(held) = posed.held {
            return Move::Answer(format!("{held} because I must"));
        }
        let heard = said.iter().filter(|exchange| exchange.answer.as_deref().and_then(yes) == Some(true)).count();
        Move::Answer(if (heard + draw.below(8, 2)).is_multiple_of(2) { "Yes" } else { "No" }.into())
    }
}

#[derive(Debug, Clone)]
struct Setting {
    speaker: Rule,
    opponent: Option<Rule>,
    speaker_side: SpeakerSide,
    overseer: Rule,
    form: Form,
    min_turns: usize,
    max_turns: usize,
    sufficient: Sufficient,
    batch: u64,
}

struct Outcome {
    debates: Vec<Debate>,
    verdicts: Vec<Verdict>,
    /// Waves of the speaker, the opponent, and the overseer who judges too.
    waves: [usize; 3],
}

impl Outcome {
    fn calls(&self) -> Vec<Call> {
        let mut all = Vec::new();
        for (Debate { row, arguments, .. }, verdict) in self.debates.iter().zip(&self.verdicts) {
            all.extend(
                arguments.iter().enumerate().flat_map(|(turn, argument)| argued(row.id, turn, argument.clone())),
            );
            let judged = |answer: &Amplified| calls(row.id, Asked::Winner, arguments.len(), answer.clone());
            all.extend(verdict.answer.iter().flat_map(judged));
        }
        all
    }

    fn winner(&self, id: u64) -> Option<Side> {
        let at = self.debates.iter().position(|debate| debate.row.id == id);
        at.and_then(|at| self.verdicts[at].winner)
    }
}

fn row(id: u64, form: Form) -> Row {
    Row { id, question: format!("{}?", "q".repeat(id as usize % 7)), form, draw: Draw::new(7).at(id) }
}

fn outcome(setting: &Setting, ids: &[u64]) -> Outcome {
    let wording = wording();
    let approx = |rule| Approx { human: &Curious, samp: Samp { rule, purse: None }, wording: &wording };
    let rules = Rules {
        speaker: approx(setting.speaker),
        opponent: setting.opponent.map(approx),
        speaker_side: setting.speaker_side,
        overseer: approx(setting.overseer),
        min_turns: setting.min_turns,
        max_turns: setting.max_turns,
        sufficient: &setting.sufficient,
        batch: setting.batch,
    };
    let [mut m, mut other, mut target] = [0, 1, 2].map(|version| Scripted { waves: 0, version });
    let rows: Vec<Row> = ids.iter().map(|&id| row(id, setting.form)).collect();
    let opponent = setting.opponent.map(|_| &mut other as &mut dyn Answerer);
    let mut models = Models { speaker: &mut m, opponent, overseer: &mut target };
    let debates = debate(&rules, &mut models, &rows).unwrap();
    let transcript = |debate: &Debate| Transcript {
        row: debate.row.clone(),
        arguments: debate.arguments.iter().map(|argument| argument.answer.text().to_owned()).collect(),
    };
    let transcripts: Vec<Transcript> = debates.iter().map(transcript).collect();
    let verdicts = judge(&rules.overseer, &mut target, &transcripts).unwrap();
    Outcome { debates, verdicts, waves: [m.waves, other.waves, target.waves] }
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
        opponent in prop::option::of(rule()),
        speaker_side in prop::sample::select(vec![SpeakerSide::Drawn, SpeakerSide::Even, SpeakerSide::Odd]),
        overseer in rule(),
        (form, (min_turns, max_turns)) in form().prop_flat_map(|form| (Just(form), turns(form.round()))),
        sufficient in sufficient(),
        batch in 0u64..10,
    ) -> Setting {
        Setting { speaker, opponent, speaker_side, overseer, form, min_turns, max_turns, sufficient, batch }
    }
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![Form::Sequential, Form::Simultaneous, Form::Rival(["No", "Yes"])])
}

/// The fewest and the most arguments, in whole rounds.
fn turns(round: usize) -> impl Strategy<Value = (usize, usize)> {
    (1..=4 / round, 1..=4 / round).prop_map(move |(a, b)| (round * a.min(b), round * a.max(b)))
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
            prop_assert_eq!(&alone.debates[0], &together.debates[i]);
            prop_assert_eq!(&alone.verdicts[0], &together.verdicts[i]);
        }
    }

    #[test]
    fn calls_do_not_grow_with_rows(setting in setting(), rows in 1usize..200) {
        let ids: Vec<u64> = (0..rows as u64).collect();
        let (rounds, most_rounds) = (setting.max_turns / setting.form.round(), 1 + 2);
        let [speaker, opponent, overseer] = outcome(&setting, &ids).waves;
        prop_assert!(speaker <= rounds * most_rounds);
        prop_assert!(opponent <= if setting.opponent.is_some() { rounds * most_rounds } else { 0 });
        prop_assert!(overseer <= ((rounds - 1) + 1) * most_rounds);
    }

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

    #[test]
    fn rewards_are_null_or_zero_sum(setting in setting(), ids in prop::collection::vec(0u64..1000, 1..20)) {
        let outcome = outcome(&setting, &ids);
        for (debate, verdict) in outcome.debates.iter().zip(&outcome.verdicts) {
            prop_assert_eq!(verdict.answer.is_some(), debate.arguments.len() > 1);
            prop_assert!(verdict.winner.is_none() || verdict.answer.is_some());
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
    };
    let ids: Vec<u64> = (0..4000).collect();
    let debates = outcome(&setting, &ids).debates;
    for (turns, share) in [(1, 0.0), (2, 0.25), (3, 0.75 * 0.25), (4, 0.75 * 0.75)] {
        let found = debates.iter().filter(|debate| debate.arguments.len() == turns).count() as f64 / 4000.0;
        assert!((found - share).abs() < 0.03, "{found} of the debates have {turns} arguments, not {share}");
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
    };
    let debates = outcome(&setting, &(0..4000).collect::<Vec<_>>()).debates;
    let even = debates.iter().filter(|debate| debate.arguments[0].voice == Voice::Speaker).count() as f64 / 4000.0;
    assert!((even - 0.5).abs() < 0.03, "{even} of the debates have the speaker first");
}
