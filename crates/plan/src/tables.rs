//! The tables that stages make: one function each. A column carries its meaning in its metadata, under `doc`; gold
//! answers carry theirs under `gold`, which is how a leak is found.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use spec::settings::{
    Answer, Debate, Evaluate, History, Judge, Loss, OnBadQuestion, OnError, Reply, Sees, Stage, Weight,
};

use crate::{Output, shapes::gold as marked_gold};

/// The tables of a stage, first the one that bears its name.
pub(crate) fn outputs(name: &str, stage: &Stage) -> Vec<Output> {
    let own = |schema| Output { table: name.to_owned(), schema, kept: true };
    let part = |part: &str, schema| Output { table: format!("{name}.{part}"), schema, kept: true };
    let skipped =
        |on_error, schema: SchemaRef| (on_error == OnBadQuestion::Skip).then(|| part("errors", schema.clone()));
    match stage {
        // What stands in a row of a file may be the gold answer.
        Stage::Sample(sample) => [own(questions()), part("gold", gold())]
            .into_iter()
            .chain(skipped(sample.on_error, errors_of(&gold())))
            .collect(),
        Stage::Debate(debate) => {
            let tables = [own(arguments(debate)), part("calls", calls_of(debate))];
            tables.into_iter().chain(skipped(debate.on_error, errors())).collect()
        }
        Stage::Judge(judge) => vec![own(verdicts(judge)), part("calls", calls())],
        Stage::Penalty(_) => vec![own(proposals()), part("answers", penalised()), part("calls", calls_of_penalty())],
        Stage::Loss(loss) => vec![own(examples(loss))],
        Stage::Train(_) | Stage::Sync(_) => Vec::new(),
        Stage::Evaluate(evaluate) => vec![own(counts()), part("answers", answers(evaluate))],
        Stage::Answer(answer) => {
            let errors = (answer.on_error != OnError::Fail).then(|| part("errors", errors()));
            [own(answered(answer)), part("calls", calls())].into_iter().chain(errors).collect()
        }
        Stage::Write(_) => vec![own(written())],
        Stage::Read(_) | Stage::Filter(_) | Stage::Sql(_) | Stage::Join(_) | Stage::Command(_) => Vec::new(),
    }
}

/// The tables of a stage whose rows have columns of their own.
pub(crate) fn rows(name: &str, stage: &Stage, schema: SchemaRef) -> Vec<Output> {
    let (kept, on_error) = match stage {
        Stage::Read(read) => (read.keep, read.on_error),
        Stage::Filter(filter) => (filter.keep, OnError::Fail),
        Stage::Sql(sql) => (sql.keep, OnError::Fail),
        Stage::Join(join) => (join.keep, OnError::Fail),
        Stage::Command(command) => (true, command.on_error),
        _ => (true, OnError::Fail),
    };
    let errors = || Output { table: format!("{name}.errors"), schema: errors_of(&schema), kept: true };
    let errors = (on_error != OnError::Fail).then(errors);
    [Output { table: name.to_owned(), schema, kept }].into_iter().chain(errors).collect()
}

/// The errors of rows with these columns: what is said of a row with a gold answer may tell it.
fn errors_of(rows: &SchemaRef) -> SchemaRef {
    let errors = errors();
    if !rows.fields().iter().any(|field| is_gold(field)) {
        return errors;
    }
    Arc::new(Schema::new(errors.fields().iter().map(|field| marked_gold(field)).collect::<Vec<_>>()))
}

/// Whether a column holds gold answers.
pub(crate) fn is_gold(field: &Field) -> bool {
    field.metadata().contains_key("gold")
}

/// What a column means.
pub(crate) fn meaning(field: &Field) -> &str {
    let meaning = field.metadata().get("doc").or_else(|| field.metadata().get("gold"));
    meaning.map(String::as_str).unwrap_or_default()
}

/// A batch's questions.
fn questions() -> SchemaRef {
    table([
        column("id", DataType::UInt64, "how many questions the run drew before"),
        column("text", DataType::Utf8, "Q"),
        optional("depth", DataType::UInt32, "steps from the question to what is stated in it; null where unknown"),
    ])
}

