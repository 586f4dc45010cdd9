//! The debate: copies of Amp≈(H, M), or one of them and an opponent, argue each question until an argument suffices.
//!
//! All debates of a batch go forward together, turn by turn, so the number of calls to M depends on `max_turns` and on
//! H's rounds of sub-questions, never on how many questions there are. An opponent is asked in the same waves, each in a
//! call of its own.

use crate::{
    amplify::{Amplified, Approx, Open, WaveError},
    answerer::Answerer,
    argue::argue,
    draw::Draw,
    inspect::{Tools, Use},
    judge::Side,
    question::{Asked, Form, Posed, yes},
    tool::Finding,
};
use spec::settings::{History, SpeakerSide, Sufficient};
use std::ops::Range;

/// A question to be debated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which question: its draw ordinal in the run.
    pub id: u64,
    /// Q.
    pub question: String,
    /// In which form.
    pub form: Form,
    /// The address of all randomness of its debate.
    pub draw: Draw,
}

/// Why a debate stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The last argument was found sufficient.
    Sufficient,
    /// The last argument was taken as sufficient by a draw, whatever anybody said.
    Chance,
    /// It had as many arguments as allowed.
    Cap,
}

impl Stopped {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Stopped::Sufficient => "sufficient",
            Stopped::Chance => "chance",
            Stopped::Cap => "cap",
        }
    }
}

/// Who argues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// The speaker: on both sides, or on one of them against an opponent.
    Speaker,
    /// The opponent.
    Opponent,
}

impl Voice {
    /// Both.
    pub const ALL: [Voice; 2] = [Voice::Speaker, Voice::Opponent];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Voice::Speaker => "speaker",
            Voice::Opponent => "opponent",
        }
    }
}

/// One argument of a debate.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The argument, with how it came about.
    pub answer: Amplified,
    /// Who gave it.
    pub voice: Voice,
    /// The answer that it had to give, where it was not free to choose.
    pub held: Option<&'static str>,
    /// The tools that were asked for before it.
    pub uses: Vec<Use>,
    /// The answer to "is it sufficient?", where that was asked; of a round of two it stands with the second.
    pub sufficient: Option<Amplified>,
    /// What it says in short, where that is what stays of it in S.
    pub summary: Option<Amplified>,
}

/// A finished debate.
#[derive(Debug, Clone, PartialEq)]
pub struct Debate {
    /// The question.
    pub row: Row,
    /// S, oldest first.
    pub arguments: Vec<Argument>,
    /// Why it stopped.
    pub stopped: Stopped,
}

/// Who debates, and how long.
pub struct Rules<'a> {
    /// Argues: Amp≈(H, M).
    pub speaker: Approx<'a>,
    /// Argues on the other side, where the speaker does not argue on both.
    pub opponent: Option<Approx<'a>>,
    /// On which side the speaker argues against an opponent.
    pub speaker_side: SpeakerSide,
    /// Says whether an argument suffices: Amp≈(H, M_target).
    pub overseer: Approx<'a>,
    /// The fewest arguments of a debate, at least 1.
    pub min_turns: usize,
    /// The most.
    pub max_turns: usize,
    /// Who says that an argument suffices.
    pub sufficient: &'a Sufficient,
    /// What debaters may look into each other with, if they may.
    pub tools: Option<Tools<'a>>,
    /// What stands in S.
    pub history: History,
    /// The batch, by which probabilities go.
    pub batch: u64,
}

/// The models behind those who debate.
pub struct Models<'m> {
    /// M.
    pub speaker: &'m mut dyn Answerer,
    /// The opponent's, where there is one.
    pub opponent: Option<&'m mut dyn Answerer>,
    /// M_target.
    pub overseer: &'m mut dyn Answerer,
}

