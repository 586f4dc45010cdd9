//! The tables of all stages. Most stages make what their kind makes; those that work on plain tables make what their
//! files, queries and inputs come to, and so are asked for in the order in which tables depend on each other.
//!
//! Gold answers keep their mark on the way: a column that may depend on one counts as one.

use std::{collections::BTreeMap, sync::Arc};

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use spec::{
    Pipeline, Problem,
    problem::list,
    settings::{
        Architecture, Command, File, Files, Filter, Join, Kind, Model, Named, OnError, Read, Reference, Sql, Stage,
        With,
    },
};

use crate::{Output, consulting, join, tables};

/// What a plan has to ask of others, who can read files, queries and checkpoints.
pub trait Shapes {
    /// The columns of the rows of some files, under the names they have in the pipeline.
    fn files(&self, files: &Files) -> Result<SchemaRef, Vec<Problem>>;

    /// The columns that a query makes of tables, or what is wrong with it.
    fn query(&self, query: &str, tables: &[(String, SchemaRef)]) -> Result<SchemaRef, String>;

    /// The query without those columns of its result that mention one of these names, with the same rows; none where
    /// that cannot be said, or no column is left.
    fn without(&self, query: &str, names: &[&str]) -> Option<String>;

    /// The model in a folder; none where that is not to be opened.
    fn checkpoint(&self, folder: &File) -> Result<Option<Pretrained>, Problem>;
}

/// What a plan has to know of a model that was trained before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pretrained {
    /// Its sizes.
    pub architecture: Architecture,
    /// A hash of its files: of all that it answers by.
    pub digest: String,
}

/// The models that start with weights of a folder, by name.
pub(crate) type Checkpoints = BTreeMap<String, Pretrained>;

/// Looks into the folders of all models that were trained before.
pub(crate) fn checkpoints(pipeline: &Pipeline, shapes: &dyn Shapes, problems: &mut Vec<Problem>) -> Checkpoints {
    let mut found = Checkpoints::new();
    for model in &pipeline.models {
        let Model::Checkpoint(folder) = &model.settings else { continue };
        match shapes.checkpoint(folder) {
            Ok(pretrained) => found.extend(pretrained.map(|pretrained| (model.name.clone(), pretrained))),
            Err(problem) => problems.push(problem),
        }
    }
    found
}

/// The tables of each stage, by its place in the file; none where they depend on something that is wrong.
pub(crate) type Tables = Vec<Option<Vec<Output>>>;

/// What is known of a stage's tables.
enum Known {
    Yes(Vec<Output>),
    /// Not before those of the stages it takes tables from.
    NotYet,
    /// Never: something is wrong, and told here or where it is found.
    No(Vec<Problem>),
}

/// The tables of all stages. What is wrong with a query or a file is told here; what is wrong with a name, by wiring.
pub(crate) fn tables(pipeline: &Pipeline, shapes: &dyn Shapes, problems: &mut Vec<Problem>) -> Tables {
    let mut tables: Tables = vec![None; pipeline.stages.len()];
    let mut open: Vec<usize> = (0..tables.len()).collect();
    loop {
        let before = open.len();
        open.retain(|&place| match (Shaper { pipeline, shapes, tables: &tables }).outputs(&pipeline.stages[place]) {
            Known::Yes(outputs) => {
                tables[place] = Some(outputs);
                false
            }
            Known::No(more) => {
                problems.extend(more);
                false
            }
            Known::NotYet => true,
        });
        if open.len() == before {
            return tables;
        }
    }
}

/// The tables that a stage takes rows from.
pub(crate) fn inputs(stage: &Stage) -> Vec<&Reference> {
    match stage {
        Stage::Filter(filter) => vec![&filter.from],
        Stage::Sql(sql) => sql.from.iter().collect(),
        Stage::Join(join) => match &join.with {
            With::Table(right) => vec![&join.from, right],
            With::Files(_) => vec![&join.from],
        },
        Stage::Command(command) => vec![&command.from],
        Stage::Write(write) => vec![&write.from],
        _ => Vec::new(),
    }
}

/// What a table is called in a query.
pub fn query_name(table: &str) -> String {
    table.replace('.', "_")
}

/// A table that a stage takes, and the stage that makes it.
pub(crate) struct Input<'a> {
    pub(crate) table: &'a Output,
    pub(crate) maker: &'a str,
}

struct Shaper<'a> {
    pipeline: &'a Pipeline,
    shapes: &'a dyn Shapes,
    tables: &'a Tables,
}

