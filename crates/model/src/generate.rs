//! Answers to many prompts, shared out among threads in tiles.

use crate::{
    Model,
    llama::Llama,
    sample::{Generated, Next, Sampler, Sampling},
    tile::{TILE, Tile, span},
    workers::parallel,
};

/// Why nothing was generated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// A prompt leaves no room for an answer.
    #[error(
        "prompt {row} has {length} tokens, but a context of {context} leaves room for {limit} before an answer of \
         {max_tokens}; raise the model's `context`, lower `max_tokens`, or ask shorter questions"
    )]
    PromptTooLong {
        /// Which prompt.
        row: usize,
        /// Its tokens.
        length: usize,
        /// The most it may have.
        limit: usize,
        /// The model's context.
        context: usize,
        /// The longest answer asked for.
        max_tokens: usize,
    },
    /// A prompt has no tokens.
    #[error("prompt {row} is empty")]
    PromptEmpty {
        /// Which prompt.
        row: usize,
    },
}

/// Answers each prompt. `uniform` gives the random number in (0, 1) for a row of `prompts` and a position in its
/// answer. Results depend on neither `workers` nor which other prompts there are.
pub fn generate(
    model: &Model,
    prompts: &[Vec<u32>],
    sampling: Sampling,
    uniform: &(dyn Fn(usize, u32) -> f64 + Sync),
    workers: usize,
) -> Result<Vec<Generated>, GenerateError> {
    prompts.iter().enumerate().try_for_each(|(row, prompt)| room(model, row, prompt, sampling.max_tokens))?;
    let sampler = Sampler { sampling, end: model.tokenizer.eos(), next: Next::Drawn(uniform), distributions: false };
    Ok(answers(model, prompts, &sampler, workers))
}

/// What the model gives each token of an answer to each prompt, at temperature 1. `given` has one for each of `prompts`, and
/// none is empty. Results depend on neither `workers` nor which other prompts there are.
pub fn score(
    model: &Model,
    prompts: &[Vec<u32>],
    given: &[Vec<u32>],
    workers: usize,
) -> Result<Vec<Generated>, GenerateError> {
    let longest = longest(given);
    prompts.iter().enumerate().try_for_each(|(row, prompt)| room(model, row, prompt, longest))?;
    Ok(answers(model, prompts, &reading(model, given, false), workers))
}

/// The same, each with what the model gives all tokens where each of the answer's stands. A prompt and its answer may fill
/// the context to the last token, which leads to nothing.
pub fn distributions(
    model: &Model,
    prompts: &[Vec<u32>],
    given: &[Vec<u32>],
    workers: usize,
) -> Result<Vec<Generated>, GenerateError> {
    let mut rows = prompts.iter().zip(given).enumerate();
    rows.try_for_each(|(row, (prompt, answer))| room(model, row, prompt, answer.len().saturating_sub(1)))?;
    Ok(answers(model, prompts, &reading(model, given, true), workers))
}

/// Reads answers that are given.
fn reading<'a>(model: &Model, given: &'a [Vec<u32>], distributions: bool) -> Sampler<'a> {
    let sampling = Sampling { max_tokens: longest(given), temperature: 1.0 };
    Sampler { sampling, end: model.tokenizer.eos(), next: Next::Given(given), distributions }
}

fn longest(sequences: &[Vec<u32>]) -> usize {
    sequences.iter().map(Vec::len).max().unwrap_or_default()
}

/// Whether a prompt has tokens, and leaves room for so many.
fn room(model: &Model, row: usize, prompt: &[u32], max_tokens: usize) -> Result<(), GenerateError> {
    let context = model.weights.layout.architecture.context;
    let (length, limit) = (prompt.len(), context.saturating_sub(max_tokens));
    match length {
        0 => Err(GenerateError::PromptEmpty { row }),
        _ if length > limit => Err(GenerateError::PromptTooLong { row, length, limit, context, max_tokens }),
        _ => Ok(()),
    }
}

/// Answers of which a sampler decides on each token.
fn answers(model: &Model, prompts: &[Vec<u32>], sampler: &Sampler<'_>, workers: usize) -> Vec<Generated> {
    let max_tokens = sampler.sampling.max_tokens;
    if max_tokens == 0 {
        return vec![Generated::default(); prompts.len()];
    }
    let tiles = tiles(prompts, workers);
    // A row that has ended goes on beside longer ones, perhaps beyond the context.
    let positions = longest(prompts) + max_tokens;
    let llama = || Llama::new(&model.weights.handle(false), positions);
    let answers = parallel(workers, &tiles, llama, |llama, rows| {
        let _guard = tch::no_grad_guard();
        Tile::new(llama, prompts, rows, max_tokens).answer(sampler)
    });
    let mut by_row: Vec<_> = tiles.into_iter().flatten().zip(answers.into_iter().flatten()).collect();
    by_row.sort_unstable_by_key(|&(row, _)| row);
    by_row.into_iter().map(|(_, answer)| answer).collect()
}

/// The rows of each tile. Rows of the same span may share one, the longest prompts first: what takes long is best begun
/// early. Tiles are equally full, and as many as keep all workers busy.
fn tiles(prompts: &[Vec<u32>], workers: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..prompts.len()).collect();
    rows.sort_by_key(|&row| std::cmp::Reverse(prompts[row].len()));
    let spans = rows.chunk_by(|&a, &b| span(&prompts[a]) == span(&prompts[b]));
    let shared = |rows: &[usize]| rows.len().div_ceil(rows.len().div_ceil(TILE).next_multiple_of(workers.max(1)));
    spans.flat_map(|rows| rows.chunks(shared(rows))).map(<[usize]>::to_vec).collect()
}
