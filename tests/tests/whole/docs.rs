//! The pages of verbs and kinds are what the command line and the settings say of themselves. With `INSTA_UPDATE=always`
//! they are written anew, as snapshots are.

use elenchus::{verbs::cli::Command, wiring::load::load};
use serde_json::{Value, json};
use spec::Sources;
use std::{collections::BTreeMap, env, fmt::Write, fs, path::PathBuf};

/// Where the examples of the pages come from; of each kind, the first.
const EXAMPLES: [&str; 5] = [
    "pipelines/web-of-lies.toml",
    "pipelines/answer-questions.toml",
    "pipelines/penalty.toml",
    "pipelines/annealing.toml",
    "tests/tests/whole/docs.toml",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares the pages of a folder with what they should be.
fn check(folder: &str, pages: &BTreeMap<String, String>) {
    let folder = root().join("crates/elenchus/docs").join(folder);
    if env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::create_dir_all(&folder).unwrap();
        pages.iter().for_each(|(name, text)| fs::write(folder.join(format!("{name}.md")), text).unwrap());
    }
    let list = fs::read_to_string(root().join("crates/elenchus/src/docs.rs")).unwrap();
    for (name, text) in pages {
        let path = folder.join(format!("{name}.md"));
        let written = fs::read_to_string(&path).unwrap_or_default();
        let remedy = "with INSTA_UPDATE=always this test writes it anew";
        assert!(written == *text, "{} is not what the program says: {remedy}", path.display());
        assert!(list.contains(&format!("{name}.md\"")), "crates/elenchus/src/docs.rs lacks the page of `{name}`");
    }
    let found = fs::read_dir(&folder).unwrap().count();
    assert_eq!(found, pages.len(), "{} has pages of what is not there any more", folder.display());
}

#[test]
fn verbs() {
    let mut command = elenchus::verbs::cli::command();
    command.build();
    let verbs = command.get_subcommands_mut().filter(|verb| verb.get_name() != "help");
    check("verbs", &verbs.map(verb_page).collect());
}

fn verb_page(verb: &mut Command) -> (String, String) {
    let help = verb.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let text = format!("`elenchus {}`\n\n```text\n{}\n```\n", verb.get_name(), help.join("\n").trim_end());
    (verb.get_name().to_owned(), text)
}

#[test]
fn kinds() {
    let schema = spec::schema();
    let examples = EXAMPLES.map(example);
    let named = |value: &Value| value["additionalProperties"].is_object();
    let kinds = schema["properties"].as_object().unwrap().iter().filter(|(_, value)| named(value));
    let mut pages: BTreeMap<_, _> =
        kinds.map(|(kind, value)| (kind.clone(), kind_page(&schema, kind, value, &examples))).collect();
    let mut whole = schema.clone();
    whole["properties"].as_object_mut().unwrap().retain(|_, value| !named(value));
    pages.insert("pipeline".to_owned(), format!("{}\n\n{}", words(&schema), table_of_keys(&whole, &whole)));
    check("kinds", &pages);
}

/// The text of a pipeline file, and its plan.
fn example(file: &str) -> (String, Value) {
    let path = root().join(file);
    let sources = Sources::open(&path, &[], &[]).unwrap();
    let plan = load(&sources, |_| {}).unwrap_or_else(|failure| panic!("{}", failure.text())).plan;
    (fs::read_to_string(&path).unwrap(), plan.to_json())
}

fn kind_page(schema: &Value, kind: &str, value: &Value, examples: &[(String, Value)]) -> String {
    let begin = format!("[{kind}.");
    let paragraph = |text: &str| text.split("\n\n").find(|part| part.starts_with(&begin)).map(str::to_owned);
    let found = examples.iter().find_map(|(text, plan)| Some((paragraph(text)?, plan)));
    let (example, plan) = found.unwrap_or_else(|| panic!("none of {EXAMPLES:?} has a `{kind}`"));
    let keys = table_of_keys(schema, &value["additionalProperties"]);
    let mut text = format!("{}\n\n```toml\n{}\n```\n\n{keys}", words(value), example.trim_end());
    let (name, _) = example[begin.len()..].split_once(']').unwrap();
    let stages = plan["stages"].as_array().unwrap();
    for table in
        stages.iter().filter(|stage| stage["name"] == name).flat_map(|stage| stage["makes"].as_array().unwrap())
    {
        text += &columns(table);
    }
    text
}

