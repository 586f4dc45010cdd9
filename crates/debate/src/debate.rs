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
    /// It had as many arguments as allowed.
    Cap,
}

impl Stopped {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Stopped::Sufficient => "sufficient",
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
    /// The most arguments of a debate.
    pub max_turns: usize,
    /// Whether sufficiency is asked at all.
    pub sufficient: Sufficient,
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
        if turn + 1 < rules.max_turns {
            settle(rules, target, &mut open)?;
        }
    }
    Ok(debates)
}

/// Stops the debates whose last argument suffices.
fn settle(rules: &Rules<'_>, target: &mut dyn Answerer, open: &mut [&mut Debate]) -> Result<(), WaveError> {
    match rules.sufficient {
        Sufficient::Never => {}
        Sufficient::Always => open.iter_mut().for_each(|debate| debate.stopped = Stopped::Sufficient),
        Sufficient::Ask => {
            let wave: Vec<Open> = open.iter().map(|debate| debate.ask(Asked::Sufficient)).collect();
            for (debate, answer) in open.iter_mut().zip(rules.overseer.answer(target, &wave)?) {
                if yes(answer.text()) == Some(true) {
                    debate.stopped = Stopped::Sufficient;
                }
                if let Some(last) = debate.arguments.last_mut() {
                    last.sufficient = Some(answer);
                }
            }
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
}

/// A question of the procedure, at its own address: the same whatever else is asked in the batch.
pub(crate) fn open(row: &Row, asked: Asked, context: Vec<String>) -> Open {
    let draw = row.draw.named(asked.name()).at(context.len() as u64);
    Open { posed: Posed { asked, question: row.question.clone(), context }, draw }
}
