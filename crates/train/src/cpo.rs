//! One step of constrained policy optimisation (Achiam et al. 2017, arXiv:1705.10528), over whatever has a gradient and a
//! Fisher matrix: vectors and numbers, and no model.
//!
//! With g and b the gradients of J and L, c how far L is above its limit, and H the damped Fisher matrix, the step x
//! maximises gᵀx where c + bᵀx ≤ 0 and ½xᵀHx ≤ δ (equation 11). J and L are not linear in truth, nor is the divergence
//! quadratic, so the step is shortened until it does what it should.

use tch::{Kind, Tensor};

/// The region in which a step is looked for, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// δ: the most that the divergence may be, in nats.
    pub kl: f64,
    /// Added to the diagonal of the Fisher matrix.
    pub damping: f64,
    /// Iterations of conjugate gradient, for each of the two directions.
    pub iterations: usize,
    /// How often a step that breaks a bound is shortened before none is taken.
    pub backtracks: usize,
    /// To what part of its length.
    pub shrink: f64,
}

/// The gradients where a step sets out; f64, one dimension.
#[derive(Debug, Clone, Copy)]
pub struct Slopes<'a> {
    /// g: of J.
    pub gain: &'a Tensor,
    /// b: of L.
    pub loss: &'a Tensor,
}

/// What J, L and the divergence come to after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// J, or what stands for it, where more is better.
    pub gain: f64,
    /// L.
    pub loss: f64,
    /// KL(before‖after), in nats.
    pub kl: f64,
}

/// How the limit lies to the region. The numbers are those of the authors' program, `optim_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// L is above its limit and stays there in all of the region: it is to fall as fast as it can.
    Recovery = 0,
    /// L is above its limit, and part of the region within.
    Return = 1,
    /// L is within its limit, and part of the region above.
    Boundary = 2,
    /// All of the region is within the limit, so that it binds nothing: the step is that of TRPO (Schulman et al. 2015).
    Within = 3,
    /// L does not change, in first order. That step again.
    Flat = 4,
}

/// What came of a step.
#[derive(Debug)]
pub struct Outcome {
    /// Where the limit was.
    pub case: Case,
    /// The step; `None` where there was nowhere to go, or no length of it did what it should.
    pub step: Option<Tensor>,
    /// How often it was shortened.
    pub backtracks: usize,
    /// Before the step.
    pub before: Measured,
    /// After it; the same as before where there was none.
    pub after: Measured,
}

/// The square of a gradient of L below which it counts as none.
const FLAT: f64 = 1e-12;
/// The part of the square of g that is left across b, below which it counts as none.
const PARALLEL: f64 = 1e-9;
/// The part of the square of a residual at which a system of equations counts as solved.
const SOLVED: f64 = 1e-20;

/// Looks for a step: `fisher` multiplies a vector by the Fisher matrix, without damping; `measure` says what a step comes
/// to. `None` where some number on the way is not finite.
pub fn step(
    slopes: Slopes<'_>,
    limit: f64,
    region: Region,
    mut fisher: impl FnMut(&Tensor) -> Tensor,
    measure: impl Fn(&Tensor) -> Measured,
) -> Option<Outcome> {
    let Slopes { gain, loss } = slopes;
    let mut damped = |vector: &Tensor| fisher(vector) + vector * region.damping;
    let of_gain = conjugate_gradient(&mut damped, gain, region.iterations);
    let of_loss = match dot(loss, loss) <= FLAT {
        true => loss.zeros_like(),
        false => conjugate_gradient(&mut damped, loss, region.iterations),
    };
    let squares = Squares { gain: dot(gain, &of_gain), mixed: dot(loss, &of_gain), loss: dot(loss, &of_loss) };
    let before = measure(&gain.zeros_like());
    let numbers = [squares.gain, squares.mixed, squares.loss, before.gain, before.loss];
    let directions = Directions { gain: of_gain, loss: of_loss, squares };
    numbers.iter().all(|number| number.is_finite()).then(|| search(&directions, before, limit, region, measure))
}

/// H⁻¹g and H⁻¹b, and their products.
struct Directions {
    gain: Tensor,
    loss: Tensor,
    squares: Squares,
}

