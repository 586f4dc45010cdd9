//! Where the rows of a text file begin. One pass over the file notes every thousandth row, so that any stretch is
//! found without reading what stands before it, and no more of the file is held than that stretch.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Rows from one mark to the next.
const STEP: u64 = 1024;

/// The rows of a text file.
pub(super) struct Index {
    /// Where rows 0, `STEP`, 2 `STEP`, … begin.
    marks: Vec<u64>,
    pub(super) rows: u64,
    quotes: bool,
}

impl Index {
    /// Goes over a file. With `quotes`, a row goes on over the ends of lines that stand within quotes, and the first
    /// row is a header.
    pub(super) fn of(path: &Path, quotes: bool) -> io::Result<Self> {
        let mut reader = Rows { reader: BufReader::with_capacity(1 << 20, File::open(path)?), quotes };
        let (mut index, mut at, mut row) = (Index { marks: Vec::new(), rows: 0, quotes }, 0, Vec::new());
        if quotes {
            at += reader.next(&mut row)? as u64;
        }
        loop {
            let length = reader.next(&mut row)? as u64;
            if length == 0 {
                return Ok(index);
            }
            if !row.trim_ascii().is_empty() {
                if index.rows.is_multiple_of(STEP) {
                    index.marks.push(at);
                }
                index.rows += 1;
            }
            at += length;
        }
    }

    /// The texts of the rows from `first` on.
    pub(super) fn stretch(&self, path: &Path, first: u64, count: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut file = File::open(path)?;
        let mark = first / STEP;
        file.seek(SeekFrom::Start(self.marks.get(mark as usize).copied().unwrap_or_default()))?;
        let mut reader = Rows { reader: BufReader::with_capacity(1 << 18, file), quotes: self.quotes };
        let (mut rows, mut skipped, mut row) = (Vec::with_capacity(count), mark * STEP, Vec::new());
        while rows.len() < count && reader.next(&mut row)? > 0 {
            if row.trim_ascii().is_empty() {
                continue;
            }
            if skipped < first {
                skipped += 1;
            } else {
                rows.push(without_end(&row).to_vec());
            }
        }
        Ok(rows)
    }
}

/// The header of a file, and as much of its beginning as its types are told from.
pub(super) fn head(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let read = File::open(path)?.take(bytes).read_to_end(&mut head)? as u64;
    if read == bytes
        && let Some(last) = head.iter().rposition(|&byte| byte == b'\n')
    {
        head.truncate(last + 1);
    }
    Ok(head)
}

/// The rows of a text in which lines may end within quotes, without the empty ones.
pub(super) fn rows(mut text: &[u8]) -> Vec<Vec<u8>> {
    let (mut rows, mut row) = (Vec::new(), Vec::new());
    let mut reader = Rows { reader: &mut text, quotes: true };
    // Reading what is in memory cannot fail.
    while reader.next(&mut row).is_ok_and(|length| length > 0) {
        if !row.trim_ascii().is_empty() {
            rows.push(without_end(&row).to_vec());
        }
    }
    rows
}

/// A row without the end of its line. Spaces before that are part of its last field.
fn without_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

struct Rows<R> {
    reader: R,
    quotes: bool,
}

impl<R: BufRead> Rows<R> {
    /// Reads the next row, with the end of its line; its length, 0 at the end of the file.
    fn next(&mut self, row: &mut Vec<u8>) -> io::Result<usize> {
        row.clear();
        let mut open = false;
        loop {
            let start = row.len();
            let read = self.reader.read_until(b'\n', row)?;
            let quotes = if self.quotes { row[start..].iter().filter(|&&byte| byte == b'"').count() } else { 0 };
            open ^= quotes % 2 == 1;
            if read == 0 || !open {
                return Ok(row.len());
            }
        }
    }
}