impl<'a> Shaper<'a> {
    fn outputs(&self, stage: &Named<Stage>) -> Known {
        let mentions = inputs(&stage.settings);
        let mut found = Vec::new();
        for mention in mentions {
            match self.input(mention) {
                Ok(Some(input)) => found.push(input),
                Ok(None) => return Known::NotYet,
                Err(()) => return Known::No(Vec::new()),
            }
        }
        let schema = match (&stage.settings, &found[..]) {
            (Stage::Read(read), _) => self.read(&stage.name, read),
            (Stage::Filter(filter), [from]) => self.filter(&stage.name, filter, from),
            (Stage::Sql(sql), from) => self.sql(&stage.name, sql, from),
            (Stage::Join(join), from) => self.join(&stage.name, join, from),
            (Stage::Command(command), [from]) => Ok(command_columns(command, from)),
            (settings, _) => {
                let outputs = tables::outputs(&stage.name, settings);
                return Known::Yes(consulting::completed(self.pipeline, stage, outputs));
            }
        };
        match schema {
            Ok(schema) => Known::Yes(tables::rows(&stage.name, &stage.settings, Arc::new(schema))),
            Err(problems) => Known::No(problems),
        }
    }

    /// The table of a mention; none where it is not known yet.
    fn input(&self, mention: &Reference) -> Result<Option<Input<'a>>, ()> {
        let name = mention.name.split('.').next().unwrap_or_default();
        let place = self.pipeline.stages.iter().position(|stage| stage.name == name).ok_or(())?;
        let Some(outputs) = &self.tables[place] else { return Ok(None) };
        let table = outputs.iter().find(|output| output.table == mention.name).ok_or(())?;
        Ok(Some(Input { table, maker: &self.pipeline.stages[place].name }))
    }

    fn read(&self, name: &str, read: &Read) -> Result<Schema, Vec<Problem>> {
        let mut fields = self.files(&read.files)?;
        if let Some(number) = &read.number {
            if fields.iter().any(|field| field.name() == number) {
                let place = self.pipeline.places.of(&format!("read.{name}.number"));
                let message = format!("the rows have a column `{number}` already, which is to number them");
                return Err(vec![Problem::new(place, message).help("give it another name")]);
            }
            fields.insert(0, tables::column(number, DataType::UInt64, "how many rows the run read before"));
        }
        Ok(Schema::new(fields))
    }

    /// The columns of files; one called `gold` holds gold answers.
    fn files(&self, files: &Files) -> Result<Vec<Field>, Vec<Problem>> {
        let schema = self.shapes.files(files)?;
        let marked = |field: &Arc<Field>| match field.name().as_str() {
            "gold" => gold(field),
            _ => described(field, "as in the files"),
        };
        Ok(schema.fields().iter().map(marked).collect())
    }

    /// The columns stay what they are. Which rows there are is known from gold answers where the condition needs them.
    fn filter(&self, name: &str, filter: &Filter, from: &Input<'_>) -> Result<Schema, Vec<Problem>> {
        let (table, schema) = (query_name(&from.table.table), from.table.schema.clone());
        let query = format!("SELECT * FROM \"{table}\" WHERE {}", filter.condition);
        let path = format!("filter.{name}.condition");
        let inputs = [(table, schema.clone())];
        self.shapes.query(&query, &inputs).map_err(|error| vec![self.problem(&path, &error, &[from])])?;
        let blind = !wholesale(&filter.condition) && self.shapes.query(&query, &without_gold(&inputs)).is_ok();
        let fields = schema.fields().iter();
        Ok(Schema::new(fields.map(|field| if blind { Field::clone(field) } else { gold(field) }).collect::<Vec<_>>()))
    }

    fn sql(&self, name: &str, sql: &Sql, from: &[Input<'_>]) -> Result<Schema, Vec<Problem>> {
        let path = format!("sql.{name}.query");
        let inputs: Vec<(String, SchemaRef)> =
            from.iter().map(|input| (query_name(&input.table.table), input.table.schema.clone())).collect();
        let from: Vec<&Input<'_>> = from.iter().collect();
        let made = self.shapes.query(&sql.query, &inputs);
        let made = made.map_err(|error| vec![self.problem(&path, &error, &from)])?;
        let blind = self.without_gold(&sql.query, &inputs);
        let marked = |field: &Arc<Field>| match &blind {
            Some(columns) if columns.field_with_name(field.name()).is_ok() => described(field, "made by the query"),
            _ => gold(field),
        };
        Ok(Schema::new(made.fields().iter().map(marked).collect::<Vec<_>>()))
    }

    /// What a query makes that cannot depend on gold answers: all of it, where it names what it takes and can do
    /// without them.
    fn without_gold(&self, query: &str, inputs: &[(String, SchemaRef)]) -> Option<SchemaRef> {
        let blind = without_gold(inputs);
        if blind == inputs {
            return self.shapes.query(query, inputs).ok();
        }
        let shadowed =
            |field: &Arc<Field>| blind.iter().any(|(_, schema)| schema.field_with_name(field.name()).is_ok());
        let gold = || inputs.iter().flat_map(|(_, schema)| schema.fields()).filter(|field| tables::is_gold(field));
        if wholesale(query) || gold().any(shadowed) {
            return None;
        }
        let names: Vec<&str> = gold().map(|field| field.name().as_str()).collect();
        self.shapes.query(&self.shapes.without(query, &names)?, &blind).ok()
    }

    fn join(&self, name: &str, settings: &Join, from: &[Input<'_>]) -> Result<Schema, Vec<Problem>> {
        let Some(left) = from.first() else { return Err(Vec::new()) };
        let right = match (&settings.with, from.get(1)) {
            (With::Files(files), _) => join::Side { name: "the files", fields: self.files(files)? },
            (With::Table(_), Some(right)) => join::Side::of(right.table),
            (With::Table(_), None) => return Err(Vec::new()),
        };
        let places = &self.pipeline.places;
        let problem = |message: String| vec![Problem::new(places.of(&format!("join.{name}.on")), message)];
        let joined = join::columns(&join::Side::of(left.table), &right, settings);
        joined
            .map(Schema::new)
            .map_err(|(message, help)| problem(message).into_iter().map(|problem| problem.help(help.clone())).collect())
    }

    /// What is wrong with an expression or query, with the columns that are there and where they come from.
    fn problem(&self, path: &str, error: &str, from: &[&Input<'_>]) -> Problem {
        let columns = |input: &&Input<'_>| {
            let names = input.table.schema.fields().iter().map(|field| field.name().as_str());
            format!("`{}` of stage `{}` has {}", query_name(&input.table.table), input.maker, list(names))
        };
        let help: Vec<String> = from.iter().map(columns).collect();
        Problem::new(self.pipeline.places.of(path), format!("this is no query of its tables: {error}"))
            .help(help.join("; "))
    }
}

/// A program has seen all it was given.
fn command_columns(command: &Command, from: &Input<'_>) -> Schema {
    let seen = from.table.schema.fields().iter().any(|field| tables::is_gold(field));
    let field = |column: &spec::settings::Column| {
        let nullable = column.nullable || command.on_error == OnError::Null;
        let field =
            tables::column(&column.name, data_type(&column.kind), "given by the program").with_nullable(nullable);
        if seen { gold(&field) } else { field }
    };
    Schema::new(command.columns.iter().map(field).collect::<Vec<_>>())
}

/// A type as Arrow has it.
fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::I32 => DataType::Int32,
        Kind::I64 => DataType::Int64,
        Kind::U32 => DataType::UInt32,
        Kind::U64 => DataType::UInt64,
        Kind::F32 => DataType::Float32,
        Kind::F64 => DataType::Float64,
        Kind::Str => DataType::Utf8,
        Kind::List(items) => DataType::new_list(data_type(items), true),
    }
}

