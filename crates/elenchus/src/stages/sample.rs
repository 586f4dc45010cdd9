//! `[sample.NAME]`: questions for each batch, and beside them their gold answers, which only evaluation may read.

use batch::{Bundle, QuestionRow, Stage, StageError, Unit};
use debate::draw::Draw;
use polars::prelude::*;
use tasks::{Generator, Task};

/// Where questions come from.
pub enum Source {
    /// Made as they are drawn.
    Task(Generator),
    /// The rows of files, in order, over and over. Never empty.
    Rows(Vec<QuestionRow>),
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
    /// Whether any of its questions is one of this task.
    pub fn is_of(&self, task: Task) -> bool {
        match self {
            Source::Task(generator) => generator.task() == task,
            Source::Rows(rows) => rows.iter().any(|row| task.depth(&row.text).is_some()),
        }
    }

    /// The question of a draw ordinal.
    pub fn draw(&self, ordinal: u64, draw: Draw) -> Drawn {
        match self {
            Source::Task(generator) => {
                let question = generator.question(draw.at(ordinal));
                Drawn { text: question.text, gold: Some(question.gold), depth: Some(question.depth) }
            }
            Source::Rows(rows) => {
                let row = &rows[(ordinal % rows.len() as u64) as usize];
                Drawn { text: row.text.clone(), gold: row.gold.clone(), depth: tasks::depth(&row.text) }
            }
        }
    }
}

/// Draws the questions of each batch.
pub struct Sample {
    /// The stage's name.
    pub name: String,
    /// Where they come from.
    pub source: Source,
    /// Questions per batch.
    pub rows: usize,
    /// The root of the stage's draws.
    pub draw: Draw,
}

impl Stage for Sample {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let first = unit.batch * self.rows as u64;
        let ids: Vec<u64> = (first..first + self.rows as u64).collect();
        let drawn: Vec<Drawn> = ids.iter().map(|&id| self.source.draw(id, self.draw)).collect();
        let column = |name: &str, values: Vec<Option<&str>>| Column::new(name.into(), values);
        let id = Column::new("id".into(), &ids);
        let text: Vec<&str> = drawn.iter().map(|drawn| drawn.text.as_str()).collect();
        let depth: Vec<Option<u32>> = drawn.iter().map(|drawn| drawn.depth).collect();
        let gold = column("gold", drawn.iter().map(|drawn| drawn.gold.as_deref()).collect());
        let questions = DataFrame::new(
            self.rows,
            vec![id.clone(), Column::new("text".into(), text), Column::new("depth".into(), depth)],
        )?;
        let golds = DataFrame::new(self.rows, vec![id, gold])?;
        Ok(Bundle::from([(self.name.clone(), questions), (format!("{}.gold", self.name), golds)]))
    }
}
