//! What schedules may wait for.

use schemars::JsonSchema;
use serde::Serialize;

use super::Reference;

/// `[milestone.NAME]`: reached for good at the first batch after which the running mean of a supervised loss is below a
/// bound. Schedules may count their batches from it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Milestone {
    /// The `train` stage whose supervised loss it is.
    #[schemars(extend("x-changes" = "tables"))]
    pub loss_of: Reference,
    /// The bound: in nats per token of the targets, or of d where M trains on a distance of texts.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-changes" = "tables"))]
    pub below: f64,
    /// Decay per batch of the running mean.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0, "default" = 0.9, "x-changes" = "tables"))]
    pub decay: f64,
}
