//! Answers, token by token. libtorch's kernels give other last bits for other shapes, so rows are computed in groups
//! whose shape depends on a row's own prompt length alone, filled up with dummies: prompts on *pages*, and then, a token
//! at a time, on *tiles*. A row's tokens and log-probabilities do not depend on the batch it is in.

use tch::{Kind, Tensor};

use crate::{
    Model,
    llama::{Heads, Llama},
    sample::{Generated, Sampler, Sampling},
    workers::parallel,
};

/// Rows of a tile.
const TILE: usize = 32;
/// Answers of a tile begin at the same slot of its cache, a multiple of this.
const SPAN: usize = 64;
/// Rows of a page.
const PAGE: usize = 8;
/// Prompts are padded to a multiple of this.
const PADDING: usize = 8;

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
        return Ok(vec![Generated::default(); prompts.len()]);
    }
    let tiles = tiles(prompts, workers);
    let sampler = Sampler { sampling, end: model.tokenizer.eos(), uniform };
    let llama = || Llama::new(&model.weights.handle(false), context);
    let answers = parallel(workers, &tiles, llama, |llama, rows| {
        let _guard = tch::no_grad_guard();
        Tile::new(llama, prompts, rows, sampling.max_tokens).answer(&sampler)
    });
    let mut by_row: Vec<_> = tiles.into_iter().flatten().zip(answers.into_iter().flatten()).collect();
    by_row.sort_unstable_by_key(|&(row, _)| row);
    Ok(by_row.into_iter().map(|(_, answer)| answer).collect())
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

/// Where the answer to a prompt begins in the cache.
fn span(prompt: &[u32]) -> usize {
    prompt.len().next_multiple_of(SPAN)
}

/// Some rows on their way through the model. In the cache, each has its prompt, then a gap, which is masked, and from
/// slot `span` on its answer. Positions are the true ones.
struct Tile<'a> {
    llama: &'a Llama,
    rows: &'a [usize],
    prompts: Vec<&'a [u32]>,
    span: usize,
    slots: usize,
}

impl<'a> Tile<'a> {
    fn new(llama: &'a Llama, prompts: &'a [Vec<u32>], rows: &'a [usize], max_tokens: usize) -> Self {
        let prompts: Vec<&[u32]> = rows.iter().map(|&row| prompts[row].as_slice()).collect();
        let span = span(prompts[0]);
        Tile { llama, rows, prompts, span, slots: span + max_tokens }
    }

    /// Samples until every row has ended. What goes into a step is the token before: of the prompt, then of the answer.
    fn answer(&self, sampler: &Sampler) -> Vec<Generated> {
        let caches = self.fill();
        let mask = self.mask();
        let mut answers = vec![Generated::default(); self.rows.len()];
        for step in 0..sampler.sampling.max_tokens {
            let logits = self.step(&answers, step, &mask, &caches);
            sampler.extend(&mut answers, self.rows, &logits);
            if answers.iter().all(|answer| sampler.ended(answer)) {
                break;
            }
        }
        answers
    }

    /// The keys and values of the prompts, except for their last tokens, which are the first step's.
    fn fill(&self) -> Vec<Cache> {
        let caches: Vec<_> = self.llama.layers().iter().map(|_| Cache::new(self.llama, self.slots)).collect();
        let mut row = 0;
        for same in self.prompts.chunk_by(|a, b| padded(a) == padded(b)) {
            for page in same.chunks(PAGE) {
                self.fill_page(page, row, &caches);
                row += page.len();
            }
        }
        caches
    }

