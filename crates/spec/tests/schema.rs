//! The JSON schema says what the reader does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde_json::{Value, json};
use spec::{Catalogue, Sources, schema};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &str) -> BTreeMap<String, String> {
    let paths = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.map(|path| (path.file_stem().unwrap().display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// What the schema has against a file: the path of each value that is refused.
fn refused(text: &str) -> Vec<String> {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let file: Value = toml::from_str(text).unwrap();
    validator.iter_errors(&file).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// With `INSTA_UPDATE=always` it is written anew, as snapshots are.
#[test]
fn the_committed_schema_is_that_of_the_types() {
    let path = root().join("crates/spec/pipeline.schema.json");
    let generated = format!("{:#}\n", schema());
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "{} is not what `elenchus schema` prints", path.display());
}

#[test]
fn every_pipeline_is_valid_by_the_schema_too() {
    let pipelines = files("pipelines");
    assert!(!pipelines.is_empty());
    for (name, text) in pipelines {
        let text = if text.contains("\nextends = ") { whole(&name) } else { text };
        assert_eq!(refused(&text), Vec::<String>::new(), "{name}");
    }
}

/// What a file that goes over another comes to with it: alone it lacks what the other has.
fn whole(name: &str) -> String {
    let sources = Sources::open(&root().join(format!("pipelines/{name}.toml")), &[], &[]).unwrap();
    let names = vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()];
    let reading = spec::read_sources(&sources, &Catalogue { tasks: names.clone(), scripts: names });
    assert_eq!(reading.problems, []);
    reading.pipeline.to_toml()
}

#[test]
fn unknown_keys_wrong_types_and_numbers_out_of_range_are_refused_by_the_schema_too() {
    let invalid = files("tests/invalid");
    let report: Vec<String> = [
        "falling-schedule",
        "missing-from",
        "no-name",
        "one-of",
        "out-of-range",
        "probability",
        "unknown-key",
        "unknown-kind",
        "width",
        "wording",
        "wrong-type",
        "wrong-word",
    ]
    .iter()
    .map(|name| format!("{name}\n  {}", refused(&invalid[*name]).join("\n  ")))
    .collect();
    insta::assert_snapshot!(report.join("\n"));
}

/// Goes through the keys of the schema, each with its path and its own schema.
fn keys(visit: &mut dyn FnMut(&str, &Value)) {
    let schema = schema();
    walk(&schema, &schema, "", visit);
}

fn walk(root: &Value, schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/definitions/")) {
        walk(root, &root["definitions"][name], path, visit);
    }
    for alternative in ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
        walk(root, alternative, path, visit);
    }
    if schema["additionalProperties"].is_object() {
        walk(root, &schema["additionalProperties"], &format!("{path}.NAME"), visit);
    }
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        visit(path.trim_start_matches('.'), value);
        walk(root, value, &path, visit);
    }
}

#[test]
fn every_key_has_a_description() {
    keys(&mut |path, schema| {
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty(), "`{path}` has no description");
    });
}

/// A file with every kind, in which all that has a default is left out.
const SPARE: &str = include_str!("spare.toml");

#[test]
fn defaults_are_those_of_the_reader() {
    let names = vec!["web-of-lies".to_owned()];
    let reading = spec::read(SPARE, &Catalogue { tasks: names.clone(), scripts: names });
    assert_eq!(reading.problems, []);
    let full: Value = toml::from_str(&reading.pipeline.to_toml()).unwrap();
    let spare: Value = toml::from_str(SPARE).unwrap();
    let mut defaults = BTreeMap::new();
    keys(&mut |path, schema| drop(defaults.insert(path.to_owned(), schema["default"].clone())));
    let mut filled = Vec::new();
    added(&full, &spare, "", &mut filled);
    for (path, value) in &filled {
        let default = defaults.get(path).unwrap_or_else(|| panic!("the schema has no `{path}`"));
        let table = value.is_object() && *default == json!({});
        let told = ["feed_forward", "command.NAME.folder"].iter().any(|key| path.ends_with(key));
        assert!(default == value || table || told, "{path}: {default} is not {value}");
    }
    let given: Vec<&String> = filled.iter().map(|(path, _)| path).collect();
    let declared = defaults.iter().filter(|(_, default)| !default.is_null());
    declared.for_each(|(path, _)| assert!(given.contains(&path), "the reader gives `{path}` no default"));
}

/// What one file has over another, by path, with the names of things left out.
fn added(full: &Value, spare: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    for (key, value) in full.as_object().into_iter().flatten() {
        let named = matches!(path, "" | "checkpoint" | "snapshot") || path.contains('.');
        let path = if named { format!("{path}.{key}") } else { format!("{path}.NAME") };
        let path = path.trim_start_matches('.');
        match spare.get(key) {
            Some(given) => added(value, given, path, found),
            None => {
                found.push((path.to_owned(), value.clone()));
                added(value, &json!({}), path, found);
            }
        }
    }
}
