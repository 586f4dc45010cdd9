//! Logits into tokens: the inverse of the cumulative distribution in the order of the vocabulary, at a random number
//! that belongs to the row and the position. Which token that is depends on nothing else.

use tch::Tensor;

/// How answers are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The longest answer, the end token included.
    pub max_tokens: usize,
    /// Logits are divided by it; 0 takes the likeliest token, the lowest id among equals.
    pub temperature: f64,
}

/// An answer, as sampled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Generated {
    /// Its tokens; the last is the end token, unless the answer is as long as allowed.
    pub tokens: Vec<u32>,
    /// The log-probability of each token under the distribution it was drawn from; at temperature 0, at temperature 1.
    pub log_probs: Vec<f32>,
    /// The log-probabilities of all tokens where each of these was chosen, `[tokens, vocabulary]` row by row; empty unless
    /// they were asked for.
    pub distributions: Vec<f32>,
}

/// What decides on a token.
pub(crate) struct Sampler<'a> {
    pub sampling: Sampling,
    /// The token that ends an answer.
    pub end: u32,
    pub next: Next<'a>,
    /// Whether whole distributions are kept.
    pub distributions: bool,
}

/// Where the tokens of answers come from.
pub(crate) enum Next<'a> {
    /// Drawn, at the random number in (0, 1) of a row and a position in its answer.
    Drawn(&'a (dyn Fn(usize, u32) -> f64 + Sync)),
    /// The answer of each row is given, and none is empty.
    Given(&'a [Vec<u32>]),
}

impl Sampler<'_> {
    /// Whether nothing more comes in a row.
    pub fn ended(&self, answer: &Generated, row: usize) -> bool {
        match self.next {
            Next::Drawn(_) => {
                answer.tokens.len() == self.sampling.max_tokens || answer.tokens.last() == Some(&self.end)
            }
            Next::Given(answers) => answer.tokens.len() == answers[row].len(),
        }
    }

    /// One token more for each answer that has not ended. `logits` has a row for each answer, and may have more.
    pub fn extend(&self, answers: &mut [Generated], rows: &[usize], logits: &Tensor) {
        let vocabulary = logits.size()[1] as usize;
        let mut numbers = vec![0f32; logits.numel()];
        logits.copy_data(&mut numbers, logits.numel());
        for ((answer, &row), logits) in answers.iter_mut().zip(rows).zip(numbers.chunks(vocabulary)) {
            if !self.ended(answer, row) {
                self.choose(answer, logits, row);
            }
        }
    }

    /// One token more, with its log-probability.
    fn choose(&self, answer: &mut Generated, logits: &[f32], row: usize) {
        let position = answer.tokens.len();
        let greedy = self.sampling.temperature == 0.0;
        let temperature = if greedy { 1.0 } else { self.sampling.temperature };
        let likeliest = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or_default();
        let most = f64::from(logits[likeliest]);
        let scaled = |logit: f32| (f64::from(logit) - most) / temperature;
        let odds: Vec<f64> = logits.iter().map(|&logit| scaled(logit).exp()).collect();
        let total: f64 = odds.iter().sum();
        let token = match self.next {
            Next::Given(answers) => answers[row][position] as usize,
            Next::Drawn(_) if greedy => likeliest,
            Next::Drawn(uniform) => inverse(&odds, total * uniform(row, position as u32)),
        };
        let log_prob = |logit: f32| (scaled(logit) - total.ln()) as f32;
        answer.tokens.push(token as u32);
        answer.log_probs.push(log_prob(logits[token]));
        if self.distributions {
            answer.distributions.extend(logits.iter().map(|&logit| log_prob(logit)));
        }
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
