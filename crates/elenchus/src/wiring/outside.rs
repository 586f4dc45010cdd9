//! What a pipeline names and does not hold: files of rows and queries over them, which `batch` reads, and models and
//! encoders that were trained before.

use batch::{Source, Sources};
use model::{Bert, CheckpointError, Model};
use plan::{Pretrained, Shapes};
use spec::{
    Problem,
    settings::{File, Files},
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

/// What is in folders, by their paths, each with a hash of its files.
type Opened<T> = RefCell<BTreeMap<String, (T, String)>>;

/// Opens each thing once.
pub struct Outside {
    files: Sources,
    models: Opened<Model>,
    encoders: Opened<Bert>,
    /// Whether folders of models are opened at all.
    opens_models: bool,
}

impl Outside {
    /// Relative paths start at the working directory. Without models, those that were trained before need not be there.
    pub fn new(opens_models: bool) -> Self {
        Outside { files: Sources::new("."), models: Opened::default(), encoders: Opened::default(), opens_models }
    }

    /// The rows of some files.
    pub fn rows(&self, files: &Files) -> Result<Arc<Source>, Vec<Problem>> {
        self.files.open(files)
    }

    /// The model in a folder, in memory of its own.
    pub fn model(&self, folder: &File) -> Result<Model, Problem> {
        look(&self.models, folder, model, |model, _| model.deep_copy())
    }

    /// The encoder in a folder.
    pub fn encoder(&self, folder: &File) -> Result<Bert, Problem> {
        look(&self.encoders, folder, encoder, |encoder, _| encoder.handle())
    }

    /// A hash of the files of the encoder in a folder: of all that its vectors depend on.
    pub fn encoder_digest(&self, folder: &File) -> Result<String, Problem> {
        look(&self.encoders, folder, encoder, |_, digest| digest.to_owned())
    }
}

/// Looks at what is in a folder, which is opened if nobody has looked before.
fn look<T, Seen>(
    opened: &Opened<T>,
    folder: &File,
    open: fn(&File) -> Result<(T, String), Problem>,
    look: impl FnOnce(&T, &str) -> Seen,
) -> Result<Seen, Problem> {
    let mut opened = opened.borrow_mut();
    if !opened.contains_key(&folder.path) {
        opened.insert(folder.path.clone(), open(folder)?);
    }
    let (inside, digest) = &opened[&folder.path];
    Ok(look(inside, digest))
}

impl Shapes for Outside {
    fn files(&self, files: &Files) -> Result<plan::SchemaRef, Vec<Problem>> {
        self.files.files(files)
    }

    fn query(&self, query: &str, tables: &[(String, plan::SchemaRef)]) -> Result<plan::SchemaRef, String> {
        self.files.query(query, tables)
    }

    fn without(&self, query: &str, names: &[&str]) -> Option<String> {
        self.files.without(query, names)
    }

    fn checkpoint(&self, folder: &File) -> Result<Option<Pretrained>, Problem> {
        if !self.opens_models {
            return Ok(None);
        }
        let pretrained = |model: &Model, digest: &str| Pretrained {
            architecture: model.architecture().clone(),
            digest: digest.to_owned(),
        };
        look(&self.models, folder, model, pretrained).map(Some)
    }
}

/// Names and bytes.
type Contents = Vec<(String, Vec<u8>)>;

/// The model in a folder, and a hash of its files.
fn model(folder: &File) -> Result<(Model, String), Problem> {
    let help = "name a folder in the layout of Hugging Face that this program wrote: a run has one for each of its \
                models, `checkpoints/BATCHES/model.NAME`";
    open(folder, &Model::FILES, Model::load, ("model", help))
}

/// The encoder in a folder, and a hash of its files.
fn encoder(folder: &File) -> Result<(Bert, String), Problem> {
    let help = "name a folder of the BERT or RoBERTa family in the layout of Hugging Face, with `config.json`, \
                `model.safetensors`, and `tokenizer.json` or `vocab.txt`, such as that of \
                sentence-transformers/all-MiniLM-L6-v2";
    open(folder, &Bert::FILES, Bert::load, ("encoder", help))
}

/// What is in a folder, and a hash of its files; or what is wrong with it, and what kind of folder to name.
fn open<T>(
    folder: &File,
    names: &[&str],
    load: impl FnOnce(&[(String, Vec<u8>)]) -> Result<T, CheckpointError>,
    (what, help): (&str, &str),
) -> Result<(T, String), Problem> {
    let problem = |cause: &dyn std::fmt::Display| {
        let message = format!("there is no {what} in `{}`: {cause}", folder.path);
        Problem::new(folder.span.clone(), message).help(help)
    };
    let files = read(Path::new(&folder.path), names).map_err(|cause| problem(&cause))?;
    let inside = load(&files).map_err(|cause| problem(&cause))?;
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in &files {
        hasher.update(name.as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
    Ok((inside, hasher.finalize().to_string()))
}

/// The files of some names, as far as they are there.
fn read(folder: &Path, names: &[&str]) -> io::Result<Contents> {
    fs::metadata(folder)?;
    let mut files = Contents::new();
    for &name in names {
        match fs::read(folder.join(name)) {
            Ok(bytes) => files.push((name.to_owned(), bytes)),
            // Which one is missing is told by whoever makes something of them.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}
