//! What holds of debates in which the sides look into each other, whatever M says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::Approx,
    answerer::{Answer, Answerer, AnswererError, Evidence, Inside, Prompt, Sampled},
    consult::{Amp, Consulting},
    debate::{Debate, Models, Row, Rules, Voice, debate},
    draw::Draw,
    human::{Exchange, Human, Move},
    inspect::{Inspected, Tools},
    judge::Side,
    lesson::lesson,
    probe::Probe,
    question::{Asked, Form, Posed},
    samp::{Rule, Samp},
    tool::{self, Finding},
    trace::{Call, Part, argued},
};
use proptest::prelude::*;
use spec::settings::{Credit, History, Imitate, Inspection, SpeakerSide, Sufficient, Tool, Wording};
use std::cell::RefCell;

/// Asks for one of the tools, now and then for one that there is not, or argues: by the text asked and the draw.
#[derive(Default)]
struct Scripted {
    version: u64,
    waves: usize,
    inside: usize,
}

fn drawn(prompt: &Prompt, bound: usize) -> usize {
    prompt.text.bytes().fold(prompt.draw, |draw, byte| draw.at(u64::from(byte))).below(0, bound)
}

impl Answerer for Scripted {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        assert!(!wave.is_empty(), "an empty wave is never asked");
        self.waves += 1;
        let said = |prompt: &Prompt| {
            let text = match drawn(prompt, 12) {
                place if place < 6 => tool::call(Tool::ALL[place]),
                6 => "I ask for nothing".to_owned(),
                place => ["Yes because", "No", "Yes", "mumble", "I agree"][place - 7].to_owned(),
            };
            let sampled =
                Sampled { tokens: vec![7], log_probs: vec![-0.5], version: self.version, ..Sampled::default() };
            Answer { text, sampled }
        };
        Ok(wave.iter().map(said).collect())
    }

    fn look_inside(&mut self, wave: &[Evidence]) -> Result<Vec<Inside>, AnswererError> {
        assert!(!wave.is_empty(), "nobody looks at nothing");
        self.inside += 1;
        let seen = |evidence: &Evidence| {
            let number = (evidence.prompt.len() * 7 + evidence.text.len()) % 10;
            Inside {
                log_probs: vec![-(number as f32) / 10.0],
                entropies: vec![number as f32 / 10.0],
                leads: vec![number.is_multiple_of(2), !number.is_multiple_of(3)],
                attention: vec![(format!("word{number}"), 1.0)],
                hidden: vec![number as f32, 1.0],
            }
        };
        Ok(wave.iter().map(seen).collect())
    }
}

/// Asks two sub-questions, and answers by what it is told first.
struct Curious;

impl Human for Curious {
    fn next(&self, posed: &Posed, said: &[Exchange], _draw: Draw) -> Move {
        if said.is_empty() {
            return Move::Ask(["one", "two"].map(|part| format!("{} {part}?", posed.question)).to_vec());
        }
        Move::Answer(said[0].answer.clone().unwrap_or_default())
    }
}

fn wording() -> Wording {
    Wording {
        argument: "{question}{context}".into(),
        sufficient: "{question}{context} sufficient?".into(),
        winner: "{question}{context} even?".into(),
        ..Wording::default()
    }
}

#[derive(Debug, Clone)]
struct Setting {
    inspection: Inspection,
    form: Form,
    against: bool,
    call_human: f64,
    max_turns: usize,
}

prop_compose! {
    fn setting()(
        tools in prop::sample::subsequence(Tool::ALL.to_vec(), 1..=6),
        uses in 1..4usize,
        samples in 1..4usize,
        simultaneous: bool,
        against: bool,
        call_human in prop::sample::select(vec![0.0, 0.5, 1.0]),
        rounds in 2..4usize,
    ) -> Setting {
        let form = if simultaneous { Form::Simultaneous } else { Form::Sequential };
        let inspection = Inspection { uses, samples, ..Inspection::new(tools) };
        Setting { inspection, form, against, call_human, max_turns: rounds * form.round() }
    }
}

struct Outcome {
    debates: Vec<Debate>,
    /// Calls of those who argue, and of tools: for what they say, and for what goes on in them.
    argued: [usize; 2],
    asked: [usize; 2],
    inside: [usize; 2],
}

