//! Examples into gradients: the supervised loss L and the debate reward J, kept apart until they are combined, so that
//! their norms and the angle between them can be told.

use model::{Llama, Model, Weights, parallel};
use tch::{Kind, Reduction, Tensor};

/// A question put to M and an answer: M's own, or one to imitate.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The prompt, then the answer.
    pub tokens: Vec<u32>,
    /// Where the answer begins.
    pub prompt_length: usize,
    /// The weight of the answer as a target of imitation, 1 − α in a debate with a reward; 0 if it is none. Where M's
    /// own answer is trained on by what it cost, it is below 0 if that was more than usual.
    pub supervised: f32,
    /// How many targets it stands for in their mean: 1/propensity where targets were drawn, which is in its weight too;
    /// otherwise 1.
    pub stands_for: f64,
    /// α times the reward, less its baseline, that the answer's tokens earned; `None` if they earn none, which is not 0.
    pub advantage: Option<f32>,
}

impl Example {
    /// How many tokens the answer has.
    fn answer_length(&self) -> usize {
        self.tokens.len() - self.prompt_length
    }
}

/// One of the two objectives.
#[derive(Debug)]
pub struct Term {
    /// L or J.
    pub value: f64,
    /// Its gradient, in the layout of the weights.
    pub gradient: Tensor,
}

/// The gradients of a batch of examples.
#[derive(Debug)]
pub struct Gradients {
    /// (1 − α)·L: the weighted cross-entropy per token of the targets under live M, each token counted as often as its
    /// target stands for (Hájek 1971). `None` if there are none.
    pub supervised: Option<Term>,
    /// α·J: advantage times log-probability, per token that earned a reward. `None` if there are none.
    pub reward: Option<Term>,
    /// The mean weight of the tokens of the targets, whatever its sign; 0 if there are none. (1 − α)·L over it is L.
    pub supervised_weight: f64,
    /// How many tokens went through the model, prompts included.
    pub tokens: usize,
}

/// Why there is no gradient.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// An example is longer than the model's context.
    #[error("example {example} has {length} tokens, but the model's context is {context}; raise its `context`")]
    TooLong {
        /// Which example.
        example: usize,
        /// Its tokens.
        length: usize,
        /// The model's context.
        context: usize,
    },
    /// An example has no prompt or no answer.
    #[error("example {example} has {length} tokens, of which {prompt_length} are its prompt; both parts need one")]
    Empty {
        /// Which example.
        example: usize,
        /// Its tokens.
        length: usize,
        /// Those of its prompt.
        prompt_length: usize,
    },
    /// A loss or a gradient is infinite or not a number.
    #[error("the {0} is not finite; the weights were left as they were. Lower `learning_rate`, or set `clip`")]
    NotFinite(&'static str),
}

/// The gradients of the two parts of (1 − α)·L − α·J. α is in the weights of the examples, because a debate without a
/// reward is all supervised, whatever α. Each part is normalised by its own tokens; what has no weight is not computed.
/// `workers` does not change the result; nor does the order of examples of different length, where all weigh the same.
pub fn gradients(
    model: &Model,
    examples: &[Example],
    micro_batch: usize,
    workers: usize,
) -> Result<Gradients, TrainError> {
    check(model, examples)?;
    tch::set_num_threads(1);
    let supervised = weighted(examples, |example| Some(example.supervised).filter(|&weight| weight != 0.0));
    let reward = weighted(examples, |example| example.advantage);
    let tokens = |part: &[Weighted]| part.iter().map(|(example, _)| example.tokens.len()).sum::<usize>();
    let tokens = tokens(&supervised) + tokens(&reward);
    let length = |(example, _): &Weighted| example.answer_length() as f64;
    let imitated: f64 = supervised.iter().map(|target| length(target) * target.0.stands_for).sum();
    let rewarded: f64 = reward.iter().map(length).sum();
    let weighted = |(example, weight): &Weighted| f64::from(weight.abs()) * example.answer_length() as f64;
    let supervised_weight = supervised.iter().map(weighted).sum::<f64>() / imitated.max(1.0);
    let mut batches = micro_batches(supervised, imitated, micro_batch);
    let of_supervised = batches.len();
    // −log p weighted with the advantage is −J.
    batches.extend(micro_batches(reward, -rewarded, micro_batch));
    let handle = || model.weights.handle(true);
    let mut parts = parallel(workers, &batches, handle, |weights, batch| batch.term(weights)).into_iter();
    let supervised = sum(parts.by_ref().take(of_supervised));
    let reward = sum(parts);
    Ok(Gradients { supervised, reward, supervised_weight, tokens })
}

