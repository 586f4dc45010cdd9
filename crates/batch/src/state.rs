//! What passes from batch to batch: weights, optimizers, baselines. Nothing else does, so a checkpoint is the states
//! and nothing more.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use plan::Key;

/// The files that a state is made of, by name.
pub type Files = Vec<(String, Vec<u8>)>;

/// Why a state could not be saved or loaded: its own words.
pub type StateError = Box<dyn Error + Send + Sync>;

/// A state, serialised bit-exactly as named files: after `load(save())` every stage does what it would have done.
pub trait State: Any + Send {
    /// The files. The same state gives the same bytes.
    fn save(&self) -> Result<Files, StateError>;

    /// The same state in memory of its own.
    fn snapshot(&self) -> Result<Box<dyn State>, StateError>;

    /// Becomes what was saved.
    fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError>;
}

/// A state as it is held.
pub(crate) struct Versioned {
    pub(crate) state: Box<dyn State>,
    /// The key of the unit that last changed it.
    pub(crate) version: Key,
    /// How many units have changed it.
    pub(crate) writes: u64,
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
        self.by_name.insert(name.into(), Versioned { state: Box::new(state), version: Key::default(), writes: 0 });
    }

    /// A state of a known type; `None` where there is none of that name and type.
    pub fn get<T: State>(&self, name: &str) -> Option<&T> {
        let state: &dyn Any = self.by_name.get(name)?.state.as_ref();
        state.downcast_ref()
    }

    /// Notes the version of each before the first batch; states that no stage declares have none.
    pub(crate) fn begin(&mut self, initial: impl Fn(&str) -> Option<Key>) {
        for (name, held) in &mut self.by_name {
            (held.version, held.writes) = (initial(name).unwrap_or_default(), 0);
        }
    }

    /// Notes that a unit has changed these.
    pub(crate) fn advance(&mut self, names: &[String], version: Key) {
        for name in names {
            if let Some(held) = self.by_name.get_mut(name) {
                held.version = version;
                held.writes += 1;
            }
        }
    }

    /// Some of the states, in memory of their own; where that fails, the name of the state and its own words.
    pub(crate) fn snapshot(&self, names: &BTreeSet<&str>) -> Result<States, (String, StateError)> {
        let copy = |(name, held): (&String, &Versioned)| {
            let state = held.state.snapshot().map_err(|error| (name.clone(), error))?;
            Ok((name.clone(), Versioned { state, version: held.version, writes: held.writes }))
        };
        let wanted = self.by_name.iter().filter(|(name, _)| names.contains(name.as_str()));
        Ok(States { by_name: wanted.map(copy).collect::<Result<_, _>>()? })
    }

    /// Whether a state is held in this version.
    pub(crate) fn holds(&self, name: &str, version: Key) -> bool {
        self.by_name.get(name).is_some_and(|held| held.version == version)
    }
}
