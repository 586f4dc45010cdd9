//! The stages on plain tables, each on a batch of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_schema::{DataType, Field, Schema};
use batch::stages::{Command, Filter, Join, Read, Right, Sql};
use batch::{Bundle, Source, Stage, States, Unit};
use insta::assert_snapshot;
use polars::prelude::{DataFrame, IpcStreamWriter, SerWriter, df};
use spec::settings::{File, Files, How, OnError};
use tempfile::tempdir;

/// A batch of a stage that takes these tables.
fn run(stage: &dyn Stage, inputs: &[(&str, &DataFrame)]) -> Result<Bundle, String> {
    let (inputs, mut states) = (inputs.iter().copied().collect::<BTreeMap<_, _>>(), States::new());
    let mut unit = Unit::new(0, inputs, &mut states, &[], &[]);
    stage.run(&mut unit).map_err(|error| error.to_string())
}

fn lines(table: &DataFrame) -> String {
    let row = |i: usize| {
        table.get_row(i).expect("a row").0.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
    };
    let names: Vec<&str> = table.get_column_names().into_iter().map(|name| name.as_str()).collect();
    [names.join(", ")].into_iter().chain((0..table.height()).map(row)).collect::<Vec<_>>().join("\n")
}

fn questions() -> DataFrame {
    let text = |i: u64| format!("Is {i} a number that has more than twelve letters?");
    df!("id" => (0..6_u64).collect::<Vec<_>>(), "text" => (0..6).map(text).collect::<Vec<_>>()).expect("a table")
}

/// Where the letters of a column of texts are kept.
fn buffers(table: &DataFrame, column: &str) -> BTreeSet<*const u8> {
    let texts = table.column(column).expect("it is there").str().expect("texts");
    texts.downcast_iter().flat_map(|chunk| chunk.data_buffers().iter()).map(|buffer| buffer.as_ptr()).collect()
}

#[test]
fn what_passes_through_is_not_copied() {
    let questions = questions();
    let letters = buffers(&questions, "text");
    assert!(!letters.is_empty());
    let inputs = [("q", &questions)];
    let filter = Filter { name: "f".into(), from: "q".into(), condition: "id <> 3".into() };
    assert_eq!(buffers(&run(&filter, &inputs).unwrap()["f"], "text"), letters);
    let sql = Sql { name: "s".into(), from: vec!["q".into()], query: "SELECT text, id + 1 AS next FROM q".into() };
    assert_eq!(buffers(&run(&sql, &inputs).unwrap()["s"], "text"), letters);
    let right = df!("id" => [5_u64, 1], "n" => [1_u32, 2]).unwrap();
    let on = vec![("id".to_owned(), "id".to_owned())];
    let join = Join {
        name: "j".into(),
        left: "q".into(),
        right: Right::Rows(right),
        on,
        how: How::Inner,
        suffix: "_right".into(),
    };
    assert_eq!(buffers(&run(&join, &inputs).unwrap()["j"], "text"), letters);
}

#[test]
fn joins_keep_the_order_of_the_left_side() {
    let left = df!("id" => [3_u64, 1, 2, 1], "text" => ["c", "a", "b", "a"]).unwrap();
    let right = df!("key" => [1_u64, 3, 1], "text" => ["x", "y", "z"], "n" => [1, 2, 3]).unwrap();
    let inputs = [("l", &left), ("r", &right)];
    let joined = |how| {
        let on = vec![("id".to_owned(), "key".to_owned())];
        let (name, left, right, suffix) = ("j".into(), "l".into(), Right::Table("r".into()), "_right".into());
        lines(&run(&Join { name, left, right, on, how, suffix }, &inputs).unwrap()["j"])
    };
    assert_snapshot!([How::Inner, How::Left, How::Semi, How::Anti].map(joined).join("\n\n"));
}

#[test]
fn rows_that_cannot_be_read() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), "{\"text\": \"a\"}\n{\"text\": 1}\n{\"text\": \"c\"}\n").unwrap();
    let files = Files::new(vec![File { path: "a.jsonl".to_owned(), span: 0..0 }]);
    let source = Arc::new(Source::open(&files, folder.path()).unwrap_or_else(|problems| panic!("{problems:?}")));
    let read = |on_error| {
        let stage = Read { name: "r".into(), source: source.clone(), rows: 10, number: Some("id".into()), on_error };
        let tables = run(&stage, &[]).map(|bundle| bundle.values().map(lines).collect::<Vec<_>>().join("\n"));
        tables.unwrap_or_else(|error| error).replace(&folder.path().display().to_string(), "DATA")
    };
    assert_snapshot!([OnError::Fail, OnError::Skip, OnError::Null].map(read).join("\n\n"));
}

