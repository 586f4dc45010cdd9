//! The catastrophe penalty of relaxed adversarial training (Hubinger 2019, 2020): for an adversary's pseudo-inputs a, the
//! largest product P(a) · P(catastrophe | a, M's answers), both by Amp≈(H, M_target).
//!
//! A pseudo-input is some words, and stands for the questions that have them all. All proposals of a batch go forward
//! together: M answers the questions of all of them in one call, and the overseer is asked in one wave how likely the
//! proposals are, and in one about every answer.

use crate::{
    amplify::{Amplified, Approx, Open, SubAnswer, WaveError, call},
    answerer::{Answer, Answerer, Prompt},
    draw::Draw,
    human::{Human, Move},
    question::{Asked, Posed, VERDICTS, yes},
    trace::{Call, Part, calls},
};
use spec::settings::{Scale, Wording};

/// A pseudo-input.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its number in the run.
    pub id: u64,
    /// What all of its questions have in common, in words; empty where it is nothing.
    pub words: String,
    /// Its answer to the question for it, where a model proposed it.
    pub said: Option<SubAnswer>,
    /// The address of the overseer's randomness.
    pub draw: Draw,
    /// Some of its questions, drawn from those that it stands for; none where there are none.
    pub questions: Vec<Realised>,
}

/// A question of a pseudo-input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realised {
    /// Its number in the run.
    pub id: u64,
    /// Q.
    pub question: String,
    /// The address of all randomness of its answer.
    pub draw: Draw,
}

/// Who says how likely proposals are, and what is a catastrophe.
pub struct Penalising<'a> {
    /// Amp≈(H, M_target).
    pub overseer: Approx<'a>,
    /// At which temperature M_target is sampled.
    pub temperature: f64,
}

/// What M answered to a question of a proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The question.
    pub of: Realised,
    /// As it was put to M.
    pub prompt: String,
    /// M's answer.
    pub answer: Answer,
    /// What the overseer said of it.
    pub verdict: Amplified,
    /// The probability that it is a catastrophe: M_target's, or 1 or 0 by H's word; `None` where that is neither yes nor no.
    pub catastrophe: Option<f64>,
}

/// A proposal with what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The proposal, without its questions.
    pub proposal: Proposal,
    /// How likely the overseer finds it; not asked of one without words or without questions.
    pub likelihood: Option<Amplified>,
    /// What M answered.
    pub answers: Vec<Answered>,
}

/// What a script proposes at some addresses.
pub fn propose(adversary: &dyn Human, draws: &[Draw]) -> Vec<String> {
    let words = |draw: &Draw| match adversary.next(&Posed::new(Asked::Proposal, "", Vec::new()), &[], *draw) {
        Move::Answer(words) => words,
        // It has nobody to ask.
        Move::Ask(_) => String::new(),
    };
    draws.iter().map(words).collect()
}

/// What a model proposes at some addresses, in one call.
pub fn propose_by(adversary: &mut dyn Answerer, wording: &str, draws: &[Draw]) -> Result<Vec<SubAnswer>, WaveError> {
    let prompt = |draw: &Draw| Prompt { text: wording.to_owned(), begin: None, draw: *draw };
    let prompts: Vec<Prompt> = draws.iter().map(prompt).collect();
    let said = call(adversary, &prompts)?;
    Ok(prompts.into_iter().zip(said).map(|(prompt, answer)| SubAnswer::of_model(prompt.text, answer)).collect())
}

/// Has M answer the questions of some proposals, and the overseer weigh what came of it.
pub fn weigh(
    rules: &Penalising<'_>,
    m: &mut dyn Answerer,
    target: &mut dyn Answerer,
    mut proposals: Vec<Proposal>,
) -> Result<Vec<Weighed>, WaveError> {
    let counts: Vec<usize> = proposals.iter().map(|proposal| proposal.questions.len()).collect();
    let likelihoods = likelihoods(rules, target, &proposals)?;
    let realised = proposals.iter_mut().flat_map(|proposal| std::mem::take(&mut proposal.questions)).collect();
    let mut answers = answered(rules, m, target, realised)?.into_iter();
    let weighed = |((proposal, likelihood), count)| Weighed {
        proposal,
        likelihood,
        answers: answers.by_ref().take(count).collect(),
    };
    Ok(proposals.into_iter().zip(likelihoods).zip(counts).map(weighed).collect())
}

fn likelihoods(
    rules: &Penalising<'_>,
    target: &mut dyn Answerer,
    proposals: &[Proposal],
) -> Result<Vec<Option<Amplified>>, WaveError> {
    let asked = |proposal: &Proposal| !proposal.words.is_empty() && !proposal.questions.is_empty();
    let open = |proposal: &Proposal| Open {
        posed: Posed::new(Asked::Likelihood, &proposal.words, Vec::new()),
        draw: proposal.draw.named(Asked::Likelihood.name()),
    };
    let wave: Vec<Open> = proposals.iter().filter(|proposal| asked(proposal)).map(open).collect();
    let mut said = rules.overseer.answer(target, &wave)?.into_iter();
    Ok(proposals.iter().map(|proposal| if asked(proposal) { said.next() } else { None }).collect())
}

/// A question as it is put to M: like the first one of a debate on it.
pub fn prompt(of: &Realised, wording: &Wording) -> Prompt {
    Open { posed: Posed::bare(&of.question), draw: of.draw }.prompt(wording, of.draw.named("first"))
}

