//! Reading of how far two answers are apart: `distance` of `[loss.NAME]`.

use crate::{
    settings::{Distance, Embedding, File},
    table::Table,
    value::Value,
};

/// A distance in one word, or with the folder that it goes by.
pub(crate) fn distance(value: &mut Value<'_>) -> Option<Distance> {
    if value.is_table() {
        return value.table(by_folder);
    }
    match value.text()?.as_str() {
        "cross-entropy" => Some(Distance::CrossEntropy),
        "kl" => Some(Distance::Kl),
        "exact" => Some(Distance::Exact),
        "edit" => Some(Distance::Edit),
        "chrf" => Some(Distance::Chrf),
        "bleu" => Some(Distance::Bleu),
        other => value.unknown(other, ["cross-entropy", "kl", "exact", "edit", "chrf", "bleu", FOLDER]),
    }
}

/// How a distance by a folder is written.
const FOLDER: &str = "{ embedding = { folder = \"…\" } }";

fn by_folder(table: &mut Table<'_>) -> Distance {
    table.one_of(Distance::Exact, &[("embedding", &|value| value.table(embedding).map(Distance::Embedding))])
}

fn embedding(table: &mut Table<'_>) -> Embedding {
    // Without a path it is a problem that is told already, and nobody opens it.
    let nowhere = File { path: String::new(), span: 0..0 };
    Embedding { folder: table.required("folder", nowhere, |value| value.file()) }
}
