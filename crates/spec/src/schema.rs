//! The JSON schema of the pipeline file, by which an editor completes keys, shows what they mean, and marks what is
//! wrong. It is made from the settings types: their names, their documentation, and the bounds at each field. Beside
//! what JSON Schema knows, each key says under `x-changes` what another value of it changes first of all: `tables`,
//! `weights`, `metrics`, `datasets`, which `checkpoints` or `snapshots` are kept, what `warnings` there are, or nothing but
//! `speed`.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use crate::settings::{Amplify, Distance, Human, Milestone, Model, Pipeline, Stage, Tool};

/// The JSON schema of the pipeline file.
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.transforms.insert(0, Box::new(RecursiveTransform(settle)));
    let mut generator = settings.into_generator();
    let mut more = Map::new();
    let extends = "Another pipeline file, over whose settings those of this one go, key by key. A relative path starts \
                   at this file's folder.";
    more.insert("extends".to_owned(), json!({ "type": "string", "minLength": 1, "description": extends }));
    more.insert("model".to_owned(), kind::<Model>(&mut generator));
    more.insert("human".to_owned(), kind::<Human>(&mut generator));
    more.insert("amplify".to_owned(), kind::<Amplify>(&mut generator));
    more.insert("milestone".to_owned(), kind::<Milestone>(&mut generator));
    more.extend(stages(&mut generator));
    let mut schema = generator.into_root_schema_for::<Pipeline>();
    properties(&mut schema).extend(more);
    schema.insert("title".to_owned(), json!("Elenchus pipeline"));
    schema.to_value()
}

/// The kinds of stages, each with what it is for.
pub fn stage_kinds() -> Vec<(String, String)> {
    let stages = stages(&mut SchemaSettings::draft07().into_generator());
    stages.into_iter().map(|(kind, schema)| (kind, meaning(&schema))).collect()
}

/// The distances between two answers, each with what it is.
pub fn distances() -> Vec<(String, String)> {
    words::<Distance>()
}

/// The transparency tools, each with what it tells.
pub fn tools() -> Vec<(String, String)> {
    words::<Tool>()
}

/// What a setting that is one of a few words can be, or a table with one of a few keys, each with its meaning.
fn words<T: JsonSchema>() -> Vec<(String, String)> {
    let schema = T::json_schema(&mut SchemaSettings::draft07().into_generator()).to_value();
    let key = |variant: &Value| variant["properties"].as_object()?.keys().next().cloned();
    let name = |variant: &Value| variant["const"].as_str().map(str::to_owned).or_else(|| key(variant));
    let word = |variant: &Value| Some((name(variant)?, meaning(variant)));
    schema["oneOf"].as_array().into_iter().flatten().filter_map(word).collect()
}

/// What is said of the key at a path.
pub(crate) fn meaning_of(path: &str) -> Option<String> {
    let whole = schema();
    let mut keys = vec![&whole];
    for name in path.split('.') {
        keys = keys.into_iter().flat_map(|schema| inner(&whole, schema, name)).collect();
    }
    keys.into_iter().find(|schema| schema.get("description").is_some()).map(meaning)
}

/// What a schema says of the values of a key: one of its own, of its items, or any name.
fn inner<'s>(whole: &'s Value, schema: &'s Value, key: &str) -> Vec<&'s Value> {
    let mut found: Vec<&Value> = schema["properties"].get(key).into_iter().collect();
    found.extend(schema.get("additionalProperties").filter(|any| any.is_object()));
    found.extend(schema.get("items").into_iter().flat_map(|item| inner(whole, item, key)));
    for part in ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
        found.extend(inner(whole, part, key));
    }
    if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        found.extend(whole.pointer(pointer).into_iter().flat_map(|schema| inner(whole, schema, key)));
    }
    found
}

/// What is said of a thing, after how it is written.
fn meaning(schema: &Value) -> String {
    let description = schema["description"].as_str().unwrap_or_default();
    let meaning = description.split_once("`: ").map_or(description, |(_, meaning)| meaning);
    meaning.trim_end_matches('.').to_owned()
}

/// The table of a kind: things by their names.
fn kind<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let described = T::json_schema(generator);
    named(described.get("description"), &generator.subschema_for::<T>().to_value())
}

fn named(description: Option<&Value>, settings: &Value) -> Value {
    let names = json!({ "pattern": "^[A-Za-z0-9_-]+$" });
    json!({ "description": description, "type": "object", "propertyNames": names, "additionalProperties": settings })
}

/// The tables of the stage kinds, one of each variant of [`Stage`].
fn stages(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let schema = Stage::json_schema(generator).to_value();
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
    let of = |variant: &Value| {
        let (kind, settings) = variant["properties"].as_object()?.iter().next()?;
        Some((kind.clone(), named(variant.get("description"), settings)))
    };
    variants.iter().filter_map(of).collect()
}

/// Makes a derived schema say what the reader does. The ways to give one setting, each by a key of its own, become keys
/// of the table, one of which is required; a key with a default is not; and there are no other keys.
fn settle(schema: &mut Schema) {
    let ways = ways(schema);
    if schema.get("properties").is_none() && ways.is_empty() {
        return;
    }
    if !ways.is_empty() {
        let one = |key: &String| json!({ "required": [key] });
        let alternatives: Vec<Value> = ways.keys().map(one).collect();
        schema.insert("oneOf".to_owned(), json!(alternatives));
        properties(schema).extend(ways);
    }
    let defaulted = |value: &Value| value.get("default").is_some() || value.get("x-default").is_some();
    let keys = properties(schema).clone();
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|key| key.as_str().is_none_or(|key| !defaulted(&keys[key])));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
}

/// The keys of which one is given, if all alternatives of a schema are tables of one key. What was said of such a table
/// is said of its key.
fn ways(schema: &mut Schema) -> Map<String, Value> {
    let Some(Value::Array(variants)) = schema.get_mut("oneOf") else { return Map::new() };
    variants.iter_mut().for_each(describe_key);
    let key = |variant: &Value| variant["properties"].as_object()?.clone().into_iter().next();
    variants.iter().map(key).collect::<Option<_>>().unwrap_or_default()
}

fn describe_key(variant: &mut Value) {
    let Some(variant) = variant.as_object_mut().filter(|variant| variant.contains_key("properties")) else { return };
    let own = ["type", "properties", "required", "additionalProperties"];
    let said: Vec<(String, Value)> =
        variant.iter().filter(|(word, _)| !own.contains(&word.as_str())).map(|(w, v)| (w.clone(), v.clone())).collect();
    variant.retain(|word, _| own.contains(&word.as_str()));
    for settings in variant["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        settings.as_object_mut().into_iter().for_each(|settings| settings.extend(said.clone()));
    }
}

fn properties(schema: &mut Schema) -> &mut Map<String, Value> {
    let entry = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
    entry.as_object_mut().expect("properties are an object")
}
