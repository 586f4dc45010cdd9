//! What runs come to: how often answers are right, how sure that is, and how it is shown.

pub mod bootstrap;
pub mod comparison;
pub mod derived;
pub mod estimate;
pub mod figures;
pub mod harms;
pub mod pages;
pub mod ratings;
pub mod speakers;
pub mod summary;
pub mod surface;
pub mod tallies;
pub mod tensorboard;
pub mod transcript;
pub mod watch;
