//! The plan drawn as text: for each stage what it takes, which states it reads and changes, and what it makes.

use arrow_schema::{DataType, Field};

use crate::{Node, Plan, tables};

/// Letters in a line.
const WIDTH: usize = 110;

impl Plan {
    /// The plan as text.
    pub fn to_text(&self) -> String {
        let mut text = "Each stage runs once per batch, in this order. A column marked ? may be null.\n".to_owned();
        for (place, node) in self.nodes.iter().enumerate() {
            text.push_str(&format!("\n{:>2}  {} {}\n", place + 1, node.stage.kind(), node.name));
            text.push_str(&self.node(node));
        }
        text
    }

    fn node(&self, node: &Node) -> String {
        let takes: Vec<String> = node.inputs.iter().map(|edge| edge.table.clone()).collect();
        let given = |stage: &&usize| node.inputs.iter().any(|edge| edge.stage == **stage);
        let after = node.after.iter().filter(|stage| !given(stage)).map(|&stage| self.nodes[stage].name.clone());
        let mut text = [
            line("takes", &takes),
            line("after", &after.collect::<Vec<_>>()),
            line("reads", &node.reads),
            line("changes", &node.writes),
        ]
        .concat();
        let width = node.outputs.iter().map(|output| output.table.len()).max().unwrap_or_default();
        for (i, output) in node.outputs.iter().enumerate() {
            let label = if i == 0 { "makes" } else { "" };
            let columns: Vec<String> = output.schema.fields().iter().map(|field| column(field)).collect();
            text.push_str(&filled(&format!("    {label:<8} {:<width$}  ", output.table), &columns));
        }
        text
    }
}

/// A label and what it is for; no line where there is nothing.
fn line(label: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { filled(&format!("    {label:<8} "), items) }
}

/// Items after a start, in as many lines as they need.
fn filled(start: &str, items: &[String]) -> String {
    let mut text = String::new();
    let mut line = start.to_owned();
    for (i, item) in items.iter().enumerate() {
        if i > 0 && line.len() + item.len() + 1 > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(start.len());
        }
        line.push_str(item);
        line.push_str(if i + 1 < items.len() { ", " } else { "\n" });
    }
    text + &line
}

fn column(field: &Field) -> String {
    let null = if field.is_nullable() { "?" } else { "" };
    let gold = if tables::is_gold(field) { " (gold)" } else { "" };
    format!("{} {}{null}{gold}", field.name(), type_name(field.data_type()))
}

/// A column's type, as Rust would call it.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::UInt32 => "u32".to_owned(),
        DataType::UInt64 => "u64".to_owned(),
        DataType::Float32 => "f32".to_owned(),
        DataType::Float64 => "f64".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Utf8 => "str".to_owned(),
        DataType::List(items) => format!("[{}]", type_name(items.data_type())),
        other => other.to_string(),
    }
}
