//! The part of a report that is about verdicts: who wins how often, who is right, how far probabilities can be believed, and
//! whether debates died out.

use super::{Reliability, section};
use crate::{
    failure::Failure,
    results::{
        estimate::batches_in_words,
        figures::grouped,
        tallies::{Tally, tallies},
        watch::collapses,
    },
    stages::{
        calibration::{bins, brier, calibration_error},
        evaluation::Count,
        verdicts::{forecasts, right},
    },
};
use batch::Run;
use debate::judge::Side;
use maud::{Markup, html};
use spec::settings::Pipeline;

/// What a run has to say of its verdicts; nothing where nobody judges.
pub fn judging(run: &Run, pipeline: &Pipeline) -> Result<Markup, Failure> {
    let (tallies, collapses) = (tallies(run, pipeline)?, collapses(pipeline, run.lines()));
    let reliabilities: Vec<Reliability> = tallies.iter().filter_map(reliability).collect();
    let batches = batches_in_words(pipeline, run.lines().len());
    Ok(html! {
        @if !collapses.is_empty() {
            (section("Debates died out", &html! { @for collapse in &collapses { p { (collapse.text()) } } }))
        }
        @if !tallies.is_empty() {
            (section(&format!("Verdicts, {batches}"), &html! {
                (by_side(&tallies))
                @if !reliabilities.is_empty() {
                    div.plots { @for reliability in &reliabilities { (reliability.draw()) } }
                }
            }))
        }
    })
}

/// Wins by side, and right verdicts, where that is known.
fn by_side(tallies: &[Tally]) -> Markup {
    html! {
        table {
            tr {
                th { "judge" }
                th { "debates" }
                th { "% without a reward" }
                th { "% even wins" }
                th { "95 % interval" }
                th { "% odd wins" }
                th { "95 % interval" }
                th { "% right" }
                th { "Brier score" }
                th { "calibration error" }
            }
            @for tally in tallies {
                tr {
                    td { (tally.stage) }
                    td { (grouped(tally.judged.len() as f64)) }
                    td { (null(tally)) }
                    @for side in [Side::Even, Side::Odd] { (share(tally.wins(side))) }
                    td { (percent(right(&tally.judged))) }
                    @for number in believed(tally) {
                        td { (number.map_or("–".to_owned(), |number| format!("{number:.3}"))) }
                    }
                }
            }
        }
    }
}

/// The share of debates that nobody won.
fn null(tally: &Tally) -> String {
    let nobody = tally.judged.iter().filter(|it| it.winner.is_none()).count();
    percent(Count { correct: nobody as u32, total: tally.judged.len() as u32 })
}

fn percent(count: Count) -> String {
    if count.total == 0 { "–".to_owned() } else { format!("{:.1}", 100.0 * count.accuracy()) }
}

/// A share with the interval of Wilson (1927).
fn share(count: Count) -> Markup {
    let (low, high) = count.interval();
    html! {
        td { (percent(count)) }
        td.faint { @if count.total > 0 { (format!("{:.1} – {:.1}", 100.0 * low, 100.0 * high)) } }
    }
}

/// The Brier score and the expected calibration error, where there are probabilities.
fn believed(tally: &Tally) -> [Option<f64>; 2] {
    let forecasts = forecasts(&tally.judged);
    [brier(&forecasts), calibration_error(&bins(&forecasts))]
}

fn reliability(tally: &Tally) -> Option<Reliability> {
    let bins = bins(&forecasts(&tally.judged));
    (!bins.is_empty()).then(|| Reliability { title: format!("{}: is the even side right?", tally.stage), bins })
}
