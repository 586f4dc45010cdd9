//! Training and generation speed, for `ci/bench` to put beside PyTorch's: `throughput training|generation SECONDS` prints
//! tokens per second. `ci/benchmarks/model.py` has the same model, the same sequences and the same optimizer.

use std::{error::Error, time::Instant};

use model::{Model, Sampling, Tokenizer, generate};
use spec::settings::Architecture;
use train::{AdamW, Example, Objective, Rates, Step, step};

const ROWS: usize = 128;
const NEW_TOKENS: usize = 8;
const WORKERS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (what, seconds) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default().parse()?);
    let words: Vec<String> = (0..96).map(|word| format!("w{word}")).collect();
    let architecture = Architecture { layers: 2, width: 64, heads: 4, context: 64, feed_forward: 256 };
    let mut model = Model::new(architecture, Tokenizer::from_wording(&[], &words)?, 1);
    let rate = match what.as_str() {
        "training" => training(&mut model, seconds)?,
        "generation" => generation(&model, seconds)?,
        _ => return Err("usage: throughput training|generation SECONDS".into()),
    };
    print(rate)
}

/// The tokens of one of the sequences: from 16 to 48.
fn sequence(key: usize) -> Vec<u32> {
    (0..16 + key * 7 % 33).map(|place| (4 + (key * 31 + place * (3 + key % 5)) % 96) as u32).collect()
}

/// Tokens trained on per second, prompts included.
fn training(model: &mut Model, seconds: f64) -> Result<f64, Box<dyn Error>> {
    let rates = Rates { learning_rate: 1e-3, betas: (0.9, 0.98), epsilon: 1e-8, weight_decay: 0.0, clip: 1.0 };
    let mut optimizer = AdamW::new(model.weights.layout.parameters());
    let example = |key: usize| {
        let tokens = sequence(key);
        Example {
            prompt_length: tokens.len() - 4,
            tokens,
            supervised: 1.0,
            stands_for: 1.0,
            advantage: None,
            log_probs: Vec::new(),
            distribution: Vec::new(),
        }
    };
    let batches: Vec<Vec<Example>> =
        (0..8).map(|batch| (0..ROWS).map(|row| example(batch * ROWS + row)).collect()).collect();
    let settings = Step { rates, objective: Objective::default(), multiplier: None, micro_batch: 32, workers: WORKERS };
    rate(seconds, |round| Ok(step(model, &mut optimizer, &batches[round % batches.len()], settings)?.tokens))
}

/// New tokens per second.
fn generation(model: &Model, seconds: f64) -> Result<f64, Box<dyn Error>> {
    let batches: Vec<Vec<Vec<u32>>> =
        (0..8).map(|batch| (0..ROWS).map(|row| sequence(batch * ROWS + row)).collect()).collect();
    let sampling = Sampling { max_tokens: NEW_TOKENS, temperature: 1.0 };
    let uniform = |row: usize, position: u32| ((row * 37 + position as usize * 11) % 97) as f64 / 97.0 + 0.005;
    rate(seconds, |round| {
        let answers = generate(model, &batches[round % batches.len()], sampling, &uniform, WORKERS)?;
        Ok(answers.iter().map(|answer| answer.tokens.len()).sum())
    })
}

/// The work of rounds per second, after a few that do not count.
fn rate(seconds: f64, mut round: impl FnMut(usize) -> Result<usize, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    for warming in 0..4 {
        round(warming)?;
    }
    let (start, mut done, mut number) = (Instant::now(), 0, 0);
    while start.elapsed().as_secs_f64() < seconds {
        done += round(number)?;
        number += 1;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

fn print(rate: f64) -> Result<(), Box<dyn Error>> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{rate:.0}")?)
}
