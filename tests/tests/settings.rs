//! Every key of the schema says under `x-changes` what another value of it changes: here is another value of each, and
//! a run that shows it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use batch::{
    Digest, Run,
    manifest::{Checkpoint, Line, Part},
};
use elenchus::{load::compile, run::perform};
use serde_json::Value;
use spec::Sources;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// A key, by the type it is a setting of; what gives it another value; and what both runs need to show it.
type Other = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What lets every debate have a winner, not always the same.
const DEBATED: &[&str] = &[
    "batches=4",
    "debate.arguments.sufficient='never'",
    "sample.questions.task={ name = 'web-of-lies', depth = [0, 3] }",
    "sample.questions.rows=8",
];

/// What lets propensities differ from question to question.
const UNSURE: &[&str] = &["amplify.overseer.call_human={ confidence = { least = 0.1 } }"];
const DISAGREEING: &[&str] = &["amplify.overseer.call_human={ disagreement = { samples = 2, least = 0.1 } }"];

const AGREEING: &[&str] = &[
    "amplify.overseer.call_human={ disagreement = { samples = 2, least = 0.1 } }",
    "amplify.overseer.temperature=0.01",
];

/// What lets them follow one of two losses.
const BY_LOSS: &[&str] =
    &["batches=4", "amplify.overseer.call_human={ schedule = { loss = 'step', points = [[0, 0], [9, 1]] } }"];

