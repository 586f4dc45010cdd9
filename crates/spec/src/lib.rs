//! An experiment's TOML file, read into typed and placed settings.
//!
//! [`read`] goes through the file once and notes all that is wrong with it, each [`Problem`] at its culprit. What a
//! setting means stands at its type in [`settings`]; how it is read, in the function of its kind. What only the whole
//! graph can tell, such as a name that leads nowhere, is left to the crate `plan`.

mod at;
mod constrained;
mod distance;
mod document;
mod due;
mod inspection;
mod layers;
mod parties;
mod penalty;
pub mod place;
mod policy;
pub mod problem;
mod samp;
mod schedule;
mod schema;
pub mod settings;
mod source;
mod stages;
mod table;
mod value;
mod write;

pub use at::Leaves;
pub use document::{read, read_sources};
pub use due::Due;
pub use place::{Places, Span};
pub use problem::Problem;
pub use schema::{distances, schema, stage_kinds, tools};
pub use settings::Pipeline;
pub use source::{Source, SourceError, Sources};

/// Names that other crates provide, and a file may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Generators of questions.
    pub tasks: Vec<String>,
    /// Scripted humans.
    pub scripts: Vec<String>,
}

/// A pipeline file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What the file says, with defaults in place of what cannot be used.
    pub pipeline: Pipeline,
    /// All that is wrong with it, in the order of the file.
    pub problems: Vec<Problem>,
}
