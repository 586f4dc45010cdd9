//! Rows on their way through the model. libtorch's kernels give other last bits for other shapes, so matrices have a
//! fixed number of rows, dummies among them: the tokens of prompts on *pages*, then one token of each row of a *tile*
//! at a time; and what a row attends to is padded by its own length alone. A row's tokens and log-probabilities then do
//! not depend on the batch it is in.

use std::ops::Range;

use tch::{Kind, Tensor};

use crate::{
    llama::{Heads, Llama},
    sample::{Generated, Sampler},
};

/// Rows of a tile.
pub(crate) const TILE: usize = 32;
/// Answers begin at a multiple of this in the cache.
const SPAN: usize = 64;
/// Tokens of a page; a prompt that is longer has a page of its own, a multiple of this.
const PAGE: usize = 256;

/// Where the answer to a prompt begins in the cache. Rows that share a tile have it in common.
pub(crate) fn span(prompt: &[u32]) -> usize {
    prompt.len().next_multiple_of(SPAN)
}

/// Some rows. In the cache, each has its prompt without the last token, then a gap, which is masked, and from slot
/// `span` on the last token and the answer. Positions are the true ones.
pub(crate) struct Tile<'a> {
    llama: &'a Llama,
    rows: &'a [usize],
    /// The prompts without their last tokens.
    known: Vec<&'a [u32]>,
    /// The last tokens.
    last: Vec<u32>,
    span: usize,
    slots: usize,
}

impl<'a> Tile<'a> {
    /// The tile of these rows of the prompts, none of which is empty.
    pub fn new(llama: &'a Llama, prompts: &'a [Vec<u32>], rows: &'a [usize], max_tokens: usize) -> Self {
        let parts = rows.iter().filter_map(|&row| prompts[row].split_last());
        let (last, known): (Vec<u32>, Vec<&[u32]>) = parts.unzip();
        let span = span(&prompts[rows[0]]);
        // A multiple of 16 numbers: each row's part of the cache is then aligned alike.
        Tile { llama, rows, known, last, span, slots: (span + max_tokens).next_multiple_of(16) }
    }

    /// Samples until every row has ended.
    pub fn answer(&self, sampler: &Sampler) -> Vec<Generated> {
        let caches = self.fill();
        let mask = self.mask();
        let mut answers = vec![Generated::default(); self.rows.len()];
        for step in 0..sampler.sampling.max_tokens {
            let logits = self.step(&answers, step, &mask, &caches);
            sampler.extend(&mut answers, self.rows, &logits);
            if answers.iter().zip(self.rows).all(|(answer, &row)| sampler.ended(answer, row)) {
                break;
            }
        }
        answers
    }

    /// The keys and values of what is known.
    fn fill(&self) -> Vec<Cache> {
        let caches: Vec<_> = self.llama.layers().iter().map(|_| Cache::new(self.llama, self.slots)).collect();
        pages(&self.known).into_iter().for_each(|page| self.fill_page(page, &caches));
        caches
    }

    /// The same of one page, on which these rows stand end to end.
    fn fill_page(&self, rows: Range<usize>, caches: &[Cache]) {
        let known = &self.known[rows.clone()];
        let mut tokens: Vec<i64> = known.concat().into_iter().map(i64::from).collect();
        let mut positions: Vec<i64> = known.iter().flat_map(|row| 0..row.len() as i64).collect();
        let (size, used) = (page_size(known[0]), tokens.len());
        tokens.resize(size, 0);
        positions.resize(size, 0);
        let rotations = self.llama.rotations_at(&Tensor::from_slice(&positions));
        let mut x = self.llama.embed(&Tensor::from_slice(&tokens).unsqueeze(0));
        for (number, (layer, cache)) in self.llama.layers().iter().zip(caches).enumerate() {
            let heads = self.llama.heads(layer, &x, &rotations);
            let parts = parts(&heads, known, rows.start);
            parts.iter().for_each(|(row, part)| cache.put(part, *row, 0));
            if number + 1 < caches.len() {
                let attended = parts.iter().map(|(_, part)| part.causal().reshape([-1, x.size()[2]]));
                let filler = x.narrow(1, used as i64, (size - used) as i64).squeeze_dim(0);
                let attended = Tensor::cat(&attended.chain([filler]).collect::<Vec<_>>(), 0);
                x = self.llama.feed(layer, &x, &attended);
            }
        }
    }

