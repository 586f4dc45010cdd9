//! The file as a whole.

use std::{ops::Bound, path::Path};

use toml::de::DeTable;

use crate::{
    Catalogue, Reading,
    layers::merged,
    parties::{amplify, human, model},
    penalty::penalty,
    place::Places,
    problem::Problem,
    schedule::milestone,
    settings::{Checkpoint, Named, Pipeline, Snapshot, Stage, Watch},
    source::Sources,
    stages::{
        debate, evaluate, judge,
        loss::loss,
        sync,
        tables::{answer, command, ends, filter, join, read as read_rows, sample, sql, write},
        train,
    },
    table::Table,
    value::{Notes, Value},
};

/// Reads a pipeline file that stands for itself.
pub fn read(text: &str, catalogue: &Catalogue) -> Reading {
    read_sources(&Sources::of_text("", Path::new(""), text), catalogue)
}

/// Reads a pipeline. It always gives one: where a value cannot be used, a default takes its place and a problem says so,
/// so that the rest can be checked. Only a pipeline without problems means what its sources say. Where one of them is
/// not there or not TOML, nothing more is read.
pub fn read_sources(sources: &Sources, catalogue: &Catalogue) -> Reading {
    let (document, mut problems) = merged(sources);
    let mut notes = Notes {
        catalogue: catalogue.clone(),
        sources: sources.clone(),
        problems: Vec::new(),
        places: Places::default(),
    };
    let mut pipeline = pipeline(&document.clone().unwrap_or_default(), &mut notes);
    pipeline.places = notes.places;
    if document.is_some() {
        problems.extend(notes.problems);
        problems.extend(same_names(&pipeline.stages));
    }
    if pipeline.stages.is_empty() && problems.is_empty() {
        let help = "the first is usually `[sample.questions]`";
        problems.push(Problem::new(sources.beginning(), "the file has no stages: nothing would be done").help(help));
    }
    problems.sort_by_key(|problem| problem.span.start);
    Reading { pipeline, problems }
}

fn pipeline(document: &DeTable<'_>, notes: &mut Notes) -> Pipeline {
    let beginning = notes.sources.beginning();
    let mut file = Table::new(notes, document, String::new(), beginning);
    // Which file this one extends was found out when the files were opened.
    file.optional("extends", extends);
    let pipeline = Pipeline {
        seed: file.required("seed", 0, |value| value.whole(..)),
        batches: file.optional("batches", |value| value.whole(1..)),
        workers: file.or("workers", 2, |value| value.whole(1..)),
        lag: file.or("lag", 0, |value| value.whole(0..=64)),
        checkpoint: file.or("checkpoint", Checkpoint::default(), |value| value.table(checkpoint)),
        snapshot: file.or("snapshot", Snapshot::default(), |value| value.table(snapshot)),
        watch: file.or("watch", Watch::default(), |value| value.table(watch)),
        models: file.kind("model", model),
        humans: file.kind("human", human),
        amplifies: file.kind("amplify", amplify),
        milestones: file.kind("milestone", milestone),
        stages: stages(&mut file),
        places: Places::default(),
        unread: file.unread(),
    };
    if !ends(&pipeline.stages) {
        file.require("batches");
    }
    file.finish();
    pipeline
}

fn extends(value: &mut Value<'_>) -> Option<String> {
    if value.notes.sources.at(&value.span()).0.is_set() {
        let problem = Problem::new(value.span(), "`extends` is of files: a setting comes too late for it");
        return value.problem(problem.help("run that file, and give this one with `--overlay`"));
    }
    value.text()
}

fn checkpoint(table: &mut Table<'_>) -> Checkpoint {
    let default = Checkpoint::default();
    Checkpoint {
        every: table.or("every", default.every, |value| value.whole(1..)),
        keep_last: table.or("keep_last", default.keep_last, |value| value.whole(1..)),
        best: table.optional("best", |value| value.reference()),
    }
}

fn snapshot(table: &mut Table<'_>) -> Snapshot {
    let default = Snapshot::default();
    Snapshot {
        batches: table.or("batches", default.batches, |value| value.whole(1..)),
        rows: table.or("rows", default.rows, |value| value.whole(1..)),
        columns: table.or("columns", default.columns, |value| value.some(|name| name.reference())),
        decimals: table.or("decimals", default.decimals, |value| value.whole(0..=9)),
        volatile: table.or("volatile", default.volatile, |value| value.list(|name| name.reference())),
    }
}

fn watch(table: &mut Table<'_>) -> Watch {
    let (default, share) = (Watch::default(), (Bound::Excluded(0.0), Bound::Included(1.0)));
    Watch {
        null_rewards: table.or("null_rewards", default.null_rewards, |value| value.number(share)),
        batches: table.or("batches", default.batches, |value| value.whole(1..)),
    }
}

/// All stages, in the order of the file.
fn stages(file: &mut Table<'_>) -> Vec<Named<Stage>> {
    let mut stages = Vec::new();
    stages.extend(file.kind("sample", |table| Stage::Sample(sample(table))));
    stages.extend(file.kind("debate", |table| Stage::Debate(debate(table))));
    stages.extend(file.kind("judge", |table| Stage::Judge(judge(table))));
    stages.extend(file.kind("penalty", |table| Stage::Penalty(penalty(table))));
    stages.extend(file.kind("loss", |table| Stage::Loss(loss(table))));
    stages.extend(file.kind("train", |table| Stage::Train(train(table))));
    stages.extend(file.kind("sync", |table| Stage::Sync(sync(table))));
    stages.extend(file.kind("evaluate", |table| Stage::Evaluate(evaluate(table))));
    stages.extend(file.kind("read", |table| Stage::Read(read_rows(table))));
    stages.extend(file.kind("filter", |table| Stage::Filter(filter(table))));
    stages.extend(file.kind("sql", |table| Stage::Sql(sql(table))));
    stages.extend(file.kind("join", |table| Stage::Join(join(table))));
    stages.extend(file.kind("command", |table| Stage::Command(command(table))));
    stages.extend(file.kind("answer", |table| Stage::Answer(answer(table))));
    stages.extend(file.kind("write", |table| Stage::Write(write(table))));
    stages.sort_by_key(|stage| stage.span.start);
    stages
}

/// Stage names are unique across kinds, because tables are called by them.
fn same_names(stages: &[Named<Stage>]) -> Vec<Problem> {
    let earlier = |i: usize| stages[..i].iter().find(|stage| stage.name == stages[i].name);
    let again = |i: usize| {
        let message = format!("a {} stage is called `{}` already", earlier(i)?.settings.kind(), stages[i].name);
        let help = "tables are called by the stage that makes them: give each stage a name of its own";
        Some(Problem::new(stages[i].span.clone(), message).help(help))
    };
    (0..stages.len()).filter_map(again).collect()
}
