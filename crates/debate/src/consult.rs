//! Amp(H, M): H answers a wave of questions, and consults M in rounds.
//!
//! To a depth of 1 M answers H's sub-questions. To a depth of k they are put to H again, who consults to a depth of k − 1:
//! HCH of depth k (Christiano 2016, "humans consulting HCH"). All questions that are open at one depth go forward
//! together, so the number of calls to M depends on rounds and depth, never on how many questions there are.
//!
//! Where sub-questions are shared, each has its randomness at an address that follows from its text and depth alone. So
//! equal ones have equal answers whoever asks, they are answered once for all that ask in a wave, and which others ask
//! makes no difference. Otherwise that address follows from the question on whose behalf H asks, and each is answered for
//! itself.

use crate::{
    amplify::{HumanAnswer, Open, SubAnswer, WaveError, call},
    answerer::{Answerer, Prompt},
    draw::Draw,
    human::{Exchange, Human, Move},
    question::Posed,
    understudy::{Step, Understudy, heard},
};
use rayon::prelude::*;
use spec::settings::Wording;
use std::{cell::RefCell, collections::HashMap, hash::Hash};

/// H may ask in this many rounds; a human who has not answered by then never will.
pub(crate) const MOST_ROUNDS: usize = 64;

/// So many questions are worth a thread of their own.
pub(crate) const FEWEST: usize = 16;

/// Whom H consults, and how often.
#[derive(Clone, Copy)]
pub struct Consulting<'a> {
    /// In how many rounds H hears answers: to what it asks after them there is none, as where H is alone. `None`: in all.
    pub rounds: Option<usize>,
    /// At 1, M answers sub-questions; above, H does, who consults to a depth of one less.
    pub depth: u32,
    /// The root of the addresses of sub-questions, where equal ones of a wave are answered once.
    pub shared: Option<Draw>,
    /// H′, where somebody stands in for H.
    pub understudy: Option<Understudy<'a>>,
    /// Who answers sub-questions in M's place, if anybody does.
    pub answerer: Option<&'a RefCell<dyn Answerer + 'a>>,
}

impl Default for Consulting<'_> {
    fn default() -> Self {
        Consulting { rounds: None, depth: 1, shared: None, understudy: None, answerer: None }
    }
}

/// Amp(H, M) with everything but M.
#[derive(Clone, Copy)]
pub struct Amp<'a> {
    /// H.
    pub human: &'a dyn Human,
    /// How questions are worded to M and H alike.
    pub wording: &'a Wording,
    /// Whom H consults.
    pub consulting: Consulting<'a>,
}

impl<'a> Amp<'a> {
    /// H who consults M as often as it likes.
    pub fn new(human: &'a dyn Human, wording: &'a Wording) -> Self {
        Amp { human, wording, consulting: Consulting::default() }
    }

    /// Answers every question of the wave. Without an M, H is alone.
    pub fn answer(&self, m: Option<&mut dyn Answerer>, wave: &[Open]) -> Result<Vec<HumanAnswer>, WaveError> {
        let depth = self.consulting.depth.max(1);
        let root = |open: &Open| Sitting::new(open.clone(), &[], self.wording, depth);
        let mut consultation = Consultation { amp: *self, m };
        let sittings = consultation.level(wave.iter().map(root).collect(), depth)?;
        Ok(sittings.into_iter().map(|sitting| sitting.answer).collect())
    }
}

/// A wave being answered.
struct Consultation<'a, 'm> {
    amp: Amp<'a>,
    m: Option<&'m mut dyn Answerer>,
}

/// A question that H has before it.
struct Sitting {
    open: Open,
    /// The questions that it rests under, its own the last, where that matters.
    path: Vec<String>,
    said: Vec<Exchange>,
    answer: HumanAnswer,
    answered: bool,
    /// Whether another question of the wave came to the same before it.
    repeated: bool,
}

