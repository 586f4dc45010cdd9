//! `[sample.NAME]`: questions for each batch, and beside them their gold answers, which only evaluation may read.

use batch::{
    Bundle, QuestionRow, Stage, StageError, Unit,
    stages::{Refused, errors},
};
use debate::draw::Draw;
use polars::prelude::*;
use rayon::prelude::*;
use spec::settings::Order;
use std::collections::BTreeSet;
use tasks::{Generator, Task};

/// Where questions come from.
pub enum Source {
    /// Made as they are drawn.
    Task(Generator),
    /// The rows of files, in an order. Never empty.
    Rows(Vec<QuestionRow>, Order),
    /// Each question from one of several, by their weights.
    Mixture(Vec<(f64, Source)>),
}

/// A question, and its gold answer where that is known.
pub struct Drawn {
    /// Q.
    pub text: String,
    /// For evaluation only.
    pub gold: Option<String>,
    /// Steps from the question to what is stated in it, where that is known.
    pub depth: Option<u32>,
}

impl Source {
    /// It, or the sources of its mixture.
    pub fn parts(&self) -> Vec<&Source> {
        match self {
            Source::Mixture(shares) => shares.iter().flat_map(|(_, source)| source.parts()).collect(),
            alone => vec![alone],
        }
    }

    /// Whether any of its questions is one of this task.
    pub fn is_of(&self, task: Task) -> bool {
        self.parts().into_iter().any(|part| match part {
            Source::Task(generator) => generator.task() == task,
            Source::Rows(rows, _) => rows.iter().any(|row| task.depth(&row.text).is_some()),
            Source::Mixture(_) => false,
        })
    }

    /// How many questions there are before any comes again; none where there is no end to them.
    pub fn count(&self) -> Option<u64> {
        match self {
            Source::Rows(_, Order::WithReplacement) | Source::Task(_) | Source::Mixture(_) => None,
            Source::Rows(rows, _) => Some(rows.len() as u64),
        }
    }

    /// The question of a draw ordinal: a function of nothing else. A source of a mixture gives what it would have given
    /// at this ordinal alone.
    pub fn draw(&self, ordinal: u64, draw: Draw) -> Drawn {
        match self {
            Source::Task(generator) => {
                let question = generator.question(draw.at(ordinal));
                Drawn { text: question.text, gold: Some(question.gold), depth: Some(question.depth) }
            }
            Source::Rows(rows, order) => {
                let row = &rows[place(*order, rows.len() as u64, ordinal, draw) as usize];
                Drawn { text: row.text.clone(), gold: row.gold.clone(), depth: tasks::depth(&row.text) }
            }
            Source::Mixture(shares) => {
                let chosen = choose(shares, draw.named("mixture").at(ordinal).uniform(0));
                shares[chosen].1.draw(ordinal, draw.named("share").at(chosen as u64))
            }
        }
    }
}

/// The share that a uniform number falls into.
fn choose(shares: &[(f64, Source)], uniform: f64) -> usize {
    let mut left = uniform * shares.iter().map(|(weight, _)| weight).sum::<f64>();
    let falls = |(weight, _): &(f64, Source)| {
        left -= weight;
        left < 0.0
    };
    shares.iter().position(falls).unwrap_or(shares.len() - 1)
}

/// The row of a draw ordinal.
fn place(order: Order, rows: u64, ordinal: u64, draw: Draw) -> u64 {
    let (round, within) = (ordinal / rows, ordinal % rows);
    match order {
        Order::Sequential => within,
        Order::Shuffled => shuffled(within, rows, draw.named("round").at(round)),
        Order::WithReplacement => draw.named("row").at(ordinal).below(0, rows as usize) as u64,
    }
}

