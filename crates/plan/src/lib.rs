//! A pipeline resolved into a checked graph of stages.
