//! Runs of a small scripted pipeline: broken off and resumed, damaged, refused, read. And files of rows, and the stages
//! on plain tables.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asked;
mod damaged;
mod forked;
mod full_disk;
mod gold;
mod kept;
mod killed;
mod lagged;
mod parquet;
mod passed_on;
mod queries;
mod questions;
mod read;
mod refused;
mod reused;
mod scripted;
mod sources;
mod stages;
