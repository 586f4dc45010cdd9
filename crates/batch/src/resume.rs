//! Going on with a run that was broken off. States are loaded from the newest checkpoint that can be believed; what
//! was committed since goes through the stages that write states once more, fed with the committed tables. Whatever
//! such a stage puts out is held against what was committed: a replay that differs is another program's.

use std::collections::BTreeMap;

use plan::Node;

use crate::checkpoint;
use crate::error::RunError;
use crate::event::Event;
use crate::execute::{Engine, Work, run_stage};
use crate::manifest::Line;
use crate::stage::Bundle;
use crate::tables;

impl Engine<'_> {
    /// Brings the states to where they were after the last committed batch; returns how many batches were replayed.
    pub(crate) fn restore(&mut self) -> Result<u64, RunError> {
        let lines = self.folder.lines().to_vec();
        let committed = lines.len() as u64;
        let batches = self.load_checkpoint(&lines)?;
        self.count_versions(batches);
        if committed > 0 {
            (self.observe)(Event::Restored { batches, committed });
        }
        for line in &lines[batches as usize..] {
            self.replay(line)?;
            (self.observe)(Event::Replayed { batch: line.batch, committed });
        }
        Ok(committed - batches)
    }

    /// Loads the newest checkpoint whose files are what was written; returns how many batches were done by then, 0
    /// where there is none.
    fn load_checkpoint(&mut self, lines: &[Line]) -> Result<u64, RunError> {
        let kept = self.job.checkpoints.kept(lines);
        for batches in kept.into_iter().rev() {
            let Some(written) = &lines[batches as usize - 1].checkpoint else { continue };
            match checkpoint::read(self.folder.root(), batches, written) {
                Ok(saved) => return Ok(checkpoint::load(&saved, self.states).map(|()| batches)?),
                Err(error) => (self.observe)(Event::CheckpointUnusable { batches, error: &error }),
            }
        }
        Ok(0)
    }

    /// A version counts the units that may have written the state.
    fn count_versions(&mut self, batches: u64) {
        for (name, versioned) in &mut self.states.by_name {
            let writers = self.job.plan.nodes.iter().filter(|node| node.writes.contains(name)).count();
            versioned.version = batches * writers as u64;
        }
    }

    fn replay(&mut self, line: &Line) -> Result<(), RunError> {
        for (node, stage) in self.job.plan.nodes.iter().zip(self.job.stages) {
            if node.writes.is_empty() {
                continue;
            }
            let inputs = self.committed_inputs(node, line)?;
            let work = run_stage(node, stage.as_ref(), line.batch, &inputs, self.states)?;
            check_replayed(node, &work, line)?;
        }
        self.renew_checkpoint(line)
    }

    fn committed_inputs(&self, node: &Node, line: &Line) -> Result<Bundle, RunError> {
        let schemas = &self.folder.header().tables;
        let read = |table: &String| {
            let (part, schema) = (&line.tables[table], &schemas[table]);
            Ok((table.clone(), tables::read(self.folder.root(), table, line.batch, part, schema)?))
        };
        node.inputs.iter().map(|edge| read(&edge.table)).collect()
    }

    /// Where a replay passes a checkpoint, the states must be what was written then; one that could not be used is
    /// written again.
    fn renew_checkpoint(&mut self, line: &Line) -> Result<(), RunError> {
        let Some(written) = &line.checkpoint else { return Ok(()) };
        let saved = checkpoint::save(self.states)?;
        let digests = checkpoint::digests(&saved);
        if let Some(file) = difference(&digests, written) {
            return Err(RunError::Replay { batch: line.batch, what: format!("`{file}` of the states") });
        }
        let batches = line.batch + 1;
        if self.job.checkpoints.kept(self.folder.lines()).contains(&batches) {
            checkpoint::write(self.folder.root(), batches, &saved)?;
            (self.observe)(Event::CheckpointWritten { batches });
        }
        Ok(())
    }
}

/// Whether a stage put out what was committed: tables byte for byte, metrics bit for bit.
fn check_replayed(node: &Node, work: &Work, line: &Line) -> Result<(), RunError> {
    let differs = |what: String| RunError::Replay { batch: line.batch, what };
    for (table, frame) in &work.tables {
        let (part, _) = tables::encode(table, frame)?;
        if line.tables.get(table) != Some(&part) {
            return Err(differs(format!("table `{table}`")));
        }
    }
    let of_node = |name: &str| name.strip_prefix(&node.name).is_some_and(|rest| rest.starts_with('.'));
    let committed: BTreeMap<&String, u64> =
        line.metrics.iter().filter(|(name, _)| of_node(name)).map(|(name, value)| (name, value.to_bits())).collect();
    let replayed = work.metrics.iter().map(|(name, value)| (name, value.to_bits())).collect();
    difference(&replayed, &committed).map_or(Ok(()), |metric| Err(differs(format!("metric `{metric}`"))))
}

/// The first name at which two maps differ.
fn difference<'a, K: Ord, V: PartialEq>(left: &'a BTreeMap<K, V>, right: &'a BTreeMap<K, V>) -> Option<&'a K> {
    let names = left.keys().chain(right.keys());
    names.filter(|name| left.get(name) != right.get(name)).min()
}
