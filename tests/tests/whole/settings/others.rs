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

/// What lets debates on the same question differ, and be held against each other.
pub const REPEATED: &[&str] = &[DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "sample.questions.repeat=4"];
pub const GROUPED: &[&str] =
    &[DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "sample.questions.repeat=4", "loss.objective.baseline='group'"];

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
pub const SURE: &[&str] =
    &["amplify.overseer.call_human={ confidence = { least = 0.1 } }", "amplify.overseer.temperature=0.01"];
pub const DISAGREEING: &[&str] = &["amplify.overseer.call_human={ disagreement = { samples = 2, least = 0.1 } }"];

pub const AGREEING: &[&str] = &[
    "amplify.overseer.call_human={ disagreement = { samples = 2, least = 0.1 } }",
    "amplify.overseer.temperature=0.01",
];

/// What lets them follow one of two losses.
pub const BY_LOSS: &[&str] =
    &["batches=4", "amplify.overseer.call_human={ schedule = { loss = 'step', points = [[0, 0], [9, 1]] } }"];

/// What lets Adv have learnt to say yes or no, and there be another one.
const LEARNING: &[&str] = &["batches=4"];
const BOTH_LEARNING: &[&str] = &["amplify.speaker.call_human={ learned = { model = 'adversary', least = 0.1 } }"];

/// What lets H ask for tools, each tool where it says something else now and then.
const INSPECTED: [&str; 5] = [
    DEBATED[0],
    DEBATED[1],
    "sample.questions.task={ name = 'web-of-lies', depth = [2, 3] }",
    DEBATED[3],
    "amplify.speaker.call_human={ probability = 0.8 }",
];
const RESAMPLING: &[&str] = &[
    INSPECTED[0],
    INSPECTED[1],
    INSPECTED[2],
    INSPECTED[3],
    INSPECTED[4],
    "debate.arguments.inspection={ tools = ['resampling'] }",
];
const ATTENDING: &[&str] = &[
    INSPECTED[0],
    INSPECTED[1],
    INSPECTED[2],
    INSPECTED[3],
    INSPECTED[4],
    "debate.arguments.inspection={ tools = ['attention'] }",
];
const PROBING: &[&str] = &[
    INSPECTED[0],
    INSPECTED[1],
    INSPECTED[2],
    INSPECTED[3],
    INSPECTED[4],
    "debate.arguments.inspection={ tools = ['probe'] }",
];
const BOTH: &[&str] = &[
    INSPECTED[0],
    INSPECTED[1],
    INSPECTED[2],
    INSPECTED[3],
    INSPECTED[4],
    "debate.arguments.inspection={ tools = ['resampling', 'attention'] }",
];

