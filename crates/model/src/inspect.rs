//! Looking inside: what goes on in a model as it reads a prompt and comes to an answer. Each answer is read by itself, in a
//! matrix of its own length, so what is seen depends on neither `workers` nor which other answers there are.

use tch::{Device, Kind, Tensor};

use crate::{
    GenerateError, Model,
    llama::{Heads, Llama},
    workers::parallel,
};

/// What is seen of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspected {
    /// The natural logarithm of the probability of each token of the answer, at temperature 1.
    pub log_probs: Vec<f32>,
    /// The entropy of the distribution that each was chosen from, in nats.
    pub entropies: Vec<f32>,
    /// The likeliest token in place of the first after each layer, first to last: the residual stream put through the last
    /// norm and the embeddings, as if no layer followed (nostalgebraist 2020, "interpreting GPT: the logit lens").
    pub likeliest: Vec<u32>,
    /// The attention on each token of the prompt where the first token is chosen: the mean over all heads of all layers.
    pub attention: Vec<f32>,
    /// The residual stream after the last layer, of the model's width, where the last token is chosen.
    pub hidden: Vec<f32>,
}

/// Looks into the answers to some prompts. There is one for each of `prompts`, and none is empty.
pub fn inspect(
    model: &Model,
    prompts: &[Vec<u32>],
    answers: &[Vec<u32>],
    workers: usize,
) -> Result<Vec<Inspected>, GenerateError> {
    let context = model.weights.layout.architecture.context;
    for (row, (prompt, answer)) in prompts.iter().zip(answers).enumerate() {
        let (length, max_tokens) = (prompt.len(), answer.len());
        let limit = context.saturating_sub(max_tokens);
        if prompt.is_empty() {
            return Err(GenerateError::PromptEmpty { row });
        }
        if length > limit {
            return Err(GenerateError::PromptTooLong { row, length, limit, context, max_tokens });
        }
    }
    let pairs: Vec<(&Vec<u32>, &Vec<u32>)> = prompts.iter().zip(answers).collect();
    let llama = || Llama::new(&model.weights.handle(false), context);
    Ok(parallel(workers, &pairs, llama, |llama, (prompt, answer)| {
        let _guard = tch::no_grad_guard();
        read(llama, prompt, answer)
    }))
}

/// One answer to one prompt, read in one piece.
fn read(llama: &Llama, prompt: &[u32], answer: &[u32]) -> Inspected {
    let tokens: Vec<i64> = prompt.iter().chain(answer).map(|&token| i64::from(token)).collect();
    // The last token of an answer leads to nothing.
    let (time, first) = (tokens.len() as i64 - 1, prompt.len() as i64 - 1);
    let rotations = llama.rotations_to(time);
    let mut x = llama.embed(&Tensor::from_slice(&tokens[..time as usize]).unsqueeze(0));
    let mut likeliest = Vec::new();
    let mut attention = Tensor::zeros([prompt.len() as i64], (Kind::Double, Device::Cpu));
    for layer in llama.layers() {
        let heads = llama.heads(layer, &x, &rotations);
        attention += attention_at(&heads, first);
        let width = x.size()[2];
        x = llama.feed(layer, &x, &heads.causal().reshape([-1, width]));
        let logits = llama.predict(&x.narrow(1, first, 1));
        likeliest.push(logits.argmax(1, false).int64_value(&[0]) as u32);
    }
    let places = x.narrow(1, first, answer.len() as i64).contiguous();
    let log_probs = llama.predict(&places).log_softmax(1, Kind::Double);
    let entropies = -(log_probs.exp() * &log_probs).sum_dim_intlist(1, false, Kind::Double);
    let chosen = log_probs.gather(1, &Tensor::from_slice(&tokens[prompt.len()..]).unsqueeze(1), false);
    Inspected {
        log_probs: numbers(&chosen.squeeze_dim(1)),
        entropies: numbers(&entropies),
        likeliest,
        attention: numbers(&(attention / llama.layers().len() as f64)),
        hidden: numbers(&x.select(1, time - 1).squeeze_dim(0)),
    }
}

/// softmax(q kᵀ / √d) of the query at a place over the keys up to it, the mean over the heads: `[place + 1]`.
fn attention_at(heads: &Heads, place: i64) -> Tensor {
    let (_, _, _, size) = heads.query.size4().expect("queries have four dimensions");
    // [heads, width / heads, 1] and [heads, place + 1, width / heads]
    let query = heads.query.select(1, place).squeeze_dim(0).unsqueeze(2);
    let keys = heads.key.narrow(1, 0, place + 1).squeeze_dim(0).transpose(0, 1);
    let scores = keys.bmm(&query).squeeze_dim(2) / (size as f64).sqrt();
    scores.softmax(1, Kind::Double).mean_dim(0, false, Kind::Double)
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.to_kind(Kind::Float).contiguous();
    let mut numbers = vec![0.0; tensor.numel()];
    tensor.copy_data(&mut numbers, tensor.numel());
    numbers
}