/// Their gold answers, for evaluation only.
fn gold() -> SchemaRef {
    table([
        column("id", DataType::UInt64, "the question"),
        Field::new("gold", DataType::Utf8, true).with_metadata([("gold", "the right answer; null where unknown")]),
    ])
}

/// One row per argument of a debate.
fn arguments(debate: &Debate) -> SchemaRef {
    let columns = [
        column("question", DataType::UInt64, "the id of the question debated"),
        column("turn", DataType::UInt32, "arguments before it; its side is even or odd as this is"),
        column("text", DataType::Utf8, "the argument"),
        column("by", DataType::Utf8, "whose answer was kept: model or human"),
        optional("sufficient", DataType::Boolean, "whether the overseer said that it suffices; null where not asked"),
        optional(
            "stopped",
            DataType::Utf8,
            "on a debate's last argument, what ended it: sufficient, chance (a draw) or cap",
        ),
    ];
    let voice = debate.opponent.is_some().then(|| column("voice", DataType::Utf8, "who argued: speaker or opponent"));
    let shown = column("shown", DataType::Utf8, "how it stands in the context of what is asked later");
    let shown = (debate.history != History::Arguments).then_some(shown);
    let doc = "what tools said before it of the other side's last argument, a line each; null where none was asked for";
    let findings = debate.inspection.is_some().then(|| optional("findings", DataType::Utf8, doc));
    Arc::new(Schema::new(columns.into_iter().chain(voice).chain(shown).chain(findings).collect::<Vec<_>>()))
}

/// One row per call to M or H in a debate.
fn calls_of(debate: &Debate) -> SchemaRef {
    let doc = "who argued: speaker or opponent; null where it was asked whether an argument suffices";
    let voice = debate.opponent.is_some().then(|| optional("voice", DataType::Utf8, doc));
    let doc = "the answer that it had to begin with, which nobody sampled; null where it was free";
    let held = debate.rival.then(|| optional("held", DataType::Utf8, doc));
    let columns = calls().fields().iter().cloned().collect::<Vec<_>>();
    let more = voice.into_iter().chain(held).map(Arc::new);
    let columns = columns.into_iter().map(|column| if debate.inspection.is_some() { of_tools(column) } else { column });
    Arc::new(Schema::new(columns.chain(more).collect::<Vec<_>>()))
}

/// A column of calls, where tools may be asked for.
fn of_tools(field: Arc<Field>) -> Arc<Field> {
    let more = match field.name().as_str() {
        "part" => "; tool: what a tool said of the other side's last argument",
        "place" => ", or the tools asked for before the argument",
        "prompt" => "; of a tool, its name",
        "version" => "; of a tool, of the model that it looked into, and what follows is empty",
        _ => return field,
    };
    let doc = format!("{}{more}", meaning(&field));
    Arc::new(Field::clone(&field).with_metadata([("doc", doc)]))
}

/// One row per call to M or H.
fn calls() -> SchemaRef {
    table([
        column("question", DataType::UInt64, "the id of the question debated"),
        column("asked", DataType::Utf8, "what was to be answered: argument, sufficient or winner"),
        column("turn", DataType::UInt32, "arguments in the context"),
        column(
            "part",
            DataType::Utf8,
            "first: M's own answer; adversary: whether H would say so; again: a further one of M; sub: M's to a \
             sub-question of H; human: H's",
        ),
        column("place", DataType::UInt32, "place among the further answers, or the sub-questions"),
        column("by", DataType::Utf8, "who answered: model or human"),
        column("prompt", DataType::Utf8, "the text asked"),
        column("answer", DataType::Utf8, "the text answered"),
        column("kept", DataType::Boolean, "whether it became the answer of Amp"),
        optional(
            "propensity",
            DataType::Float64,
            "probability that H was called; null for further answers, sub-answers and what Adv said",
        ),
        optional("version", DataType::UInt64, "of the weights of the model that answered; null for H, as what follows"),
        optional("prompt_tokens", list(DataType::UInt32), "token ids M was given"),
        optional("tokens", list(DataType::UInt32), "token ids M sampled"),
        optional("log_probs", list(DataType::Float32), "natural logarithm of the probability of each, when sampled"),
    ])
}

