//! The verdict: "Were the even arguments in S more helpful than the odd arguments in answering Q?"

use crate::{
    amplify::{Amplified, Approx, HumanAnswer, Open, WaveError},
    answerer::Answerer,
    consult::Amp,
    cost::Cost,
    debate::{Row, open},
    question::{Asked, Posed, VERDICTS, yes},
    tool::Finding,
};
use spec::settings::{Reply, Sees};
use std::cmp::Ordering;

/// A side of a debate: the arguments at its even turns, or those at its odd turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Turns 0, 2, …
    Even,
    /// Turns 1, 3, …
    Odd,
}

impl Side {
    /// The side whose turn it is.
    pub fn at(turn: usize) -> Self {
        if turn.is_multiple_of(2) { Side::Even } else { Side::Odd }
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Side::Even => "even",
            Side::Odd => "odd",
        }
    }
}

/// A debate as a judge is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The question.
    pub row: Row,
    /// S, oldest first.
    pub arguments: Vec<String>,
    /// How each of them stands in S, if not as it was given.
    pub shown: Vec<String>,
    /// What tools said, oldest first.
    pub findings: Vec<Finding>,
}

impl Transcript {
    /// A debate without tools, whose arguments stand in S as they were given.
    pub fn new(row: Row, arguments: Vec<String>) -> Self {
        Transcript { row, arguments, shown: Vec::new(), findings: Vec::new() }
    }

    /// A question about it.
    fn ask(&self, asked: Asked) -> Open {
        open(&self.row, asked, self.arguments.clone(), self.shown.clone(), self.findings.clone())
    }
}

/// In which order the two sides of a debate are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they argued: of each two arguments the even side's first.
    Given,
    /// Of each two arguments the odd side's first.
    Swapped,
}

impl Order {
    /// Both.
    pub const BOTH: [Order; 2] = [Order::Given, Order::Swapped];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Order::Given => "given",
            Order::Swapped => "swapped",
        }
    }
}

/// One answer to the question who won.
#[derive(Debug, Clone, PartialEq)]
pub struct Ballot {
    /// How the debate was shown.
    pub order: Order,
    /// The judge's answer.
    pub answer: Amplified,
    /// The probability under M_target that the even side won, where it chose between the two verdicts. H says who won, and
    /// not how sure that is: where H judged there is none.
    pub probability: Option<f64>,
}

impl Ballot {
    /// Whom it is for, where it is clear.
    pub fn winner(&self) -> Option<Side> {
        yes(self.answer.text()).map(|even| if even { Side::Even } else { Side::Odd })
    }
}

/// Who won.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The judge's answers, those in one order after those in the other; none for a single argument, of which it is not
    /// asked.
    pub ballots: Vec<Ballot>,
    /// The winner; `None` where the judge was not asked, or there is no clear answer.
    pub winner: Option<Side>,
}

impl Verdict {
    /// What answers come to. Of those in one order the majority counts. Where the two orders come to different things, the
    /// side counts that is the likelier one over all answers (Wang et al. 2024), if all of them are M's own choice; otherwise
    /// neither (Zheng et al. 2023).
    pub fn of(ballots: Vec<Ballot>) -> Self {
        let mut verdict = Verdict { ballots, winner: None };
        let judged = Order::BOTH.into_iter().filter(|order| verdict.counts(*order).is_some());
        let winners: Vec<Option<Side>> = judged.map(|order| verdict.in_order(order)).collect();
        verdict.winner = match winners[..] {
            [winner] => winner,
            [given, swapped] if given == swapped => given,
            [_, _] => verdict.likelier(),
            _ => None,
        };
        verdict
    }

    /// The debate reward of a side: +1 for the winner, −1 for the loser, null (never 0) where nobody won.
    pub fn reward(&self, side: Side) -> Option<f32> {
        reward(self.winner, side)
    }

    /// The winner by the answers in one order; `None` too where as many are for each side.
    pub fn in_order(&self, order: Order) -> Option<Side> {
        let (even, odd, _) = self.counts(order)?;
        match even.cmp(&odd) {
            Ordering::Greater => Some(Side::Even),
            Ordering::Less => Some(Side::Odd),
            Ordering::Equal => None,
        }
    }

    /// Whether both orders have the same winner, where both have one.
    pub fn orders_agree(&self) -> Option<bool> {
        let [given, swapped] = Order::BOTH.map(|order| self.in_order(order));
        Some(given? == swapped?)
    }

    /// Which share of the answers in an order say what most of them say, averaged over the orders.
    pub fn agreement(&self) -> Option<f64> {
        let share = |(even, odd, all): (usize, usize, usize)| even.max(odd) as f64 / all as f64;
        let shares: Vec<f64> = Order::BOTH.into_iter().filter_map(|order| self.counts(order)).map(share).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    }

