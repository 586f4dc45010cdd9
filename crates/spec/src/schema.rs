//! The JSON schema of the pipeline file, by which an editor completes keys, shows what they mean, and marks what is
//! wrong. It is made from the settings types: their names, their documentation, and the bounds at each field. Beside
//! what JSON Schema knows, each key says under `x-changes` what another value of it changes first of all: `tables`,
//! `weights`, `metrics`, which `checkpoints` or `snapshots` are kept, or nothing but `speed`.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use crate::settings::{Amplify, Human, Model, Pipeline, Stage};

/// The JSON schema of the pipeline file.
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.transforms.insert(0, Box::new(RecursiveTransform(settle)));
    let mut generator = settings.into_generator();
    let mut kinds = Map::new();
    kinds.insert("model".to_owned(), kind::<Model>(&mut generator));
    kinds.insert("human".to_owned(), kind::<Human>(&mut generator));
    kinds.insert("amplify".to_owned(), kind::<Amplify>(&mut generator));
    kinds.extend(stages(&mut generator));
    let mut schema = generator.into_root_schema_for::<Pipeline>();
    properties(&mut schema).extend(kinds);
    schema.insert("title".to_owned(), json!("Elenchus pipeline"));
    schema.to_value()
}

/// The kinds of stages, each with what it is for.
pub fn stage_kinds() -> Vec<(String, String)> {
    let stages = stages(&mut SchemaSettings::draft07().into_generator());
    let text = |value: &Value| value["description"].as_str().unwrap_or_default().to_owned();
    stages.iter().map(|(kind, schema)| (kind.clone(), text(schema))).collect()
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
