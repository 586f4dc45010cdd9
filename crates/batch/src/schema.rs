//! The plan promises a schema for each table; here the promise is kept. A table that drifts from it fails at the edge
//! that lied, not three stages later.

use std::sync::Arc;

use arrow_schema::{DataType as Arrow, Field, Schema, TimeUnit as ArrowUnit};
use polars::prelude::{
    Column, DataFrame, DataType, Field as PolarsField, PlSmallStr, Schema as PolarsSchema, Series, TimeUnit,
};

/// How a table differs from what the plan promises.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Drift {
    /// Other columns, or in another order.
    #[error("columns are [{found}] where the plan promises [{promised}]")]
    Columns {
        /// In the plan.
        promised: String,
        /// In the table.
        found: String,
    },
    /// A column of another type.
    #[error("column `{column}` is {found} where the plan promises {promised}")]
    Type {
        /// The column.
        column: String,
        /// In the plan.
        promised: String,
        /// In the table.
        found: String,
    },
    /// A null where none may be.
    #[error("column `{column}` has {nulls} null values where the plan promises none")]
    Null {
        /// The column.
        column: String,
        /// How many, in the column or in its lists.
        nulls: usize,
    },
    /// A type that tables do not have.
    #[error("column `{column}` is promised as {promised}, a type that no table can have")]
    Unknown {
        /// The column.
        column: String,
        /// In the plan.
        promised: String,
    },
}

/// Whether a table is what its schema says: names, order, types, nulls.
pub fn check(table: &DataFrame, schema: &Schema) -> Result<(), Drift> {
    let promised: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let found: Vec<&str> = table.columns().iter().map(|column| column.name().as_str()).collect();
    if promised != found {
        return Err(Drift::Columns { promised: promised.join(", "), found: found.join(", ") });
    }
    schema.fields().iter().zip(table.columns()).try_for_each(|(field, column)| check_column(column, field))
}

fn check_column(column: &Column, field: &Field) -> Result<(), Drift> {
    let promised = polars_type(field)?;
    if column.dtype() != &promised {
        return Err(Drift::Type {
            column: field.name().clone(),
            promised: promised.to_string(),
            found: column.dtype().to_string(),
        });
    }
    match forbidden_nulls(column.as_materialized_series(), field) {
        0 => Ok(()),
        nulls => Err(Drift::Null { column: field.name().clone(), nulls }),
    }
}

fn forbidden_nulls(series: &Series, field: &Field) -> usize {
    let own = if field.is_nullable() { 0 } else { series.null_count() };
    let items = match (field.data_type(), series.list()) {
        (Arrow::List(item), Ok(lists)) => forbidden_nulls(&lists.get_inner(), item),
        _ => 0,
    };
    own + items
}

/// The table of a schema, without rows.
pub fn empty(schema: &Schema) -> Result<DataFrame, Drift> {
    let column = |field: &arrow_schema::FieldRef| {
        let name = PlSmallStr::from_str(field.name());
        polars_type(field).map(|dtype| Column::new_empty(name, &dtype))
    };
    let columns: Vec<Column> = schema.fields().iter().map(column).collect::<Result<_, _>>()?;
    Ok(DataFrame::new(0, columns).expect("the columns of a schema have names of their own, and no rows"))
}

/// The field of a column that may hold nulls.
pub fn field(name: &str, dtype: &DataType) -> Result<Field, Drift> {
    let nested = |name: &str, dtype: &DataType| field(name, dtype).map(Arc::new);
    let arrow = match dtype {
        DataType::Boolean => Arrow::Boolean,
        DataType::Int8 => Arrow::Int8,
        DataType::Int16 => Arrow::Int16,
        DataType::Int32 => Arrow::Int32,
        DataType::Int64 => Arrow::Int64,
        DataType::UInt8 => Arrow::UInt8,
        DataType::UInt16 => Arrow::UInt16,
        DataType::UInt32 => Arrow::UInt32,
        DataType::UInt64 => Arrow::UInt64,
        DataType::Float32 => Arrow::Float32,
        DataType::Float64 => Arrow::Float64,
        DataType::String => Arrow::Utf8,
        DataType::Date => Arrow::Date32,
        DataType::Datetime(TimeUnit::Microseconds, None) => Arrow::Timestamp(ArrowUnit::Microsecond, None),
        DataType::Datetime(TimeUnit::Milliseconds, None) => Arrow::Timestamp(ArrowUnit::Millisecond, None),
        DataType::Datetime(TimeUnit::Nanoseconds, None) => Arrow::Timestamp(ArrowUnit::Nanosecond, None),
        DataType::List(items) => Arrow::List(nested("item", items)?),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| nested(field.name(), field.dtype()));
            Arrow::Struct(fields.collect::<Result<Vec<_>, _>>()?.into())
        }
        other => return Err(Drift::Unknown { column: name.to_owned(), promised: other.to_string() }),
    };
    Ok(Field::new(name, arrow, true))
}

/// The schema of a table, all of whose columns may hold nulls.
pub fn of(schema: &PolarsSchema) -> Result<Schema, Drift> {
    Ok(Schema::new(schema.iter().map(|(name, dtype)| field(name, dtype)).collect::<Result<Vec<_>, _>>()?))
}

/// The column type for a field. The plan's types are few; a new one is added here.
fn polars_type(field: &Field) -> Result<DataType, Drift> {
    Ok(match field.data_type() {
        Arrow::Boolean => DataType::Boolean,
        Arrow::Int8 => DataType::Int8,
        Arrow::Int16 => DataType::Int16,
        Arrow::Int32 => DataType::Int32,
        Arrow::UInt8 => DataType::UInt8,
        Arrow::UInt16 => DataType::UInt16,
        Arrow::UInt32 => DataType::UInt32,
        Arrow::UInt64 => DataType::UInt64,
        Arrow::Int64 => DataType::Int64,
        Arrow::Float32 => DataType::Float32,
        Arrow::Float64 => DataType::Float64,
        Arrow::Utf8 => DataType::String,
        Arrow::Date32 => DataType::Date,
        Arrow::Timestamp(ArrowUnit::Microsecond, None) => DataType::Datetime(TimeUnit::Microseconds, None),
        Arrow::Timestamp(ArrowUnit::Millisecond, None) => DataType::Datetime(TimeUnit::Milliseconds, None),
        Arrow::Timestamp(ArrowUnit::Nanosecond, None) => DataType::Datetime(TimeUnit::Nanoseconds, None),
        Arrow::Struct(fields) => {
            let field = |field: &Arc<Field>| Ok(PolarsField::new(field.name().as_str().into(), polars_type(field)?));
            DataType::Struct(fields.iter().map(field).collect::<Result<_, Drift>>()?)
        }
        Arrow::List(item) => DataType::List(Box::new(polars_type(item)?)),
        other => return Err(Drift::Unknown { column: field.name().clone(), promised: other.to_string() }),
    })
}
