//! Elenchus trains question-answering models by synthesizing amplification and debate. An experiment is one TOML file;
//! this crate wires its stages, adapts the transformer to the procedure, and talks to the user. The manual is in
//! [`docs`].

pub mod answerers;
pub mod cache;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod command;
pub mod compare;
pub mod comparison;
pub mod derived;
pub mod docs;
pub mod estimate;
pub mod evaluate;
pub mod evaluation;
pub mod figures;
pub mod fork;
pub mod group;
pub mod inputs;
pub mod load;
pub mod manual;
pub mod outside;
pub mod pages;
pub mod progress;
pub mod rows;
pub mod run;
pub mod show;
pub mod snapshot;
pub mod stages;
pub mod states;
pub mod summary;
pub mod surface;
pub mod tables;
pub mod tensorboard;
pub mod unfinished;
pub mod variants;
pub mod wire;
