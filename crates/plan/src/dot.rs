//! The plan in DOT, the language of Graphviz: `dot -Tsvg`.

use std::fmt::Write;

use crate::{
    Plan,
    graph::{Arrow, Done, Graph, Note},
};

const HEAD: &str = r#"digraph plan {
  node [shape=box, style=rounded, fontname="Helvetica", fontsize=12];
  edge [fontname="Helvetica", fontsize=9];
"#;

impl Plan {
    /// The plan in DOT: stages as boxes, states as drums, tables with their columns at their arrows. A dashed arrow
    /// reads a state, a bold one changes it, a dotted one is order alone. Stages with notes are green where all is done,
    /// yellow where a part is, and bold where nothing is.
    pub fn to_dot(&self, notes: &[Note]) -> String {
        let graph = Graph::new(self, notes);
        let mut text = HEAD.to_owned();
        for (place, stage) in graph.stages.iter().enumerate() {
            let style = match stage.done {
                None => "",
                Some(Done::All) => r#", style="rounded,filled", fillcolor=darkseagreen1"#,
                Some(Done::Part) => r#", style="rounded,filled", fillcolor=khaki1"#,
                Some(Done::Nothing) => r#", style="rounded,bold""#,
            };
            let lines: Vec<String> = stage.lines.iter().map(|line| escaped(line)).collect();
            let _ = writeln!(text, "  stage{place} [label=\"{}\"{style}];", lines.join("\\n"));
        }
        for (place, state) in graph.states.iter().enumerate() {
            let _ = writeln!(text, "  state{place} [label=\"{state}\", shape=cylinder, style=solid];");
        }
        for arrow in &graph.arrows {
            let _ = writeln!(text, "  {};", drawn(arrow));
        }
        text + "}\n"
    }
}

fn drawn(arrow: &Arrow) -> String {
    match arrow {
        Arrow::Table { from, to, table, columns } => {
            let columns: String = columns.iter().map(|column| format!("  {}\\l", escaped(column))).collect();
            format!("stage{from} -> stage{to} [label=\"{table}\\l{columns}\"]")
        }
        Arrow::Reads { state, stage } => format!("state{state} -> stage{stage} [style=dashed]"),
        Arrow::Changes { stage, state } => format!("stage{stage} -> state{state} [style=bold]"),
        Arrow::After { from, to } => format!("stage{from} -> stage{to} [style=dotted]"),
    }
}

/// The names of columns are the user's.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
