//! The plan in Mermaid, which Markdown pages draw.

use std::fmt::Write;

use crate::{
    Plan,
    graph::{Arrow, Done, Graph, Note},
};

/// How a stage is drawn of which earlier runs have done all, a part, or nothing.
const CLASSES: &str = "  classDef reused fill:#d9ead3,stroke:#6a9a5b,color:#222
  classDef partly fill:#fff2cc,stroke:#c9a63f,color:#222
  classDef runs stroke-width:3px
";

impl Plan {
    /// The plan as a Mermaid flowchart: stages as boxes, states as drums, tables with their columns at their arrows.
    /// A dotted arrow reads a state, a thick one changes it, one without a label is order alone. Stages with notes are
    /// green where all is done, yellow where a part is, and have a thick line where nothing is.
    pub fn to_mermaid(&self, notes: &[Note]) -> String {
        let graph = Graph::new(self, notes);
        let mut text = "flowchart TD\n".to_owned();
        for (place, stage) in graph.stages.iter().enumerate() {
            let class = match stage.done {
                None => "",
                Some(Done::All) => ":::reused",
                Some(Done::Part) => ":::partly",
                Some(Done::Nothing) => ":::runs",
            };
            let _ = writeln!(text, "  stage{place}[\"{}\"]{class}", escaped(&stage.lines.join("\n")));
        }
        for (place, state) in graph.states.iter().enumerate() {
            let _ = writeln!(text, "  state{place}[(\"{state}\")]");
        }
        for arrow in &graph.arrows {
            let _ = writeln!(text, "  {}", drawn(arrow));
        }
        if notes.is_empty() { text } else { text + CLASSES }
    }
}

fn drawn(arrow: &Arrow) -> String {
    match arrow {
        Arrow::Table { from, to, table, columns } => {
            format!("stage{from} -->|\"<b>{table}</b><br>{}\"| stage{to}", escaped(&columns.join("\n")))
        }
        Arrow::Reads { state, stage } => format!("state{state} -.-> stage{stage}"),
        Arrow::Changes { stage, state } => format!("stage{stage} ==> state{state}"),
        Arrow::After { from, to } => format!("stage{from} --> stage{to}"),
    }
}

/// The names of columns are the user's.
fn escaped(lines: &str) -> String {
    lines.replace('"', "#quot;").replace('<', "#lt;").replace('\n', "<br>")
}
