//! The stages that work on plain tables.

use super::table;
use crate::wiring::load::Loaded;
use batch::{
    Stage as Work,
    stages::{Command, Filter, Join, Read, Right, Sql, Write},
};
use plan::{Node, Role};
use spec::settings::{self, Stage, With};
use std::{path::Path, sync::Mutex};

/// The stage of a node.
pub(super) fn wire(loaded: &mut Loaded, node: &Node, stage: Stage, root: &Path) -> Box<dyn Work> {
    let name = node.name.clone();
    match stage {
        Stage::Read(settings::Read { files, rows, number, on_error, .. }) => {
            let source = loaded.inputs.outside.rows(&files);
            let source = source.unwrap_or_else(|_| unreachable!("the plan has opened its files"));
            Box::new(Read { name, source, rows, number, on_error })
        }
        Stage::Filter(filter) => Box::new(Filter { name, from: table(node, Role::Rows), condition: filter.condition }),
        Stage::Sql(sql) => {
            let from = node.tables(Role::Rows).map(str::to_owned).collect();
            Box::new(Sql { name, from, query: sql.query })
        }
        Stage::Join(settings::Join { with, on, how, suffix, .. }) => {
            let right = match with {
                With::Table(_) => Right::Table(table(node, Role::Right)),
                With::Files(_) => {
                    let rows = loaded.inputs.joined.remove(&name);
                    Right::Rows(rows.expect("load reads the rows of every join stage"))
                }
            };
            Box::new(Join { name, left: table(node, Role::Rows), right, on, how, suffix })
        }
        Stage::Command(command) => Box::new(self::command(node, command, root)),
        other => unreachable!("a {} stage works on no plain tables", other.kind()),
    }
}

fn command(node: &Node, settings: settings::Command, root: &Path) -> Command {
    let settings::Command { run, folder, time_limit, on_error, .. } = settings;
    Command {
        name: node.name.clone(),
        from: table(node, Role::Rows),
        run,
        folder: folder.path.into(),
        log: root.join("logs").join(format!("{}.log", node.name)),
        schema: node.outputs[0].schema.clone(),
        time_limit,
        on_error,
        turn: Mutex::default(),
    }
}

/// The stage of a node that writes a dataset.
pub fn writer(node: &Node, write: &settings::Write, root: &Path) -> Write {
    Write {
        name: node.name.clone(),
        from: table(node, Role::Rows),
        run: root.to_owned(),
        folder: write.folder.as_ref().map(|folder| folder.path.clone().into()),
        split: write.split.clone(),
    }
}
