//! What was changed behind a run's back is noticed, and said: which file, and what to do.

use std::fs;
use std::path::Path;

use batch::{Event, Run, RunFolder, UnitError};
use insta::assert_snapshot;
use tempfile::TempDir;

use crate::scripted::{self, Count, Questions, Score, Sum, assert_same, contents, restore, scratch};

/// The folder of a run broken off after so many batches, in which a byte in the middle of some files is another.
fn flipped(committed: usize, files: &[&str]) -> TempDir {
    let root = scratch();
    let mut left = scripted::unbroken()[committed].clone();
    for file in files {
        let bytes = left.get_mut(Path::new(file)).and_then(Option::as_mut).expect(file);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    restore(root.path(), &left);
    root
}

/// An error's message and causes, without the path of the test's own folder.
fn message(root: &Path, error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    let all = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string));
    all.collect::<Vec<_>>().join("\n").replace(&root.display().to_string(), "RUN")
}

/// Changes a segment where a table of batch 6 begins: 8 batches are committed and the newest checkpoint is after 6;
/// batch 7 has no questions, so those of batch 6 are read.
fn segment(root: &Path, table: &str, change: impl Fn(&mut Vec<u8>, usize)) -> Vec<u8> {
    let run = Run::open(root).unwrap();
    let place = run.lines()[6].tables[table].place.clone().unwrap();
    let path = root.join("segments/000000");
    let whole = fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    change(&mut bytes, place.offset as usize);
    fs::write(path, bytes).unwrap();
    whole
}

#[test]
fn a_flipped_byte_in_a_segment() {
    let root = flipped(8, &[]);
    let whole = segment(root.path(), "questions", |bytes, at| bytes[at + 9] ^= 1);
    let error = scripted::resume(root.path()).unwrap_err();
    assert_snapshot!(message(root.path(), &error));
    let error = Run::open(root.path()).unwrap().table("questions", 6).unwrap_err();
    assert_snapshot!(message(root.path(), &error));
    check_mended(root.path(), &whole);
}

/// Nothing is lost once the segment is what it was.
fn check_mended(root: &Path, whole: &[u8]) {
    fs::write(root.join("segments/000000"), whole).unwrap();
    scripted::resume(root).unwrap();
    assert_same(&contents(root), scripted::unbroken().last().unwrap());
}

#[test]
fn a_truncated_segment() {
    let root = flipped(8, &[]);
    let whole = segment(root.path(), "counts", |bytes, at| bytes.truncate(at + 5));
    assert_snapshot!(message(root.path(), &RunFolder::open(root.path()).unwrap_err()));
    check_mended(root.path(), &whole);
}

#[test]
fn a_missing_segment() {
    let root = flipped(8, &[]);
    let path = root.path().join("segments/000000");
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_snapshot!(message(root.path(), &RunFolder::open(root.path()).unwrap_err()));
    check_mended(root.path(), &whole);
}

/// What the messages advise: without the lines that are lost, the rest is computed again.
#[test]
fn a_manifest_cut_off_as_advised() {
    let root = flipped(8, &[]);
    segment(root.path(), "questions", |bytes, at| bytes[at + 9] ^= 1);
    let manifest = root.path().join("manifest.jsonl");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.split_inclusive('\n').take(7).collect::<String>()).unwrap();
    scripted::resume(root.path()).unwrap();
    assert_same(&contents(root.path()), scripted::unbroken().last().unwrap());
}

#[test]
fn a_flipped_byte_in_the_manifest() {
    let root = flipped(8, &["manifest.jsonl"]);
    assert_snapshot!(message(root.path(), &RunFolder::open(root.path()).unwrap_err()), @"`RUN/manifest.jsonl`, line 4: the checksum is not that of the line; cut the file off before this line to have this batch and those after it computed again, or restore the file from a copy");
    let manifest = root.path().join("manifest.jsonl");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"format\":2", "\"format\":3", 1)).unwrap();
    assert_snapshot!(message(root.path(), &RunFolder::open(root.path()).unwrap_err()), @"`RUN/manifest.jsonl`, line 1: the checksum is not that of the line; restore the file from a copy, or start the run in another folder");
}

