//! From a loaded pipeline to what the engine runs: the states as they are before the first batch, and the stages.

mod adversary;
mod debates;
mod humans;
mod milestones;
mod penalty;
mod tables;
mod tools;
mod vocabulary;

use crate::{
    stages::states::{
        Baseline, Constraint, Imitation, Milestone, ModelState, OptimizerState, PenaltyWeight, Probes, Spent,
    },
    stages::{
        self, Amplifier,
        embeddings::Embeddings,
        evaluate::{VerdictTables, held_out},
        limited::Limited,
        samp::{Account, Decider},
        sample::Drawn,
    },
    wiring::load::Loaded,
};
use batch::{Stage as Work, States, stages::Refused};
use debate::draw::Draw;
use model::{Model, Tokenizer};
use plan::{Node, Role, samp::part, states as names};
use spec::settings::{Amplify, Budget, By, CallHuman, Named, Pipeline, Row, Stage, Train, Wording};
use std::{path::Path, sync::Arc};
pub use tables::writer;
use train::AdamW;
pub use vocabulary::{Vocabulary, vocabulary};

/// Looks a name up that `plan` has resolved.
fn named<'a, T>(things: &'a [Named<T>], name: &str) -> &'a T {
    let found = things.iter().find(|thing| thing.name == name);
    &found.expect("plan resolves every name before anything is wired").settings
}

/// What those who answer are made of.
#[derive(Clone, Copy)]
struct Parts<'a> {
    pipeline: &'a Pipeline,
    tokenizer: &'a Tokenizer,
}

/// How the questions of a pipeline are worded: as its first debate does it.
pub fn wording(pipeline: &Pipeline) -> Wording {
    pipeline.stages.iter().find_map(|stage| wording_of(&stage.settings)).unwrap_or_default()
}

fn wording_of(stage: &Stage) -> Option<Wording> {
    match stage {
        Stage::Debate(debate) => Some(debate.wording.clone()),
        _ => None,
    }
}

/// The states before the first batch.
pub fn states(loaded: &Loaded) -> States {
    use spec::settings::Model as Settings;
    let pipeline = &loaded.pipeline;
    let seed = |name: &str| Draw::new(pipeline.seed).named("model").named(name).stream;
    let fresh = |name: &str| {
        // A copy of a copy starts as what the first one is a copy of.
        let mut origin = name;
        loop {
            match named(&pipeline.models, origin) {
                Settings::CopyOf(reference) => origin = &reference.name,
                Settings::New(architecture) => {
                    return Model::new(architecture.clone(), loaded.tokenizer.clone(), seed(origin));
                }
                Settings::Checkpoint(folder) => {
                    return loaded.inputs.outside.model(folder).expect("load has opened the models of a pipeline");
                }
            }
        }
    };
    let mut states = States::new();
    for model in &pipeline.models {
        states.insert(names::weights(&model.name), ModelState(fresh(&model.name)));
    }
    for stage in &pipeline.stages {
        match &stage.settings {
            Stage::Train(train) => {
                let optimizer = AdamW::new(fresh(&train.model.name).weights.layout.parameters());
                states.insert(names::optimizer(&stage.name), OptimizerState(optimizer));
                if limited(pipeline, &stage.name, train).is_some() {
                    states.insert(names::constraint(&stage.name), Constraint::default());
                }
            }
            Stage::Loss(loss) if loss.is_of_m() => {
                states.insert(names::baseline(&stage.name), Baseline::default());
                if loss.penalty_limit().is_some() {
                    states.insert(names::multiplier(&stage.name), PenaltyWeight::default());
                }
            }
            Stage::Debate(debate) if tools::has_probe(debate) => {
                states.insert(names::probe(&stage.name), Probes::default())
            }
            _ => {}
        }
    }
    for milestone in &pipeline.milestones {
        states.insert(names::milestone(&milestone.name), Milestone::default());
    }
    of_samp(pipeline, &mut states);
    states
}

