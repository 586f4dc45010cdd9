//! Question generators and their scripted humans.
//!
//! A task is a kind of question whose answer is one of two words and can be worked out step by step, each step resting
//! on the answers to simpler questions, its *parts*. That one step (`step.rs`) is all that the weak human
//! of a task can do: `human.rs` says once, for all tasks, how such a human argues, disputes and judges, in the wording
//! of `argument.rs`. So the file of a task holds only what is its own: its wording, its step, its generator.

mod argument;
mod boolean_expressions;
mod dice;
mod generator;
mod human;
mod names;
mod step;
mod task;
mod web_of_lies;

pub use generator::{Generator, Question, TaskError};
pub use human::WeakHuman;
pub use task::Task;

/// The names of all tasks.
pub const TASKS: &[&str] = &[Task::WebOfLies.name(), Task::BooleanExpressions.name()];

/// The names of all scripted humans: each task has one, called as the task is.
pub const SCRIPTS: &[&str] = TASKS;

/// The human that runs a script.
pub fn human(script: &str) -> Option<Box<dyn debate::human::Human>> {
    Task::of_script(script).map(|task| Box::new(WeakHuman { task }) as Box<dyn debate::human::Human>)
}

/// How many steps lie between a question of any task and what is stated in it.
pub fn depth(question: &str) -> Option<u32> {
    Task::ALL.into_iter().find_map(|task| task.depth(question))
}

/// The right answer to a question of any task.
pub fn gold(question: &str) -> Option<&'static str> {
    Task::ALL.into_iter().find_map(|task| task.gold(question))
}
