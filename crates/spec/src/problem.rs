//! What is wrong with a pipeline file. A problem is data: whoever talks to the user draws it.

use crate::place::Span;

/// Something wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// The culprit: the key if the key is wrong, the value if the value is.
    pub span: Span,
    /// A few words to stand at the culprit.
    pub label: Option<String>,
    /// The remedy.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Problem { message: message.into(), span, label: None, help: None }
    }

    /// The problem, with words to stand at the culprit.
    pub fn labelled(self, label: impl Into<String>) -> Self {
        Problem { label: Some(label.into()), ..self }
    }

    /// The problem, with its remedy.
    pub fn help(self, help: impl Into<String>) -> Self {
        Problem { help: Some(help.into()), ..self }
    }
}

/// The remedy for a name that is none of the valid ones: the nearest, if one is near, and all of them.
pub fn instead<'a>(wrong: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.into_iter().collect();
    match nearest(wrong, valid.iter().copied()) {
        Some(near) if valid.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? valid are {}", list(valid)),
        None if valid.len() == 1 => format!("the only one is {}", list(valid)),
        None => format!("valid are {}", list(valid)),
    }
}

/// The valid name that was probably meant: at most a third of its letters differ.
pub fn nearest<'a>(wrong: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::osa_distance(wrong, name);
    let near = |name: &&str| distance(name) * 3 <= name.len().max(4);
    valid.into_iter().filter(near).min_by_key(|name| distance(name))
}

/// Names in words: `` `a`, `b` and `c` ``.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
        None => "none".to_owned(),
    }
}
