//! A model as files in the layout of Hugging Face `LlamaForCausalLM`, so that what is trained here opens elsewhere.
//! Weights are safetensors only: a pickle can run code.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};
use spec::settings::Architecture;
use tch::{Kind, Tensor};

use crate::{
    Model, Tokenizer, TokenizerError,
    llama::{RMS_EPSILON, ROPE_THETA},
    weights::{Layout, Named, Role, Weights},
};

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// What is wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file is not there.
    #[error("{0} is missing")]
    NoFile(&'static str),
    /// `config.json` is not JSON.
    #[error("config.json: {0}")]
    Config(#[source] serde_json::Error),
    /// The configuration lacks a size.
    #[error("config.json: `{0}` is missing, or not a whole number")]
    NoSize(&'static str),
    /// The width is not fit for the heads, or for answers that do not depend on their batch.
    #[error(
        "config.json: `hidden_size` = {width} must be a multiple of 8, and an even number for each of {heads} \
         `num_attention_heads`"
    )]
    Heads {
        /// The width.
        width: usize,
        /// The heads.
        heads: usize,
    },
    /// The width of an encoder cannot be shared out among its heads.
    #[error("config.json: `hidden_size` = {width} cannot be parted among {heads} `num_attention_heads`")]
    Parted {
        /// The width.
        width: usize,
        /// The heads.
        heads: usize,
    },
    /// The configuration says what this model does not do.
    #[error("config.json: `{key}` is {found}, but only {supported} is supported")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// What the file says, as JSON.
        found: String,
        /// What it may say.
        supported: String,
    },
    /// `tokenizer.json` cannot be read.
    #[error("tokenizer.json: {0}")]
    Tokenizer(#[source] TokenizerError),
    /// A list of tokens lacks one that every text begins or ends with.
    #[error("vocab.txt has no token `{0}`")]
    NoToken(&'static str),
    /// The tokenizer has more tokens than the embedding has rows.
    #[error("{file} has {tokens} tokens, but config.json says `vocab_size` = {vocabulary}")]
    Vocabulary {
        /// The tokenizer's file.
        file: &'static str,
        /// Tokens of the tokenizer.
        tokens: usize,
        /// Rows of the embedding.
        vocabulary: usize,
    },
    /// `model.safetensors` is damaged.
    #[error("model.safetensors is damaged: {0}")]
    Weights(#[source] safetensors::SafeTensorError),
    /// A tensor is not there.
    #[error("model.safetensors has no tensor `{0}`, which config.json calls for")]
    NoTensor(String),
    /// A tensor has another type or shape than the configuration says.
    #[error("model.safetensors: `{name}` is {found}, but config.json calls for {expected}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its type and shape.
        found: String,
        /// What they should be.
        expected: String,
    },
}

impl Model {
    /// The names of the files that a model is loaded from.
    pub const FILES: [&str; 3] = [CONFIG, WEIGHTS, TOKENIZER];

    /// The model as files, names and bytes; the same bytes for the same model.
    pub fn save(&self) -> Vec<(String, Vec<u8>)> {
        let context = self.weights.layout.architecture.context;
        vec![
            (CONFIG.into(), pretty(&config(&self.weights.layout, self.version))),
            (WEIGHTS.into(), to_safetensors(&self.weights)),
            (TOKENIZER.into(), self.tokenizer.to_json().into_bytes()),
            (TOKENIZER_CONFIG.into(), pretty(&self.tokenizer.config_json(context))),
        ]
    }

    /// The model in files, names and bytes; other files are ignored.
    pub fn load(files: &[(String, Vec<u8>)]) -> Result<Self, CheckpointError> {
        let file = |name| {
            let found = files.iter().find(|(other, _)| other == name);
            found.map(|(_, bytes)| bytes.as_slice()).ok_or(CheckpointError::NoFile(name))
        };
        let config = serde_json::from_slice(file(CONFIG)?).map_err(CheckpointError::Config)?;
        let (layout, version) = read_config(&config)?;
        let tokenizer = Tokenizer::from_json(file(TOKENIZER)?).map_err(CheckpointError::Tokenizer)?;
        let (tokens, vocabulary) = (tokenizer.vocabulary(), layout.vocabulary);
        if tokens > vocabulary {
            return Err(CheckpointError::Vocabulary { file: TOKENIZER, tokens, vocabulary });
        }
        Ok(Model { tokenizer, weights: from_safetensors(layout, file(WEIGHTS)?)?, version })
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// What `config.json` says of every model of this crate, and all that this crate can read.
fn fixed(heads: u64) -> [(&'static str, Value); 8] {
    [
        ("model_type", json!("llama")),
        ("hidden_act", json!("silu")),
        ("rms_norm_eps", json!(RMS_EPSILON)),
        ("rope_theta", json!(ROPE_THETA)),
        ("attention_bias", json!(false)),
        ("mlp_bias", json!(false)),
        ("tie_word_embeddings", json!(true)),
        ("num_key_value_heads", json!(heads)),
    ]
}

fn config(layout: &Layout, version: u64) -> Value {
    let Architecture { layers, width, heads, context, feed_forward } = layout.architecture;
    let mut config = json!({
        "architectures": ["LlamaForCausalLM"],
        "torch_dtype": "float32",
        "vocab_size": layout.vocabulary,
        "hidden_size": width,
        "intermediate_size": feed_forward,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "max_position_embeddings": context,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        // Not Hugging Face's: how often the weights were updated.
        "version": version,
    });
    for (key, value) in fixed(heads as u64) {
        config[key] = value;
    }
    config
}

fn read_config(config: &Value) -> Result<(Layout, u64), CheckpointError> {
    let size = |key| config[key].as_u64().ok_or(CheckpointError::NoSize(key));
    for (key, supported) in fixed(size("num_attention_heads")?) {
        if config[key] != supported {
            let (found, supported) = (config[key].to_string(), supported.to_string());
            return Err(CheckpointError::Unsupported { key, found, supported });
        }
    }
    let architecture = Architecture {
        layers: size("num_hidden_layers")? as usize,
        width: size("hidden_size")? as usize,
        heads: size("num_attention_heads")? as usize,
        context: size("max_position_embeddings")? as usize,
        feed_forward: size("intermediate_size")? as usize,
    };
    let Architecture { width, heads, .. } = architecture;
    if heads == 0 || width == 0 || width % 8 != 0 || width % (2 * heads) != 0 {
        return Err(CheckpointError::Heads { width, heads });
    }
    let layout = Layout { architecture, vocabulary: size("vocab_size")? as usize };
    Ok((layout, config["version"].as_u64().unwrap_or_default()))
}

fn to_safetensors(weights: &Weights) -> Vec<u8> {
    let tensors = weights.layout.tensors();
    let sizes: Vec<i64> = tensors.iter().map(|tensor| tensor.size() as i64).collect();
    let parts = weights.flat.detach().split_with_sizes(sizes, 0);
    let heads = weights.layout.architecture.heads as i64;
    let bytes: Vec<Vec<u8>> =
        tensors.iter().zip(parts).map(|(tensor, part)| to_bytes(&stored(tensor, &part, heads))).collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).expect("four bytes for each number");
        (tensor.name.as_str(), view)
    });
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    safetensors::serialize(views, Some(metadata)).expect("a header of names and shapes is serialisable")
}

fn from_safetensors(layout: Layout, bytes: &[u8]) -> Result<Weights, CheckpointError> {
    let file = SafeTensors::deserialize(bytes).map_err(CheckpointError::Weights)?;
    let heads = layout.architecture.heads as i64;
    let part = |tensor: &Named| {
        let view = file.tensor(&tensor.name).map_err(|_| CheckpointError::NoTensor(tensor.name.clone()))?;
        if view.dtype() != Dtype::F32 || view.shape() != tensor.shape {
            return Err(CheckpointError::Shape {
                name: tensor.name.clone(),
                found: format!("{:?} {:?}", view.dtype(), view.shape()),
                expected: format!("F32 {:?}", tensor.shape),
            });
        }
        let part = Tensor::from_data_size(view.data(), &[tensor.size() as i64], Kind::Float);
        Ok(computed(tensor, &part, heads))
    };
    let parts = layout.tensors().iter().map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(Weights { layout, flat: Tensor::cat(&parts, 0) })
}

/// Rotary embeddings here turn adjacent rows of a head, as their paper has it; Hugging Face pairs a row of the first
/// half of a head with one of the second half. Only the order of rows differs.
fn stored(tensor: &Named, flat: &Tensor, heads: i64) -> Tensor {
    match tensor.role {
        Role::Rotary => flat.view([heads, -1, 2, tensor.shape[1] as i64]).transpose(1, 2).reshape([-1]),
        _ => flat.shallow_clone(),
    }
}

/// The inverse of [`stored`].
fn computed(tensor: &Named, flat: &Tensor, heads: i64) -> Tensor {
    match tensor.role {
        Role::Rotary => flat.view([heads, 2, -1, tensor.shape[1] as i64]).transpose(1, 2).reshape([-1]),
        _ => flat.shallow_clone(),
    }
}

fn to_bytes(flat: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; flat.numel() * 4];
    flat.copy_data_u8(&mut bytes, flat.numel());
    bytes
}
