//! The command line as a user meets it: what each verb says, and with which exit code it ends.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};
use tests::small;

/// Folder names and seconds are not the same twice.
fn said(text: &[u8], folder: &Path) -> String {
    let text = String::from_utf8(text.to_vec()).unwrap().replace(folder.to_str().unwrap(), "FOLDER");
    let untimed =
        |line: &str| if line.starts_with("Time: ") { "Time: …".to_owned() } else { line.trim_end().to_owned() };
    text.lines().map(untimed).collect::<Vec<_>>().join("\n")
}

/// The exit code, and what was said on the output or, if nothing was, on the error stream.
fn elenchus(folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_elenchus-under-test")).current_dir(folder).args(arguments).output().unwrap();
    let stream = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    format!("exit {}\n{}", output.status.code().unwrap(), said(stream, folder))
}

/// A folder with a pipeline file, a finished run of it, and question files. Made once.
fn workplace() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        std::fs::write(folder.join("pipeline.toml"), small("web-of-lies", 4)).unwrap();
        let changed = small("web-of-lies", 5).replace("alpha = 0.5", "alpha = 0.25");
        std::fs::write(folder.join("changed.toml"), changed).unwrap();
        let one = "Question: Jim lies. Inga says Jim lies. Does Inga tell the truth?";
        std::fs::write(folder.join("one.jsonl"), format!("{{\"question\": \"{one}\", \"answer\": \"Yes\"}}\n"))
            .unwrap();
        std::fs::write(folder.join("unanswered.jsonl"), format!("{{\"question\": \"{one}\"}}\n")).unwrap();
        let bench = format!("{{\"examples\": [{{\"input\": \"{one}\", \"target\": \"Yes\"}}]}}");
        std::fs::write(folder.join("bench.json"), bench).unwrap();
        std::fs::write(folder.join("one.csv"), format!("input,target\n{one},Yes\n")).unwrap();
        std::fs::write(folder.join("strange.jsonl"), "{\"question\": \"Who built Rome?\"}\n").unwrap();
        let long = "Who? ".repeat(100);
        let lines = [one, &long].map(|question| format!("{{\"question\": \"{question}\", \"answer\": \"Yes\"}}\n"));
        std::fs::write(folder.join("long.jsonl"), lines.concat()).unwrap();
        assert!(elenchus(&folder, &["run", "pipeline.toml", "--out", "run"]).starts_with("exit 0"));
        folder
    })
}

/// A test named for what it shows.
macro_rules! check {
    ($name:ident, $($argument:expr),+) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(elenchus(workplace(), &[$($argument),+]));
        }
    };
}

check!(a_right_file_is_said_to_be_right, "check", "pipeline.toml");
check!(an_absent_file_is_named, "check", "absent.toml");
check!(no_batches_are_refused, "run", "pipeline.toml", "--batches", "0");
check!(what_is_wrong_with_a_setting_is_told_at_the_setting, "check", "pipeline.toml", "--set", "train.stepp.steps=2");
check!(
    without_its_files_a_pipeline_is_checked_as_far_as_it_goes,
    "check",
    "pipeline.toml",
    "--offline",
    "--set",
    "evaluate.held_out.questions.files=['absent.jsonl']"
);
check!(
    files_that_are_not_there_are_told,
    "check",
    "pipeline.toml",
    "--set",
    "evaluate.held_out.questions.files=['absent.jsonl']"
);
check!(what_there_is_to_choose_from, "list");
check!(a_starter_does_not_overwrite, "new", "pipeline.toml");
check!(a_used_folder_is_refused, "run", "pipeline.toml", "--out", "run");
check!(without_runs_there_is_nothing_to_resume, "resume");
check!(a_plan_says_what_is_there_already, "plan", "pipeline.toml", "--store", ".store");
check!(a_plan_says_why_it_has_to_run, "plan", "changed.toml", "--store", ".store");
check!(
    a_plan_in_dot_shows_what_is_reused,
    "plan",
    "pipeline.toml",
    "--set",
    "loss.objective.combine.weighted.alpha=0.25",
    "--store",
    ".store",
    "--format",
    "dot"
);
check!(
    a_plan_in_mermaid_shows_what_is_reused,
    "plan",
    "pipeline.toml",
    "--set",
    "loss.objective.combine.weighted.alpha=0.25",
    "--store",
    ".store",
    "--format",
    "mermaid"
);
check!(a_fork_that_would_change_nothing, "fork", "run", "--batch", "2", "--out", "forked");
check!(a_fork_with_nothing_left_to_do, "fork", "run", "--batch", "4", "--set", "loss.objective.imitate='all'");
check!(
    a_fork_that_would_change_what_words_mean,
    "fork",
    "run",
    "--batch",
    "2",
    "--out",
    "forked",
    "--set",
    "debate.arguments.wording.sufficient='Is that enough for {question}? {context}'"
);
check!(a_store_without_runs, "cache", "list", "--store", "nowhere");
check!(a_complete_run_is_not_resumed, "resume", "run");
check!(a_folder_without_a_run_is_not_resumed, "resume", ".");
check!(a_summary_is_a_table, "show", "run");
check!(a_debate_is_shown_with_its_questions, "show", "run", "--debate", "1");
check!(a_debate_that_is_not_there_yet, "show", "run", "--debate", "24");
check!(a_table_is_printed, "show", "run", "--table", "verdicts", "--batch", "1", "--rows", "2");
check!(a_wide_table_is_printed_row_by_row, "show", "run", "--table", "arguments.calls", "--rows", "1");
check!(a_table_is_printed_as_json, "show", "run", "--table", "questions.gold", "--batch", "0", "--json");
check!(a_table_that_is_not_there, "show", "run", "--table", "argument");
check!(a_batch_that_is_not_there, "show", "run", "--table", "arguments", "--batch", "4");
check!(json_lines_are_scored, "evaluate", "run", "--questions", "one.jsonl", "--json");
check!(big_bench_is_scored, "evaluate", "run", "--questions", "bench.json");
check!(a_pattern_of_csv_files_is_scored, "evaluate", "run", "--questions", "on*.csv");
check!(without_gold_there_are_answers, "evaluate", "run", "--questions", "unanswered.jsonl");
check!(words_that_m_never_met_are_counted, "evaluate", "run", "--questions", "strange.jsonl", "--json");
check!(a_question_too_long_for_m_is_counted, "evaluate", "run", "--questions", "long.jsonl");
check!(a_checkpoint_that_is_not_there, "evaluate", "run", "--questions", "one.jsonl", "--checkpoint", "best");

