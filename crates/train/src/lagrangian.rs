//! The multiplier of a limit, on L or on M's catastrophes (Dai et al. 2023, "Safe RLHF", arXiv:2310.12773).

/// λ > 0, by its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiplier {
    /// log λ
    pub log: f64,
}

impl Multiplier {
    /// The logarithm beyond which λ is no finite number.
    const MOST: f64 = 700.0;

    /// λ itself.
    pub fn value(self) -> f64 {
        self.log.exp()
    }

    /// What J and L count in (J − λL)/(1 + λ).
    pub fn shares(self) -> (f64, f64) {
        (1.0 / (1.0 + self.log.exp()), 1.0 / (1.0 + (-self.log).exp()))
    }

    /// Ascent on log λ: it rises by `step` for each nat that L is above its limit, or by that part of `step` by which a
    /// share is above its own. The paper's step has λ as a factor besides, with which a small λ hardly rises again and a
    /// large one runs away; without it this is the exponentiated gradient (Kivinen and Warmuth 1997), which has the same
    /// fixed point.
    pub fn ascend(&mut self, step: f64, excess: f64) {
        self.log = (self.log + step * excess).clamp(-Self::MOST, Self::MOST);
    }

    /// The same between bounds of λ, the least and the most, both above 0.
    pub fn within(self, (least, most): (f64, f64)) -> Self {
        Multiplier { log: self.log.clamp(least.ln(), most.ln()) }
    }
}
