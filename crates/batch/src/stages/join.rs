//! `[join.NAME]`: the rows of a table beside those of another with the same keys.

use polars::prelude::{DataFrame, DataFrameJoinOps, JoinArgs, JoinCoalesce, JoinType, MaintainOrderJoin, PolarsResult};
use spec::settings::How;

use crate::stage::{Bundle, Stage, StageError, Unit};

/// Joins each batch.
pub struct Join {
    /// The stage's name.
    pub name: String,
    /// The table on the left.
    pub left: String,
    /// What stands on the right.
    pub right: Right,
    /// The keys, left and right.
    pub on: Vec<(String, String)>,
    /// Which rows there are.
    pub how: How,
    /// Put after the name of a column on the right that the left has too.
    pub suffix: String,
}

/// The right side of a join.
pub enum Right {
    /// A table of the same batch.
    Table(String),
    /// The same rows in every batch.
    Rows(DataFrame),
}

impl Stage for Join {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let left = unit.table(&self.left)?;
        let right = match &self.right {
            Right::Table(name) => unit.table(name)?,
            Right::Rows(rows) => rows,
        };
        let joined = self.joined(left, right)?;
        unit.metric("rows", joined.height() as f64);
        Ok(Bundle::from([(self.name.clone(), joined)]))
    }
}

impl Join {
    /// In the order of the left side, and of the right one among the partners of a row: so the same bytes each time.
    fn joined(&self, left: &DataFrame, right: &DataFrame) -> PolarsResult<DataFrame> {
        let how = match self.how {
            How::Inner => JoinType::Inner,
            How::Left => JoinType::Left,
            How::Semi => JoinType::Semi,
            How::Anti => JoinType::Anti,
        };
        let args = JoinArgs {
            suffix: Some(self.suffix.as_str().into()),
            coalesce: JoinCoalesce::CoalesceColumns,
            maintain_order: MaintainOrderJoin::LeftRight,
            ..JoinArgs::new(how)
        };
        let keys = |side: fn(&(String, String)) -> &String| self.on.iter().map(side).cloned().collect::<Vec<_>>();
        left.join(right, keys(|pair| &pair.0), keys(|pair| &pair.1), args, None)
    }
}
