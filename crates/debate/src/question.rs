//! What is asked. The same text goes to M and to H; H, when it is a script, reads the parts instead of the text.

use crate::{draw::Draw, judge::Side};
use spec::settings::Wording;

/// Which question of the procedure is asked about Q in context S.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asked {
    /// "What is the next argument you would give on Q in context S?"
    Argument,
    /// "Is argument_t a sufficient answer to Q in context S?"
    Sufficient,
    /// "Were the even arguments in S more helpful than the odd arguments in answering Q?"
    Winner,
    /// The same of a context that has nothing but the two answers, without anybody's reasons: which of them is right?
    Choice,
}

impl Asked {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Asked::Argument => "argument",
            Asked::Sufficient => "sufficient",
            Asked::Winner => "winner",
            Asked::Choice => "choice",
        }
    }
}

/// In which form a question is debated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The sides take turns. The even side gives an answer, and the odd side says what it makes of that.
    #[default]
    Sequential,
    /// Each side gives its t-th argument without having seen the other's, and both give answers (Irving et al. 2018).
    Simultaneous,
    /// The sides take turns and argue for different ones of these two answers, of which the first argument chooses: fixed
    /// opposing answers (Khan et al. 2024), as in the precommitted debates of Irving et al. (2018).
    Rival([&'static str; 2]),
}

impl Form {
    /// How many arguments are given at a time.
    pub fn round(self) -> usize {
        if self == Form::Simultaneous { 2 } else { 1 }
    }

    /// The answer that the next argument must give, where it is not free to choose. Against a first argument that gives
    /// neither answer, one is drawn.
    pub fn held(self, arguments: &[String], draw: Draw) -> Option<&'static str> {
        let Form::Rival(answers) = self else { return None };
        let given = given(arguments.first()?, answers).unwrap_or_else(|| draw.named("rival").below(0, 2));
        Some(answers[if arguments.len().is_multiple_of(2) { given } else { 1 - given }])
    }
}

/// A question as it is put: which of them, on which Q, in context of which arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posed {
    /// Which question.
    pub asked: Asked,
    /// Q.
    pub question: String,
    /// The arguments of S, oldest first: those at even places are one side's, those at odd places the other's.
    pub context: Vec<String>,
    /// In which form it is debated.
    pub form: Form,
    /// How many arguments were given when it is asked; the context has them all, but for the one of the same round.
    pub turn: usize,
    /// The answer that an argument must give, where it is not free to choose.
    pub held: Option<&'static str>,
}

impl Posed {
    /// "What answer would you give to Q?", which is "What is the next argument on Q?" with S empty.
    pub fn bare(question: impl Into<String>) -> Self {
        Posed::new(Asked::Argument, question, Vec::new())
    }

    /// A question in a context, as sides that take turns are asked it.
    pub fn new(asked: Asked, question: impl Into<String>, context: Vec<String>) -> Self {
        let (question, turn) = (question.into(), context.len());
        Posed { asked, question, context, form: Form::Sequential, turn, held: None }
    }

    /// The text that M and H are given.
    pub fn text(&self, wording: &Wording) -> String {
        let template = match self.asked {
            Asked::Argument => &wording.argument,
            Asked::Sufficient => &wording.sufficient,
            Asked::Winner | Asked::Choice => &wording.winner,
        };
        // One pass, so that a question that speaks of "{context}" is left as it is.
        let mut text = String::new();
        let mut rest = template.as_str();
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{question}") {
                text.push_str(&self.question);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("{context}") {
                text.push_str(&context(&self.context));
                text.push_str(&self.side());
                rest = after;
            } else {
                text.push('{');
                rest = &rest[1..];
            }
        }
        text.push_str(rest);
        text
    }

    /// For which side an argument is asked, where the context does not tell.
    fn side(&self) -> String {
        let odd = self.asked == Asked::Argument && self.form == Form::Simultaneous && Side::at(self.turn) == Side::Odd;
        if odd { format!("\n{}", SIDES[1]) } else { String::new() }
    }
}

/// The arguments so far, a line each.
fn context(arguments: &[String]) -> String {
    let line = |(turn, argument): (usize, &String)| format!("\n{} {argument}", SIDES[turn % 2]);
    arguments.iter().enumerate().map(line).collect()
}

/// How a side's arguments are marked in a context: even, odd.
pub const SIDES: [&str; 2] = ["Even:", "Odd:"];

/// What an argument answers: what it says before it says why.
pub fn stated(argument: &str) -> &str {
    argument.split(" because ").next().unwrap_or(argument)
}

/// Which of two answers an argument begins with, word by word.
pub fn given(argument: &str, answers: [&str; 2]) -> Option<usize> {
    let begins = |answer: &&str| {
        let mut words = argument.split_whitespace();
        answer.split_whitespace().all(|word| words.next() == Some(word))
    };
    answers.iter().position(begins)
}

/// Whether two texts are the same. Spaces do not count: M writes word by word, marks apart.
pub fn same(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.split_whitespace().collect::<String>();
    letters(one) == letters(other)
}

/// Whether two arguments answer the same, whatever they say of why.
pub fn agree(one: &str, other: &str) -> bool {
    same(stated(one), stated(other))
}

/// What a yes-no answer says, by its first word; `None` if that is neither.
pub fn yes(answer: &str) -> Option<bool> {
    match answer.split_whitespace().next()? {
        "Yes" | "yes" => Some(true),
        "No" | "no" => Some(false),
        _ => None,
    }
}
