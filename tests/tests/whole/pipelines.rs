//! The files in `pipelines/` show every key of the procedure.

use serde_json::Value as Schema;
use std::{collections::BTreeSet, fs, path::Path};
use toml::{Table, Value};

/// The kinds of the procedure; those that work on plain tables have pages of their own.
const KINDS: [&str; 10] =
    ["human", "amplify", "milestone", "debate", "judge", "penalty", "loss", "train", "sync", "evaluate"];

/// Where questions come from is shown by `sample`, and by pages on files. An encoder is a folder of many megabytes, and
/// one made small enough to lie here would know nothing of what texts mean: the page on distances shows how to name one.
const ELSEWHERE: [&str; 2] = ["questions", "embedding"];

/// The keys of a part of the schema, each as its path; the shapes of a schedule end a path.
fn declared(root: &Schema, part: &Schema, path: &str, keys: &mut BTreeSet<String>) {
    if let Some(name) = part["$ref"].as_str() {
        return declared(root, &root["definitions"][name.rsplit('/').next().unwrap()], path, keys);
    }
    for (name, value) in part["properties"].as_object().into_iter().flatten() {
        if ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{path}.{name}");
        match is_schedule(value) {
            false => declared(root, value, &path, keys),
            true => {
                let others = value["anyOf"].as_array().into_iter().flatten().filter(|way| !is_shape(way));
                others.for_each(|way| declared(root, way, &path, keys));
            }
        }
        keys.insert(path);
    }
    let ways = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|way| part[way].as_array());
    ways.flatten().for_each(|way| declared(root, way, path, keys));
}

/// Whether a number may change over a run.
fn is_schedule(schema: &Schema) -> bool {
    schema["anyOf"].as_array().into_iter().flatten().any(|way| way["properties"]["cosine"].is_object())
}

/// Whether a way to write a number that may change is a shape of it, and not something else in its place.
fn is_shape(way: &Schema) -> bool {
    ["cosine", "exponential", "after"].iter().any(|key| way["properties"][*key].is_object())
}

/// The keys that a table of a file sets.
fn shown(table: &Table, path: &str, keys: &mut BTreeSet<String>) {
    for (name, value) in table {
        let path = format!("{path}.{name}");
        if let Value::Table(table) = value {
            shown(table, &path, keys);
        }
        keys.insert(path);
    }
}

#[test]
fn each_key_of_the_procedure_is_in_some_file() {
    let schema = spec::schema();
    let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
    for kind in KINDS {
        declared(&schema, &schema["properties"][kind]["additionalProperties"], kind, &mut expected);
    }
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let table: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
            for (kind, things) in table.iter().filter_map(|(kind, things)| Some((kind, things.as_table()?))) {
                things.values().filter_map(Value::as_table).for_each(|thing| shown(thing, kind, &mut found));
            }
        }
    }
    assert!(expected.len() > 80, "the schema is not walked: {expected:?}");
    let missing: Vec<&String> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "no file in `pipelines/` sets {missing:?}");
}
