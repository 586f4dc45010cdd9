//! Takes a plan through its batches: each unit is run or taken from an earlier run, each batch is committed once.

pub(crate) mod ahead;
pub(crate) mod execute;
pub(crate) mod fork;
pub(crate) mod preview;
pub(crate) mod restore;
pub(crate) mod reuse;
pub(crate) mod unit;
