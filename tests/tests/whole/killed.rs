//! A training run that somebody kills again and again, wherever it is, comes to the bytes of an unbroken one, and
//! nobody outside is asked twice. `ELENCHUS_TEST_KILLS` says how often; 10 times if it is unset.

use batch::{Bundle, Call, Job, Outside, Policy, Run, RunError, RunFolder, Stage, StageError, Unit};
use debate::draw::Draw;
use elenchus::{stages::tables, wiring::wire};
use polars::prelude::DataFrame;
use std::{
    collections::BTreeSet,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::AtomicBool,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};
use tests::{assert_same, load, small};

const FOLDER: &str = "ELENCHUS_TEST_KILLED_TRAINING";
const BATCHES: &str = "ELENCHUS_TEST_KILLED_BATCHES";
/// Questions of a batch.
const ROWS: u64 = 6;

/// A debate whose arguments are read by somebody outside, who notes every question before they answer it.
struct Overseen {
    inner: Box<dyn Stage>,
    notes: PathBuf,
}

impl Stage for Overseen {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let bundle = self.inner.run(unit)?;
        let outside = unit.outside()?;
        let arguments = &bundle["arguments"];
        let rows = tables::u64s(arguments, "question")?.into_iter().zip(tables::texts(arguments, "text")?);
        let told = rows.enumerate().map(|(place, (row, text))| self.ask(outside, row, place, text));
        unit.metric("polite", told.sum::<Result<f64, StageError>>()?);
        Ok(bundle)
    }
}

impl Overseen {
    fn ask(&self, outside: Outside<'_>, row: u64, place: usize, prompt: String) -> Result<f64, StageError> {
        let call = Call { row, path: format!("argument {place}"), sample: 0, prompt };
        let answer = outside.answer(&call, |name| {
            let notes = fs::OpenOptions::new().create(true).append(true).open(&self.notes);
            notes?.write_all(format!("{name}\n").as_bytes())?;
            Ok((call.prompt.len() % 7).to_string().into_bytes())
        })?;
        Ok(String::from_utf8(answer)?.parse()?)
    }
}

/// Its states are all that there are: a limit on the loss has a baseline and a multiplier.
fn source(batches: u64) -> String {
    let limit = "limit = { baseline = \"start\", slack = 0.1 }, from = 4";
    let combine = format!("{{ constrained = {{ lagrangian = {{ step = 0.1 }}, {limit} }} }}");
    small("web-of-lies", batches).replace("{ weighted = { alpha = 0.5 } }", &combine)
}

/// Begins a run or goes on with it, to its end.
fn go_on(folder: &Path, batches: u64) {
    let (root, source) = (folder.join("run"), source(batches));
    let loaded = load(&source);
    let texts = batch::Texts { pipeline: &loaded.pipeline.to_toml(), source: &source, plan: &loaded.plan.to_text() };
    let mut run = match Run::open(&root) {
        Ok(_) => RunFolder::open(&root).unwrap(),
        Err(_) => RunFolder::create(&root, &loaded.plan, texts).unwrap(),
    };
    let (plan, stop) = (loaded.plan.clone(), AtomicBool::new(false));
    let mut states = wire::states(&loaded);
    let overseen = |(place, stage): (usize, Box<dyn Stage>)| match plan.nodes[place].name.as_str() {
        "arguments" => Box::new(Overseen { inner: stage, notes: folder.join("asked") }) as Box<dyn Stage>,
        _ => stage,
    };
    let stages: Vec<Box<dyn Stage>> = wire::stages(loaded, &root).into_iter().enumerate().map(overseen).collect();
    let checkpoints = Policy { every: 3, keep_last: 2, best: None };
    let job = Job { plan: &plan, stages: &stages, batches, checkpoints, stop: &stop };
    match batch::run(&job, &mut states, &mut run, &mut |_| {}) {
        Ok(_) | Err(RunError::Complete { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "run by `killed_anywhere_it_ends_in_the_same_bytes` in a process of its own"]
fn trains_until_killed() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    go_on(Path::new(&folder), env::var(BATCHES).unwrap().parse().unwrap());
}

fn start(folder: &Path, batches: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::trains_until_killed", "--ignored"])
        .env(FOLDER, folder)
        .env(BATCHES, batches.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// When a file was last written, or a folder given another entry.
fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

/// Waits for a moment at which to kill: while the process starts, or a little after some file of the run was written,
/// where a kill does most harm. Returns false if the process came to its end before.
fn wait_for_a_moment(child: &mut Child, folder: &Path, draw: Draw) -> bool {
    let files = ["run/journal", "run/segments/000000", "run/manifest.jsonl", "run/timings.jsonl", "run/checkpoints"];
    let file = folder.join(files[draw.below(0, files.len())]);
    let (before, born) = (written(&file), Instant::now());
    let early = (draw.uniform(1) < 0.2).then(|| Duration::from_secs_f64(draw.uniform(2)));
    while early.map_or(written(&file) == before, |life| born.elapsed() < life) {
        if child.try_wait().unwrap().is_some() || born.elapsed() > Duration::from_secs(20) {
            break;
        }
        sleep(Duration::from_micros(200));
    }
    sleep(Duration::from_secs_f64(0.01 * draw.uniform(3)));
    child.try_wait().unwrap().is_none()
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Of the questions known at the last kill, only the one that was open then may have come again, under its name.
fn check_asked(asked: &[String], known: usize) -> usize {
    let (before, after) = asked.split_at(known);
    let again: Vec<&String> = after.iter().filter(|name| before.contains(name)).collect();
    assert!(again.is_empty() || again == [&before[known - 1]], "asked again though it had been answered");
    asked.len()
}

#[test]
fn killed_anywhere_it_ends_in_the_same_bytes() {
    let wanted: u64 = env::var("ELENCHUS_TEST_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let batches = 3 * wanted + 10;
    let folder = tempfile::tempdir().unwrap();
    let (unbroken, broken) = (folder.path().join("unbroken"), folder.path().join("broken"));
    fs::create_dir_all(&unbroken).unwrap();
    fs::create_dir_all(&broken).unwrap();
    assert!(start(&unbroken, batches).wait().unwrap().success());

    let (mut kills, mut known, draw) = (0, 0, Draw::new(9));
    while kills < wanted {
        let mut child = start(&broken, batches);
        let alive = wait_for_a_moment(&mut child, &broken, draw.at(kills));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(alive, "the run ended after {kills} kills");
        kills += 1;
        known = check_asked(&lines(&broken.join("asked")), known);
    }
    assert!(start(&broken, batches).wait().unwrap().success());
    check_asked(&lines(&broken.join("asked")), known);
    assert_same(&unbroken.join("run"), &broken.join("run"));

    let distinct = |folder: &Path| lines(&folder.join("asked")).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(distinct(&broken), distinct(&unbroken));
    assert_rows(&Run::open(&broken.join("run")).unwrap(), batches);
}

/// Every row is there, once.
fn assert_rows(run: &Run, batches: u64) {
    let ids = |table: DataFrame| tables::u64s(&table, "id").unwrap();
    let all: Vec<u64> = run.tables("questions").flat_map(|table| ids(table.unwrap())).collect();
    assert_eq!(all, (0..batches * ROWS).collect::<Vec<_>>());
}
