//! Elenchus trains question-answering models by synthesizing amplification and debate. An experiment is one TOML file;
//! this crate wires its stages, adapts the transformer to the procedure, and talks to the user. The manual is in
//! [`docs`].

pub mod docs;
pub mod failure;
pub mod results;
pub mod stages;
pub mod verbs;
pub mod wiring;