/// What Samp goes by from batch to batch, before the first.
fn of_samp(pipeline: &Pipeline, states: &mut States) {
    for Named { name, settings, .. } in &pipeline.amplifies {
        if let CallHuman::Schedule(_) = settings.call_human {
            states.insert(names::imitation(name), Imitation::default());
        }
        let of_run = settings.budget.as_ref().is_some_and(|budget| budget.per_run.is_some());
        let paying = pipeline.stages.iter().filter(|stage| of_run && part(pipeline, &stage.settings, name).0 > 0);
        paying.for_each(|stage| states.insert(names::spent(name, &stage.name), Spent::default()));
    }
}

/// What does the work of each node, in the plan's order. `root` is the run's folder.
pub fn stages(mut loaded: Loaded, root: &Path) -> Vec<Box<dyn Work>> {
    let nodes = loaded.plan.nodes.clone();
    nodes.into_iter().map(|node| wire(&mut loaded, node, root)).collect()
}

/// One match from settings to stages: here those that take what was opened for them.
fn wire(loaded: &mut Loaded, node: Node, root: &Path) -> Box<dyn Work> {
    let source = loaded.inputs.questions.remove(&node.name);
    let pipeline = &loaded.pipeline;
    let name = node.name.clone();
    match node.stage.clone() {
        Stage::Sample(sample) => {
            let source = source.expect("load sets up the questions of every sample stage");
            let until = if pipeline.batches.is_none() { source.count() } else { None };
            let excluded = loaded.inputs.excluded.remove(&name).unwrap_or_default();
            let skipped = loaded.inputs.skipped.remove(&name);
            let skipped = skipped.map(|rows| rows.into_iter().map(Refused::from).collect());
            let (rows, repeat, draw) = (sample.rows, sample.repeat, Draw::new(pipeline.seed).named(&name));
            Box::new(stages::sample::Sample { name, source, rows, repeat, until, skipped, excluded, draw })
        }
        Stage::Write(write) => Box::new(writer(&node, &write, root)),
        stage @ (Stage::Read(_) | Stage::Filter(_) | Stage::Sql(_) | Stage::Join(_) | Stage::Command(_)) => {
            tables::wire(loaded, &node, stage, root)
        }
        stage => {
            let questions = match &stage {
                Stage::Evaluate(evaluate) => {
                    let source = source.expect("load sets up the questions of every evaluate stage");
                    held_out(&source, evaluate.count, Draw::new(pipeline.seed).named(&name))
                }
                _ => Vec::new(),
            };
            let opened = Opened { questions: questions.into(), encoder: encoder(loaded, &stage) };
            milestones::wire(Parts { pipeline, tokenizer: &loaded.tokenizer }, node, opened)
        }
    }
}

/// What was opened for a stage of the procedure.
struct Opened {
    /// The questions of an evaluation, drawn once however often it is wired.
    questions: Arc<[Drawn]>,
    /// The encoder by which a loss tells distances.
    encoder: Option<Arc<Embeddings>>,
}

