//! Another value of every key.

/// A key, by the type it is a setting of; what gives it another value; and what both runs need to show it.
pub type Other = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What lets every debate have a winner, not always the same.
pub const DEBATED: &[&str] = &[
    "batches=4",
    "debate.arguments.sufficient='never'",
    "sample.questions.task={ name = 'web-of-lies', depth = [0, 3] }",
    "sample.questions.rows=8",
];

/// What rewarded answers can be trained on, each where debates have winners.
pub const CLIPPED: &[&str] = &[
    DEBATED[0],
    DEBATED[1],
    DEBATED[2],
    DEBATED[3],
    "train.step.steps=2",
    "train.step.policy={ ppo = { clip = 0.9 } }",
];
pub const TRUNCATED: &[&str] =
    &[DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "train.step.policy={ importance = { truncate = 2.0 } }"];
pub const NEAR: &[&str] =
    &[DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "train.step.kl={ to = 'spare', weight = 0.5 }"];

/// What lets M train on the reward less what its answers cost.
pub const AS_REWARD: &[&str] =
    &["sync.follow.every=1", "loss.objective.distance='edit'", "loss.objective.combine={ reward = { beta = 0.5 } }"];

/// What lets M train within a limit, each where debates have winners.
const IMITATED: [&str; 5] = [DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "train.step.adamw.learning_rate=2e-2"];
pub const BY_CPO: &[&str] = &[
    IMITATED[0],
    IMITATED[1],
    IMITATED[2],
    IMITATED[3],
    IMITATED[4],
    "loss.objective.combine={ constrained = { cpo = {}, limit = 2.0, from = 1 } }",
];
/// The same with steps that are too long where they are straight.
pub const SHORTENED: &[&str] = &[
    IMITATED[0],
    IMITATED[1],
    IMITATED[2],
    IMITATED[3],
    IMITATED[4],
    "loss.objective.combine={ constrained = { cpo = { kl = 2.0, damping = 1e-3 }, limit = 2.0, from = 1 } }",
];
pub const BY_LAGRANGIAN: &[&str] = &[
    IMITATED[0],
    IMITATED[1],
    IMITATED[2],
    IMITATED[3],
    IMITATED[4],
    "loss.objective.combine={ constrained = { lagrangian = { step = 0.5 }, limit = 2.0 } }",
];
pub const BY_SLACK: &[&str] = &[
    IMITATED[0],
    IMITATED[1],
    IMITATED[2],
    IMITATED[3],
    IMITATED[4],
    "loss.objective.combine={ constrained = { lagrangian = { step = 0.5 }, limit = { baseline = 'start', slack = 0.1 }, from = 1 } }",
];

/// What lets propensities differ from question to question.
pub const UNSURE: &[&str] = &["amplify.overseer.call_human={ confidence = { least = 0.1 } }"];
pub const DISAGREEING: &[&str] = &["amplify.overseer.call_human={ disagreement = { samples = 2, least = 0.1 } }"];

pub const AGREEING: &[&str] = &[
    "amplify.overseer.call_human={ disagreement = { samples = 2, least = 0.1 } }",
    "amplify.overseer.temperature=0.01",
];

/// What lets them follow one of two losses.
pub const BY_LOSS: &[&str] =
    &["batches=4", "amplify.overseer.call_human={ schedule = { loss = 'step', points = [[0, 0], [9, 1]] } }"];

/// What lets an evaluation ask for one debate or another.
const REFERENCES: &[&str] = &[
    "evaluate.held_out.rows=['debate', 'consultancy']",
    "evaluate.held_out.verdicts='verdicts'",
    "debate.other.max_turns=3",
    "debate.other.sufficient='never'",
];

