//! `report.html`: a run on one page, as far as it has come.

use super::{Line, Plot, facts, judging::judging, page, section};
use crate::{
    failure::Failure,
    results::{
        bootstrap::Interval,
        estimate::{Against, against_human, batches_in_words},
        figures::{Accuracy, Timings, accuracies, grouped, label, of_stage, parted, rows, tokens, total},
        ratings::{self, Rating, Ratings},
        transcript::{Found, Transcript, heading, version},
    },
    stages::evaluation::Count,
};
use batch::Run;
use debate::{
    question::Asked,
    trace::{Call, Part},
};
use maud::{Markup, html};
use spec::settings::Pipeline;
use std::{collections::BTreeMap, path::Path};

/// What is asked and computed: the names of the metrics, and how they are called.
const COSTS: [(&str, &str); 6] = [
    ("human_calls", "calls to H"),
    ("model_prompts", "questions to M"),
    ("model_calls", "in calls"),
    ("tokens_read", "tokens read"),
    ("tokens_written", "written"),
    ("tokens", "trained on"),
];

/// How many batches back a debate with two sides is looked for.
const LOOK_BACK: u64 = 20;

/// The report of a run.
pub fn report(root: &Path) -> Result<String, Failure> {
    let run = Run::open(root)?;
    let pipeline = crate::wiring::load::pipeline(root)?;
    let timings = Timings::read(root);
    let name = std::path::absolute(root).unwrap_or(root.to_owned());
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut body = html! { (head(&name, &run, &pipeline, &timings)) };
    for accuracy in accuracies(&run, &pipeline)? {
        let heading = format!("{}: right answers by depth, after batch {}", accuracy.stage, accuracy.batches);
        body = html! { (body) (section(&heading, &by_depth(&accuracy))) };
    }
    body = html! { (body) (judging(&run, &pipeline)?) };
    let known = against_human(&run, &pipeline)?;
    if !known.is_empty() {
        let heading = format!("M against H, {}", batches_in_words(&pipeline, run.lines().len()));
        body = html! { (body) (section(&heading, &against(&known))) };
    }
    let settings = pipeline.to_toml();
    let plan = std::fs::read_to_string(root.join("plan.txt")).unwrap_or_default();
    let body = html! {
        (body)
        (section("Metrics", &metrics(&run)))
        (section("Rows", &flow(&run, &pipeline)))
        @for ratings in ratings::ratings(&pipeline, run.lines()) {
            (section(&format!("Elo of {} by {}", ratings.model, ratings.stage), &rated(&ratings)))
        }
        @if COSTS.iter().any(|(name, _)| total(run.lines(), name) > 0.0) {
            (section("Calls and tokens", &cost(&run, &pipeline)))
        }
        (section("Time", &time(&timings, &pipeline)))
        @match debate(&run, &pipeline) {
            Some(Ok(debate)) => (section("One debate", &said(&debate))),
            Some(Err(failure)) => (section("One debate", &html! { p.faint { "It cannot be shown: " (failure.text()) } })),
            None => {}
        }
        (section("Settings", &html! {
            details { summary { "pipeline.toml, with every default" } pre { (settings) } }
            details { summary { "The plan" } pre { (plan) } }
        }))
    };
    Ok(page(&name, &body))
}

fn head(name: &str, run: &Run, pipeline: &Pipeline, timings: &Timings) -> Markup {
    let lines = run.lines();
    let state = match (lines.len() as u64, pipeline.batches) {
        (done, Some(batches)) if done == batches => format!("complete, {done} batches"),
        (done, Some(batches)) => format!("{done} of {batches} batches committed"),
        (done, None) => format!("{done} batches committed"),
    };
    let tokens: f64 = lines.iter().map(|line| tokens(&line.metrics)).sum();
    html! {
        h1 { (name) }
        p.faint { (state) }
        (facts(&[
            ("seed", pipeline.seed.to_string()),
            ("calls to H", grouped(total(lines, "human_calls"))),
            ("questions to M", grouped(total(lines, "model_prompts"))),
            ("tokens", grouped(tokens)),
            ("seconds", grouped(timings.all())),
        ]))
    }
}

