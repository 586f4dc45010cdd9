//! α = 0 with `max_turns = 1` is imitative amplification. The loop here is written without the pipeline's stages: it
//! draws the same questions, asks the same H, and takes the gradient of the cross-entropy in the plainest way. Its
//! weights must be those of the pipeline bit for bit.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::Posed,
    samp::calls_human,
};
use elenchus::{states, wire};
use model::{Llama, Model, Sampling};
use tch::{Kind, Tensor};
use tests::{load, small};
use train::{AdamW, Rates};

const BATCHES: u64 = 5;
const ROWS: u64 = 6;
const CALL_HUMAN: f64 = 0.4;
const LEARNING_RATE: f64 = 2e-3;

fn source() -> String {
    small("web-of-lies", BATCHES).replace("alpha = 0.5", "alpha = 0.0").replace("max_turns = 2", "max_turns = 1")
}

/// What H answers, asking M for what it does not know.
fn ask(human: &dyn Human, model: &Model, question: &str, draw: Draw) -> String {
    let mut said: Vec<Exchange> = Vec::new();
    loop {
        match human.next(&Posed::bare(question), &said, draw.named("human")) {
            Move::Answer(answer) => return answer,
            Move::Ask(questions) => {
                for question in questions {
                    let draw = draw.named("sub").at(said.len() as u64);
                    let prompt = model.tokenizer.prompt(&question);
                    let sampling = Sampling { max_tokens: 16, temperature: 1.0 };
                    let uniform = |_: usize, position: u32| draw.uniform(position);
                    let answer = model::generate(model, &[prompt], sampling, &uniform, 1).unwrap().remove(0);
                    said.push(Exchange { question, answer: Some(model.tokenizer.decode(&answer.tokens)) });
                }
            }
        }
    }
}

/// The gradient of the mean cross-entropy of the answers' tokens, all sequences in one padded batch, the longest first.
fn gradient(model: &Model, mut sequences: Vec<(Vec<u32>, usize)>) -> Tensor {
    sequences.sort_by_key(|(tokens, _)| std::cmp::Reverse(tokens.len()));
    let time = sequences[0].0.len() - 1;
    let answered: usize = sequences.iter().map(|(tokens, prompt)| tokens.len() - prompt).sum();
    let mut inputs = vec![0i64; sequences.len() * time];
    let (mut places, mut targets) = (Vec::new(), Vec::new());
    for (row, (tokens, prompt)) in sequences.iter().enumerate() {
        for place in 0..tokens.len() - 1 {
            inputs[row * time + place] = i64::from(tokens[place]);
            if place + 1 >= *prompt {
                places.push((row * time + place) as i64);
                targets.push(i64::from(tokens[place + 1]));
            }
        }
    }
    tch::set_num_threads(1);
    let weights = model.weights.handle(true);
    let llama = Llama::new(&weights, time);
    let inputs = Tensor::from_slice(&inputs).view([sequences.len() as i64, time as i64]);
    let log_probs = llama.logits(&inputs, &Tensor::from_slice(&places)).log_softmax(-1, Kind::Float);
    let surprise = -log_probs.gather(1, &Tensor::from_slice(&targets).unsqueeze(1), false).squeeze_dim(1);
    let share = Tensor::from_slice(&vec![(1.0 / answered as f64) as f32; targets.len()]);
    Tensor::run_backward(&[surprise.dot(&share)], &[&weights.flat], false, false).remove(0)
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
                let answer = model.tokenizer.answer(&ask(human.as_ref(), &model, &question, draw));
                let length = prompt.len();
                sequences.push(([prompt, answer].concat(), length));
            }
        }
        if sequences.is_empty() {
            continue;
        }
        let gradient = gradient(&model, sequences);
        let norm = gradient.norm().to_kind(Kind::Double).double_value(&[]);
        let clipped = if norm > 1.0 { gradient * (1.0 / norm) } else { gradient };
        optimizer.step(&mut model.weights, &clipped, &rates);
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
