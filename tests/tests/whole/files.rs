//! What holds of the Rust files themselves.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every Rust file of the workspace; what begins with a dot is none of it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let own = entries.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    own.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    })
    .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
    .collect()
}

fn workspace() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    ["crates", "tests"].iter().flat_map(|folder| files(&root.join(folder))).collect()
}

#[test]
fn a_file_can_be_read_at_one_sitting() {
    for path in workspace() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines; cut it in two", path.display());
    }
}

/// A test binary that has a folder names the files there in its `main.rs`. One that is not named is not compiled, and
/// nobody is told.
#[test]
fn no_test_is_left_out_in_silence() {
    let all = workspace();
    let binary = |path: &Path| path.ends_with("main.rs") && path.ancestors().nth(2).unwrap().ends_with("tests");
    for main in all.iter().filter(|path| binary(path)) {
        let named = fs::read_to_string(main).unwrap();
        for file in all.iter().filter(|path| path.parent() == main.parent() && *path != main) {
            let name = file.file_stem().unwrap().to_string_lossy();
            assert!(named.contains(&format!("mod {name};")), "{} does not name {name}", main.display());
        }
    }
}