const OTHERS: &[Other] = &[
    ("Pipeline.seed", &["seed=4"], &[]),
    ("Pipeline.batches", &["batches=3"], &[]),
    ("Pipeline.lag", &["lag=1"], &["batches=4"]),
    ("Pipeline.workers", &["workers=1"], &[]),
    ("Checkpoint.every", &["checkpoint.every=1"], &[]),
    ("Checkpoint.keep_last", &["checkpoint.keep_last=1"], &["checkpoint.every=1"]),
    ("Checkpoint.best", &["checkpoint.best='held_out'"], &["checkpoint.keep_last=1"]),
    ("Snapshot.batches", &["snapshot.batches=1"], &[]),
    ("Snapshot.rows", &["snapshot.rows=1"], &[]),
    ("Snapshot.columns", &["snapshot.columns=['text']"], &[]),
    ("Snapshot.decimals", &["snapshot.decimals=5"], &[]),
    ("Snapshot.volatile", &["snapshot.volatile=['text']"], &[]),
    ("Model.new", &["model.target.new={ layers = 1, width = 16, heads = 2, context = 160 }"], &[]),
    ("Model.copy_of", &["model.target.copy_of='spare'"], &[]),
    // What the first of these runs, that of the file as it is, came to.
    ("Model.checkpoint", &["model.agent.checkpoint='FOLDER/1/checkpoints/000002/model.agent'"], &[]),
    ("Architecture.layers", &["model.agent.new.layers=2"], &["model.spare.copy_of='agent'"]),
    ("Architecture.width", &["model.agent.new.width=24"], &["model.spare.copy_of='agent'"]),
    ("Architecture.heads", &["model.agent.new.heads=4"], &["model.spare.copy_of='agent'"]),
    ("Architecture.context", &["model.agent.new.context=200"], &["model.spare.copy_of='agent'"]),
    ("Architecture.feed_forward", &["model.agent.new.feed_forward=24"], &["model.spare.copy_of='agent'"]),
    ("Human.script", &["human.expert.script='boolean-expressions'"], &[]),
    ("Amplify.model", &["amplify.overseer.model='agent'"], &[]),
    ("Amplify.human", &["amplify.overseer.human='stranger'"], &[]),
    ("Amplify.call_human", &["amplify.overseer.call_human='never'"], &[]),
    ("Amplify.budget", &["amplify.overseer.budget.per_batch=2"], &[]),
    ("Budget.per_batch", &["amplify.overseer.budget.per_batch=2"], &["amplify.overseer.budget.per_batch=5"]),
    ("Budget.per_run", &["amplify.overseer.budget.per_run=4"], &["amplify.overseer.budget.per_run=9"]),
    ("Confidence.least", &["amplify.overseer.call_human.confidence.least=0.3"], UNSURE),
    ("Confidence.most", &["amplify.overseer.call_human.confidence.most=0.5"], UNSURE),
    ("Disagreement.samples", &["amplify.overseer.call_human.disagreement.samples=3"], DISAGREEING),
    ("Disagreement.least", &["amplify.overseer.call_human.disagreement.least=0.3"], AGREEING),
    ("Disagreement.most", &["amplify.overseer.call_human.disagreement.most=0.5"], DISAGREEING),
    ("ByLoss.loss", &["amplify.overseer.call_human.schedule.loss='other_step'"], BY_LOSS),
    ("ByLoss.points", &["amplify.overseer.call_human.schedule.points=[[0, 0], [9, 0.5]]"], BY_LOSS),
    ("ByLoss.decay", &["amplify.overseer.call_human.schedule.decay=0.1"], BY_LOSS),
    ("Amplify.temperature", &["amplify.overseer.temperature=0.5"], &[]),
    ("Amplify.max_tokens", &["amplify.speaker.max_tokens=4"], &[]),
    ("Sample.files", &["sample.others.files=['FOLDER/mixed.jsonl']"], &[]),
    ("Sample.rows", &["sample.questions.rows=3"], &[]),
    ("Questions.files", &["evaluate.held_out.questions.files=['FOLDER/lies.jsonl']"], &[]),
    ("Task.name", &["sample.others.task.name='web-of-lies'"], &[]),
    ("Task.depth", &["sample.others.task.depth=[3, 5]"], &[]),
    ("Task.exclude_words", &["sample.others.task.exclude_words=[4, 5]"], &[]),
    ("Debate.from", &["debate.arguments.from='others'"], &["sample.others.files=['FOLDER/lies.jsonl']"]),
    ("Debate.speaker", &["debate.arguments.speaker='other'"], &["loss.objective.combine.weighted.alpha=0"]),
    ("Debate.overseer", &["debate.arguments.overseer='other'"], &[]),
    ("Debate.max_turns", &["debate.arguments.max_turns=3"], &[]),
    ("Debate.sufficient", &["debate.arguments.sufficient='never'"], &[]),
    ("Debate.on_error", &["debate.arguments.on_error='skip'"], &[]),
    ("Wording.argument", &["debate.arguments.wording.argument='{question}{context} So?'"], &[]),
    ("Wording.sufficient", &["debate.arguments.wording.sufficient='{question}{context} Enough?'"], &[]),
    ("Wording.winner", &["debate.arguments.wording.winner='{question}{context} Even?'"], &[]),
    (
        "Judge.from",
        &["judge.other_verdicts.from='arguments'", "loss.other_objective.from=['arguments', 'other_verdicts']"],
        &[],
    ),
    ("Judge.by", &["judge.verdicts.by='other'"], &[]),
    ("Loss.from", &["loss.objective.from=['other', 'other_verdicts']"], &[]),
    ("Loss.imitate", &["loss.objective.imitate='all'"], &[]),
    ("Loss.weight", &["loss.objective.weight='propensity'"], &[]),
    ("Loss.credit", &["loss.objective.credit=['argument']"], DEBATED),
    ("Loss.baseline_decay", &["loss.objective.baseline_decay=0.1"], DEBATED),
    ("Combine.weighted.alpha", &["loss.objective.combine.weighted.alpha=0.75"], &[]),
    ("Train.from", &["train.step.from='other_objective'"], &[]),
    (
        "Train.model",
        &["train.step.model='spare'", "train.other_step.model='spare'", "amplify.speaker.model='spare'"],
        &[],
    ),
    ("Train.steps", &["train.step.steps=2"], &[]),
    ("Train.micro_batch", &["train.step.micro_batch=1"], &[]),
    ("AdamW.learning_rate", &["train.step.adamw.learning_rate=1e-3"], &[]),
    ("AdamW.betas", &["train.step.adamw.betas=[0.5, 0.9]"], &[]),
    ("AdamW.epsilon", &["train.step.adamw.epsilon=1e-3"], &[]),
    ("AdamW.weight_decay", &["train.step.adamw.weight_decay=0.1"], &[]),
    ("AdamW.clip", &["train.step.adamw.clip=[[0, 1], [1, 0.001]]"], &[]),
    ("Sync.after", &["sync.follow.after='arguments'"], &[]),
    ("Sync.from_model", &["sync.follow.from_model='spare'"], &[]),
    ("Sync.to_model", &["sync.follow.to_model='spare'"], &[]),
    ("Sync.polyak", &["sync.follow.polyak={ cosine = { from = 0.9, to = 0.5, over = [0, 2] } }"], &[]),
    ("Sync.every", &["sync.follow.every=2"], &["sync.follow.every=1"]),
    ("Evaluate.after", &["evaluate.held_out.after='questions'"], &[]),
    ("Evaluate.count", &["evaluate.held_out.count=2"], &[]),
    ("Evaluate.of", &["evaluate.held_out.of='overseer'"], &[]),
    ("Evaluate.rows", &["evaluate.held_out.rows=['human']"], &[]),
    ("Evaluate.every", &["evaluate.held_out.every=2"], &[]),
    ("Evaluate.verdicts", &["evaluate.held_out.verdicts='verdicts'"], &[]),
];

