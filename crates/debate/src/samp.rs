//! Samp(Q, M(Q)) → B: whether calling H over M's answer is worth it.

use crate::draw::Draw;
use spec::settings::CallHuman;

/// The probability that H is called. It is recorded with the call, so that an estimate can be corrected for it.
pub fn propensity(call_human: CallHuman) -> f64 {
    match call_human {
        CallHuman::Always => 1.0,
        CallHuman::Never => 0.0,
        CallHuman::Probability(probability) => probability,
    }
}

/// One seeded draw. The uniform number lies strictly between 0 and 1, so 1 always calls H and 0 never does.
pub fn calls_human(propensity: f64, draw: Draw) -> bool {
    draw.named("samp").uniform(0) < propensity
}
