//! Milestones, as the train stage by whose loss they go takes note of them.

use crate::stages::states::Milestone;
use batch::{StageError, Unit};

/// A milestone to be reached.
pub struct Watched {
    /// Its name.
    pub name: String,
    /// The state that holds the mean, and when it was reached.
    pub state: String,
    /// When it is.
    pub settings: spec::settings::Milestone,
}

impl Watched {
    /// Takes note of the loss of a batch. From the batch at which it is reached on, that one's number is a metric.
    pub fn see(&self, unit: &mut Unit<'_>, loss: Option<f64>) -> Result<(), StageError> {
        let milestone = unit.write::<Milestone>(&self.state)?;
        loss.into_iter().for_each(|loss| milestone.follow(loss, &self.settings, unit.batch));
        if let Some(batch) = milestone.reached {
            unit.metric(metric(&self.name), batch as f64);
        }
        Ok(())
    }
}

/// What a train stage calls the batch at which a milestone was reached.
pub fn metric(milestone: &str) -> String {
    format!("milestone_{milestone}")
}
