//! The columns of a join: those on the left, then those on the right that are no keys.

use arrow_schema::Field;
use spec::{
    problem::instead,
    settings::{How, Join},
};

use crate::{Output, shapes::gold, tables, text::type_name};

/// One side of a join.
pub(crate) struct Side<'a> {
    pub(crate) name: &'a str,
    pub(crate) fields: Vec<Field>,
}

impl<'a> Side<'a> {
    pub(crate) fn of(table: &'a Output) -> Self {
        Side { name: &table.table, fields: table.schema.fields().iter().map(|field| Field::clone(field)).collect() }
    }

    /// The column of a key, or what is wrong with it and the remedy.
    fn key(&self, key: &str) -> Result<&Field, (String, String)> {
        let there = || self.fields.iter().map(|field| field.name().as_str());
        self.fields
            .iter()
            .find(|field| field.name() == key)
            .ok_or_else(|| (format!("`{}` has no column `{key}`", self.name), instead(key, there())))
    }
}

/// The columns, or what is wrong with the keys and the remedy. Rows that are matched by gold answers tell of them.
pub(crate) fn columns(left: &Side<'_>, right: &Side<'_>, join: &Join) -> Result<Vec<Field>, (String, String)> {
    let mut leaks = false;
    for (ours, theirs) in &join.on {
        let (ours, theirs) = (left.key(ours)?, right.key(theirs)?);
        let (one, other) = (type_name(ours.data_type()), type_name(theirs.data_type()));
        if one != other {
            let message =
                format!("`{}` is {one} on the left, and `{}` {other} on the right", ours.name(), theirs.name());
            return Err((message, "keys are of the same type: cast one of them with an `sql` stage before".to_owned()));
        }
        leaks |= tables::is_gold(ours) || tables::is_gold(theirs);
    }
    let mut fields = left.fields.clone();
    if matches!(join.how, How::Inner | How::Left) {
        fields.extend(beside(left, right, join));
    }
    let twice = fields.iter().enumerate().find(|(i, field)| fields[..*i].iter().any(|it| it.name() == field.name()));
    if let Some((_, field)) = twice {
        let message = format!("the join would have two columns `{}`", field.name());
        return Err((message, "give `suffix` another text".to_owned()));
    }
    Ok(if leaks { fields.iter().map(gold).collect() } else { fields })
}

/// The columns that the right side adds.
fn beside(left: &Side<'_>, right: &Side<'_>, join: &Join) -> Vec<Field> {
    let is_key = |field: &&Field| join.on.iter().any(|(_, key)| key == field.name());
    let has = |name: &String| left.fields.iter().any(|field| field.name() == name);
    let beside = |field: &Field| {
        let name = if has(field.name()) { format!("{}{}", field.name(), join.suffix) } else { field.name().clone() };
        field.clone().with_name(name).with_nullable(field.is_nullable() || join.how == How::Left)
    };
    right.fields.iter().filter(|field| !is_key(field)).map(beside).collect()
}
