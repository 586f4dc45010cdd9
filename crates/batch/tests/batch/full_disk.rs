//! A full disk ends a run with everything committed still there; with space again, it goes on.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use batch::{FileError, FolderError, Run, RunError, RunFolder, TableError};

use crate::scripted::{self, assert_same, contents, scratch};

/// A disk of a few pages, unmounted when dropped.
struct TinyDisk(PathBuf);

impl TinyDisk {
    fn mount(at: PathBuf, pages: usize) -> Option<Self> {
        fs::create_dir(&at).expect("a folder");
        let mounted = tool("mount", &["-t", "tmpfs", "-o", &format!("size={}k", 4 * pages), "tmpfs"], &at);
        mounted.then_some(TinyDisk(at))
    }

    fn grow(&self) {
        assert!(tool("mount", &["-o", "remount,size=4m"], &self.0));
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        assert!(tool("umount", &[], &self.0));
    }
}

fn tool(name: &str, arguments: &[&str], at: &Path) -> bool {
    let ended = Command::new(name).args(arguments).arg(at).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}

/// Makes a run, or opens it, and takes it as far as it goes.
fn run(root: &Path) -> Result<(), FileError> {
    let folder = match Run::open(root) {
        Ok(_) => RunFolder::open(root),
        Err(_) => RunFolder::create(root, &scripted::plan(), scripted::TEXTS),
    };
    let mut folder = folder.map_err(|error| match error {
        FolderError::File(error) | FolderError::Table(TableError::File(error)) => error,
        other => panic!("{other}"),
    })?;
    match scripted::go_on_with(&scripted::stages(), &mut folder, &mut |_| ()) {
        Ok(_) | Err(RunError::Complete { .. }) => Ok(()),
        Err(RunError::File(error) | RunError::Table(TableError::File(error))) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

/// Disks of many sizes, so that each kind of file is the one that does not fit.
#[test]
fn a_disk_that_fills_up() {
    let (scratch, end) = (scratch(), scripted::unbroken());
    let mut full = BTreeSet::new();
    for pages in 1.. {
        let Some(disk) = TinyDisk::mount(scratch.path().join(format!("{pages} pages")), pages) else {
            return writeln!(stderr(), "skipped a_disk_that_fills_up: this user may not mount").unwrap();
        };
        let root = disk.0.join("run");
        let Err(error) = run(&root) else { break };
        assert!(error.to_string().contains("; free some space"), "{error}");
        full.extend(
            error.path.strip_prefix(&root).unwrap().components().next().map(|part| part.as_os_str().to_owned()),
        );
        disk.grow();
        if let Err(error) = run(&root) {
            panic!("{pages} pages: {error}");
        }
        assert_same(&contents(&root), end.last().unwrap());
    }
    for part in ["segments", "checkpoints", "manifest.jsonl"] {
        assert!(full.contains(OsStr::new(part)), "{part} always fitted");
    }
}
