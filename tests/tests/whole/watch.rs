//! A run whose debates die out says so, live and afterwards, and one that goes on says what an unbroken one says.

use elenchus::results::watch::{Cause, Watch};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, process::Command};
use tests::{break_off, load, small};

/// H finds every first argument sufficient, as the question states all that it rests on.
fn agreed() -> String {
    let source = small("web-of-lies", 4).replace("depth = [0, 3]", "depth = [0, 0]");
    format!("watch = {{ batches = 2 }}\n{}", source.replace("{ probability = 0.4 }", "\"always\""))
}

/// M_target, which nobody has taught, says neither yes nor no.
fn undecided() -> String {
    let source = small("web-of-lies", 4).replace("max_turns = 2\n", "max_turns = 2\nsufficient = \"never\"\n");
    let source = source.replace("call_human = \"always\"", "call_human = \"never\"");
    format!("watch = {{ null_rewards = 0.5, batches = 2 }}\n{source}")
}

fn elenchus(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_elenchus-under-test")).current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// What a program is told of debates that died out.
fn events(output: &str) -> Vec<Value> {
    let events = output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == "collapse").collect()
}

const AGREED: &str = "died out: by `verdicts` nearly none had a reward in batches 1 to 2: most end with their first \
                      argument, and nobody argues against it; try: `debate.arguments.sufficient = \"never\"`; \
                      `debate.arguments.min_turns = 2`; a lower `loss.objective.combine.weighted.alpha`";

#[test]
fn a_run_of_debates_that_are_none_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("pipeline.toml"), agreed()).unwrap();
    let (summary, told) = elenchus(folder, &["run", "pipeline.toml", "--out", "run"]);
    assert_eq!(told.matches(AGREED).count(), 1, "{told}");
    assert!(told.contains("warning: debates died out"), "{told}");
    assert!(told.lines().any(|line| line.starts_with("batch 4/4") && line.ends_with("debates died out")), "{told}");
    let whole = AGREED.replace("1 to 2", "1 to 4");
    assert!(summary.contains(&format!("Debates {whole}.")), "{summary}");
    let report = fs::read_to_string(folder.join("run/report.html")).unwrap();
    assert!(report.contains("<h2>Debates died out</h2>") && report.contains("batches 1 to 4"), "{report}");
    let (_, told) = elenchus(folder, &["run", "pipeline.toml", "--out", "quiet", "--quiet"]);
    assert_eq!(told, "");
}

#[test]
fn a_run_that_goes_on_says_what_an_unbroken_one_says() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("pipeline.toml"), undecided()).unwrap();
    let (unbroken, _) = elenchus(folder, &["run", "pipeline.toml", "--out", "unbroken", "--json"]);
    let [event] = &events(&unbroken)[..] else { panic!("{unbroken}") };
    assert_eq!((&event["stage"], &event["cause"]), (&"verdicts".into(), &"no_winner".into()));
    assert_eq!((&event["first"], &event["batch"]), (&0.into(), &1.into()));
    let remedies = event["try"].as_array().unwrap();
    assert_eq!(remedies[0], "`judge.verdicts.reply = \"choice\"`");
    break_off(&undecided(), &folder.join("broken"), 1);
    let (resumed, _) = elenchus(folder, &["resume", "broken", "--json"]);
    assert_eq!(events(&resumed), std::slice::from_ref(event));
    // What was told before the break is not told again.
    break_off(&undecided(), &folder.join("later"), 3);
    let (resumed, _) = elenchus(folder, &["resume", "later", "--json"]);
    assert_eq!(events(&resumed), [] as [Value; 0]);
    let shown = |run: &str| {
        elenchus(folder, &["show", run]).0.lines().filter(|line| line.contains("died out")).collect::<String>()
    };
    assert!(shown("unbroken").contains("batches 1 to 4"));
    assert_eq!([shown("broken"), shown("later")], [shown("unbroken"), shown("unbroken")]);
}

/// The choice that is told to help does.
#[test]
fn what_is_told_helps() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pipeline.toml"), undecided()).unwrap();
    let set = "judge.verdicts.reply=\"choice\"";
    let (output, _) = elenchus(folder.path(), &["run", "pipeline.toml", "--json", "--set", set]);
    assert_eq!(events(&output), [] as [Value; 0]);
    fs::write(folder.path().join("agreed.toml"), agreed()).unwrap();
    for set in ["debate.arguments.sufficient=\"never\"", "debate.arguments.min_turns=2"] {
        let (output, _) = elenchus(folder.path(), &["run", "agreed.toml", "--json", "--set", set]);
        assert_eq!(events(&output), [] as [Value; 0], "{set}");
    }
}

/// What is found at which batches, given the share of null rewards and the mean length in each.
fn check(source: &str, batches: &[(f64, f64)], expect: &[(u64, Cause)]) {
    check_reached(source, u64::MAX, batches, expect);
}

/// The same where a milestone is reached at some batch.
fn check_reached(source: &str, reached: u64, batches: &[(f64, f64)], expect: &[(u64, Cause)]) {
    let pipeline = load(source).pipeline;
    let mut watch = Watch::new(&pipeline);
    let mut found = Vec::new();
    for (batch, &(null, length)) in (0..).zip(batches) {
        let metrics = [("verdicts.null_rewards", null), ("arguments.length", length)];
        let milestone = (batch >= reached).then_some(("step.milestone_imitated", reached as f64));
        let metrics = metrics.into_iter().chain(milestone);
        let metrics: BTreeMap<String, f64> = metrics.map(|(name, value)| (name.to_owned(), value)).collect();
        found.extend(watch.see(batch, &metrics).into_iter().map(|new| (batch, new.cause)));
    }
    assert_eq!(found, expect);
}

#[test]
fn only_batches_in_a_row_count() {
    use Cause::{NoWinner, OneArgument};
    let source = agreed();
    check(&source, &[(1.0, 1.0), (0.9, 1.1), (1.0, 1.0)], &[(1, OneArgument)]);
    check(&source, &[(1.0, 1.0), (0.89, 1.1), (1.0, 1.0)], &[]);
    check(&source, &[(1.0, 2.0), (0.95, 2.0)], &[(1, NoWinner)]);
    check(&source, &[(1.0, 1.0), (1.0, 1.0), (0.5, 1.5), (1.0, 1.6), (1.0, 1.6)], &[(1, OneArgument), (4, NoWinner)]);
}

/// A file that has debates end with their first argument wants no debates.
#[test]
fn what_the_file_itself_says_is_no_collapse() {
    let dead = [(1.0, 1.0); 6];
    let with = |sufficient: &str| {
        let source = agreed().replace("max_turns = 2\n", &format!("max_turns = 2\nsufficient = {sufficient}\n"));
        source.replace("alpha = 0.5", "alpha = [[0, 0.0], [3, 0.0], [4, 0.5]]")
    };
    check(&with("{ biased = [[0, 1.0], [2, 1.0], [3, 0.0]] }"), &dead, &[(4, Cause::OneArgument)]);
    check(&with("{ biased = 0.5 }"), &dead, &[(1, Cause::OneArgument)]);
    let always = agreed().replace("max_turns = 2\n", "max_turns = 1\n").replace("alpha = 0.5", "alpha = 0.0");
    check(&always, &dead, &[]);
    let waiting = with("{ biased = { after = \"imitated\", points = [[0, 1.0], [1, 0.0]] } }");
    let waiting = format!("{waiting}\n[milestone.imitated]\nloss_of = \"step\"\nbelow = 0.1\n");
    check(&waiting, &dead, &[]);
    check_reached(&waiting, 2, &dead, &[(4, Cause::OneArgument)]);
}
