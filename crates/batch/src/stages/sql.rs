//! `[sql.NAME]`: what a query makes of the tables of a batch.

use plan::query_name;

use crate::query::ask;
use crate::stage::{Bundle, Stage, StageError, Unit};

/// Asks a query of each batch.
pub struct Sql {
    /// The stage's name.
    pub name: String,
    /// The tables.
    pub from: Vec<String>,
    /// The query.
    pub query: String,
}

impl Stage for Sql {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let tables = self.from.iter().map(|name| Ok((query_name(name), unit.table(name)?.clone())));
        let tables = tables.collect::<Result<Vec<_>, StageError>>()?;
        let made = ask(&self.query, &tables)?;
        unit.metric("rows", made.height() as f64);
        Ok(Bundle::from([(self.name.clone(), made)]))
    }
}
