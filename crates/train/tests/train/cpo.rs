//! The step of constrained policy optimisation on random problems of which the answer is known: J and L linear, the
//! divergence quadratic.

use proptest::prelude::*;
use tch::{Kind, Tensor};
use train::cpo::{Case, Measured, Outcome, Region, Slopes, Squares, conjugate_gradient, solve, step};

type Vector = Vec<f64>;
type Matrix = Vec<Vector>;

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

fn times(matrix: &Matrix, vector: &[f64]) -> Vector {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

/// The x of H·x = b, by elimination.
fn direct(matrix: &Matrix, target: &[f64]) -> Vector {
    let size = target.len();
    let mut rows: Matrix = matrix.iter().zip(target).map(|(row, &b)| [&row[..], &[b]].concat()).collect();
    for pivot in 0..size {
        let top = rows[pivot].clone();
        for row in &mut rows[pivot + 1..] {
            let factor = row[pivot] / top[pivot];
            row.iter_mut().zip(&top).for_each(|(number, above)| *number -= factor * above);
        }
    }
    let mut solution = vec![0.0; size];
    for row in (0..size).rev() {
        solution[row] = (rows[row][size] - dot(&rows[row][..size], &solution)) / rows[row][row];
    }
    solution
}

fn tensor(vector: &[f64]) -> Tensor {
    Tensor::from_slice(vector)
}

fn vector(tensor: &Tensor) -> Vector {
    Vector::try_from(tensor).expect("a vector of f64")
}

/// A problem: the Fisher matrix, g, b, and how far L is above its limit as a part of what the region reaches.
#[derive(Debug, Clone)]
struct Problem {
    fisher: Matrix,
    gain: Vector,
    loss: Vector,
    excess: f64,
}

const KL: f64 = 0.02;

fn region() -> Region {
    Region { kl: KL, damping: 0.0, iterations: 30, backtracks: 10, shrink: 0.8 }
}

impl Problem {
    fn squares(&self) -> Squares {
        let (g, b) = (direct(&self.fisher, &self.gain), direct(&self.fisher, &self.loss));
        Squares { gain: dot(&self.gain, &g), mixed: dot(&self.loss, &g), loss: dot(&self.loss, &b) }
    }

    /// c
    fn excess(&self) -> f64 {
        self.excess * (2.0 * KL * self.squares().loss).sqrt()
    }

    /// J, L less its limit, and the divergence of a step; `bent` is how much J and L are curved.
    fn measure(&self, step: &[f64], bent: f64) -> Measured {
        let square = dot(step, &times(&self.fisher, step));
        let (gain, loss) = (dot(&self.gain, step), self.excess() + dot(&self.loss, step));
        Measured { gain: gain - bent * square, loss: loss + bent * square, kl: 0.5 * square }
    }

    fn step(&self, region: Region, measure: impl Fn(&[f64]) -> Measured) -> Outcome {
        let (gain, loss) = (tensor(&self.gain), tensor(&self.loss));
        let fisher = |it: &Tensor| tensor(&times(&self.fisher, &vector(it)));
        let slopes = Slopes { gain: &gain, loss: &loss };
        step(slopes, 0.0, region, fisher, |step| measure(&vector(step))).expect("all numbers are finite")
    }

    /// The step where nothing is curved. Bounds that hold to the last digits hold.
    fn straight(&self) -> Outcome {
        self.step(region(), |step| {
            let Measured { gain, loss, kl } = self.measure(step, 0.0);
            let rounded = if kl > 0.0 { 1e-10 } else { 0.0 };
            Measured { gain, loss: loss - rounded, kl: kl * (1.0 - 1e-6) }
        })
    }
}

fn numbers(size: usize) -> impl Strategy<Value = Vector> {
    prop::collection::vec(-1.0..1.0, size)
}

fn definite(size: usize) -> impl Strategy<Value = Matrix> {
    prop::collection::vec(numbers(size), size).prop_map(move |rows| {
        let entry = |i: usize, j: usize| dot(&rows[i], &rows[j]) + if i == j { 0.3 } else { 0.0 };
        (0..size).map(|i| (0..size).map(|j| entry(i, j)).collect()).collect()
    })
}

/// Problems whose limit lies to the region in one way.
fn problem(excess: std::ops::Range<f64>) -> impl Strategy<Value = Problem> {
    (2usize..7).prop_flat_map(move |size| {
        (definite(size), numbers(size), numbers(size), excess.clone())
            .prop_map(|(fisher, gain, loss, excess)| Problem { fisher, gain, loss, excess })
            .prop_filter("gradients of some length, and apart", |it| {
                let Squares { gain, mixed, loss } = it.squares();
                gain.min(loss) > 1e-2 && gain * loss - mixed * mixed > 1e-2 * gain * loss
            })
    })
}

/// Theorem 2 of the paper, word by word but for the sign of g, which is maximised here: λ and ν of the dual, as multiples
/// of H⁻¹g and H⁻¹b.
fn theorem(Squares { gain: q, mixed: r, loss: s }: Squares, c: f64) -> (f64, f64) {
    let (a, b) = (q - r * r / s, 2.0 * KL - c * c / s);
    let border = -r / c;
    let (with, without) = match c {
        _ if c > 0.0 => ((border.max(0.0), f64::INFINITY), (0.0, border.max(0.0))),
        _ => ((0.0, border.max(0.0)), (border.max(0.0), f64::INFINITY)),
    };
    let (with, without) = ((a / b).sqrt().clamp(with.0, with.1), (q / (2.0 * KL)).sqrt().clamp(without.0, without.1));
    let of_with = 0.5 * (a / with + with * b) - r * c / s;
    let of_without = 0.5 * (q / without + without * 2.0 * KL);
    // Where no λ is in a set, its bound is 0, and its value infinite or none.
    let lambda = if of_without.is_nan() || of_with <= of_without { with } else { without };
    let nu = ((lambda * c + r) / s).max(0.0);
    (1.0 / lambda, -nu / lambda)
}

fn close(one: f64, other: f64, scale: f64) -> bool {
    (one - other).abs() <= 1e-6 * (scale + one.abs())
}

/// The step is that of the closed form, and no random step of the region that is within the limit has a larger J.
fn assert_best(problem: &Problem, others: &[Vector]) {
    let outcome = problem.straight();
    let step = vector(outcome.step.as_ref().expect("where all is straight the whole step is taken"));
    assert_eq!(outcome.backtracks, 0);
    let (along_gain, along_loss) = theorem(problem.squares(), problem.excess());
    let (g, b) = (direct(&problem.fisher, &problem.gain), direct(&problem.fisher, &problem.loss));
    let expected: Vector = g.iter().zip(&b).map(|(g, b)| along_gain * g + along_loss * b).collect();
    let length = dot(&expected, &expected).sqrt();
    assert!(step.iter().zip(&expected).all(|(a, b)| close(*a, *b, length)), "{step:?} is not {expected:?}");
    let found = problem.measure(&step, 0.0);
    for other in others {
        let other = &other[..step.len()];
        let length = (2.0 * KL / dot(other, &times(&problem.fisher, other))).sqrt();
        let other: Vector = other.iter().map(|number| number * length).collect();
        let rival = problem.measure(&other, 0.0);
        assert!(rival.loss > 0.0 || rival.gain <= found.gain + 1e-6, "{other:?} is better than {step:?}");
    }
}

proptest! {
    #[test]
    fn conjugate_gradient_solves(
        (matrix, target) in (1usize..9).prop_flat_map(|size| (definite(size), numbers(size))),
    ) {
        let product = |it: &Tensor| tensor(&times(&matrix, &vector(it)));
        let found = vector(&conjugate_gradient(product, &tensor(&target), 30));
        let expected = direct(&matrix, &target);
        prop_assert!(found.iter().zip(&expected).all(|(a, b)| close(*a, *b, 1e-3)), "{:?} is not {:?}", found, expected);
    }

    #[test]
    fn within_and_partly_out_of_reach(problem in problem(-0.99..-0.01), others in prop::collection::vec(numbers(6), 60)) {
        prop_assert_eq!(problem.straight().case, Case::Boundary);
        assert_best(&problem, &others);
    }

    #[test]
    fn above_and_partly_within(problem in problem(0.01..0.99), others in prop::collection::vec(numbers(6), 60)) {
        prop_assert_eq!(problem.straight().case, Case::Return);
        assert_best(&problem, &others);
    }

    #[test]
    fn where_all_is_within_it_is_the_natural_gradient(problem in problem(-5.0..-1.01)) {
        let Outcome { case, step, .. } = problem.straight();
        prop_assert_eq!(case, Case::Within);
        let (direction, length) = (direct(&problem.fisher, &problem.gain), (2.0 * KL / problem.squares().gain).sqrt());
        let step = vector(&step.unwrap());
        prop_assert!(step.iter().zip(direction).all(|(a, b)| close(*a, length * b, 0.1)));
    }

    #[test]
    fn where_nothing_is_within_the_loss_falls_as_fast_as_it_can(problem in problem(1.01..5.0)) {
        let Outcome { case, step, before, after, .. } = problem.straight();
        prop_assert_eq!(case, Case::Recovery);
        let (direction, length) = (direct(&problem.fisher, &problem.loss), (2.0 * KL / problem.squares().loss).sqrt());
        let step = vector(&step.unwrap());
        prop_assert!(step.iter().zip(direction).all(|(a, b)| close(*a, -length * b, 0.1)));
        prop_assert!(close(before.loss - after.loss, (2.0 * KL * problem.squares().loss).sqrt(), 0.1));
    }

    #[test]
    fn a_loss_that_does_not_change_bounds_nothing(problem in problem(-0.5..0.5)) {
        let flat = Problem { loss: vec![0.0; problem.loss.len()], excess: 0.0, ..problem };
        let Outcome { case, step, .. } = flat.straight();
        prop_assert_eq!(case, Case::Flat);
        let (direction, length) = (direct(&flat.fisher, &flat.gain), (2.0 * KL / flat.squares().gain).sqrt());
        prop_assert!(vector(&step.unwrap()).iter().zip(direction).all(|(a, b)| close(*a, length * b, 0.1)));
    }

    /// Where J and L are curved, what is taken keeps every bound, and what was tried before it broke one.
    #[test]
    fn a_curved_step_is_shortened_until_it_keeps_its_bounds(problem in problem(-3.0..3.0), bent in 0.0..3.0) {
        let tried = std::cell::RefCell::new(Vec::new());
        let outcome = problem.step(region(), |step| {
            let found = problem.measure(step, bent);
            tried.borrow_mut().push(found);
            found
        });
        let keeps = |after: &Measured| {
            let better = match outcome.before.loss > 0.0 {
                true => after.loss < outcome.before.loss,
                false => after.loss <= 0.0 && after.gain >= outcome.before.gain,
            };
            better && after.kl <= KL
        };
        let tried = tried.into_inner();
        let (last, broken) = tried[1..].split_last().unwrap();
        prop_assert_eq!(outcome.step.is_some(), keeps(last));
        prop_assert!(!broken.iter().any(keeps));
        prop_assert_eq!(outcome.after, if keeps(last) { *last } else { outcome.before });
        prop_assert_eq!(broken.len(), outcome.backtracks);
    }
}

/// At the limit, where a straight step would follow it, a curved one is above it whatever its length.
#[test]
fn at_a_curved_limit_a_step_goes_on() {
    let identity = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    let problem = Problem { fisher: identity, gain: vec![1.0, 1.0], loss: vec![0.0, 1.0], excess: 0.0 };
    let outcome =
        problem.step(region(), |step| Measured { gain: dot(&problem.gain, step), ..problem.measure(step, 0.5) });
    assert!(outcome.step.is_some() && outcome.after.gain > 0.1 && outcome.after.loss <= 0.0, "{outcome:?}");
}

#[test]
fn without_anything_to_gain_there_is_no_step_within_the_limit() {
    for (excess, case) in [(-0.5, Case::Boundary), (-2.0, Case::Within)] {
        let squares = Squares { gain: 0.0, mixed: 0.0, loss: 1.0 };
        let limit = excess * (2.0 * KL).sqrt();
        assert_eq!(solve(squares, limit, KL), (case, 0.0, 0.0));
    }
}

#[test]
fn where_no_length_will_do_there_is_no_step() {
    let fisher = vec![vec![1.0]];
    let problem = Problem { fisher, gain: vec![1.0], loss: vec![0.5], excess: -2.0 };
    let outcome = problem.step(region(), |step| Measured { kl: 1.0, ..problem.measure(step, 0.0) });
    assert!(outcome.step.is_none());
    assert_eq!((outcome.backtracks, outcome.after), (10, outcome.before));
}

#[test]
fn what_is_not_finite_is_no_step() {
    let ones = Tensor::ones([2], (Kind::Double, tch::Device::Cpu));
    let slopes = Slopes { gain: &ones, loss: &ones };
    let measure = |_: &Tensor| Measured { gain: 0.0, loss: 0.0, kl: 0.0 };
    assert!(step(slopes, 1.0, region(), |vector| vector * f64::NAN, measure).is_none());
    let measure = |_: &Tensor| Measured { gain: 0.0, loss: f64::NAN, kl: 0.0 };
    assert!(step(slopes, 1.0, region(), Tensor::shallow_clone, measure).is_none());
}
