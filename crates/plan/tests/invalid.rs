//! Every file of `tests/invalid` is refused, each problem at its culprit. A file's first lines may say what goes over it:
//! `#! --overlay FILE`, `#! --set KEY=VALUE`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod rows;

use std::{
    fs,
    path::{Path, PathBuf},
};

use spec::{Catalogue, Problem, Sources, Span};

#[test]
fn invalid_files_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/invalid");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    assert!(files.len() >= 70);
    for file in files {
        let sources = sources(&file);
        let name = file.file_stem().unwrap().to_str().unwrap();
        let problems = problems(&sources);
        assert!(!problems.is_empty(), "{name} has no problems");
        problems.iter().for_each(|problem| assert_at_culprit(&sources, problem));
        let report: String = problems.iter().map(|problem| describe(&sources, problem)).collect();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, report.replace(&format!("{}/", folder.display()), ""));
        });
    }
}

fn sources(file: &Path) -> Sources {
    let text = fs::read_to_string(file).unwrap();
    let flags: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("#! ")).collect();
    let of = |flag: &str| -> Vec<String> {
        flags.iter().filter_map(|line| line.strip_prefix(flag)).map(str::to_owned).collect()
    };
    let overlays: Vec<PathBuf> = of("--overlay ").iter().map(|path| file.with_file_name(path)).collect();
    Sources::open(file, &overlays, &of("--set ")).unwrap()
}

fn problems(sources: &Sources) -> Vec<Problem> {
    let catalogue = Catalogue {
        tasks: vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()],
        scripts: vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()],
    };
    let reading = spec::read_sources(sources, &catalogue);
    let mut problems = reading.problems;
    problems.extend(plan::plan(&reading.pipeline, &rows::Rows).err().unwrap_or_default());
    problems.sort_by_key(|problem| problem.span.start);
    problems
}

/// The line in which a place begins, and the letters before it in that line.
fn line<'t>(text: &'t str, span: &Span) -> (usize, usize, &'t str) {
    let before = &text[..span.start];
    let (row, start) = (before.matches('\n').count(), before.rfind('\n').map_or(0, |newline| newline + 1));
    (row, before[start..].chars().count(), text[start..].lines().next().unwrap_or_default())
}

/// Only what is missing, or has a wrong name, is charged to the header of its table.
fn assert_at_culprit(sources: &Sources, problem: &Problem) {
    let (source, span) = sources.at(&problem.span);
    let (_, _, line) = line(source.text(), &span);
    let message = &problem.message;
    let may =
        message.contains(" need") || message.contains("name") || message.contains("kind") || message.contains("called");
    assert!(
        !line.starts_with('[')
            || may
            || message.contains("TOML")
            || message.contains("list of tables")
            || message.contains("no room"),
        "{line}: {message}"
    );
}

/// `line:column: message`, the line with its culprit marked, and the remedy. Other sources than the file have a name.
fn describe(sources: &Sources, problem: &Problem) -> String {
    let (source, span) = sources.at(&problem.span);
    let (row, column, line) = line(source.text(), &span);
    let name = match source == sources.at(&sources.beginning()).0 {
        true => String::new(),
        false => format!("{}:", source.name),
    };
    let culprit = source.text()[span].lines().next().unwrap_or_default().chars().count();
    let label = problem.label.as_deref().unwrap_or_default();
    let lines = [
        format!("{name}{}:{}: {}", row + 1, column + 1, problem.message),
        format!("    {line}"),
        format!("    {}{} {label}", " ".repeat(column), "^".repeat(culprit.max(1))).trim_end().to_owned(),
        problem.help.as_ref().map_or("no help".to_owned(), |help| format!("help: {help}")),
    ];
    lines.join("\n") + "\n\n"
}