/// A permutation of the numbers below `rows`, without a list of them: a Feistel network (Luby and Rackoff 1988) on the
/// next power of four, walked until it comes back below.
fn shuffled(number: u64, rows: u64, draw: Draw) -> u64 {
    let half = (64 - rows.leading_zeros()).div_ceil(2);
    let mask = (1u64 << half) - 1;
    let mix = |number: u64| {
        let (mut left, mut right) = (number >> half, number & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ draw.at(round).at(right).below(0, 1 << half) as u64);
        }
        left << half | right
    };
    let mut walked = mix(number);
    while walked >= rows {
        walked = mix(walked);
    }
    walked
}

/// Draws the questions of each batch.
pub struct Sample {
    /// The stage's name.
    pub name: String,
    /// Where they come from.
    pub source: Source,
    /// Rows per batch.
    pub rows: usize,
    /// How many of them are of the same question.
    pub repeat: usize,
    /// How many questions there are in the whole run; none where rows come again.
    pub until: Option<u64>,
    /// The rows of its files that are no questions, where those are skipped.
    pub skipped: Option<Vec<Refused>>,
    /// What must not be drawn.
    pub excluded: Excluded,
    /// The root of the stage's draws.
    pub draw: Draw,
}

/// Questions that must not be drawn.
#[derive(Debug, Default)]
pub struct Excluded {
    /// Their texts, as they are compared.
    pub questions: BTreeSet<String>,
    /// How many rows of files were left out for them, before anything is drawn.
    pub rows: u64,
}

/// Draws in a row that may be of excluded questions.
const MOST_TRIES: u64 = 1000;

impl Stage for Sample {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let (questions, repeat) = ((self.rows / self.repeat) as u64, self.repeat as u64);
        let first = unit.batch * questions;
        let end = (first + questions).min(self.until.unwrap_or(u64::MAX)).max(first);
        let drawn = (first..end).into_par_iter().map(|ordinal| self.draw(ordinal));
        let (drawn, excluded): (Vec<Drawn>, Vec<u64>) =
            drawn.collect::<Result<Vec<_>, StageError>>()?.into_iter().unzip();
        if !self.excluded.questions.is_empty() {
            // The rows that were left out count once, so that the metric adds up.
            let rows = if unit.batch == 0 { self.excluded.rows } else { 0 };
            unit.metric("excluded", (rows + excluded.iter().sum::<u64>()) as f64);
        }
        let ids: Vec<u64> = (first * repeat..end * repeat).collect();
        let rows = || drawn.iter().flat_map(|drawn| std::iter::repeat_n(drawn, self.repeat));
        let id = Column::new("id".into(), &ids);
        let text: Vec<&str> = rows().map(|drawn| drawn.text.as_str()).collect();
        let depth: Vec<Option<u32>> = rows().map(|drawn| drawn.depth).collect();
        let gold: Vec<Option<&str>> = rows().map(|drawn| drawn.gold.as_deref()).collect();
        let questions = DataFrame::new(
            ids.len(),
            vec![id.clone(), Column::new("text".into(), text), Column::new("depth".into(), depth)],
        )?;
        let golds = DataFrame::new(ids.len(), vec![id, Column::new("gold".into(), gold)])?;
        let mut bundle = Bundle::from([(self.name.clone(), questions), (format!("{}.gold", self.name), golds)]);
        if let Some(skipped) = &self.skipped {
            // They are no part of any batch, so the first has them.
            let skipped = if unit.batch == 0 { skipped.as_slice() } else { &[] };
            unit.metric("errors", skipped.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(skipped)?);
        }
        Ok(bundle)
    }
}

impl Sample {
    /// The question of an ordinal; where it is excluded, another at an address of its own. With it, how many were.
    fn draw(&self, ordinal: u64) -> Result<(Drawn, u64), StageError> {
        for again in 0..MOST_TRIES {
            let draw = if again == 0 { self.draw } else { self.draw.named("again").at(again) };
            let drawn = self.source.draw(ordinal, draw);
            if !self.excluded.questions.contains(&same_words(&drawn.text)) {
                return Ok((drawn, again));
            }
        }
        Err(format!("{MOST_TRIES} questions in a row are excluded: the source has hardly any others").into())
    }
}

/// A question as it is compared with those excluded: spaces do not count.
pub fn same_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