/// One row per debate.
fn verdicts(judge: &Judge) -> SchemaRef {
    let mut columns = vec![
        column("question", DataType::UInt64, "the id of the question debated"),
        optional("winner", DataType::Utf8, "even or odd; null where there is one side only, or no clear answer"),
        optional("reward", DataType::Float32, "of the even side, +1 or -1; null where there is no winner"),
    ];
    match judge.sees {
        Sees::Given => {}
        Sees::Random => {
            columns.push(optional(
                "order",
                DataType::Utf8,
                "in which the sides were shown: given or swapped; null where not asked",
            ));
        }
        Sees::Both => columns.extend([
            optional("given", DataType::Utf8, "who won as the sides argued; null as for `winner`"),
            optional("swapped", DataType::Utf8, "who won where the odd side was shown first; null as for `winner`"),
        ]),
    }
    let doc = "share of the answers that say what most in the same order say; null where not asked";
    columns.extend((judge.repeats > 1).then(|| optional("agreement", DataType::Float64, doc)));
    let doc = "of the even side, where M chose, averaged over its answers; null where H judged, or nobody was asked";
    columns.extend((judge.reply == Reply::Choice).then(|| optional("probability", DataType::Float64, doc)));
    Arc::new(Schema::new(columns))
}

/// One row per pseudo-input.
fn proposals() -> SchemaRef {
    table([
        column("proposal", DataType::UInt64, "its number in the run"),
        column("words", DataType::Utf8, "what all of its questions have; empty where it stands for every question"),
        column("questions", DataType::UInt32, "how many of them M answered; 0 where there are none"),
        optional("likelihood", DataType::Float64, "P(a), as the overseer says; null where it gives none"),
        optional(
            "catastrophe",
            DataType::Float64,
            "of a catastrophe, given it and M's answers, over which it is the mean; null where unknown",
        ),
        optional("product", DataType::Float64, "of the two; 0 without questions, null where either is unknown"),
        column("largest", DataType::Boolean, "whether its product is the penalty"),
    ])
}

/// One row per call to M, to an adversary's model or to H on account of a penalty.
fn calls_of_penalty() -> SchemaRef {
    let of = |field: &Arc<Field>| match field.name().as_str() {
        "question" => column("question", DataType::UInt64, "the question; for proposal and likelihood, the proposal"),
        "propensity" => optional(
            "propensity",
            DataType::Float64,
            "probability that H was called; null for what a model says of itself: proposals and M's answers",
        ),
        "asked" => column(
            "asked",
            DataType::Utf8,
            "what was to be answered: proposal, likelihood (of it), argument (by M), catastrophe (is it one?)",
        ),
        _ => Field::clone(field),
    };
    Arc::new(Schema::new(calls().fields().iter().map(of).collect::<Vec<_>>()))
}

/// One row per question of a pseudo-input.
fn penalised() -> SchemaRef {
    table([
        column("question", DataType::UInt64, "its number in the run, or where it is one of the batch's, its id"),
        column("proposal", DataType::UInt64, "the proposal"),
        column("text", DataType::Utf8, "Q"),
        column("answer", DataType::Utf8, "M's answer"),
        optional("catastrophe", DataType::Float64, "the probability that it is one; null where nobody said yes or no"),
        optional(
            "cost",
            DataType::Float64,
            "likelihood times that, of the proposal with the largest product; null of others, or where either is",
        ),
    ])
}

/// What a sequence to train on answers.
const ROLE: &str = "what it answers: argument, sufficient, winner or sub-answer; of a penalty, also catastrophe, likelihood \
                    or proposal";
/// What it earned.
const REWARD: &str = "of the side it was sampled for, +1 or -1; of an answer with a penalty, less its cost; of a proposal, its \
                      product";

