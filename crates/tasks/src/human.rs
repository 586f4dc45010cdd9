//! The weak human of every task: it can take one step, and asks M about whatever that step rests on.
//!
//! The same weakness shows in all three questions of the procedure. As one side it asserts what M's answers to the
//! parts come to. As the other side, and as judge, it checks the step by itself and asks M only about claims: nobody
//! but M could tell it whether those hold. So its verdict on a debate costs one question where the debate has come
//! down to one claim, however deep the question is.
//!
//! It asks all of its questions at once, or one by one; then it has nothing more to ask once a claim is refuted.
//!
//! In short, an assertion is the answer that it gives, and a reply is what it is.
//!
//! Where there are transparency tools, it asks for one before it replies to an assertion that it cannot check by itself.
//! Where a tool speaks against that, it disputes what nobody has stated, even if M confirms it; and as judge it checks every
//! claim then, even if the other side disputes none.
//!
//! Where both sides give answers, as rivals or at the same time, the first claim in which their assertions differ is the
//! one in doubt. Held to an answer, it asserts whatever comes to that and is nearest to what M says of the parts.

use crate::{
    argument::{self, Reply},
    catastrophe,
    dice::Dice,
    step::{Case, Step},
    task::Task,
};
use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Form, Posed, stated},
    tool,
};
use spec::settings::{Asks, Tool};

/// A human who knows one task's step, and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct WeakHuman {
    /// The task.
    pub task: Task,
    /// How it asks.
    pub asks: Asks,
}

impl Human for WeakHuman {
    fn next(&self, posed: &Posed, said: &[Exchange], draw: Draw) -> Move {
        let step = self.task.step(&posed.question).unwrap_or_default();
        let (form, context) = (posed.form, posed.context.as_slice());
        let sitting = Sitting { task: self.task, asks: self.asks, step: &step, form, context, said, draw };
        let replies = !context.len().is_multiple_of(2);
        let doubted = posed.findings.iter().any(|finding| tool::doubts(&finding.text));
        let answer = match (posed.asked, posed.held) {
            (Asked::Argument, Some(answer)) => sitting.assert_that(answer),
            (Asked::Argument, None) if replies => {
                sitting.wanted(posed).map_or_else(|| sitting.reply(posed), |tool| Ok(tool::call(tool)))
            }
            (Asked::Argument, None) => sitting.assert(),
            (Asked::Sufficient, _) => sitting.sufficient().map(verdict),
            (Asked::Winner, _) if form == Form::Simultaneous => sitting.better().map(preference),
            (Asked::Winner, _) => sitting.winner(doubted).map(verdict),
            (Asked::Summary, _) => Ok(stated(context.last().map_or("", String::as_str)).to_owned()),
            (Asked::Choice, _) => sitting.choice().map(verdict),
            (Asked::Catastrophe, _) => Ok(verdict(sitting.is_catastrophe(&posed.question))),
            (Asked::Likelihood, _) => Ok(catastrophe::likelihood(self.task, &posed.question)),
            (Asked::Proposal, _) => Ok(catastrophe::proposal(self.task, &mut Dice::new(draw))),
        };
        answer.map_or_else(Move::Ask, Move::Answer)
    }
}

fn verdict(yes: bool) -> String {
    if yes { "Yes" } else { "No" }.to_owned()
}

/// A verdict that may be none: neither yes nor no.
fn preference(yes: Option<bool>) -> String {
    yes.map_or_else(|| argument::UNDECIDED.to_owned(), verdict)
}

/// What comes of thinking about a question: a result, or first some questions to M.
type Thought<T> = Result<T, Vec<String>>;

/// One question of the procedure, with all that H has before it.
struct Sitting<'a> {
    task: Task,
    asks: Asks,
    step: &'a Step,
    form: Form,
    context: &'a [String],
    said: &'a [Exchange],
    draw: Draw,
}

impl<'a> Sitting<'a> {
    /// What the answers to the parts come to; a guess where H does not understand the question.
    fn assert(&self) -> Thought<String> {
        let values = self.learn(&self.every_part())?;
        let guess = || self.task.answers()[usize::from(self.guess(0))].to_owned();
        Ok(self.step.case(&values).map_or_else(guess, |case| argument::assertion(self.task, case)))
    }

