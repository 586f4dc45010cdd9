//! A query gives the same rows in the same order in every process, whatever order it leaves open.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use batch::stages::Sql;
use batch::{Stage, States, Unit};
use insta::assert_snapshot;
use polars::prelude::{DataFrame, df};
use tempfile::tempdir;

/// Queries with ties, and without an order of their own.
const QUERIES: [&str; 12] = [
    "SELECT k, COUNT(*) AS n FROM q GROUP BY k ORDER BY n",
    "SELECT k, COUNT(*) AS n FROM q GROUP BY k ORDER BY n DESC LIMIT 9",
    "SELECT k, SUM(x) AS x, FIRST(id) AS id FROM q GROUP BY k",
    "SELECT DISTINCT k FROM q",
    "SELECT DISTINCT ON (k) k, m FROM q ORDER BY m",
    "SELECT k FROM q UNION SELECT m FROM q",
    "SELECT k FROM q EXCEPT SELECT m FROM q",
    "SELECT k FROM q INTERSECT SELECT m FROM q",
    "SELECT a.id, b.x FROM q AS a JOIN r AS b ON a.m = b.m ORDER BY a.k",
    "SELECT a.id, b.x FROM q AS a FULL JOIN r AS b ON a.k = b.m",
    "SELECT id FROM (SELECT k, MIN(id) AS id FROM q GROUP BY k) AS g LIMIT 5",
    "WITH g AS (SELECT k, COUNT(*) AS n FROM q GROUP BY k) SELECT id FROM q WHERE k IN (SELECT k FROM g LIMIT 7) LIMIT 9",
];

fn made(query: &str, tables: &[(&str, DataFrame)]) -> DataFrame {
    let inputs: BTreeMap<&str, &DataFrame> = tables.iter().map(|(name, table)| (*name, table)).collect();
    let from = tables.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut states = States::new();
    let mut unit = Unit::new(0, inputs, &mut states, &[], &[]);
    let mut bundle = Sql { name: "s".into(), from, query: query.to_owned() }.run(&mut unit).expect(query);
    bundle.remove("s").expect("it is what the stage makes")
}

fn answers() -> String {
    let number = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let of = |most: u64| (0..3000).map(|i| number(i + most) % most).collect::<Vec<u64>>();
    let x = |rows: u64| (0..rows).map(|i| 1.0 / (1 + number(i)) as f64).collect::<Vec<f64>>();
    let q = df!("id" => (0..3000_u64).collect::<Vec<_>>(), "k" => of(301), "m" => of(17), "x" => x(3000));
    let r = df!("m" => (0..40).map(|i| number(i) % 600).collect::<Vec<u64>>(), "x" => x(40));
    let tables = [("q", q.expect("a table")), ("r", r.expect("a table"))];
    let lines = |query: &&str| {
        let made = made(query, &tables);
        let row = |i: usize| format!("{:?}\n", made.get_row(i).expect("it is there").0);
        format!("{query}\n{}", (0..made.height()).map(row).collect::<String>())
    };
    QUERIES.iter().map(lines).collect()
}

const FILE: &str = "ELENCHUS_TEST_ANSWERS";

/// Not a test of its own: a process with a hash of its own.
#[test]
#[ignore = "run by `every_process_finds_the_same_order` in processes of their own"]
fn asks() {
    if let Some(path) = std::env::var_os(FILE) {
        fs::write(path, answers()).expect("the folder is there");
    }
}

#[test]
fn every_process_finds_the_same_order() {
    let folder = tempdir().unwrap();
    let told: Vec<String> = (0..6)
        .map(|process| {
            let path = folder.path().join(process.to_string());
            let mut child = Command::new(std::env::current_exe().unwrap());
            let child = child.args(["--exact", "queries::asks", "--ignored"]).env(FILE, &path).stdout(Stdio::null());
            assert!(child.status().unwrap().success());
            fs::read_to_string(path).unwrap()
        })
        .collect();
    let queries = |text: &str| text.split("SELECT ").map(str::to_owned).collect::<Vec<_>>();
    told[1..].iter().for_each(|other| assert_eq!(queries(other), queries(&told[0])));
}

#[test]
fn rows_keep_the_order_of_those_they_are_made_of() {
    let q = df!("k" => ["b", "a", "c", "a", "b", "d"], "id" => [0_u64, 1, 2, 3, 4, 5]).unwrap();
    let shown = |query: &str| made(query, &[("q", q.clone())]).to_string();
    assert_snapshot!(shown("SELECT k, COUNT(*) AS n FROM q GROUP BY k ORDER BY n DESC"));
}
