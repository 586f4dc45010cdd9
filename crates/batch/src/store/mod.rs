//! What a run leaves on the disk: a manifest with a line for each batch, segments that hold the tables, checkpoints;
//! and what it finds there of other runs.

pub mod checkpoint;
pub(crate) mod donors;
pub(crate) mod durable;
pub(crate) mod folder;
pub(crate) mod journal;
pub mod manifest;
pub(crate) mod reader;
pub(crate) mod segments;
pub(crate) mod shared;
