//! Draws expressions of a wanted depth, length and answer.
//!
//! Expressions of one *shape* are as good as each other for what they may stand in. For each shape, from short to long,
//! the forest lists the ways to make one from shorter ones, and counts the expressions that each way leads to: with the
//! grammar being unambiguous, choosing each way in proportion to its count draws every expression of a shape with the
//! same chance. Nothing is drawn in vain, and what a set of lengths to avoid makes impossible is known beforehand.
//!
//! Depth is drawn first, evenly, and length; then how often each word occurs, and where that leaves the answer open,
//! the answer, by a fair coin. So neither a question's length nor its words without their order tell the answer, save
//! where they force it (`True and True is`).

use super::expression::{Expression, Operator};
use crate::dice::Dice;
use std::collections::BTreeMap;

/// The most words of an expression.
pub const LONGEST: u32 = 11;
/// The most steps that so many words can take: a literal after as many `not`.
pub const DEEPEST: u32 = LONGEST - 1;
/// The most pairs of parentheses.
const MOST_PAIRS: u32 = 3;
/// How likely an expression is whose words force its answer, beside one whose words leave it open.
const FORCED: f64 = 0.25;

/// How tightly the top of an expression binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Top {
    Or,
    And,
    Not,
    Atom,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    top: Top,
    depth: u32,
    value: bool,
    bag: Bag,
}

/// How often each word occurs: the number of all words settles what is not counted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bag {
    words: u32,
    pairs: u32,
    nots: u32,
    ands: u32,
    trues: u32,
}

/// A way to make an expression, from trees of the forest given by their places.
#[derive(Debug, Clone, Copy)]
enum Way {
    Literal(bool),
    Parenthesised(usize),
    Not(usize),
    Binary(Operator, usize, usize),
}

/// All expressions of one shape.
#[derive(Debug, Clone)]
struct Tree {
    shape: Shape,
    ways: Choice<Way>,
}

/// Things to choose from, with a weight each.
#[derive(Debug, Clone)]
struct Choice<T> {
    /// Each with the sum of the weights up to it.
    items: Vec<(f64, T)>,
}

impl<T> Choice<T> {
    fn new(weighted: impl IntoIterator<Item = (f64, T)>) -> Self {
        let mut sum = 0.0;
        let add = |(weight, item)| {
            sum += weight;
            (sum, item)
        };
        Choice { items: weighted.into_iter().map(add).collect() }
    }

    fn total(&self) -> f64 {
        self.items.last().map_or(0.0, |item| item.0)
    }

    fn draw(&self, dice: &mut Dice) -> &T {
        let at = dice.uniform() * self.total();
        let place = self.items.partition_point(|item| item.0 <= at);
        &self.items[place.min(self.items.len() - 1)].1
    }
}

/// The trees with one bag of words, by their answer.
type Answers = [Choice<usize>; 2];

/// Expressions of some depths, without some lengths.
#[derive(Debug, Clone)]
pub struct Forest {
    trees: Vec<Tree>,
    /// For each depth, for each length: the bags of words to draw from.
    roots: Vec<Choice<Choice<Answers>>>,
}

impl Forest {
    /// The forest for depths within a range, in which neither an expression nor any part of one that could be asked
    /// about has a number of words in `exclude`. The error is a depth of which that leaves nothing.
    pub fn new(depth: (u32, u32), exclude: &[u32]) -> Result<Self, u32> {
        let mut trees = Vec::new();
        for words in 1..=LONGEST {
            let asked = !exclude.contains(&words);
            // What stands in parentheses is asked about without them, and a literal is not asked about.
            let kept = |shape: &Shape| shape.depth <= depth.1 && (asked || shape.top == Top::Atom);
            let grown = grow(&trees, words).into_iter().filter(|(shape, _)| kept(shape));
            trees.extend(grown.map(|(shape, ways)| Tree { shape, ways: Choice::new(ways) }));
        }
        let roots = (depth.0..=depth.1).map(|depth| roots(&trees, depth, exclude).ok_or(depth));
        Ok(Forest { roots: roots.collect::<Result<_, _>>()?, trees })
    }

    /// An expression.
    pub fn draw(&self, dice: &mut Dice) -> Expression {
        let answers = self.roots[dice.below(self.roots.len())].draw(dice).draw(dice);
        let answer = if open(answers) { dice.fair() } else { answers[1].total() > 0.0 };
        let root = answers[usize::from(answer)].draw(dice);
        self.expression(*root, dice)
    }

    fn expression(&self, tree: usize, dice: &mut Dice) -> Expression {
        match *self.trees[tree].ways.draw(dice) {
            Way::Literal(value) => Expression::Literal(value),
            Way::Parenthesised(inner) => Expression::Parenthesised(Box::new(self.expression(inner, dice))),
            Way::Not(inner) => Expression::Not(Box::new(self.expression(inner, dice))),
            Way::Binary(operator, left, right) => {
                let left = self.expression(left, dice);
                Expression::Binary(operator, Box::new(left), Box::new(self.expression(right, dice)))
            }
        }
    }
}