/// Keys with a single value.
const ALONE: &[&str] = &["Loss.distance"];

/// The same for stages over plain tables and their files.
const OTHERS_OF_TABLES: &[Other] = &[
    ("Sample.order", &["sample.listed.order='shuffled'"], &["sample.listed.files='FOLDER/rows.jsonl'"]),
    ("Sample.on_error", &["sample.listed.on_error='skip'"], &[]),
    ("Sample.exclude", &["sample.listed.exclude='FOLDER/lies.jsonl'"], &[]),
    ("Sample.mixture", &["sample.listed.mixture=[{ weight = 1, files = 'FOLDER/lies.jsonl' }]"], &[]),
    (
        "Share.weight",
        &[
            "sample.mixed.mixture=[{ weight = 9, files = 'FOLDER/lies.jsonl' }, { weight = 1, files = 'FOLDER/expressions.jsonl' }]",
        ],
        &[],
    ),
    (
        "Share.files",
        &[
            "sample.mixed.mixture=[{ weight = 1, files = 'FOLDER/lies.jsonl' }, { weight = 1, files = 'FOLDER/mixed.jsonl' }]",
        ],
        &[],
    ),
    (
        "Share.mixture",
        &["sample.mixed.mixture=[{ weight = 1, mixture = [{ weight = 1, files = 'FOLDER/expressions.jsonl' }] }]"],
        &[],
    ),
    ("Questions.mixture", &["evaluate.scored.questions.mixture=[{ weight = 1, files = 'FOLDER/lies.jsonl' }]"], &[]),
    ("Files.paths", &["read.rows.files.paths='FOLDER/others.jsonl'"], &[]),
    ("Files.split", &["read.hub.files.split='test'"], &[]),
    ("Files.config", &["read.hub.files.config='other'"], &[]),
    ("Files.columns", &["read.rows.files.columns={ gold = 'answer' }"], &[]),
    (
        "Files.gold_pattern",
        &["read.rows.files.gold_pattern='#### (.+)'"],
        &["read.rows.files.columns={ gold = 'answer' }"],
    ),
    ("Files.limit", &["read.rows.files.limit=4"], &[]),
    ("Read.files", &["read.rows.files='FOLDER/others.jsonl'"], &[]),
    ("Read.rows", &["read.rows.rows=2"], &[]),
    ("Read.number", &["read.hub.number='place'"], &[]),
    ("Read.on_error", &["read.rows.on_error='skip'"], &[]),
    ("Read.keep", &["read.rows.keep=false"], &[]),
    ("Filter.from", &["filter.few.from='odd'"], &[]),
    ("Filter.condition", &["filter.few.condition='n > 3'"], &[]),
    ("Filter.keep", &["filter.few.keep=false"], &[]),
    ("Sql.from", &["sql.odd.from='few'", "sql.odd.query='SELECT id, text, n FROM few'"], &[]),
    ("Sql.query", &["sql.odd.query='SELECT id, text, n FROM rows WHERE n > 2'"], &[]),
    ("Sql.keep", &["sql.odd.keep=false"], &[]),
    ("Join.from", &["join.joined.from='few'"], &[]),
    ("Join.with", &["join.joined.with='few'"], &[]),
    ("Join.files", &["join.joined.files='FOLDER/right.jsonl'"], &[]),
    ("Join.on", &["join.joined.on=['id', 'n']"], &[]),
    ("Join.how", &["join.joined.how='anti'"], &[]),
    ("Join.suffix", &["join.joined.suffix='_too'"], &[]),
    ("Join.keep", &["join.joined.keep=false"], &[]),
    ("Command.from", &["command.renamed.from='least'"], &[]),
    ("Command.run", &["command.renamed.run=['cat']"], &[]),
    ("Command.folder", &["command.renamed.folder='FOLDER/hub'"], &[]),
    (
        "Command.columns",
        &["command.renamed.columns.more='i64'", "sql.odd.query='SELECT id, text, n, n AS more FROM rows'"],
        &[],
    ),
    ("Command.time_limit", &["command.renamed.time_limit='1m'"], &[]),
    ("Command.on_error", &["command.renamed.on_error='skip'"], &[]),
    ("Answer.from", &["answer.asked.from='few'"], &[]),
    ("Answer.amplify", &["answer.asked.amplify='other'"], &["answer.asked.amplify='speaker'"]),
    ("Answer.model", &["answer.asked.model='spare'"], &["answer.asked.model='agent'"]),
    ("Answer.human", &["answer.asked.human='stranger'"], &[]),
    ("Answer.on_error", &["answer.asked.on_error='null'"], &[]),
    ("Sampled.name", &["answer.asked.model.name='spare'"], SAMPLED),
    ("Sampled.temperature", &["answer.asked.model.temperature=2.0"], SAMPLED),
    ("Sampled.max_tokens", &["answer.asked.model.max_tokens=3"], SAMPLED),
    ("Write.from", &["write.kept.from='few'"], &[]),
    ("Write.folder", &["write.kept.folder='FOLDER/elsewhere'"], &[]),
    ("Write.split", &["write.kept.split='test'"], &[]),
    ("Write.description", &["write.kept.description='Some rows.'"], &[]),
];

