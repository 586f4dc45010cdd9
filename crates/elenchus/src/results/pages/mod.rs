//! Pages for a browser, each a single file that needs no network: the report of a run, the comparison of several.

pub mod comparison;
mod judging;
mod plot;
mod reliability;
pub mod report;

pub use plot::{Line, Plot};
pub use reliability::Reliability;

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A page with its style.
pub fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}

/// A part of a page with its heading.
pub fn section(heading: &str, body: &Markup) -> Markup {
    html! { section { h2 { (heading) } (body) } }
}

/// A few figures side by side, each with what it is.
pub fn facts(facts: &[(&str, String)]) -> Markup {
    html! { dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } } }
}
