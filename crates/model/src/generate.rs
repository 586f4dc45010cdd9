//! Answers, token by token. libtorch's kernels give other last bits for other shapes, so rows are computed on *tiles*
//! whose shape depends on a row's own prompt length alone: as many rows as always, dummies among them, and prompts
//! padded to a bucket. A row's tokens and log-probabilities then do not depend on the batch it is in.

use tch::{IndexOp, Kind, Tensor};

use crate::{
    Model,
    llama::{Attention, Llama, sdpa},
    workers::parallel,
};

/// Rows of a tile.
const TILE: usize = 32;
/// Prompts are padded to a multiple of this.
const BUCKET: usize = 8;

/// How answers are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The longest answer, the end token included.
    pub max_tokens: usize,
    /// Logits are divided by it; 0 takes the likeliest token, the lowest id among equals.
    pub temperature: f64,
}

/// An answer, as sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// Its tokens; the last is the end token, unless the answer is as long as allowed.
    pub tokens: Vec<u32>,
    /// The log-probability of each token under the distribution it was drawn from; at temperature 0, at temperature 1.
    pub log_probs: Vec<f32>,
}

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
    let context = model.weights.layout.architecture.context;
    let limit = context.saturating_sub(sampling.max_tokens);
    for (row, prompt) in prompts.iter().enumerate() {
        if prompt.is_empty() {
            return Err(GenerateError::PromptEmpty { row });
        }
        if prompt.len() > limit {
            let (length, max_tokens) = (prompt.len(), sampling.max_tokens);
            return Err(GenerateError::PromptTooLong { row, length, limit, context, max_tokens });
        }
    }
    if sampling.max_tokens == 0 {
        return Ok(vec![Generated { tokens: Vec::new(), log_probs: Vec::new() }; prompts.len()]);
    }
    let tiles = tiles(prompts);
    let positions = context.next_multiple_of(BUCKET);
    let sampler = Sampler { sampling, end: model.tokenizer.eos(), uniform };
    let llama = || Llama::new(&model.weights.handle(false), positions);
    let answers = parallel(workers, &tiles, llama, |llama, rows| {
        let _guard = tch::no_grad_guard();
        Tile::new(llama, prompts, rows, sampling.max_tokens).answer(&sampler)
    });
    let mut by_row: Vec<_> = tiles.into_iter().flatten().zip(answers.into_iter().flatten()).collect();
    by_row.sort_unstable_by_key(|&(row, _)| row);
    Ok(by_row.into_iter().map(|(_, answer)| answer).collect())
}

/// Rows of the same bucket together, the longest first: what takes long is best begun early.
fn tiles(prompts: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let bucket = |row: &usize| std::cmp::Reverse(prompts[*row].len().next_multiple_of(BUCKET));
    let mut rows: Vec<usize> = (0..prompts.len()).collect();
    rows.sort_by_key(bucket);
    let buckets = rows.chunk_by(|a, b| bucket(a) == bucket(b));
    buckets.flat_map(|rows| rows.chunks(TILE)).map(<[usize]>::to_vec).collect()
}

/// What decides on a token.
struct Sampler<'a> {
    sampling: Sampling,
    end: u32,
    uniform: &'a (dyn Fn(usize, u32) -> f64 + Sync),
}

impl Sampler<'_> {
    /// A token and its log-probability.
    fn draw(&self, logits: &[f32], row: usize, position: usize) -> (u32, f32) {
        let greedy = self.sampling.temperature == 0.0;
        let temperature = if greedy { 1.0 } else { self.sampling.temperature };
        let likeliest = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or_default();
        let most = f64::from(logits[likeliest]);
        let scaled = |logit: f32| (f64::from(logit) - most) / temperature;
        let odds: Vec<f64> = logits.iter().map(|&logit| scaled(logit).exp()).collect();
        let total: f64 = odds.iter().sum();
        let token = if greedy { likeliest } else { inverse(&odds, total * (self.uniform)(row, position as u32)) };
        (token as u32, (scaled(logits[token]) - total.ln()) as f32)
    }
}

/// The first place where the running sum of `odds` passes `share`; rounding can leave only the last likely place.
fn inverse(odds: &[f64], share: f64) -> usize {
    let mut sum = 0.0;
    let passes = odds.iter().position(|&odd| {
        sum += odd;
        sum > share
    });
    passes.or(odds.iter().rposition(|&odd| odd > 0.0)).unwrap_or_default()
}

/// Some rows on their way through the model. All their prompts end before slot `bucket` of the cache and leave a gap
/// there, masked; their answers begin at that slot, side by side. Positions are the true ones.
struct Tile<'a> {
    llama: &'a Llama,
    rows: &'a [usize],
    prompts: Vec<&'a [u32]>,
    bucket: usize,
    slots: usize,
}

/// Keys and values of one layer, `[TILE, slots, heads, width / heads]`.
struct Cache {
    key: Tensor,
    value: Tensor,
}

impl<'a> Tile<'a> {
    fn new(llama: &'a Llama, prompts: &'a [Vec<u32>], rows: &'a [usize], max_tokens: usize) -> Self {
        let prompts: Vec<&[u32]> = (0..TILE).map(|place| prompts[rows[place.min(rows.len() - 1)]].as_slice()).collect();
        let bucket = prompts[0].len().next_multiple_of(BUCKET);
        Tile { llama, rows, prompts, bucket, slots: bucket + max_tokens }
    }