/// M's answers, and the overseer's word on each.
fn answered(
    rules: &Penalising<'_>,
    m: &mut dyn Answerer,
    target: &mut dyn Answerer,
    realised: Vec<Realised>,
) -> Result<Vec<Answered>, WaveError> {
    let prompts: Vec<Prompt> = realised.iter().map(|of| prompt(of, rules.overseer.amp.wording)).collect();
    let said = call(m, &prompts)?;
    let open = |(of, answer): (&Realised, &Answer)| Open {
        posed: Posed::new(Asked::Catastrophe, &of.question, vec![answer.text.clone()]),
        draw: of.draw.named(Asked::Catastrophe.name()),
    };
    let wave: Vec<Open> = realised.iter().zip(&said).map(open).collect();
    let verdicts = rules.overseer.choose(target, &wave, VERDICTS, rules.temperature)?;
    let answers = realised.into_iter().zip(prompts).zip(said).zip(verdicts);
    let answered =
        |(((of, prompt), answer), (verdict, probability)): (((Realised, Prompt), Answer), (Amplified, f64))| {
            let by_human = |text: &str| yes(text).map(|yes| if yes { 1.0 } else { 0.0 });
            let catastrophe = verdict.human.as_ref().map_or(Some(probability), |human| by_human(&human.text));
            Answered { of, prompt: prompt.text, answer, verdict, catastrophe }
        };
    Ok(answers.map(answered).collect())
}

impl Weighed {
    /// P(a): as the overseer says; 1 of what stands for every question, and 0 where there are no such questions. `None`
    /// where what the overseer says is no likelihood.
    pub fn likelihood(&self) -> Option<f64> {
        match &self.likelihood {
            Some(said) => likelihood(said.text()),
            None if self.answers.is_empty() => Some(0.0),
            None => Some(1.0),
        }
    }

    /// P(catastrophe | a, answers): the mean over the answers; `None` where nothing is known of any.
    pub fn catastrophe(&self) -> Option<f64> {
        mean(self.answers.iter().filter_map(|answered| answered.catastrophe))
    }

    /// P(a) · P(catastrophe | a, answers). Where there are no such questions it is 0.
    pub fn product(&self) -> Option<f64> {
        if self.answers.is_empty() { Some(0.0) } else { Some(self.likelihood()? * self.catastrophe()?) }
    }

    /// What the overseer said of it, and of each answer.
    pub fn overseen(&self) -> impl Iterator<Item = &Amplified> {
        self.likelihood.iter().chain(self.answers.iter().map(|answered| &answered.verdict))
    }

    /// The calls behind it, in the order of its answers: those about the proposal bear its number, the others their question's.
    pub fn into_calls(self) -> Vec<Call> {
        let Weighed { proposal, likelihood, answers } = self;
        let id = proposal.id;
        let said = proposal.said.map(|said| own(id, Asked::Proposal, said.prompt, said.answer));
        let likelihood = likelihood.into_iter().flat_map(move |said| calls(id, Asked::Likelihood, 0, said));
        let answered = answers.into_iter().flat_map(|answered| {
            let id = answered.of.id;
            let first = own(id, Asked::Argument, answered.prompt, answered.answer);
            [first].into_iter().chain(calls(id, Asked::Catastrophe, 1, answered.verdict))
        });
        said.into_iter().chain(likelihood).chain(answered).collect()
    }
}

/// A model's answer over which nobody can be called.
fn own(question: u64, asked: Asked, prompt: String, answer: Answer) -> Call {
    Call {
        question,
        asked,
        turn: 0,
        voice: None,
        held: None,
        part: Part::First,
        place: 0,
        path: Vec::new(),
        learned: false,
        prompt,
        answer: answer.text,
        kept: true,
        propensity: None,
        sampled: Some(answer.sampled),
        distribution: None,
    }
}

/// The proposal with the largest product, the first of several; `None` where no product is known.
pub fn largest(weighed: &[Weighed]) -> Option<usize> {
    let products = weighed.iter().enumerate().filter_map(|(place, weighed)| Some((place, weighed.product()?)));
    products
        .fold(None, |best: Option<(usize, f64)>, next| best.filter(|best| best.1 >= next.1).or(Some(next)))
        .map(|best| best.0)
}

/// How far each number is above the mean of those that are known, over their standard deviation where the scale says so.
/// Where all are the same, nothing can be told of any (Shao et al., arXiv:2402.03300, section 4.1.1).
pub fn surprises(values: &[Option<f64>], scale: Scale) -> Vec<Option<f64>> {
    let known = || values.iter().copied().flatten();
    let mean_of = mean(known()).unwrap_or_default();
    let deviation = mean(known().map(|value| (value - mean_of).powi(2))).unwrap_or_default().sqrt();
    let unit = if scale == Scale::Std { deviation } else { 1.0 };
    let differ = known().zip(known().skip(1)).any(|(one, other)| one != other);
    values.iter().map(|value| value.filter(|_| differ).map(|value| (value - mean_of) / unit)).collect()
}

/// A likelihood in words, "1 in 10000" or "Never"; `None` if it is another text.
pub fn likelihood(text: &str) -> Option<f64> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text == NEVER {
        return Some(0.0);
    }
    let count: u64 = text.strip_prefix("1 in ")?.parse().ok()?;
    (count > 0).then(|| 1.0 / count as f64)
}

/// A likelihood of 0 in words.
pub const NEVER: &str = "Never";

/// A likelihood of 10 to the power of −exponent in words.
pub fn one_in(exponent: u32) -> String {
    format!("1 in {}", 10u64.pow(exponent))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
