//! `inspection` of `[debate.NAME]`: transparency tools.

use crate::{
    settings::{Inspection, Tool},
    table::Table,
};

pub(crate) fn inspection(table: &mut Table<'_>) -> Inspection {
    let tools = table.required("tools", Vec::new(), |value| value.some(|tool| tool.word(&Tool::ALL)));
    let default = Inspection::new(tools);
    let inspection = Inspection {
        uses: table.or("uses", default.uses, |value| value.whole(..)),
        samples: table.or("samples", default.samples, |value| value.whole(1..)),
        shuffled: table.or("shuffled", default.shuffled, |value| value.truth()),
        learning_rate: table.or("learning_rate", default.learning_rate, |value| value.number(0.0..)),
        tools: default.tools.clone(),
    };
    if !inspection.tools.is_empty() {
        for (key, tools) in useless(&inspection, &default) {
            let message = format!("`{key}` is of the tool {tools}, which is not among `tools`");
            table.problem_at(key, message, "add it to `tools`, or leave this out");
        }
    }
    inspection
}

/// The keys that no tool goes by, with those that would.
fn useless(inspection: &Inspection, default: &Inspection) -> Vec<(&'static str, &'static str)> {
    let asks = inspection.has(Tool::Resampling) || inspection.has(Tool::Consistency);
    let problems = [
        (inspection.samples != default.samples && !asks, "samples", "`resampling`, or of `consistency`"),
        (inspection.learning_rate != default.learning_rate && !inspection.has(Tool::Probe), "learning_rate", "`probe`"),
    ];
    problems.into_iter().filter(|(holds, ..)| *holds).map(|(_, key, tools)| (key, tools)).collect()
}
