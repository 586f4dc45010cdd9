//! Rows of files in each of their forms, and what is wrong with others.

use std::fs::{self, File as Disk};
use std::path::Path;

use batch::{Source, Stretch};
use insta::assert_snapshot;
use polars::prelude::{DataFrame, IpcWriter, SerWriter, df};
use proptest::prelude::*;
use spec::settings::{File, Files, Pattern, Reference};
use tempfile::tempdir;

fn named(path: &str) -> Files {
    Files::new(vec![File { path: path.to_owned(), span: 0..0 }])
}

/// Makes a folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// All that can be had of some files, or what is wrong with them.
fn show(files: &Files, folder: &Path) -> String {
    let hide = |text: String| text.replace(&folder.display().to_string(), "DATA");
    let source = match Source::open(files, folder) {
        Ok(source) => source,
        Err(problems) => {
            let text = |problem: spec::Problem| {
                [Some(problem.message), problem.help].into_iter().flatten().collect::<Vec<_>>().join(" | ")
            };
            return hide(problems.into_iter().map(text).collect::<Vec<_>>().join("\n"));
        }
    };
    let Stretch { table, bad } = source.stretch(0, 100).expect("the files can be read");
    let row =
        |i: usize| table.get(i).map(|row| row.iter().map(|value| format!("{value}")).collect::<Vec<_>>().join(", "));
    let columns: Vec<String> =
        table.columns().iter().map(|column| format!("{} {}", column.name(), column.dtype())).collect();
    let mut lines = vec![format!("[{}]", columns.join(", "))];
    lines.extend((0..table.height()).filter_map(row));
    lines.extend(bad.iter().map(|bad| format!("row {} of {}: {} <- {}", bad.row, bad.path, bad.reason, bad.content)));
    hide(lines.join("\n"))
}

fn check(files: &[(&str, &str)], path: &str) -> String {
    let folder = folder(files);
    show(&named(path), folder.path())
}

#[test]
fn json_lines_and_rows_that_do_not_fit() {
    let text = "{\"question\": \"one?\", \"n\": 1}\n\n{\"question\": \"two?\"}\n{\"question\": 2}\nnot JSON\n{\"question\": \"three?\", \"m\": 1}\n";
    let wrong = "{\"text\": \"a\"}\n{\"text\": \"b\"\n";
    assert_snapshot!(check(&[("a.jsonl", text)], "a.jsonl"));
    assert_snapshot!(check(&[("a.jsonl", wrong)], "a.jsonl"));
    assert_snapshot!(check(&[("a.jsonl", "\n")], "a.jsonl"));
}

#[test]
fn csv_with_ends_of_lines_in_quotes() {
    assert_snapshot!(check(&[("a.csv", "text,n\n\"one,\ntwo\",1\nthree,2\nfour,4,y\n")], "a.csv"));
}

/// As spreadsheets and editors on Windows write files: a mark of byte order, and two letters at the end of a line.
#[test]
fn marks_of_byte_order_are_no_part_of_a_file() {
    let plain = check(&[("a.jsonl", "{\"n\": 1}\n{\"n\": 2}\n")], "a.jsonl");
    for (name, text) in [
        ("a.jsonl", "{\"n\": 1}\r\n{\"n\": 2}\r\n"),
        ("a.json", "[{\"n\": 1},\r\n{\"n\": 2}]\r\n"),
        ("a.csv", "n\r\n1\r\n2\r\n"),
    ] {
        assert_eq!(check(&[(name, &format!("\u{feff}{text}"))], name), plain, "{name}");
    }
}

/// Rows that polars would cut short, fill up, or drop parts of.
#[test]
fn rows_that_do_not_fit_their_columns() {
    let csv = b"n,text\n1,a \n2\n3,\"c, d\",x\n4,\xffe\n5,\"f\"\"\n,\"\n";
    let folder = folder(&[]);
    fs::write(folder.path().join("a.csv"), csv).unwrap();
    assert_snapshot!(show(&named("a.csv"), folder.path()));
    let lines = "{\"a\": {\"b\": 1, \"c\": [1, 2]}}\n{\"a\": {\"b\": 1, \"d\": 2}}\n{\"a\": {\"c\": [1, \"x\"]}}\n{\"a\": {\"b\": null}}\n";
    // Beyond what types are told from.
    let head = format!("{}{}", "{\"a\": {\"b\": 0, \"c\": [7]}}\n".repeat(350_000), lines);
    fs::write(folder.path().join("a.jsonl"), head).unwrap();
    let source = Source::open(&named("a.jsonl"), folder.path()).unwrap();
    let bad = source.stretch(350_000, 10).unwrap().bad;
    assert_eq!(bad.iter().map(|bad| bad.row).collect::<Vec<_>>(), [1, 2], "{bad:?}");
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let folder = folder(&[("a.jsonl", &"{\"n\": 1}\n".repeat(3000))]);
    let source = Source::open(&named("a.jsonl"), folder.path()).unwrap();
    assert_eq!(source.stretch(0, 2000).unwrap().table.height(), 2000);
    fs::write(folder.path().join("a.jsonl"), "{\"n\": 1}\n".repeat(2500)).unwrap();
    let error = source.stretch(2000, 2000).unwrap_err().to_string();
    assert_snapshot!(error.replace(&folder.path().display().to_string(), "DATA"));
}

