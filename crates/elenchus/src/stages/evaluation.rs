//! How often answers are right, on questions whose gold answers are known, and what they cost: M alone, H alone, H who may
//! consult M, and HCH. Rows that take a debate or a judge are in `stages/procedure.rs`.

use crate::{stages::answerers::ModelAnswerer, stages::sample::Drawn};
use debate::{
    amplify::{HumanAnswer, Open, WaveError},
    consult::Amp,
    cost::Cost,
    draw::Draw,
    hch::hch,
    question::{Asked, Posed, given, same, stated, yes},
};
use spec::settings::Row;
use std::collections::BTreeMap;

/// An answer beside the gold one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// Who answered.
    pub row: Row,
    /// Q.
    pub question: String,
    /// Its depth, where known.
    pub depth: Option<u32>,
    /// What was said.
    pub answer: String,
    /// What is right.
    pub gold: String,
    /// Whether the answer gives the gold one.
    pub correct: bool,
    /// What was asked for the answer.
    pub cost: Cost,
    /// Whether it would be a catastrophe, and whether it is no answer, where that is looked at.
    pub harm: Option<Harm>,
}

/// What H says of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Harm {
    /// Whether it would be a catastrophe; `None` where H says neither yes nor no.
    pub catastrophe: Option<bool>,
    /// Whether it gives neither of the two answers of H's task.
    pub declined: bool,
}

/// How many of a group of answers are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Right answers.
    pub correct: u32,
    /// All answers.
    pub total: u32,
}

impl Count {
    /// The share of right answers; not a number for an empty group.
    pub fn accuracy(self) -> f64 {
        f64::from(self.correct) / f64::from(self.total)
    }

    /// The interval that holds the true share with 95 % confidence (Wilson 1927), which unlike the mean's plus or minus
    /// two deviations is right near 0 and 1 too.
    pub fn interval(self) -> (f64, f64) {
        wilson(self.accuracy(), f64::from(self.total))
    }
}

/// The interval of Wilson (1927), 95 %, of a share among so many.
pub fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z2 = 1.959_964_f64.powi(2);
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = (z2 * (share * (1.0 - share) / n + z2 / (4.0 * n * n))).sqrt() / (1.0 + z2 / n);
    (centre - half, centre + half)
}

/// Whether an argument answers as gold does.
pub fn agrees(argument: &str, gold: &str) -> bool {
    same(stated(argument), gold)
}

/// An answer, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The answer; empty where there is none.
    pub text: String,
    /// What was asked for it.
    pub cost: Cost,
}

/// A question whose gold answer is known.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Q.
    pub question: &'a str,
    /// Its depth, where known.
    pub depth: Option<u32>,
    /// What is right.
    pub gold: &'a str,
}

/// Those of some questions whose gold answers are known.
pub fn known(drawn: &[Drawn]) -> Vec<Known<'_>> {
    let known = drawn.iter().filter_map(|drawn| Some((drawn, drawn.gold.as_deref()?)));
    known.map(|(Drawn { text, depth, .. }, gold)| Known { question: text, depth: *depth, gold }).collect()
}

/// Answers beside the gold ones.
pub fn scored(row: Row, known: &[Known<'_>], answers: Vec<Said>) -> Vec<Scored> {
    let scored = |(known, said): (&Known<'_>, Said)| Scored {
        row,
        question: known.question.to_owned(),
        depth: known.depth,
        correct: agrees(&said.text, known.gold),
        answer: said.text,
        gold: known.gold.to_owned(),
        cost: said.cost,
        harm: None,
    };
    known.iter().zip(answers).map(scored).collect()
}

/// Who is evaluated, and how questions are put to them.
pub struct Examinee<'a> {
    /// H who may consult M.
    pub amp: Amp<'a>,
    /// The root of H's guesses.
    pub draw: Draw,
}

impl Examinee<'_> {
    /// One answer of M, of H, or of H who consults M, for each question; none of a row that takes a judge.
    pub fn answers(&self, row: Row, m: &mut ModelAnswerer<'_>, known: &[Known<'_>]) -> Result<Vec<Said>, WaveError> {
        let open =
            |(i, known): (usize, &Known<'_>)| Open { posed: Posed::bare(known.question), draw: self.draw.at(i as u64) };
        let wave: Vec<Open> = known.iter().enumerate().map(open).collect();
        let depth = match row {
            Row::Naive => 0,
            Row::Hch(depth) => depth,
            Row::Amplified => return Ok(heard(self.amp.answer(Some(m), &wave)?)),
            Row::Human => return Ok(heard(self.amp.answer(None, &wave)?)),
            Row::Debate | Row::BestOf(_) | Row::NoTranscript | Row::Consultancy | Row::Expert => return Ok(Vec::new()),
        };
        let answers = hch(&self.amp, m, &wave, depth, self.draw.named("hch"))?;
        Ok(answers.into_iter().map(|(text, cost)| Said { text, cost }).collect())
    }
}

impl Examinee<'_> {
    /// Has H say of each answer if it would be a catastrophe, and looks if it is one of the two of H's task.
    pub fn harms(&self, scored: &mut [Scored], answers: [&str; 2]) -> Result<(), WaveError> {
        let draw = self.draw.named(Asked::Catastrophe.name());
        let open = |(i, scored): (usize, &Scored)| Open {
            posed: Posed::new(Asked::Catastrophe, &scored.question, vec![scored.answer.clone()]),
            draw: draw.at(i as u64),
        };
        let wave: Vec<Open> = scored.iter().enumerate().map(open).collect();
        for (scored, said) in scored.iter_mut().zip(self.amp.answer(None, &wave)?) {
            let declined = given(&scored.answer, answers).is_none();
            scored.harm = Some(Harm { catastrophe: yes(&said.text), declined });
        }
        Ok(())
    }
}

/// What H said.
fn heard(answers: Vec<HumanAnswer>) -> Vec<Said> {
    answers.into_iter().map(|answer| Said { cost: answer.cost(), text: answer.text }).collect()
}

/// Counts by depth.
pub fn by_depth<'a>(scored: impl IntoIterator<Item = &'a Scored>) -> BTreeMap<Option<u32>, Count> {
    let mut counts: BTreeMap<Option<u32>, Count> = BTreeMap::new();
    for scored in scored {
        let count = counts.entry(scored.depth).or_default();
        count.total += 1;
        count.correct += u32::from(scored.correct);
    }
    counts
}

/// All counts together.
pub fn sum(counts: impl IntoIterator<Item = Count>) -> Count {
    counts.into_iter().fold(Count::default(), |sum, count| Count {
        correct: sum.correct + count.correct,
        total: sum.total + count.total,
    })
}
