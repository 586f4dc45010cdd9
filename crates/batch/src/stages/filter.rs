//! `[filter.NAME]`: the rows for which a condition holds.

use plan::query_name;

use crate::query::ask;
use crate::stage::{Bundle, Stage, StageError, Unit};

/// Filters each batch. The texts that stay are not copied.
pub struct Filter {
    /// The stage's name.
    pub name: String,
    /// The table.
    pub from: String,
    /// An SQL expression.
    pub condition: String,
}

impl Stage for Filter {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let name = query_name(&self.from);
        let query = format!("SELECT * FROM \"{name}\" WHERE {}", self.condition);
        let rows = ask(&query, &[(name, unit.table(&self.from)?.clone())])?;
        unit.metric("rows", rows.height() as f64);
        Ok(Bundle::from([(self.name.clone(), rows)]))
    }
}