fn outcome(setting: &Setting, ids: &[u64]) -> Outcome {
    let (wording, probe, never) = (wording(), Probe { weights: vec![0.3, -1.0], bias: 0.1 }, Sufficient::Never);
    let rule = Rule::Constant(setting.call_human);
    let amp = Amp { human: &Curious, wording: &wording, consulting: Consulting::default() };
    let approx = || Approx { amp, samp: Samp { rule, purse: None, adversary: None } };
    let [looked, looked_other] = [3, 4].map(|version| RefCell::new(Scripted { version, ..Scripted::default() }));
    let rules = Rules {
        speaker: approx(),
        opponent: setting.against.then(approx),
        speaker_side: SpeakerSide::Drawn,
        overseer: approx(),
        min_turns: 1,
        max_turns: setting.max_turns,
        sufficient: &never,
        history: History::Arguments,
        tools: Some(Tools {
            settings: &setting.inspection,
            speaker: Inspected { model: &looked, probe: &probe },
            opponent: setting.against.then_some(Inspected { model: &looked_other, probe: &probe }),
        }),
        batch: 0,
    };
    let [mut m, mut other, mut target] = [3, 4, 5].map(|version| Scripted { version, ..Scripted::default() });
    let row =
        |&id: &u64| Row { id, question: "q".repeat(id as usize % 7), form: setting.form, draw: Draw::new(7).at(id) };
    let rows: Vec<Row> = ids.iter().map(row).collect();
    let opponent = setting.against.then_some(&mut other as &mut dyn Answerer);
    let debates = debate(&rules, &mut Models { speaker: &mut m, opponent, overseer: &mut target }, &rows).unwrap();
    let of = |of: fn(&Scripted) -> usize| [of(&looked.borrow()), of(&looked_other.borrow())];
    let (asked, inside) = (of(|m| m.waves), of(|m| m.inside));
    Outcome { debates, argued: [m.waves, other.waves], asked, inside }
}

fn ids() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::btree_set(0u64..1000, 1..20).prop_map(|ids| ids.into_iter().collect())
}

