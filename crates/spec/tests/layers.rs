//! Files over files, and settings over all of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::PathBuf};

use insta::assert_snapshot;
use spec::{Catalogue, Reading, Sources, settings::Stage};

/// A pipeline of several texts, in a folder of its own.
struct Layers {
    folder: tempfile::TempDir,
}

impl Layers {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Layers { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, overlays: &[&str], sets: &[&str]) -> (Sources, Reading) {
        let overlays: Vec<PathBuf> = overlays.iter().map(|name| self.path(name)).collect();
        let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
        let sources = Sources::open(&self.path("file.toml"), &overlays, &sets).unwrap();
        let names = vec!["web-of-lies".to_owned()];
        let reading = spec::read_sources(&sources, &Catalogue { tasks: names.clone(), scripts: names });
        (sources, reading)
    }

    /// The resolved file, as far as its keys and samples go.
    fn resolved(&self, overlays: &[&str], sets: &[&str]) -> String {
        let (_, reading) = self.read(overlays, sets);
        assert_eq!(reading.problems, []);
        let text = reading.pipeline.to_toml();
        let parts = text.split("\n\n").filter(|part| !part.starts_with('[') || part.starts_with("[sample."));
        self.without_folder(&parts.collect::<Vec<_>>().join("\n"))
    }

