//! `elenchus snapshot`: runs pipelines small and seeded, and keeps what comes out as snapshots beside them, in the form
//! of `insta`; or compares with what was kept. A change of an output is then seen where code is reviewed.

mod file;
pub(crate) mod render;

use crate::{
    failure::{Exit, Failure},
    verbs::command::print,
    wiring::load::{Loaded, load},
};
use batch::{Run, RunFolder, Texts};
use file::{Kept, Outcome};
use plan::Plan;
use spec::{Sources, settings::Stage};
use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{self, Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};

/// What is the same on every CPU: libtorch's kernels, and those of the libraries it calls, as the oldest of them has
/// them, on one thread. They are read when libtorch is first used.
const NUMERICS: [(&str, &str); 4] = [
    ("ATEN_CPU_CAPABILITY", "default"),
    ("MKL_CBWR", "COMPATIBLE"),
    ("ONEDNN_MAX_CPU_ISA", "SSE41"),
    ("OMP_NUM_THREADS", "1"),
];

/// Writes the snapshots of pipeline files, or compares with those that are there.
pub fn snapshot(files: &[PathBuf], check: bool) -> Result<Exit, Failure> {
    settle_numerics()?;
    let check = check || env::var("CI").is_ok_and(|ci| ci == "true");
    let mut same = true;
    for file in files {
        let kept = Kept::beside(file).map_err(Failure::run)?;
        let made = made(file)?;
        let outcome = if check { kept.compare(&made) } else { kept.replace(&made) }.map_err(Failure::run)?;
        print(told(file, &outcome, check))?;
        same &= !check || outcome.is_same();
    }
    Ok(if same { Exit::Done } else { Exit::Failed })
}

/// Starts this program anew if its numerics are not settled.
fn settle_numerics() -> Result<(), Failure> {
    if NUMERICS.iter().all(|(name, value)| env::var(name).is_ok_and(|set| set == *value)) {
        return Ok(());
    }
    let program = env::current_exe().map_err(Failure::run)?;
    Err(Failure::run(Command::new(program).args(env::args_os().skip(1)).envs(NUMERICS).exec()))
}

/// A snapshot as it should be: its name, and its text.
struct Made {
    name: String,
    expression: String,
    text: String,
}

/// Runs a pipeline small, and puts into words what came of it.
fn made(file: &Path) -> Result<Vec<Made>, Failure> {
    let sources = Sources::open(file, &[], &[]).map_err(Failure::command)?;
    let mut loaded = load(&sources, |_| {})?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (settings, plan) = (loaded.pipeline.snapshot.clone(), loaded.plan.to_text());
    loaded.batches = loaded.batches.min(settings.batches);
    keep_inside(&mut loaded.plan);
    let folder = tempfile::tempdir().map_err(Failure::run)?;
    let run = run(loaded, &folder.path().join("run"))?;
    let snapshot = |name: String, expression: &str, text| Made { name, expression: expression.to_owned(), text };
    let mut made = vec![
        snapshot(format!("{stem}.plan"), "elenchus plan", plan),
        snapshot(format!("{stem}.metrics"), "metrics of each batch", render::metrics(&run, &settings)?),
    ];
    for table in run.header().tables.keys() {
        made.push(snapshot(
            format!("{stem}__{table}"),
            &format!("table {table}"),
            render::table(&run, table, &settings)?,
        ));
    }
    Ok(made)
}

/// Every table is looked at, and no dataset leaves the run's folder.
fn keep_inside(plan: &mut Plan) {
    for node in &mut plan.nodes {
        node.outputs.iter_mut().for_each(|output| output.kept = true);
        if let Stage::Write(write) = &mut node.stage {
            write.folder = None;
        }
    }
}

fn run(loaded: Loaded, root: &Path) -> Result<Run, Failure> {
    let texts = Texts { pipeline: &loaded.pipeline.to_toml(), source: &loaded.source, plan: &loaded.plan.to_text() };
    let mut folder = RunFolder::create(root, &loaded.plan, texts)?;
    crate::verbs::run::perform(loaded, &mut folder, &AtomicBool::new(false), &mut |_| {})?;
    Ok(Run::open(root)?)
}

/// What was written, or what differs.
fn told(file: &Path, outcome: &Outcome, check: bool) -> String {
    let Outcome { total, new, changed, gone, differences } = outcome;
    let name = file.display();
    let counts: Vec<String> = [(new, "new"), (changed, "changed"), (gone, "gone")]
        .iter()
        .filter(|(count, _)| **count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let counts = counts.join(", ");
    let text = match (outcome.is_same(), check) {
        (true, _) => format!("{name}: {total} snapshots, all as they were\n"),
        (false, false) => format!("{name}: {total} snapshots written, {counts}\n"),
        (false, true) => format!("{name}: {counts} of {total} snapshots\n{}", remedies(file)),
    };
    differences.concat() + &text
}

/// The least that Cargo takes for a package, whatever stands above it. Nothing is ever built, so no source is needed.
const PACKAGE: &str = r#"package.name = "snapshots"\nlib.path = "lib.rs"\nworkspace = {}\n"#;

/// How to see what differs, and how to take it. `cargo insta` looks into the folders of Cargo packages alone: where a file
/// is in none, the folder of its snapshots can be an empty one.
fn remedies(file: &Path) -> String {
    let take_all = format!("take all: CI= elenchus snapshot '{}'\n", file.display());
    let absolute = path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let is_package = |text: String| text.lines().any(|line| line.starts_with("[package]"));
    let holds_package = |folder: &Path| fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(is_package);
    if absolute.ancestors().skip(1).any(holds_package) {
        return format!("see each: cargo insta review\n{take_all}");
    }
    let manifest = file.with_file_name("snapshots").join("Cargo.toml");
    let once = match manifest.exists() {
        true => String::new(),
        false => format!("for cargo insta, once: printf '{PACKAGE}' > '{}'\n", manifest.display()),
    };
    format!("{once}see each: cargo insta review --manifest-path '{}'\n{take_all}", manifest.display())
}
