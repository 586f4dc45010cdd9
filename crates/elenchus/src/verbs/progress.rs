//! A run as one watches it: a bar on a terminal, plain lines elsewhere, a JSON object a line for programs, or nothing.
//! Ctrl-C stops it at the next commit, and so does a program that no longer reads.

use crate::{
    failure::Failure,
    results::{
        figures::{parted, tokens},
        watch::{Collapse, Watch},
    },
    verbs::{
        command::{print, say},
        group::Member,
    },
};
use batch::{Event, Outcome};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    cell::Cell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Set by Ctrl-C, and where nobody reads the events. One for the process, because a signal is.
static STOP: AtomicBool = AtomicBool::new(false);

/// Where there is no terminal, a line this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// To whom a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Told {
    /// To a person.
    #[default]
    Person,
    /// To a program: on the output, a JSON object for each event.
    Program,
    /// To nobody.
    Nobody,
}

/// What is shown of a run.
pub struct Progress {
    told: Told,
    /// What to name to go on if it is stopped: the run, or its group.
    resumable: PathBuf,
    batches: u64,
    bar: ProgressBar,
    said: Cell<Option<Instant>>,
    pace: Cell<Pace>,
    /// Whether debates have died out.
    dead: Cell<bool>,
}

/// What this process has done so far.
#[derive(Debug, Clone, Copy)]
struct Pace {
    since: Instant,
    batches: u64,
    rows: u64,
    tokens: f64,
}

