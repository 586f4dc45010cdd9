//! Questions that cannot be asked, in files of each form, and what becomes of them.

use batch::Run;
use polars::prelude::{DataFrame, IpcWriter, SerWriter, df};
use std::{
    fs::{self, File},
    path::Path,
};
use tests::{create, run, small, try_to_resume};

const IDS: [Option<u64>; 5] = [Some(7), None, Some(7), Some(9), Some(8)];
const TEXTS: [Option<&str>; 5] = [
    Some("Question: Jim lies. Does Jim tell the truth?"),
    Some("Question: Inga lies. Does Inga tell the truth?"),
    Some("Question: Inga lies. Does Inga tell the truth?"),
    None,
    Some("Question: Ada lies. Does Ada tell the truth?"),
];

/// The questions in files of each form; those of texts have a row too that cannot be read.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut table = df!("id" => IDS, "text" => TEXTS).unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("q.parquet"), batch::parquet::encode(&table).unwrap()).unwrap();
    IpcWriter::new(File::create(path("q.arrow")).unwrap()).finish(&mut table).unwrap();
    let rows = || IDS.into_iter().zip(TEXTS);
    let json: Vec<String> =
        rows().map(|(id, text)| serde_json::json!({ "id": id, "text": text }).to_string()).collect();
    fs::write(path("q.jsonl"), json.join("\n") + "\n{\"id\": ").unwrap();
    fs::write(path("q.json"), format!("[{}, 5]", json.join(", "))).unwrap();
    let csv = rows().map(|(id, text)| {
        format!("{},{}\n", id.map(|id| id.to_string()).unwrap_or_default(), text.unwrap_or_default())
    });
    fs::write(path("q.csv"), format!("id,text\n{}4\n", csv.collect::<String>())).unwrap();
    folder
}

const ASKED: &str = r#"
seed = 1

[human.expert]
script = "web-of-lies"

[read.rows]
files = "FOLDER/FILE"
rows = 9
on_error = "skip"

[sql.typed]
from = "rows"
query = "SELECT TRY_CAST(id AS BIGINT UNSIGNED) AS id, text FROM rows"

[answer.asked]
from = "typed"
human = "expert"
on_error = "ON_ERROR"
"#;

/// Tables of the first batch, in words.
fn shown(root: &Path, tables: &[&str]) -> String {
    let run = Run::open(root).unwrap();
    let folder = root.parent().unwrap().display().to_string();
    let table = |name: &&str| format!("{name}\n{}", rows(&run.table(name, 0).unwrap())).replace(&folder, "DATA");
    tables.iter().map(table).collect::<Vec<_>>().join("\n")
}

fn rows(table: &DataFrame) -> String {
    let row = |row: usize| {
        let cells = table.columns().iter().map(|column| column.get(row).unwrap().to_string());
        cells.collect::<Vec<_>>().join(" | ") + "\n"
    };
    (0..table.height()).map(row).collect()
}

/// What comes of a file, where questions that cannot be answered are dealt with in one way.
fn answered(folder: &Path, file: &str, on_error: &str, tables: &[&str]) -> String {
    let source = ASKED.replace("FOLDER", folder.to_str().unwrap()).replace("FILE", file).replace("ON_ERROR", on_error);
    let root = folder.join(format!("{file}-{on_error}"));
    run(&source, &root);
    shown(&root, tables)
}

