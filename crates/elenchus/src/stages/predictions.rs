//! `[loss.NAME]` with `predict`: what Adv learns from the answers that H gave. Of each, Adv was asked whether H would say
//! what M said; by a distance d of the two answers, yes was right by 1 − d and no by d. Weighed by its propensity it stands
//! for those over which H was not called, so that Adv learns of all questions, and not only of those that it suspects.

use super::loss::{Example, into_table};
use crate::stages::{
    embeddings::{Embeddings, measure},
    tables,
};
use batch::{Bundle, Stage, StageError, Unit};
use debate::{
    adversary::{Outcome, outcomes},
    answerer::Sampled,
    debate::Voice,
    question::Asked,
    trace::Call,
};
use model::Tokenizer;
use polars::prelude::Column;
use spec::settings::{Distance, Weight};
use std::sync::Arc;

/// Turns what Adv was asked in a batch into weighted token sequences.
pub struct Predictions {
    /// The stage's name.
    pub name: String,
    /// Where the calls are that Adv was asked about.
    pub calls: Vec<Predicted>,
    /// d.
    pub distance: Distance,
    /// What that goes by, if it is one of embeddings.
    pub embedder: Option<Arc<Embeddings>>,
    /// What an example counts.
    pub weight: Weight,
    /// Turns yes and no into tokens.
    pub tokenizer: Tokenizer,
}

/// A table of calls.
pub struct Predicted {
    /// Its name.
    pub table: String,
    /// Those of its questions that are put to Adv's Amp≈, of one voice or whosever.
    pub asked: Vec<(Asked, Option<Voice>)>,
}

impl Stage for Predictions {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let mut examples = Vec::new();
        for Predicted { table, asked } in &self.calls {
            let mut calls = tables::to_calls(unit.table(table)?)?;
            let of_voice = |call: &Call, voice: Option<Voice>| voice.is_none() || call.voice == voice;
            calls.retain(|call| asked.iter().any(|&(asked, voice)| call.asked == asked && of_voice(call, voice)));
            let outcomes = outcomes(measure(&self.distance, self.embedder.as_deref()), &calls)?;
            examples.extend(outcomes.into_iter().flat_map(|it| self.examples(it)));
        }
        let mut table = into_table(&examples)?;
        if self.weight == Weight::Propensity {
            let propensities: Vec<Option<f64>> = examples.iter().map(|example| example.propensity).collect();
            table.with_column(Column::new("propensity".into(), propensities))?;
        }
        Ok(Bundle::from([(self.name.clone(), table)]))
    }
}

impl Predictions {
    /// What one answer of H teaches. A word that was not right at all is left out.
    fn examples(&self, Outcome { call, distance, propensity }: Outcome<'_>) -> Vec<Example> {
        let propensity = propensity.filter(|_| self.weight == Weight::Propensity);
        let example = |(word, right): (&str, f64)| {
            // The question keeps the tokens that Adv was given.
            let asked = |sampled: Sampled| Sampled { tokens: self.tokenizer.answer(word), ..sampled };
            let said = Call { sampled: call.sampled.clone().map(asked), ..call.clone() };
            let weight = (right / propensity.unwrap_or(1.0)) as f32;
            let mut example = Example::new(&self.tokenizer, said, weight, None, None);
            (example.propensity, example.log_probs) = (propensity, None);
            example
        };
        [("Yes", 1.0 - distance), ("No", distance)].into_iter().filter(|(_, right)| *right > 0.0).map(example).collect()
    }
}
