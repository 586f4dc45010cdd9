//! Samp(Q, M(Q)) → B: whether calling H over M's answer is worth it.

use crate::draw::Draw;

/// One seeded draw. The uniform number lies strictly between 0 and 1, so 1 always calls H and 0 never does.
pub fn calls_human(propensity: f64, draw: Draw) -> bool {
    draw.named("samp").uniform(0) < propensity
}