#[test]
fn what_cannot_be_answered_is_skipped_or_null_in_files_of_each_form() {
    let folder = folder();
    for on_error in ["skip", "null"] {
        let of = |file: &str| answered(folder.path(), file, on_error, &["asked", "asked.errors"]);
        let parquet = of("q.parquet");
        for file in ["q.arrow", "q.jsonl", "q.json", "q.csv"] {
            assert_eq!(of(file), parquet, "{file}, {on_error}");
        }
        insta::assert_snapshot!(on_error, parquet);
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let folder = folder();
    let of = |file: &str| answered(folder.path(), file, "skip", &["rows.errors"]);
    insta::assert_snapshot!(["q.parquet", "q.arrow", "q.jsonl", "q.json", "q.csv"].map(of).join("\n"));
}

#[test]
fn a_question_without_an_id_stops_a_run_that_is_to_fail() {
    let folder = folder();
    let source = ASKED.replace("FOLDER", folder.path().to_str().unwrap()).replace("FILE", "q.arrow");
    let root = folder.path().join("run");
    create(&source.replace("ON_ERROR", "fail"), &root);
    insta::assert_snapshot!(try_to_resume(&source.replace("ON_ERROR", "fail"), &root).unwrap_err());
}

/// A whole experiment on the questions of a file.
fn debated(folder: &Path, on_error: &str) -> String {
    let task = "[sample.questions]\ntask = { name = \"web-of-lies\", depth = [0, 3] }\nrows = 6\n";
    let file = format!("[read.questions]\nfiles = \"{}/q.parquet\"\nrows = 9\n", folder.display());
    let source = small("web-of-lies", 2).replace(task, &file).replace("\nverdicts = \"verdicts\"", "");
    source.replace("max_turns = 2", &format!("max_turns = 2\non_error = \"{on_error}\""))
}

#[test]
fn what_cannot_be_debated_is_skipped() {
    let folder = folder();
    let root = folder.path().join("run");
    run(&debated(folder.path(), "skip"), &root);
    insta::assert_snapshot!(shown(&root, &["arguments.errors"]));
    let run = Run::open(&root).unwrap();
    let ids = |table| elenchus::stages::tables::u64s(&run.table(table, 0).unwrap(), "question").unwrap();
    assert_eq!(ids("verdicts"), [7, 8]);
    assert!(ids("arguments").iter().all(|id| [7, 8].contains(id)));
    assert_eq!(run.lines()[0].metrics["arguments.errors"], 3.0);
}

#[test]
fn what_cannot_be_debated_stops_a_run_that_is_to_fail() {
    let folder = folder();
    let (source, root) = (debated(folder.path(), "fail"), folder.path().join("run"));
    create(&source, &root);
    insta::assert_snapshot!(try_to_resume(&source, &root).unwrap_err());
}

const DRAWN: &str = r#"
seed = 1
batches = 3

[sample.drawn]
mixture = [{ weight = 1, files = "FOLDER/q.jsonl" }, { weight = 1, files = "FOLDER/q.csv" }]
rows = 4
on_error = "ON_ERROR"
"#;

#[test]
fn rows_that_are_no_questions_are_not_drawn() {
    let folder = folder();
    let source = DRAWN.replace("FOLDER", folder.path().to_str().unwrap());
    let root = folder.path().join("run");
    run(&source.replace("ON_ERROR", "skip"), &root);
    insta::assert_snapshot!(shown(&root, &["drawn", "drawn.errors"]));
    let run = Run::open(&root).unwrap();
    let errors: Vec<usize> = run.tables("drawn.errors").map(|table| table.unwrap().height()).collect();
    assert_eq!(errors, [4, 0, 0], "they stand in the first batch, and count once");
    let sources = spec::Sources::of_text("pipeline.toml", folder.path(), &source.replace("ON_ERROR", "fail"));
    let problems = elenchus::wiring::load::compile(&sources, |_| {}).err().unwrap();
    let report =
        elenchus::wiring::load::draw(&problems, &sources).replace(&folder.path().display().to_string(), "DATA");
    insta::assert_snapshot!(report);
}

#[test]
fn an_id_of_another_type_is_told_with_how_to_make_it_one() {
    let folder = folder();
    let source = ASKED.replace("FOLDER", folder.path().to_str().unwrap()).replace("FILE", "q.jsonl");
    let source = source.replace("\"typed\"", "\"rows\"").replace("ON_ERROR", "skip");
    let sources = spec::Sources::of_text("pipeline.toml", folder.path(), &source);
    let problems = elenchus::wiring::load::compile(&sources, |_| {}).err().unwrap();
    insta::assert_snapshot!(elenchus::wiring::load::draw(&problems, &sources));
}
