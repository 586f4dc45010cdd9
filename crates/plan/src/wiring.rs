//! Wiring: which tables each stage takes, from which stage, and what it waits for. Stages are known by their place in
//! the file here; the order of execution comes later.

use spec::{
    Problem,
    settings::{BaselineOf, Evaluate, Judge, Loss, Named, Reference, Stage},
};

use crate::{
    Edge,
    names::{Found, Names, STAGES},
    shapes,
};

/// What a table is to the stage that takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The questions of a batch.
    Questions,
    /// Their gold answers.
    Gold,
    /// The arguments of debates.
    Arguments,
    /// The calls to M and H behind arguments or verdicts.
    Calls,
    /// The moves of H behind them, where a model learns these.
    Steps,
    /// Who won.
    Verdicts,
    /// The proposals of a penalty.
    Proposals,
    /// What M answered to them, and what that costs.
    Penalised,
    /// The calls behind both.
    PenaltyCalls,
    /// The sequences to train on.
    Examples,
    /// The questions to be answered, perhaps with gold answers beside them, which are not looked at.
    Asked,
    /// Rows of any kind.
    Rows,
    /// Rows of any kind, that others are joined with.
    Right,
}

impl Role {
    /// The kinds of stages that make such tables.
    pub(crate) fn made_by(self) -> &'static [&'static str] {
        match self {
            Role::Questions | Role::Asked => &["sample", "read", "filter", "sql", "join", "command"],
            Role::Gold => &["sample"],
            Role::Arguments | Role::Calls => &["debate"],
            Role::Steps => &["debate", "judge"],
            Role::Verdicts => &["judge"],
            Role::Proposals | Role::Penalised | Role::PenaltyCalls => &["penalty"],
            Role::Examples => &["loss"],
            Role::Rows | Role::Right => &STAGES,
        }
    }

    /// The columns that it needs, and their types.
    pub(crate) fn columns(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Role::Questions | Role::Asked => &[("id", "u64"), ("text", "str")],
            Role::Gold => &[("id", "u64"), ("gold", "str")],
            Role::Proposals => &[("proposal", "u64"), ("product", "f64")],
            Role::Penalised => &[("question", "u64"), ("cost", "f64")],
            Role::Arguments => &[("question", "u64"), ("turn", "u32"), ("text", "str")],
            Role::Calls | Role::PenaltyCalls => &[
                ("question", "u64"),
                ("asked", "str"),
                ("turn", "u32"),
                ("part", "str"),
                ("prompt", "str"),
                ("answer", "str"),
                ("kept", "bool"),
                ("tokens", "[u32]"),
                ("log_probs", "[f32]"),
            ],
            Role::Steps => &[
                ("question", "u64"),
                ("turn", "u32"),
                ("human", "str"),
                ("by", "str"),
                ("prompt_tokens", "[u32]"),
                ("tokens", "[u32]"),
            ],
            Role::Verdicts => &[("question", "u64"), ("winner", "str"), ("reward", "f32")],
            Role::Examples => &[
                ("question", "u64"),
                ("tokens", "[u32]"),
                ("prompt_length", "u32"),
                ("supervised", "f32"),
                ("advantage", "f32"),
                ("log_probs", "[f32]"),
            ],
            Role::Rows | Role::Right => &[],
        }
    }
}

/// What a stage takes, and what it waits for beside.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    pub(crate) inputs: Vec<Edge>,
    pub(crate) after: Vec<usize>,
}

impl Wires {
    /// All stages that must be done before.
    pub(crate) fn before(&self) -> Vec<usize> {
        self.inputs.iter().map(|edge| edge.stage).chain(self.after.iter().copied()).collect()
    }
}

/// Wires up every stage as far as it can be; what cannot is a problem.
pub(crate) fn wire(names: Names<'_>, problems: &mut Vec<Problem>) -> Vec<Wires> {
    let stages = names.pipeline.stages.iter();
    stages.map(|stage| Wires { inputs: inputs(names, stage, problems), after: after(names, stage, problems) }).collect()
}

/// The stage it names in `after`.
fn after(names: Names<'_>, stage: &Named<Stage>, problems: &mut Vec<Problem>) -> Vec<usize> {
    let mention = match &stage.settings {
        Stage::Sync(sync) => &sync.after,
        Stage::Evaluate(evaluate) => &evaluate.after,
        _ => return Vec::new(),
    };
    kept(names.stage(mention, &STAGES), problems).into_iter().collect()
}

fn inputs(names: Names<'_>, stage: &Named<Stage>, problems: &mut Vec<Problem>) -> Vec<Edge> {
    match &stage.settings {
        Stage::Sample(_) | Stage::Sync(_) | Stage::Read(_) => Vec::new(),
        Stage::Debate(debate) => kept(names.table(&debate.from, Role::Questions), problems).into_iter().collect(),
        Stage::Judge(judge) => judge_inputs(names, judge, problems),
        Stage::Penalty(penalty) => kept(names.table(&penalty.from, Role::Questions), problems).into_iter().collect(),
        Stage::Loss(loss) => loss_inputs(names, loss, problems),
        Stage::Train(train) => kept(names.table(&train.from, Role::Examples), problems).into_iter().collect(),
        Stage::Evaluate(evaluate) => evaluate_inputs(names, evaluate, problems),
        Stage::Answer(answer) => kept(names.rows(&answer.from, Role::Asked), problems).into_iter().collect(),
        Stage::Filter(_) | Stage::Sql(_) | Stage::Join(_) | Stage::Command(_) | Stage::Write(_) => {
            row_inputs(names, &stage.settings, problems)
        }
    }
}

