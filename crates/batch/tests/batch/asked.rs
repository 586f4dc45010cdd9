//! Answers from outside: asked once, whatever is killed, fails or hangs; and then always the same.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::thread::{scope, sleep};
use std::time::Duration;

use batch::{Bundle, Call, Job, Outside, Run, RunError, RunFolder, Stage, StageError, Unit};
use insta::assert_snapshot;
use polars::prelude::{NamedFrom, Series};
use tempfile::tempdir;

use crate::scripted::{self, BATCHES, Count, Questions, Score, Sum, assert_same, contents, scratch};

/// Somebody outside, who keeps in a file of their own what they were asked and what they said, knows a question by its
/// name, says something else each time they are asked anew, and is sometimes not there.
struct Answerer {
    notes: PathBuf,
    /// How often each question has failed so far, and how often it shall.
    failed: Mutex<BTreeMap<String, u32>>,
    failures: u32,
    delay: Duration,
}

impl Answerer {
    fn new(notes: &Path, failures: u32, delay: Duration) -> Self {
        Answerer { notes: notes.to_owned(), failed: Mutex::new(BTreeMap::new()), failures, delay }
    }

    fn ask(&self, name: &str, question: &str) -> Result<Vec<u8>, StageError> {
        sleep(self.delay);
        let mut failed = self.failed.lock().unwrap();
        let failures = failed.entry(name.to_owned()).or_default();
        if *failures < self.failures {
            *failures += 1;
            return Err("nobody answers; try again".into());
        }
        let notes = asked(&self.notes);
        let (again, known) = (notes.len(), notes.iter().position(|note| note.starts_with(name)));
        let number = known.unwrap_or(again);
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.notes);
        file?.write_all(format!("{name} {question}\n").as_bytes())?;
        Ok(format!("answer {number}").into_bytes())
    }
}

fn asked(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// `questions`, whose text comes from outside; every row is asked at once, in some words.
struct Asking {
    answerer: Answerer,
    words: &'static str,
}

impl Stage for Asking {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let mut bundle = Questions.run(unit)?;
        let table = bundle.get_mut("questions").ok_or("no questions")?;
        let outside = unit.outside()?;
        let texts = table.column("text")?.str()?.iter().flatten().map(str::to_owned).collect::<Vec<_>>();
        let answers = scope(|scope| {
            let threads: Vec<_> = texts
                .iter()
                .enumerate()
                .map(|(row, text)| scope.spawn(move || self.answer(outside, row as u64, text)))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<Vec<_>, _>>()
        })?;
        table.with_column(Series::new("text".into(), answers).into())?;
        Ok(bundle)
    }
}

impl Asking {
    fn answer(&self, outside: Outside<'_>, row: u64, text: &str) -> Result<String, StageError> {
        let call = Call { row, path: "text".to_owned(), sample: 0, prompt: format!("{} {text}", self.words) };
        Ok(String::from_utf8(outside.answer(&call, |name| self.answerer.ask(name, text))?)?)
    }
}

fn stages(answerer: Answerer) -> Vec<Box<dyn Stage>> {
    in_words("what is meant by", answerer)
}

fn in_words(words: &'static str, answerer: Answerer) -> Vec<Box<dyn Stage>> {
    let asking = Asking { answerer, words };
    vec![Box::new(asking), Box::new(Count { off_by: 0 }), Box::new(Sum { bias: 0.0 }), Box::new(Score)]
}

/// Runs what is left of a run in a folder, or begins one.
fn go_on(root: &Path, stages: &[Box<dyn Stage>]) -> Result<(), RunError> {
    let (plan, stop) = (scripted::plan(), AtomicBool::new(false));
    let mut folder = match Run::open(root) {
        Ok(_) => RunFolder::open(root).unwrap(),
        Err(_) => scripted::create(root),
    };
    let checkpoints = scripted::policy();
    let job = Job { plan: &plan, stages, batches: BATCHES, checkpoints, stop: &stop };
    batch::run(&job, &mut scripted::states(), &mut folder, &mut |_| ()).map(|_| ())
}

/// Every question was asked once, and every row has an answer of its own.
fn assert_asked_once(root: &Path, asked: &[String]) {
    let run = Run::open(root).unwrap();
    assert_eq!(run.lines().len() as u64, BATCHES);
    let texts = |batch| run.table("questions", batch).unwrap().column("text").unwrap().str().unwrap().clone();
    let answers: Vec<String> =
        (0..BATCHES).flat_map(|batch| texts(batch).iter().flatten().map(str::to_owned).collect::<Vec<_>>()).collect();
    let distinct = |texts: &[String]| texts.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!((distinct(&answers), distinct(asked)), (answers.len(), asked.len()), "nothing twice");
    assert_eq!(asked.len(), answers.len());
}

