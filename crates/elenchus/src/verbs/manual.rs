//! `elenchus completions` and `elenchus man`: what shells and `man` can tell of the command line, made from it.

use crate::{
    failure::{Exit, Failure},
    verbs::{cli, command::print},
};
use clap_complete::Shell;
use std::{fs, path::Path};

/// Prints what a shell needs to complete commands.
pub fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "elenchus", &mut script);
    print(script)?;
    Ok(Exit::Done)
}

/// Writes a manual page for the command, and one for each verb.
pub fn man(folder: &Path) -> Result<Exit, Failure> {
    let unwritten = |error| Failure::run(format!("`{}` cannot be written: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(unwritten)?;
    clap_mangen::generate_to(cli::command(), folder).map_err(unwritten)?;
    Ok(Exit::Done)
}
