//! The resolved file: every setting written out, defaults too, in a form that reads back to the same settings. A run
//! keeps it beside its results, and what a stage's results depend on is hashed from it.

use std::fmt::Display;

use crate::{
    settings::{
        AdamW, Amplify, CallHuman, Checkpoint, Combine, Credit, Debate, Evaluate, Follow, Human, Judge, Loss, Model,
        Named, Pipeline, Questions, Reference, Sample, Schedule, Stage, Sync, Task, Train, Wording,
    },
    words::{CALL_HUMAN, DISTANCE, EARNER, Earner, IMITATE, ROW, SUFFICIENT, Words},
};

/// A table's keys, each with its value as it is written.
type Entries = Vec<(&'static str, String)>;

impl Pipeline {
    /// The resolved file.
    pub fn to_toml(&self) -> String {
        let head = vec![("seed", exact(self.seed)), ("batches", exact(self.batches)), ("workers", exact(self.workers))];
        let mut tables = vec![lines(head), format!("[checkpoint]\n{}", lines(checkpoint(&self.checkpoint)))];
        tables.extend(self.models.iter().map(Named::<Model>::to_toml));
        tables.extend(self.humans.iter().map(Named::<Human>::to_toml));
        tables.extend(self.amplifies.iter().map(Named::<Amplify>::to_toml));
        tables.extend(self.stages.iter().map(Named::<Stage>::to_toml));
        tables.join("\n")
    }
}

impl Named<Model> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table("model", &self.name, model(&self.settings))
    }
}

impl Named<Human> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table("human", &self.name, vec![("script", text(&self.settings.script))])
    }
}

impl Named<Amplify> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        table("amplify", &self.name, amplify(&self.settings))
    }
}

impl Named<Stage> {
    /// The table, as in the resolved file.
    pub fn to_toml(&self) -> String {
        let entries = match &self.settings {
            Stage::Sample(settings) => sample(settings),
            Stage::Debate(settings) => debate(settings),
            Stage::Judge(settings) => judge(settings),
            Stage::Loss(settings) => loss(settings),
            Stage::Train(settings) => train(settings),
            Stage::Sync(settings) => sync(settings),
            Stage::Evaluate(settings) => evaluate(settings),
        };
        table(self.settings.kind(), &self.name, entries)
    }
}

fn checkpoint(checkpoint: &Checkpoint) -> Entries {
    let mut entries = vec![("every", exact(checkpoint.every)), ("keep_last", exact(checkpoint.keep_last))];
    entries.extend(checkpoint.best.as_ref().map(|best| ("best", reference(best))));
    entries
}

fn model(model: &Model) -> Entries {
    match model {
        Model::CopyOf(original) => vec![("copy_of", reference(original))],
        Model::New(sizes) => vec![(
            "new",
            inline(vec![
                ("layers", exact(sizes.layers)),
                ("width", exact(sizes.width)),
                ("heads", exact(sizes.heads)),
                ("context", exact(sizes.context)),
                ("feed_forward", exact(sizes.feed_forward)),
            ]),
        )],
    }
}

fn amplify(amplify: &Amplify) -> Entries {
    vec![
        ("model", reference(&amplify.model)),
        ("human", reference(&amplify.human)),
        ("call_human", call_human(amplify.call_human)),
        ("temperature", number(amplify.temperature)),
        ("max_tokens", exact(amplify.max_tokens)),
    ]
}

fn call_human(call_human: CallHuman) -> String {
    match call_human {
        CallHuman::Probability(probability) => inline(vec![("probability", number(probability))]),
        CallHuman::Always | CallHuman::Never => word(CALL_HUMAN, call_human),
    }
}

fn sample(sample: &Sample) -> Entries {
    vec![questions(&sample.questions), ("rows", exact(sample.rows))]
}

fn questions(questions: &Questions) -> (&'static str, String) {
    match questions {
        Questions::Files(files) => ("files", list(files.iter().map(|file| text(&file.path)))),
        Questions::Task(task) => ("task", inline(task_entries(task))),
    }
}

fn task_entries(task: &Task) -> Entries {
    vec![
        ("name", text(&task.name)),
        ("depth", format!("[{}, {}]", task.depth.0, task.depth.1)),
        ("exclude_words", list(task.exclude_words.iter().map(exact))),
    ]
}