impl Progress {
    /// Begins to watch a run.
    pub fn start(root: &Path, batches: u64, told: Told, member: Option<Member<'_>>) -> Self {
        let bar = if told == Told::Person { ProgressBar::new(batches) } else { ProgressBar::hidden() };
        let template = "{bar:30} {pos}/{len} batches  {elapsed} elapsed  {msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let pace = Pace { since: Instant::now(), batches: 0, rows: 0, tokens: 0.0 };
        let resumable = member.map_or(root, |member| member.group).to_owned();
        let (said, pace, dead) = (Cell::new(None), Cell::new(pace), Cell::new(false));
        let progress = Progress { told, resumable, batches, bar, said, pace, dead };
        if let Some(Member { name, number, of, .. }) = member {
            progress.say(&format!("run {number} of {of}: {name}"));
            progress.tell(json!({ "event": "member", "name": name, "number": number, "of": of }));
        }
        progress.say(&format!("run folder: {}", root.display()));
        progress.tell(json!({ "event": "started", "run": root, "batches": batches }));
        // A second handler in one process is refused; the first one serves.
        let _ = ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed));
        progress
    }

    /// To whom it is told.
    pub fn told(&self) -> Told {
        self.told
    }

    /// The flag that Ctrl-C sets.
    pub fn stop(&self) -> &'static AtomicBool {
        &STOP
    }

    /// Tells of debates that have died out, and how the watched run is.
    pub fn watched(&self, watch: &Watch<'_>, new: &[Collapse]) {
        self.dead.set(watch.is_dead());
        for collapse in new {
            self.say(&format!("warning: {}", collapse.text()));
            let Collapse { stage, first, last, cause, remedies } = collapse;
            self.tell(json!({
                "event": "collapse", "batch": last, "stage": stage, "first": first, "cause": cause.name(), "try": remedies,
            }));
        }
    }

    /// Shows what happened.
    pub fn observe(&self, event: &Event<'_>) {
        match event {
            Event::CheckpointUnusable { batches, error } => {
                self.say(&format!("checkpoint {batches} cannot be used ({error}); an older one is tried"));
                self.tell(json!({ "event": "checkpoint_unusable", "batches": batches, "error": error.to_string() }));
            }
            Event::Restored { batches, committed } => {
                if committed > batches {
                    self.say(&format!("states are those after batch {batches}; replaying to batch {committed}"));
                }
                self.tell(json!({ "event": "restored", "batches": batches, "committed": committed }));
            }
            Event::NotReused { batch, stage, error } => {
                self.say(&format!(
                    "`{stage}` of batch {batch} is done again, because an earlier run's is lost: {error}"
                ));
                let error = error.to_string();
                self.tell(json!({ "event": "not_reused", "batch": batch, "stage": stage, "error": error }));
            }
            Event::NotShared { error } => {
                self.say(&format!("later runs will not find this run's results: {error}"));
                self.tell(json!({ "event": "not_shared", "error": error.to_string() }));
            }
            Event::StageReused { batch, stage } => {
                self.tell(json!({ "event": "reused", "batch": batch, "stage": stage }));
            }
            Event::Replayed { batch, committed } => {
                self.bar.set_position(batch + 1);
                self.bar.set_message(format!("replaying to {committed}"));
                self.tell(json!({ "event": "replayed", "batch": batch, "committed": committed }));
            }
            Event::StageFinished { batch, stage, seconds } => {
                self.tell(json!({ "event": "stage", "batch": batch, "stage": stage, "seconds": seconds }));
            }
            Event::CheckpointWritten { batches } => {
                self.tell(json!({ "event": "checkpoint", "batches": batches }));
            }
            Event::BatchCommitted { batch, rows, metrics, seconds, .. } => {
                self.committed(*batch, *rows, metrics, *seconds);
            }
        }
    }

    fn committed(&self, batch: u64, rows: u64, metrics: &BTreeMap<String, f64>, seconds: f64) {
        let (mut pace, tokens) = (self.pace.get(), tokens(metrics));
        pace.batches += 1;
        pace.rows += rows;
        pace.tokens += tokens;
        self.pace.set(pace);
        let mut words = format!("{}  {}", pace.words(self.batches - batch - 1), headline(metrics));
        if self.dead.get() {
            words += "  debates died out";
        }
        self.bar.set_position(batch + 1);
        self.bar.set_message(words.clone());
        self.line(batch + 1, &words);
        self.tell(json!({
            "event": "batch", "batch": batch, "batches": self.batches, "rows": pace.rows, "seconds": seconds,
            "tokens_per_second": tokens / seconds, "metrics": metrics,
        }));
    }

    /// Takes the bar away, and says how it ended.
    pub fn finish(&self, outcome: &Result<Outcome, Failure>) {
        self.bar.finish_and_clear();
        match outcome {
            Ok(outcome) => {
                for (stage, batches) in &outcome.reused {
                    self.say(&format!("reused: {stage} in {batches} batches"));
                }
                self.tell(json!({ "event": "ended", "committed": outcome.committed, "complete": outcome.complete }));
                if !outcome.complete {
                    let (committed, root) = (outcome.committed, self.resumable.display());
                    self.say(&format!("stopped after {committed} batches; go on with: elenchus resume {root}"));
                }
            }
            Err(failure) => self.failed(failure),
        }
    }

    /// Says that it was stopped before there was a run to go on with.
    pub fn gave_up(&self, what: &str) {
        self.bar.finish_and_clear();
        self.say(&format!("stopped before {what} was made; nothing of it is left"));
        self.tell(json!({ "event": "ended", "committed": 0, "complete": false }));
    }

    /// Tells a program why it failed; to a person, whoever began it says so.
    pub fn failed(&self, failure: &Failure) {
        self.bar.finish_and_clear();
        self.tell(json!({ "event": "failed", "error": failure.text() }));
    }

    /// Says a line to a person, above the bar.
    pub fn say(&self, line: &str) {
        match self.told {
            Told::Person if self.bar.is_hidden() => say(line),
            Told::Person => self.bar.println(line),
            Told::Program | Told::Nobody => {}
        }
    }

    /// Warns of what keeps no run from going on, whoever listens.
    pub fn warn(&self, warning: &str) {
        self.bar.suspend(|| say(&format!("warning: {warning}")));
    }

    /// Tells a program what happened. With one that has gone, the run would go on for nobody.
    fn tell(&self, event: Value) {
        if self.told != Told::Program {
            return;
        }
        let unread = match print(format!("{event}\n")) {
            Ok(true) => return,
            Ok(false) => "nobody reads the events any more".to_owned(),
            Err(failure) => failure.text(),
        };
        if !STOP.swap(true, Ordering::Relaxed) {
            self.warn(&format!("{unread}: the run stops at its next commit"));
        }
    }

    fn line(&self, done: u64, words: &str) {
        let batches = self.batches;
        let due = self.said.get().is_none_or(|said| said.elapsed() >= LINE_EVERY) || done == batches;
        if self.told == Told::Person && self.bar.is_hidden() && due {
            self.said.set(Some(Instant::now()));
            self.say(&format!("batch {done}/{batches}  {words}"));
        }
    }
}

impl Pace {
    /// Rows, tokens per second where there are any, and the time left for so many batches.
    fn words(&self, batches_left: u64) -> String {
        let seconds = self.since.elapsed().as_secs_f64();
        let left = Duration::from_secs_f64(seconds / self.batches as f64 * batches_left as f64);
        let left = if batches_left == 0 { String::new() } else { format!("  {} left", HumanDuration(left)) };
        let speed = if self.tokens > 0.0 { format!("  {:.0} tokens/s", self.tokens / seconds) } else { String::new() };
        format!("{} rows{speed}{left}", self.rows)
    }
}

/// The few numbers worth a glance.
fn headline(metrics: &BTreeMap<String, f64>) -> String {
    const SHOWN: [(&str, &str); 6] = [
        ("supervised_loss", "L"),
        ("reward_share", "reward share"),
        ("null_rewards", "null"),
        ("length", "turns"),
        ("right_verdicts", "right verdicts"),
        ("naive", "M alone"),
    ];
    let shown = SHOWN.iter().filter_map(|(name, label)| {
        let (_, value) = metrics.iter().find(|(metric, _)| parted(metric).1 == *name)?;
        Some(format!("{label} {value:.3}"))
    });
    shown.collect::<Vec<_>>().join("  ")
}
