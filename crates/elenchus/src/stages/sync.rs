//! `[sync.NAME]`: M_target follows M.

use crate::stages::states::ModelState;
use batch::{Bundle, Stage, StageError, Unit};
use spec::settings::Follow;

/// Moves one model towards another.
pub struct Sync {
    /// The state that is followed.
    pub source: String,
    /// The state that follows.
    pub target: String,
    /// How.
    pub follow: Follow,
}

impl Stage for Sync {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        if !unit.due {
            return Ok(Bundle::new());
        }
        let source = unit.read::<ModelState>(&self.source)?;
        let target = unit.write::<ModelState>(&self.target)?;
        match &self.follow {
            Follow::Polyak(decay) => train::polyak(&mut target.0, &source.0, decay.at(unit.batch)),
            Follow::Every(_) | Follow::Until(_) => train::copy(&mut target.0, &source.0),
        }
        Ok(Bundle::new())
    }
}
