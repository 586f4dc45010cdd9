//! How fast tables come to the disk for good, beside a plain write of the same bytes, in turns:
//! `cargo run --release -p batch --example durable -- FOLDER BATCHES MEGABYTES`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use arrow_schema::{DataType, Field, Schema};
use batch::{Bundle, Event, Job, Policy, RunFolder, Stage, StageError, States, Texts, Unit, parquet};
use plan::{Expected, Hash, Node, Output, Plan, Recipe, Work};
use polars::prelude::{DataFrame, df};
use spec::settings::{self, Follow, Reference, Sync};

/// Numbers that no compression makes smaller, so that the disk has something to do.
fn numbers(megabytes: u64, batch: u64) -> DataFrame {
    let mut state = batch + 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state ^ (state >> 29)
    };
    df!("number" => (0..megabytes << 17).map(|_| next()).collect::<Vec<u64>>()).expect("one column")
}

struct Numbers {
    megabytes: u64,
}

impl Stage for Numbers {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        Ok(Bundle::from([("numbers".to_owned(), numbers(self.megabytes, unit.batch))]))
    }
}

/// A plan of one stage, which asks for nothing.
fn plan() -> Plan {
    let none = Reference { name: String::new(), span: 0..0 };
    let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::UInt64, false)]));
    let node = Node {
        name: "numbers".to_owned(),
        stage: settings::Stage::Sync(Sync {
            after: none.clone(),
            from_model: none.clone(),
            to_model: none,
            follow: Follow::Every(1),
        }),
        inputs: Vec::new(),
        after: Vec::new(),
        outputs: vec![Output { table: "numbers".to_owned(), schema, kept: true }],
        reads: Vec::new(),
        writes: Vec::new(),
        work: Work { to_model: Expected::default(), to_human: Expected::default(), rows: Vec::new() },
        ahead: false,
        recipe: Recipe::new(),
        schedules: Vec::new(),
        key: Hash::from([0; 32]),
    };
    Plan { nodes: vec![node], initial: BTreeMap::new(), lag: 0, numerics: Recipe::new(), key: Hash::from([1; 32]) }
}

/// Seconds of a plain write of some bytes until they are on the disk.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<f64> {
    let started = Instant::now();
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(started.elapsed().as_secs_f64())
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, batches, megabytes] = &arguments[..] else { return Err("FOLDER BATCHES MEGABYTES".into()) };
    let (folder, batches, megabytes) = (PathBuf::from(folder), batches.parse()?, megabytes.parse()?);
    fs::create_dir_all(&folder)?;
    let (plan, stop) = (plan(), AtomicBool::new(false));
    let stages: Vec<Box<dyn Stage>> = vec![Box::new(Numbers { megabytes })];
    let checkpoints = Policy { every: u64::MAX, keep_last: 1, best: None };
    let job = Job { plan: &plan, stages: &stages, batches, checkpoints, stop: &stop };
    let mut run = RunFolder::create(&folder.join("run"), &plan, Texts { pipeline: "", source: "", plan: "" })?;
    let (mut made, mut committed, mut encoded, mut plain, mut written) = (0.0, 0.0, 0.0, 0.0, 0);
    batch::run(&job, &mut States::new(), &mut run, &mut |event| match event {
        Event::StageFinished { seconds, .. } => made += seconds,
        Event::BatchCommitted { batch, seconds, .. } => {
            committed += seconds;
            let started = Instant::now();
            let bytes = parquet::encode(&numbers(megabytes, batch)).expect("numbers are encoded");
            encoded += started.elapsed().as_secs_f64();
            let started = Instant::now();
            numbers(megabytes, batch);
            encoded -= started.elapsed().as_secs_f64();
            plain += write(&folder.join(format!("plain-{batch}")), &bytes).expect("the disk has room");
            written += bytes.len();
        }
        _ => {}
    })?;
    let rate = |seconds: f64| written as f64 / 1e6 / seconds;
    let (whole, commit) = (rate(committed - made), rate(committed - made - encoded));
    println!("{:.0} {:.0} {:.0} {:.2}", whole, commit, rate(plain), commit / rate(plain));
    Ok(())
}
