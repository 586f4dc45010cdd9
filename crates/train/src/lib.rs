//! Examples into gradients, gradients into weights. `gradients.rs` has the two losses of the procedure, `objective.rs`
//! what rewarded tokens are trained on, `micro_batch.rs` the way through the model, `adamw.rs` the optimizer, `step.rs`
//! what a training stage does with them, `follow.rs` how M_target follows M.
//!
//! Where the supervised loss has a limit, `cpo.rs` is the mathematics of a step within it, `fisher.rs` and `constrained.rs`
//! take one with a model, and `lagrangian.rs` has the multiplier of the other way.

mod adamw;
mod constrained;
pub mod cpo;
mod fisher;
mod follow;
mod gradients;
mod lagrangian;
mod micro_batch;
mod objective;
mod step;

pub use adamw::{AdamW, OptimizerError, Rates};
pub use constrained::{Constrained, constrained_step};
pub use fisher::Fisher;
pub use follow::{copy, polyak};
pub use gradients::{Example, Gradients, Term, TrainError, gradients};
pub use lagrangian::Multiplier;
pub use objective::Objective;
pub use step::{Applied, Metrics, Step, step};
