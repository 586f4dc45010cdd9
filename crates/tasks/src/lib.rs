//! Question generators and their scripted humans.
//!
//! A task is a kind of question whose answer is one of two words and can be worked out step by step, each step resting
//! on the answers to simpler questions, its *parts*. That one step (`step.rs`) is all that the weak human
//! of a task can do: `human.rs` says once, for all tasks, how such a human argues, disputes and judges, in the wording
//! of `argument.rs`, and `deceiver.rs` how one deceives. So the file of a task holds only what is its own: its wording, its step, its generator.
//!
//! # Shortcuts
//!
//! A question's surface should not give its answer away, or a model need not take a single step to be right. How much
//! it does tell, measured: the accuracy, in percent, of a logistic regression on the number of tokens and on how often
//! each occurs, fitted to 3,000 questions of one depth and tested on as many others. The majority answer is right for
//! 50 to 52. The last row is what nobody can exceed who looks at such counts alone, however cleverly.
//!
//! | depth | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | `web-of-lies` | 100 | 50 | 50 | 50 | 50 | 50 | 50 | 50 |
//! | `boolean-expressions` without 8 words | 100 | 81 | 60 | 54 | 54 | 57 | 59 | 64 |
//! | its upper bound | 100 | 100 | 64 | 57 | 56 | 58 | 62 | 68 |
//!
//! A question of depth 0 states its answer. In a web of lies "lies" and "tells the truth" are one token each, since
//! with three words for the second, the length of the text tells the answer. What is left is that the lies are odd in
//! number where the answer is no: that is the task itself, and nothing linear sees it. Among expressions the words of
//! some force the answer (`True and True`, `not not not False`); such are drawn four times less often than others, and
//! where the words leave the answer open, it is drawn by a fair coin.

mod argument;
mod boolean_expressions;
mod catastrophe;
mod deceiver;
mod dice;
mod generator;
mod human;
mod names;
mod step;
mod task;
mod web_of_lies;

pub use argument::UNDECIDED;
pub use catastrophe::likelihoods;
pub use deceiver::Deceiver;
pub use generator::{Generator, Question, TaskError};
pub use human::WeakHuman;
pub use task::Task;

use spec::settings::Asks;

/// The names of all tasks.
pub const TASKS: &[&str] = &[Task::WebOfLies.name(), Task::BooleanExpressions.name()];

/// The names of all scripted humans: each task has one, called as the task is.
pub const SCRIPTS: &[&str] = TASKS;

/// The human that runs a script.
pub fn human(script: &str) -> Option<Box<dyn debate::human::Human>> {
    human_who(script, Asks::AtOnce, &[])
}

/// The same, who asks its questions in a way, and deceives on questions with one of some texts in them.
pub fn human_who(script: &str, asks: Asks, deceives: &[String]) -> Option<Box<dyn debate::human::Human>> {
    let human = WeakHuman { task: Task::of_script(script)?, asks };
    Some(if deceives.is_empty() { Box::new(human) } else { Box::new(Deceiver { human, marks: deceives.to_vec() }) })
}

/// How many steps lie between a question of any task and what is stated in it.
pub fn depth(question: &str) -> Option<u32> {
    Task::ALL.into_iter().find_map(|task| task.depth(question))
}

/// The right answer to a question of any task.
pub fn gold(question: &str) -> Option<&'static str> {
    Task::ALL.into_iter().find_map(|task| task.gold(question))
}
