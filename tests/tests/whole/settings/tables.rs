//! Another value of every key of the stages on plain tables.

use super::others::Other;

/// The same for stages over plain tables and their files.
pub const OTHERS_OF_TABLES: &[Other] = &[
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

pub const SCHEDULED_OF_TABLES: &[Other] =
    &[("Sampled.temperature", &["answer.asked.model.temperature=[[0, 1.0], [1, 0.25]]"], SAMPLED)];

pub const SAMPLED: &[&str] = &["answer.asked.model={ name = 'agent', temperature = 1.0, max_tokens = 8 }"];
