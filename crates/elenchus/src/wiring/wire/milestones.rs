//! Numbers that wait for a milestone. No stage of the procedure has to know of these: one that waits is wired anew for
//! each batch, from settings in which what waited for a milestone that was reached is points like any other.

use super::{Opened, Parts, named, of_procedure};
use crate::stages::{milestone::Watched, states::Milestone};
use batch::{Bundle, Stage as Work, StageError, Unit};
use model::Tokenizer;
use plan::{Node, states};
use spec::settings::{self, Named, Pipeline};
use std::collections::BTreeMap;

/// A stage that waits.
struct Waiting {
    pipeline: Pipeline,
    tokenizer: Tokenizer,
    node: Node,
    opened: Opened,
    /// The names of the milestones.
    milestones: Vec<String>,
}

/// What does the work of a node: wired once, or where it goes by milestones, batch by batch.
pub(super) fn wire(parts: Parts<'_>, node: Node, opened: Opened) -> Box<dyn Work> {
    let Parts { pipeline, tokenizer } = parts;
    let names = pipeline.milestones.iter().map(|milestone| milestone.name.clone());
    let milestones: Vec<String> = names.filter(|name| node.reads.contains(&states::milestone(name))).collect();
    if milestones.is_empty() {
        return of_procedure(parts, &node, &opened);
    }
    let (pipeline, tokenizer) = (pipeline.clone(), tokenizer.clone());
    Box::new(Waiting { pipeline, tokenizer, node, opened, milestones })
}

impl Work for Waiting {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let pipeline = self.pipeline.since(&self.reached(unit)?);
        let node = Node { stage: named(&pipeline.stages, &self.node.name).clone(), ..self.node.clone() };
        let parts = Parts { pipeline: &pipeline, tokenizer: &self.tokenizer };
        of_procedure(parts, &node, &self.opened).run(unit)
    }
}

impl Waiting {
    /// The milestones that were reached, each with its batch. Where a stage is not due, it goes by no state.
    fn reached(&self, unit: &Unit<'_>) -> Result<BTreeMap<String, u64>, StageError> {
        let mut reached = BTreeMap::new();
        for name in self.milestones.iter().filter(|_| unit.due) {
            let milestone = unit.peek::<Milestone>(&states::milestone(name))?;
            reached.extend(milestone.reached.map(|batch| (name.clone(), batch)));
        }
        Ok(reached)
    }
}

/// The milestones that are reached by the loss of a train stage.
pub(super) fn watched(pipeline: &Pipeline, stage: &str) -> Vec<Watched> {
    let milestones = pipeline.milestones.iter().filter(|milestone| milestone.settings.loss_of.name == stage);
    let watched = |milestone: &Named<settings::Milestone>| Watched {
        name: milestone.name.clone(),
        state: states::milestone(&milestone.name),
        settings: milestone.settings.clone(),
    };
    milestones.map(watched).collect()
}