impl Sitting {
    fn new(open: Open, above: &[String], wording: &Wording, depth: u32) -> Self {
        let own = (depth > 1).then(|| open.posed.text(wording));
        let path = above.iter().cloned().chain(own).collect();
        Sitting { open, path, said: Vec::new(), answer: HumanAnswer::default(), answered: false, repeated: false }
    }

    /// All that H's next move depends on.
    fn state(&self) -> (u64, &str, &[Exchange]) {
        (self.open.draw.stream, &self.open.posed.question, &self.said)
    }

    fn hear(&mut self, question: String, heard: Option<SubAnswer>) {
        let answer = heard.as_ref().map(|sub| sub.answer.text.clone());
        self.said.push(Exchange { question, answer });
        self.answer.calls.extend(heard);
    }
}

impl Consultation<'_, '_> {
    /// Has H answer the questions of a depth.
    fn level(&mut self, mut wave: Vec<Sitting>, depth: u32) -> Result<Vec<Sitting>, WaveError> {
        for round in 0..MOST_ROUNDS {
            let hears = self.amp.consulting.rounds.is_none_or(|most| round < most);
            let asked = self.moves(&mut wave, hears)?;
            if wave.iter().all(|sitting| sitting.answered) {
                return Ok(wave);
            }
            let asked = self.sub_questions(&wave, asked, depth - 1);
            let heard = if hears { self.heard(&wave, &asked, depth - 1)? } else { vec![None; asked.len()] };
            for ((i, open), heard) in asked.into_iter().zip(heard) {
                wave[i].hear(open.posed.question, heard);
            }
        }
        let stuck = wave.into_iter().find(|sitting| !sitting.answered);
        Err(WaveError::Endless { question: stuck.map(|sitting| sitting.open.posed.question).unwrap_or_default() })
    }

    /// H's next moves: answers stay with their questions, and what is asked comes back, each with the place of the question
    /// on whose behalf. Questions that are the same so far have the same move, made once.
    fn moves(&self, wave: &mut [Sitting], hears: bool) -> Result<Vec<(usize, String)>, WaveError> {
        let open: Vec<usize> = (0..wave.len()).filter(|&i| !wave[i].answered).collect();
        let Distinct { firsts, of } = distinct(open.iter().map(|&i| wave[i].state()));
        let sittings: Vec<&Sitting> = firsts.iter().map(|&first| &wave[open[first]]).collect();
        let steps = self.steps(&sittings, hears)?;
        let mut asked = Vec::new();
        for (place, i) in open.into_iter().enumerate() {
            let step = steps[of[place]].clone();
            wave[i].repeated = firsts[of[place]] != place;
            match &step.next {
                Move::Answer(text) => (wave[i].answer.text, wave[i].answered) = (text.clone(), true),
                Move::Ask(questions) => asked.extend(questions.iter().map(|question| (i, question.clone()))),
            }
            wave[i].answer.take(step);
        }
        Ok(asked)
    }

    fn steps(&self, sittings: &[&Sitting], hears: bool) -> Result<Vec<Step>, WaveError> {
        let human = self.amp.human;
        let next =
            |sitting: &&Sitting| human.next(&sitting.open.posed, &sitting.said, sitting.open.draw.named("human"));
        let Some(understudy) = self.amp.consulting.understudy else {
            return Ok(sittings.par_iter().with_min_len(FEWEST).map(next).map(Step::of_human).collect());
        };
        let read = |Sitting { open, said, .. }: &Sitting| open.posed.text(self.amp.wording) + &heard(said);
        let asked: Vec<(String, Draw)> = sittings.iter().map(|sitting| (read(sitting), sitting.open.draw)).collect();
        let moves = |places: &[usize]| -> Vec<Move> {
            places.par_iter().with_min_len(FEWEST).map(|&place| next(&sittings[place])).collect()
        };
        understudy.steps(&asked, hears, &moves)
    }

