//! Examples into gradients, gradients into weights.