/// A table that the stage of an example makes.
fn columns(table: &Value) -> String {
    let name = table["table"].as_str().unwrap();
    let mut text = format!("\n# Table `{name}` of this example\n\n| column | type | meaning |\n| --- | --- | --- |\n");
    for column in table["columns"].as_array().unwrap() {
        let null = if column["nullable"] == true { "?" } else { "" };
        let [name, kind, doc] = ["name", "type", "doc"].map(|key| column[key].as_str().unwrap());
        let gold = if column["gold"] == true { " (gold: for evaluation only)" } else { "" };
        let _ = writeln!(text, "| `{name}` | `{kind}{null}` | {doc}{gold} |");
    }
    text
}

fn table_of_keys(root: &Value, schema: &Value) -> String {
    let mut rows = Vec::new();
    keys(root, schema, "", false, &mut |path, value, given| {
        let changes = value["x-changes"].as_str().unwrap_or_default();
        let meaning = format!("{}{}", words(value), choices(root, value)).replace('|', "\\|");
        rows.push(format!("| `{path}` | {given} | {changes} | {meaning} |\n"));
    });
    format!("| key | default | changes | meaning |\n| --- | --- | --- | --- |\n{}", rows.concat())
}

/// What is said of a schema, on one line.
fn words(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The schema itself where another is only referred to.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let pointer = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
    pointer.map_or(schema, |pointer| root.pointer(pointer).unwrap())
}

/// The ways in which a schema is one of several.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()).flatten()
}

/// Whether a number may change over a run.
fn is_schedule(schema: &Value) -> bool {
    alternatives(schema).any(|way| way["properties"]["cosine"].is_object())
}

/// Whether a way to write a number that may change is a shape of it, and not something else in its place.
fn is_shape(way: &Value) -> bool {
    ["cosine", "exponential", "after"].iter().any(|key| way["properties"][*key].is_object())
}

/// The words that a key takes, each with its meaning.
fn choices(root: &Value, schema: &Value) -> String {
    if is_schedule(schema) {
        return " Takes a schedule.".to_owned();
    }
    let schema = resolved(root, schema);
    let said = |way: &Value| if way["const"].is_string() { format!(" {}", words(way)) } else { choices(root, way) };
    let each = schema
        .get("items")
        .map(|item| if is_schedule(item) { " Each takes a schedule.".to_owned() } else { said(item) });
    alternatives(schema).map(said).chain(each).collect()
}

/// Goes through the keys of a schema, and those of the tables within: each with its path, and what it is if not given.
/// A way to give a setting by a key of its own is one of several.
fn keys(root: &Value, schema: &Value, path: &str, way: bool, visit: &mut dyn FnMut(&str, &Value, &str)) {
    let schema = resolved(root, schema);
    let one = way && schema["properties"].as_object().is_some_and(|keys| keys.len() == 1);
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        let given = if one { "one of these".to_owned() } else { default(schema, key, value) };
        visit(path.trim_start_matches('.'), value, &given);
        match is_schedule(value) {
            false => keys(root, value, &path, false, visit),
            true => {
                alternatives(value).filter(|way| !is_shape(way)).for_each(|way| keys(root, way, &path, true, visit))
            }
        }
    }
    alternatives(schema).for_each(|way| keys(root, way, path, true, visit));
}

/// What a key of a table is if it is not given.
fn default(schema: &Value, key: &str, value: &Value) -> String {
    let requires = |schema: &Value| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|it| it == key));
    match (value.get("default").filter(|default| **default != json!({})), value["x-default"].as_str()) {
        (Some(default), _) => format!("`{default}`"),
        (None, Some(default)) => default.to_owned(),
        _ if requires(schema) => "required".to_owned(),
        _ if alternatives(schema).any(requires) => "one of these".to_owned(),
        _ => "optional".to_owned(),
    }
}
