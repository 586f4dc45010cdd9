//! H′: a model that has learnt H's own moves, and stands in for H (Christiano, Shlegeris and Amodei, "Supervising strong
//! learners by amplifying weak experts", arXiv:1810.08575, section 2.2).
//!
//! It is given a question and what M has said so far, as text, and says what H would do next: ask M something, or answer.
//! A share of the questions goes to H all the same, so that there is something to learn from; there H′ is asked too, what
//! it would have done, which tells how often it is right.

use crate::{
    amplify::{HumanAnswer, WaveError, call},
    answerer::{Answer, Answerer, Prompt, Sampled},
    draw::Draw,
    human::{Exchange, Move},
    question::same,
};
use std::cell::RefCell;

/// What comes before each question that H asks.
pub const ASKS: &str = "H asks:";
/// What comes before M's answer to it.
pub const SAYS: &str = "M says:";
/// What comes before H's answer.
pub const ANSWERS: &str = "H answers:";

/// H′ in one batch.
#[derive(Clone, Copy)]
pub struct Understudy<'a> {
    /// The model. It gives the likeliest words.
    pub model: &'a RefCell<dyn Answerer + 'a>,
    /// The share of questions that H answers itself, by one seeded draw each; `None` where there is no H, who otherwise goes
    /// on where H′ has no room.
    pub share: Option<f64>,
}

/// One move on a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What was done.
    pub next: Move,
    /// Whether H itself did it.
    pub real: bool,
    /// What H′ was given, and what it said; `None` where nobody stands in for H, or what was heard so far does not fit in
    /// its context.
    pub own: Option<(String, Answer)>,
}

impl Step {
    /// A move of H, where nobody stands in for it.
    pub(crate) fn of_human(next: Move) -> Self {
        Step { next, real: true, own: None }
    }

    /// The move of H, where it made one, beside what H′ said of a prompt; otherwise what that comes to: where there was no
    /// room to say anything, an empty answer.
    fn of_either(prompt: &str, own: Option<Answer>, next: Option<Move>, hears: bool) -> Self {
        let real = next.is_some();
        let next = next.unwrap_or_else(|| understood(own.as_ref().map_or("", |own| &own.text), hears));
        Step { next, real, own: own.map(|own| (prompt.to_owned(), own)) }
    }

    /// Whether H′ would have done what H did; `None` where H did nothing, or H′ was not asked.
    pub fn agrees(&self) -> Option<bool> {
        let (_, own) = self.own.as_ref().filter(|_| self.real)?;
        Some(same(&own.text, &in_words(&self.next)))
    }
}

impl Understudy<'_> {
    /// The next moves on questions, each given as H′ reads it, with the question's randomness; in one call to H′. `human`
    /// makes the moves of H on some of them. Who asks where it hears nothing any more has said its last word.
    pub(crate) fn steps(
        &self,
        asked: &[(String, Draw)],
        hears: bool,
        human: &dyn Fn(&[usize]) -> Vec<Move>,
    ) -> Result<Vec<Step>, WaveError> {
        let own = self.own(asked)?;
        let is_real =
            |place: usize| self.share.is_some_and(|share| own[place].is_none() || is_drawn(share, asked[place].1));
        let real: Vec<usize> = (0..asked.len()).filter(|&place| is_real(place)).collect();
        let mut moves = vec![None; asked.len()];
        for (&place, next) in real.iter().zip(human(&real)) {
            moves[place] = Some(next);
        }
        let steps = own.into_iter().zip(moves).zip(asked);
        Ok(steps.map(|((own, next), (prompt, _))| Step::of_either(prompt, own, next, hears)).collect())
    }

    /// What H′ says where there is room for that.
    fn own(&self, asked: &[(String, Draw)]) -> Result<Vec<Option<Answer>>, WaveError> {
        let mut model = self.model.borrow_mut();
        let prompt =
            |(text, draw): &(String, Draw)| Prompt { text: text.clone(), begin: None, draw: draw.named("understudy") };
        let prompts: Vec<Prompt> = asked.iter().map(prompt).collect();
        let fitting: Vec<usize> = (0..prompts.len()).filter(|&place| model.fits(&prompts[place])).collect();
        let wave: Vec<Prompt> = fitting.iter().map(|&place| prompts[place].clone()).collect();
        let mut own = vec![None; asked.len()];
        for (place, answer) in fitting.into_iter().zip(call(&mut *model, &wave)?) {
            own[place] = Some(answer);
        }
        Ok(own)
    }
}

/// One seeded draw for each question. The uniform number lies strictly between 0 and 1, so 1 is always and 0 never.
fn is_drawn(share: f64, draw: Draw) -> bool {
    draw.named("real").uniform(0) < share
}

/// What was asked and heard so far, as it follows the question.
pub fn heard(said: &[Exchange]) -> String {
    let exchange = |Exchange { question, answer }: &Exchange| {
        format!("\n{ASKS} {question}\n{SAYS} {}", answer.as_deref().unwrap_or_default())
    };
    said.iter().map(exchange).collect()
}

/// A move in the words in which H′ says it.
pub fn in_words(next: &Move) -> String {
    match next {
        Move::Answer(text) => format!("{ANSWERS} {text}"),
        Move::Ask(questions) => {
            questions.iter().map(|question| format!("{ASKS} {question}")).collect::<Vec<_>>().join("\n")
        }
    }
}

/// The move that words of H′ are. What is neither a question nor an answer, as from one who has not learnt to say so,
/// counts as its answer; so does a question where nothing is heard any more.
pub fn understood(said: &str, hears: bool) -> Move {
    let said = said.trim();
    if let Some(answer) = said.strip_prefix(ANSWERS) {
        return Move::Answer(answer.trim().to_owned());
    }
    let questions = said.strip_prefix(ASKS).filter(|_| hears).into_iter().flat_map(|asked| asked.split(ASKS));
    let questions: Vec<String> = questions.map(|question| question.trim().to_owned()).collect();
    if questions.is_empty() || questions.iter().any(String::is_empty) {
        return Move::Answer(said.to_owned());
    }
    Move::Ask(questions)
}

impl HumanAnswer {
    /// Notes a move on the way to it.
    pub(crate) fn take(&mut self, step: Step) {
        self.real |= step.real;
        self.steps.extend(step.own.is_some().then_some(step));
    }

    /// Where the answer is of H′: what it was given as it gave it, and what it said before the answer itself.
    pub fn of_understudy(&self) -> Option<(&Sampled, &'static str)> {
        let last = self.steps.last().filter(|step| !step.real && matches!(step.next, Move::Answer(_)));
        let (_, own) = last?.own.as_ref()?;
        let before = if own.text.trim_start().starts_with(ANSWERS) { ANSWERS } else { "" };
        Some((&own.sampled, before))
    }
}
