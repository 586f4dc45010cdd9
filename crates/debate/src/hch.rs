//! HCH of a finite depth: H who consults H who consults … M (Christiano 2016, "humans consulting HCH"; Hubinger 2020,
//! where it is what imitative amplification approaches).
//!
//! HCH of depth 0 is M; of depth k it is Amp(H, HCH of depth k − 1). All questions that are open at one depth go forward
//! together, and one that several of them rest on is answered once.

use crate::{
    amplify::{Open, SubAnswer, WaveError, call, consult},
    answerer::{Answer, Answerer, Prompt},
    cost::Cost,
    draw::Draw,
    human::Human,
};
use spec::settings::Wording;
use std::collections::HashMap;

/// HCH with everything but M.
pub struct Hch<'a> {
    /// H.
    pub human: &'a dyn Human,
    /// How questions are worded to M.
    pub wording: &'a Wording,
    /// The root of the randomness of sub-questions. That of each follows from its text and depth: it is the same
    /// whoever asks, so which of several asked first makes no difference.
    pub draw: Draw,
}

impl Hch<'_> {
    /// Answers a wave, each with what it cost. An answer that several rest on counts for the first of them alone, so that
    /// the costs of a wave sum up to what was asked.
    pub fn answer(&self, m: &mut dyn Answerer, wave: &[Open], depth: u32) -> Result<Vec<(String, Cost)>, WaveError> {
        let Some(below) = depth.checked_sub(1) else { return self.leaves(m, wave) };
        let mut costs = vec![Cost::HUMAN; wave.len()];
        let mut answer = |asked: &[(usize, Open)]| {
            let Distinct { questions, askers, places } = self.distinct(asked, below);
            let answers = self.answer(&mut *m, &questions, below)?;
            for (asker, (_, cost)) in askers.into_iter().zip(&answers) {
                costs[asker] = costs[asker] + *cost;
            }
            let said = |(place, (_, open)): (usize, &(usize, Open))| {
                let answer = Answer { text: answers[place].0.clone(), ..Answer::default() };
                Some(SubAnswer { prompt: open.posed.text(self.wording), answer })
            };
            Ok(places.into_iter().zip(asked).map(said).collect())
        };
        let answers = consult(self.human, wave, &mut answer)?;
        Ok(answers.into_iter().map(|answer| answer.text).zip(costs).collect())
    }

    /// M's own answers.
    fn leaves(&self, m: &mut dyn Answerer, wave: &[Open]) -> Result<Vec<(String, Cost)>, WaveError> {
        let prompt = |open: &Open| open.prompt(self.wording, open.draw);
        let prompts: Vec<Prompt> = wave.iter().map(prompt).collect();
        let answers = call(m, &prompts)?.into_iter();
        let said = |answer: Answer| {
            let cost = answer.cost();
            (answer.text, cost)
        };
        Ok(answers.map(said).collect())
    }

    /// The questions of a round, each once.
    fn distinct(&self, asked: &[(usize, Open)], depth: u32) -> Distinct {
        let mut found: HashMap<&str, usize> = HashMap::new();
        let mut distinct = Distinct::default();
        for (asker, open) in asked {
            let question = open.posed.question.as_str();
            let place = *found.entry(question).or_insert_with(|| {
                let draw = self.draw.at(u64::from(depth)).named(question);
                distinct.questions.push(Open { posed: open.posed.clone(), draw });
                distinct.askers.push(*asker);
                distinct.questions.len() - 1
            });
            distinct.places.push(place);
        }
        distinct
    }
}

/// The sub-questions of a round without repetitions.
#[derive(Default)]
struct Distinct {
    questions: Vec<Open>,
    /// Who asked each of them first.
    askers: Vec<usize>,
    /// Of each sub-question as it was asked, which of them it is.
    places: Vec<usize>,
}