pub const OTHERS: &[Other] = &[
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
    ("Debate.min_turns", &["debate.arguments.min_turns=2"], &[]),
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
    ("Loss.distance", &["loss.objective.distance='exact'"], &["sync.follow.every=1"]),
    ("Loss.imitate", &["loss.objective.imitate='all'"], &[]),
    ("Loss.weight", &["loss.objective.weight='propensity'"], &[]),
    ("Loss.credit", &["loss.objective.credit=['argument']"], DEBATED),
    ("Loss.baseline_decay", &["loss.objective.baseline_decay=0.1"], DEBATED),
    ("Combine.weighted.alpha", &["loss.objective.combine.weighted.alpha=0.75"], &[]),
    ("Combine.reward.beta", &["loss.objective.combine.reward.beta=2"], AS_REWARD),
    ("Constrained.limit", &["loss.objective.combine.constrained.limit=1.0"], BY_LAGRANGIAN),
    ("Constrained.from", &["loss.objective.combine.constrained.from=2"], BY_CPO),
    ("Slack.baseline", &["loss.objective.combine.constrained.limit={ baseline = 'start', slack = 0.1 }"], BY_CPO),
    ("Slack.slack", &["loss.objective.combine.constrained.limit.slack=0.5"], BY_SLACK),
    ("Cpo.kl", &["loss.objective.combine.constrained.cpo.kl=0.002"], BY_CPO),
    ("Cpo.damping", &["loss.objective.combine.constrained.cpo.damping=1"], BY_CPO),
    ("Cpo.iterations", &["loss.objective.combine.constrained.cpo.iterations=2"], BY_CPO),
    ("Cpo.backtracks", &["loss.objective.combine.constrained.cpo.backtracks=0"], SHORTENED),
    ("Cpo.shrink", &["loss.objective.combine.constrained.cpo.shrink=0.4"], SHORTENED),
    ("Lagrangian.step", &["loss.objective.combine.constrained.lagrangian.step=2"], BY_LAGRANGIAN),
    ("Lagrangian.initial", &["loss.objective.combine.constrained.lagrangian.initial=0.1"], BY_LAGRANGIAN),
    ("Train.from", &["train.step.from='other_objective'"], &[]),
    (
        "Train.model",
        &["train.step.model='spare'", "train.other_step.model='spare'", "amplify.speaker.model='spare'"],
        &[],
    ),
    ("Train.steps", &["train.step.steps=2"], &[]),
    ("Train.micro_batch", &["train.step.micro_batch=1"], &[]),
    ("Train.policy", &["train.step.policy={ importance = { truncate = 0.5 } }"], DEBATED),
    ("Train.normalise", &["train.step.normalise='trajectory'"], DEBATED),
    ("Train.entropy", &["train.step.entropy=0.5"], DEBATED),
    ("Train.kl", &["train.step.kl={ to = 'spare', weight = 0.5 }"], DEBATED),
    ("Ppo.clip", &["train.step.policy.ppo.clip=0.001"], CLIPPED),
    ("Importance.truncate", &["train.step.policy.importance.truncate=0.5"], TRUNCATED),
    ("Kl.to", &["train.step.kl.to='target'"], NEAR),
    ("Kl.weight", &["train.step.kl.weight=0.1"], NEAR),
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
    ("Sync.at", &["sync.follow.at=2"], &["sync.follow.at=1"]),
    ("Evaluate.after", &["evaluate.held_out.after='questions'"], &[]),
    ("Evaluate.count", &["evaluate.held_out.count=2"], &[]),
    ("Evaluate.of", &["evaluate.held_out.of='overseer'"], &[]),
    ("Evaluate.rows", &["evaluate.held_out.rows=['human']"], &[]),
    ("Evaluate.every", &["evaluate.held_out.every=2"], &[]),
    ("Evaluate.rows", &["evaluate.held_out.rows=[{ hch = 2 }]"], &["evaluate.held_out.rows=[{ hch = 1 }]"]),
    ("Evaluate.verdicts", &["evaluate.held_out.verdicts='other_verdicts'"], REFERENCES),
];

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

/// Every number that takes a schedule: one that begins with the value of its constant, and changes at the second batch.
pub const SCHEDULED: &[Other] = &[
    (
        "CallHuman.probability",
        &["amplify.speaker.call_human.probability=[[0, 0.4], [1, 1.0]]"],
        // Of a number of the file there is no metric.
        &["amplify.speaker.call_human.probability=[[0, 0.4], [1, 0.1]]"],
    ),
    ("Amplify.temperature", &["amplify.overseer.temperature=[[0, 1.0], [1, 0.25]]"], &[]),
    (
        "Sufficient.random",
        &["debate.arguments.sufficient.random=[[0, 0.1], [1, 0.9]]"],
        &["debate.arguments.sufficient={ random = 0.1 }"],
    ),
    (
        "Sufficient.biased",
        &["debate.arguments.sufficient.biased=[[0, 0.1], [1, 0.9]]"],
        &["debate.arguments.sufficient={ biased = 0.1 }"],
    ),
    ("Loss.baseline_decay", &["loss.objective.baseline_decay=[[0, 0.95], [1, 0.1]]"], DEBATED),
    (
        "Combine.weighted.alpha",
        &["loss.objective.combine.weighted.alpha={ cosine = { from = 0.5, to = 0.75, over = [0, 1] } }"],
        &[],
    ),
    ("Combine.reward.beta", &["loss.objective.combine.reward.beta=[[0, 0.5], [1, 2.0]]"], AS_REWARD),
    ("Cpo.kl", &["loss.objective.combine.constrained.cpo.kl=[[0, 0.01], [1, 0.002]]"], BY_CPO),
    ("Lagrangian.step", &["loss.objective.combine.constrained.lagrangian.step=[[0, 0.5], [1, 2]]"], BY_LAGRANGIAN),
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
    (
        "Train.entropy",
        &["train.step.entropy=[[0, 0.5], [1, 0.1]]"],
        &[DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "train.step.entropy=0.5"],
    ),
    ("Kl.weight", &["train.step.kl.weight=[[0, 0.5], [1, 0.1]]"], NEAR),
    ("Sync.polyak", &["sync.follow.polyak={ cosine = { from = 0.9, to = 0.5, over = [0, 1] } }"], &[]),
];

pub const SCHEDULED_OF_TABLES: &[Other] =
    &[("Sampled.temperature", &["answer.asked.model.temperature=[[0, 1.0], [1, 0.25]]"], SAMPLED)];

pub const SAMPLED: &[&str] = &["answer.asked.model={ name = 'agent', temperature = 1.0, max_tokens = 8 }"];