#[test]
fn a_plan_as_json_says_what_is_reused_and_why_the_rest_runs() {
    let said = elenchus(workplace(), &["plan", "changed.toml", "--store", ".store", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(said.strip_prefix("exit 0\n").unwrap()).unwrap();
    insta::assert_snapshot!(format!("{:#}", plan["earlier_runs"]));
}

#[test]
fn a_starter_is_valid_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut said =
        vec![elenchus(folder.path(), &["new", "first.toml"]), elenchus(folder.path(), &["check", "first.toml"])];
    let small = ["--set", "sample.questions.rows=4", "--set", "evaluate.held_out.count=4", "--batches", "1"];
    said.push(elenchus(folder.path(), &[&["run", "first.toml"], &small[..]].concat()));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_schema_is_printed_as_it_is_committed() {
    let committed = std::fs::read_to_string("../crates/spec/pipeline.schema.json").unwrap();
    assert!(elenchus(workplace(), &["schema"]) == format!("exit 0\n{}", committed.trim_end()));
}

#[test]
fn a_run_keeps_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run").display().to_string();
    std::fs::write(folder.path().join("over.toml"), "[checkpoint]\nevery = 1\n").unwrap();
    let over = folder.path().join("over.toml").display().to_string();
    let sets = ["--overlay", &over, "--set", "sample.questions.rows=2", "--batches", "1"];
    assert!(
        elenchus(workplace(), &[&["run", "pipeline.toml", "--out", &root], &sets[..]].concat()).starts_with("exit 0")
    );
    let kept = |name: &str| std::fs::read_to_string(folder.path().join("run").join(name)).unwrap();
    let given = kept("source.toml");
    let (_, over) = given.split_once("\n# ").unwrap();
    insta::assert_snapshot!(said(over.as_bytes(), folder.path()));
    assert!(kept("pipeline.toml").contains("\nbatches = 1\n") && kept("pipeline.toml").contains("\nrows = 2\n"));
}

#[test]
fn a_table_is_written_into_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arguments.parquet");
    let said = elenchus(workplace(), &["show", "run", "--table", "arguments", "--out", file.to_str().unwrap()]);
    let run = batch::Run::open(&workplace().join("run")).unwrap();
    let tables: Vec<_> = run.tables("arguments").map(Result::unwrap).collect();
    let rows: usize = tables.iter().map(|table| table.height()).sum();
    assert_eq!(said, format!("exit 0\n{rows} rows of arguments: {}", file.display()));
    let written = batch::parquet::decode(&std::fs::read(&file).unwrap()).unwrap();
    let mut before = 0;
    for table in tables {
        assert!(written.slice(before, table.height()).equals_missing(&table));
        before += table.height() as i64;
    }
}

