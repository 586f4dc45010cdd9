//! The plan in Mermaid, which Markdown pages draw.

use std::fmt::Write;

use crate::{
    Plan,
    graph::{Arrow, Graph},
};

impl Plan {
    /// The plan as a Mermaid flowchart: stages as boxes, states as drums, tables with their columns at their arrows.
    /// A dotted arrow reads a state, a thick one changes it, one without a label is order alone.
    pub fn to_mermaid(&self) -> String {
        let graph = Graph::new(self);
        let mut text = "flowchart TD\n".to_owned();
        for (place, (kind, name)) in graph.stages.iter().enumerate() {
            let _ = writeln!(text, "  stage{place}[\"{kind}<br>{name}\"]");
        }
        for (place, state) in graph.states.iter().enumerate() {
            let _ = writeln!(text, "  state{place}[(\"{state}\")]");
        }
        for arrow in &graph.arrows {
            let _ = writeln!(text, "  {}", drawn(arrow));
        }
        text
    }
}

fn drawn(arrow: &Arrow) -> String {
    match arrow {
        Arrow::Table { from, to, table, columns } => {
            format!("stage{from} -->|\"<b>{table}</b><br>{}\"| stage{to}", columns.join("<br>"))
        }
        Arrow::Reads { state, stage } => format!("state{state} -.-> stage{stage}"),
        Arrow::Changes { stage, state } => format!("stage{stage} ==> state{state}"),
        Arrow::After { from, to } => format!("stage{from} --> stage{to}"),
    }
}
