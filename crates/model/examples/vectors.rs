//! Reads an encoder and some texts, and writes the texts' vectors, for `ci/check-transformers` to compare with what
//! Hugging Face computes from the same files: `vectors FOLDER`.

use std::{error::Error, fs, path::PathBuf};

use model::Bert;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: vectors FOLDER")?);
    let files = Bert::FILES.into_iter().filter_map(|name| Some((name.to_owned(), fs::read(folder.join(name)).ok()?)));
    let bert = Bert::load(&files.collect::<Vec<_>>())?;
    let texts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("texts.json"))?)?;
    let vectors = bert.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>(), 2)?;
    fs::write(folder.join("vectors.json"), json!(vectors).to_string())?;
    Ok(())
}