    /// The probability that the even side won, averaged over the answers, if all of them are M's own choice.
    pub fn probability(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.ballots.iter().map(|ballot| ballot.probability).collect();
        all.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>() / all.len() as f64)
    }

    fn likelier(&self) -> Option<Side> {
        match self.probability()?.partial_cmp(&0.5)? {
            Ordering::Greater => Some(Side::Even),
            Ordering::Less => Some(Side::Odd),
            Ordering::Equal => None,
        }
    }

    /// How many answers in an order are for the even side, and for the odd side, and how many there are, if any.
    fn counts(&self, order: Order) -> Option<(usize, usize, usize)> {
        let winners: Vec<Option<Side>> =
            self.ballots.iter().filter(|ballot| ballot.order == order).map(Ballot::winner).collect();
        let of = |side| winners.iter().filter(|winner| **winner == Some(side)).count();
        (!winners.is_empty()).then(|| (of(Side::Even), of(Side::Odd), winners.len()))
    }
}

/// The debate reward of a side, given the winner.
pub fn reward(winner: Option<Side>, side: Side) -> Option<f32> {
    winner.map(|winner| if winner == side { 1.0 } else { -1.0 })
}

/// Who judges, and how.
pub struct Judging<'a> {
    /// Amp≈(H, M_target).
    pub overseer: Approx<'a>,
    /// How M_target gives its verdict.
    pub reply: Reply,
    /// The temperature of a choice.
    pub temperature: f64,
    /// In which order the sides are shown.
    pub sees: Sees,
    /// How many answers are asked for in each order.
    pub repeats: usize,
}

impl Judging<'_> {
    /// Who won a debate, asked in each order as often as it is to be. The first in the order given has the address that it
    /// has where there is no other.
    fn questions(&self, transcript: &Transcript) -> Vec<(Order, Open)> {
        let asked = transcript.ask(Asked::Winner);
        let mut questions = Vec::new();
        for &order in self.orders(&asked) {
            let draw = if order == Order::Swapped { asked.draw.named("swapped") } else { asked.draw };
            for repeat in 0..self.repeats {
                let draw = if repeat == 0 { draw } else { draw.named("repeat").at(repeat as u64) };
                let posed = Posed { swapped: order == Order::Swapped, ..asked.posed.clone() };
                questions.push((order, Open { posed, draw }));
            }
        }
        questions
    }

    fn orders(&self, asked: &Open) -> &'static [Order] {
        match self.sees {
            Sees::Given => &[Order::Given],
            Sees::Random if asked.draw.named("order").uniform(0) < 0.5 => &[Order::Given],
            Sees::Random => &[Order::Swapped],
            Sees::Both => &Order::BOTH,
        }
    }

    /// The judge's answers, each with M's probability of "yes" where M chose.
    fn answers(&self, target: &mut dyn Answerer, wave: &[Open]) -> Result<Vec<(Amplified, Option<f64>)>, WaveError> {
        if self.reply == Reply::Text {
            let answers = self.overseer.answer(target, wave)?;
            return Ok(answers.into_iter().map(|answer| (answer, None)).collect());
        }
        let chosen = self.overseer.choose(target, wave, VERDICTS, self.temperature)?;
        let own = |(answer, even): (Amplified, f64)| {
            let probability = answer.human.is_none().then_some(even);
            (answer, probability)
        };
        Ok(chosen.into_iter().map(own).collect())
    }
}

/// Judges a batch of debates, all of them in one wave. Of a single argument nobody is asked.
pub fn judge(
    judging: &Judging<'_>,
    target: &mut dyn Answerer,
    transcripts: &[Transcript],
) -> Result<Vec<Verdict>, WaveError> {
    let of = |transcript: &Transcript| match transcript.arguments.len() {
        0 | 1 => Vec::new(),
        _ => judging.questions(transcript),
    };
    let asked: Vec<Vec<(Order, Open)>> = transcripts.iter().map(of).collect();
    let wave: Vec<Open> = asked.iter().flatten().map(|(_, open)| open.clone()).collect();
    let mut answers = judging.answers(target, &wave)?.into_iter();
    let verdict = |asked: Vec<(Order, Open)>| {
        let answered = asked.into_iter().zip(answers.by_ref());
        let ballots = answered.map(|((order, _), (answer, probability))| Ballot { order, answer, probability });
        Verdict::of(ballots.collect())
    };
    Ok(asked.into_iter().map(verdict).collect())
}

/// Whether Amp(H, M_target), where H is always asked, finds for the even side of each context, with what that cost; `None`
/// where it says neither yes nor no. A single argument is accepted or rejected. All are asked in one wave.
pub fn finds_for_even(
    amp: &Amp<'_>,
    target: &mut dyn Answerer,
    asked: Asked,
    transcripts: &[Transcript],
) -> Result<Vec<(Option<bool>, Cost)>, WaveError> {
    let wave: Vec<Open> = transcripts.iter().map(|transcript| transcript.ask(asked)).collect();
    let answers = amp.answer(Some(target), &wave)?;
    let found = |answer: HumanAnswer| (yes(&answer.text), answer.cost());
    Ok(answers.into_iter().map(found).collect())
}