/// An answerer who fails each question twice: each time the run stops, and what was answered is not asked again.
#[test]
fn whoever_fails_is_asked_again_and_nobody_else() {
    let root = scratch();
    let (run, told) = (root.path().join("run"), root.path().join("asked"));
    let stages = stages(Answerer::new(&told, 2, Duration::ZERO));
    let mut errors = Vec::new();
    while let Err(error) = go_on(&run, &stages) {
        errors.push(format!("{error}: {}", std::error::Error::source(&error).unwrap()));
    }
    // Batches that ask beside each other fail beside each other; those without questions ask nobody.
    let most = 2 * (BATCHES - BATCHES / 4);
    assert!((2..=most).contains(&(errors.len() as u64)), "{} errors, and at most {most}", errors.len());
    assert_snapshot!(errors[0], @"stage `questions` failed at batch 0: nobody answers; try again");
    assert_asked_once(&run, &asked(&told));
}

/// Forgets all batches of a run, but not what was answered.
fn uncommit(root: &Path) {
    let manifest = fs::read_to_string(root.join("manifest.jsonl")).unwrap();
    fs::write(root.join("manifest.jsonl"), manifest.split_inclusive('\n').next().unwrap()).unwrap();
}

#[test]
fn another_prompt_is_another_question() {
    let root = scratch();
    let (run, told) = (root.path().join("run"), root.path().join("asked"));
    go_on(&run, &stages(Answerer::new(&told, 0, Duration::ZERO))).unwrap();
    let first = asked(&told).len();
    uncommit(&run);
    go_on(&run, &in_words("please explain", Answerer::new(&told, 0, Duration::ZERO))).unwrap();
    assert_eq!(asked(&told).len(), 2 * first);
}

#[test]
fn a_journal_that_breaks_off_or_is_damaged() {
    let root = scratch();
    let (run, told) = (root.path().join("run"), root.path().join("asked"));
    let stages = stages(Answerer::new(&told, 0, Duration::ZERO));
    go_on(&run, &stages).unwrap();
    let (whole, end) = (fs::read(run.join("journal")).unwrap(), contents(&run.join("segments")));
    let first = asked(&told).len();

    uncommit(&run);
    go_on(&run, &stages).unwrap();
    assert_eq!(asked(&told).len(), first, "everything was in the journal");
    assert_same(&contents(&run.join("segments")), &end);

    // Half an answer was never used: it is asked again, and nothing else is.
    uncommit(&run);
    fs::write(run.join("journal"), &whole[..whole.len() - 3]).unwrap();
    go_on(&run, &stages).unwrap();
    assert_eq!(asked(&told).len(), first + 1);
    assert_same(&contents(&run.join("segments")), &end);

    uncommit(&run);
    let mut flipped = whole;
    flipped[20] ^= 1;
    fs::write(run.join("journal"), flipped).unwrap();
    let error = go_on(&run, &stages).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_snapshot!(cause.replace(&root.path().display().to_string(), "ROOT"), @"`ROOT/run/journal` is damaged at byte 0: the checksum is not that of the line; restore the file from a copy, or cut it off there to have what follows asked again");
}

const FOLDER: &str = "ELENCHUS_TEST_ASKING_RUN";

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "run by `nobody_is_asked_twice_whatever_is_killed` in a process of its own"]
fn asks_until_killed() {
    let Some(root) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let answerer = Answerer::new(&root.join("asked"), 0, Duration::from_millis(2));
    match go_on(&root.join("run"), &stages(answerer)) {
        Ok(_) | Err(RunError::Complete { .. }) => (),
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    }
}

/// A kill between an answer and its record is the one moment at which the same question comes again, and then under the
/// name that it had.
#[test]
fn nobody_is_asked_twice_whatever_is_killed() {
    let scratch = tempdir().unwrap();
    let (mut known, mut names) = (0, Vec::new());
    for kill in 0.. {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "asked::asks_until_killed", "--ignored"])
            .env(FOLDER, scratch.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(10 + 11 * kill));
        let ended = child.try_wait().unwrap().is_some_and(|status| status.success());
        child.kill().unwrap();
        child.wait().unwrap();
        names = asked(&scratch.path().join("asked"));
        let (before, after) = names.split_at(known);
        // A batch has up to four rows, and all of them are asked at once.
        let open = &before[known.saturating_sub(4)..];
        assert!(after.iter().all(|name| !before.contains(name) || open.contains(name)), "kill {kill}");
        known = names.len();
        if ended {
            break;
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_asked_once(&scratch.path().join("run"), &names);
}