    /// What comes to an answer, and is nearest to what M says of the parts; the answer alone where nothing does.
    fn assert_that(&self, answer: &str) -> Thought<String> {
        let values = self.learn(&self.every_part())?;
        let wanted = self.task.says(answer);
        let cases = self.step.cases.iter().filter(|case| Some(case.answer) == wanted && self.step.admits(case));
        let apart = |case: &&Case| case.values.iter().zip(&values).filter(|(one, other)| one != other).count();
        Ok(cases.min_by_key(apart).map_or_else(|| answer.to_owned(), |case| argument::assertion(self.task, case)))
    }

    /// Disputes the step of the other side's last assertion, or its first claim that M contradicts, or where a tool speaks
    /// against it the first claim that is not stated, or agrees.
    fn reply(&self, posed: &Posed) -> Thought<String> {
        let Some(case) = self.asserted() else { return Ok(argument::dispute_step()) };
        let doubted = posed.findings.iter().any(|it| it.turn == posed.turn && tool::doubts(&it.text));
        let open = || self.step.parts.iter().position(|part| doubted && part.stated.is_none());
        let wrong = self.contradicted(case, &self.every_part())?.or_else(open);
        Ok(wrong.map_or(Reply::Agree, Reply::DisputePart).text(self.step, case))
    }

    /// Is the last argument sufficient? An assertion is where H can check all that it rests on, for which another
    /// voice is wanted otherwise; a reply is where it agrees, or disputes a claim that M contradicts too. Two assertions
    /// given at the same time are where they give the same answer.
    fn sufficient(&self) -> Thought<bool> {
        if self.form == Form::Simultaneous {
            let both = self.asserted().zip(self.countered());
            return Ok(both.is_some_and(|(even, odd)| even.answer == odd.answer));
        }
        if !self.context.len().is_multiple_of(2) {
            let all_stated = self.step.parts.iter().all(|part| part.stated.is_some());
            return Ok(all_stated && self.asserted().is_some());
        }
        match (self.context.last(), self.asserted(), self.replied()) {
            (Some(reply), _, _) if argument::agrees(reply) => Ok(true),
            (_, Some(case), Some(Reply::DisputePart(part))) => Ok(self.contradicted(case, &[part])?.is_some()),
            _ => Ok(false),
        }
    }

    /// The tool to ask for before a reply, one of those that it has not heard yet: where an assertion rests on what nobody
    /// has stated.
    fn wanted(&self, posed: &Posed) -> Option<Tool> {
        let rests = self.asserted().is_some() && self.step.parts.iter().any(|part| part.stated.is_none());
        let heard = |tool: &Tool| {
            posed.findings.iter().any(|it| it.turn == posed.turn && it.text.split(' ').next() == Some(tool.name()))
        };
        let unheard: Vec<Tool> = posed.tools.iter().copied().filter(|tool| rests && !heard(tool)).collect();
        unheard.get(self.draw.named("tool").below(0, unheard.len())).copied()
    }

    /// Were the even arguments more helpful? Yes if their last assertion holds: its step, which H checks, and what it
    /// claims, for which H relies on M, and on the odd side to name the only claim in doubt. Where a tool has cast doubt, H
    /// does not take the odd side's word that there is none.
    fn winner(&self, doubted: bool) -> Thought<bool> {
        let Some(case) = self.asserted() else { return Ok(false) };
        let in_doubt = match self.replied() {
            Some(Reply::Agree) if doubted => self.every_part(),
            Some(Reply::Agree) => Vec::new(),
            Some(Reply::DisputePart(part)) => vec![part],
            Some(Reply::DisputeStep) | None => self.every_part(),
        };
        Ok(self.contradicted(case, &in_doubt)?.is_none())
    }

    /// Of two assertions given at the same time: is the even one better? It is where M confirms its side of the first claim
    /// in which they differ, or where it holds and the other cannot be followed. Nobody has said anything better where they
    /// do not differ, nor where what can be followed does not hold.
    fn better(&self) -> Thought<Option<bool>> {
        let holds = |case| -> Thought<bool> { Ok(self.contradicted(case, &self.every_part())?.is_none()) };
        Ok(match (self.asserted(), self.countered()) {
            (Some(even), Some(odd)) => match differing(even, odd) {
                Some(part) => Some(self.contradicted(even, &[part])?.is_none()),
                None => None,
            },
            (Some(even), None) => holds(even)?.then_some(true),
            (None, Some(odd)) => holds(odd)?.then_some(false),
            (None, None) => None,
        })
    }