    /// One page, whose first prompt is that of `row`.
    fn fill_page(&self, prompts: &[&[u32]], row: usize, caches: &[Cache]) {
        let time = padded(prompts[0]);
        if time == 0 {
            return;
        }
        let mut tokens = vec![0i64; PAGE * time];
        for (slots, prompt) in tokens.chunks_mut(time).zip(prompts) {
            let before_last = &prompt[..prompt.len() - 1];
            slots.iter_mut().zip(before_last).for_each(|(slot, &token)| *slot = i64::from(token));
        }
        let rotations = self.llama.rotations_to(time as i64);
        let mut x = self.llama.embed(&Tensor::from_slice(&tokens).view([PAGE as i64, time as i64]));
        for (number, layer) in self.llama.layers().iter().enumerate() {
            let heads = self.llama.heads(layer, &x, &rotations);
            caches[number].put(&heads, row, prompts.len(), 0);
            if number + 1 < caches.len() {
                x = self.llama.feed(layer, &x, &self.llama.flat(&heads.causal()));
            }
        }
    }

    /// One token for each row: the logits of the next.
    fn step(&self, answers: &[Generated], step: usize, mask: &Tensor, caches: &[Cache]) -> Tensor {
        let (mut tokens, mut positions) = ([0i64; TILE], [0i64; TILE]);
        for (place, (prompt, answer)) in self.prompts.iter().zip(answers).enumerate() {
            // A row that has ended goes on with its last token; nobody looks at what follows.
            let before = answer.tokens.last().unwrap_or(&prompt[prompt.len() - 1]);
            tokens[place] = i64::from(*before);
            positions[place] = (prompt.len() - 1 + step) as i64;
        }
        let slot = self.span + step;
        let mask = mask.narrow(2, 0, slot as i64 + 1);
        let rotations = self.llama.rotations_at(&Tensor::from_slice(&positions)).unsqueeze(1);
        let mut x = self.llama.embed(&Tensor::from_slice(&tokens).view([TILE as i64, 1]));
        for (layer, cache) in self.llama.layers().iter().zip(caches) {
            let heads = self.llama.heads(layer, &x, &rotations);
            cache.put(&heads, 0, TILE, slot);
            x = self.llama.feed(layer, &x, &self.llama.flat(&cache.attend(&heads.query, slot + 1, &mask)));
        }
        self.llama.predict(&x)
    }

    /// 0 where a row has a token, −∞ in the gap between its prompt and its answer; `[TILE · heads, 1, slots]`.
    fn mask(&self) -> Tensor {
        let mut mask = vec![0f32; TILE * self.slots];
        for (row, prompt) in mask.chunks_mut(self.slots).zip(&self.prompts) {
            row[prompt.len() - 1..self.span].fill(f32::NEG_INFINITY);
        }
        let mask = Tensor::from_slice(&mask).view([TILE as i64, 1, self.slots as i64]);
        mask.repeat_interleave_self_int(self.llama.heads, 0, None)
    }
}

/// The length to which a prompt without its last token is padded.
fn padded(prompt: &[u32]) -> usize {
    (prompt.len() - 1).next_multiple_of(PADDING)
}

/// Keys and values of one layer, `[TILE, heads, slots, width / heads]`.
struct Cache {
    key: Tensor,
    value: Tensor,
}

impl Cache {
    fn new(llama: &Llama, slots: usize) -> Self {
        Cache { key: llama.room(TILE, slots), value: llama.room(TILE, slots) }
    }

    /// Keeps the keys and values of `rows` rows from `row` on, from `slot` on.
    fn put(&self, heads: &Heads, row: usize, rows: usize, slot: usize) {
        let time = heads.key.size()[2];
        for (kept, new) in [(&self.key, &heads.key), (&self.value, &heads.value)] {
            let mut place = kept.narrow(0, row as i64, rows as i64).narrow(2, slot as i64, time);
            place.copy_(&new.narrow(0, 0, rows as i64));
        }
    }

    /// softmax(q kᵀ / √d + mask) v over the slots before `end`, for one query of each row.
    fn attend(&self, query: &Tensor, end: usize, mask: &Tensor) -> Tensor {
        let before = |kept: &Tensor| kept.flatten(0, 1).narrow(1, 0, end as i64);
        let scale = 1.0 / (query.size()[3] as f64).sqrt();
        let scores = mask.baddbmm(&query.flatten(0, 1), &before(&self.key).transpose(1, 2), 1.0, scale);
        scores.softmax(-1, Kind::Float).bmm(&before(&self.value)).view_as(query)
    }
}