fn check(model: &Model, examples: &[Example]) -> Result<(), TrainError> {
    let context = model.architecture().context;
    for (example, Example { tokens, prompt_length, .. }) in examples.iter().enumerate() {
        let (length, prompt_length) = (tokens.len(), *prompt_length);
        if length > context {
            return Err(TrainError::TooLong { example, length, context });
        }
        if prompt_length == 0 || prompt_length >= length {
            return Err(TrainError::Empty { example, length, prompt_length });
        }
    }
    Ok(())
}

/// An example and what the −log p of its answer counts.
type Weighted<'a> = (&'a Example, f32);

/// The examples of a term.
fn weighted(examples: &[Example], weight: impl Fn(&Example) -> Option<f32>) -> Vec<Weighted<'_>> {
    examples.iter().filter_map(|example| Some((example, weight(example)?))).collect()
}

/// The work on Σ weight·(−log p of the answer) / normaliser. Rows of similar length share a micro-batch, the longest
/// first; the micro-batches of a term are as large as each other, so that threads end together.
fn micro_batches(mut rows: Vec<Weighted>, normaliser: f64, most: usize) -> Vec<MicroBatch> {
    rows.sort_by_key(|(example, _)| std::cmp::Reverse(example.tokens.len()));
    let count = rows.len().div_ceil(most.max(1));
    let size = rows.len().div_ceil(count.max(1)).max(1);
    rows.chunks(size).map(|rows| MicroBatch::new(rows, normaliser)).collect()
}

/// The sum of a term's parts, in their order; `None` if there are none.
fn sum(parts: impl Iterator<Item = Term>) -> Option<Term> {
    parts.reduce(|sum, part| Term { value: sum.value + part.value, gradient: sum.gradient + part.gradient })
}

/// Sequences padded to one length, and what is predicted in them.
struct MicroBatch {
    rows: usize,
    time: usize,
    /// What goes in, `[rows, time]`.
    tokens: Vec<i64>,
    /// Places of `tokens` whose next token is a target.
    places: Vec<i64>,
    /// Those next tokens.
    targets: Vec<i64>,
    /// What the −log p of each counts.
    weights: Vec<f32>,
}

impl MicroBatch {
    fn new(rows: &[Weighted], normaliser: f64) -> Self {
        let time = rows.iter().map(|(example, _)| example.tokens.len() - 1).max().unwrap_or_default();
        let mut batch = MicroBatch {
            rows: rows.len(),
            time,
            tokens: vec![0; rows.len() * time],
            places: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
        };
        for (row, (example, weight)) in rows.iter().enumerate() {
            let start = row * time;
            for (place, pair) in example.tokens.windows(2).enumerate() {
                batch.tokens[start + place] = i64::from(pair[0]);
                if place + 1 >= example.prompt_length {
                    batch.places.push((start + place) as i64);
                    batch.targets.push(i64::from(pair[1]));
                    batch.weights.push((f64::from(*weight) / normaliser) as f32);
                }
            }
        }
        batch
    }

    /// Its part of a term: forward, backward. Logits are computed only where the next token is a target.
    fn term(&self, weights: &Weights) -> Term {
        let llama = Llama::new(weights, self.time);
        let tokens = Tensor::from_slice(&self.tokens).view([self.rows as i64, self.time as i64]);
        let logits = llama.logits(&tokens, &Tensor::from_slice(&self.places));
        let targets = Tensor::from_slice(&self.targets);
        let surprise = logits.cross_entropy_loss::<&Tensor>(&targets, None, Reduction::None, -100, 0.0);
        let loss = surprise.dot(&Tensor::from_slice(&self.weights));
        let gradient = Tensor::run_backward(&[&loss], &[&weights.flat], false, false).swap_remove(0);
        Term { value: loss.to_kind(Kind::Double).double_value(&[]), gradient }
    }
}
