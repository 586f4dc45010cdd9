//! The plan as JSON, for programs.

use arrow_schema::Field;
use serde_json::{Value, json};
use spec::Due;

use crate::{
    Expected, Node, Output, Plan,
    tables::{is_gold, meaning},
    text::type_name,
};

impl Plan {
    /// The plan as a JSON object: its `key`, and its `stages` in order, each with `kind`, `name`, `key`, `takes` (the
    /// `table`s, `from` which stage, and what each `is` to it), `after`, `reads`, `changes`, `due`, `asks` and `makes`
    /// (each table with its `columns` and expected `rows`). An expected number is `{least, most}`, with `and_asked`
    /// where H's sub-questions to M come on top.
    pub fn to_json(&self) -> Value {
        let stages: Vec<Value> = self.nodes.iter().map(|node| self.stage(node)).collect();
        json!({ "key": self.key.to_string(), "stages": stages })
    }

    fn stage(&self, node: &Node) -> Value {
        let name = |stage: &usize| self.nodes[*stage].name.as_str();
        let takes = node.inputs.iter().map(|edge| {
            json!({ "table": edge.table, "from": name(&edge.stage), "is": format!("{:?}", edge.role).to_lowercase() })
        });
        let makes = node.outputs.iter().zip(&node.work.rows).map(|(output, rows)| table(output, rows));
        json!({
            "kind": node.stage.kind(),
            "name": node.name,
            "key": node.key.to_string(),
            "takes": takes.collect::<Vec<_>>(),
            "after": node.after.iter().map(name).collect::<Vec<_>>(),
            "reads": node.reads,
            "changes": node.writes,
            "due": due(node.stage.due()),
            "asks": { "model": expected(&node.work.to_model), "human": expected(&node.work.to_human) },
            "makes": makes.collect::<Vec<_>>(),
        })
    }
}

fn due(due: Due) -> Value {
    let mut said = json!({ "every": due.every, "last": due.last });
    if let Some(until) = due.until {
        said["until"] = json!(until);
    }
    said
}

fn table(output: &Output, rows: &Expected) -> Value {
    let columns: Vec<Value> = output.schema.fields().iter().map(|field| column(field)).collect();
    json!({ "table": output.table, "rows": expected(rows), "columns": columns })
}

fn column(field: &Field) -> Value {
    json!({
        "name": field.name(),
        "type": type_name(field.data_type()),
        "nullable": field.is_nullable(),
        "gold": is_gold(field),
        "doc": meaning(field),
    })
}

fn expected(expected: &Expected) -> Value {
    json!({ "least": expected.least, "most": expected.most, "and_asked": expected.and_asked })
}
