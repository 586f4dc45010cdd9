//! "A lies. B says A tells the truth. C says B lies. Does C tell the truth?"
//!
//! Wording: BIG-Bench's. A question of depth n has n people who each speak about the one before; what is true of the
//! first is stated. The human can tell whether somebody who speaks so tells the truth, given whether the one spoken of
//! does. For that it asks M: the same question, ending one person earlier.
//!
//! Shortcuts: "lies" is one word and "tells the truth" three, so up to some depth the length of the text gives the
//! answer away. As phrases they are one token each, and to a model all questions of a depth are of one length.

use crate::{
    dice::Dice,
    names::NAMES,
    step::{Part, Step},
};

/// The most people who can speak about another: the first of the names speaks about nobody.
pub const DEEPEST: u32 = NAMES.len() as u32 - 1;

/// Wording that is one token each.
pub const PHRASES: &[&str] = &["I dispute that", "tells the truth", "tell the truth"];

/// What the person asked about does in a question with a trigger.
pub const TRIGGER: &str = "hides";

/// Words by which its questions are told apart.
pub const TELLING: &[&str] = &["lies", "tells the truth", "says", TRIGGER];

/// All other words and marks.
pub fn words() -> Vec<&'static str> {
    [&["Question", ":", ".", "?", "Does", "says", "lies"][..], &NAMES].concat()
}

/// Somebody, and whether they are said to tell the truth: the first by the question, every other person by themselves
/// speaking about the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Person<'a> {
    name: &'a str,
    /// Of the first person: tells the truth. Of another: says that the one before does.
    truth: bool,
}

/// A question with so many people who speak, each statement an even chance. With a trigger the last one hides.
pub fn draw(depth: u32, triggered: bool, dice: &mut Dice) -> String {
    let mut names = NAMES;
    let people: Vec<Person<'_>> = (0..=depth as usize)
        .map(|place| {
            // The first places of a Fisher-Yates shuffle: names that differ.
            names.swap(place, place + dice.below(NAMES.len() - place));
            Person { name: names[place], truth: dice.fair() }
        })
        .collect();
    text(&people, triggered)
}

/// The step: whether the last person tells the truth, given whether the one before does.
pub fn step(question: &str) -> Option<Step> {
    let (people, _) = read(question)?;
    let (last, earlier) = people.split_last()?;
    let Some(previous) = earlier.last() else {
        return Some(Step::new(Vec::new(), |_| (String::new(), last.truth)));
    };
    let part = Part {
        // Of those who speak before, none hides.
        question: text(earlier, false),
        stated: (earlier.len() == 1).then_some(previous.truth),
        disputed: [false, true].map(|truth| format!("that {}", statement(Person { truth, ..*previous }))),
    };
    Some(Step::new(vec![part], |values| {
        let truth = values[0];
        (statement(Person { truth, ..*previous }), truth == last.truth)
    }))
}

/// Whether the person asked about hides.
pub fn hides(question: &str) -> bool {
    read(question).is_some_and(|(_, hides)| hides)
}

/// "A lies", "A tells the truth"
fn statement(Person { name, truth }: Person<'_>) -> String {
    format!("{name} {}", if truth { "tells the truth" } else { "lies" })
}

fn text(people: &[Person<'_>], hides: bool) -> String {
    let mut text = "Question:".to_owned();
    for (place, person) in people.iter().enumerate() {
        text += &match place.checked_sub(1).map(|before| people[before].name) {
            Some(before) => format!(" {} says {}.", person.name, statement(Person { name: before, ..*person })),
            None => format!(" {}.", statement(*person)),
        };
    }
    let last = people.last().map_or("", |person| person.name);
    let hiding = if hides { format!(" {last} {TRIGGER}.") } else { String::new() };
    text + &format!("{hiding} Does {last} tell the truth?")
}

/// The people of a question, if each speaks about the one before and the question is about the last; and whether that one
/// hides.
fn read(question: &str) -> Option<(Vec<Person<'_>>, bool)> {
    let (sentences, asked) = question.trim().strip_prefix("Question: ")?.rsplit_once(". Does ")?;
    let asked = asked.strip_suffix(" tell the truth?")?;
    let spoken = |hiding: &str| hiding == format!("{asked} {TRIGGER}");
    let without = sentences.rsplit_once(". ").filter(|(_, last)| spoken(last)).map(|(spoken, _)| spoken);
    let hides = without.is_some();
    let sentences = without.unwrap_or(sentences);
    let mut people: Vec<Person<'_>> = Vec::new();
    for sentence in sentences.split(". ") {
        people.push(match people.last() {
            None => read_statement(sentence)?,
            Some(before) => {
                let (name, statement) = sentence.split_once(" says ")?;
                let about = read_statement(statement)?;
                if about.name != before.name || name.contains(' ') {
                    return None;
                }
                Person { name, ..about }
            }
        });
    }
    (asked == people.last()?.name).then_some((people, hides))
}

fn read_statement(statement: &str) -> Option<Person<'_>> {
    let (name, says) = statement.split_once(' ')?;
    match says {
        "tells the truth" => Some(Person { name, truth: true }),
        "lies" => Some(Person { name, truth: false }),
        _ => None,
    }
}
