//! Amp(H, M) and its approximation Amp≈(H, M), over a wave of questions.
//!
//! M answers every question of the wave in one call, always; Samp keeps each answer or calls H. The questions that H
//! took then go forward together: each round gathers the sub-questions of all of them into one more call to M.

use crate::{
    answerer::{Answer, Answerer, AnswererError, Prompt},
    draw::Draw,
    human::{Exchange, Human, Move},
    question::Posed,
    samp::{Samp, calls_human},
};
use rayon::prelude::*;
use spec::settings::Wording;

/// H may consult M in this many rounds; a human who has not answered by then never will.
const MOST_ROUNDS: usize = 64;

/// So many questions are worth a thread of their own.
const FEWEST: usize = 16;

/// Amp≈(H, M) with everything but M, which changes from batch to batch.
pub struct Approx<'a> {
    /// H.
    pub human: &'a dyn Human,
    /// Samp.
    pub samp: Samp<'a>,
    /// How questions are worded to M and H alike.
    pub wording: &'a Wording,
}

/// One question of a wave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The question.
    pub posed: Posed,
    /// The address of all randomness of its answer.
    pub draw: Draw,
}

impl Open {
    /// As it is put to M, whose randomness is at an address.
    pub fn prompt(&self, wording: &Wording, draw: Draw) -> Prompt {
        Prompt { text: self.posed.text(wording), begin: self.posed.held.map(str::to_owned), draw }
    }
}

/// M's answer to one sub-question of H.
#[derive(Debug, Clone, PartialEq)]
pub struct SubAnswer {
    /// The bare question that H asked, as it was put to M.
    pub prompt: String,
    /// What M said.
    pub answer: Answer,
}

/// What H said, and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanAnswer {
    /// H's answer.
    pub text: String,
    /// The sub-questions H asked, in order, with M's answers.
    pub calls: Vec<SubAnswer>,
}

/// An answer of Amp≈(H, M), with how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Amplified {
    /// The text that was put to M and H.
    pub prompt: String,
    /// M's own answer, given first.
    pub first: Answer,
    /// Its further answers, where Samp looks at them.
    pub again: Vec<Answer>,
    /// The probability that H was called.
    pub propensity: f64,
    /// H's answer, where H was called: it overrides M's.
    pub human: Option<HumanAnswer>,
}

impl Amplified {
    /// The answer that counts.
    pub fn text(&self) -> &str {
        self.human.as_ref().map_or(&self.first.text, |human| &human.text)
    }
}

/// Why a wave could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum WaveError {
    /// M failed.
    #[error("the model could not answer")]
    Answerer(#[source] AnswererError),
    /// M broke its promise of one answer for each prompt.
    #[error("the model gave {got} answers to {asked} questions")]
    Count {
        /// Prompts of the wave.
        asked: usize,
        /// Answers.
        got: usize,
    },
    /// H asks on and on.
    #[error("the human asked more than {MOST_ROUNDS} rounds of sub-questions on {question:?} without answering")]
    Endless {
        /// Q.
        question: String,
    },
}

impl Approx<'_> {
    /// Answers a wave: in one call to M, and one more for each round of sub-questions.
    pub fn answer(&self, m: &mut dyn Answerer, wave: &[Open]) -> Result<Vec<Amplified>, WaveError> {
        let (wording, samples) = (self.wording, self.samp.rule.samples());
        let prompt = |open: &Open| open.prompt(wording, open.draw.named("first"));
        let mut prompts: Vec<Prompt> = wave.par_iter().with_min_len(FEWEST).map(prompt).collect();
        prompts.extend(prompts_again(wave, &prompts, samples));
        let mut answers = call(m, &prompts)?.into_iter();
        let firsts: Vec<Answer> = answers.by_ref().take(wave.len()).collect();
        let again: Vec<Vec<Answer>> = wave.iter().map(|_| answers.by_ref().take(samples).collect()).collect();
        let propensities = self.samp.propensities(&firsts, &again);
        let humans = self.humans(m, wave, &propensities)?;
        let parts = prompts.into_iter().zip(firsts).zip(again).zip(propensities).zip(humans);
        let amplified = |((((prompt, first), again), propensity), human): ((((Prompt, _), _), _), _)| Amplified {
            prompt: prompt.text,
            first,
            again,
            propensity,
            human,
        };
        Ok(parts.map(amplified).collect())
    }

    /// H's answers, where the draw calls H.
    fn humans(
        &self,
        m: &mut dyn Answerer,
        wave: &[Open],
        propensities: &[f64],
    ) -> Result<Vec<Option<HumanAnswer>>, WaveError> {
        let taken: Vec<usize> = (0..wave.len()).filter(|&i| calls_human(propensities[i], wave[i].draw)).collect();
        let asked: Vec<Open> = taken.iter().map(|&i| wave[i].clone()).collect();
        let mut humans = vec![None; wave.len()];
        for (i, human) in taken.into_iter().zip(amplify(self.human, Some(m), self.wording, &asked)?) {
            humans[i] = Some(human);
        }
        Ok(humans)
    }
}

