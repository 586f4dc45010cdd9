//! The stages that work on plain tables: one file each.

mod command;
mod errors;
mod filter;
mod join;
mod read;
mod sql;
pub mod write;

pub use command::Command;
pub(crate) use errors::json;
pub use errors::{Refused, errors};
pub use filter::Filter;
pub use join::{Join, Right};
pub use read::Read;
pub use sql::Sql;
pub use write::{Write, dataset};