/// The questions of a debate may have come through a filter, whose table need not be kept.
#[test]
fn a_debate_on_filtered_questions_is_shown() {
    for keep in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let filter = format!("[filter.deep]\nfrom = \"questions\"\ncondition = \"depth > 1\"\nkeep = {keep}\n");
        let text = small("web-of-lies", 2).replacen("from = \"questions\"", "from = \"deep\"", 1) + "\n" + &filter;
        std::fs::write(folder.path().join("pipeline.toml"), text).unwrap();
        let ran = elenchus(folder.path(), &["run", "pipeline.toml", "--out", "run"]);
        assert!(ran.starts_with("exit 0"), "{ran}");
        let last = batch::Run::open(&folder.path().join("run")).unwrap().table("arguments", 1).unwrap();
        let id = last.column("question").unwrap().u64().unwrap().last().unwrap();
        let said = elenchus(folder.path(), &["show", "run", "--debate", &id.to_string()]);
        assert!(said.starts_with(&format!("exit 0\ndebate {id} (batch 1)\n\nQuestion: ")), "{said}");
        assert!(said.contains("\n  gold: "), "{said}");
        let report = std::fs::read_to_string(folder.path().join("run/report.html")).unwrap();
        assert_eq!(report.contains("One debate"), report.contains("The right answer is "));
    }
}

/// The files of the run, one damaged.
fn damaged(name: &str, damage: impl Fn(&mut [u8])) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy =
        Command::new("cp").args(["-r", "run", folder.path().to_str().unwrap()]).current_dir(workplace()).status();
    assert!(copy.unwrap().success());
    let file = folder.path().join("run").join(name);
    let mut bytes = std::fs::read(&file).unwrap();
    damage(&mut bytes);
    std::fs::write(file, bytes).unwrap();
    folder
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

/// The lines of a run's manifest, less their checksums: what each batch came to.
fn committed(root: &Path) -> Vec<String> {
    let manifest = std::fs::read_to_string(root.join("manifest.jsonl")).unwrap();
    let metrics = |line: &str| line.split("\"metrics\":").nth(1).unwrap().split('}').next().unwrap().to_owned();
    manifest.lines().skip(1).map(metrics).collect()
}

#[test]
fn a_fork_begins_as_the_run_did_and_goes_on_otherwise() {
    let folder = damaged("plan.txt", |_| {});
    let changes = ["--set", "batches=5", "--set", "loss.objective.combine.weighted.alpha=0.25"];
    let arguments = [&["fork", "run", "--batch", "2", "--out", "forked"][..], &changes].concat();
    let said = elenchus(folder.path(), &arguments);
    assert!(said.starts_with("exit 0"), "{said}");
    let (run, forked) = (committed(&folder.path().join("run")), committed(&folder.path().join("forked")));
    assert_eq!((forked.len(), &forked[..2]), (5, &run[..2]));
    assert_ne!(forked[2], run[2]);
}

/// A fork of a fork has the whole of its dataset, whatever an earlier try left that was killed.
#[test]
fn a_fork_is_forked_with_what_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let text = small("web-of-lies", 4) + "\n[write.said]\nfrom = \"arguments\"\n";
    std::fs::write(folder.path().join("pipeline.toml"), text).unwrap();
    assert!(elenchus(folder.path(), &["run", "pipeline.toml", "--out", "run"]).starts_with("exit 0"));
    std::fs::create_dir(folder.path().join("two.new")).unwrap();
    for left in ["unfinished", "manifest.jsonl"] {
        std::fs::write(folder.path().join("two.new").join(left), "").unwrap();
    }
    for (run, batch, out, alpha) in [("run", "2", "one", "0.25"), ("one", "3", "two", "0.125")] {
        let alpha = format!("loss.objective.combine.weighted.alpha={alpha}");
        let said = elenchus(folder.path(), &["fork", run, "--batch", batch, "--out", out, "--set", &alpha]);
        assert!(said.starts_with("exit 0"), "{said}");
        let run = batch::Run::open(&folder.path().join(out)).unwrap();
        let committed: u64 = run.lines().iter().map(|line| line.tables["arguments"].rows).sum();
        let card = std::fs::read_to_string(folder.path().join(out).join("datasets/said/README.md")).unwrap();
        assert!(card.contains(&format!("\n{committed} rows.\n")), "{card}");
    }
    let [one, two] = ["one", "two"].map(|run| committed(&folder.path().join(run)));
    assert_eq!(one[..3], two[..3]);
    assert_ne!(one[3], two[3]);
    assert!(!folder.path().join("two.new").exists());
}

#[test]
fn a_second_run_takes_all_from_the_first() {
    let folder = damaged("plan.txt", |_| {});
    let file = workplace().join("pipeline.toml");
    let said = elenchus(folder.path(), &["run", file.to_str().unwrap(), "--out", "again"]);
    assert!(said.starts_with("exit 0"), "{said}");
    assert_eq!(committed(&folder.path().join("again")), committed(&folder.path().join("run")));
    let names = |root: &str| std::fs::read_dir(folder.path().join(root)).unwrap().count();
    assert_eq!((names("again/segments"), names("again/shared")), (0, 1), "nothing was made, one segment is shared");
    let weights = "checkpoints/000004/model.agent/model.safetensors";
    let read = |root: &str| std::fs::read(folder.path().join(root).join(weights)).unwrap();
    assert!(read("again") == read("run"));
}

