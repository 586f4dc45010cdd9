//! Where settings come from: files, each over the one that it extends, and what the command line sets. All of them
//! share one range of places, so that a span alone tells which text it is in.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use toml::{Spanned, de::DeTable};

use crate::{place::Span, problem::Problem};

/// A text with settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path as given, or `--set KEY=VALUE`.
    pub name: String,
    /// Where the relative paths in it start.
    pub folder: PathBuf,
    /// The text, after as many blanks as there are places before it.
    padded: String,
    start: usize,
    is_set: bool,
}

impl Source {
    /// The text.
    pub fn text(&self) -> &str {
        &self.padded[self.start..]
    }

    /// The text as it is parsed, so that its places are those of all sources.
    pub(crate) fn padded(&self) -> &str {
        &self.padded
    }

    /// Whether it comes from a `--set`.
    pub(crate) fn is_set(&self) -> bool {
        self.is_set
    }
}

/// All texts of a pipeline, in the order in which later ones override earlier ones. At least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    list: Vec<Source>,
    /// The file itself, to which keys that are nowhere are charged.
    file: usize,
    /// What is wrong with the files they extend.
    pub(crate) problems: Vec<Problem>,
}

/// A file that cannot be read.
#[derive(Debug)]
pub struct SourceError {
    path: PathBuf,
    cause: io::Error,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pipeline file {} cannot be read: {}", self.path.display(), self.cause)
    }
}

impl std::error::Error for SourceError {}

impl Sources {
    /// One text that stands for itself.
    pub fn of_text(name: &str, folder: &Path, text: &str) -> Self {
        let mut sources = Sources { list: Vec::new(), file: 0, problems: Vec::new() };
        sources.add(name.to_owned(), folder.to_owned(), text, false);
        sources
    }

    /// A file over those that it extends, then overlays, then settings `KEY=VALUE`, each over all before. The paths in
    /// a setting start at the working directory.
    pub fn open(file: &Path, overlays: &[PathBuf], sets: &[String]) -> Result<Self, SourceError> {
        let mut sources = Sources { list: Vec::new(), file: 0, problems: Vec::new() };
        for path in [file].into_iter().chain(overlays.iter().map(PathBuf::as_path)) {
            let opened = sources.open_file(path, &mut Vec::new());
            opened.map_err(|cause| SourceError { path: path.to_owned(), cause })?;
            if path == file {
                sources.file = sources.list.len() - 1;
            }
        }
        for set in sets {
            sources.add(format!("--set {set}"), PathBuf::new(), set, true);
        }
        Ok(sources)
    }

    /// The source in which a place is, and where in its text.
    pub fn at(&self, span: &Span) -> (&Source, Span) {
        let source = &self.list[self.index_at(span)];
        (source, span.start - source.start..span.end - source.start)
    }

    /// The rank of the source in which a place is.
    pub(crate) fn index_at(&self, span: &Span) -> usize {
        self.list.iter().rposition(|source| source.start <= span.start).unwrap_or_default()
    }

    /// The beginning of the file itself.
    pub fn beginning(&self) -> Span {
        let start = self.list[self.file].start;
        start..start
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter()
    }

    /// What was given, as a record: a file alone as it is; otherwise every text, under a comment with its name.
    pub fn record(&self) -> String {
        match &self.list[..] {
            [alone] => alone.text().to_owned(),
            several => {
                let parts = several.iter().map(|source| format!("# {}\n{}\n", source.name, source.text().trim_end()));
                parts.collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn add(&mut self, name: String, folder: PathBuf, text: &str, is_set: bool) -> usize {
        // One place is left between two texts, so that the end of one is not the beginning of the next.
        let start = self.list.last().map_or(0, |last| last.padded.len() + 1);
        self.list.push(Source { name, folder, padded: " ".repeat(start) + text, start, is_set });
        start
    }

    /// Adds a file after those that it extends. `open` are the files that extend it, the first of them first.
    fn open_file(&mut self, path: &Path, open: &mut Vec<PathBuf>) -> io::Result<()> {
        let text = fs::read_to_string(path)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        open.push(path.to_owned());
        let problem = extends(&text).and_then(|(base, span)| {
            let told = self.open_base(&folder.join(&base), open)?;
            Some((span, told))
        });
        open.pop();
        let start = self.add(path.display().to_string(), folder, &text, false);
        self.problems
            .extend(problem.map(|(span, problem)| Problem { span: span.start + start..span.end + start, ..problem }));
        Ok(())
    }

    /// Adds a file that another extends; or tells what is wrong with that, at a place to be given.
    fn open_base(&mut self, base: &Path, open: &mut Vec<PathBuf>) -> Option<Problem> {
        let same =
            |other: &PathBuf| matches!((base.canonicalize(), other.canonicalize()), (Ok(one), Ok(two)) if one == two);
        if let Some(first) = open.iter().position(same) {
            let circle = open[first..].iter().chain([&open[first]]);
            let circle: Vec<String> = circle.map(|path| path.display().to_string()).collect();
            let problem = Problem::new(0..0, "files extend each other in a circle");
            return Some(problem.help(format!("{}: let one of them stand alone", circle.join(" → "))));
        }
        let error = self.open_file(base, open).err()?;
        let problem = Problem::new(0..0, format!("{} cannot be read: {error}", base.display()));
        Some(problem.help("the path starts at the folder of this file"))
    }
}

/// The file that a text extends, and where that stands. Whatever is wrong with the text is told when it is read.
fn extends(text: &str) -> Option<(String, Span)> {
    let (document, _) = DeTable::parse_recoverable(text);
    let base: &Spanned<_> = document.get_ref().get("extends")?;
    Some((base.get_ref().as_str().filter(|base| !base.is_empty())?.to_owned(), base.span()))
}
