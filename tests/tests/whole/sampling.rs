//! Which question a draw gives: a function of the seed and of its ordinal, in every order and in mixtures.

use batch::QuestionRow;
use debate::draw::Draw;
use elenchus::stages::sample::Source;
use spec::settings::Order;
use std::collections::BTreeSet;

fn rows(name: &str, count: u64, order: Order) -> Source {
    let row = |i: u64| QuestionRow { text: format!("{name}{i}"), gold: None };
    Source::Rows((0..count).map(row).collect(), order)
}

fn draws(source: &Source, ordinals: std::ops::Range<u64>, seed: u64) -> Vec<String> {
    ordinals.map(|ordinal| source.draw(ordinal, Draw::new(seed)).text).collect()
}

#[test]
fn rows_come_in_order_and_over_again() {
    assert_eq!(draws(&rows("q", 3, Order::Sequential), 1..5, 7), ["q1", "q2", "q0", "q1"]);
}

#[test]
fn shuffled_rows_come_once_a_round_in_another_order_each_round() {
    for count in [1, 2, 3, 5, 16, 17, 100, 1000] {
        let source = rows("q", count, Order::Shuffled);
        let round = |round: u64| draws(&source, round * count..(round + 1) * count, 7);
        for number in 0..3 {
            assert_eq!(round(number).iter().collect::<BTreeSet<_>>().len() as u64, count, "round {number} of {count}");
        }
        if count >= 16 {
            assert_ne!(round(0), round(1));
            assert_ne!(round(0), draws(&rows("q", count, Order::Sequential), 0..count, 7));
            assert_ne!(round(0), draws(&source, 0..count, 8), "another seed, another order");
        }
        assert_eq!(draws(&source, 0..2 * count, 7)[count as usize..], round(1), "it does not matter where one begins");
    }
}

#[test]
fn with_replacement_any_row_comes_at_any_time() {
    let drawn = draws(&rows("q", 10, Order::WithReplacement), 0..1000, 7);
    for row in 0..10 {
        let times = drawn.iter().filter(|text| **text == format!("q{row}")).count();
        assert!((60..140).contains(&times), "q{row} came {times} times of 1000");
    }
}

#[test]
fn a_mixture_draws_by_weight() {
    let source = Source::Mixture(vec![(3.0, rows("a", 50, Order::Shuffled)), (1.0, rows("b", 7, Order::Sequential))]);
    let drawn = draws(&source, 0..4000, 7);
    let of_a = drawn.iter().filter(|text| text.starts_with('a')).count();
    assert!((2850..3150).contains(&of_a), "{of_a} of 4000");
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 57, "every row of both comes");
}
