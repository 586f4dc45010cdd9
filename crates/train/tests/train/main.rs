//! Losses, gradients and steps, against their definitions. One binary, as each would link libtorch anew.

mod bandit;
mod constrained;
mod cpo;
mod divergence;
mod gradients;
mod lagrangian;
mod objective;
mod step;
