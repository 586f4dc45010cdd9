//! What a pipeline names and does not hold: files of rows and queries over them, which `batch` reads, and models that
//! were trained before.

use batch::{Source, Sources};
use model::Model;
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

/// Opens each thing once.
pub struct Outside {
    files: Sources,
    models: RefCell<BTreeMap<String, (Model, String)>>,
    /// Whether folders of models are opened at all.
    opens_models: bool,
}

impl Outside {
    /// Relative paths start at the working directory. Without models, those that were trained before need not be there.
    pub fn new(opens_models: bool) -> Self {
        Outside { files: Sources::new("."), models: RefCell::default(), opens_models }
    }

    /// The rows of some files.
    pub fn rows(&self, files: &Files) -> Result<Arc<Source>, Vec<Problem>> {
        self.files.open(files)
    }

    /// The model in a folder, in memory of its own.
    pub fn model(&self, folder: &File) -> Result<Model, Problem> {
        self.look(folder, |model, _| model.deep_copy())
    }

    fn look<T>(&self, folder: &File, look: impl FnOnce(&Model, &str) -> T) -> Result<T, Problem> {
        let mut models = self.models.borrow_mut();
        if !models.contains_key(&folder.path) {
            models.insert(folder.path.clone(), open(folder)?);
        }
        let (model, digest) = &models[&folder.path];
        Ok(look(model, digest))
    }
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
        self.look(folder, pretrained).map(Some)
    }
}

/// The model in a folder, and a hash of its files.
fn open(folder: &File) -> Result<(Model, String), Problem> {
    let problem = |cause: &dyn std::fmt::Display| {
        let message = format!("there is no model in `{}`: {cause}", folder.path);
        let help = "name a folder in the layout of Hugging Face that this program wrote: a run has one for each of its \
                    models, `checkpoints/BATCHES/model.NAME`";
        Problem::new(folder.span.clone(), message).help(help)
    };
    let files = read(Path::new(&folder.path)).map_err(|cause| problem(&cause))?;
    let model = Model::load(&files).map_err(|cause| problem(&cause))?;
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in &files {
        hasher.update(name.as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
    Ok((model, hasher.finalize().to_string()))
}

/// The files that a model needs, as far as they are there.
fn read(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    fs::metadata(folder)?;
    let mut files = Vec::new();
    for name in Model::FILES {
        match fs::read(folder.join(name)) {
            Ok(bytes) => files.push((name.to_owned(), bytes)),
            // Which one is missing is told by whoever makes a model of them.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}
