#![doc = include_str!("../docs/README.md")]

/// Pages, each a module without anything but its text.
macro_rules! pages {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(#[doc = include_str!($file)] pub mod $name {})+
    };
}

pages! {
    procedure = "../docs/procedure.md",
    layers = "../docs/layers.md",
    schedules = "../docs/schedules.md",
    turns = "../docs/turns.md",
    debates = "../docs/debates.md",
    tools = "../docs/tools.md",
    calling = "../docs/calling.md",
    consulting = "../docs/consulting.md",
    judging = "../docs/judging.md",
    policy = "../docs/policy.md",
    catastrophes = "../docs/catastrophes.md",
    constrained = "../docs/constrained.md",
    evaluating = "../docs/evaluating.md",
    distances = "../docs/distances.md",
    tables = "../docs/tables.md",
    outputs = "../docs/outputs.md",
    comparing = "../docs/comparing.md",
    snapshots = "../docs/snapshots.md",
}

/// The command line, verb by verb.
pub mod verbs {
    pages! {
        new = "../docs/verbs/new.md",
        list = "../docs/verbs/list.md",
        schema = "../docs/verbs/schema.md",
        check = "../docs/verbs/check.md",
        plan = "../docs/verbs/plan.md",
        run = "../docs/verbs/run.md",
        resume = "../docs/verbs/resume.md",
        fork = "../docs/verbs/fork.md",
        evaluate = "../docs/verbs/evaluate.md",
        show = "../docs/verbs/show.md",
        compare = "../docs/verbs/compare.md",
        snapshot = "../docs/verbs/snapshot.md",
        cache = "../docs/verbs/cache.md",
        completions = "../docs/verbs/completions.md",
        man = "../docs/verbs/man.md",
    }
}

/// The pipeline file: what stands above all tables, and the kinds, each with an example, its keys and the tables it makes.
///
/// A key is required, has a default, is one of several of which one is given, or is optional. Another value of it changes
/// tables, weights, metrics, which checkpoints or snapshots are kept, warnings, or only speed: the first of these is told. Where a key
/// has keys of its own, they have points before them, as in `--set train.step.adamw.clip=0.5`.
pub mod kinds {
    pages! {
        pipeline = "../docs/kinds/pipeline.md",
        model = "../docs/kinds/model.md",
        human = "../docs/kinds/human.md",
        amplify = "../docs/kinds/amplify.md",
        milestone = "../docs/kinds/milestone.md",
        sample = "../docs/kinds/sample.md",
        debate = "../docs/kinds/debate.md",
        judge = "../docs/kinds/judge.md",
        penalty = "../docs/kinds/penalty.md",
        loss = "../docs/kinds/loss.md",
        train = "../docs/kinds/train.md",
        sync = "../docs/kinds/sync.md",
        evaluate = "../docs/kinds/evaluate.md",
        read = "../docs/kinds/read.md",
        filter = "../docs/kinds/filter.md",
        sql = "../docs/kinds/sql.md",
        join = "../docs/kinds/join.md",
        command = "../docs/kinds/command.md",
        answer = "../docs/kinds/answer.md",
        write = "../docs/kinds/write.md",
    }
}
