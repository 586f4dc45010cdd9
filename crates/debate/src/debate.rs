//! The debate: copies of Amp≈(H, M), or one of them and an opponent, argue each question until an argument suffices.
//!
//! All debates of a batch go forward together, turn by turn, so the number of calls to M depends on `max_turns` and on
//! H's rounds of sub-questions, never on how many questions there are. An opponent is asked in the same waves, each in a
//! call of its own.

use crate::{
    amplify::{Amplified, Approx, Open, WaveError},
    answerer::Answerer,
    draw::Draw,
    judge::Side,
    question::{Asked, Form, Posed, yes},
};
use spec::settings::{SpeakerSide, Sufficient};
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
    /// The answer to "is it sufficient?", where that was asked; of a round of two it stands with the second.
    pub sufficient: Option<Amplified>,
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
    }
    Ok(debates)
}

/// The arguments of some turns, in one wave for each who argues: none of them is in another's context.
fn argue(
    rules: &Rules<'_>,
    models: &mut Models<'_>,
    turns: Range<usize>,
    open: &mut [&mut Debate],
) -> Result<(), WaveError> {
    let asked: Vec<(usize, Voice, Open)> = open
        .iter()
        .enumerate()
        .flat_map(|(i, debate)| {
            turns.clone().map(move |turn| (i, rules.voice(&debate.row, turn), debate.argument(turn)))
        })
        .collect();
    let mut answers: Vec<Option<Amplified>> = vec![None; asked.len()];
    for voice in Voice::ALL.into_iter().filter(|voice| turns.clone().any(|turn| rules.may_argue(*voice, turn))) {
        let places: Vec<usize> = (0..asked.len()).filter(|&place| asked[place].1 == voice).collect();
        let wave: Vec<Open> = places.iter().map(|&place| asked[place].2.clone()).collect();
        let answered = match (voice, &rules.opponent, &mut models.opponent) {
            (Voice::Opponent, Some(opponent), Some(m)) => opponent.answer(*m, &wave)?,
            _ => rules.speaker.answer(models.speaker, &wave)?,
        };
        places.into_iter().zip(answered).for_each(|(place, answer)| answers[place] = Some(answer));
    }
    for ((i, voice, asked), answer) in asked.into_iter().zip(answers) {
        let argument = |answer| Argument { answer, voice, held: asked.posed.held, sufficient: None };
        open[i].arguments.extend(answer.map(argument));
    }
    Ok(())
}

impl Rules<'_> {
    /// The side of the speaker in the debate of a question, where it has but one.
    pub fn side_of_speaker(&self, row: &Row) -> Option<Side> {
        self.opponent.as_ref()?;
        Some(match self.speaker_side {
            SpeakerSide::Even => Side::Even,
            SpeakerSide::Odd => Side::Odd,
            SpeakerSide::Drawn => Side::at(row.draw.named("speaker side").below(0, 2)),
        })
    }

    /// Who argues at a turn.
    fn voice(&self, row: &Row, turn: usize) -> Voice {
        let speaks = self.side_of_speaker(row).is_none_or(|side| side == Side::at(turn));
        if speaks { Voice::Speaker } else { Voice::Opponent }
    }

    /// Whether somebody argues at a turn of some question. Where sides are drawn both may.
    fn may_argue(&self, voice: Voice, turn: usize) -> bool {
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
    let wave: Vec<Open> = open.iter().map(|debate| debate.ask(Asked::Sufficient)).collect();
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

impl Debate {
    /// A question about the debate as it stands.
    fn ask(&self, asked: Asked) -> Open {
        let context: Vec<String> = self.arguments.iter().map(|argument| argument.answer.text().to_owned()).collect();
        open(&self.row, asked, context)
    }

    /// The question for the argument at a turn, of which what stands so far is the context.
    fn argument(&self, turn: usize) -> Open {
        let Open { posed, .. } = self.ask(Asked::Argument);
        let held = self.row.form.held(&posed.context, self.row.draw);
        Open { posed: Posed { turn, held, ..posed }, draw: address(&self.row, Asked::Argument, turn) }
    }

    /// One seeded draw on whether its last argument is taken as sufficient. The uniform number lies strictly between 0
    /// and 1, so a probability of 1 always ends a debate and 0 never does.
    fn is_drawn(&self, probability: f64) -> bool {
        let draw = address(&self.row, Asked::Sufficient, self.arguments.len());
        draw.named("chance").uniform(0) < probability
    }
}

/// A question of the procedure, at its own address.
pub(crate) fn open(row: &Row, asked: Asked, context: Vec<String>) -> Open {
    let draw = address(row, asked, context.len());
    let posed = Posed::new(asked, &row.question, context);
    Open { posed: Posed { form: row.form, ..posed }, draw }
}

/// The address of a question about so many arguments: the same whatever else is asked in the batch.
fn address(row: &Row, asked: Asked, arguments: usize) -> Draw {
    row.draw.named(asked.name()).at(arguments as u64)
}