proptest! {
    #[test]
    fn a_debate_does_not_depend_on_its_batch(setting in setting(), ids in ids()) {
        let together = outcome(&setting, &ids).debates;
        for (id, debate) in ids.iter().zip(&together).take(4) {
            prop_assert_eq!(&outcome(&setting, &[*id]).debates[0], debate);
        }
        let reversed: Vec<u64> = ids.iter().rev().copied().collect();
        let mut backwards = outcome(&setting, &reversed).debates;
        backwards.reverse();
        prop_assert_eq!(backwards, together);
    }

    #[test]
    fn calls_do_not_depend_on_how_many_debates_there_are(setting in setting(), ids in ids()) {
        let Outcome { argued, asked, inside, .. } = outcome(&setting, &ids);
        let rounds = setting.max_turns / setting.form.round();
        let used = (rounds - 1) * setting.inspection.uses;
        // M answers, and in one round H asks it.
        prop_assert!(argued.iter().all(|waves| *waves <= 2 * (rounds + used)), "{argued:?}");
        prop_assert!(asked.iter().chain(&inside).all(|waves| *waves <= used), "{asked:?} {inside:?}");
    }

    #[test]
    fn what_a_tool_says_is_read_by_all_who_come_later(setting in setting(), ids in ids()) {
        for debate in outcome(&setting, &ids).debates {
            let lines = |text: &str| text.lines().filter_map(|line| line.strip_prefix("Tool: ")).map(str::to_owned).collect::<Vec<_>>();
            let said = |until: usize| debate.arguments[..until].iter().flat_map(|it| &it.uses).map(|used| used.text.clone()).collect::<Vec<_>>();
            for (turn, argument) in debate.arguments.iter().enumerate() {
                let seen = turn / setting.form.round() * setting.form.round();
                let own: Vec<String> = argument.uses.iter().map(|used| used.text.clone()).collect();
                prop_assert_eq!(lines(&argument.answer.prompt), [said(seen), own.clone()].concat());
                for (place, used) in argument.uses.iter().enumerate() {
                    prop_assert_eq!(lines(&used.asked.prompt), [said(seen), own[..place].to_vec()].concat());
                }
            }
            let all = said(debate.arguments.len());
            prop_assert_eq!(debate.findings().into_iter().map(|finding| finding.text).collect::<Vec<_>>(), all);
        }
    }

    #[test]
    fn tools_are_asked_for_as_often_as_may_be_and_of_the_other_side(setting in setting(), ids in ids()) {
        for debate in outcome(&setting, &ids).debates {
            for (turn, argument) in debate.arguments.iter().enumerate() {
                prop_assert!(turn >= setting.form.round() || argument.uses.is_empty());
                prop_assert!(argument.uses.len() <= setting.inspection.uses);
                for used in &argument.uses {
                    prop_assert!(setting.inspection.has(used.tool));
                    prop_assert_eq!(used.asked.text(), tool::call(used.tool));
                    prop_assert!(used.text.starts_with(used.tool.name()));
                    let others = (0..turn).rev().find(|at| Side::at(*at) != Side::at(turn)).unwrap();
                    let version = if debate.arguments[others].voice == Voice::Opponent { 4 } else { 3 };
                    prop_assert_eq!(used.version, version);
                }
                // Whoever asks once more than allowed has argued, badly.
                let asks = tool::asked_for(argument.answer.text(), &setting.inspection.tools).is_some();
                prop_assert!(!asks || turn < setting.form.round() || argument.uses.len() == setting.inspection.uses);
            }
        }
    }

    #[test]
    fn asking_earns_what_arguing_does(setting in setting(), ids in ids()) {
        for debate in outcome(&setting, &ids).debates {
            let argued = debate.arguments.iter().enumerate().flat_map(|(turn, it)| argued(debate.row.id, turn, it.clone()));
            let calls: Vec<Call> = argued.collect();
            let uses: usize = debate.arguments.iter().map(|it| it.uses.len()).sum();
            prop_assert_eq!(calls.iter().filter(|call| call.part == Part::Tool).count(), uses);
            for call in &calls {
                let credit = Credit { argument: true, calls: false };
                let lesson = lesson(call, Some(Side::Even), Imitate::Human, credit);
                let earns = call.part == Part::First && call.kept;
                let reward = if Side::at(call.turn) == Side::Even { 1.0 } else { -1.0 };
                prop_assert_eq!(lesson.reward, earns.then_some(reward), "{:?}", call.part);
                prop_assert_eq!(lesson.imitated, call.part == Part::Human);
            }
        }
    }

    #[test]
    fn shuffled_texts_are_those_of_other_debates(setting in setting(), ids in ids()) {
        // One round with tools: what is asked later depends on what was heard.
        let inspection = Inspection { uses: 1, ..setting.inspection };
        let setting = Setting { inspection, max_turns: 2, form: Form::Sequential, ..setting };
        let plain = outcome(&setting, &ids).debates;
        let shuffled = Setting { inspection: Inspection { shuffled: true, ..setting.inspection.clone() }, ..setting };
        let reversed: Vec<u64> = ids.iter().rev().copied().collect();
        let mut backwards = outcome(&shuffled, &reversed).debates;
        backwards.reverse();
        let shuffled = outcome(&shuffled, &ids).debates;
        prop_assert_eq!(&backwards, &shuffled, "in whichever order they stand");
        for tool in Tool::ALL {
            let texts = |debates: &[Debate]| -> Vec<(u64, String)> {
                let of = |it: &Debate| it.arguments[1].uses.iter().filter(|used| used.tool == tool).map(|used| (it.row.id, used.text.clone())).collect::<Vec<_>>();
                debates.iter().flat_map(of).collect()
            };
            let (plain, shuffled) = (texts(&plain), texts(&shuffled));
            let sorted = |texts: &[(u64, String)]| {
                let mut texts: Vec<String> = texts.iter().map(|(_, text)| text.clone()).collect();
                texts.sort();
                texts
            };
            prop_assert_eq!(sorted(&plain), sorted(&shuffled), "nothing is lost");
            let distinct: std::collections::BTreeSet<&String> = plain.iter().map(|(_, text)| text).collect();
            if distinct.len() == plain.len() && plain.len() > 1 {
                prop_assert!(plain.iter().zip(&shuffled).all(|(own, heard)| own != heard), "nobody keeps its own");
            }
        }
    }
}

#[track_caller]
fn check(text: String, expect: &str) {
    assert_eq!(text, expect);
    assert!(!text.contains('<') && text.split(' ').all(|word| !word.is_empty()));
}

