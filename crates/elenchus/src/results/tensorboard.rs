//! TensorBoard's event files, as far as scalars need them: records of TensorFlow, each an `Event` of its protos. A
//! record is its length, a masked CRC-32C of that, the bytes, and a masked CRC-32C of those.

use prost::{Message, Oneof};
use std::collections::BTreeMap;

/// TensorBoard finds its files by this part of their names.
pub const FILE: &str = "events.out.tfevents.elenchus";

/// `tensorflow.Event`
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    /// The first record of a file.
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// `tensorflow.Summary`
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `tensorflow.Summary.Value`
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    // One of several forms of a value there, so that a 0 is written too.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// The first record of a file.
pub fn head(wall_time: f64) -> Vec<u8> {
    record(Event { wall_time, step: 0, what: Some(What::FileVersion("brain.Event:2".to_owned())) })
}

/// The record of a batch. A metric `STAGE.name` is called `STAGE/name` here, which TensorBoard groups by stage.
pub fn scalars(wall_time: f64, batch: u64, metrics: &BTreeMap<String, f64>) -> Vec<u8> {
    let value =
        |(name, value): (&String, &f64)| Value { tag: name.replacen('.', "/", 1), simple_value: Some(*value as f32) };
    let summary = Summary { value: metrics.iter().map(value).collect() };
    record(Event { wall_time, step: batch as i64, what: Some(What::Summary(summary)) })
}

fn record(event: Event) -> Vec<u8> {
    let bytes = event.encode_to_vec();
    let length = (bytes.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), &bytes, &masked(&bytes)].concat()
}

/// The checksum, changed so that a checksum of data that holds checksums is none of those.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}
