//! Places in the pipeline file, so that whoever finds a problem can point at its culprit.

use std::collections::BTreeMap;

/// A place in the sources of a pipeline: a range of bytes, counted through all of them.
pub type Span = std::ops::Range<usize>;

/// Where the value of each key stands, by path: `loss.objective.combine.weighted.alpha`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, Span>);

impl Places {
    /// The place of a value; where it is left to its default, that of the table it would stand in.
    pub fn of(&self, path: &str) -> Span {
        match (self.0.get(path), path.rsplit_once('.')) {
            (Some(span), _) => span.clone(),
            (None, Some((table, _))) => self.of(table),
            (None, None) if path.is_empty() => 0..0,
            (None, None) => self.of(""),
        }
    }

    pub(crate) fn note(&mut self, path: &str, span: Span) {
        self.0.insert(path.to_owned(), span);
    }
}
