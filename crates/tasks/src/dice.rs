//! Random choices one after the other, within one addressed stream.

use debate::draw::Draw;

/// Counts the positions of a stream, so that each choice has a number of its own.
pub struct Dice {
    draw: Draw,
    position: u32,
}

impl Dice {
    /// At the start of a stream.
    pub fn new(draw: Draw) -> Self {
        Dice { draw, position: 0 }
    }

    /// A uniform number in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.position += 1;
        self.draw.uniform(self.position - 1)
    }

    /// A whole number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.position += 1;
        self.draw.below(self.position - 1, bound)
    }

    /// One of two.
    pub fn fair(&mut self) -> bool {
        self.uniform() < 0.5
    }
}
