//! Every file of `tests/invalid` is refused, each problem at its culprit.

use std::{fs, path::Path};

use spec::{Catalogue, Problem};

#[test]
fn invalid_files_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/invalid");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 24);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let report: String = problems(&text).iter().map(|problem| describe(&text, problem)).collect();
        assert!(!report.is_empty(), "{name} has no problems");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, report);
        });
    }
}

fn problems(text: &str) -> Vec<Problem> {
    let catalogue = Catalogue {
        tasks: vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()],
        scripts: vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()],
    };
    let reading = spec::read(text, &catalogue);
    let mut problems = reading.problems;
    problems.extend(plan::plan(&reading.pipeline).err().unwrap_or_default());
    problems.sort_by_key(|problem| problem.span.start);
    problems
}

/// `line:column: message`, the line with its culprit marked, and the remedy.
fn describe(text: &str, problem: &Problem) -> String {
    let before = &text[..problem.span.start];
    let (row, start) = (before.matches('\n').count(), before.rfind('\n').map_or(0, |newline| newline + 1));
    let column = before[start..].chars().count();
    let culprit = text[problem.span.clone()].lines().next().unwrap_or_default().chars().count();
    let label = problem.label.as_deref().unwrap_or_default();
    let lines = [
        format!("{}:{}: {}", row + 1, column + 1, problem.message),
        format!("    {}", text[start..].lines().next().unwrap_or_default()),
        format!("    {}{} {label}", " ".repeat(column), "^".repeat(culprit.max(1))).trim_end().to_owned(),
        problem.help.as_ref().map_or("no help".to_owned(), |help| format!("help: {help}")),
    ];
    lines.join("\n") + "\n\n"
}
