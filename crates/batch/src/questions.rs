//! Questions among the rows of files: each has a text and, where it is known, the right answer.

use std::collections::BTreeSet;

use polars::frame::DataFrame;
use spec::Problem;
use spec::problem::list;

use crate::source::{BadRow, Source, Stretch};
use crate::stages::json;

/// A question as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRow {
    /// The question.
    pub text: String,
    /// The right answer.
    pub gold: Option<String>,
}

/// The names under which a question may stand; the first that is there counts.
const TEXT: [&str; 3] = ["text", "question", "input"];
/// The names under which its answer may stand.
const GOLD: [&str; 3] = ["gold", "answer", "target"];

/// The rows of files, all of which have to be questions, or what is wrong with them, at the path of the file.
pub fn question_rows(source: &Source) -> Result<Vec<QuestionRow>, Problem> {
    let (rows, others) = questions_among(source)?;
    others.first().map_or(Ok(rows), |other| Err(source.problem_with(other)))
}

/// The questions among the rows of files, and the rows that are none: they cannot be read, or the question is null.
pub fn questions_among(source: &Source) -> Result<(Vec<QuestionRow>, Vec<BadRow>), Problem> {
    let Stretch { table, bad: mut others } = source.whole()?;
    let texts = column(&table, TEXT).map_err(|what| source.problem(&what))?;
    let golds = column(&table, GOLD).map_err(|what| source.problem(&what))?;
    let texts = texts.ok_or_else(|| {
        let found = list(table.get_column_names().into_iter().map(|name| name.as_str()));
        source.problem(&format!("no question: expected one of the columns {}; found {found}", list(TEXT)))
    })?;
    let golds = golds.unwrap_or_else(|| vec![None; table.height()]);
    let unreadable: BTreeSet<usize> = others.iter().map(|bad| bad.row).collect();
    let mut rows = Vec::new();
    for (row, (text, gold)) in texts.into_iter().zip(golds).enumerate() {
        match text {
            Some(text) => rows.push(QuestionRow { text, gold }),
            None if unreadable.contains(&row) => {}
            None => {
                let content = json(&table.slice(row as i64, 1)).unwrap_or_default();
                others.push(source.bad_row(row, "the question is null; expected text", content));
            }
        }
    }
    others.sort_by_key(|bad| bad.row);
    Ok((rows, others))
}

/// What stands, row by row, in the first column of these names that has something there. Once there are texts, a column
/// of another type is none of them.
fn column(table: &DataFrame, names: [&str; 3]) -> Result<Option<Vec<Option<String>>>, String> {
    let mut found: Option<Vec<Option<String>>> = None;
    for column in names.iter().filter_map(|name| table.column(name).ok()) {
        if found.is_some() && !column.dtype().is_string() {
            continue;
        }
        let wrong = |_| format!("column `{}` is {}; expected text", column.name(), column.dtype());
        let texts = column.str().map_err(wrong)?.iter().map(|text| text.map(str::to_owned));
        found = Some(match found {
            Some(before) => before.into_iter().zip(texts).map(|(before, text)| before.or(text)).collect(),
            None => texts.collect(),
        });
    }
    Ok(found)
}
