//! A run killed at any moment resumes to the same bytes as an unbroken one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use batch::{Event, FolderError, Job, RunError, RunFolder};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::scripted::{self, BATCHES, Contents, assert_same, contents, restore, scratch};

static UNBROKEN: LazyLock<Vec<Contents>> = LazyLock::new(scripted::unbroken);

fn end() -> &'static Contents {
    UNBROKEN.last().expect("an end")
}

/// How far a file or folder of the batch under way had come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Progress {
    Absent,
    Unfinished,
    Whole,
}

/// A folder as a kill may leave it in the middle of committing the batch after `committed`.
#[derive(Debug, Clone)]
struct Killed {
    committed: usize,
    /// How far its tables were written, as a share of their length.
    tables: f64,
    /// Of the files of its checkpoint, by turns.
    files: Vec<Progress>,
    checkpoint: Progress,
    /// How far the manifest's new line was written, as a share of its length without the newline.
    line: f64,
}

fn progress() -> impl Strategy<Value = Progress> {
    prop::sample::select(vec![Progress::Absent, Progress::Unfinished, Progress::Whole])
}

fn killed() -> impl Strategy<Value = Killed> {
    let files = prop::collection::vec(progress(), 3);
    (0..BATCHES as usize, 0.0..=1.0, files, progress(), 0.0..1.0)
        .prop_map(|(committed, tables, files, checkpoint, line)| Killed { committed, tables, files, checkpoint, line })
}

impl Killed {
    fn contents(&self) -> Contents {
        let (before, after) = (&UNBROKEN[self.committed], &UNBROKEN[self.committed + 1]);
        let mut left = before.clone();
        let new = after.iter().filter(|(path, _)| !before.contains_key(*path) && path.starts_with("checkpoints"));
        let new = new.filter_map(|(path, bytes)| Some((path, bytes.as_ref()?)));
        for ((path, bytes), progress) in new.zip(self.files.iter().cycle()) {
            let half = &bytes[..bytes.len() / 2];
            match (self.checkpoint, progress) {
                (Progress::Absent, _) | (_, Progress::Absent) => (),
                (Progress::Whole, _) => add(&mut left, path, bytes),
                (Progress::Unfinished, _) => add(&mut left, &unfinished_checkpoint(path), half),
            }
        }
        tear(&mut left, after, "segments/000000", self.tables, 0);
        tear(&mut left, after, "manifest.jsonl", self.line, 1);
        left
    }
}

/// Lets a file grow by a share of what the batch adds to it, less some bytes.
fn tear(left: &mut Contents, after: &Contents, name: &str, share: f64, less: usize) {
    let name = Path::new(name);
    let Some(Some(whole)) = after.get(name) else { return };
    let written = left.get(name).and_then(Option::as_ref).map_or(0, Vec::len);
    let torn = ((whole.len() - written).saturating_sub(less) as f64 * share) as usize;
    add(left, name, &whole[..written + torn]);
}

fn unfinished_checkpoint(path: &Path) -> PathBuf {
    let (top, rest) = (path.components().next(), path.components().skip(1).collect::<PathBuf>());
    let (batches, rest) = (rest.components().next(), rest.components().skip(1).collect::<PathBuf>());
    let folder = top.into_iter().chain(batches).collect::<PathBuf>();
    tmp(&folder).join(rest)
}

fn tmp(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.tmp", path.display()))
}

fn add(contents: &mut Contents, path: &Path, bytes: &[u8]) {
    for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        contents.entry(folder.to_owned()).or_insert(None);
    }
    contents.insert(path.to_owned(), Some(bytes.to_vec()));
}

/// A folder as a kill may leave it after a commit, before the checkpoints that went out of use are gone.
fn half_swept(committed: usize, progress: &[Progress]) -> Contents {
    let (before, mut left) = (&UNBROKEN[committed - 1], UNBROKEN[committed].clone());
    let gone: Vec<_> = before.iter().filter(|(path, _)| !left.contains_key(*path)).collect();
    for ((path, bytes), progress) in gone.into_iter().zip(progress.iter().cycle()) {
        match (bytes, progress) {
            (Some(bytes), Progress::Unfinished) => add(&mut left, &unfinished_checkpoint(path), bytes),
            (Some(bytes), Progress::Whole) => add(&mut left, path, bytes),
            _ => (),
        }
    }
    left
}

fn check_resumes(left: &Contents) {
    let root = scratch();
    restore(root.path(), left);
    match scripted::resume(root.path()) {
        Ok(_) | Err(RunError::Complete { .. }) => (),
        Err(error) => panic!("{error}"),
    }
    assert_same(&contents(root.path()), end());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resumes_from_the_middle_of_a_commit(killed in killed()) {
        check_resumes(&killed.contents());
    }

    #[test]
    fn resumes_from_the_middle_of_a_sweep(
        committed in 1..=BATCHES as usize,
        progress in prop::collection::vec(progress(), 5),
    ) {
        check_resumes(&half_swept(committed, &progress));
    }

    /// More than a kill can do: the manifest cut off anywhere after its header, with every other file still there.
    #[test]
    fn resumes_from_a_manifest_cut_off(share in 0.0..1.0_f64) {
        let mut left = end().clone();
        let manifest = left.get_mut(Path::new("manifest.jsonl")).unwrap().as_mut().unwrap();
        let header = manifest.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        manifest.truncate(header + ((manifest.len() - header) as f64 * share) as usize);
        check_resumes(&left);
    }
}

#[test]
fn resumes_after_each_commit() {
    UNBROKEN.iter().for_each(check_resumes);
}

#[test]
fn resumes_from_a_stop() {
    let root = scratch();
    let (plan, stages, stop) = (scripted::plan(), scripted::stages(), AtomicBool::new(false));
    let checkpoints = scripted::policy();
    let job = Job { plan: &plan, stages: &stages, batches: BATCHES, checkpoints, stop: &stop };
    let mut stop_in_batch_4 = |event: Event<'_>| {
        stop.fetch_or(matches!(event, Event::StageFinished { batch: 4, .. }), Ordering::Relaxed);
    };
    let mut folder = scripted::create(root.path());
    let outcome = batch::run(&job, &mut scripted::states(), &mut folder, &mut stop_in_batch_4).unwrap();
    assert_eq!((outcome.committed, outcome.complete), (5, false));
    drop(folder);
    let outcome = scripted::resume(root.path()).unwrap();
    assert_eq!((outcome.resumed_at, outcome.replayed, outcome.complete), (5, 0, true));
    assert_same(&contents(root.path()), end());
}

const FOLDER: &str = "ELENCHUS_TEST_KILLED_RUN";

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "run by `resumes_from_real_kills` in a process of its own"]
fn runs_until_killed() {
    let Some(root) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    match RunFolder::open(&root) {
        Err(FolderError::NoRun(_)) => drop(scripted::create(&root)),
        opened => drop(opened.unwrap()),
    }
    match scripted::resume(&root) {
        Ok(_) | Err(RunError::Complete { .. }) => (),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn resumes_from_real_kills() {
    let scratch = tempdir().unwrap();
    let root = scratch.path().join("run");
    for kill in 0.. {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::runs_until_killed", "--ignored"])
            .env(FOLDER, &root)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Longer each time, so that the run comes to its end; the odd steps spread the moments.
        sleep(Duration::from_millis(5 + 7 * kill));
        let ended = child.try_wait().unwrap();
        if ended.is_some_and(|status| status.success()) {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_same(&contents(&root), end());
    assert!(fs::metadata(root.join("timings.jsonl")).unwrap().len() > 0);
}
