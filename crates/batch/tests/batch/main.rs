//! Runs of a small scripted pipeline: broken off and resumed, damaged, refused, read. And files of rows, and the stages
//! on plain tables.

mod damaged;
mod full_disk;
mod kept;
mod killed;
mod parquet;
mod questions;
mod read;
mod refused;
mod scripted;
mod sources;
mod stages;