/// A stage on plain tables takes any; what stands on the right of a join is the second.
fn row_inputs(names: Names<'_>, stage: &Stage, problems: &mut Vec<Problem>) -> Vec<Edge> {
    let role = |i: usize| if i == 1 && matches!(stage, Stage::Join(_)) { Role::Right } else { Role::Rows };
    let mentions = shapes::inputs(stage).into_iter().enumerate();
    mentions.filter_map(|(i, mention)| kept(names.rows(mention, role(i)), problems)).collect()
}

/// A judge reads the arguments, and the questions that they are about.
fn judge_inputs(names: Names<'_>, judge: &Judge, problems: &mut Vec<Problem>) -> Vec<Edge> {
    let Some(arguments) = kept(names.table(&judge.from, Role::Arguments), problems) else { return Vec::new() };
    let questions = questions_of(names, &arguments);
    [arguments].into_iter().chain(questions).collect()
}

/// A loss takes whole bundles: what was said, and every call behind it; and the questions, where it groups debates by them.
fn loss_inputs(names: Names<'_>, loss: &Loss, problems: &mut Vec<Problem>) -> Vec<Edge> {
    if loss.steps_of.is_some() {
        return loss.from.iter().filter_map(|mention| kept(steps_of(names, mention), problems)).collect();
    }
    let bundle = |mention: &Reference| {
        let stage = names.maker(mention, &["debate", "judge", "penalty"])?;
        let (part, role, of_calls) = match names.settings(stage) {
            Stage::Penalty(_) if loss.proposals => ("", Role::Proposals, Role::PenaltyCalls),
            Stage::Penalty(_) => (".answers", Role::Penalised, Role::PenaltyCalls),
            Stage::Judge(_) => ("", Role::Verdicts, Role::Calls),
            _ => ("", Role::Arguments, Role::Calls),
        };
        let own = names.edge(stage, &format!("{}{part}", mention.name), mention, role)?;
        let calls = names.edge(stage, &format!("{}.calls", mention.name), mention, of_calls)?;
        Ok([own, calls])
    };
    let mut edges: Vec<Edge> =
        loss.from.iter().filter_map(|mention| kept(bundle(mention), problems)).flatten().collect();
    let arguments = edges.iter().find(|edge| edge.role == Role::Arguments && loss.baseline == BaselineOf::Group);
    edges.extend(arguments.and_then(|arguments| questions_of(names, arguments)));
    edges
}

/// The moves of H in a stage. That it has none is told of what they were to teach.
fn steps_of(names: Names<'_>, mention: &Reference) -> Found<Edge> {
    let stage = names.maker(mention, Role::Steps.made_by())?;
    names.edge(stage, &format!("{}.steps", mention.name), mention, Role::Steps).map_err(|_| None)
}

/// Verdicts are right or wrong by the gold answers of the questions argued about.
fn evaluate_inputs(names: Names<'_>, evaluate: &Evaluate, problems: &mut Vec<Problem>) -> Vec<Edge> {
    let Some(mention) = &evaluate.verdicts else { return Vec::new() };
    let Some(verdicts) = kept(names.table(mention, Role::Verdicts), problems) else { return Vec::new() };
    let Stage::Judge(judge) = names.settings(verdicts.stage) else { return Vec::new() };
    let Ok(arguments) = names.table(&judge.from, Role::Arguments) else { return vec![verdicts] };
    let Some(questions) = questions_of(names, &arguments) else { return vec![verdicts, arguments] };
    let gold = kept(gold_of(names, questions, mention), problems);
    [verdicts, arguments].into_iter().chain(gold).collect()
}

/// The gold answers of questions: those of the stage that drew them, before any were filtered out.
fn gold_of(names: Names<'_>, questions: Edge, mention: &Reference) -> Found<Edge> {
    match names.settings(questions.stage) {
        Stage::Sample(_) => Ok(Edge { table: format!("{}.gold", questions.table), role: Role::Gold, ..questions }),
        Stage::Filter(filter) => gold_of(names, names.rows(&filter.from, Role::Rows).map_err(|_| None)?, mention),
        _ => {
            let message =
                format!("the gold answers of `{}` are not known, by which verdicts are right", questions.table);
            let help = "let the debate take its questions from a `sample` stage, or from one through `filter`";
            Err(Some(Problem::new(mention.span.clone(), message).help(help)))
        }
    }
}

/// The questions that arguments are about. A problem with them is the debate's, and told there.
fn questions_of(names: Names<'_>, arguments: &Edge) -> Option<Edge> {
    let Stage::Debate(debate) = names.settings(arguments.stage) else { return None };
    names.table(&debate.from, Role::Questions).ok()
}

/// Keeps what was found, or notes the problem.
fn kept<T>(found: Found<T>, problems: &mut Vec<Problem>) -> Option<T> {
    found.map_err(|problem| problems.extend(problem)).ok()
}
