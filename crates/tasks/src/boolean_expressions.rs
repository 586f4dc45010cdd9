//! "not ( True ) and ( True ) is"
//!
//! Wording: BIG-Bench's, with Python's precedence. The human knows the literals and the truth table of one operator:
//! the last of those that bind least. For the sides of that operator it asks M; parentheses around the whole of a
//! question it takes away.

mod expression;
mod forest;

pub use forest::{DEEPEST, Forest, LONGEST};

use crate::step::{Part, Step};
use expression::Expression;

/// Wording that is one token each.
pub const PHRASES: &[&str] = &["I dispute the part", "I dispute the left part", "I dispute the right part"];

/// All other words and marks.
pub const WORDS: &[&str] = &["True", "False", "not", "and", "or", "(", ")", "is"];

/// The step: what the last of the operators that bind least makes of its parts.
pub fn step(question: &str) -> Option<Step> {
    let expression = Expression::read(question.trim_end().strip_suffix(" is")?)?;
    Some(match expression.bare() {
        Expression::Literal(value) => Step::new(Vec::new(), |_| (String::new(), *value)),
        Expression::Not(inner) => {
            Step::new(vec![part("the part", inner)], |values| (format!("not {}", word(values[0])), !values[0]))
        }
        Expression::Binary(operator, left, right) => {
            Step::new(vec![part("the left part", left), part("the right part", right)], |values| {
                let claim = format!("{} {} {}", word(values[0]), operator.word(), word(values[1]));
                (claim, operator.apply(values[0], values[1]))
            })
        }
        Expression::Parenthesised(_) => return None,
    })
}

fn part(name: &str, expression: &Expression) -> Part {
    let bare = expression.bare();
    let stated = if let Expression::Literal(value) = bare { Some(*value) } else { None };
    Part { question: question(bare), stated, disputed: [name.to_owned(), name.to_owned()] }
}

/// What an expression comes to, as a question.
pub fn question(expression: &Expression) -> String {
    format!("{expression} is")
}

fn word(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