#[test]
fn another_format() {
    let root = scratch();
    drop(scripted::create(root.path()));
    let manifest = root.path().join("manifest.jsonl");
    let text = fs::read_to_string(&manifest).unwrap().replacen("\"format\":2", "\"format\":3", 1);
    let body = format!("{}}}", text.rsplit_once(",\"check\"").unwrap().0);
    let check = &blake3::hash(body.as_bytes()).to_hex()[..16];
    fs::write(&manifest, format!("{},\"check\":\"{check}\"}}\n", body.strip_suffix('}').unwrap())).unwrap();
    assert_snapshot!(message(root.path(), &RunFolder::open(root.path()).unwrap_err()), @"`RUN/manifest.jsonl` is in format 3 of version 0.1.0, and this program reads format 2: use that version, or start the run in another folder");
}

#[test]
fn a_line_missing_from_the_manifest() {
    let root = flipped(8, &[]);
    let manifest = root.path().join("manifest.jsonl");
    let text = fs::read_to_string(&manifest).unwrap();
    let without: String =
        text.split_inclusive('\n').enumerate().filter(|(i, _)| *i != 3).map(|(_, line)| line).collect();
    fs::write(&manifest, without).unwrap();
    assert_snapshot!(message(root.path(), &RunFolder::open(root.path()).unwrap_err()), @"`RUN/manifest.jsonl`, line 4: batch 3 stands where batch 2 belongs; cut the file off before this line to have this batch and those after it computed again, or restore the file from a copy");
}

/// Damaged checkpoints are said aloud and passed over; the replay writes them anew.
#[test]
fn flipped_bytes_in_checkpoints() {
    let newest = "checkpoints/000006/total/value";
    assert_snapshot!(resumed_aloud(&[newest]), @r#"
        6: cannot read `RUN/checkpoints/000006/total/value`: it is not what was written, by the hash in the manifest; restore the file from a copy, or use another checkpoint
        restored 5 of 8
        written 6
        written 9
        written 11
    "#);
    let older = ["checkpoints/000005/total/terms", "checkpoints/000005/counter/count"];
    assert_snapshot!(resumed_aloud(&[newest, older[0], older[1]]), @r#"
        6: cannot read `RUN/checkpoints/000006/total/value`: it is not what was written, by the hash in the manifest; restore the file from a copy, or use another checkpoint
        5: cannot read `RUN/checkpoints/000005/counter/count`: it is not what was written, by the hash in the manifest; restore the file from a copy, or use another checkpoint
        restored 0 of 8
        written 5
        written 6
        written 9
        written 11
    "#);
}

fn resumed_aloud(files: &[&str]) -> String {
    let root = flipped(8, files);
    let mut said = Vec::new();
    let mut folder = RunFolder::open(root.path()).expect("a run's folder");
    let mut observe = |event: Event<'_>| match event {
        Event::CheckpointUnusable { batches, error } => {
            said.push(format!("{batches}: {}", message(root.path(), error)))
        }
        Event::Restored { batches, committed } => said.push(format!("restored {batches} of {committed}")),
        Event::CheckpointWritten { batches } => said.push(format!("written {batches}")),
        _ => (),
    };
    scripted::go_on_with(&scripted::stages(), &mut folder, &mut observe).expect("a run that resumes");
    assert_same(&contents(root.path()), scripted::unbroken().last().expect("an end"));
    said.join("\n")
}

/// A program that computes otherwise is found out by what it puts out, or by its metrics where it trains only.
#[test]
fn another_program() {
    for (count, sum) in [(1, 0.0), (0, 1e-12)] {
        let root = flipped(8, &[]);
        let stages: [Box<dyn batch::Stage>; 4] =
            [Box::new(Questions), Box::new(Count { off_by: count }), Box::new(Sum { bias: sum }), Box::new(Score)];
        let mut folder = RunFolder::open(root.path()).unwrap();
        let error = scripted::go_on_with(&stages, &mut folder, &mut |_| ()).unwrap_err();
        assert_snapshot!(format!("another program {count} {sum}"), message(root.path(), &error));
    }
}

#[test]
fn unit_errors_say_what_was_asked() {
    assert_snapshot!(UnitError::NoState("total".to_owned()), @"state `total` is not declared by this stage for this use, or is taken already");
}