/// The tables without their gold answers.
fn without_gold(inputs: &[(String, SchemaRef)]) -> Vec<(String, SchemaRef)> {
    let blind = |(name, schema): &(String, SchemaRef)| {
        let fields: Vec<_> = schema.fields().iter().filter(|field| !tables::is_gold(field)).cloned().collect();
        (name.clone(), Arc::new(Schema::new(fields)))
    };
    inputs.iter().map(blind).collect()
}

/// Whether a query may take columns that it does not name: then it is not known what its result depends on.
fn wholesale(query: &str) -> bool {
    let query = query.to_lowercase();
    let spaced: String = query.split_whitespace().collect();
    let words = ["columns", "except", "intersect", "natural", "table", "union"];
    let word = |word: &str| words.contains(&word);
    spaced.replace("count(*)", "").contains('*')
        || query.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(word)
}

/// The column, marked as one that holds gold answers.
pub(crate) fn gold(field: &Field) -> Field {
    let doc = "the right answer, or made from it";
    let doc = field.metadata().get("gold").cloned().unwrap_or_else(|| doc.to_owned());
    field.clone().with_metadata([("gold", doc)])
}

/// The column, explained, unless it is already.
fn described(field: &Field, doc: &str) -> Field {
    match field.metadata().get("doc") {
        Some(_) => field.clone(),
        None => field.clone().with_metadata([("doc", doc)]),
    }
}
