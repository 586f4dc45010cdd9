//! Questions as they are drawn.

use crate::{
    TASKS,
    boolean_expressions::{self, Forest},
    dice::Dice,
    task::Task,
    web_of_lies,
};
use debate::draw::Draw;
use spec::settings;

/// A question with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// The right answer: for evaluation only.
    pub gold: String,
    /// Steps from the question to what is stated in it.
    pub depth: u32,
}

/// Why a task has no questions for some settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// Nothing is called so.
    #[error("no task is called `{0}`: the tasks are {list}", list = TASKS.join(", "))]
    Name(String),
    /// The range is empty, or has depths that the task does not have.
    #[error(
        "`{task}` has questions of depth 0 to {deepest}: set `depth = [fewest, most]` within that range, not [{from}, {to}]"
    )]
    Depth {
        /// The task.
        task: &'static str,
        /// The fewest steps wanted.
        from: u32,
        /// The most steps wanted.
        to: u32,
        /// The most steps the task has.
        deepest: u32,
    },
    /// There are no questions of that depth with other lengths.
    #[error(
        "`exclude_words` leaves `{task}` no question of depth {depth}, where questions have {shortest} to {longest} words: \
         exclude fewer lengths, or leave that depth out of `depth`"
    )]
    Exhausted {
        /// The task.
        task: &'static str,
        /// The depth.
        depth: u32,
        /// The fewest words of a question of that depth.
        shortest: u32,
        /// The most words of a question.
        longest: u32,
    },
    /// The task's lengths are not free.
    #[error("`{0}` has no `exclude_words`: how long its questions are follows from `depth`")]
    NoLengths(&'static str),
}

/// A source of questions.
#[derive(Debug, Clone)]
pub struct Generator {
    task: Task,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    WebOfLies { depth: (u32, u32) },
    BooleanExpressions(Forest),
}

impl Generator {
    /// The generator for some settings, which are checked here once and for all.
    pub fn new(settings: &settings::Task) -> Result<Self, TaskError> {
        let task = Task::from_name(&settings.name).ok_or_else(|| TaskError::Name(settings.name.clone()))?;
        let depth @ (from, to) = settings.depth;
        let deepest = deepest(task);
        if from > to || to > deepest {
            return Err(TaskError::Depth { task: task.name(), from, to, deepest });
        }
        let source = match task {
            Task::WebOfLies if settings.exclude_words.is_empty() => Source::WebOfLies { depth },
            Task::WebOfLies => return Err(TaskError::NoLengths(task.name())),
            Task::BooleanExpressions => Source::BooleanExpressions(forest(depth, &settings.exclude_words)?),
        };
        Ok(Generator { task, source })
    }

    /// The task whose questions these are.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The question of an address.
    pub fn question(&self, draw: Draw) -> Question {
        let mut dice = Dice::new(draw);
        let text = match &self.source {
            Source::WebOfLies { depth: (from, to) } => {
                let depth = from + dice.below((to - from + 1) as usize) as u32;
                web_of_lies::draw(depth, &mut dice)
            }
            Source::BooleanExpressions(forest) => boolean_expressions::question(&forest.draw(&mut dice)),
        };
        let known = "a drawn question is a question of its task";
        let gold = self.task.gold(&text).expect(known).to_owned();
        Question { depth: self.task.depth(&text).expect(known), gold, text }
    }
}

fn deepest(task: Task) -> u32 {
    match task {
        Task::WebOfLies => web_of_lies::DEEPEST,
        Task::BooleanExpressions => boolean_expressions::DEEPEST,
    }
}

fn forest(depth: (u32, u32), exclude: &[u32]) -> Result<Forest, TaskError> {
    let exhausted = |depth: u32| TaskError::Exhausted {
        task: Task::BooleanExpressions.name(),
        depth,
        shortest: depth + 1,
        longest: boolean_expressions::LONGEST,
    };
    Forest::new(depth, exclude).map_err(exhausted)
}