    /// Samples until every row has ended.
    fn answer(&self, sampler: &Sampler) -> Vec<Generated> {
        let mut answers = vec![Generated { tokens: Vec::new(), log_probs: Vec::new() }; self.rows.len()];
        let mask = self.mask();
        let (mut logits, mut caches) = self.prefill();
        for step in 0..sampler.sampling.max_tokens {
            let tokens = self.sample(&logits, step, sampler, &mut answers);
            let ended = answers.iter().all(|answer| answer.tokens.last() == Some(&sampler.end));
            if ended || step + 1 == sampler.sampling.max_tokens {
                break;
            }
            logits = self.step(&tokens, step, &mask, &mut caches);
        }
        answers
    }

    /// One token more for each row that has not ended; what goes into the next step.
    fn sample(&self, logits: &Tensor, step: usize, sampler: &Sampler, answers: &mut [Generated]) -> Vec<i64> {
        let vocabulary = logits.size()[1] as usize;
        let mut numbers = vec![0f32; TILE * vocabulary];
        logits.copy_data(&mut numbers, TILE * vocabulary);
        let mut tokens = vec![i64::from(sampler.end); TILE];
        for (place, answer) in answers.iter_mut().enumerate() {
            if answer.tokens.last() != Some(&sampler.end) {
                let logits = &numbers[place * vocabulary..][..vocabulary];
                let (token, log_prob) = sampler.draw(logits, self.rows[place], step);
                answer.tokens.push(token);
                answer.log_probs.push(log_prob);
                tokens[place] = i64::from(token);
            }
        }
        tokens
    }

    /// The whole prompts: logits after their last tokens, and the caches.
    fn prefill(&self) -> (Tensor, Vec<Cache>) {
        let mut tokens = vec![0i64; TILE * self.bucket];
        for (row, prompt) in tokens.chunks_mut(self.bucket).zip(&self.prompts) {
            row.iter_mut().zip(*prompt).for_each(|(slot, &token)| *slot = i64::from(token));
        }
        let tokens = Tensor::from_slice(&tokens).view([TILE as i64, self.bucket as i64]);
        let mut caches = Vec::new();
        let rotations = self.llama.rotations_to(self.bucket as i64);
        let hidden = self.llama.decode(&tokens, &rotations, |_, attention| {
            caches.push(Cache::new(&attention, self.slots as i64));
            attention.causal()
        });
        let last = |(place, prompt): (usize, &&[u32])| (place * self.bucket + prompt.len() - 1) as i64;
        let last: Vec<i64> = self.prompts.iter().enumerate().map(last).collect();
        let width = hidden.size()[2];
        (self.llama.logits(&hidden.view([-1, width]).index_select(0, &Tensor::from_slice(&last))), caches)
    }

    /// One token for each row.
    fn step(&self, tokens: &[i64], step: usize, mask: &Tensor, caches: &mut [Cache]) -> Tensor {
        let positions: Vec<i64> = self.prompts.iter().map(|prompt| (prompt.len() + step) as i64).collect();
        let rotations = self.llama.rotations_at(&Tensor::from_slice(&positions)).unsqueeze(1);
        let tokens = Tensor::from_slice(tokens).view([TILE as i64, 1]);
        let slot = (self.bucket + step) as i64;
        let mask = mask.narrow(3, 0, slot + 1);
        let hidden = self.llama.decode(&tokens, &rotations, |layer, attention| {
            caches[layer].put(&attention, slot);
            caches[layer].attend(&attention.query, slot + 1, &mask)
        });
        self.llama.logits(&hidden.squeeze_dim(1))
    }

    /// 0 where a row has a token, −∞ in the gap between its prompt and its answer; `[TILE, 1, 1, slots]`.
    fn mask(&self) -> Tensor {
        let mut mask = vec![0f32; TILE * self.slots];
        for (row, prompt) in mask.chunks_mut(self.slots).zip(&self.prompts) {
            row[prompt.len()..self.bucket].fill(f32::NEG_INFINITY);
        }
        Tensor::from_slice(&mask).view([TILE as i64, 1, 1, self.slots as i64])
    }
}

impl Cache {
    /// Keeps the keys and values of the prompts, with room for answers.
    fn new(attention: &Attention, slots: i64) -> Self {
        let (rows, heads, time, size) = attention.key.size4().expect("keys have four dimensions");
        let empty = || Tensor::empty([rows, slots, heads, size], (Kind::Float, attention.key.device()));
        let cache = Cache { key: empty(), value: empty() };
        cache.key.narrow(1, 0, time).copy_(&attention.key.transpose(1, 2));
        cache.value.narrow(1, 0, time).copy_(&attention.value.transpose(1, 2));
        cache
    }

    /// Keeps the keys and values of one token of each row.
    fn put(&self, attention: &Attention, slot: i64) {
        self.key.i((.., slot)).copy_(&attention.key.squeeze_dim(2));
        self.value.i((.., slot)).copy_(&attention.value.squeeze_dim(2));
    }

    /// Attends to the slots before `end`.
    fn attend(&self, query: &Tensor, end: i64, mask: &Tensor) -> Tensor {
        let key = self.key.narrow(1, 0, end).transpose(1, 2);
        let value = self.value.narrow(1, 0, end).transpose(1, 2);
        sdpa(query, &key, &value, Some(mask), false)
    }
}
