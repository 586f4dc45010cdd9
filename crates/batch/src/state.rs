//! What passes from batch to batch: weights, optimizers, baselines. Nothing else does, so a checkpoint is the states
//! and nothing more.

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;

/// The files that a state is made of, by name.
pub type Files = Vec<(String, Vec<u8>)>;

/// Why a state could not be saved or loaded: its own words.
pub type StateError = Box<dyn Error + Send + Sync>;

/// A state, serialised bit-exactly as named files: after `load(save())` every stage does what it would have done.
pub trait State: Any + Send {
    /// The files. The same state gives the same bytes.
    fn save(&self) -> Result<Files, StateError>;

    /// Becomes what was saved.
    fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError>;
}

/// A state and its version.
pub(crate) struct Versioned {
    pub(crate) state: Box<dyn State>,
    pub(crate) version: u64,
}

/// All states of a run, by name.
#[derive(Default)]
pub struct States {
    pub(crate) by_name: BTreeMap<String, Versioned>,
}

impl States {
    /// No states yet.
    pub fn new() -> Self {
        States::default()
    }

    /// Adds a state as it is before the first batch, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, state: impl State) {
        self.by_name.insert(name.into(), Versioned { state: Box::new(state), version: 0 });
    }

    /// A state of a known type; `None` where there is none of that name and type.
    pub fn get<T: State>(&self, name: &str) -> Option<&T> {
        let state: &dyn Any = self.by_name.get(name)?.state.as_ref();
        state.downcast_ref()
    }

    /// How often the stages that declare to write this state have run since the start of the run.
    pub fn version(&self, name: &str) -> Option<u64> {
        self.by_name.get(name).map(|versioned| versioned.version)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Notes that a stage may have written these.
    pub(crate) fn advance(&mut self, names: &[String]) {
        let written = self.by_name.iter_mut().filter(|(name, _)| names.contains(name));
        written.for_each(|(_, versioned)| versioned.version += 1);
    }
}
