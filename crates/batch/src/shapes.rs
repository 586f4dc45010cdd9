//! What the plan asks of whoever can read files and queries: columns, told without any rows.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use spec::{Problem, settings::Files};
use sqlparser::ast::{Expr, GroupByExpr, OrderBy, OrderByKind, SelectItem, SetExpr, Statement};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::query::ask;
use crate::schema;
use crate::source::Source;

/// The files that a pipeline reads, each opened once.
pub struct Sources {
    folder: PathBuf,
    opened: RefCell<BTreeMap<String, Arc<Source>>>,
}

impl Sources {
    /// Relative paths start at `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Sources { folder: folder.into(), opened: RefCell::default() }
    }

    /// The rows of some files.
    pub fn open(&self, files: &Files) -> Result<Arc<Source>, Vec<Problem>> {
        let key = format!("{files:?}");
        if let Some(source) = self.opened.borrow().get(&key) {
            return Ok(source.clone());
        }
        let source = Arc::new(Source::open(files, &self.folder)?);
        self.opened.borrow_mut().insert(key, source.clone());
        Ok(source)
    }
}

/// Whether rows are ordered by columns that are not named: `ORDER BY 1`, `ORDER BY ALL`.
fn by_place(order: &OrderBy) -> bool {
    match &order.kind {
        OrderByKind::All(_) => true,
        OrderByKind::Expressions(keys) => keys.iter().any(|key| is_place(&key.expr)),
    }
}

/// The same for groups.
fn groups_by_place(groups: &GroupByExpr) -> bool {
    match groups {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, _) => keys.iter().any(is_place),
    }
}

/// Whether a key is the number of a column, or the word for all of them.
fn is_place(key: &Expr) -> bool {
    match key {
        Expr::Value(_) => true,
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case("all"),
        _ => false,
    }
}

/// What a plan asks of files and queries: see [`plan::Shapes`].
impl Sources {
    /// The columns of the rows of some files.
    pub fn files(&self, files: &Files) -> Result<SchemaRef, Vec<Problem>> {
        Ok(self.open(files)?.schema())
    }

    /// The columns that a query makes of tables.
    pub fn query(&self, query: &str, tables: &[(String, SchemaRef)]) -> Result<SchemaRef, String> {
        let empty = |(name, schema): &(String, SchemaRef)| Ok((name.clone(), schema::empty(schema)?));
        let tables = tables.iter().map(empty).collect::<Result<Vec<_>, schema::Drift>>();
        let made = ask(query, &tables.map_err(|drift| drift.to_string())?)?;
        schema::of(made.schema()).map(Arc::new).map_err(|drift| drift.to_string())
    }

    /// The query without what mentions some columns.
    pub fn without(&self, query: &str, names: &[&str]) -> Option<String> {
        let mut statements = Parser::parse_sql(&GenericDialect {}, query).ok()?;
        let [Statement::Query(query)] = &mut statements[..] else { return None };
        let SetExpr::Select(select) = query.body.as_mut() else { return None };
        // Which rows are the same depends on all columns, and the place of a column on those before it.
        if select.distinct.is_some()
            || query.order_by.as_ref().is_some_and(by_place)
            || groups_by_place(&select.group_by)
        {
            return None;
        }
        let mentions = |item: &SelectItem| {
            let text = item.to_string().to_lowercase();
            names.iter().any(|name| text.contains(&name.to_lowercase()))
        };
        select.projection.retain(|item| !mentions(item));
        (!select.projection.is_empty()).then(|| query.to_string())
    }
}