/// Every number that takes a schedule: one that begins with the value of its constant, and changes at the second batch.
const SCHEDULED: &[Other] = &[
    (
        "CallHuman.probability",
        &["amplify.speaker.call_human.probability=[[0, 0.4], [1, 1.0]]"],
        // Of a number of the file there is no metric.
        &["amplify.speaker.call_human.probability=[[0, 0.4], [1, 0.1]]"],
    ),
    ("Amplify.temperature", &["amplify.overseer.temperature=[[0, 1.0], [1, 0.25]]"], &[]),
    ("Loss.baseline_decay", &["loss.objective.baseline_decay=[[0, 0.95], [1, 0.1]]"], DEBATED),
    (
        "Combine.weighted.alpha",
        &["loss.objective.combine.weighted.alpha={ cosine = { from = 0.5, to = 0.75, over = [0, 1] } }"],
        &[],
    ),
    (
        "AdamW.learning_rate",
        &["train.step.adamw.learning_rate={ exponential = { from = 2e-3, to = 1e-3, over = [0, 1] } }"],
        &[],
    ),
    ("AdamW.betas", &["train.step.adamw.betas=[[[0, 0.9], [1, 0.5]], 0.98]"], &[]),
    ("AdamW.betas", &["train.step.adamw.betas=[0.9, { cosine = { from = 0.98, to = 0.5, over = [0, 1] } }]"], &[]),
    ("AdamW.epsilon", &["train.step.adamw.epsilon=[[0, 1e-8], [1, 1e-3]]"], &[]),
    ("AdamW.weight_decay", &["train.step.adamw.weight_decay=[[0, 0.0], [1, 0.1]]"], &[]),
    ("AdamW.clip", &["train.step.adamw.clip=[[0, 1], [1, 0.001]]"], &[]),
    ("Sync.polyak", &["sync.follow.polyak={ cosine = { from = 0.9, to = 0.5, over = [0, 1] } }"], &[]),
];

const SCHEDULED_OF_TABLES: &[Other] =
    &[("Sampled.temperature", &["answer.asked.model.temperature=[[0, 1.0], [1, 0.25]]"], SAMPLED)];

const SAMPLED: &[&str] = &["answer.asked.model={ name = 'agent', temperature = 1.0, max_tokens = 8 }"];

/// The keys of the schema that are set to a value, each with what it says it changes.
fn declared() -> BTreeMap<String, String> {
    let schema = spec::schema();
    let mut keys = BTreeMap::new();
    collect(&schema, "Pipeline", &mut keys);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        collect(definition, name, &mut keys);
    }
    keys
}

