//! Examples into gradients, gradients into weights. `gradients.rs` has the two losses of the procedure, `adamw.rs` the
//! optimizer, `step.rs` what a training stage does with both, `follow.rs` how M_target follows M.

mod adamw;
mod follow;
mod gradients;
mod step;

pub use adamw::{AdamW, OptimizerError, Rates};
pub use follow::{copy, polyak};
pub use gradients::{Example, Gradients, Term, TrainError, gradients};
pub use step::{Applied, Metrics, Step, step};
