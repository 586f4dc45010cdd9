//! The journal: every answer that came from outside, an endpoint, a person or a program, is on the disk before it is
//! used. A unit that is tried again reads here first, so that nothing outside is asked twice, whatever is killed.
//!
//! `journal` holds one record after the other: a line of JSON with its checksum, which says who asked what and how long
//! the answer is, and the answer itself. A record that breaks off at the end was being written when the run was killed:
//! that answer was not used.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use plan::Key;
use serde::{Deserialize, Serialize};

use super::durable::{Digest, FileError};
use super::manifest::{seal, unseal};
use crate::stage::StageError;

/// One question to the outside, by its place in a unit of work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call {
    /// The row it is about.
    pub row: u64,
    /// The way from the row to it: which argument, which sub-question.
    pub path: String,
    /// Which of several answers to the same question.
    pub sample: u32,
    /// What is asked, or its hash where that is long. Another prompt is another question.
    pub prompt: String,
}

/// An answer that cannot be written down or read back.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something in it is not what was written.
    #[error(
        "`{}` is damaged at byte {offset}: {what}; restore the file from a copy, or cut it off there to have what \
         follows asked again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
}

/// A unit's way to the outside. As many threads as there are questions may use it at once.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    unit: Key,
    journal: &'a Journal,
}

impl<'a> Outside<'a> {
    pub(crate) fn new(unit: Key, journal: &'a Journal) -> Self {
        Outside { unit, journal }
    }

    /// The answer to a call: the one in the journal, or else the one that `ask` brings, once it is on the disk. `ask`
    /// may fail; then nothing is noted, and the call is asked again when the unit is tried again.
    ///
    /// `ask` is given a name for the call that is the same at every try. Whoever answers can know by it a question that
    /// was answered just before a kill, when nothing could be written down any more.
    pub fn answer(
        &self,
        call: &Call,
        ask: impl FnOnce(&str) -> Result<Vec<u8>, StageError>,
    ) -> Result<Vec<u8>, StageError> {
        match self.journal.find(self.unit, call)? {
            Some(answer) => Ok(answer),
            None => {
                let name = serde_json::to_vec(&(self.unit.to_string(), call))?;
                let answer = ask(&blake3::hash(&name).to_hex()[..32])?;
                self.journal.note(self.unit, call, &answer)?;
                Ok(answer)
            }
        }
    }
}

/// What precedes an answer.
#[derive(Serialize, Deserialize)]
struct Record {
    unit: String,
    #[serde(flatten)]
    call: Call,
    answer: Digest,
}

/// The answers of one run. Nothing is read before the first question.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// How much of the file is whole records.
    whole: u64,
    answers: HashMap<(String, Call), Vec<u8>>,
}

impl Journal {
    pub(crate) fn new(root: &Path) -> Self {
        Journal { path: root.join("journal"), open: Mutex::new(None) }
    }

    fn find(&self, unit: Key, call: &Call) -> Result<Option<Vec<u8>>, JournalError> {
        let key = (unit.to_string(), call.clone());
        self.with(|open| Ok(open.answers.get(&key).cloned()))
    }

    fn note(&self, unit: Key, call: &Call, answer: &[u8]) -> Result<(), JournalError> {
        let (unit, call) = (unit.to_string(), call.clone());
        self.with(|open| {
            let mut record = seal(&Record { unit: unit.clone(), call: call.clone(), answer: Digest::of(answer) });
            record.extend(answer);
            record.push(b'\n');
            // What an earlier try left half written goes first.
            let mut write = || {
                open.file.set_len(open.whole)?;
                open.file.write_all(&record)?;
                open.file.sync_data()
            };
            write().map_err(FileError::at("write", &self.path))?;
            open.whole += record.len() as u64;
            open.answers.insert((unit, call), answer.to_owned());
            Ok(())
        })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Open) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *open {
            Some(open) => use_it(open),
            none => use_it(none.insert(Open::read(&self.path)?)),
        }
    }
}

impl Open {
    fn read(path: &Path) -> Result<Self, JournalError> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => bytes.map_err(FileError::at("read", path))?,
        };
        let (mut whole, mut answers) = (0, HashMap::new());
        while let Some((record, answer, length)) = record(path, &bytes, whole)? {
            answers.insert((record.unit, record.call), answer.to_owned());
            whole += length;
        }
        let file = open(path).map_err(FileError::at("write", path))?;
        Ok(Open { file, whole: whole as u64, answers })
    }
}

/// Opens the file to add to it, and forces its name to the disk.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
    Ok(file)
}

/// A record with its answer and its whole length.
type Found<'a> = (Record, &'a [u8], usize);

/// The record at a place; none where it breaks off or the file ends.
fn record<'a>(path: &Path, bytes: &'a [u8], at: usize) -> Result<Option<Found<'a>>, JournalError> {
    let rest = &bytes[at..];
    let damaged = |what: String| JournalError::Damaged { path: path.to_owned(), offset: at as u64, what };
    let Some(newline) = rest.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
    let record: Record = unseal(&rest[..=newline]).map_err(damaged)?;
    let (start, length) = (newline + 1, record.answer.bytes as usize);
    let Some(answer) = rest.get(start..start + length) else { return Ok(None) };
    match rest.get(start + length) {
        None => Ok(None),
        Some(b'\n') if Digest::of(answer) == record.answer => Ok(Some((record, answer, start + length + 1))),
        Some(_) => Err(damaged("the answer is not the one of its hash".to_owned())),
    }
}