/// Debates a batch of questions, all in the same form. An answer on sufficiency that is neither yes nor no lets the debate
/// go on.
pub fn debate(rules: &Rules<'_>, models: &mut Models<'_>, rows: &[Row]) -> Result<Vec<Debate>, WaveError> {
    let start = |row: &Row| Debate { row: row.clone(), arguments: Vec::new(), stopped: Stopped::Cap };
    let mut debates: Vec<Debate> = rows.iter().map(start).collect();
    let round = rows.first().map_or(1, |row| row.form.round());
    for given in (round..=rules.max_turns).step_by(round) {
        let mut open: Vec<&mut Debate> = debates.iter_mut().filter(|debate| debate.stopped == Stopped::Cap).collect();
        argue(rules, models, given - round..given, &mut open)?;
        if (rules.min_turns..rules.max_turns).contains(&given) {
            settle(rules, models.overseer, &mut open)?;
        }
        if rules.history == History::Summaries {
            summarise(models.overseer, rules, given - round..given, &mut open)?;
        }
    }
    Ok(debates)
}

impl<'a> Rules<'a> {
    /// The side of the speaker in the debate of a question, where it has but one.
    pub fn side_of_speaker(&self, row: &Row) -> Option<Side> {
        self.opponent.as_ref()?;
        Some(match self.speaker_side {
            SpeakerSide::Even => Side::Even,
            SpeakerSide::Odd => Side::Odd,
            SpeakerSide::Drawn => Side::at(row.draw.named("speaker side").below(0, 2)),
        })
    }

    /// Amp≈ of a voice.
    pub(crate) fn of(&self, voice: Voice) -> &Approx<'a> {
        match (voice, &self.opponent) {
            (Voice::Opponent, Some(opponent)) => opponent,
            _ => &self.speaker,
        }
    }

    /// Who argues at a turn.
    pub(crate) fn voice(&self, row: &Row, turn: usize) -> Voice {
        let speaks = self.side_of_speaker(row).is_none_or(|side| side == Side::at(turn));
        if speaks { Voice::Speaker } else { Voice::Opponent }
    }

    /// Whether somebody argues at a turn of some question. Where sides are drawn both may.
    pub(crate) fn may_argue(&self, voice: Voice, turn: usize) -> bool {
        let side = match (&self.opponent, self.speaker_side) {
            (None, _) => return voice == Voice::Speaker,
            (Some(_), SpeakerSide::Drawn) => return true,
            (Some(_), SpeakerSide::Even) => Side::Even,
            (Some(_), SpeakerSide::Odd) => Side::Odd,
        };
        (side == Side::at(turn)) == (voice == Voice::Speaker)
    }
}

/// Stops the debates whose last argument suffices.
fn settle(rules: &Rules<'_>, target: &mut dyn Answerer, open: &mut [&mut Debate]) -> Result<(), WaveError> {
    if rules.sufficient.is_asked() {
        ask(rules, target, open)?;
    }
    for debate in open.iter_mut().filter(|debate| debate.stopped == Stopped::Cap) {
        debate.stopped = match rules.sufficient {
            Sufficient::Always => Stopped::Sufficient,
            Sufficient::Random(probability) | Sufficient::Biased(probability)
                if debate.is_drawn(probability.at(rules.batch)) =>
            {
                Stopped::Chance
            }
            _ => Stopped::Cap,
        };
    }
    Ok(())
}

/// Stops the debates whose last argument is found sufficient.
fn ask(rules: &Rules<'_>, target: &mut dyn Answerer, open: &mut [&mut Debate]) -> Result<(), WaveError> {
    let wave: Vec<Open> = open.iter().map(|debate| debate.ask(Asked::Sufficient, rules.history)).collect();
    for (debate, answer) in open.iter_mut().zip(rules.overseer.answer(target, &wave)?) {
        if yes(answer.text()) == Some(true) {
            debate.stopped = Stopped::Sufficient;
        }
        if let Some(last) = debate.arguments.last_mut() {
            last.sufficient = Some(answer);
        }
    }
    Ok(())
}

/// What the arguments of some turns say in short. Of one that stays alone nobody will read it.
fn summarise(
    target: &mut dyn Answerer,
    rules: &Rules<'_>,
    turns: Range<usize>,
    open: &mut [&mut Debate],
) -> Result<(), WaveError> {
    let read = |debate: &Debate| debate.stopped == Stopped::Cap || debate.arguments.len() > 1;
    let asked: Vec<(usize, usize)> = (0..open.len())
        .filter(|&i| rules.max_turns > 1 && read(open[i]))
        .flat_map(|i| turns.clone().map(move |turn| (i, turn)))
        .collect();
    let wave: Vec<Open> = asked.iter().map(|&(i, turn)| open[i].summary(turn)).collect();
    for ((i, turn), answer) in asked.into_iter().zip(rules.overseer.answer(target, &wave)?) {
        open[i].arguments[turn].summary = Some(answer);
    }
    Ok(())
}

