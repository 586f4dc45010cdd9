//! `[read.NAME]`: the rows of files, so many a batch, each once.

use std::sync::Arc;

use polars::prelude::{BooleanChunked, Column, DataFrame, PolarsResult};
use spec::settings::OnError;

use super::{Refused, errors};
use crate::source::{BadRow, Source};
use crate::stage::{Bundle, Stage, StageError, Unit};

/// Reads a stretch of rows for each batch.
pub struct Read {
    /// The stage's name.
    pub name: String,
    /// The rows.
    pub source: Arc<Source>,
    /// How many a batch has.
    pub rows: usize,
    /// The column that numbers them.
    pub number: Option<String>,
    /// What becomes of those that cannot be read.
    pub on_error: OnError,
}

impl Stage for Read {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let first = unit.batch * self.rows as u64;
        let stretch = self.source.stretch(first, self.rows)?;
        let mut table = self.numbered(stretch.table, first)?;
        if self.on_error == OnError::Skip && !stretch.bad.is_empty() {
            table = without(&table, &stretch.bad)?;
        }
        unit.metric("rows", table.height() as f64);
        match (self.on_error, stretch.bad.first()) {
            (OnError::Fail, Some(bad)) => {
                let error = bad.clone().into_error();
                return Err(format!("{error}; set `on_error = \"skip\"` to go on without it").into());
            }
            (OnError::Fail, None) => return Ok(Bundle::from([(self.name.clone(), table)])),
            (OnError::Skip | OnError::Null, _) => unit.metric("errors", stretch.bad.len() as f64),
        }
        let refused: Vec<Refused> = stretch.bad.into_iter().map(Refused::from).collect();
        Ok(Bundle::from([(self.name.clone(), table), (format!("{}.errors", self.name), errors(&refused)?)]))
    }
}

impl Read {
    fn numbered(&self, mut table: DataFrame, first: u64) -> PolarsResult<DataFrame> {
        if let Some(number) = &self.number {
            let numbers: Vec<u64> = (first..first + table.height() as u64).collect();
            table.insert_column(0, Column::new(number.into(), numbers))?;
        }
        Ok(table)
    }
}

fn without(table: &DataFrame, bad: &[BadRow]) -> PolarsResult<DataFrame> {
    let mut good = vec![true; table.height()];
    bad.iter().for_each(|bad| good[bad.row] = false);
    table.filter(&BooleanChunked::from_iter(good.into_iter().map(Some)))
}
