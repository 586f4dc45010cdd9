//! Runs a plan, batch by batch, into committed tables and states.
//!
//! A unit of work is a [`Stage`] on a batch: (tables, states) → (tables, new states). [`run`] takes each batch through
//! every stage and commits it once, in a [`RunFolder`]:
//!
//! ```text
//! RUN/pipeline.toml  source.toml  plan.txt         how it came about
//!     manifest.jsonl                               what has happened: a line a batch, each with its checksum
//!     segments/000000                              the tables that stages put out, batch after batch
//!     shared/000000                                the same, taken from earlier runs
//!     checkpoints/000050/STATE/FILE                the states after so many batches
//!     journal                                      every answer from outside, before it was used
//!     timings.jsonl                                what may differ from run to run
//!     lock                                         held by the process that runs
//! ```
//!
//! A run killed at any moment resumes to the same bytes as an unbroken one (timings apart): what is not in the
//! manifest has not happened and is removed; states are loaded from a checkpoint, and the stages that write them are
//! run again over the tables committed since. [`Run`] reads what was committed.

mod engine;
mod error;
mod event;
pub mod parquet;
mod query;
mod questions;
pub mod schema;
mod shapes;
mod source;
mod stage;
pub mod stages;
mod state;
mod store;

pub use engine::execute::{Job, Outcome, run};
pub use engine::fork::{Branch, ForkError, fork};
pub use engine::preview::{Preview, StagePreview, preview};
pub use error::RunError;
pub use event::Event;
pub use questions::{QuestionRow, question_rows, questions_among};
pub use shapes::Sources;
pub use source::{BadRow, Source, SourceError, Stretch};
pub use stage::{Bundle, Stage, StageError, Unit, UnitError};
pub use state::{Files, State, StateError, States};
pub use store::checkpoint::{self, CheckpointError, Policy};
pub use store::durable::{Digest, FileError};
pub use store::folder::{FolderError, RunFolder, Texts};
pub use store::journal::{Call, JournalError, Outside};
pub use store::manifest;
pub use store::reader::Run;
pub use store::segments::TableError;
pub use store::shared::{Entry, Store};
