//! The address of a random number. Sampling is counter-based: every uniform number of a run is a Philox function
//! (Salmon et al. 2011) of its address, so no draw depends on which others happened, in which order, or in which batch.

use rand_philox::{Philox, splitmix64, u32_to_unit_f64};

/// The address of one answer's random numbers: the seed of the run, and a stream named by role, row, call path and
/// sample index. Positions within the stream count the numbers themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The seed of the run.
    pub seed: u64,
    /// The stream.
    pub stream: u64,
}

impl Draw {
    /// The root of all addresses of a run.
    pub fn new(seed: u64) -> Self {
        Draw { seed, stream: 0 }
    }

    /// The address one step down: the row, the turn, the sample index, …
    pub fn at(self, step: u64) -> Self {
        let salted = step.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Draw { stream: splitmix64(self.stream.rotate_left(17) ^ splitmix64(salted)), ..self }
    }

    /// The address one step down, by name.
    pub fn named(self, role: &str) -> Self {
        role.bytes().fold(self.at(role.len() as u64), |draw, byte| draw.at(u64::from(byte)))
    }

    /// The uniform number in (0, 1) at a position of this stream.
    pub fn uniform(self, position: u32) -> f64 {
        let mut philox = Philox::from_u64_seed_stream(self.seed, self.stream);
        philox.seek(u128::from(self.stream) << 64 | u128::from(position));
        u32_to_unit_f64(philox.next_u32())
    }

    /// A whole number below `bound`, at a position of this stream.
    pub fn below(self, position: u32, bound: usize) -> usize {
        ((self.uniform(position) * bound as f64) as usize).min(bound.saturating_sub(1))
    }
}