fn collect(schema: &Value, path: &str, keys: &mut BTreeMap<String, String>) {
    for (name, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match value["x-changes"].as_str() {
            Some(changes) => drop(keys.insert(path, changes.to_owned())),
            None => collect(value, &path, keys),
        }
    }
}

/// The keys of the schema that take a schedule.
fn scheduled() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, definition) in spec::schema()["definitions"].as_object().unwrap() {
        collect_scheduled(definition, name, &mut keys);
    }
    keys
}

fn collect_scheduled(schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    for (name, value) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match is_schedule(value) || is_schedule(&value["items"]) {
            true => drop(keys.insert(path)),
            false => collect_scheduled(value, &path, keys),
        }
    }
    for way in ["anyOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
        collect_scheduled(way, path, keys);
    }
}

fn is_schedule(schema: &Value) -> bool {
    schema["anyOf"].as_array().into_iter().flatten().any(|way| way["properties"]["cosine"].is_object())
}

const LIES: &str = "{\"question\": \"Question: Jim lies. Does Jim tell the truth?\", \"answer\": \"No\"}
{\"question\": \"Question: Jim lies. Inga says Jim lies. Does Inga tell the truth?\", \"answer\": \"Yes\"}
";
const EXPRESSIONS: &str = "{\"question\": \"not True is\", \"answer\": \"False\"}
{\"question\": \"not True and False is\", \"answer\": \"False\"}
";
const CARD: &str = "---
configs:
- config_name: main
  data_files:
  - split: train
    path: train.jsonl
  - split: test
    path: test.jsonl
- config_name: other
  data_files:
  - split: train
    path: test.jsonl
---
";

/// Six rows to read: of both tasks, each with a number, and an answer at the end of its reason.
fn rows(first: usize) -> String {
    let texts = [
        "Question: Jim lies. Does Jim tell the truth?",
        "not True is",
        "Question: Jim lies. Inga says Jim lies. Does Inga tell the truth?",
    ];
    let row =
        |n: usize| format!("{{\"text\": \"{}\", \"n\": {n}, \"answer\": \"Since {n}. #### {n}\"}}\n", texts[n % 3]);
    (first..first + 6).map(row).collect()
}

/// Runs of one pipeline with some of its settings changed, each made once.
struct Runs {
    folder: tempfile::TempDir,
    made: BTreeMap<Vec<&'static str>, PathBuf>,
    begun: usize,
}

impl Runs {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("hub")).unwrap();
        let files = [
            ("pipeline.toml", text.to_owned()),
            ("lies.jsonl", LIES.to_owned()),
            ("expressions.jsonl", EXPRESSIONS.to_owned()),
            ("mixed.jsonl", [LIES, EXPRESSIONS].concat()),
            ("rows.jsonl", rows(0)),
            ("others.jsonl", rows(3)),
            ("right.jsonl", "{\"text\": \"not True is\", \"score\": 1.5}\n".to_owned()),
            ("name", "Tom".to_owned()),
            ("hub/README.md", CARD.to_owned()),
            ("hub/train.jsonl", rows(0)),
            ("hub/test.jsonl", rows(2)),
            ("hub/name", "Ada".to_owned()),
        ];
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        Runs { folder, made: BTreeMap::new(), begun: 0 }
    }

    fn of(&mut self, sets: Vec<&'static str>) -> Result<PathBuf, String> {
        if let Some(root) = self.made.get(&sets) {
            return Ok(root.clone());
        }
        self.begun += 1;
        let root = self.folder.path().join(self.begun.to_string());
        run(self.folder.path(), &sets, &root)?;
        self.made.insert(sets, root.clone());
        Ok(root)
    }
}

fn run(folder: &Path, sets: &[&str], root: &Path) -> Result<(), String> {
    // The paths in a setting start at the working directory, which tests share.
    let sets: Vec<String> = sets.iter().map(|set| set.replace("FOLDER", folder.to_str().unwrap())).collect();
    let sources = Sources::open(&folder.join("pipeline.toml"), &[], &sets).unwrap();
    let loaded = compile(&sources, |_| {}).map_err(|problems| elenchus::load::draw(&problems, &sources))?;
    let texts = batch::Texts { pipeline: &loaded.pipeline.to_toml(), source: "", plan: "" };
    let mut run = batch::RunFolder::create(root, &loaded.plan, texts).unwrap();
    perform(loaded, &mut run, &AtomicBool::new(false), &mut |_| {}).map_err(|failure| failure.text())?;
    Ok(())
}

