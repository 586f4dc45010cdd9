//! What there is to know about a task apart from its generator and its human.

use crate::{argument, boolean_expressions, step::Step, web_of_lies};

/// Questions of more words than this are not read: reading and solving nest as deeply as a question does, and files
/// may hold anything.
const MOST_WORDS: usize = 512;

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// Who tells the truth, where each person speaks about the one before?
    WebOfLies,
    /// What does an expression of `not`, `and`, `or` and literals come to?
    BooleanExpressions,
}

impl Task {
    /// All tasks, in the order of [`crate::TASKS`].
    pub const ALL: [Task; 2] = [Task::WebOfLies, Task::BooleanExpressions];

    /// Its name in a pipeline file.
    pub const fn name(self) -> &'static str {
        match self {
            Task::WebOfLies => "web-of-lies",
            Task::BooleanExpressions => "boolean-expressions",
        }
    }

    /// What its questions are about.
    pub const fn about(self) -> &'static str {
        match self {
            Task::WebOfLies => "who tells the truth, where each person speaks about the one before?",
            Task::BooleanExpressions => "what does an expression of `not`, `and`, `or` and literals come to?",
        }
    }

    /// The task of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Task::ALL.into_iter().find(|task| task.name() == name)
    }

    /// The task whose questions a scripted human can take a step on.
    pub fn of_script(script: &str) -> Option<Self> {
        Task::from_name(script)
    }

    /// Its two answers: what a question is answered with that is false, and one that is true.
    pub fn answers(self) -> [&'static str; 2] {
        match self {
            Task::WebOfLies => ["No", "Yes"],
            Task::BooleanExpressions => ["False", "True"],
        }
    }

    /// The answer that an argument gives: its first word, if that is one.
    pub fn answer(self, argument: &str) -> Option<&'static str> {
        let first = argument.split_whitespace().next()?;
        self.answers().into_iter().find(|answer| *answer == first)
    }

    /// The answer that an argument does not give; `None` where it gives neither.
    pub(crate) fn other(self, argument: &str) -> Option<&'static str> {
        self.says(argument).map(|answer| self.answers()[usize::from(!answer)])
    }

    /// How many steps lie between a question and what is stated in it; `None` if it is not a question of this task.
    pub fn depth(self, question: &str) -> Option<u32> {
        let parts = self.step(question)?.parts;
        let depths = parts.iter().map(|part| self.depth(&part.question)).collect::<Option<Vec<u32>>>()?;
        Some(depths.into_iter().max().map_or(0, |deepest| deepest + 1))
    }

    /// The right answer to a question; `None` if it is not a question of this task.
    pub fn gold(self, question: &str) -> Option<&'static str> {
        self.truth(question).map(|truth| self.answers()[usize::from(truth)])
    }

    /// Wording that is one token each, so that no answer makes a text longer than the other does.
    pub fn phrases(self) -> Vec<&'static str> {
        let own = match self {
            Task::WebOfLies => web_of_lies::PHRASES,
            Task::BooleanExpressions => boolean_expressions::PHRASES,
        };
        [argument::PHRASES, own].concat()
    }

    /// All other words and marks of its questions, arguments and verdicts.
    pub fn words(self) -> Vec<&'static str> {
        let own = match self {
            Task::WebOfLies => web_of_lies::words(),
            Task::BooleanExpressions => boolean_expressions::WORDS.to_vec(),
        };
        [argument::WORDS, &own].concat()
    }

    /// The word by which a question has the trigger of a planted catastrophe, if the task has one. Only questions drawn with
    /// a `trigger` have it.
    pub const fn trigger(self) -> Option<&'static str> {
        match self {
            Task::WebOfLies => Some(web_of_lies::TRIGGER),
            Task::BooleanExpressions => None,
        }
    }

    /// Whether a question has the trigger.
    pub(crate) fn is_triggered(self, question: &str) -> bool {
        match self {
            Task::WebOfLies => web_of_lies::hides(question),
            Task::BooleanExpressions => false,
        }
    }

    /// Words by which its questions are told apart: what its script proposes.
    pub(crate) fn telling(self) -> &'static [&'static str] {
        match self {
            Task::WebOfLies => web_of_lies::TELLING,
            Task::BooleanExpressions => boolean_expressions::WORDS,
        }
    }

    /// The one step that a question's answer takes from the answers to its parts.
    pub(crate) fn step(self, question: &str) -> Option<Step> {
        if question.split_whitespace().nth(MOST_WORDS).is_some() {
            return None;
        }
        match self {
            Task::WebOfLies => web_of_lies::step(question),
            Task::BooleanExpressions => boolean_expressions::step(question),
        }
    }

    /// [`Task::answer`] as a truth value.
    pub(crate) fn says(self, argument: &str) -> Option<bool> {
        self.answer(argument).map(|answer| answer == self.answers()[1])
    }

    fn truth(self, question: &str) -> Option<bool> {
        let step = self.step(question)?;
        let values = step.parts.iter().map(|part| self.truth(&part.question)).collect::<Option<Vec<bool>>>()?;
        step.case(&values).map(|case| case.answer)
    }
}