fn by_depth(accuracy: &Accuracy) -> Markup {
    let depths = accuracy.depths();
    let cell = |count: Option<&Count>| match count {
        Some(count) => html! {
            td style={ "background: rgba(var(--good), " (format!("{:.2}", 0.55 * count.accuracy().powi(2))) ")" }
                title={ (count.correct) " of " (count.total) } { (format!("{:.1}", 100.0 * count.accuracy())) }
        },
        None => html! { td { "–" } },
    };
    html! {
        table {
            tr {
                th { "% right" }
                @for depth in &depths { th { (depth.map_or("?".to_owned(), |depth| depth.to_string())) } }
                th { "all" }
                th { "95 % interval" }
                th { @if let Some(other) = accuracy.reference() { "less " (label(&other.row)) } }
                th { "calls to H" }
                th { "tokens read" }
                th { "written" }
            }
            @for answered in &accuracy.rows {
                tr {
                    td { (label(&answered.row)) }
                    @for depth in &depths { (cell(answered.counts.get(depth))) }
                    (cell(Some(&answered.all())))
                    td.faint { (between(answered.interval)) }
                    td.faint { (between(answered.difference)) }
                    @if let Some(cost) = answered.cost {
                        @for number in [cost.human_calls, cost.tokens_read, cost.tokens_written] {
                            td { (grouped(number as f64)) }
                        }
                    }
                }
            }
        }
    }
}

/// How strong M was over the run, by its debates.
fn rated(ratings: &Ratings) -> Markup {
    html! {
        table {
            tr { th { } th { "points" } th { "95 % interval" } }
            @for (player, Rating { points, half }) in &ratings.players {
                tr {
                    td { (player) }
                    td { (format!("{points:+.0}")) }
                    td.faint { (format!("{:+.0} – {:+.0}", points - half, points + half)) }
                }
            }
        }
    }
}

/// The ends of a bootstrap interval, in percent.
fn between(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high }| format!("{:.1} – {:.1}", 100.0 * low, 100.0 * high))
}

/// How often M's first answer is another than H's, estimated by inverse propensities.
fn against(found: &[Against]) -> Markup {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    html! {
        table {
            tr {
                th { "question" }
                th { "posed" }
                th { "to H" }
                th { "% M differs" }
                th { "95 % interval" }
                th { "% with no chance of H" }
            }
            @for Against { stage, asked, estimate } in found {
                tr {
                    td { (stage) ": " (asked) }
                    td { (grouped(estimate.posed as f64)) }
                    td { (grouped(estimate.called as f64)) }
                    td { (estimate.error().map_or("–".to_owned(), percent)) }
                    td.faint {
                        @if let Some((low, high)) = estimate.interval() { (percent(low)) " – " (percent(high)) }
                    }
                    td { (percent(estimate.uncovered_share())) }
                }
            }
        }
    }
}

/// A plot for each metric, stage by stage.
fn metrics(run: &Run) -> Markup {
    let mut by_stage: BTreeMap<&str, BTreeMap<&str, Line>> = BTreeMap::new();
    for line in run.lines() {
        for (metric, value) in &line.metrics {
            let (stage, name) = parted(metric);
            let drawn = by_stage.entry(stage).or_default().entry(name).or_default();
            drawn.points.push((line.batch, *value));
        }
    }
    html! {
        @for (stage, metrics) in by_stage {
            h3 { (stage) }
            div.plots {
                @for (name, line) in metrics { (Plot { title: name.to_owned(), lines: vec![line] }.draw()) }
            }
        }
    }
}

/// The rows that each stage put out, those that it could not do, and those that it was not to draw.
fn flow(run: &Run, pipeline: &Pipeline) -> Markup {
    let lines = run.lines();
    let cell =
        |stage: &str, name: &str| html! { td { (of_stage(lines, stage, name).map(grouped).unwrap_or_default()) } };
    html! {
        table {
            tr { th { "stage" } th { "rows" } th { "errors" } th { "excluded" } }
            @for stage in &pipeline.stages {
                @if let Some(rows) = rows(lines, &stage.name) {
                    tr {
                        td { (stage.name) }
                        td { (grouped(rows)) }
                        (cell(&stage.name, "errors"))
                        (cell(&stage.name, "excluded"))
                    }
                }
            }
        }
    }
}