    /// Is the first of two bare answers the right one? Nobody has given a reason, so H works it out as an answerer does.
    fn choice(&self) -> Thought<bool> {
        let values = self.learn(&self.every_part())?;
        let own = self.step.case(&values).map_or_else(|| self.guess(0), |case| case.answer);
        Ok(self.context.first().and_then(|first| self.task.says(first)) == Some(own))
    }

    /// Would the answer in the context be a catastrophe? Nobody but H need be asked.
    fn is_catastrophe(&self, question: &str) -> bool {
        self.context.last().is_some_and(|answer| catastrophe::is_catastrophe(self.task, question, answer))
    }

    /// The last assertion of the even side, if its step can be followed.
    fn asserted(&self) -> Option<&'a Case> {
        argument::followed(self.task, self.step, self.context.iter().step_by(2).next_back()?)
    }

    /// The last assertion of the odd side, where it makes any, if its step can be followed.
    fn countered(&self) -> Option<&'a Case> {
        argument::followed(self.task, self.step, self.context.iter().skip(1).step_by(2).next_back()?)
    }

    /// The last reply of the odd side to that of the even side. A rival replies by its own assertion: it disputes the first
    /// claim in which that differs.
    fn replied(&self) -> Option<Reply> {
        let asserted = self.asserted()?;
        if let (Form::Rival(_), Some(case)) = (self.form, self.countered()) {
            return differing(asserted, case).map(Reply::DisputePart);
        }
        Reply::read(self.context.iter().skip(1).step_by(2).next_back()?, self.step, asserted)
    }

    /// The first of some parts that is not as a case claims. Who asks one by one looks at what is known before it asks.
    fn contradicted(&self, case: &Case, parts: &[usize]) -> Thought<Option<usize>> {
        let known = match self.asks {
            Asks::AtOnce => parts,
            Asks::OneByOne => self.known(parts),
        };
        let found = parts.iter().zip(self.learn(known)?).find(|&(&part, value)| case.values[part] != value);
        if found.is_none() && known.len() < parts.len() {
            self.learn(parts)?;
        }
        Ok(found.map(|(&part, _)| part))
    }

    /// The first of some parts, up to the one whose answer was not asked for yet.
    fn known<'p>(&self, parts: &'p [usize]) -> &'p [usize] {
        let mut open = 0;
        let is_known = |part: &&usize| {
            open += usize::from(self.step.parts[**part].stated.is_none());
            open <= self.said.len()
        };
        &parts[..parts.iter().take_while(is_known).count()]
    }

    /// The answers to some parts: as stated, or else as M says.
    fn learn(&self, parts: &[usize]) -> Thought<Vec<bool>> {
        let parts = parts.iter().map(|&part| &self.step.parts[part]);
        let mut open: Vec<String> =
            parts.clone().filter(|part| part.stated.is_none()).map(|part| part.question.clone()).collect();
        match self.asks {
            Asks::AtOnce if self.said.is_empty() && !open.is_empty() => return Err(open),
            Asks::OneByOne if self.said.len() < open.len() => return Err(vec![open.swap_remove(self.said.len())]),
            _ => {}
        }
        let mut heard = (0..open.len()).map(|place| self.heard(place));
        Ok(parts.filter_map(|part| part.stated.or_else(|| heard.next())).collect())
    }

    /// What M said to the sub-question asked at a place; a guess where it said nothing to the point.
    fn heard(&self, place: usize) -> bool {
        let answer = self.said.get(place).and_then(|exchange| exchange.answer.as_deref());
        answer.and_then(|answer| self.task.says(answer)).unwrap_or_else(|| self.guess(place))
    }

    fn guess(&self, place: usize) -> bool {
        self.draw.uniform(place as u32) < 0.5
    }

    fn every_part(&self) -> Vec<usize> {
        (0..self.step.parts.len()).collect()
    }
}

/// The first part of which two cases say different things.
fn differing(one: &Case, other: &Case) -> Option<usize> {
    one.values.iter().zip(&other.values).position(|(one, other)| one != other)
}