    /// What is wrong: in which text, at what.
    fn problems(&self, overlays: &[&str], sets: &[&str]) -> String {
        let (sources, reading) = self.read(overlays, sets);
        let line = |problem: spec::Problem| {
            let (source, span) = sources.at(&problem.span);
            let help = problem.help.map_or(String::new(), |help| format!(" ({help})"));
            let help = help.split(" valid are").next().unwrap_or_default();
            format!("{} at {:?}: {}{help}", source.name, &source.text()[span], problem.message)
        };
        self.without_folder(&reading.problems.into_iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

const BASE: &str = "seed = 1
batches = 10
[sample.first]
files = [\"a.jsonl\"]
rows = 1
";

#[test]
fn a_file_goes_over_the_one_that_it_extends_and_settings_over_all() {
    let layers = Layers::new(&[
        ("bases/one.toml", BASE),
        (
            "bases/two.toml",
            "extends = \"one.toml\"\nbatches = 20\nsample.first.rows = 2\n[sample.second]\nfiles = [\"b.jsonl\"]\nrows = 5\n",
        ),
        ("file.toml", "extends = \"bases/two.toml\"\nsample.first.rows = 3\n"),
        ("over.toml", "seed = 7\n[sample.first]\nfiles = [\"c.jsonl\"]\n"),
    ]);
    assert_snapshot!(layers.resolved(&["over.toml"], &["sample.second.rows=6", "seed = 8"]), @r#"
    seed = 8
    batches = 20
    workers = 2
    lag = 0
    [sample.first]
    files = ["c.jsonl"]
    rows = 3
    [sample.second]
    files = ["bases/b.jsonl"]
    rows = 6
    "#);
}

#[test]
fn a_way_to_give_a_setting_takes_the_place_of_another() {
    let task = "[sample.first.task]\nname = \"web-of-lies\"\ndepth = [0, 1]\n";
    let layers = Layers::new(&[
        ("file.toml", BASE),
        ("task.toml", task),
        ("both.toml", &format!("sample.first.files = [\"b\"]\n{task}")),
    ]);
    assert_snapshot!(layers.resolved(&["task.toml"], &["sample.first.task.depth=[2, 3]"]), @r#"
    seed = 1
    batches = 10
    workers = 2
    lag = 0
    [sample.first]
    task = { name = "web-of-lies", depth = [2, 3], exclude_words = [] }
    rows = 1
    "#);
    assert_snapshot!(layers.resolved(&["task.toml"], &["sample.first.files=['b']"]), @r#"
    seed = 1
    batches = 10
    workers = 2
    lag = 0
    [sample.first]
    files = ["b"]
    rows = 1
    "#);
    assert_snapshot!(layers.problems(&["both.toml"], &[]), @r#"both.toml at "task": `sample.first` takes one of `task`, `files` and `mixture`, not both (keep one of them)"#);
}

#[test]
fn a_problem_is_in_the_text_that_caused_it() {
    let layers = Layers::new(&[
        ("file.toml", BASE),
        ("over.toml", "batches = 0\n[sample.first]\nrow = 5\n"),
        ("garbled.toml", "\nseed 5\n"),
    ]);
    assert_snapshot!(layers.problems(&["over.toml"], &["sample.first.rows=\"many\""]), @r#"
    over.toml at "0": `batches` must be a whole number, at least 1, not 0 (`batches`: How many batches a run has; without `train` it can be left out, and the rows of its sources decide)
    over.toml at "row": `sample.first` has no key `row` (did you mean `rows`?
    --set sample.first.rows="many" at "\"many\"": `rows` must be a whole number, not "many" (`rows`: How many a batch has)
    "#);
    assert_snapshot!(layers.problems(&["garbled.toml"], &["seed=seven"]), @r#"
    garbled.toml at "": this is not TOML: key with no value, expected `=` (how TOML is written: https://toml.io)
    --set seed=seven at "seven": this is not TOML: string values must be quoted, expected literal string (a text takes quotes, and the shell takes them away unless they stand in others: --set 'seed="seven"')
    "#);
}

#[test]
fn a_setting_is_of_a_key_and_of_a_thing_that_the_files_have() {
    let layers = Layers::new(&[("file.toml", BASE)]);
    let problems = |set: &str| layers.problems(&[], &[set]);
    assert_snapshot!(problems("sample.firts.rows=5"), @r#"--set sample.firts.rows=5 at "firts": there is no sample `firts` (did you mean `first`?)"#);
    assert_snapshot!(problems("sample.first.row=5"), @r#"--set sample.first.row=5 at "row": `sample.first` has no key `row` (did you mean `rows`?"#);
    assert_snapshot!(problems("sampel.first.rows=5"), @r#"--set sampel.first.rows=5 at "sampel": there is no kind `sampel` (did you mean `sample`?"#);
    assert_snapshot!(problems("judge.first.by='x'"), @r#"--set judge.first.by='x' at "first": there is no judge `first` (no file has a table `[judge.NAME]`)"#);
    assert_snapshot!(problems("sample=5"), @r#"--set sample=5 at "5": `sample` must be a table, not 5 (`sample`: questions for each batch)"#);
    assert_snapshot!(problems("seeds=5"), @r#"--set seeds=5 at "seeds": the file has no key `seeds` (did you mean `seed`?"#);
    assert_snapshot!(problems("seed"), @r#"--set seed at "": this is not TOML: key with no value, expected `=` (write --set KEY=VALUE)"#);
}

#[test]
fn a_circle_of_files_is_told_where_it_closes() {
    let layers = Layers::new(&[
        ("file.toml", "extends = \"a/one.toml\"\nseed = 1\n"),
        ("a/one.toml", "extends = \"two.toml\"\n"),
        ("a/two.toml", "extends = \"../a/one.toml\"\n"),
        ("itself.toml", "extends = \"itself.toml\"\n"),
        ("absent.toml", "extends = \"nowhere.toml\"\n"),
    ]);
    assert_snapshot!(layers.problems(&[], &[]), @r#"a/two.toml at "\"../a/one.toml\"": files extend each other in a circle (a/one.toml → a/two.toml → a/one.toml: let one of them stand alone)"#);
    fs::write(layers.path("file.toml"), BASE).unwrap();
    assert_snapshot!(layers.problems(&["itself.toml", "absent.toml"], &[]), @r#"
    itself.toml at "\"itself.toml\"": files extend each other in a circle (itself.toml → itself.toml: let one of them stand alone)
    absent.toml at "\"nowhere.toml\"": nowhere.toml cannot be read: No such file or directory (os error 2) (the path starts at the folder of this file)
    "#);
}

#[test]
fn what_is_nowhere_is_charged_to_the_file_itself() {
    let layers = Layers::new(&[("file.toml", "extends = \"base.toml\"\n"), ("base.toml", "workers = 1\n")]);
    assert_snapshot!(layers.problems(&[], &["batches=5"]), @r#"file.toml at "": the file needs `seed` (add `seed = …`)"#);
}

#[test]
fn what_was_given_is_kept_under_its_names() {
    let layers = Layers::new(&[("file.toml", BASE), ("over.toml", "seed = 7\n\n")]);
    assert_eq!(layers.read(&[], &[]).0.record(), BASE);
    assert_snapshot!(layers.without_folder(&layers.read(&["over.toml"], &["seed=8"]).0.record()), @r#"
    # file.toml
    seed = 1
    batches = 10
    [sample.first]
    files = ["a.jsonl"]
    rows = 1

    # over.toml
    seed = 7

    # --set seed=8
    seed=8
    "#);
}

#[test]
fn a_program_starts_in_the_folder_of_the_file_that_has_its_table() {
    let command = "[command.c]\nfrom = \"r\"\nrun = [\"cat\"]\ncolumns = { id = \"u64\" }\n";
    let file = "extends = \"bases/base.toml\"\nseed = 1\n[command.c]\non_error = \"skip\"\n[read.r]\nfiles = \"a\"\nrows = 1\n";
    let layers = Layers::new(&[("bases/base.toml", command), ("file.toml", file)]);
    let folder = |sets: &[&str]| {
        let (_, reading) = layers.read(&[], sets);
        assert_eq!(reading.problems, []);
        let command = reading.pipeline.stages.into_iter().find_map(|stage| match stage.settings {
            Stage::Command(command) => Some(command.folder.path),
            _ => None,
        });
        layers.without_folder(&command.unwrap())
    };
    assert_snapshot!(folder(&[]), @"bases");
    assert_snapshot!(folder(&["command.c.folder='here'"]), @"here");
}
