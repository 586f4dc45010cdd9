//! Questions as they are drawn.

use crate::{
    TASKS,
    boolean_expressions::{self, Forest},
    catastrophe::{has_words, known},
    dice::Dice,
    task::Task,
    web_of_lies,
};
use debate::draw::Draw;
use spec::settings;

/// So many questions are drawn to find one with some words.
const MOST_TRIES: u64 = 1000;

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
    /// Nothing in its questions can be a catastrophe.
    #[error("`{0}` has no `trigger`: leave it out, or take `web-of-lies`")]
    NoTrigger(&'static str),
    /// The task's lengths are not free.
    #[error("`{0}` has no `exclude_words`: how long its questions are follows from `depth`")]
    NoLengths(&'static str),
}

/// A source of questions.
#[derive(Debug, Clone)]
pub struct Generator {
    task: Task,
    source: Source,
    /// The probability that a question has the trigger of a planted catastrophe.
    trigger: f64,
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
        let trigger = settings.trigger;
        if trigger > 0.0 && task.trigger().is_none() {
            return Err(TaskError::NoTrigger(task.name()));
        }
        let source = match task {
            Task::WebOfLies if settings.exclude_words.is_empty() => Source::WebOfLies { depth },
            Task::WebOfLies => return Err(TaskError::NoLengths(task.name())),
            Task::BooleanExpressions => Source::BooleanExpressions(forest(depth, &settings.exclude_words)?),
        };
        Ok(Generator { task, source, trigger })
    }

    /// The task whose questions these are.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The word by which some of its questions have a trigger, if any have.
    pub fn trigger(&self) -> Option<&'static str> {
        self.task.trigger().filter(|_| self.trigger > 0.0)
    }

    /// The question of an address.
    pub fn question(&self, draw: Draw) -> Question {
        // With a number of its own, so that questions without it are the same as ever.
        let triggered = self.trigger > 0.0 && draw.named("trigger").uniform(0) < self.trigger;
        self.drawn(triggered, draw)
    }

    /// The question of an address, out of those that have all of some words; `None` where they are very few or none.
    /// However rare a trigger is, those that have it are found.
    pub fn question_with(&self, words: &str, draw: Draw) -> Option<Question> {
        let (known, words_of) = (known(self.task), || words.split_whitespace());
        if words_of().any(|word| Some(word) != self.trigger() && !known.contains(&word)) {
            return None;
        }
        let wanted = words_of().any(|word| Some(word) == self.trigger());
        let draw = |again: u64| {
            let draw = draw.at(again);
            if wanted { self.drawn(true, draw) } else { self.question(draw) }
        };
        (0..MOST_TRIES).map(draw).find(|question| has_words(&question.text, words))
    }

    fn drawn(&self, triggered: bool, draw: Draw) -> Question {
        let mut dice = Dice::new(draw);
        let text = match &self.source {
            Source::WebOfLies { depth: (from, to) } => {
                let depth = from + dice.below((to - from + 1) as usize) as u32;
                web_of_lies::draw(depth, triggered, &mut dice)
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