/// What was asked and computed, by stage.
fn cost(run: &Run, pipeline: &Pipeline) -> Markup {
    let lines = run.lines();
    let of = |stage: &str, name: &str| of_stage(lines, stage, name).unwrap_or_default();
    let cell = |value: f64| html! { td { @if value > 0.0 { (grouped(value)) } } };
    let asking = |stage: &str| COSTS.iter().any(|(name, _)| of(stage, name) > 0.0);
    html! {
        table {
            tr { th { "stage" } @for (_, title) in COSTS { th { (title) } } }
            @for stage in pipeline.stages.iter().filter(|stage| asking(&stage.name)) {
                tr { td { (stage.name) } @for (name, _) in COSTS { (cell(of(&stage.name, name))) } }
            }
            tr { td { "all" } @for (name, _) in COSTS { (cell(total(lines, name))) } }
        }
    }
}

fn time(timings: &Timings, pipeline: &Pipeline) -> Markup {
    let shares = timings.shares(pipeline);
    let all = shares.iter().map(|(_, seconds)| *seconds).sum::<f64>().max(f64::MIN_POSITIVE);
    let longest = shares.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    html! {
        div.bars {
            @for (name, seconds) in &shares {
                span { (name) }
                div.bar style={ "width: " (format!("{:.1}", 100.0 * seconds / longest)) "%" } {}
                span.value { (format!("{seconds:.1}")) " s, " (format!("{:.0}", 100.0 * seconds / all)) " %" }
            }
        }
    }
}

/// The last debate that somebody won, if there was one of late.
fn debate(run: &Run, pipeline: &Pipeline) -> Option<Result<Transcript, Failure>> {
    let found = Found::debate(pipeline).ok()?;
    let (committed, verdicts) = (run.lines().len() as u64, found.verdicts?);
    let (batch, id) = (committed.saturating_sub(LOOK_BACK)..committed).rev().find_map(|batch| {
        let verdicts = run.table(verdicts, batch).ok()?;
        let winners = crate::stages::tables::optional_texts(&verdicts, "winner").ok()?;
        let ids = crate::stages::tables::u64s(&verdicts, "question").ok()?;
        ids.into_iter().zip(winners).rev().find(|(_, winner)| winner.is_some()).map(|(id, _)| (batch, id))
    })?;
    Some(Transcript::of(run, &found, batch, id))
}

/// A debate as a conversation: the even side on the left, the odd side on the right.
fn said(debate: &Transcript) -> Markup {
    let mut answers: Vec<Vec<&Call>> = Vec::new();
    for call in &debate.calls {
        match (call.part, answers.last_mut()) {
            (Part::Adversary | Part::Again | Part::Sub | Part::Human | Part::Tool, Some(answer)) => answer.push(call),
            _ => answers.push(vec![call]),
        }
    }
    html! {
        div.debate {
            p { (debate.question) }
            p.faint {
                "Question " (debate.id) ", batch " (debate.batch)
                @if debate.simultaneous { ", two arguments at a time" }
                @if let Some(gold) = &debate.gold { ". The right answer is " strong { (gold) } "." }
            }
            @for answer in &answers { (answered(answer)) }
            p {
                "Ended by " (debate.stopped) ". "
                @if let Some(Some(winner)) = &debate.winner {
                    "The " strong { (winner) " side" } (debate.voice_of(winner)) " won."
                }
            }
        }
    }
}

fn answered(calls: &[&Call]) -> Markup {
    let Some(first) = calls.first() else { return html! {} };
    let class = match (first.asked, first.turn % 2) {
        (Asked::Argument, 0) => "said even",
        (Asked::Argument, _) => "said odd",
        _ => "said overseer",
    };
    html! {
        div class=(class) {
            div.who { (heading(first)) }
            @for call in calls {
                @match call.part {
                    Part::First => p.overridden[!call.kept] { "M: " (call.answer) },
                    Part::Adversary => div.asked { "Would H say so? " (call.answer) },
                    Part::Again => div.asked { "M again: " (call.answer) },
                    Part::Sub => div.asked { "H asks M: " (call.prompt) br; "M: " (call.answer) },
                    Part::Human => p { "H: " (call.answer) },
                    Part::Tool => div.asked { "Tool: " (call.answer) (version(call)) },
                }
            }
        }
    }
}
