//! A reliability diagram (DeGroot and Fienberg 1983): what was given a probability, beside how often it was so.

use super::plot::COLOURS;
use crate::stages::{calibration::Bin, evaluation::wilson};
use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

/// As a plot of a metric, and twice as high.
const SIZE: (u32, u32) = (1360, 1360);

/// The bins of some forecasts. On the diagonal a probability is what it says.
#[derive(Debug, Clone)]
pub struct Reliability {
    /// What the probabilities are of.
    pub title: String,
    /// Those bins that have forecasts, by rising probability.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// The diagram. Around each share is the interval of Wilson (1927), 95 %.
    pub fn draw(&self) -> Markup {
        let count: u32 = self.bins.iter().map(|bin| bin.count).sum();
        html! {
            figure {
                figcaption { (self.title) span { (count) " probabilities" } }
                div role="img" aria-label=(self.title) {
                    (PreEscaped(self.svg().expect("a string takes whatever is drawn into it")))
                }
                p.faint { "Across: the probability given. Up: the share of those that are so." }
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
                .y_label_area_size(110)
                .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
            chart
                .configure_mesh()
                .bold_line_style(BLACK.stroke_width(4))
                .light_line_style(TRANSPARENT)
                .axis_style(TRANSPARENT)
                .label_style(("sans-serif", 50))
                .x_labels(5)
                .y_labels(5)
                .draw()?;
            chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], COLOURS[5].stroke_width(4)))?;
            let interval = |bin: &Bin| {
                let (low, high) = wilson(bin.share, f64::from(bin.count));
                PathElement::new([(bin.probability, low), (bin.probability, high)], COLOURS[0].stroke_width(4))
            };
            chart.draw_series(self.bins.iter().map(interval))?;
            let points = self.bins.iter().map(|bin| (bin.probability, bin.share));
            chart.draw_series(LineSeries::new(points, COLOURS[0].filled().stroke_width(6)).point_size(12))?;
        }
        Ok(svg)
    }
}
