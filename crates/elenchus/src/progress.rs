//! A run as one watches it: a bar on a terminal, plain lines elsewhere. Ctrl-C stops it at the next commit.

use batch::Event;
use indicatif::{ProgressBar, ProgressStyle};
use spec::settings::Pipeline;
use std::{
    cell::Cell,
    collections::BTreeMap,
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Set by Ctrl-C. One for the process, because a signal is.
static STOP: LazyLock<AtomicBool> = LazyLock::new(|| AtomicBool::new(false));

/// Where there is no terminal, a line this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What is shown of a run.
pub struct Progress {
    bar: ProgressBar,
    said: Cell<Option<Instant>>,
}

impl Progress {
    /// Begins to watch a run.
    pub fn start(root: &Path, pipeline: &Pipeline) -> Self {
        let bar = ProgressBar::new(pipeline.batches);
        let template = "{bar:30} {pos}/{len} batches  {elapsed} elapsed, {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let progress = Progress { bar, said: Cell::new(None) };
        progress.say(&format!("run folder: {}", root.display()));
        // A second handler in one process is refused; the first one serves.
        let _ = ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed));
        progress
    }

    /// The flag that Ctrl-C sets.
    pub fn stop(&self) -> &'static AtomicBool {
        &STOP
    }

    /// Shows what happened.
    pub fn observe(&self, event: Event<'_>) {
        match event {
            Event::CheckpointUnusable { batches, error } => {
                self.say(&format!("checkpoint {batches} cannot be used ({error}); an older one is tried"));
            }
            Event::Restored { batches, committed } if committed > 0 => {
                self.say(&format!("{committed} batches are committed; weights are those after batch {batches}"));
            }
            Event::Replayed { batch, committed } => {
                self.bar.set_position(batch + 1);
                self.bar.set_message(format!("replaying to {committed}"));
            }
            Event::BatchCommitted { batch, batches, metrics, .. } => {
                self.bar.set_position(batch + 1);
                self.bar.set_message(headline(metrics));
                self.line(batch + 1, batches, metrics);
            }
            _ => {}
        }
    }

    /// Says a line above the bar.
    #[expect(clippy::print_stderr, reason = "progress is for whoever watches")]
    pub fn say(&self, line: &str) {
        if self.bar.is_hidden() { eprintln!("{line}") } else { self.bar.println(line) }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, done: u64, batches: u64, metrics: &BTreeMap<String, f64>) {
        let due = self.said.get().is_none_or(|said| said.elapsed() >= LINE_EVERY) || done == batches;
        if self.bar.is_hidden() && due {
            self.said.set(Some(Instant::now()));
            self.say(&format!("batch {done}/{batches}  {}", headline(metrics)));
        }
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
        let (_, value) = metrics.iter().find(|(metric, _)| metric.rsplit('.').next() == Some(name))?;
        Some(format!("{label} {value:.3}"))
    });
    shown.collect::<Vec<_>>().join("  ")
}