#[test]
fn tools_say_what_they_see() {
    let inside = |log_probs: &[f32], entropies: &[f32]| Inside {
        log_probs: log_probs.to_vec(),
        entropies: entropies.to_vec(),
        ..Inside::default()
    };
    check(tool::log_probabilities(&inside(&[0.0, -0.693], &[0.26, 0.1])), "log-probabilities least 5 mean 7 entropy 3");
    check(tool::log_probabilities(&inside(&[-9.0], &[4.0])), "log-probabilities least 0 mean 0 entropy 10");
    let lens = |leads: &[bool]| tool::logit_lens(&Inside { leads: leads.to_vec(), ..Inside::default() });
    check(lens(&[true, true]), "logit-lens from 1 of 2");
    check(lens(&[true, false, true]), "logit-lens from 3 of 3");
    check(lens(&[true, false]), "logit-lens never");
    check(lens(&[true; 20]), "logit-lens from 1 of 10");
    let attention = |words: &[(&str, f32)]| {
        let attention = words.iter().map(|(word, weight)| ((*word).to_owned(), *weight)).collect();
        tool::attention(&Inside { attention, ..Inside::default() })
    };
    check(attention(&[("Jim", 0.3), ("lies", 0.1), (".", 0.1), ("Inga", 0.4)]), "attention Jim lies .");
    check(attention(&[("not", 0.1), ("True", 0.4), ("is", 0.4)]), "attention True");
    check(attention(&[]), "attention");
    check(tool::probe(0.0), "probe 0 of 10");
    check(tool::probe(0.74), "probe 7 of 10");
    check(tool::agreeing(Tool::Resampling, 3, 4), "resampling 3 of 4");
    check(tool::agreeing(Tool::Consistency, 9, 12), "consistency 8 of 10");
}

#[test]
fn some_of_what_they_say_speaks_against_an_argument() {
    let against = [
        "log-probabilities least 4 mean 9 entropy 3",
        "resampling 1 of 4",
        "consistency 1 of 4",
        "logit-lens never",
        "probe 6 of 10",
    ];
    let others = [
        "log-probabilities least 5 mean 5 entropy 10",
        "resampling 2 of 4",
        "logit-lens from 2 of 2",
        "probe 5 of 10",
        "attention Jim lies",
        "resampling many",
        "nothing",
        "",
    ];
    assert!(against.iter().all(|text| tool::doubts(text)));
    assert!(!others.iter().any(|text| tool::doubts(text)));
}

/// The odd side shown first keeps what it asked for.
#[test]
fn what_a_tool_said_stays_with_whom_it_was_said_to() {
    let arguments = ["Yes", "I agree", "No"].map(str::to_owned).to_vec();
    let findings =
        vec![Finding { turn: 1, text: "probe 6 of 10".into() }, Finding { turn: 2, text: "attention".into() }];
    let text = |swapped| {
        let posed = Posed::new(Asked::Winner, "Q", arguments.clone());
        Posed { findings: findings.clone(), swapped, ..posed }.text(&wording())
    };
    assert_eq!(text(false), "Q\nEven: Yes\nTool: probe 6 of 10\nOdd: I agree\nTool: attention\nEven: No even?");
    assert_eq!(text(true), "Q\nTool: probe 6 of 10\nOdd: I agree\nEven: Yes\nTool: attention\nEven: No even?");
}

#[test]
fn a_probe_learns_what_is_linear() {
    let draw = Draw::new(3);
    let hidden = |at: u64| -> Vec<f32> { (0..8).map(|place| draw.at(at).uniform(place) as f32 - 0.5).collect() };
    let is_true = |hidden: &[f32]| hidden[0] - hidden[3] > 0.0;
    let seen: Vec<(Vec<f32>, bool)> = (0..200).map(hidden).map(|hidden| (hidden.clone(), is_true(&hidden))).collect();
    let mut probe = Probe::default();
    assert_eq!((probe.probability(&seen[0].0), probe.learn(&[], 1.0)), (0.5, None));
    let losses: Vec<f64> = (0..300).map(|_| probe.learn(&seen, 2.0).unwrap()).collect();
    assert!((losses[0] - 2f64.ln()).abs() < 1e-12 && losses.windows(2).all(|pair| pair[1] < pair[0]));
    let right = |at: u64| (probe.probability(&hidden(at)) > 0.5) == is_true(&hidden(at));
    let right = (1000..1500).filter(|at| right(*at)).count();
    assert!(right > 450, "{right} of 500 others");
    assert_eq!(
        probe.probability(&hidden(7)),
        probe.probability(&hidden(7).iter().map(|it| it * 4.0).collect::<Vec<_>>())
    );
}