/// The tables of a batch: the rows of each, and the digest of its bytes.
fn of_line(line: &Line) -> Vec<(String, u64, Option<Digest>)> {
    let bytes = |part: &Part| part.place.as_ref().map(|place| place.digest.clone());
    line.tables.iter().map(|(name, part)| (name.clone(), part.rows, bytes(part))).collect()
}

/// What differs between two runs, in the words of `x-changes`.
fn differences(one: &Path, other: &Path) -> BTreeSet<&'static str> {
    let datasets =
        |root: &Path| Some(root.join("datasets")).filter(|folder| folder.exists()).map(|it| tests::promised(&it));
    let mut found = BTreeSet::new();
    found.extend((datasets(one) != datasets(other)).then_some("datasets"));
    let (one, other) = (Run::open(one).unwrap(), Run::open(other).unwrap());
    let metrics = |run: &Run| run.lines().iter().map(|line| line.metrics.clone()).collect::<Vec<_>>();
    let tables = |run: &Run| run.lines().iter().map(of_line).collect::<Vec<_>>();
    let files = |checkpoint: &Checkpoint| checkpoint.values().map(|state| state.files.clone()).collect::<Vec<_>>();
    let last = |run: &Run| run.lines().last().unwrap().checkpoint.as_ref().map(files);
    found.extend((tables(&one) != tables(&other)).then_some("tables"));
    found.extend((last(&one) != last(&other)).then_some("weights"));
    found.extend((metrics(&one) != metrics(&other)).then_some("metrics"));
    found.extend((one.checkpoints() != other.checkpoints()).then_some("checkpoints"));
    found
}

#[test]
fn each_key_changes_what_it_says() {
    let declared = declared();
    let keys = OTHERS.iter().chain(OTHERS_OF_TABLES).map(|(key, _, _)| *key);
    let shown: BTreeSet<&str> = keys.chain(ALONE.iter().copied()).collect();
    assert_eq!(shown, declared.keys().map(String::as_str).collect(), "each key has another value here");
    let mut wrong = denials(include_str!("settings.toml"), OTHERS, &declared);
    wrong.extend(denials(include_str!("tables.toml"), OTHERS_OF_TABLES, &declared));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_schedule_counts_batch_by_batch() {
    let shown: BTreeSet<String> =
        SCHEDULED.iter().chain(SCHEDULED_OF_TABLES).map(|(key, _, _)| (*key).to_owned()).collect();
    assert_eq!(shown, scheduled(), "each number that takes a schedule has one here");
    for (text, others) in
        [(include_str!("settings.toml"), SCHEDULED), (include_str!("tables.toml"), SCHEDULED_OF_TABLES)]
    {
        let mut runs = Runs::new(text);
        for (key, sets, both) in others {
            let (one, other) = (runs.of(both.to_vec()).unwrap(), runs.of([*both, *sets].concat()).unwrap());
            assert!(!differences(&one, &other).is_empty(), "{key} changes nothing");
            let first = |root: &Path| Run::open(root).unwrap().lines()[0].clone();
            let (one, other) = (first(&one), first(&other));
            assert_eq!((of_line(&one), &one.metrics), (of_line(&other), &other.metrics), "{key} in the first batch");
        }
    }
}

/// What is not as it is declared, of the keys that a pipeline shows.
fn denials(text: &str, others: &[Other], declared: &BTreeMap<String, String>) -> Vec<String> {
    let mut runs = Runs::new(text);
    let mut wrong = Vec::new();
    for (key, sets, both) in others {
        match runs.of(both.to_vec()).and_then(|one| Ok((one, runs.of([*both, *sets].concat())?))) {
            Ok((one, other)) => wrong.extend(denied(key, &declared[*key], &differences(&one, &other))),
            Err(error) => wrong.push(format!("{key}: {error}")),
        }
    }
    wrong
}

/// Whether what a key says is not what was found.
fn denied(key: &str, said: &str, found: &BTreeSet<&str>) -> Option<String> {
    let right = match said {
        // What a snapshot keeps is no part of a run.
        "speed" | "snapshots" => found.is_empty(),
        "checkpoints" | "metrics" => *found == BTreeSet::from([said]),
        _ => found.contains(said),
    };
    (!right).then(|| format!("{key} says {said}, and changes {found:?}"))
}