#[test]
fn big_bench_and_lists_of_objects() {
    let task = r#"{"canary": "…", "examples": [{"input": "1?", "target": "a"}, {"input": "2?", "target": "b"}]}"#;
    assert_snapshot!(check(&[("a.json", task), ("b.json", r#"[{"input": "3?", "target": "c"}]"#)], "*.json"));
    assert_snapshot!(check(&[("a.json", r#"{"input": 3}"#)], "a.json"));
}

#[test]
fn parquet_and_ipc() {
    let folder = tempdir().unwrap();
    let mut table: DataFrame = df!("text" => ["a", "b", "c"], "n" => [Some(1_i64), None, Some(3)]).unwrap();
    fs::write(folder.path().join("a.parquet"), batch::parquet::encode(&table).unwrap()).unwrap();
    let mut file = Disk::create(folder.path().join("a.arrow")).unwrap();
    IpcWriter::new(&mut file).finish(&mut table).unwrap();
    let parquet = show(&named("a.parquet"), folder.path());
    assert_snapshot!(parquet);
    assert_eq!(show(&named("a.arrow"), folder.path()), parquet);
}

/// GSM8K's shape.
#[test]
fn columns_get_other_names_and_gold_is_taken_out() {
    let text =
        "{\"question\": \"2+3?\", \"answer\": \"Add them.\\n#### 5\"}\n{\"question\": \"?\", \"answer\": \"none\"}\n";
    let folder = folder(&[("a.jsonl", text)]);
    let column = |here: &str, there: &str| (here.to_owned(), Reference { name: there.to_owned(), span: 3..5 });
    let pattern = |text: &str| Some(Pattern { text: text.to_owned(), span: 0..0 });
    let columns = vec![column("text", "question"), column("gold", "answer")];
    let files = Files { columns, gold_pattern: pattern("#### (.+)"), ..named("a.jsonl") };
    assert_snapshot!(show(&files, folder.path()));
    assert_snapshot!(show(&Files { limit: Some(1), ..files.clone() }, folder.path()));
    assert_snapshot!(show(&Files { gold_pattern: pattern("("), ..files.clone() }, folder.path()));
    assert_snapshot!(show(&Files { columns: vec![column("text", "questoin")], ..files }, folder.path()));
}

#[test]
fn folders_as_hugging_face_has_them() {
    let split = |split: &str| Files { split: Some(split.to_owned()), ..named(".") };
    let row = |text: &str| format!("{{\"text\": \"{text}\"}}\n");
    let (one, two, three) = (row("one"), row("two"), row("three"));
    let plain = folder(&[
        ("data/train-00000-of-00002.jsonl", &one),
        ("data/train-00001-of-00002.jsonl", &two),
        ("data/test-00000-of-00001.jsonl", &three),
    ]);
    assert_snapshot!(show(&split("train"), plain.path()));
    assert_snapshot!(show(&named("."), plain.path()));
    assert_snapshot!(show(&split("dev"), plain.path()));
    let readme = "---\nlicense: mit\nconfigs:\n- config_name: main\n  data_files:\n  - split: train\n    path: \"m/*.jsonl\"\n  - split: test\n    path: [t.jsonl]\n- config_name: other\n  data_files: o.jsonl\n---\n# Text\n";
    let configured = folder(&[("README.md", readme), ("m/a.jsonl", &one), ("t.jsonl", &two), ("o.jsonl", &three)]);
    let config = |config: &str, split: Option<&str>| Files {
        config: Some(config.to_owned()),
        split: split.map(str::to_owned),
        ..named(".")
    };
    assert_snapshot!(show(&config("main", Some("test")), configured.path()));
    assert_snapshot!(show(&config("other", None), configured.path()));
    assert_snapshot!(show(&named("."), configured.path()));
}

#[test]
fn files_that_are_not_there_or_do_not_fit_together() {
    assert_snapshot!(check(&[], "*.parquet"));
    assert_snapshot!(check(&[], "a.parquet"));
    assert_snapshot!(check(&[("a.parquet", "PAR0")], "a.parquet"));
    assert_snapshot!(check(&[("a.txt", "text")], "a.txt"));
    assert_snapshot!(check(&[("a.jsonl", "{\"text\": \"a\"}\n"), ("b.jsonl", "{\"texts\": \"b\"}\n")], "*.jsonl"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// A stretch is what stands there, whatever was read before, in rows of any length over several files.
    #[test]
    fn any_stretch_is_part_of_the_whole(lengths in prop::collection::vec(0..40usize, 1..4000), first in 0..5000u64, count in 0..2000usize) {
        let line = |(i, length): (usize, &usize)| format!("{{\"text\": \"{i} {}\"}}\n", "é\\n".repeat(*length));
        let text: String = lengths.iter().enumerate().map(line).collect();
        let folder = folder(&[("a.jsonl", &text), ("b.jsonl", &text)]);
        let source = Source::open(&named("*.jsonl"), folder.path()).unwrap();
        let all = source.all().unwrap();
        prop_assert_eq!(all.height(), 2 * lengths.len());
        let stretch = source.stretch(first, count).unwrap().table;
        let from = (first as usize).min(all.height());
        prop_assert!(stretch.equals(&all.slice(from as i64, count.min(all.height() - from))));
    }
}
