//! The same seed gives the same bytes, whatever happens on the way.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tests::{assert_same, assert_same_results, run, small};

fn elenchus(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_elenchus-under-test"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn batches(root: &Path) -> usize {
    std::fs::read_to_string(root.join("manifest.jsonl")).map_or(0, |text| text.lines().count().saturating_sub(1))
}

#[test]
fn the_same_seed_gives_the_same_tables_and_weights() {
    for task in ["web-of-lies", "boolean-expressions"] {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        run(&small(task, 4), &one);
        run(&small(task, 4), &other);
        assert_same(&one, &other);
    }
}

/// Each run is a process of its own, as the first run of a process decides how many threads all of it has.
#[test]
fn another_number_of_workers_gives_the_same_tables_and_weights() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = [1, 2].map(|workers| {
        let (file, root) = (folder.path().join("pipeline.toml"), folder.path().join(workers.to_string()));
        std::fs::write(&file, format!("workers = {workers}\n{}", small("web-of-lies", 3))).unwrap();
        let arguments = ["run", file.to_str().unwrap(), "--no-reuse", "--out", root.to_str().unwrap()];
        assert!(elenchus(&arguments).wait().unwrap().success());
        root
    });
    assert_same_results(&one, &two);
}

/// A run in which the optimizer's rates and a temperature change from batch to batch.
fn scheduled(batches: u64) -> String {
    let betas = "betas = [[[0, 0.9], [9, 0.5]], { cosine = { from = 0.98, to = 0.9, over = [2, 14] } }]";
    let changed =
        small("web-of-lies", batches).replace("learning_rate = 2e-3", &format!("learning_rate = 2e-3, {betas}"));
    changed.replacen("[amplify.overseer]", "[amplify.overseer]\ntemperature = [[0, 1.0], [12, 0.25]]", 1)
}

/// Kills a run at moments spread over its batches, some of them during its start, and resumes it each time.
#[test]
fn a_run_killed_and_resumed_ends_in_the_same_bytes() {
    const BATCHES: u64 = 16;
    let folder = tempfile::tempdir().unwrap();
    let (unbroken, broken) = (folder.path().join("unbroken"), folder.path().join("broken"));
    let file = folder.path().join("pipeline.toml");
    std::fs::write(&file, scheduled(BATCHES)).unwrap();
    let file = file.to_str().unwrap();
    assert!(elenchus(&["run", file, "--no-reuse", "--out", unbroken.to_str().unwrap()]).wait().unwrap().success());
    let mut kills = 0;
    while batches(&broken) < BATCHES as usize {
        // The first attempts do not live to see a batch, however quick the machine; later ones do, however slow it is.
        let life = Duration::from_millis(30).mul_f64(1.12_f64.powi(kills));
        let root = broken.to_str().unwrap();
        let verb = if broken.join("manifest.jsonl").exists() {
            vec!["resume", "--no-reuse", root]
        } else {
            vec!["run", "--no-reuse", file, "--out", root]
        };
        let mut child = elenchus(&verb);
        let born = Instant::now();
        while born.elapsed() < life && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills < 200, "{} of {BATCHES} batches after {kills} kills", batches(&broken));
    }
    assert!(kills > 1, "the run was never killed");
    assert_same(&unbroken, &broken);
}