/// What has H ask more than once: expressions of several parts, of which it asks one by one.
const ONE_BY_ONE: &[&str] = &[
    DEBATED[0],
    DEBATED[1],
    "sample.questions.task={ name = 'boolean-expressions', depth = [2, 4] }",
    DEBATED[3],
    "human.expert.script='boolean-expressions'",
    "human.expert.asks='one-by-one'",
];

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
    ("Watch.null_rewards", &["watch.null_rewards=0.1"], &["watch.batches=1"]),
    ("Watch.batches", &["watch.batches=1"], &[]),
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
    ("Human.deceives", &["human.expert.deceives=['Does']"], &[]),
    (
        "Human.learned",
        &["human.understudy.learned={ from = 'expert', model = 'imitator', share = 0.99 }"],
        &["human.understudy.learned.share=0.01"],
    ),
    ("Human.asks", &["human.expert.asks='at-once'"], ONE_BY_ONE),
    ("Understudy.from", &["human.understudy.learned.from='stranger'"], &["human.understudy.learned.share=0.99"]),
    (
        "Understudy.model",
        &[
            "human.understudy.learned.model='spare'",
            "human.double.learned.model='spare'",
            "train.imitator_step.model='spare'",
        ],
        &[],
    ),
    ("Understudy.share", &["human.understudy.learned.share=0.99"], &["human.understudy.learned.share=0.01"]),
    ("Understudy.max_tokens", &["human.understudy.learned.max_tokens=3"], &[]),
    ("Amplify.rounds", &["amplify.overseer.rounds=1"], ONE_BY_ONE),
    ("Amplify.answerer", &["amplify.overseer.answerer='spare'"], DEBATED),
    ("Amplify.depth", &["amplify.overseer.depth=2"], DEBATED),
    ("Amplify.sub_answers", &["amplify.overseer.sub_answers='shared'"], DEBATED),
    ("Amplify.model", &["amplify.overseer.model='agent'"], &[]),
    ("Amplify.human", &["amplify.overseer.human='stranger'"], &[]),
    ("Amplify.call_human", &["amplify.overseer.call_human='never'"], &[]),
    ("Amplify.budget", &["amplify.overseer.budget.per_batch=2"], &[]),
    ("Budget.per_batch", &["amplify.overseer.budget.per_batch=2"], &["amplify.overseer.budget.per_batch=5"]),
    ("Budget.per_run", &["amplify.overseer.budget.per_run=4"], &["amplify.overseer.budget.per_run=9"]),
    ("Confidence.least", &["amplify.overseer.call_human.confidence.least=0.3"], SURE),
    ("Confidence.most", &["amplify.overseer.call_human.confidence.most=0.5"], UNSURE),
    ("Disagreement.samples", &["amplify.overseer.call_human.disagreement.samples=3"], DISAGREEING),
    ("Disagreement.least", &["amplify.overseer.call_human.disagreement.least=0.3"], AGREEING),
    ("Disagreement.most", &["amplify.overseer.call_human.disagreement.most=0.5"], DISAGREEING),
    ("ByLoss.loss", &["amplify.overseer.call_human.schedule.loss='other_step'"], BY_LOSS),
    ("ByLoss.points", &["amplify.overseer.call_human.schedule.points=[[0, 0], [9, 0.5]]"], BY_LOSS),
    ("ByLoss.decay", &["amplify.overseer.call_human.schedule.decay=0.1"], BY_LOSS),
    (
        "Learned.model",
        &["amplify.suspected.call_human.learned.model='spare'", "train.adversary_step.model='spare'"],
        &[],
    ),
    ("Learned.least", &["amplify.suspected.call_human.learned.least=0.5"], LEARNING),
    ("Learned.most", &["amplify.suspected.call_human.learned.most=0.5"], &[]),
    ("Learned.wording", &["amplify.suspected.call_human.learned.wording='{question}{answer}'"], &[]),
    ("Amplify.temperature", &["amplify.overseer.temperature=0.5"], &[]),
    ("Amplify.max_tokens", &["amplify.speaker.max_tokens=4"], &[]),
    ("Sample.files", &["sample.others.files=['FOLDER/mixed.jsonl']"], &[]),
    ("Sample.rows", &["sample.questions.rows=3"], &[]),
    ("Sample.repeat", &["sample.questions.repeat=2"], &[]),
    ("Questions.files", &["evaluate.held_out.questions.files=['FOLDER/lies.jsonl']"], &[]),
    ("Task.name", &["sample.others.task.name='web-of-lies'"], &[]),
    ("Task.depth", &["sample.others.task.depth=[3, 5]"], &[]),
    ("Task.exclude_words", &["sample.others.task.exclude_words=[4, 5]"], &[]),
    ("Debate.from", &["debate.arguments.from='others'"], &["sample.others.files=['FOLDER/lies.jsonl']"]),
    ("Debate.speaker", &["debate.arguments.speaker='other'"], &["loss.objective.combine.weighted.alpha=0"]),
    ("Debate.overseer", &["debate.arguments.overseer='other'"], &[]),
    ("Debate.opponent", &["debate.arguments.opponent='other'"], &[]),
    ("Debate.speaker_side", &["debate.arguments.speaker_side='odd'"], &["debate.arguments.opponent='other'"]),
    ("Debate.turns", &["debate.arguments.turns='simultaneous'"], &[]),
    ("Debate.rival", &["debate.arguments.rival=true"], &[]),
    ("Debate.history", &["debate.arguments.history='traces'"], &[]),
    ("Debate.max_turns", &["debate.arguments.max_turns=3"], &[]),
    ("Debate.min_turns", &["debate.arguments.min_turns=2"], &[]),
    ("Debate.sufficient", &["debate.arguments.sufficient='never'"], &[]),
    ("Debate.inspection", &["debate.arguments.inspection.tools=['resampling']"], &[]),
    ("Debate.on_error", &["debate.arguments.on_error='skip'"], &[]),
    ("Inspection.tools", &["debate.arguments.inspection.tools=['consistency']"], RESAMPLING),
    ("Inspection.uses", &["debate.arguments.inspection.uses=2"], BOTH),
    ("Inspection.samples", &["debate.arguments.inspection.samples=3"], RESAMPLING),
    ("Inspection.shuffled", &["debate.arguments.inspection.shuffled=true"], ATTENDING),
    ("Inspection.learning_rate", &["debate.arguments.inspection.learning_rate=9.0"], PROBING),
    ("Wording.argument", &["debate.arguments.wording.argument='{question}{context} So?'"], &[]),
    ("Wording.sufficient", &["debate.arguments.wording.sufficient='{question}{context} Enough?'"], &[]),
    ("Wording.winner", &["debate.arguments.wording.winner='{question}{context} Even?'"], &[]),
    (
        "Wording.summary",
        &["debate.arguments.wording.summary='{question}{context} Short?'"],
        &[DEBATED[0], DEBATED[1], DEBATED[2], DEBATED[3], "debate.arguments.history='summaries'"],
    ),
    (
        "Judge.from",
        &["judge.other_verdicts.from='arguments'", "loss.other_objective.from=['arguments', 'other_verdicts']"],
        &[],
    ),
    ("Judge.by", &["judge.verdicts.by='other'"], &[]),
    ("Judge.reply", &["judge.verdicts.reply='choice'"], &["judge.verdicts.by='other'"]),
    ("Judge.sees", &["judge.verdicts.sees='both'"], DEBATED),
    ("Judge.repeats", &["judge.verdicts.repeats=2"], &[]),
    ("Loss.from", &["loss.objective.from=['other', 'other_verdicts']"], &[]),
    ("Loss.predict", &["loss.predictions.predict='speaker'"], BOTH_LEARNING),
    ("Loss.steps_of", &["loss.moves.steps_of='double'"], &[]),
    ("Loss.distance", &["loss.objective.distance='exact'"], &["sync.follow.every=1"]),
    (
        "Embedding.folder",
        &["loss.objective.distance.embedding.folder='FOLDER/other-encoder'"],
        &["sync.follow.every=1", "loss.objective.distance={ embedding = { folder = 'FOLDER/encoder' } }"],
    ),
    ("Loss.imitate", &["loss.objective.imitate='all'"], &[]),
    ("Loss.weight", &["loss.objective.weight='propensity'"], &[]),
    ("Loss.credit", &["loss.objective.credit=['argument']"], DEBATED),
    ("Loss.baseline", &["loss.objective.baseline='depth'"], DEBATED),
    ("Loss.baseline", &["loss.objective.baseline='group'"], REPEATED),
    ("Loss.scale", &["loss.objective.scale='std'"], GROUPED),
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
    ("Sync.until", &["sync.follow.until=2"], &["batches=3", "sync.follow.until=1"]),
    ("Evaluate.after", &["evaluate.held_out.after='questions'"], &[]),
    ("Evaluate.count", &["evaluate.held_out.count=2"], &[]),
    ("Evaluate.of", &["evaluate.held_out.of='overseer'"], &[]),
    ("Evaluate.rows", &["evaluate.held_out.rows=['human']"], &[]),
    ("Evaluate.every", &["evaluate.held_out.every=2"], &[]),
    ("Evaluate.rows", &["evaluate.held_out.rows=[{ hch = 2 }]"], &["evaluate.held_out.rows=[{ hch = 1 }]"]),
    ("Evaluate.verdicts", &["evaluate.held_out.verdicts='other_verdicts'"], REFERENCES),
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
        "Understudy.share",
        &["human.understudy.learned.share=[[0, 0.5], [1, 0.99]]"],
        &["human.understudy.learned.share=[[0, 0.5], [1, 0.01]]"],
    ),
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