fn debate(debate: &Debate) -> Entries {
    vec![
        ("from", reference(&debate.from)),
        ("speaker", reference(&debate.speaker)),
        ("overseer", reference(&debate.overseer)),
        ("max_turns", exact(debate.max_turns)),
        ("sufficient", word(SUFFICIENT, debate.sufficient)),
        ("wording", inline(wording(&debate.wording))),
    ]
}

fn wording(wording: &Wording) -> Entries {
    vec![
        ("argument", text(&wording.argument)),
        ("sufficient", text(&wording.sufficient)),
        ("winner", text(&wording.winner)),
    ]
}

fn judge(judge: &Judge) -> Entries {
    vec![("from", reference(&judge.from)), ("by", reference(&judge.by))]
}

fn loss(loss: &Loss) -> Entries {
    let Combine::Weighted { alpha } = &loss.combine;
    vec![
        ("from", list(loss.from.iter().map(reference))),
        ("distance", word(DISTANCE, loss.distance)),
        ("combine", inline(vec![("weighted", inline(vec![("alpha", schedule(alpha))]))])),
        ("imitate", word(IMITATE, loss.imitate)),
        ("credit", credit(loss.credit)),
        ("baseline_decay", number(loss.baseline_decay)),
    ]
}

fn credit(credit: Credit) -> String {
    let earns = |earner: &Earner| match earner {
        Earner::Argument => credit.argument,
        Earner::Calls => credit.calls,
    };
    list(EARNER.iter().filter(|(_, earner)| earns(earner)).map(|(name, _)| text(name)))
}

fn train(train: &Train) -> Entries {
    vec![
        ("from", reference(&train.from)),
        ("model", reference(&train.model)),
        ("adamw", inline(adamw(&train.adamw))),
        ("steps", exact(train.steps)),
        ("micro_batch", exact(train.micro_batch)),
    ]
}

fn adamw(adamw: &AdamW) -> Entries {
    vec![
        ("learning_rate", schedule(&adamw.learning_rate)),
        ("betas", format!("[{}, {}]", number(adamw.betas.0), number(adamw.betas.1))),
        ("epsilon", number(adamw.epsilon)),
        ("weight_decay", number(adamw.weight_decay)),
        ("clip", number(adamw.clip)),
    ]
}

fn sync(sync: &Sync) -> Entries {
    vec![
        ("after", reference(&sync.after)),
        ("from_model", reference(&sync.from_model)),
        ("to_model", reference(&sync.to_model)),
        match sync.follow {
            Follow::Polyak(decay) => ("polyak", number(decay)),
            Follow::Every(batches) => ("every", exact(batches)),
        },
    ]
}

fn evaluate(evaluate: &Evaluate) -> Entries {
    let mut entries = vec![
        ("after", reference(&evaluate.after)),
        ("questions", inline(vec![questions(&evaluate.questions)])),
        ("count", exact(evaluate.count)),
        ("of", reference(&evaluate.of)),
        ("rows", list(evaluate.rows.iter().map(|row| word(ROW, *row)))),
    ];
    entries.extend(evaluate.every.map(|every| ("every", exact(every))));
    entries.extend(evaluate.verdicts.as_ref().map(|verdicts| ("verdicts", reference(verdicts))));
    entries
}

fn table(kind: &str, name: &str, entries: Entries) -> String {
    format!("[{kind}.{name}]\n{}", lines(entries))
}

fn lines(entries: Entries) -> String {
    entries.into_iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
}

fn inline(entries: Entries) -> String {
    let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", entries.join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn reference(reference: &Reference) -> String {
    text(&reference.name)
}

/// A whole number.
fn exact(number: impl Display) -> String {
    number.to_string()
}

/// The shortest digits that read back to the same bits, always with a point or an exponent.
fn number(number: f64) -> String {
    format!("{number:?}")
}

fn schedule(schedule: &Schedule) -> String {
    match schedule.points[..] {
        [(0, value)] => number(value),
        _ => list(schedule.points.iter().map(|(batch, value)| format!("[{batch}, {}]", number(*value)))),
    }
}

fn word<T: PartialEq>(words: Words<T>, meaning: T) -> String {
    let word = words.iter().find(|(_, other)| *other == meaning);
    text(word.expect("each meaning has its word").0)
}

/// A string on one line, so that it can stand in an inline table.
fn text(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '"' | '\\' => format!("\\{letter}"),
        '\n' => "\\n".to_owned(),
        control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
        other => other.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}
