//! The one open seam: a unit of work is a stage on a batch, (tables, states) → (tables, new states).

use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::error::Error;

use polars::frame::DataFrame;

use crate::state::{State, States};
use crate::store::journal::Outside;

/// What a stage puts out: tables by name, such as `arguments` and `arguments.calls`.
pub type Bundle = BTreeMap<String, DataFrame>;

/// Why a stage failed: its own words, or a [`UnitError`].
pub type StageError = Box<dyn Error + Send + Sync>;

/// What does the work of one node of the plan: of several batches at once, where it may run ahead.
pub trait Stage: Sync {
    /// Does this stage's work for one batch. Not `&mut self`: what passes from batch to batch is declared state,
    /// nothing else, or a resumed run would not be the run that was broken off.
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError>;
}

/// A stage asked for what the plan does not give it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnitError {
    /// A table that is no input of this stage.
    #[error("table `{0}` is not an input of this stage; its plan lists what is")]
    NoTable(String),
    /// A state that this stage has not declared, or has taken already.
    #[error("state `{0}` is not declared by this stage for this use, or is taken already")]
    NoState(String),
    /// A unit that is tried without a run has no journal.
    #[error("outside of a run there is nothing that could write answers down")]
    NoOutside,
    /// A state of another type.
    #[error("state `{name}` is not a `{wanted}`")]
    WrongType {
        /// The state.
        name: String,
        /// What the stage took it for.
        wanted: &'static str,
    },
}

/// All that a stage sees of a batch, and all that it may change.
pub struct Unit<'a> {
    /// Which batch, from 0.
    pub batch: u64,
    /// Whether this is one of the batches in which the stage asks or changes its states.
    pub due: bool,
    inputs: BTreeMap<&'a str, &'a DataFrame>,
    read: BTreeMap<&'a str, &'a dyn State>,
    write: BTreeMap<&'a str, &'a mut dyn State>,
    versions: BTreeMap<&'a str, u64>,
    metrics: BTreeMap<String, f64>,
    pub(crate) outside: Option<Outside<'a>>,
}

impl<'a> Unit<'a> {
    /// A unit with these inputs and, of the states, those that the stage declares. Public so that a stage can be
    /// tried without a run.
    pub fn new(
        batch: u64,
        inputs: BTreeMap<&'a str, &'a DataFrame>,
        states: &'a mut States,
        reads: &[String],
        writes: &[String],
    ) -> Self {
        let mut unit = Unit {
            batch,
            due: true,
            inputs,
            read: BTreeMap::new(),
            write: BTreeMap::new(),
            versions: BTreeMap::new(),
            metrics: BTreeMap::new(),
            outside: None,
        };
        for (name, versioned) in &mut states.by_name {
            if writes.contains(name) {
                unit.write.insert(name, versioned.state.as_mut());
            } else if reads.contains(name) {
                unit.read.insert(name, versioned.state.as_ref());
            } else {
                continue;
            }
            unit.versions.insert(name, versioned.writes);
        }
        unit
    }

    /// The way to whoever answers from outside: what was answered once is not asked again.
    pub fn outside(&self) -> Result<Outside<'a>, UnitError> {
        self.outside.ok_or(UnitError::NoOutside)
    }

    /// An input table.
    pub fn table(&self, name: &str) -> Result<&'a DataFrame, UnitError> {
        self.inputs.get(name).copied().ok_or_else(|| UnitError::NoTable(name.to_owned()))
    }

    /// A state that this stage declares to read, but not to write.
    pub fn read<T: State>(&self, name: &str) -> Result<&'a T, UnitError> {
        let state: &dyn Any = *self.read.get(name).ok_or_else(|| UnitError::NoState(name.to_owned()))?;
        state.downcast_ref().ok_or_else(|| wrong_type::<T>(name))
    }

    /// A state that this stage declares, whether or not to write it too, as it is now.
    pub fn peek<T: State>(&self, name: &str) -> Result<&T, UnitError> {
        let state: Option<&dyn State> = match self.read.get(name) {
            Some(state) => Some(*state),
            None => self.write.get(name).map(|state| &**state),
        };
        let state: &dyn Any = state.ok_or_else(|| UnitError::NoState(name.to_owned()))?;
        state.downcast_ref().ok_or_else(|| wrong_type::<T>(name))
    }

    /// A state that this stage declares to write, for it to read and change. Each can be taken once.
    pub fn write<T: State>(&mut self, name: &str) -> Result<&'a mut T, UnitError> {
        let state: &mut dyn Any = self.write.remove(name).ok_or_else(|| UnitError::NoState(name.to_owned()))?;
        state.downcast_mut().ok_or_else(|| wrong_type::<T>(name))
    }

    /// How often a declared state had been changed when this unit found it.
    pub fn version(&self, name: &str) -> Result<u64, UnitError> {
        self.versions.get(name).copied().ok_or_else(|| UnitError::NoState(name.to_owned()))
    }

    /// Notes a number about this batch; in the manifest it is called `STAGE.name`. It must come out the same in every
    /// run, so nothing that was timed. A number that this batch does not have is left out; one that is not finite
    /// stops the run.
    pub fn metric(&mut self, name: impl Into<String>, value: f64) {
        self.metrics.insert(name.into(), value);
    }

    /// What was noted.
    pub fn into_metrics(self) -> BTreeMap<String, f64> {
        self.metrics
    }
}

fn wrong_type<T>(name: &str) -> UnitError {
    UnitError::WrongType { name: name.to_owned(), wanted: type_name::<T>() }
}
