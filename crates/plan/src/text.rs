//! The plan drawn as text: for each stage what it takes, which states it reads and changes, whom it asks how much, and
//! what it makes.

use arrow_schema::{DataType, Field};

use spec::Due;

use crate::{Expected, Node, Plan, tables};

const HEAD: &str = "\
Each stage runs once per batch, in this order. A column marked ? may be null. Numbers are what is expected of a batch,
on average over Samp's draws.
";

/// Letters in a line.
const WIDTH: usize = 110;

impl Plan {
    /// The plan as text.
    pub fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        if self.nodes.iter().flat_map(|node| &node.outputs).any(|output| !output.kept) {
            text.push_str("A table that is passed on is not kept in the run's folder.\n");
        }
        for (place, node) in self.nodes.iter().enumerate() {
            text.push_str(&format!("\n{:>2}  {} {}\n", place + 1, node.stage.kind(), node.name));
            text.push_str(&self.node(node));
        }
        text + &self.asked()
    }

    /// What a whole batch puts to M and to H.
    fn asked(&self) -> String {
        let always = self.nodes.iter().filter(|node| node.stage.due() == Due::ALWAYS).map(|node| &node.work);
        let zero = (Expected::default(), Expected::default());
        let (model, human) = always.fold(zero, |(m, h), work| (m + work.to_model, h + work.to_human));
        match asks(model, human) {
            Some(asks) => format!("\nA batch asks {asks}, evaluations aside.\n"),
            None => String::new(),
        }
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
            line("due", due(node.stage.due()).as_slice()),
            line("asks", asks(node.work.to_model, node.work.to_human).as_slice()),
        ]
        .concat();
        for (i, (output, expected)) in node.outputs.iter().zip(&node.work.rows).enumerate() {
            let label = match (i, output.kept) {
                (0, true) => "makes",
                (0, false) => "passes",
                _ => "",
            };
            text.push_str(&format!("    {label:<8} {}: {}\n", output.table, rows(*expected)));
            let columns: Vec<String> = output.schema.fields().iter().map(|field| column(field)).collect();
            text.push_str(&filled(&" ".repeat(15), &columns));
        }
        text
    }
}

/// When a stage is due, unless always.
fn due(due: Due) -> Option<String> {
    let every = due.every.map(|batches| format!("every {batches} batches"));
    let until = due.until.map(|batches| format!("the first {batches} batches"));
    let last = due.last.then(|| "after the last batch".to_owned());
    (due != Due::ALWAYS).then(|| every.into_iter().chain(until).chain(last).collect::<Vec<_>>().join(", and "))
}

/// What is put to M and to H, if anything.
fn asks(model: Expected, human: Expected) -> Option<String> {
    let asks = |who: &str, expected: Expected| {
        let any = expected.most > 0.0 || expected.and_asked;
        let more = if expected.and_asked { " and what H asks" } else { "" };
        any.then(|| format!("{who} {} questions{more}", range(expected)))
    };
    let said: Vec<String> = [asks("M", model), asks("H", human)].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn rows(expected: Expected) -> String {
    format!("{} rows{}", range(expected), if expected.and_asked { " and what H asks" } else { "" })
}

/// A number, or the least and the most.
fn range(expected: Expected) -> String {
    let (least, most) = (expected.least.round(), expected.most.round());
    match (least, most) {
        (0.0, f64::INFINITY) => "any number of".to_owned(),
        (least, f64::INFINITY) => format!("at least {least}"),
        _ if least == most => least.to_string(),
        _ => format!("{least} to {most}"),
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

/// A column with its type, as in `depth u32?`.
pub(crate) fn column(field: &Field) -> String {
    let null = if field.is_nullable() { "?" } else { "" };
    let gold = if tables::is_gold(field) { " (gold)" } else { "" };
    format!("{} {}{null}{gold}", field.name(), type_name(field.data_type()))
}

/// A column's type, as Rust would call it.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Int32 => "i32".to_owned(),
        DataType::Int64 => "i64".to_owned(),
        DataType::UInt32 => "u32".to_owned(),
        DataType::UInt64 => "u64".to_owned(),
        DataType::Float32 => "f32".to_owned(),
        DataType::Float64 => "f64".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Utf8 => "str".to_owned(),
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{}: {}", field.name(), type_name(field.data_type()))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        DataType::List(items) => format!("[{}]", type_name(items.data_type())),
        other => other.to_string(),
    }
}
