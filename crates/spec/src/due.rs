//! When a stage asks or changes its states.

use crate::settings::{Follow, Stage};

/// In which batches of a run something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// In every so many-th.
    pub every: Option<u64>,
    /// In so many at first.
    pub until: Option<u64>,
    /// In the last, whatever its number.
    pub last: bool,
}

impl Due {
    /// In all batches.
    pub const ALWAYS: Due = Due { every: Some(1), until: None, last: false };

    /// Whether a batch, from 0, of so many is one of them.
    pub fn is_at(self, batch: u64, batches: u64) -> bool {
        (self.last && batch + 1 == batches)
            || self.until.is_some_and(|until| batch < until)
            || self.every.is_some_and(|every| (batch + 1).is_multiple_of(every))
    }

    /// The last of them before a batch.
    pub fn last_before(self, batch: u64, batches: u64) -> Option<u64> {
        if self.last && batch == batches {
            return batch.checked_sub(1);
        }
        let first = self.until.and_then(|until| until.min(batch).checked_sub(1));
        self.every.and_then(|every| (batch / every * every).checked_sub(1)).max(first)
    }
}

impl Stage {
    /// The batches in which its states are asked or changed.
    pub fn due(&self) -> Due {
        match self {
            Stage::Sync(sync) => match sync.follow {
                Follow::Every(batches) => Due { every: Some(batches), until: None, last: false },
                Follow::Until(batches) => Due { every: None, until: Some(batches), last: false },
                Follow::Polyak(_) => Due::ALWAYS,
            },
            Stage::Evaluate(evaluate) => Due { every: evaluate.every, until: None, last: true },
            _ => Due::ALWAYS,
        }
    }
}