/// Shortens the step until it does what it should. L is curved, so a step that ends at the limit in first order ends above
/// it, and at the limit no length of it would do; then it is solved anew for a limit that is lower by what it was above, a
/// second-order correction (Nocedal and Wright 2006, section 18.3), but by no more than half of what the region reaches.
fn search(
    directions: &Directions,
    before: Measured,
    limit: f64,
    region: Region,
    measure: impl Fn(&Tensor) -> Measured,
) -> Outcome {
    let (excess, squares) = (before.loss - limit, directions.squares);
    let most = (0.5 * (2.0 * region.kl * squares.loss).sqrt() - excess).max(0.0);
    let case = solve(squares, excess, region.kl).0;
    let mut margin = 0.0;
    for backtracks in 0..=region.backtracks {
        let (_, along_gain, along_loss) = solve(squares, excess + margin, region.kl);
        if along_gain == 0.0 && along_loss == 0.0 {
            return Outcome { case, step: None, backtracks, before, after: before };
        }
        let whole = &directions.gain * along_gain + &directions.loss * along_loss;
        let step = whole * region.shrink.powi(backtracks as i32);
        let after = measure(&step);
        if is_better(before, after, limit, region.kl) {
            return Outcome { case, step: Some(step), backtracks, before, after };
        }
        margin = (margin + (after.loss - limit).max(0.0)).min(most);
    }
    Outcome { case, step: None, backtracks: region.backtracks, before, after: before }
}

/// gᵀH⁻¹g, gᵀH⁻¹b and bᵀH⁻¹b: q, r and s of the paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Squares {
    /// q
    pub gain: f64,
    /// r
    pub mixed: f64,
    /// s
    pub loss: f64,
}

/// The case, and the step as multiples of H⁻¹g and H⁻¹b. The dual's closed form (theorem 2) seen from the step: the best
/// one of the region, if it is within the limit; otherwise the best one at the limit, which is the nearest point there,
/// −(c/s)·H⁻¹b, and from it along what is left of H⁻¹g at the limit as far as the region goes, √(B/A).
pub fn solve(squares: Squares, excess: f64, kl: f64) -> (Case, f64, f64) {
    let Squares { gain: q, mixed: r, loss: s } = squares;
    let free = if q > 0.0 { (2.0 * kl / q).sqrt() } else { 0.0 };
    if s <= 0.0 {
        return (Case::Flat, free, 0.0);
    }
    let room = 2.0 * kl - excess * excess / s;
    let case = match (excess > 0.0, room < 0.0) {
        (true, true) => return (Case::Recovery, 0.0, -(2.0 * kl / s).sqrt()),
        (false, true) => return (Case::Within, free, 0.0),
        (true, false) => Case::Return,
        (false, false) => Case::Boundary,
    };
    if excess + free * r <= 0.0 {
        return (case, free, 0.0);
    }
    let across = q - r * r / s;
    let along = if across > PARALLEL * q { (room / across).sqrt() } else { 0.0 };
    (case, along, -(excess + along * r) / s)
}

/// Whether a step keeps what it should: the region; the limit, or, above it, that L falls; and within the limit J.
fn is_better(before: Measured, after: Measured, limit: f64, kl: f64) -> bool {
    let finite = after.gain.is_finite() && after.loss.is_finite();
    let better = match before.loss > limit {
        true => after.loss < before.loss,
        false => after.loss <= limit && after.gain >= before.gain,
    };
    finite && better && after.kl <= kl
}

/// The x of H·x = b for a positive definite H, from products with it alone (Hestenes and Stiefel 1952), in so many
/// iterations or fewer.
pub fn conjugate_gradient(mut product: impl FnMut(&Tensor) -> Tensor, target: &Tensor, iterations: usize) -> Tensor {
    let mut solution = target.zeros_like();
    let (mut residual, mut direction) = (target.copy(), target.copy());
    let whole = dot(target, target);
    let mut left = whole;
    for _ in 0..iterations {
        if left <= SOLVED * whole {
            break;
        }
        let image = product(&direction);
        let curvature = dot(&direction, &image);
        // Rounding can take from a matrix that it is definite; a number that is none goes on into the solution.
        if curvature <= 0.0 {
            break;
        }
        let length = left / curvature;
        solution += &direction * length;
        residual -= image * length;
        let next = dot(&residual, &residual);
        direction = &residual + direction * (next / left);
        left = next;
    }
    solution
}

fn dot(one: &Tensor, other: &Tensor) -> f64 {
    one.dot(other).to_kind(Kind::Double).double_value(&[])
}
