//! Several runs on one page: what differs, where each metric ended, and how it went.

use super::{Line, Plot, page, plot::COLOURS, section};
use crate::results::comparison::{Comparison, Ending, Group};
use maud::{Markup, html};
use plotters::style::Color;

/// The page of a comparison.
pub fn comparison(comparison: &Comparison) -> String {
    let labels = comparison.labels();
    let body = html! {
        h1 { "Comparison" }
        p.faint { (comparison.groups.iter().map(|group| group.members.len()).sum::<usize>()) " runs" }
        (section("Settings that differ", &settings(comparison, &labels)))
        (section("At the end", &html! {
            p.faint { "Means over seeds, with Student's 95 % interval." }
            (endings(comparison, &labels))
        }))
        (section("Over batches", &html! {
            (legend(&labels))
            div.plots { @for metric in comparison.metrics() { (plot(comparison, metric).draw()) } }
        }))
    };
    page("Comparison", &body)
}

fn legend(labels: &[String]) -> Markup {
    html! {
        ul.legend {
            @for (label, colour) in labels.iter().zip(COLOURS.iter().cycle()) {
                li style={ "--swatch: rgb" (format!("{:?}", colour.rgb())) } { (label) }
            }
        }
    }
}

fn head(labels: &[String]) -> Markup {
    html! { tr { th {} @for label in labels { th { (label) } } } }
}

fn settings(comparison: &Comparison, labels: &[String]) -> Markup {
    let row = |name: &str, cell: &dyn Fn(&Group) -> String| {
        html! { tr { td { (name) } @for group in &comparison.groups { td { (cell(group)) } } } }
    };
    html! {
        table {
            (head(labels))
            @for (path, values) in comparison.differing() {
                tr { td { (path) } @for value in values { td { (value.unwrap_or("–")) } } }
            }
            (row("runs", &Group::size))
            (row("batches", &|group| group.batches().to_string()))
        }
    }
}

fn endings(comparison: &Comparison, labels: &[String]) -> Markup {
    html! {
        table {
            (head(labels))
            @for metric in comparison.metrics() {
                tr {
                    td { (metric) }
                    @for group in &comparison.groups { td { (group.ending(metric).map_or("–".to_owned(), Ending::words)) } }
                }
            }
        }
    }
}

fn plot(comparison: &Comparison, metric: &str) -> Plot {
    let line = |group: &Group| {
        let course = group.course(metric);
        let band = course.iter().filter_map(|(batch, ending)| {
            let margin = ending.margin?;
            Some((*batch, ending.mean - margin, ending.mean + margin))
        });
        Line { points: course.iter().map(|(batch, ending)| (*batch, ending.mean)).collect(), band: band.collect() }
    };
    Plot { title: metric.to_owned(), lines: comparison.groups.iter().map(line).collect() }
}
