//! How often answers are right: M alone, H alone, and H who may consult M, on questions whose gold answers are known.

use crate::{answerers::ModelAnswerer, stages::sample::Drawn};
use debate::{
    amplify::{HumanAnswer, Open, WaveError, amplify},
    answerer::{Answerer, Prompt},
    draw::Draw,
    human::Human,
    question::{Posed, same, stated},
};
use spec::settings::{Row, Wording};
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

/// The name of a row in tables and metrics.
pub fn row_name(row: Row) -> &'static str {
    match row {
        Row::Naive => "naive",
        Row::Human => "human",
        Row::Amplified => "amplified",
    }
}

/// Whether an argument answers as gold does.
pub fn agrees(argument: &str, gold: &str) -> bool {
    same(stated(argument), gold)
}

/// Who is evaluated, and how questions are put to them.
pub struct Examinee<'a> {
    /// H.
    pub human: &'a dyn Human,
    /// How questions are worded.
    pub wording: &'a Wording,
    /// The root of H's guesses.
    pub draw: Draw,
}

impl Examinee<'_> {
    /// The answers of a row, scored. Questions without a gold answer are left out.
    pub fn score(&self, row: Row, m: &mut ModelAnswerer<'_>, drawn: &[Drawn]) -> Result<Vec<Scored>, WaveError> {
        let known: Vec<(&Drawn, &str)> =
            drawn.iter().filter_map(|drawn| drawn.gold.as_deref().map(|gold| (drawn, gold))).collect();
        let questions: Vec<&str> = known.iter().map(|(drawn, _)| drawn.text.as_str()).collect();
        let answers = self.answers(row, m, &questions)?;
        let scored = |((drawn, gold), answer): ((&Drawn, &str), String)| Scored {
            row,
            question: drawn.text.clone(),
            depth: drawn.depth,
            correct: agrees(&answer, gold),
            answer,
            gold: gold.to_owned(),
        };
        Ok(known.into_iter().zip(answers).map(scored).collect())
    }

    /// One answer for each question.
    pub fn answers(&self, row: Row, m: &mut ModelAnswerer<'_>, questions: &[&str]) -> Result<Vec<String>, WaveError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let wave: Vec<Open> = questions
            .iter()
            .enumerate()
            .map(|(i, question)| Open { posed: Posed::bare(*question), draw: self.draw.at(i as u64) })
            .collect();
        let texts = |answers: Vec<HumanAnswer>| answers.into_iter().map(|answer| answer.text).collect();
        match row {
            Row::Human => Ok(texts(amplify(self.human, None, self.wording, &wave)?)),
            Row::Amplified => Ok(texts(amplify(self.human, Some(m), self.wording, &wave)?)),
            Row::Naive => {
                let prompt = |open: &Open| Prompt { text: open.posed.text(self.wording), draw: open.draw };
                let prompts: Vec<Prompt> = wave.iter().map(prompt).collect();
                let answers = m.answer(&prompts).map_err(WaveError::Answerer)?;
                Ok(answers.into_iter().map(|answer| answer.text).collect())
            }
        }
    }
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