fn command(folder: &Path, script: &str, on_error: OnError) -> Command {
    let fields = vec![Field::new("id", DataType::UInt64, false), Field::new("text", DataType::Utf8, true)];
    Command {
        name: "c".into(),
        from: "q".into(),
        run: ["sh", "-c", script].map(str::to_owned).to_vec(),
        folder: folder.to_owned(),
        log: folder.join("logs/c.log"),
        schema: Arc::new(Schema::new(fields)),
        time_limit: Duration::from_secs(20),
        on_error,
        turn: Mutex::default(),
    }
}

/// Keeps what it is given, unless there is poison in it.
const FUSSY: &str = "cat > given; if grep -q poison given; then echo 'cannot digest poison' >&2; exit 3; fi; cat given";

#[test]
fn a_program_is_given_a_table_and_gives_one_back() {
    let folder = tempdir().unwrap();
    let given = run(&command(folder.path(), "echo hello >&2; cat", OnError::Fail), &[("q", &questions())]).unwrap();
    assert!(given["c"].equals(&questions()));
    assert_eq!(fs::read_to_string(folder.path().join("logs/c.log")).unwrap(), "--- batch 0\nhello\n");
}

#[test]
fn programs_that_do_wrong() {
    let folder = tempdir().unwrap();
    let error = |command: Command| {
        let error = run(&command, &[("q", &questions())]).unwrap_err();
        error.replace(&folder.path().display().to_string(), "RUN")
    };
    let fail = |script| error(command(folder.path(), script, OnError::Fail));
    let soon =
        |script| Command { time_limit: Duration::from_millis(300), ..command(folder.path(), script, OnError::Fail) };
    let absent = Command { run: vec!["no-such-program".to_owned()], ..command(folder.path(), "", OnError::Fail) };
    let text = df!("id" => [1_u64]).unwrap();
    let mut stream = Vec::new();
    IpcStreamWriter::new(&mut stream).finish(&mut text.clone()).unwrap();
    fs::write(folder.path().join("lie"), stream).unwrap();
    let errors = [
        fail("echo something is missing >&2; exit 2"),
        fail("echo this is no table"),
        fail("true"),
        fail("cat > /dev/null; cat lie"),
        error(soon("sleep 60 & sleep 60")),
        error(soon("exec >&-; sleep 60")),
        error(absent),
    ];
    assert_snapshot!(errors.join("\n"));
}

/// Where it is not one row or another, a program is not tried on each of them.
#[test]
fn programs_that_can_do_no_row() {
    let refused = |script: &str, table: DataFrame| {
        let folder = tempdir().unwrap();
        let command = Command { time_limit: Duration::from_secs(2), ..command(folder.path(), script, OnError::Skip) };
        let error = run(&command, &[("q", &table)]).unwrap_err();
        let starts = fs::read_to_string(folder.path().join("logs/c.log")).unwrap().matches("--- batch").count();
        format!("{starts} starts: {}", error.replace(&folder.path().display().to_string(), "RUN"))
    };
    let poison = df!("id" => [0_u64], "text" => ["poison"]).unwrap();
    let errors = [
        refused("echo no module named soup >&2; exit 1", questions()),
        refused("sleep 60", questions()),
        refused("cat > given; if grep -q poison given; then sleep 60; fi; cat given", poison),
    ];
    assert_snapshot!(errors.join("\n"));
}

#[test]
fn rows_that_a_program_cannot_do_are_found() {
    let folder = tempdir().unwrap();
    let texts: Vec<String> = (0..9).map(|i| format!("{} {i}", if i % 4 == 2 { "poison" } else { "food" })).collect();
    let table = df!("id" => (0..9_u64).collect::<Vec<_>>(), "text" => texts).unwrap();
    let with = |on_error| {
        let bundle = run(&command(folder.path(), FUSSY, on_error), &[("q", &table)]).unwrap();
        let text = bundle.values().map(lines).collect::<Vec<_>>().join("\n");
        text.replace(&folder.path().display().to_string(), "RUN")
    };
    assert_snapshot!([OnError::Skip, OnError::Null].map(with).join("\n\n"));
}