/// The same questions once more, so many times each, at addresses of their own.
fn prompts_again(wave: &[Open], firsts: &[Prompt], samples: usize) -> Vec<Prompt> {
    let once = |open: &Open, first: &Prompt, sample: usize| Prompt {
        draw: open.draw.named("again").at(sample as u64),
        ..first.clone()
    };
    let asked = wave.iter().zip(firsts);
    asked.flat_map(|(open, first)| (0..samples).map(move |sample| once(open, first, sample))).collect()
}

/// Amp(H, M): H answers every question of the wave, consulting M in rounds. Without an M, H is alone.
pub fn amplify(
    human: &dyn Human,
    m: Option<&mut dyn Answerer>,
    wording: &Wording,
    wave: &[Open],
) -> Result<Vec<HumanAnswer>, WaveError> {
    let Some(m) = m else { return consult(human, wave, &mut |asked| Ok(vec![None; asked.len()])) };
    let mut answer = |asked: &[(usize, Open)]| {
        let prompt = |(_, open): &(usize, Open)| open.prompt(wording, open.draw);
        let prompts: Vec<Prompt> = asked.iter().map(prompt).collect();
        let answers = call(m, &prompts)?;
        let said = prompts.into_iter().zip(answers);
        Ok(said.map(|(prompt, answer)| Some(SubAnswer { prompt: prompt.text, answer })).collect())
    };
    consult(human, wave, &mut answer)
}

/// Answers the sub-questions of a round, each with the place of the one in the wave on whose behalf H asks it; `None`
/// where H has nobody to ask.
pub(crate) type Consulted<'c> = dyn FnMut(&[(usize, Open)]) -> Result<Vec<Option<SubAnswer>>, WaveError> + 'c;

/// H answers every question of the wave, and in rounds consults whoever answers sub-questions.
pub(crate) fn consult(
    human: &dyn Human,
    wave: &[Open],
    consulted: &mut Consulted<'_>,
) -> Result<Vec<HumanAnswer>, WaveError> {
    let mut answers: Vec<Option<HumanAnswer>> = vec![None; wave.len()];
    let mut said: Vec<Vec<Exchange>> = vec![Vec::new(); wave.len()];
    let mut calls: Vec<Vec<SubAnswer>> = vec![Vec::new(); wave.len()];
    for _ in 0..MOST_ROUNDS {
        let mut asked: Vec<(usize, String)> = Vec::new();
        let unanswered: Vec<usize> = (0..wave.len()).filter(|&i| answers[i].is_none()).collect();
        let next = |&i: &usize| human.next(&wave[i].posed, &said[i], wave[i].draw.named("human"));
        let moves: Vec<Move> = unanswered.par_iter().with_min_len(FEWEST).map(next).collect();
        for (i, next) in unanswered.into_iter().zip(moves) {
            match next {
                Move::Answer(text) => answers[i] = Some(HumanAnswer { text, calls: std::mem::take(&mut calls[i]) }),
                Move::Ask(questions) => asked.extend(questions.into_iter().map(|question| (i, question))),
            }
        }
        if answers.iter().all(Option::is_some) {
            return Ok(answers.into_iter().flatten().collect());
        }
        let round = sub_questions(wave, &said, asked);
        let heard = consulted(&round)?;
        for ((i, open), heard) in round.into_iter().zip(heard) {
            let answer = heard.as_ref().map(|sub| sub.answer.text.clone());
            said[i].push(Exchange { question: open.posed.question, answer });
            calls[i].extend(heard);
        }
    }
    let stuck = answers.iter().position(Option::is_none).map(|i| wave[i].posed.question.clone());
    Err(WaveError::Endless { question: stuck.unwrap_or_default() })
}

/// The sub-questions of a round, put as bare questions, each at an address of its own: its place among its question's.
fn sub_questions(wave: &[Open], said: &[Vec<Exchange>], asked: Vec<(usize, String)>) -> Vec<(usize, Open)> {
    let mut place: Vec<usize> = said.iter().map(Vec::len).collect();
    let mut open = |(i, question): (usize, String)| {
        let draw = wave[i].draw.named("sub").at(place[i] as u64);
        place[i] += 1;
        (i, Open { posed: Posed::bare(question), draw })
    };
    asked.into_iter().map(&mut open).collect()
}

/// One call to M, unless there is nothing to ask.
pub(crate) fn call(m: &mut dyn Answerer, prompts: &[Prompt]) -> Result<Vec<Answer>, WaveError> {
    if prompts.is_empty() {
        return Ok(Vec::new());
    }
    let answers = m.answer(prompts).map_err(WaveError::Answerer)?;
    if answers.len() == prompts.len() {
        Ok(answers)
    } else {
        Err(WaveError::Count { asked: prompts.len(), got: answers.len() })
    }
}
