//! A scripted M and H, whose words depend on nothing but what they are asked, and the debates that come of any setting.

use debate::{
    amplify::{Amplified, Approx},
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    consult::{Amp, Consulting},
    debate::{Debate, Models, Row, Rules, debate},
    draw::Draw,
    human::{Exchange, Human, Move},
    judge::{Judging, Transcript, Verdict, judge},
    question::{Asked, Form, Posed, yes},
    samp::{Rule, Samp},
    trace::{Call, argued, calls},
};
use proptest::prelude::*;
use spec::settings::{History, Reply, Schedule, Sees, SpeakerSide, Sufficient, Wording};

pub fn wording() -> Wording {
    Wording {
        argument: "{question}{context}".into(),
        sufficient: "{question}{context} sufficient?".into(),
        winner: "{question}{context} even?".into(),
        summary: "{question}{context} short?".into(),
        ..Wording::default()
    }
}

/// Says one of a few things, by the text asked and the address of the draw. Counts its waves, and signs what it says with
/// its version.
#[derive(Default)]
pub struct Scripted {
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
pub struct Setting {
    pub speaker: Rule,
    pub opponent: Option<Rule>,
    pub speaker_side: SpeakerSide,
    pub overseer: Rule,
    pub form: Form,
    pub min_turns: usize,
    pub max_turns: usize,
    pub sufficient: Sufficient,
    pub batch: u64,
    pub rounds: Option<usize>,
    pub depth: u32,
    pub shared: bool,
    pub history: History,
}

pub struct Outcome {
    pub debates: Vec<Debate>,
    pub verdicts: Vec<Verdict>,
    /// Waves of the speaker, the opponent, and the overseer who judges too.
    pub waves: [usize; 3],
}

impl Outcome {
    pub fn calls(&self) -> Vec<Call> {
        let mut all = Vec::new();
        for (Debate { row, arguments, .. }, verdict) in self.debates.iter().zip(&self.verdicts) {
            all.extend(
                arguments.iter().enumerate().flat_map(|(turn, argument)| argued(row.id, turn, argument.clone())),
            );
            let judged = |answer: &Amplified| calls(row.id, Asked::Winner, arguments.len(), answer.clone());
            all.extend(verdict.ballots.iter().flat_map(|ballot| judged(&ballot.answer)));
        }
        all
    }
}

fn row(id: u64, form: Form) -> Row {
    Row { id, question: format!("{}?", "q".repeat(id as usize % 7)), form, draw: Draw::new(7).at(id) }
}

pub fn outcome(setting: &Setting, ids: &[u64]) -> Outcome {
    let wording = wording();
    let shared = setting.shared.then(|| Draw::new(7).named("shared"));
    let consulting =
        Consulting { rounds: setting.rounds, depth: setting.depth, shared, understudy: None, answerer: None };
    let amp = Amp { human: &Curious, wording: &wording, consulting };
    let approx = |rule| Approx { amp, samp: Samp { rule, purse: None, adversary: None } };
    let rules = Rules {
        speaker: approx(setting.speaker),
        opponent: setting.opponent.map(approx),
        speaker_side: setting.speaker_side,
        overseer: approx(setting.overseer),
        min_turns: setting.min_turns,
        max_turns: setting.max_turns,
        sufficient: &setting.sufficient,
        tools: None,
        history: setting.history,
        batch: setting.batch,
    };
    let [mut m, mut other, mut target] = [0, 1, 2].map(|version| Scripted { waves: 0, version });
    let rows: Vec<Row> = ids.iter().map(|&id| row(id, setting.form)).collect();
    let opponent = setting.opponent.map(|_| &mut other as &mut dyn Answerer);
    let mut models = Models { speaker: &mut m, opponent, overseer: &mut target };
    let debates = debate(&rules, &mut models, &rows).unwrap();
    let transcript = |debate: &Debate| {
        let arguments = debate.arguments.iter().map(|argument| argument.answer.text().to_owned()).collect();
        let (shown, findings) = (debate.shown(setting.history), debate.findings());
        Transcript { row: debate.row.clone(), arguments, shown, findings }
    };
    let transcripts: Vec<Transcript> = debates.iter().map(transcript).collect();
    let (reply, sees) = (Reply::Text, Sees::Given);
    let judging = Judging { overseer: rules.overseer, reply, temperature: 1.0, sees, repeats: 1 };
    let verdicts = judge(&judging, &mut target, &transcripts).unwrap();
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
    pub fn setting()(
        speaker in rule(),
        opponent in prop::option::of(rule()),
        speaker_side in prop::sample::select(vec![SpeakerSide::Drawn, SpeakerSide::Even, SpeakerSide::Odd]),
        overseer in rule(),
        (form, (min_turns, max_turns)) in form().prop_flat_map(|form| (Just(form), turns(form.round()))),
        sufficient in sufficient(),
        batch in 0u64..10,
        rounds in prop::option::of(1..3usize),
        depth in 1..4u32,
        shared: bool,
        history in prop::sample::select(vec![History::Arguments, History::Traces, History::Summaries]),
    ) -> Setting {
        Setting {
            speaker, opponent, speaker_side, overseer, form, min_turns, max_turns, sufficient, batch, rounds, depth, shared, history,
        }
    }
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![Form::Sequential, Form::Simultaneous, Form::Rival(["No", "Yes"])])
}

/// The fewest and the most arguments, in whole rounds.
fn turns(round: usize) -> impl Strategy<Value = (usize, usize)> {
    (1..=4 / round, 1..=4 / round).prop_map(move |(a, b)| (round * a.min(b), round * a.max(b)))
}
