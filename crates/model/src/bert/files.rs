//! What is in the files of an encoder: its sizes, its tokenizer, its tensors by their names.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Map, Value, json};
use tch::{Kind, Tensor};
use tokenizers::{PostProcessor, TruncationParams};

use crate::{CheckpointError, TokenizerError};

/// What `config.json` says.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    /// What the names of tensors may begin with, where the encoder is part of a larger model.
    prefix: &'static str,
    pub(super) layers: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) feed_forward: usize,
    pub(super) vocabulary: usize,
    /// Rows of the table of positions, and the first that is a token's: RoBERTa leaves out those up to its padding
    /// token.
    pub(super) positions: usize,
    pub(super) first_position: usize,
    pub(super) types: usize,
    /// Added to the variance in layer norm.
    pub(super) epsilon: f64,
    /// How libtorch calls the way of GELU.
    pub(super) gelu: &'static str,
}

impl Sizes {
    pub(super) fn read(config: &Value) -> Result<Self, CheckpointError> {
        let size =
            |key: &'static str| config[key].as_u64().map(|size| size as usize).ok_or(CheckpointError::NoSize(key));
        let word = |key: &str, default: &str| config[key].as_str().unwrap_or(default).to_owned();
        let unsupported = |key: &'static str, supported: &str| {
            let (found, supported) = (config[key].to_string(), supported.to_owned());
            Err(CheckpointError::Unsupported { key, found, supported })
        };
        let (prefix, first_position) = match word("model_type", "").as_str() {
            "bert" => ("bert.", 0),
            "roberta" | "xlm-roberta" | "camembert" => {
                ("roberta.", config["pad_token_id"].as_u64().unwrap_or(1) as usize + 1)
            }
            _ => return unsupported("model_type", "\"bert\", \"roberta\", \"xlm-roberta\" or \"camembert\""),
        };
        let gelu = match word("hidden_act", "gelu").as_str() {
            "gelu" => "none",
            "gelu_new" | "gelu_pytorch_tanh" => "tanh",
            _ => return unsupported("hidden_act", "\"gelu\" or \"gelu_new\""),
        };
        if word("position_embedding_type", "absolute") != "absolute" {
            return unsupported("position_embedding_type", "\"absolute\"");
        }
        if config["is_decoder"] == true {
            return unsupported("is_decoder", "false");
        }
        let (width, heads) = (size("hidden_size")?, size("num_attention_heads")?);
        if width == 0 || heads == 0 || !width.is_multiple_of(heads) {
            return Err(CheckpointError::Parted { width, heads });
        }
        Ok(Sizes {
            prefix,
            layers: size("num_hidden_layers")?,
            width,
            heads,
            feed_forward: size("intermediate_size")?,
            vocabulary: size("vocab_size")?,
            positions: size("max_position_embeddings")?,
            first_position,
            types: config["type_vocab_size"].as_u64().unwrap_or(2).max(1) as usize,
            epsilon: config["layer_norm_eps"].as_f64().unwrap_or(1e-12),
            gelu,
        })
    }

    /// The most tokens that a text may have.
    fn longest(&self) -> usize {
        self.positions.saturating_sub(self.first_position)
    }
}

/// The tokenizer of a file. Such a file may say that texts are padded and cut to the length at which the encoder was
/// trained; here none is padded, and each is cut where the positions end.
pub(super) fn tokenizer(
    json: &[u8],
    file: &'static str,
    sizes: &Sizes,
) -> Result<tokenizers::Tokenizer, CheckpointError> {
    let failed = |error| CheckpointError::Tokenizer(TokenizerError::Library(error));
    let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(failed)?;
    tokenizer.set_encode_special_tokens(true);
    tokenizer.with_padding(None);
    let around = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
    if sizes.longest() <= around {
        return Err(CheckpointError::Unsupported {
            key: "max_position_embeddings",
            found: sizes.positions.to_string(),
            supported: format!("{} or more", sizes.first_position + around + 1),
        });
    }
    let cut = TruncationParams { max_length: sizes.longest(), ..TruncationParams::default() };
    tokenizer.with_truncation(Some(cut)).map_err(failed)?;
    // Any other id has no row of the embedding.
    let tokens = tokenizer.get_vocab(true).into_values().max().map_or(0, |last| last as usize + 1);
    if tokens > sizes.vocabulary {
        return Err(CheckpointError::Vocabulary { file, tokens, vocabulary: sizes.vocabulary });
    }
    Ok(tokenizer)
}

/// `tokenizer.json` of BERT's own list of tokens: text without accents in small letters, unless `tokenizer_config.json`
/// says otherwise, divided at spaces and marks into words, and these into the longest pieces that are in the list
/// (Wu et al. 2016).
pub(super) fn word_pieces(tokens: &[u8], config: Option<&[u8]>) -> Result<Vec<u8>, CheckpointError> {
    let text = String::from_utf8_lossy(tokens);
    let numbered = text.lines().enumerate().map(|(id, token)| (token.trim_end().to_owned(), Value::from(id)));
    let vocabulary: Map<String, Value> = numbered.collect();
    let control = |token: &'static str| vocabulary.get(token).cloned().ok_or(CheckpointError::NoToken(token));
    let (begin, end) = (control("[CLS]")?, control("[SEP]")?);
    control("[UNK]")?;
    let config: Value = config.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": config["tokenize_chinese_chars"].as_bool().unwrap_or(true),
            "strip_accents": config["strip_accents"],
            "lowercase": config["do_lower_case"].as_bool().unwrap_or(true),
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", end], "cls": ["[CLS]", begin] },
        "decoder": null,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    });
    Ok(file.to_string().into_bytes())
}

/// Tensors by their names.
pub(super) struct Stored<'f> {
    file: SafeTensors<'f>,
    prefix: &'static str,
}

impl<'f> Stored<'f> {
    /// The tensors of a file.
    pub(super) fn new(file: SafeTensors<'f>, sizes: &Sizes) -> Self {
        Stored { file, prefix: sizes.prefix }
    }

    /// The tensor of a name, as f32.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, CheckpointError> {
        let view = self.find(name).ok_or_else(|| CheckpointError::NoTensor(name.to_owned()))?;
        let kind = match view.dtype() {
            Dtype::F32 => Some(Kind::Float),
            Dtype::F16 => Some(Kind::Half),
            Dtype::BF16 => Some(Kind::BFloat16),
            _ => None,
        };
        match kind.filter(|_| view.shape() == shape) {
            Some(kind) => {
                let size: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
                Ok(Tensor::from_data_size(view.data(), &size, kind).to_kind(Kind::Float))
            }
            None => Err(CheckpointError::Shape {
                name: name.to_owned(),
                found: format!("{:?} {:?}", view.dtype(), view.shape()),
                expected: format!("F32 {shape:?}"),
            }),
        }
    }

    /// The encoder may be all there is, or a part of a larger model; and the first checkpoints of BERT have TensorFlow's
    /// names in layer norms.
    fn find(&self, name: &str) -> Option<TensorView<'_>> {
        let old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        let names = [name, &old].map(|name| [name.to_owned(), format!("{}{name}", self.prefix)]);
        names.iter().flatten().find_map(|name| self.file.tensor(name).ok())
    }
}
