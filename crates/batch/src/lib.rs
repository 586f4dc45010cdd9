//! Runs a plan, batch by batch, into committed tables and states.
