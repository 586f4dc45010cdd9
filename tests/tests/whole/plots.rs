//! The plots of reports and comparisons.

use elenchus::results::{
    figures::number,
    pages::{Line, Plot},
};

fn drawn(lines: Vec<Line>) -> String {
    Plot { title: "held_out.naive".to_owned(), lines }.draw().into_string()
}

fn line(points: &[(u64, f64)]) -> Line {
    Line { points: points.to_vec(), band: Vec::new() }
}

#[test]
fn each_line_has_a_colour_and_its_interval_is_a_band() {
    let band = vec![(10, 0.25, 0.75), (20, 0.5, 1.0)];
    let lines = vec![Line { band, ..line(&[(10, 0.5), (20, 0.75)]) }, line(&[(10, 0.5), (15, 0.25), (30, -1.5)])];
    insta::assert_snapshot!(drawn(lines));
}

#[test]
fn a_point_alone_is_a_dot_and_its_value_is_told() {
    insta::assert_snapshot!(drawn(vec![line(&[(7, 0.5)])]));
}

/// The points of the only line of a plot, as they are placed.
fn check_thinned(count: u64, expect: usize) {
    let points: Vec<(u64, f64)> = (0..count).map(|batch| (batch, batch as f64)).collect();
    let plot = drawn(vec![line(&points)]);
    let (_, placed) = plot.split_once("points=\"").expect("there is a line");
    let (placed, _) = placed.split_once('"').expect("it has an end");
    assert_eq!(placed.split_whitespace().count(), expect);
}

#[test]
fn long_lines_are_thinned() {
    check_thinned(240, 240);
    check_thinned(241, 121);
    check_thinned(1000, 200);
}

#[test]
fn what_has_no_extent_is_drawn_all_the_same() {
    for lines in [vec![], vec![line(&[])], vec![line(&[(0, 0.0), (1, 0.0)])], vec![line(&[(3, f64::INFINITY)])]] {
        assert!(drawn(lines).contains("</svg>"));
    }
}

#[test]
fn numbers_are_read_at_a_glance() {
    let told = [0.0, 0.25, -12.5, 1234.5, -150_000.0, 2e-5].map(number);
    assert_eq!(told, ["0", "0.25", "-12.5", "1 234", "-150 000", "2e-5"]);
}