/// The loss is taken, whose baseline training does not ask for; so where debating goes on, the weights are further on than
/// the unit that the baseline comes from.
#[test]
fn a_run_with_another_learning_rate_takes_what_it_can() {
    let folder = damaged("plan.txt", |_| {});
    let file = workplace().join("pipeline.toml").display().to_string();
    let slower = ["run", &file, "--set", "train.step.adamw.learning_rate=1e-3", "--out"];
    for (out, more) in [("second", &[][..]), ("alone", &["--no-reuse"])] {
        let said = elenchus(folder.path(), &[&slower[..], &[out], more].concat());
        assert!(said.starts_with("exit 0"), "{said}");
    }
    assert_eq!(committed(&folder.path().join("second")), committed(&folder.path().join("alone")));
    let run = batch::Run::open(&folder.path().join("second")).unwrap();
    let taken = run.lines()[0].tables["objective"].place.as_ref().unwrap().shared;
    assert!(taken, "the first batch has the weights of the other run's");
}

/// What is taken from a run without checkpoints at its heights has none there either; so the best is the best of some.
#[test]
fn a_height_without_a_checkpoint_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = small("web-of-lies", 7).replace("count = 12\n", "count = 40\nrows = [\"amplified\"]\n");
    let text = text.replace("seed = 3", "seed = 4").replace("every = 2", "every = 1");
    std::fs::write(folder.path().join("pipeline.toml"), text).unwrap();
    assert!(elenchus(folder.path(), &["run", "pipeline.toml", "--out", "run"]).starts_with("exit 0"));
    let best = ["--set", "checkpoint.best='held_out'", "--out", "best"];
    assert!(elenchus(folder.path(), &[&["run", "pipeline.toml"][..], &best].concat()).starts_with("exit 0"));
    let questions = workplace().join("one.jsonl").display().to_string();
    let arguments = ["evaluate", "best", "--checkpoint", "best", "--json", "--questions", &questions];
    let program = env!("CARGO_BIN_EXE_elenchus-under-test");
    let output = Command::new(program).current_dir(folder.path()).args(arguments).output().unwrap();
    let evaluated: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = batch::Run::open(&folder.path().join("best")).unwrap();
    let heights: Vec<f64> = run.lines().iter().map(|line| line.metrics["held_out.amplified"]).collect();
    let chosen = heights[evaluated["checkpoint"].as_u64().unwrap() as usize - 1];
    let higher = heights.iter().any(|height| *height > chosen);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert_eq!(warned.starts_with("warning: held_out.amplified was "), higher, "{heights:?}, {warned}");
}

#[test]
fn a_corrupted_table_is_named() {
    let folder = damaged("segments/000000", |bytes| bytes[100] ^= 1);
    insta::assert_snapshot!(elenchus(folder.path(), &["show", "run", "--debate", "1"]));
}

#[test]
fn a_corrupted_checkpoint_is_named() {
    let folder = damaged("checkpoints/000004/model.agent/model.safetensors", flip);
    let questions = workplace().join("one.jsonl");
    insta::assert_snapshot!(elenchus(folder.path(), &["evaluate", "run", "--questions", questions.to_str().unwrap()]));
}

#[test]
fn a_corrupted_manifest_is_named() {
    let folder = damaged("manifest.jsonl", flip);
    insta::assert_snapshot!(elenchus(folder.path(), &["show", "run"]));
}

#[test]
fn a_second_run_in_the_same_folder_is_refused() {
    let folder = damaged("plan.txt", |_| {});
    let lock = std::fs::File::open(folder.path().join("run/lock")).unwrap();
    lock.lock().unwrap();
    insta::assert_snapshot!(elenchus(folder.path(), &["resume", "run"]));
}

#[test]
fn shells_and_man_know_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(elenchus(folder, &["man", "man1"]), "exit 0\n");
    let script = elenchus(folder, &["completions", "bash"]);
    assert!(script.starts_with("exit 0\n"), "{script}");
    for verb in elenchus::verbs::cli::command().get_subcommands() {
        let (name, about) = (verb.get_name(), verb.get_about().unwrap().to_string());
        let page = std::fs::read_to_string(folder.join(format!("man1/elenchus-{name}.1"))).unwrap();
        assert!(
            page.contains(about.split(['-', '\'']).next().unwrap()),
            "the page of `{name}` does not say what it is"
        );
        assert!(script.contains(&format!("elenchus,{name})")), "bash does not know `{name}`");
    }
}
