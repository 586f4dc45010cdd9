//! What loops do that are written without the pipeline's stages: H asks M, and a weighted mean of log-probabilities is
//! differentiated, in the plainest way.

use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::Posed,
};
use model::{Generated, Llama, Model, Sampling};
use tch::{Kind, Tensor};

/// Tokens of a prompt and its answer, how many are the prompt's, and what the −log p of the answer counts.
pub type Sequence = (Vec<u32>, usize, f64);

/// What M says to a prompt.
pub fn say(model: &Model, prompt: &str, draw: Draw) -> Generated {
    let sampling = Sampling { max_tokens: 16, temperature: 1.0 };
    let uniform = |_: usize, position: u32| draw.uniform(position);
    model::generate(model, &[model.tokenizer.prompt(prompt)], sampling, &uniform, 1).unwrap().remove(0)
}

/// What H answers, asking M for what it does not know.
pub fn ask(human: &dyn Human, model: &Model, posed: &Posed, draw: Draw) -> String {
    let mut said: Vec<Exchange> = Vec::new();
    loop {
        match human.next(posed, &said, draw.named("human")) {
            Move::Answer(answer) => return answer,
            Move::Ask(questions) => {
                for question in questions {
                    let answer = say(model, &question, draw.named("sub").at(said.len() as u64));
                    said.push(Exchange { question, answer: Some(model.tokenizer.decode(&answer.tokens)) });
                }
            }
        }
    }
}

/// The gradient of the weighted mean of −log p over the answers' tokens, all sequences in one padded batch, the longest
/// first.
pub fn gradient(model: &Model, mut sequences: Vec<Sequence>) -> Tensor {
    sequences.sort_by_key(|(tokens, ..)| std::cmp::Reverse(tokens.len()));
    let time = sequences[0].0.len() - 1;
    let answered: usize = sequences.iter().map(|(tokens, prompt, _)| tokens.len() - prompt).sum();
    let mut inputs = vec![0i64; sequences.len() * time];
    let (mut places, mut targets, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for (row, (tokens, prompt, weight)) in sequences.iter().enumerate() {
        for place in 0..tokens.len() - 1 {
            inputs[row * time + place] = i64::from(tokens[place]);
            if place + 1 >= *prompt {
                places.push((row * time + place) as i64);
                targets.push(i64::from(tokens[place + 1]));
                shares.push((weight / answered as f64) as f32);
            }
        }
    }
    tch::set_num_threads(1);
    let weights = model.weights.handle(true);
    let llama = Llama::new(&weights, time);
    let inputs = Tensor::from_slice(&inputs).view([sequences.len() as i64, time as i64]);
    let log_probs = llama.logits(&inputs, &Tensor::from_slice(&places)).log_softmax(-1, Kind::Float);
    let surprise = -log_probs.gather(1, &Tensor::from_slice(&targets).unsqueeze(1), false).squeeze_dim(1);
    Tensor::run_backward(&[surprise.dot(&Tensor::from_slice(&shares))], &[&weights.flat], false, false).remove(0)
}

/// The gradient, scaled down to a norm of 1 if it is longer.
pub fn clipped(gradient: Tensor) -> Tensor {
    let norm = gradient.norm().to_kind(Kind::Double).double_value(&[]);
    if norm > 1.0 { gradient * (1.0 / norm) } else { gradient }
}