/// And here those of the procedure, which are made of settings, and of little that was opened for them.
fn of_procedure(parts: Parts<'_>, node: &Node, opened: &Opened) -> Box<dyn Work> {
    let Parts { pipeline, tokenizer } = parts;
    let draw = Draw::new(pipeline.seed).named(&node.name);
    let name = node.name.clone();
    match node.stage.clone() {
        Stage::Debate(debate) => Box::new(debates::debate(parts, node, debate, draw)),
        Stage::Judge(judge) => Box::new(stages::judge::Judge {
            name,
            questions: table(node, Role::Questions),
            arguments: table(node, Role::Arguments),
            by: amplifier(parts, node, &judge.by.name),
            reply: judge.reply,
            sees: judge.sees,
            repeats: judge.repeats,
            distributions: humans::distributions(node),
            wording: wording_of(named(&pipeline.stages, &judge.from.name)).unwrap_or_default(),
            form: debates::form_of(pipeline, &judge.from.name),
            draw,
        }),
        Stage::Penalty(settings) => Box::new(penalty::penalty(parts, node, settings, draw)),
        Stage::Loss(loss) if loss.proposals => Box::new(penalty::proposals(node, loss, tokenizer.clone())),
        Stage::Loss(loss) if loss.predict.is_some() => {
            let embedder = opened.encoder.clone();
            Box::new(adversary::predictions(pipeline, node, &loss, embedder, tokenizer.clone()))
        }
        Stage::Loss(spec::settings::Loss { steps_of: Some(human), .. }) => {
            let steps = node.tables(Role::Steps).map(str::to_owned).collect();
            Box::new(stages::moves::Moves { name, steps, human: human.name })
        }
        Stage::Loss(loss) => Box::new(stages::loss::Loss {
            calls: node.tables(Role::Calls).map(str::to_owned).collect(),
            verdicts: node.tables(Role::Verdicts).next().map(str::to_owned),
            questions: node.tables(Role::Questions).next().map(str::to_owned),
            penalty: penalty::tables(node),
            against_other: loss.from.iter().any(|from| debates::against_other(pipeline, &from.name)),
            learner: debates::learner(pipeline, &name, &loss),
            embedder: opened.encoder.clone(),
            baseline: names::baseline(&name),
            name,
            settings: loss,
            tokenizer: tokenizer.clone(),
        }),
        Stage::Train(train) => Box::new(stages::train::Train {
            from: table(node, Role::Examples),
            model: names::weights(&train.model.name),
            optimizer: names::optimizer(&name),
            reference: train.kl.as_ref().map(|kl| names::weights(&kl.to.name)),
            followers: followers(pipeline, &name),
            milestones: milestones::watched(pipeline, &name),
            limited: limited(pipeline, &name, &train),
            workers: pipeline.workers,
            settings: train,
        }),
        Stage::Sync(sync) => Box::new(stages::sync::Sync {
            source: names::weights(&sync.from_model.name),
            target: names::weights(&sync.to_model.name),
            follow: sync.follow,
        }),
        Stage::Evaluate(evaluate) => {
            let verdicts = evaluate.verdicts.as_ref().map(|judge| VerdictTables {
                verdicts: table(node, Role::Verdicts),
                arguments: table(node, Role::Arguments),
                gold: table(node, Role::Gold),
                both_answer: debates::both_answer(pipeline, &judge.name),
            });
            Box::new(stages::evaluate::Evaluate {
                name,
                questions: opened.questions.clone(),
                of: amplifier(parts, node, &evaluate.of.name),
                procedure: debates::procedure(parts, node, &evaluate),
                catastrophes: debates::declinable(pipeline, &evaluate),
                verdicts,
                wording: wording(pipeline),
                draw,
                rows: evaluate.rows,
            })
        }
        Stage::Answer(answer) => Box::new(stages::answer::Answer {
            name,
            from: table(node, Role::Asked),
            by: answering(parts, node, &answer.by),
            wording: wording(pipeline),
            on_error: answer.on_error,
            draw,
        }),
        Stage::Sample(_)
        | Stage::Read(_)
        | Stage::Filter(_)
        | Stage::Sql(_)
        | Stage::Join(_)
        | Stage::Command(_)
        | Stage::Write(_) => unreachable!("a {} stage is none of the procedure", node.stage.kind()),
    }
}

/// What the distance of a loss goes by, if it is one of embeddings.
fn encoder(loaded: &Loaded, stage: &Stage) -> Option<Arc<Embeddings>> {
    let Stage::Loss(loss) = stage else { return None };
    let encoder = loaded.inputs.outside.encoder(loss.distance.folder()?);
    let encoder = encoder.expect("load has opened the encoders of a pipeline");
    Some(Arc::new(Embeddings::new(encoder, loaded.pipeline.workers)))
}

