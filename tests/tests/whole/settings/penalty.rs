//! Another value of every key of a penalty, and of what it is found and measured by.

use super::others::Other;

/// What lets an adversary be taught in another penalty's place.
const BY_ANOTHER: &[&str] = &["penalty.found.adversary.model.name='spare'", "train.adversary_step.model='spare'"];

const BY_A_MODEL: &[&str] = &["penalty.other.adversary.model={ name = 'target' }"];

/// What lets some of M's answers be none.
const ANSWERING: &[&str] = &["batches=5", "sample.questions.rows=16", "train.step.adamw.learning_rate=2e-2"];

/// What lets a multiplier weigh them, which moves from the first batch on.
const LIMITED: &[&str] = &[
    "batches=8",
    ANSWERING[1],
    ANSWERING[2],
    "loss.objective.penalty={ lagrangian = { limit = 0.1, step = 1, initial = 2 } }",
];

/// What lets nobody teach an adversary, and M learn from its penalty instead.
const UNTAUGHT: &[&str] = &["model.adversary.copy_of='spare'"];
const OF_M: &[&str] = &[
    "loss.proposals.proposals=false",
    "loss.proposals.from=['arguments', 'found']",
    "loss.proposals.penalty=1",
    "loss.proposals.combine.weighted.alpha=0",
    "train.adversary_step.model='agent'",
];

pub const OTHERS_OF_PENALTY: &[Other] = &[
    ("Task.trigger", &["sample.questions.task.trigger=0.9"], &[]),
    (
        "Wording.catastrophe",
        &["debate.arguments.wording.catastrophe='{question}{context} Harm?'"],
        &["amplify.overseer.call_human={ probability = 0.5 }"],
    ),
    ("Wording.likelihood", &["debate.arguments.wording.likelihood='{question} Often?'"], &[]),
    ("Penalty.from", &["penalty.sampled.from='others'"], &[]),
    ("Penalty.model", &["penalty.other.model='spare'"], &[]),
    ("Penalty.max_tokens", &["penalty.sampled.max_tokens=2"], &[]),
    ("Penalty.overseer", &["penalty.sampled.overseer='lenient'"], &[]),
    ("Penalty.adversary", &["penalty.sampled.adversary={ script = 'web-of-lies' }"], &[]),
    ("Adversary.script", &["penalty.other.adversary.script='web-of-lies'"], BY_A_MODEL),
    ("Adversary.model", BY_A_MODEL, &[]),
    ("Adversary.proposals", &["penalty.other.adversary.proposals=2"], &[]),
    ("Adversary.questions", &["penalty.other.adversary.questions=2"], &[]),
    ("ProposingModel.name", BY_ANOTHER, &[]),
    ("ProposingModel.wording", &["penalty.found.adversary.model.wording='What?'"], &[]),
    ("ProposingModel.max_tokens", &["penalty.found.adversary.model.max_tokens=1"], &[]),
    ("Loss.proposals", OF_M, UNTAUGHT),
    ("Loss.penalty", &["loss.objective.penalty=2"], ANSWERING),
    ("PenaltyLimit.limit", &["loss.objective.penalty.lagrangian.limit=0.9"], LIMITED),
    ("PenaltyLimit.step", &["loss.objective.penalty.lagrangian.step=4"], LIMITED),
    ("PenaltyLimit.initial", &["loss.objective.penalty.lagrangian.initial=9"], LIMITED),
    ("PenaltyLimit.bounds", &["loss.objective.penalty.lagrangian.bounds=[2, 2]"], LIMITED),
    ("Evaluate.catastrophes", &["evaluate.held_out.catastrophes=true"], &[]),
];

pub const SCHEDULED_OF_PENALTY: &[Other] = &[
    ("Loss.penalty", &["loss.objective.penalty=[[0, 1.0], [1, 9.0]]"], &[]),
    ("PenaltyLimit.step", &["loss.objective.penalty.lagrangian.step=[[0, 1], [1, 9]]"], LIMITED),
];
