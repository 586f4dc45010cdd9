//! Makes a run of many batches, and says what it leaves on the disk and how long it takes to go on with it:
//!
//! ```text
//! cargo run --release --example long_run -- FOLDER BATCHES ROWS
//! ```

use batch::{Event, RunFolder, Texts};
use elenchus::{
    verbs::run::perform,
    wiring::load::{Loaded, compile},
};
use spec::Sources;
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

fn pipeline(batches: u64, rows: u64) -> Loaded {
    let source = format!(
        "seed = 1\nbatches = {batches}\n\n[sample.questions]\n\
         task = {{ name = \"web-of-lies\", depth = [0, 4] }}\nrows = {rows}\n"
    );
    let sources = Sources::of_text("pipeline.toml", Path::new("."), &source);
    compile(&sources, |_| {}).expect("the file is valid")
}

/// Runs what is left; returns how long it took until the first batch was begun.
fn go_on(folder: &mut RunFolder, loaded: Loaded, since: Instant) -> Result<Duration, Box<dyn Error>> {
    let (stop, mut begun) = (AtomicBool::new(false), None);
    let mut observe = |event: Event<'_>| {
        if let Event::StageFinished { .. } = event {
            begun.get_or_insert_with(|| since.elapsed());
        }
    };
    perform(loaded, folder, &stop, &mut observe).map_err(|failure| failure.text())?;
    Ok(begun.unwrap_or_default())
}

/// How many files there are below a folder, and their size.
fn size(folder: &Path) -> std::io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let (path, found) = entry.map(|entry| (entry.path(), entry.metadata()))?;
        let (more, larger) = if path.is_dir() { size(&path)? } else { (1, found?.len()) };
        (files, bytes) = (files + more, bytes + larger);
    }
    Ok((files, bytes))
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, batches, rows] = &arguments[..] else { return Err("FOLDER BATCHES ROWS".into()) };
    let (root, batches, rows): (PathBuf, u64, u64) = (folder.into(), batches.parse()?, rows.parse()?);
    let loaded = pipeline(batches, rows);
    let started = Instant::now();
    let texts = Texts { pipeline: &loaded.pipeline.to_toml(), source: &loaded.source, plan: &loaded.plan.to_text() };
    go_on(&mut RunFolder::create(&root, &loaded.plan, texts)?, loaded, started)?;
    let (files, bytes) = size(&root)?;
    println!(
        "{batches} batches of {rows} rows: {:.1} s, {files} files, {bytes} bytes",
        started.elapsed().as_secs_f64()
    );
    let started = Instant::now();
    let mut folder = RunFolder::open(&root)?;
    let opened = started.elapsed();
    let begun = go_on(&mut folder, pipeline(batches + 1, rows), started)?;
    println!(
        "going on: manifest read after {:.3} s, the first stage of the first new batch done after {:.3} s",
        opened.as_secs_f64(),
        begun.as_secs_f64()
    );
    Ok(())
}