/// Who answers a table of questions.
fn answering(parts: Parts<'_>, node: &Node, by: &By) -> stages::answer::By {
    let pipeline = parts.pipeline;
    match by {
        By::Amplify(amplify) => stages::answer::By::Amplify(Box::new(amplifier(parts, node, &amplify.name))),
        By::Human(human) => stages::answer::By::Human(humans::human(pipeline, &human.name)),
        By::Model(sampled) => {
            stages::answer::By::Model(names::weights(&sampled.name.name), sampled.clone(), pipeline.workers)
        }
    }
}

/// The table that a node is given in a role.
fn table(node: &Node, role: Role) -> String {
    node.tables(role).next().expect("plan gives a stage the tables it takes").to_owned()
}

/// An `[amplify.NAME]` of the pipeline, as a stage asks it.
fn amplifier(parts: Parts<'_>, node: &Node, name: &str) -> Amplifier {
    let Parts { pipeline, tokenizer } = parts;
    let settings = named(&pipeline.amplifies, name);
    let Amplify { model, human, call_human, budget, temperature, max_tokens, .. } = settings;
    let part = part(pipeline, &node.stage, name);
    let account = |budget: &Budget| Account {
        budget: budget.clone(),
        part,
        spent: names::spent(name, &node.name),
        batches: pipeline.batches.unwrap_or(1),
    };
    let samp = match part {
        // Where it is never asked it has no states to go by.
        (0, _) => Decider {
            name: name.to_owned(),
            call_human: CallHuman::Never,
            imitation: None,
            adversary: None,
            account: None,
        },
        _ => Decider {
            name: name.to_owned(),
            call_human: call_human.clone(),
            imitation: matches!(call_human, CallHuman::Schedule(_)).then(|| names::imitation(name)),
            adversary: call_human.learned().map(|learned| adversary::learnt(learned, pipeline.workers)),
            account: budget.as_ref().map(account),
        },
    };
    Amplifier {
        model: names::weights(&model.name),
        human: humans::human(pipeline, &human.name),
        consults: humans::consults(pipeline, node, settings),
        stand_in: humans::stand_in(pipeline, &human.name, tokenizer),
        answerer: settings.answerer.as_ref().map(|answerer| names::weights(&answerer.name)),
        samp,
        temperature: temperature.clone(),
        max_tokens: *max_tokens,
        workers: pipeline.workers,
    }
}

/// The running means of a train stage's loss, by which the Samp of others goes.
fn followers(pipeline: &Pipeline, stage: &str) -> Vec<(String, f64)> {
    let follower = |amplify: &Named<Amplify>| match &amplify.settings.call_human {
        CallHuman::Schedule(by_loss) if by_loss.loss.name == stage => {
            Some((names::imitation(&amplify.name), by_loss.decay))
        }
        _ => None,
    };
    pipeline.amplifies.iter().filter_map(follower).collect()
}

/// The limit on the loss of a train stage, if it has one.
fn limited(pipeline: &Pipeline, stage: &str, train: &Train) -> Option<Limited> {
    let Stage::Loss(loss) = named(&pipeline.stages, &train.from.name) else { return None };
    let settings = loss.constrained()?.clone();
    Some(Limited { settings, decay: loss.baseline_decay.clone(), state: names::constraint(stage) })
}

/// The metric that picks the best checkpoint.
pub fn best_metric(pipeline: &Pipeline) -> Option<String> {
    let stage = &pipeline.checkpoint.best.as_ref()?.name;
    let Stage::Evaluate(evaluate) = named(&pipeline.stages, stage) else { return None };
    let row = if evaluate.rows.contains(&Row::Naive) { Row::Naive } else { *evaluate.rows.first()? };
    Some(format!("{stage}.{}", row.name()))
}
