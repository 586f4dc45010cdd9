//! Amp≈(H, M), the approximation of Amp(H, M), over a wave of questions.
//!
//! M answers every question of the wave in one call, always; Samp keeps each answer or calls H. The questions that H
//! took then go forward together: each round gathers the sub-questions of all of them into one more call to M.

use crate::{
    answerer::{Answer, Answerer, AnswererError, Prompt},
    choice::{drawn, probability_of_first},
    consult::{Amp, FEWEST, MOST_ROUNDS},
    draw::Draw,
    human::Exchange,
    question::Posed,
    samp::{Samp, calls_human},
    understudy::{Step, heard},
};
use rayon::prelude::*;
use spec::settings::Wording;

/// Amp≈(H, M) with everything but M, which changes from batch to batch.
pub struct Approx<'a> {
    /// What is approximated.
    pub amp: Amp<'a>,
    /// Samp.
    pub samp: Samp<'a>,
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

/// The answer to one sub-question of H, or Adv's to what it was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct SubAnswer {
    /// The question as it was put: for M, the bare one that H asked.
    pub prompt: String,
    /// What was said; nobody sampled the words of H.
    pub answer: Answer,
    /// The same with what it rests on, where H answered it.
    pub human: Option<HumanAnswer>,
    /// Whether it is the answer to a question that was asked before in the wave, and only heard again.
    pub repeated: bool,
}

impl SubAnswer {
    /// Of a model.
    pub fn of_model(prompt: String, answer: Answer) -> Self {
        SubAnswer { prompt, answer, human: None, repeated: false }
    }

    /// Of H.
    pub fn of_human(prompt: String, human: HumanAnswer, repeated: bool) -> Self {
        let answer = Answer { text: human.text.clone(), ..Answer::default() };
        SubAnswer { prompt, answer, human: Some(human), repeated }
    }
}

/// What H said, and what it rests on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HumanAnswer {
    /// H's answer.
    pub text: String,
    /// The sub-questions H asked that somebody answered, in order, with the answers.
    pub calls: Vec<SubAnswer>,
    /// The moves on the way to it, where somebody stands in for H and was asked for them.
    pub steps: Vec<Step>,
    /// Whether H itself made any of the moves; otherwise H′ made all.
    pub real: bool,
    /// The log-probabilities that H′ gives all tokens where each of its answer's stands, `[tokens, vocabulary]` row by row;
    /// `None` where H answered, or nobody asked for them.
    pub distribution: Option<Vec<f32>>,
}

impl HumanAnswer {
    /// Of H itself, for whom nobody stands in.
    pub fn new(text: impl Into<String>, calls: Vec<SubAnswer>) -> Self {
        HumanAnswer { text: text.into(), calls, real: true, ..HumanAnswer::default() }
    }
}

/// An answer of Amp≈(H, M), with how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Amplified {
    /// The text that was put to M and H.
    pub prompt: String,
    /// M's own answer, given first.
    pub first: Answer,
    /// What Adv was asked of that, and said, where Samp goes by it.
    pub predicted: Option<SubAnswer>,
    /// Its further answers, where Samp looks at them.
    pub again: Vec<Answer>,
    /// The probability that H was called.
    pub propensity: f64,
    /// H's answer, where H was called: it overrides M's.
    pub human: Option<HumanAnswer>,
}

impl Amplified {
    /// What H asked on the way to it, and what it heard, a line each; empty where M's answer counts.
    pub fn trace(&self) -> String {
        let exchange = |SubAnswer { prompt, answer, .. }: &SubAnswer| Exchange {
            question: prompt.clone(),
            answer: Some(answer.text.clone()),
        };
        let said = self.human.iter().flat_map(|human| &human.calls).map(exchange);
        heard(&said.collect::<Vec<_>>())
    }

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
    /// Answers a wave: in one call to M, one to Adv where Samp goes by it, and one more to M for each round of
    /// sub-questions.
    pub fn answer(&self, m: &mut dyn Answerer, wave: &[Open]) -> Result<Vec<Amplified>, WaveError> {
        let (wording, samples) = (self.amp.wording, self.samp.rule.samples());
        let prompt = |open: &Open| open.prompt(wording, open.draw.named("first"));
        let mut prompts: Vec<Prompt> = wave.par_iter().with_min_len(FEWEST).map(prompt).collect();
        prompts.extend(prompts_again(wave, &prompts, samples));
        let mut answers = call(m, &prompts)?.into_iter();
        let firsts: Vec<Answer> = answers.by_ref().take(wave.len()).collect();
        let again: Vec<Vec<Answer>> = wave.iter().map(|_| answers.by_ref().take(samples).collect()).collect();
        self.kept(m, wave, prompts, firsts, again)
    }

