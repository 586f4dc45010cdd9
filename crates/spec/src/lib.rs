//! An experiment's TOML file, read into typed and placed settings.

pub mod settings;
