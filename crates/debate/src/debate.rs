//! The debate: copies of Amp≈(H, M) argue each question in turn until an argument suffices.
//!
//! All debates of a batch go forward together, turn by turn, so the number of calls to M depends on `max_turns` and on
//! H's rounds of sub-questions, never on how many questions there are.

use crate::{
    amplify::{Amplified, Approx, Open, WaveError},
    answerer::Answerer,
    draw::Draw,
    question::{Asked, Posed, yes},
};
use spec::settings::Sufficient;

/// A question to be debated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which question: its draw ordinal in the run.
    pub id: u64,
    /// Q.
    pub question: String,
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

/// One argument of a debate.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The argument, with how it came about.
    pub answer: Amplified,
    /// The answer to "is it sufficient?", where that was asked.
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
    /// Argues on both sides: Amp≈(H, M).
    pub speaker: Approx<'a>,
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

/// Debates a batch of questions. An answer on sufficiency that is neither yes nor no lets the debate go on.
pub fn debate(
    rules: &Rules<'_>,
    m: &mut dyn Answerer,
    target: &mut dyn Answerer,
    rows: &[Row],
) -> Result<Vec<Debate>, WaveError> {
    let start = |row: &Row| Debate { row: row.clone(), arguments: Vec::new(), stopped: Stopped::Cap };
    let mut debates: Vec<Debate> = rows.iter().map(start).collect();
    for turn in 0..rules.max_turns {
        let mut open: Vec<&mut Debate> = debates.iter_mut().filter(|debate| debate.stopped == Stopped::Cap).collect();
        let wave: Vec<Open> = open.iter().map(|debate| debate.ask(Asked::Argument)).collect();
        for (debate, answer) in open.iter_mut().zip(rules.speaker.answer(m, &wave)?) {
            debate.arguments.push(Argument { answer, sufficient: None });
        }
        if (rules.min_turns..rules.max_turns).contains(&(turn + 1)) {
            settle(rules, target, &mut open)?;
        }
    }
    Ok(debates)
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
    Open { posed: Posed::new(asked, &row.question, context), draw }
}

/// The address of a question about so many arguments: the same whatever else is asked in the batch.
fn address(row: &Row, asked: Asked, arguments: usize) -> Draw {
    row.draw.named(asked.name()).at(arguments as u64)
}
