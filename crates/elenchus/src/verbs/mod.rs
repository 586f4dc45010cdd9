//! What a user says, and what is said to the user: the command line, a file a verb.

pub mod cache;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod command;
pub mod compare;
pub mod evaluate;
pub mod fork;
pub mod group;
pub mod manual;
pub mod progress;
pub mod rows;
pub mod run;
pub mod show;
pub mod snapshot;
pub mod unfinished;
pub mod variants;
