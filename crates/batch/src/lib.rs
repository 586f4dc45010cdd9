//! Runs a plan, batch by batch, into committed tables and states.
//!
//! A unit of work is a [`Stage`] on a batch: (tables, states) → (tables, new states). [`run`] takes each batch through
//! every stage and commits it once, in a [`RunFolder`]:
//!
//! ```text
//! RUN/pipeline.toml  source.toml  plan.txt         how it came about
//!     manifest.jsonl                               what has happened: a line a batch, each with its checksum
//!     tables/TABLE/000007.parquet                  what the stages put out
//!     checkpoints/000050/STATE/FILE                the states after so many batches
//!     timings.jsonl                                what may differ from run to run
//!     lock                                         held by the process that runs
//! ```
//!
//! A run killed at any moment resumes to the same bytes as an unbroken one (timings apart): what is not in the
//! manifest has not happened and is removed; states are loaded from a checkpoint, and the stages that write them are
//! run again over the tables committed since. [`Run`] reads what was committed.

pub mod checkpoint;
mod durable;
mod error;
mod event;
mod execute;
mod folder;
pub mod manifest;
pub mod parquet;
mod questions;
mod reader;
mod resume;
pub mod schema;
mod shapes;
mod source;
mod stage;
pub mod stages;
mod state;
mod tables;

pub use checkpoint::{CheckpointError, Policy};
pub use durable::{Digest, FileError};
pub use error::RunError;
pub use event::Event;
pub use execute::{Job, Outcome, run};
pub use folder::{FolderError, RunFolder, Texts};
pub use questions::{QuestionRow, QuestionsError, question_rows, read_questions};
pub use reader::Run;
pub use shapes::Sources;
pub use source::{BadRow, Source, SourceError, Stretch};
pub use stage::{Bundle, Stage, StageError, Unit, UnitError};
pub use state::{Files, State, StateError, States};
pub use tables::TableError;
