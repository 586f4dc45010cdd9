//! What an answer cost: how often H was called, and how much M read and wrote.

use crate::{
    amplify::{Amplified, HumanAnswer, SubAnswer},
    answerer::Answer,
};
use std::{iter::Sum, ops::Add};

/// What one answer, or several, cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Calls of H, verdicts and answers on sufficiency among them.
    pub human_calls: u64,
    /// Tokens that models read: those of prompts.
    pub tokens_read: u64,
    /// Tokens that models wrote.
    pub tokens_written: u64,
}

impl Cost {
    /// One call of H, who asks nobody.
    pub const HUMAN: Cost = Cost { human_calls: 1, tokens_read: 0, tokens_written: 0 };
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            human_calls: self.human_calls + other.human_calls,
            tokens_read: self.tokens_read + other.tokens_read,
            tokens_written: self.tokens_written + other.tokens_written,
        }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::default(), Add::add)
    }
}

impl Answer {
    /// Of an answer of M: its own tokens.
    pub fn cost(&self) -> Cost {
        let (read, written) = (self.sampled.prompt.len() as u64, self.sampled.tokens.len() as u64);
        Cost { human_calls: 0, tokens_read: read, tokens_written: written }
    }
}

impl SubAnswer {
    /// Of an answer to a sub-question: M's own, or H's with what that rests on. One that is only heard again costs nothing.
    pub fn cost(&self) -> Cost {
        match &self.human {
            _ if self.repeated => Cost::default(),
            Some(human) => human.cost(),
            None => self.answer.cost(),
        }
    }
}

impl HumanAnswer {
    /// Of an answer of Amp(H, M): the call of H, what H′ said in its place or beside it, and the answers to sub-questions.
    pub fn cost(&self) -> Cost {
        let human = if self.real { Cost::HUMAN } else { Cost::default() };
        let understudy = self.steps.iter().flat_map(|step| &step.own).map(|(_, said)| said.cost()).sum();
        human + understudy + self.calls.iter().map(SubAnswer::cost).sum()
    }
}

impl Amplified {
    /// Of an answer of Amp≈(H, M): all of M's own answers, what Adv said, and H's where H was called.
    pub fn cost(&self) -> Cost {
        let own = self.first.cost() + self.again.iter().map(Answer::cost).sum();
        let predicted = self.predicted.iter().map(|said| said.answer.cost()).sum();
        own + predicted + self.human.iter().map(HumanAnswer::cost).sum()
    }
}
