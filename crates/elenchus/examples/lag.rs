//! What a lag is worth where H is slow: somebody outside reads every argument, and takes their time.
//!
//! ```text
//! cargo run --release --example lag -- PIPELINE BATCHES MILLISECONDS
//! ```

use batch::{Bundle, Call, Job, Run, RunFolder, Stage, StageError, Texts, Unit};
use elenchus::{
    verbs::run::policy,
    wiring::{load::load, wire},
};
use spec::Sources;
use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    thread::sleep,
    time::{Duration, Instant},
};

/// A debate that is done when somebody outside has had their say.
struct Overseen {
    inner: Box<dyn Stage>,
    delay: Duration,
}

impl Stage for Overseen {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let bundle = self.inner.run(unit)?;
        let call = Call { row: 0, path: "all".to_owned(), sample: 0, prompt: "are these polite?".to_owned() };
        unit.outside()?.answer(&call, |_| {
            sleep(self.delay);
            Ok(b"yes".to_vec())
        })?;
        Ok(bundle)
    }
}

/// Runs a pipeline with a lag; returns the seconds that it took.
fn run(file: &Path, root: &Path, lag: u64, batches: u64, delay: Duration) -> Result<f64, Box<dyn Error>> {
    let sources = Sources::open(file, &[], &[])?;
    let loaded = load(&sources, |pipeline| (pipeline.lag, pipeline.batches) = (lag, Some(batches)));
    let loaded = loaded.map_err(|failure| failure.text())?;
    let texts = Texts { pipeline: &loaded.pipeline.to_toml(), source: &loaded.source, plan: &loaded.plan.to_text() };
    let mut folder = RunFolder::create(root, &loaded.plan, texts)?;
    let (plan, checkpoints, stop) = (loaded.plan.clone(), policy(&loaded.pipeline), AtomicBool::new(false));
    let mut states = wire::states(&loaded);
    let overseen = |(node, stage): (&plan::Node, Box<dyn Stage>)| match node.stage.kind() {
        "debate" => Box::new(Overseen { inner: stage, delay }) as Box<dyn Stage>,
        _ => stage,
    };
    let stages: Vec<Box<dyn Stage>> = plan.nodes.iter().zip(wire::stages(loaded, root)).map(overseen).collect();
    let job = Job { plan: &plan, stages: &stages, batches, checkpoints, stop: &stop };
    let started = Instant::now();
    batch::run(&job, &mut states, &mut folder, &mut |_| {})?;
    Ok(started.elapsed().as_secs_f64())
}

/// What each batch of a run came to, bit for bit.
fn results(root: &Path) -> Result<Vec<batch::manifest::Line>, Box<dyn Error>> {
    Ok(Run::open(root)?.lines().to_vec())
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, batches, delay] = &arguments[..] else { return Err("PIPELINE BATCHES MILLISECONDS".into()) };
    let (file, batches, delay) = (PathBuf::from(file), batches.parse()?, Duration::from_millis(delay.parse()?));
    let folder = env::temp_dir().join(format!("elenchus-lag-{}", std::process::id()));
    for lag in 0..3 {
        let (one, other) = (folder.join(format!("{lag}-one")), folder.join(format!("{lag}-other")));
        let seconds = [run(&file, &one, lag, batches, delay)?, run(&file, &other, lag, batches, delay)?];
        let same = if results(&one)? == results(&other)? { "the same bytes" } else { "OTHER BYTES" };
        println!("lag {lag}: {:.1} s and {:.1} s, {same}", seconds[0], seconds[1]);
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
