//! Line plots as SVG, legible on a light page and on a dark one.

use crate::results::figures::number;
use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;
use std::ops::Range;

/// Plotters places everything on whole pixels, so a plot is drawn at four times the size at which it is looked at.
const SIZE: (u32, u32) = (1360, 680);

/// A line is drawn through at most so many points, each the mean of those that it stands for.
const MOST_POINTS: usize = 240;

/// The colours of lines: each has a contrast of 3:1 at least with a plot's ground, light or dark.
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(63, 134, 204),
    RGBColor(207, 106, 44),
    RGBColor(61, 154, 99),
    RGBColor(160, 111, 196),
    RGBColor(208, 85, 116),
    RGBColor(145, 133, 74),
];

/// A line of a plot.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// `(batch, value)`, by rising batch.
    pub points: Vec<(u64, f64)>,
    /// `(batch, lowest, highest)`: an interval around the value, where there is one.
    pub band: Vec<(u64, f64, f64)>,
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
        let last = match &self.lines[..] {
            [line] => line.points.last().map(|point| number(point.1)),
            _ => None,
        };
        html! {
            figure {
                figcaption { (self.title) @if let Some(last) = last { span { (last) } } }
                div role="img" aria-label=(self.title) {
                    (PreEscaped(self.svg().expect("a string takes whatever is drawn into it")))
                }
            }
        }
    }

    fn svg(&self) -> DrawResult<String, SVGBackend<'_>> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            let mut chart = ChartBuilder::on(&area)
                .margin_top(30)
                .margin_right(50)
                .x_label_area_size(64)
                .y_label_area_size(180)
                .build_cartesian_2d(self.batches(), self.values())?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .bold_line_style(BLACK.stroke_width(4))
                .light_line_style(TRANSPARENT)
                .axis_style(TRANSPARENT)
                .label_style(("sans-serif", 50))
                .x_labels(5)
                .y_labels(5)
                .x_label_formatter(&|batch| number(*batch as f64))
                .y_label_formatter(&|value| number(*value))
                .draw()?;
            for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
                let upper = line.band.iter().map(|&(batch, _, high)| (batch, high));
                let lower = line.band.iter().rev().map(|&(batch, low, _)| (batch, low));
                let band: Vec<_> = upper.chain(lower).collect();
                let band = (!band.is_empty()).then(|| Polygon::new(band, colour.mix(0.18)));
                chart.draw_series(band)?;
                let points = thinned(&line.points);
                let dot = if points.len() == 1 { 10 } else { 0 };
                chart.draw_series(LineSeries::new(points, colour.filled().stroke_width(6)).point_size(dot))?;
            }
        }
        Ok(svg)
    }

    /// From the first batch to the last. A single one stands between its neighbours.
    fn batches(&self) -> Range<u64> {
        let batches = || self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.0));
        let (first, last) = (batches().min().unwrap_or_default(), batches().max().unwrap_or_default());
        if first < last { first..last } else { first.saturating_sub(1)..last + 1 }
    }

    /// From the lowest value to the highest. A line without height gets some.
    fn values(&self) -> Range<f64> {
        let points = self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
        let bounds = self.lines.iter().flat_map(|line| line.band.iter().flat_map(|&(_, low, high)| [low, high]));
        let values = points.chain(bounds).filter(|value| value.is_finite()).map(|value| (value, value));
        let (low, high) = values.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))).unwrap_or((0.0, 1.0));
        match low.abs() {
            _ if low < high => low..high,
            0.0 => -1.0..1.0,
            size => low - size * 0.1..high + size * 0.1,
        }
    }
}

/// Groups of points, each as its mean.
fn thinned(points: &[(u64, f64)]) -> Vec<(u64, f64)> {
    let size = points.len().div_ceil(MOST_POINTS).max(1);
    let mean = |group: &[(u64, f64)]| {
        let (batches, values) = group.iter().fold((0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (batches / group.len() as u64, values / group.len() as f64)
    };
    points.chunks(size).map(mean).collect()
}
