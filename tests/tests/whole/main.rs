//! Whole pipelines, from a file to what a run leaves behind.
//!
//! They are one binary with a module for each file, as each binary would link polars and libtorch anew: 400 MB, and most of
//! the time that a change waits for. So they share a process, as threads of it: none changes the environment or the working
//! directory, and one that needs a process of its own starts it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_questions;
mod baseline;
mod bytes;
mod constrained;
mod consulting;
mod data;
mod datasets;
mod distance;
mod docs;
mod embedding;
mod expected;
mod files;
mod forms;
mod groups;
mod imitation;
mod invalid;
mod judging;
mod killed;
mod kl;
mod milestones;
mod outputs;
mod penalty;
mod pipelines;
mod plain;
mod plain_tables;
mod plots;
mod policy_gradient;
mod pretrained;
mod ratings;
mod real_data;
mod reference_rows;
mod samp;
mod sampling;
mod settings;
mod snapshot;
mod tools;
mod understudy;
mod unread;
mod verbs;
mod watch;