/// The lengths of expressions of one depth, each with its bags of words; `None` if there are none. A length counts as
/// much as the logarithm of what its bags weigh together. If lengths counted alike, the few short expressions would be
/// drawn over and over; if expressions did, hardly any but the longest.
fn roots(trees: &[Tree], depth: u32, exclude: &[u32]) -> Option<Choice<Choice<Answers>>> {
    let lengths = (1..=LONGEST).filter(|words| !exclude.contains(words));
    let bags = lengths.map(|words| bags(trees, depth, words)).filter(|bags| bags.total() > 0.0);
    let lengths = Choice::new(bags.map(|bags| (bags.total().ln_1p(), bags)));
    (lengths.total() > 0.0).then_some(lengths)
}

/// The bags of words of one depth and length, each with as much weight as it has expressions, or less.
fn bags(trees: &[Tree], depth: u32, words: u32) -> Choice<Answers> {
    let mut bags: BTreeMap<Bag, [Vec<(f64, usize)>; 2]> = BTreeMap::new();
    for (place, Tree { shape, ways }) in trees.iter().enumerate() {
        if shape.depth == depth && shape.bag.words == words {
            bags.entry(shape.bag).or_default()[usize::from(shape.value)].push((ways.total(), place));
        }
    }
    let answers = bags.into_values().map(|trees| trees.map(Choice::new));
    Choice::new(answers.map(|answers: Answers| (weight(&answers), answers)))
}

fn weight(answers: &Answers) -> f64 {
    let expressions: f64 = answers.iter().map(Choice::total).sum();
    if open(answers) { expressions } else { FORCED * expressions }
}

/// Whether both answers are possible.
fn open(answers: &Answers) -> bool {
    answers.iter().all(|choice| choice.total() > 0.0)
}

/// The ways, with their counts, to make expressions of so many words from shorter ones, by shape.
fn grow(trees: &[Tree], words: u32) -> BTreeMap<Shape, Vec<(f64, Way)>> {
    let mut ways: BTreeMap<Shape, Vec<(f64, Way)>> = BTreeMap::new();
    let mut add = |shape: Shape, count: f64, way: Way| ways.entry(shape).or_default().push((count, way));
    if words == 1 {
        for value in [false, true] {
            add(Shape::literal(value), 1.0, Way::Literal(value));
        }
    }
    for (place, Tree { shape, ways }) in of_length(trees, words.saturating_sub(2)) {
        if shape.bag.pairs < MOST_PAIRS {
            add(shape.parenthesised(), ways.total(), Way::Parenthesised(place));
        }
    }
    for (place, Tree { shape, ways }) in of_length(trees, words - 1) {
        if shape.top >= Top::Not {
            add(shape.negated(), ways.total(), Way::Not(place));
        }
    }
    for (left, right) in (1..words.saturating_sub(1)).flat_map(|first| pairs(trees, first, words - 1 - first)) {
        let count = trees[left].ways.total() * trees[right].ways.total();
        for operator in [Operator::Or, Operator::And] {
            if let Some(shape) = trees[left].shape.joined(operator, &trees[right].shape) {
                add(shape, count, Way::Binary(operator, left, right));
            }
        }
    }
    ways
}

/// The trees of so many words, which stand side by side, with their places.
fn of_length(trees: &[Tree], words: u32) -> impl Iterator<Item = (usize, &Tree)> + Clone {
    let start = trees.partition_point(|tree| tree.shape.bag.words < words);
    let end = trees.partition_point(|tree| tree.shape.bag.words <= words);
    (start..end).map(|place| (place, &trees[place]))
}

fn pairs(trees: &[Tree], first: u32, second: u32) -> impl Iterator<Item = (usize, usize)> {
    let seconds = of_length(trees, second);
    of_length(trees, first).flat_map(move |(left, _)| seconds.clone().map(move |(right, _)| (left, right)))
}

impl Shape {
    fn literal(value: bool) -> Self {
        let bag = Bag { words: 1, pairs: 0, nots: 0, ands: 0, trues: u32::from(value) };
        Shape { top: Top::Atom, depth: 0, value, bag }
    }

    fn parenthesised(self) -> Self {
        let bag = Bag { words: self.bag.words + 2, pairs: self.bag.pairs + 1, ..self.bag };
        Shape { top: Top::Atom, bag, ..self }
    }

    fn negated(self) -> Self {
        let bag = Bag { words: self.bag.words + 1, nots: self.bag.nots + 1, ..self.bag };
        Shape { top: Top::Not, depth: self.depth + 1, value: !self.value, bag }
    }

    /// Two operands with an operator between them, if that is how the text would be read.
    fn joined(&self, operator: Operator, right: &Shape) -> Option<Self> {
        let (top, ands) = match operator {
            Operator::Or => (Top::Or, 0),
            Operator::And => (Top::And, 1),
        };
        let bag = Bag {
            words: self.bag.words + 1 + right.bag.words,
            pairs: self.bag.pairs + right.bag.pairs,
            nots: self.bag.nots + right.bag.nots,
            ands: self.bag.ands + ands + right.bag.ands,
            trues: self.bag.trues + right.bag.trues,
        };
        let depth = self.depth.max(right.depth) + 1;
        let value = operator.apply(self.value, right.value);
        (self.top >= top && right.top > top && bag.pairs <= MOST_PAIRS).then_some(Shape { top, depth, value, bag })
    }
}