    /// The sub-questions of a round, put as bare questions, each at an address of its own: that of its text where it is
    /// shared, otherwise its place among its question's.
    fn sub_questions(&self, wave: &[Sitting], asked: Vec<(usize, String)>, below: u32) -> Vec<(usize, Open)> {
        let mut place: Vec<usize> = wave.iter().map(|sitting| sitting.said.len()).collect();
        let mut open = |(i, question): (usize, String)| {
            let draw = match self.amp.consulting.shared {
                Some(root) => root.at(u64::from(below)).named(&question),
                None => wave[i].open.draw.named("sub").at(place[i] as u64),
            };
            place[i] += 1;
            (i, Open { posed: Posed::bare(question), draw })
        };
        asked.into_iter().map(&mut open).collect()
    }

    /// The answers to the sub-questions of a round; `None` where H has nobody to ask. A question that rests under itself
    /// would be put to H without end: M answers it.
    fn heard(
        &mut self,
        wave: &[Sitting],
        asked: &[(usize, Open)],
        below: u32,
    ) -> Result<Vec<Option<SubAnswer>>, WaveError> {
        let mut heard = vec![None; asked.len()];
        if self.m.is_none() {
            return Ok(heard);
        }
        let wording = self.amp.wording;
        let circles = |(i, open): &(usize, Open)| wave[*i].path.contains(&open.posed.text(wording));
        let (to_human, to_m): (Vec<usize>, Vec<usize>) =
            (0..asked.len()).partition(|&place| below > 0 && !circles(&asked[place]));
        let of_m = self.leaves(to_m.iter().map(|&place| &asked[place].1).collect())?;
        let put = |&place: &usize| {
            let (i, open) = &asked[place];
            Sitting::new(open.clone(), &wave[*i].path, wording, below)
        };
        let of_human = self.level(to_human.iter().map(put).collect(), below)?;
        to_m.into_iter().zip(of_m).for_each(|(place, sub)| heard[place] = Some(sub));
        for (place, sitting) in to_human.into_iter().zip(of_human) {
            heard[place] =
                Some(SubAnswer::of_human(sitting.open.posed.text(wording), sitting.answer, sitting.repeated));
        }
        Ok(heard)
    }

    /// The answers of M, or of who answers in its place, to sub-questions, those at the same address once.
    fn leaves(&mut self, asked: Vec<&Open>) -> Result<Vec<SubAnswer>, WaveError> {
        let Some(m) = &mut self.m else { return Ok(Vec::new()) };
        let prompts: Vec<Prompt> = asked.iter().map(|open| open.prompt(self.amp.wording, open.draw)).collect();
        let Distinct { firsts, of } = distinct(prompts.iter().map(|prompt| (prompt.draw.stream, prompt.text.as_str())));
        let wave: Vec<Prompt> = firsts.iter().map(|&first| prompts[first].clone()).collect();
        let answers = match self.amp.consulting.answerer {
            Some(answerer) => call(&mut *answerer.borrow_mut(), &wave)?,
            None => call(&mut **m, &wave)?,
        };
        let said = |(place, prompt): (usize, Prompt)| {
            let answer = answers[of[place]].clone();
            SubAnswer { repeated: firsts[of[place]] != place, ..SubAnswer::of_model(prompt.text, answer) }
        };
        Ok(prompts.into_iter().enumerate().map(said).collect())
    }
}

/// Things of which some are the same.
struct Distinct {
    /// The places of those that none before is the same as.
    firsts: Vec<usize>,
    /// For each thing, which of those it is.
    of: Vec<usize>,
}

fn distinct<K: Eq + Hash>(things: impl Iterator<Item = K>) -> Distinct {
    let (mut found, mut firsts) = (HashMap::new(), Vec::new());
    let which = |(place, thing): (usize, K)| {
        *found.entry(thing).or_insert_with(|| {
            firsts.push(place);
            firsts.len() - 1
        })
    };
    let of = things.enumerate().map(which).collect();
    Distinct { firsts, of }
}