    /// Answers a wave of questions to each of which M's answer is one of two, drawn at a temperature: in one call to M, which
    /// says how likely it finds both, and one more for each round of sub-questions of H, who answers freely. With each comes
    /// the probability of the first of the two under M, which is that at temperature 1.
    pub fn choose(
        &self,
        m: &mut dyn Answerer,
        wave: &[Open],
        choices: [&str; 2],
        temperature: f64,
    ) -> Result<Vec<(Amplified, f64)>, WaveError> {
        let prompt = |open: &Open| open.prompt(self.amp.wording, open.draw.named("first"));
        let prompts: Vec<Prompt> = wave.par_iter().with_min_len(FEWEST).map(prompt).collect();
        let scored = score(m, &prompts, choices)?;
        let first = |(prompt, scored): (&Prompt, &[Answer; 2])| drawn(scored, temperature, prompt.draw);
        let firsts: Vec<Answer> = prompts.iter().zip(&scored).map(first).collect();
        let further = |(open, scored): (&Open, &[Answer; 2])| {
            let draws = (0..self.samp.rule.samples()).map(|sample| open.draw.named("again").at(sample as u64));
            draws.map(|draw| drawn(scored, temperature, draw)).collect()
        };
        let again: Vec<Vec<Answer>> = wave.iter().zip(&scored).map(further).collect();
        let probabilities = scored.iter().map(|scored| probability_of_first(scored, 1.0));
        Ok(self.kept(m, wave, prompts, firsts, again)?.into_iter().zip(probabilities).collect())
    }

    /// Has Samp keep M's answers or call H over them.
    fn kept(
        &self,
        m: &mut dyn Answerer,
        wave: &[Open],
        prompts: Vec<Prompt>,
        firsts: Vec<Answer>,
        again: Vec<Vec<Answer>>,
    ) -> Result<Vec<Amplified>, WaveError> {
        let predicted = self.predicted(&prompts, &firsts)?;
        let propensities = self.samp.propensities(&firsts, &predicted, &again);
        let humans = self.humans(m, wave, &propensities)?;
        let (said, decided) = (firsts.into_iter().zip(predicted).zip(again), propensities.into_iter().zip(humans));
        let amplified = |((prompt, ((first, predicted), again)), (propensity, human)): ((Prompt, _), _)| Amplified {
            prompt: prompt.text,
            first,
            predicted,
            again,
            propensity,
            human,
        };
        Ok(prompts.into_iter().zip(said).zip(decided).map(amplified).collect())
    }

    /// What Adv says of each first answer, where Samp goes by it.
    fn predicted(&self, prompts: &[Prompt], firsts: &[Answer]) -> Result<Vec<Option<SubAnswer>>, WaveError> {
        let Some(adversary) = self.samp.adversary else { return Ok(vec![None; firsts.len()]) };
        Ok(adversary.predictions(prompts, firsts)?.into_iter().map(Some).collect())
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
        for (i, human) in taken.into_iter().zip(self.amp.answer(Some(m), &asked)?) {
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

/// How likely M finds each of two answers to each question, in one call, unless there is nothing to ask.
fn score(m: &mut dyn Answerer, prompts: &[Prompt], choices: [&str; 2]) -> Result<Vec<[Answer; 2]>, WaveError> {
    if prompts.is_empty() {
        return Ok(Vec::new());
    }
    let scored = m.score(prompts, &choices).map_err(WaveError::Answerer)?;
    let (asked, got) = (choices.len() * prompts.len(), scored.iter().map(Vec::len).sum());
    let pairs: Vec<[Answer; 2]> = scored.into_iter().filter_map(|pair| pair.try_into().ok()).collect();
    if pairs.len() == prompts.len() { Ok(pairs) } else { Err(WaveError::Count { asked, got }) }
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
