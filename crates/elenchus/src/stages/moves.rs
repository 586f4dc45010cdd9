//! `[loss.NAME]` with `steps_of`: what H′ learns from the moves that H made: each as it was given the question, and what H
//! did then.

use super::loss::{Example, into_table};
use crate::stages::tables;
use batch::{Bundle, Stage, StageError, Unit};
use polars::prelude::*;

/// Turns H's moves of a batch into token sequences.
pub struct Moves {
    /// The stage's name.
    pub name: String,
    /// The tables of moves.
    pub steps: Vec<String>,
    /// The learned human.
    pub human: String,
}

impl Stage for Moves {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let mut examples = Vec::new();
        for table in &self.steps {
            examples.extend(self.examples(unit.table(table)?)?);
        }
        Ok(Bundle::from([(self.name.clone(), into_table(&examples)?)]))
    }
}

impl Moves {
    /// Those of H itself; what the model did in its place teaches it nothing.
    fn examples(&self, steps: &DataFrame) -> PolarsResult<Vec<Example>> {
        let (question, turn) = (tables::u64s(steps, "question")?, tables::u32s(steps, "turn")?);
        let (asked, human, by) =
            (tables::texts(steps, "asked")?, tables::texts(steps, "human")?, tables::texts(steps, "by")?);
        let (prompts, tokens) = (tables::list_u32(steps, "prompt_tokens")?, tables::list_u32(steps, "tokens")?);
        let made = (0..steps.height()).filter(|&row| human[row] == self.human && by[row] == "human");
        let example = |row: usize| {
            let [prompt, tokens] = [&prompts, &tokens].map(|lists| lists[row].clone().unwrap_or_default());
            Ok(Example::of_move(question[row], turn[row], tables::asked_named(&asked[row])?, prompt, &tokens))
        };
        made.map(example).collect()
    }
}
