//! Examples into gradients, gradients into weights. `gradients.rs` has the two losses of the procedure, `objective.rs`
//! what rewarded tokens are trained on, `micro_batch.rs` the way through the model, `adamw.rs` the optimizer, `step.rs`
//! what a training stage does with them, `follow.rs` how M_target follows M.

mod adamw;
mod follow;
mod gradients;
mod micro_batch;
mod objective;
mod step;

pub use adamw::{AdamW, OptimizerError, Rates};
pub use follow::{copy, polyak};
pub use gradients::{Example, Gradients, Term, TrainError, gradients};
pub use objective::Objective;
pub use step::{Applied, Metrics, Step, step};
