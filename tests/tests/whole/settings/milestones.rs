//! Another value of every key of a milestone, and numbers that wait for one, in the same pipeline as most keys.

use super::others::Other;

/// What waits for a loss that does not fall, and in whose place there is one that does.
const AWAITED: &[&str] = &[
    "batches=8",
    "debate.arguments.sufficient='never'",
    "train.step.adamw.learning_rate=0",
    "loss.objective.combine.weighted.alpha={ after = 'imitated', points = [[0, 0.5], [1, 1.0]] }",
    "milestone.imitated.below=4.0",
    "milestone.imitated.decay=0",
];
const AWAITED_SLOWLY: &[&str] = &[
    AWAITED[0],
    AWAITED[1],
    AWAITED[2],
    AWAITED[3],
    AWAITED[4],
    "milestone.imitated.decay=0.99",
    "milestone.imitated.loss_of='adversary_step'",
];

pub const OTHERS_OF_MILESTONES: &[Other] = &[
    ("Milestone.loss_of", &["milestone.imitated.loss_of='adversary_step'"], AWAITED),
    ("Milestone.below", &["milestone.imitated.below=9.0"], AWAITED),
    ("Milestone.decay", &["milestone.imitated.decay=0"], AWAITED_SLOWLY),
];

/// The milestone is reached at the first batch: what comes after the train stage knows it then, the rest at the second.
pub const WAITING: &[Other] = &[
    ("Sync.polyak", &["sync.follow.polyak={ after = 'imitated', points = [[0, 0.9], [1, 0.5]] }"], &[]),
    (
        "Amplify.temperature",
        &["amplify.overseer.temperature={ after = 'imitated', points = [[0, 1.0], [1, 0.25]] }"],
        &[],
    ),
    ("AdamW.clip", &["train.step.adamw.clip={ after = 'imitated', points = [[0, 1], [1, 0.001]] }"], &[]),
];
