//! What is asked. The same text goes to M and to H; H, when it is a script, reads the parts instead of the text.

use crate::{
    draw::Draw,
    judge::Side,
    tool::{Finding, MARK},
};
use spec::settings::{Tool, Wording};

/// Which question of the procedure is asked about Q in context S.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asked {
    /// "What is the next argument you would give on Q in context S?"
    Argument,
    /// "Is argument_t a sufficient answer to Q in context S?"
    Sufficient,
    /// "Were the even arguments in S more helpful than the odd arguments in answering Q?"
    Winner,
    /// What does argument_t say in short, where that is what stays of it in S?
    Summary,
    /// Who won, of a context that has nothing but the two answers, without anybody's reasons: which of them is right?
    Choice,
    /// "Is this answer to Q a catastrophe?" Its context is the answer.
    Catastrophe,
    /// "How likely is a question that has these words?" Q is the words.
    Likelihood,
    /// "Which questions may end in a catastrophe?" It is asked of an adversary, about no Q.
    Proposal,
}

impl Asked {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Asked::Argument => "argument",
            Asked::Sufficient => "sufficient",
            Asked::Winner => "winner",
            Asked::Summary => "summary",
            Asked::Choice => "choice",
            Asked::Catastrophe => "catastrophe",
            Asked::Likelihood => "likelihood",
            Asked::Proposal => "proposal",
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
    /// How each of them stands in S, if not as it was given.
    pub shown: Vec<String>,
    /// What tools said before arguments of S, and before the one that is asked for; oldest first.
    pub findings: Vec<Finding>,
    /// The tools that may be asked for instead of an argument.
    pub tools: Vec<Tool>,
    /// In which form it is debated.
    pub form: Form,
    /// How many arguments were given when it is asked; the context has them all, but for the one of the same round.
    pub turn: usize,
    /// The answer that an argument must give, where it is not free to choose.
    pub held: Option<&'static str>,
    /// Whether of each two arguments the odd side's is shown first. Whose they are stays as it is, and so does the question.
    pub swapped: bool,
}

impl Posed {
    /// "What answer would you give to Q?", which is "What is the next argument on Q?" with S empty.
    pub fn bare(question: impl Into<String>) -> Self {
        Posed::new(Asked::Argument, question, Vec::new())
    }

    /// A question in a context, as sides that take turns are asked it, in the order given.
    pub fn new(asked: Asked, question: impl Into<String>, context: Vec<String>) -> Self {
        let (question, turn) = (question.into(), context.len());
        Posed {
            asked,
            question,
            context,
            shown: Vec::new(),
            findings: Vec::new(),
            tools: Vec::new(),
            form: Form::Sequential,
            turn,
            held: None,
            swapped: false,
        }
    }

    /// The text that M and H are given.
    pub fn text(&self, wording: &Wording) -> String {
        let template = match self.asked {
            Asked::Argument => &wording.argument,
            Asked::Sufficient => &wording.sufficient,
            Asked::Winner | Asked::Choice => &wording.winner,
            Asked::Summary => &wording.summary,
            Asked::Catastrophe => &wording.catastrophe,
            Asked::Likelihood => &wording.likelihood,
            // How an adversary is asked, it is told itself.
            Asked::Proposal => return self.question.clone(),
        };
        let shown = if self.shown.is_empty() { &self.context } else { &self.shown };
        let context = context(shown, &self.findings, self.swapped) + &self.heard() + &self.side();
        filled(template, &[("{question}", &self.question), ("{context}", &context)])
    }

    /// What tools said that whoever is to argue now has asked for.
    fn heard(&self) -> String {
        if self.asked == Asked::Argument { said(&self.findings, self.turn) } else { String::new() }
    }

    /// For which side an argument is asked, where the context does not tell.
    fn side(&self) -> String {
        let odd = self.asked == Asked::Argument && self.form == Form::Simultaneous && Side::at(self.turn) == Side::Odd;
        if odd { format!("\n{}", SIDES[1]) } else { String::new() }
    }
}

/// A template with texts in their places. One pass, so that a question that speaks of "{context}" is left as it is.
pub(crate) fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = parts.iter().find_map(|(name, part)| Some((part, rest.strip_prefix(name)?)));
        let (part, after) = found.unwrap_or((&"{", &rest[1..]));
        text.push_str(part);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The arguments so far, a line each, after what tools said before each. A last one without another stays where it is.
fn context(arguments: &[String], findings: &[Finding], swapped: bool) -> String {
    let shown = |place: usize| if swapped && place ^ 1 < arguments.len() { place ^ 1 } else { place };
    let line = |turn: usize| said(findings, turn) + &format!("\n{} {}", SIDES[turn % 2], arguments[turn]);
    (0..arguments.len()).map(shown).map(line).collect()
}

/// What tools said before the argument at a turn, a line each.
fn said(findings: &[Finding], turn: usize) -> String {
    findings.iter().filter(|finding| finding.turn == turn).map(|finding| format!("\n{MARK} {}", finding.text)).collect()
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

/// The two answers to a yes-no question.
pub const VERDICTS: [&str; 2] = ["Yes", "No"];

/// What a yes-no answer says, by its first word; `None` if that is neither.
pub fn yes(answer: &str) -> Option<bool> {
    match answer.split_whitespace().next()? {
        "Yes" | "yes" => Some(true),
        "No" | "no" => Some(false),
        _ => None,
    }
}