    /// One token for each row: the logits of the next.
    fn step(&self, answers: &[Generated], step: usize, mask: &Tensor, caches: &[Cache]) -> Tensor {
        let (mut tokens, mut positions) = ([0i64; TILE], [0i64; TILE]);
        for (row, answer) in answers.iter().enumerate() {
            // A row that has ended goes on with its last token; nobody looks at what follows.
            tokens[row] = i64::from(*answer.tokens.last().unwrap_or(&self.last[row]));
            positions[row] = (self.known[row].len() + step) as i64;
        }
        let slot = self.span + step;
        let mask = mask.narrow(2, 0, slot as i64 + 1);
        let rotations = self.llama.rotations_at(&Tensor::from_slice(&positions)).unsqueeze(1);
        let mut x = self.llama.embed(&Tensor::from_slice(&tokens).unsqueeze(1));
        for (layer, cache) in self.llama.layers().iter().zip(caches) {
            let heads = self.llama.heads(layer, &x, &rotations);
            cache.put(&heads, 0, slot);
            x = self.llama.feed(layer, &x, &cache.attend(&heads.query, slot + 1, &mask));
        }
        self.llama.predict(&x)
    }

    /// 0 where a row has a token, −∞ in the gap; `[TILE · heads, 1, slots]`.
    fn mask(&self) -> Tensor {
        let mut mask = vec![0f32; TILE * self.slots];
        for (slots, known) in mask.chunks_mut(self.slots).zip(&self.known) {
            slots[known.len()..self.span].fill(f32::NEG_INFINITY);
        }
        let mask = Tensor::from_slice(&mask).view([TILE as i64, 1, self.slots as i64]);
        mask.repeat_interleave_self_int(self.llama.heads, 0, None)
    }
}

/// The tokens of a page that has such a row.
fn page_size(known: &[u32]) -> usize {
    known.len().max(1).next_multiple_of(PAGE)
}

/// The rows of each page, in order: as many as have room.
fn pages(known: &[&[u32]]) -> Vec<Range<usize>> {
    let mut pages: Vec<Range<usize>> = Vec::new();
    let mut used = 0;
    for (row, tokens) in known.iter().enumerate() {
        let size = page_size(tokens);
        match pages.last_mut() {
            Some(page) if page_size(known[page.start]) == size && used + tokens.len() <= size => page.end = row + 1,
            _ => {
                pages.push(row..row + 1);
                used = 0;
            }
        }
        used += tokens.len();
    }
    pages
}

/// The heads of rows that stand end to end, those of the same length together, and the first row of each part.
fn parts(heads: &Heads, known: &[&[u32]], mut row: usize) -> Vec<(usize, Heads)> {
    let (mut start, mut parts) = (0, Vec::new());
    for same in known.chunk_by(|a, b| a.len() == b.len()).filter(|same| !same[0].is_empty()) {
        parts.push((row, heads.rows(start, same.len(), same[0].len())));
        row += same.len();
        start += same.len() * same[0].len();
    }
    parts
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

    /// Keeps keys and values, from a row and a slot on.
    fn put(&self, heads: &Heads, row: usize, slot: usize) {
        let (rows, time) = (heads.key.size()[0], heads.key.size()[1]);
        for (kept, new) in [(&self.key, &heads.key), (&self.value, &heads.value)] {
            let mut place = kept.narrow(0, row as i64, rows).narrow(2, slot as i64, time);
            place.copy_(&new.transpose(1, 2));
        }
    }

    /// softmax(q kᵀ / √d + mask) v over the slots before `end`, for one query of each row: `[TILE, width]`.
    fn attend(&self, query: &Tensor, end: usize, mask: &Tensor) -> Tensor {
        let (rows, _, heads, size) = query.size4().expect("queries have four dimensions");
        let before = |kept: &Tensor| kept.flatten(0, 1).narrow(1, 0, end as i64);
        let query = query.reshape([rows * heads, 1, size]);
        let scores = mask.baddbmm(&query, &before(&self.key).transpose(1, 2), 1.0, 1.0 / (size as f64).sqrt());
        scores.softmax(-1, Kind::Float).bmm(&before(&self.value)).view([rows, heads * size])
    }
}
