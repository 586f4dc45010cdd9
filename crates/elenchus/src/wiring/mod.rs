//! From a pipeline file to what the engine runs: the file loaded, its questions and models opened, a stage for each of its
//! tables.

pub mod inputs;
pub mod load;
pub mod outside;
pub mod wire;
