//! α = 0 with `max_turns = 1` is imitative amplification. The loop here is written without the pipeline's stages: it
//! draws the same questions, asks the same H, and takes the gradient of the cross-entropy in the plainest way. Its
//! weights must be those of the pipeline bit for bit.

use crate::plain;
use debate::{draw::Draw, question::Posed, samp::calls_human};
use elenchus::{stages::states, wiring::wire};
use model::Model;
use tests::{load, small};
use train::{AdamW, Rates};

const BATCHES: u64 = 5;
const ROWS: u64 = 6;
const CALL_HUMAN: f64 = 0.4;
const LEARNING_RATE: f64 = 2e-3;

fn source() -> String {
    small("web-of-lies", BATCHES).replace("alpha = 0.5", "alpha = 0.0").replace("max_turns = 2", "max_turns = 1")
}

fn imitate() -> Model {
    let loaded = load(&source());
    let states = wire::states(&loaded);
    let mut model = states.get::<states::ModelState>("model.agent").unwrap().0.deep_copy();
    let mut optimizer = AdamW::new(model.weights.flat.numel());
    let rates = Rates { learning_rate: LEARNING_RATE, betas: (0.9, 0.98), epsilon: 1e-8, weight_decay: 0.0, clip: 1.0 };
    let human = tasks::human("web-of-lies").unwrap();
    let seed = Draw::new(loaded.pipeline.seed);
    for batch in 0..BATCHES {
        let mut sequences = Vec::new();
        for id in batch * ROWS..(batch + 1) * ROWS {
            let question = loaded.inputs.questions["questions"].draw(id, seed.named("questions")).text;
            let draw = seed.named("arguments").at(id).named("argument").at(0);
            if calls_human(CALL_HUMAN, draw) {
                let prompt = model.tokenizer.prompt(&question);
                let said = plain::ask(human.as_ref(), &model, &Posed::bare(question), draw);
                let answer = model.tokenizer.answer(&said);
                let length = prompt.len();
                sequences.push(([prompt, answer].concat(), length, 1.0));
            }
        }
        if sequences.is_empty() {
            continue;
        }
        let gradient = plain::gradient(&model, sequences);
        optimizer.step(&mut model.weights, &plain::clipped(gradient), &rates);
    }
    model
}

#[test]
fn alpha_zero_with_one_turn_is_imitative_amplification() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    tests::run(&source(), &root);
    let run = batch::Run::open(&root).unwrap();
    let files = run.state_files(BATCHES, "model.agent").unwrap();
    let trained = Model::load(&files).unwrap().weights.flat;
    let expected = imitate().weights.flat;
    let fresh = wire::states(&load(&source()));
    let fresh = &fresh.get::<states::ModelState>("model.agent").unwrap().0.weights.flat;
    assert!(!fresh.equal(&expected), "nothing was learned, so nothing is compared");
    assert!(trained.equal(&expected), "the weights differ by {}", (trained - expected).abs().max().double_value(&[]));
}

#[test]
fn forced_sufficiency_leaves_every_reward_null() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    // Where sufficiency is forced nothing can earn a reward, so a pipeline may have no α above 0.
    let source = small("web-of-lies", 3).replace("alpha = 0.5", "alpha = 0.0");
    tests::run(&source.replace("max_turns = 2", "max_turns = 2\nsufficient = \"always\""), &root);
    let run = batch::Run::open(&root).unwrap();
    for batch in 0..3 {
        let verdicts = run.table("verdicts", batch).unwrap();
        assert_eq!(verdicts.column("reward").unwrap().null_count(), verdicts.height());
        let examples = run.table("objective", batch).unwrap();
        assert_eq!(examples.column("advantage").unwrap().null_count(), examples.height());
        let metrics = &run.lines()[batch as usize].metrics;
        assert!(!metrics.keys().any(|name| name == "step.reward_norm"), "{metrics:?}");
    }
}
