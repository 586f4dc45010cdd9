//! What a pipeline file may say: `elenchus schema` for editors, `elenchus list` for people, `elenchus new` to begin with.

use crate::{
    failure::{Exit, Failure},
    verbs::command::print,
};
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};
use tasks::Task;

/// What `elenchus new` writes.
pub const STARTER: &str = include_str!("starter.toml");

/// Prints the JSON schema of the pipeline file.
pub fn schema() -> Result<Exit, Failure> {
    print(format!("{:#}\n", spec::schema()))?;
    Ok(Exit::Done)
}

/// Prints what there is to choose from, one line each.
pub fn list() -> Result<Exit, Failure> {
    print(listing())?;
    Ok(Exit::Done)
}

/// Writes a pipeline file to begin with.
pub fn new(file: &Path) -> Result<Exit, Failure> {
    let refuse = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::command(format!("{} is there already", file.display())),
        _ => Failure::command(format!("{} cannot be written: {error}", file.display())),
    };
    File::create_new(file).and_then(|mut new| new.write_all(STARTER.as_bytes())).map_err(refuse)?;
    print(format!("{0} is written; run it with: elenchus run {0}\n", file.display()))?;
    Ok(Exit::Done)
}

fn listing() -> String {
    let tasks = Task::ALL.map(|task| (task.name().to_owned(), task.about().to_owned()));
    let scripts =
        Task::ALL.map(|task| (task.name().to_owned(), format!("takes one step of a {} question", task.name())));
    [
        section("stage kinds, [KIND.NAME]", &spec::stage_kinds()),
        section("tasks, task = { name = … }", &tasks),
        section("scripted humans, [human.NAME] script = …", &scripts),
        section("distances, [loss.NAME] distance = …", &spec::distances()),
        section("transparency tools, [debate.NAME] inspection = { tools = […] }", &spec::tools()),
    ]
    .join("\n")
}

fn section(title: &str, things: &[(String, String)]) -> String {
    let width = things.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = things.iter().map(|(name, meaning)| format!("  {name:<width$}  {meaning}\n"));
    format!("{title}\n{}", lines.collect::<String>())
}
