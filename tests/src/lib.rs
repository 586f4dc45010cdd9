//! Valid and invalid pipelines, snapshots and end-to-end runs; see `tests/`.
