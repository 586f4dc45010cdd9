//! A tiny encoder with random weights, in files as Hugging Face has them.

use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;

/// Width of the hidden states.
pub const WIDTH: usize = 16;
/// Attention heads.
pub const HEADS: usize = 2;
/// Width of the feed-forward layer.
pub const FEED_FORWARD: usize = 24;
/// The most tokens of a text, the two control tokens around it among them.
pub const POSITIONS: usize = 40;
/// Words that are one token each.
pub const WORDS: [&str; 10] = ["yes", "no", "because", "jim", "lies", "tells", "the", "truth", ".", ","];

/// The tokens by their ids: control tokens, words, and letters, where a word begins and within it.
pub fn vocabulary() -> Vec<String> {
    let control = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let words = WORDS.map(str::to_owned);
    let begin = ('a'..='z').map(String::from);
    let within = ('a'..='z').map(|letter| format!("##{letter}"));
    control.into_iter().chain(words).chain(begin).chain(within).collect()
}

/// The files of an encoder of so many layers, names and bytes; its weights are a function of the seed.
pub fn files(seed: u64, layers: usize) -> Vec<(String, Vec<u8>)> {
    let config = json!({
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": WIDTH,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "intermediate_size": FEED_FORWARD,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "vocab_size": vocabulary().len(),
        "pad_token_id": 0,
    });
    let mut state = seed;
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes(layers)
        .into_iter()
        .map(|(name, shape)| {
            let numbers = (0..shape.iter().product::<usize>()).map(|_| number(&name, &shape, random(&mut state)));
            let bytes = numbers.flat_map(f32::to_le_bytes).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("four bytes for each number");
        (name.as_str(), view)
    });
    let weights = safetensors::serialize(views, None).expect("names and shapes can be written");
    vec![
        ("config.json".to_owned(), config.to_string().into_bytes()),
        ("model.safetensors".to_owned(), weights),
        ("vocab.txt".to_owned(), vocabulary().join("\n").into_bytes()),
    ]
}

/// The names of the tensors, each with its shape.
fn shapes(layers: usize) -> Vec<(String, Vec<usize>)> {
    let affine = |name: String, shape: &[usize]| {
        [(format!("{name}.weight"), shape.to_vec()), (format!("{name}.bias"), shape[..1].to_vec())]
    };
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![vocabulary().len(), WIDTH]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![POSITIONS, WIDTH]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, WIDTH]),
    ];
    shapes.extend(affine("embeddings.LayerNorm".to_owned(), &[WIDTH]));
    let of_layer: [(&str, &[usize]); 8] = [
        ("attention.self.query", &[WIDTH, WIDTH]),
        ("attention.self.key", &[WIDTH, WIDTH]),
        ("attention.self.value", &[WIDTH, WIDTH]),
        ("attention.output.dense", &[WIDTH, WIDTH]),
        ("attention.output.LayerNorm", &[WIDTH]),
        ("intermediate.dense", &[FEED_FORWARD, WIDTH]),
        ("output.dense", &[WIDTH, FEED_FORWARD]),
        ("output.LayerNorm", &[WIDTH]),
    ];
    for layer in 0..layers {
        let named = of_layer.iter().map(|(name, shape)| affine(format!("encoder.layer.{layer}.{name}"), shape));
        shapes.extend(named.flatten());
    }
    shapes
}

/// A number of a tensor: gains are about 1, biases small, and matrices keep the spread of what goes through them.
fn number(name: &str, shape: &[usize], random: f32) -> f32 {
    match shape {
        _ if name.ends_with("LayerNorm.weight") => 1.0 + 0.3 * random,
        [_, inputs] if name.starts_with("encoder") => 2.0 * random / (*inputs as f32).sqrt(),
        [_, _] => random,
        _ => 0.3 * random,
    }
}

/// The next of a row of numbers from -1 to 1 (Knuth's linear congruential generator).
fn random(state: &mut u64) -> f32 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
}
