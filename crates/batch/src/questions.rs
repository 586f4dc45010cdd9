//! Questions among the rows of files: each has a text and, where it is known, the right answer.

use polars::frame::DataFrame;
use spec::Problem;
use spec::problem::list;

use crate::source::Source;

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

/// The questions among the rows of files, or what is wrong with them, at the path of the file.
pub fn question_rows(source: &Source) -> Result<Vec<QuestionRow>, Problem> {
    let table = source.all()?;
    let texts = column(&table, TEXT).map_err(|what| source.problem(None, &what))?;
    let golds = column(&table, GOLD).map_err(|what| source.problem(None, &what))?;
    let texts = texts.ok_or_else(|| {
        let found = list(table.get_column_names().into_iter().map(|name| name.as_str()));
        source.problem(None, &format!("no question: expected one of the columns {}; found {found}", list(TEXT)))
    })?;
    let golds = golds.unwrap_or_else(|| vec![None; table.height()]);
    let row = |(row, (text, gold)): (usize, (Option<String>, Option<String>))| {
        let text = text.ok_or_else(|| source.problem(Some(row as u64), "the question is null; expected text"))?;
        Ok(QuestionRow { text, gold })
    };
    texts.into_iter().zip(golds).enumerate().map(row).collect()
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
