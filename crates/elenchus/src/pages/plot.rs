//! Line plots as SVG, drawn in the colours of the page.

use maud::{Markup, html};
use std::fmt::Write;

/// The size of a plot, and of what stands around its area, in pixels.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 20.0;

/// A line is drawn through at most so many points, each the mean of those that it stands for.
const MOST_POINTS: usize = 240;

/// How many colours the page has.
pub(super) const COLOURS: usize = 6;

/// A line of a plot.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// `(x, y)`, by rising x.
    pub points: Vec<(f64, f64)>,
    /// `(x, lowest, highest)`: an interval around it, where there is one.
    pub band: Vec<(f64, f64, f64)>,
}

/// A metric over batches.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Its name.
    pub title: String,
    /// Its lines, each in a colour of its own.
    pub lines: Vec<Line>,
}

impl Plot {
    /// The plot, with its title and, of a single line, the last value.
    pub fn draw(&self) -> Markup {
        let frame = Frame::around(&self.lines);
        let last = match &self.lines[..] {
            [line] => line.points.last().map(|point| number(point.1)),
            _ => None,
        };
        html! {
            figure {
                figcaption { (self.title) @if let Some(last) = last { span { (last) } } }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.title) {
                    @for tick in ticks(frame.low, frame.high) {
                        @let y = round(frame.y(tick));
                        line.rule x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
                        text x=(LEFT - 5.0) y=(y + 3.5) text-anchor="end" { (number(tick)) }
                    }
                    @for (place, anchor) in [(frame.first, "start"), (frame.last, "end")] {
                        text x=(round(frame.x(place))) y=(HEIGHT - 5.0) text-anchor=(anchor) { (number(place)) }
                    }
                    @for (i, line) in self.lines.iter().enumerate() { (frame.line(line, i % COLOURS)) }
                }
            }
        }
    }
}

/// The ranges that a plot shows.
struct Frame {
    first: f64,
    last: f64,
    low: f64,
    high: f64,
}

impl Frame {
    /// Room for all points of some lines. A line without height gets some.
    fn around(lines: &[Line]) -> Self {
        let points = || lines.iter().flat_map(|line| line.points.iter().copied());
        let bounds = lines.iter().flat_map(|line| line.band.iter().flat_map(|&(x, low, high)| [(x, low), (x, high)]));
        let (mut first, mut last, mut low, mut high) =
            (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY);
        for (x, y) in points().chain(bounds) {
            (first, last) = (first.min(x), last.max(x));
            (low, high) = (low.min(y), high.max(y));
        }
        if first > last {
            (first, last, low, high) = (0.0, 1.0, 0.0, 1.0);
        }
        if low == high {
            let some = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (low, high) = (low - some, high + some);
        }
        Frame { first, last, low, high }
    }

    fn x(&self, x: f64) -> f64 {
        let share = if self.last > self.first { (x - self.first) / (self.last - self.first) } else { 0.5 };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        TOP + (self.high - y) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }

    fn line(&self, line: &Line, colour: usize) -> Markup {
        let points = thinned(&line.points);
        let upper = line.band.iter().map(|&(x, _, high)| (x, high));
        let lower = line.band.iter().rev().map(|&(x, low, _)| (x, low));
        html! {
            @if !line.band.is_empty() {
                polygon class={ "band c" (colour) } points=(self.path(upper.chain(lower))) {}
            }
            @if let [point] = points[..] {
                circle class={ "c" (colour) } cx=(round(self.x(point.0))) cy=(round(self.y(point.1))) r="2.5" {}
            } @else {
                polyline class={ "line c" (colour) } points=(self.path(points.into_iter())) {}
            }
        }
    }

    fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (x, y) in points {
            let _ = write!(path, "{},{} ", round(self.x(x)), round(self.y(y)));
        }
        path.trim_end().to_owned()
    }
}

/// Groups of points, each as its mean.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(MOST_POINTS).max(1);
    let mean = |group: &[(f64, f64)]| {
        let (x, y) = group.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (x / group.len() as f64, y / group.len() as f64)
    };
    points.chunks(size).map(mean).collect()
}

/// Round numbers in a range, some three to six.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 4.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step).ceil() as i64;
    (first..).map(|i| i as f64 * step).take_while(|tick| *tick <= high + step * 1e-6).collect()
}

fn round(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

/// A number in as many digits as one reads at a glance.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size == 0.0 => return "0".to_owned(),
        _ if !(1e-4..1e7).contains(&size) => return format!("{value:.1e}").replace(".0e", "e"),
        _ if size >= 1000.0 => return crate::figures::grouped(value),
        _ if size >= 100.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