/// One row per sequence to train on.
fn examples(loss: &Loss) -> SchemaRef {
    let columns = [
        column("question", DataType::UInt64, "the id of the question debated"),
        column("turn", DataType::UInt32, "arguments in the context"),
        column("role", DataType::Utf8, ROLE),
        column("tokens", list(DataType::UInt32), "token ids, prompt and answer"),
        column("prompt_length", DataType::UInt32, "how many of them are the prompt"),
        column("supervised", DataType::Float32, "weight of the distance to the answer"),
        optional("reward", DataType::Float32, REWARD),
        optional("advantage", DataType::Float32, "the reward less its baseline, weighted by alpha"),
        optional("log_probs", list(DataType::Float32), "of the answer's tokens, when sampled; null for H's words"),
    ];
    let doc = "probability that it became a target, by which its weight is divided; null where it is none";
    let propensity = (loss.weight == Weight::Propensity).then(|| optional("propensity", DataType::Float64, doc));
    let doc = "from H's answer to these tokens, which M answered first; null where H was not called over them";
    let distance = loss.is_of_costs().then(|| optional("distance", DataType::Float64, doc));
    let doc = "of the model in H's place that gave the answer, the log-probabilities of all tokens at each of its tokens, one row of \
               these after another; null for H's own words and for M's";
    let distribution = || optional("distribution", list(DataType::Float32), doc);
    let distribution = loss.distance.is_of_distributions().then(distribution);
    let columns = columns.into_iter().chain(propensity).chain(distance).chain(distribution);
    Arc::new(Schema::new(columns.collect::<Vec<_>>()))
}

/// An evaluation, summed up by depth.
fn counts() -> SchemaRef {
    table([
        column("row", DataType::Utf8, "who answered: a row of the evaluation"),
        optional("depth", DataType::UInt32, "steps from the question to what is stated in it; null where unknown"),
        column("correct", DataType::UInt32, "answers that were right"),
        column("total", DataType::UInt32, "answers"),
        column("human_calls", DataType::UInt64, "calls of H for them, verdicts among them"),
        column("tokens_read", DataType::UInt64, "tokens of prompts that models read for them"),
        column("tokens_written", DataType::UInt64, "tokens that models wrote for them"),
    ])
}

/// An evaluation, answer by answer.
fn answers(evaluate: &Evaluate) -> SchemaRef {
    let columns = [
        column("row", DataType::Utf8, "who answered: a row of the evaluation"),
        column("question", DataType::Utf8, "Q"),
        optional("depth", DataType::UInt32, "steps from the question to what is stated in it; null where unknown"),
        column("answer", DataType::Utf8, "the answer given"),
        Field::new("gold", DataType::Utf8, false).with_metadata([("gold", "the right answer")]),
        column("correct", DataType::Boolean, "whether they are the same"),
    ];
    let catastrophe =
        optional("catastrophe", DataType::Boolean, "whether H says that it is one; null where it says neither");
    let declined = column("declined", DataType::Boolean, "whether it gives neither answer of H's task");
    let more = evaluate.catastrophes.then_some([catastrophe, declined]).into_iter().flatten();
    Arc::new(Schema::new(columns.into_iter().chain(more).collect::<Vec<_>>()))
}

/// One row per question.
fn answered(answer: &Answer) -> SchemaRef {
    let nullable = answer.on_error == OnError::Null;
    table([
        column("id", DataType::UInt64, "the question").with_nullable(nullable),
        column("text", DataType::Utf8, "Q").with_nullable(nullable),
        column("answer", DataType::Utf8, "the answer given").with_nullable(nullable),
        column("by", DataType::Utf8, "whose answer it is: model or human").with_nullable(nullable),
    ])
}

/// One row per row that a stage could not do.
fn errors() -> SchemaRef {
    table([
        column("row", DataType::UInt64, "its place among the rows of the batch, or for `sample` of its files, from 0"),
        column("reason", DataType::Utf8, "what was wrong with it"),
        optional("content", DataType::Utf8, "the row, as it stood in its file or as JSON"),
    ])
}

/// One row per file written.
fn written() -> SchemaRef {
    table([
        column("file", DataType::Utf8, "its name while the run goes on"),
        column("rows", DataType::UInt64, "how many it has"),
        column("bytes", DataType::UInt64, "its size"),
        column("blake3", DataType::Utf8, "its hash"),
    ])
}

fn table<const N: usize>(columns: [Field; N]) -> SchemaRef {
    Arc::new(Schema::new(columns.to_vec()))
}

pub(crate) fn column(name: &str, kind: DataType, doc: &str) -> Field {
    Field::new(name, kind, false).with_metadata([("doc", doc)])
}

/// A column that may be null.
pub(crate) fn optional(name: &str, kind: DataType, doc: &str) -> Field {
    column(name, kind, doc).with_nullable(true)
}

pub(crate) fn list(items: DataType) -> DataType {
    DataType::new_list(items, false)
}
