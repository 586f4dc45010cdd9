//! How M_target follows M.

use model::Model;
use tch::no_grad;

/// target = decay·target + (1 − decay)·source
pub fn polyak(target: &mut Model, source: &Model, decay: f64) {
    let _ = no_grad(|| target.weights.flat.lerp_(&source.weights.flat, 1.0 - decay));
    target.version += 1;
}

/// target = source
pub fn copy(target: &mut Model, source: &Model) {
    no_grad(|| target.weights.flat.copy_(&source.weights.flat));
    target.version += 1;
}
