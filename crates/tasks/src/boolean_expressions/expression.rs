//! Boolean expressions as trees: reading and writing them.

use super::word;
use std::{fmt, iter::Peekable, str::SplitWhitespace};

/// An expression. Operators of one precedence group to the left, so the top is the last of those that bind least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `True`, `False`
    Literal(bool),
    /// `( x )`
    Parenthesised(Box<Expression>),
    /// `not x`
    Not(Box<Expression>),
    /// `x and y`, `x or y`
    Binary(Operator, Box<Expression>, Box<Expression>),
}

/// An operator of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// `or`
    Or,
    /// `and`
    And,
}

impl Operator {
    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
        }
    }

    /// Its truth table.
    pub fn apply(self, left: bool, right: bool) -> bool {
        match self {
            Operator::Or => left || right,
            Operator::And => left && right,
        }
    }
}

impl Expression {
    /// Reads an expression; `None` if the text is not one.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().peekable();
        let expression = disjunction(&mut words)?;
        words.next().is_none().then_some(expression)
    }

    /// The expression without parentheses around the whole of it.
    pub fn bare(&self) -> &Expression {
        match self {
            Expression::Parenthesised(inner) => inner.bare(),
            bare => bare,
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Literal(value) => f.write_str(word(*value)),
            Expression::Parenthesised(inner) => write!(f, "( {inner} )"),
            Expression::Not(inner) => write!(f, "not {inner}"),
            Expression::Binary(operator, left, right) => write!(f, "{left} {} {right}", operator.word()),
        }
    }
}

type Words<'a> = Peekable<SplitWhitespace<'a>>;

fn disjunction(words: &mut Words<'_>) -> Option<Expression> {
    chain(words, Operator::Or, conjunction)
}

fn conjunction(words: &mut Words<'_>) -> Option<Expression> {
    chain(words, Operator::And, negation)
}

/// Operands with an operator between them, grouped to the left.
fn chain(
    words: &mut Words<'_>,
    operator: Operator,
    operand: fn(&mut Words<'_>) -> Option<Expression>,
) -> Option<Expression> {
    let mut left = operand(words)?;
    while words.next_if_eq(&operator.word()).is_some() {
        left = Expression::Binary(operator, Box::new(left), Box::new(operand(words)?));
    }
    Some(left)
}

fn negation(words: &mut Words<'_>) -> Option<Expression> {
    match words.next()? {
        "not" => Some(Expression::Not(Box::new(negation(words)?))),
        "True" => Some(Expression::Literal(true)),
        "False" => Some(Expression::Literal(false)),
        "(" => {
            let inner = disjunction(words)?;
            words.next_if_eq(&")").map(|_| Expression::Parenthesised(Box::new(inner)))
        }
        _ => None,
    }
}