impl Argument {
    /// How it stands in S.
    fn shown(&self, history: History) -> String {
        match (history, &self.summary) {
            (History::Traces, _) => format!("{}{}", self.answer.text(), self.answer.trace()),
            (History::Summaries, Some(summary)) => summary.text().to_owned(),
            _ => self.answer.text().to_owned(),
        }
    }
}

impl Debate {
    /// How its arguments stand in S, if not as they were given.
    pub fn shown(&self, history: History) -> Vec<String> {
        let shown = self.arguments.iter().filter(|_| history != History::Arguments);
        shown.map(|argument| argument.shown(history)).collect()
    }

    /// The question what an argument says in short, in context of those before it.
    fn summary(&self, turn: usize) -> Open {
        let said = |argument: &Argument| argument.answer.text().to_owned();
        let given = &self.arguments[..=turn];
        let mut shown: Vec<String> = given.iter().map(|argument| argument.shown(History::Summaries)).collect();
        shown[turn] = said(&given[turn]);
        let findings = self.findings().into_iter().filter(|finding| finding.turn <= turn).collect();
        open(&self.row, Asked::Summary, given.iter().map(said).collect(), shown, findings)
    }

    /// A question about the debate as it stands.
    fn ask(&self, asked: Asked, history: History) -> Open {
        let context: Vec<String> = self.arguments.iter().map(|argument| argument.answer.text().to_owned()).collect();
        open(&self.row, asked, context, self.shown(history), self.findings())
    }

    /// What tools have said, oldest first.
    pub fn findings(&self) -> Vec<Finding> {
        let of = |(turn, argument): (usize, &Argument)| -> Vec<Finding> {
            argument.uses.iter().map(|used| Finding { turn, text: used.text.clone() }).collect()
        };
        self.arguments.iter().enumerate().flat_map(of).collect()
    }

    /// The question for the argument at a turn, of which what stands so far is the context.
    pub(crate) fn argument(&self, turn: usize, history: History) -> Open {
        let Open { posed, .. } = self.ask(Asked::Argument, history);
        let held = self.row.form.held(&posed.context, self.row.draw);
        Open { posed: Posed { turn, held, ..posed }, draw: address(&self.row, Asked::Argument, turn) }
    }

    /// The question for an argument that was given, in the context of those before its round, with what tools had said to
    /// whoever gave it; there are none to ask for.
    pub(crate) fn posed_at(&self, turn: usize) -> Posed {
        let (form, before) = (self.row.form, turn - turn % self.row.form.round());
        let context = self.arguments[..before].iter().map(|argument| argument.answer.text().to_owned());
        let findings = self.findings().into_iter().filter(|it| it.turn < before || it.turn == turn).collect();
        Posed { form, turn, findings, ..Posed::new(Asked::Argument, &self.row.question, context.collect()) }
    }

    /// One seeded draw on whether its last argument is taken as sufficient. The uniform number lies strictly between 0
    /// and 1, so a probability of 1 always ends a debate and 0 never does.
    fn is_drawn(&self, probability: f64) -> bool {
        let draw = address(&self.row, Asked::Sufficient, self.arguments.len());
        draw.named("chance").uniform(0) < probability
    }
}

/// A question of the procedure, at its own address.
pub(crate) fn open(row: &Row, asked: Asked, context: Vec<String>, shown: Vec<String>, findings: Vec<Finding>) -> Open {
    let draw = address(row, asked, context.len());
    let posed = Posed::new(asked, &row.question, context);
    Open { posed: Posed { form: row.form, shown, findings, ..posed }, draw }
}

/// The address of a question about so many arguments: the same whatever else is asked in the batch.
fn address(row: &Row, asked: Asked, arguments: usize) -> Draw {
    row.draw.named(asked.name()).at(arguments as u64)
}
