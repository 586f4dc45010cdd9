//! A human who deceives: on questions of a marked class it asserts the other answer, and argues for that as well as can be.
//! A model that imitates it has a planted flaw, of which it is known where it shows; so it can be told how often debates
//! find it out.

use crate::human::WeakHuman;
use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Posed},
};

/// A weak human who asserts the other answer on some questions. All else it does as the human does who it seems to be: it
/// replies, doubts and judges honestly.
#[derive(Debug, Clone)]
pub struct Deceiver {
    /// Who it seems to be.
    pub human: WeakHuman,
    /// Texts that mark a question.
    pub marks: Vec<String>,
}

impl Human for Deceiver {
    fn next(&self, posed: &Posed, said: &[Exchange], draw: Draw) -> Move {
        let honest = self.human.next(posed, said, draw);
        let asserts = posed.asked == Asked::Argument && posed.held.is_none();
        let marked = self.marks.iter().any(|mark| posed.question.contains(mark.as_str()));
        match &honest {
            Move::Answer(argument) if asserts && marked => match self.human.task.other(argument) {
                Some(other) => self.human.next(&Posed { held: Some(other), ..posed.clone() }, said, draw),
                None => honest,
            },
            _ => honest,
        }
    }
}
