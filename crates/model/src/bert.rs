//! An encoder of the BERT family (Devlin et al. 2019; RoBERTa: Liu et al. 2019): a text in, a vector out. Post-norm
//! transformer layers (Vaswani et al. 2017) with GELU (Hendrycks and Gimpel 2016); the vector is the mean of the last
//! hidden states over the text's tokens, the control tokens around it among them, made one of length 1, as in
//! Sentence-BERT (Reimers and Gurevych 2019, section 3).
//!
//! Texts go through it on tiles, matrices whose shape depends on a text's own length alone, with dummies where there
//! are too few: a text's vector does then not depend on which others there are, nor on the number of threads.

mod files;

use safetensors::SafeTensors;
use tch::{Kind, Tensor};

use crate::{
    CheckpointError, TokenizerError,
    checkpoint::{CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS},
    workers::parallel,
};
use files::{Sizes, Stored, tokenizer, word_pieces};

/// What BERT itself has in place of `tokenizer.json`: its tokens, one a line.
const TOKENS: &str = "vocab.txt";
/// Rows of a tile.
const ROWS: usize = 16;
/// The tokens of a tile's rows are a multiple of this.
const SPAN: usize = 16;

/// An encoder with its tokenizer.
#[derive(Debug)]
pub struct Bert {
    tokenizer: tokenizers::Tokenizer,
    encoder: Encoder,
}

impl Bert {
    /// The names of the files that it is loaded from, as far as they are there.
    pub const FILES: [&str; 5] = [CONFIG, WEIGHTS, TOKENIZER, TOKENS, TOKENIZER_CONFIG];

    /// The encoder in files, names and bytes; other files are ignored.
    pub fn load(files: &[(String, Vec<u8>)]) -> Result<Self, CheckpointError> {
        let find = |name: &str| files.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes.as_slice());
        let file = |name: &'static str| find(name).ok_or(CheckpointError::NoFile(name));
        let config = serde_json::from_slice(file(CONFIG)?).map_err(CheckpointError::Config)?;
        let sizes = Sizes::read(&config)?;
        let (json, name) = match (find(TOKENIZER), find(TOKENS)) {
            (Some(json), _) => (json.to_vec(), TOKENIZER),
            (None, Some(tokens)) => (word_pieces(tokens, find(TOKENIZER_CONFIG))?, TOKENS),
            (None, None) => return Err(CheckpointError::NoFile("tokenizer.json (or vocab.txt)")),
        };
        let tokenizer = tokenizer(&json, name, &sizes)?;
        Ok(Bert { tokenizer, encoder: Encoder::read(sizes, file(WEIGHTS)?)? })
    }

    /// The same memory, for another owner.
    pub fn handle(&self) -> Self {
        Bert { tokenizer: self.tokenizer.clone(), encoder: self.encoder.handle() }
    }

    /// A vector of length 1 for each text, all of the encoder's width. A text is cut where the encoder has no positions
    /// for it any more; what is spelled like a control token is a text like any other.
    pub fn embed(&self, texts: &[&str], workers: usize) -> Result<Vec<Vec<f32>>, TokenizerError> {
        let tokens = |text: &&str| -> tokenizers::Result<Vec<u32>> {
            Ok(self.tokenizer.encode_fast(*text, true)?.get_ids().to_vec())
        };
        let tokens: Vec<Vec<u32>> =
            texts.iter().map(tokens).collect::<tokenizers::Result<_>>().map_err(TokenizerError::Text)?;
        let tiles = tiles(&tokens);
        let done = parallel(
            workers,
            &tiles,
            || self.encoder.handle(),
            |encoder, tile| {
                let _guard = tch::no_grad_guard();
                encoder.embed(&tile.iter().map(|&place| tokens[place].as_slice()).collect::<Vec<_>>())
            },
        );
        let mut vectors = vec![Vec::new(); texts.len()];
        for (place, vector) in tiles.into_iter().flatten().zip(done.into_iter().flatten()) {
            vectors[place] = vector;
        }
        Ok(vectors)
    }
}

/// The tokens of a tile that has such a row.
fn padded(tokens: &[u32]) -> usize {
    tokens.len().max(1).next_multiple_of(SPAN)
}

/// The texts of each tile, by their places: those of about the same length.
fn tiles(texts: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let size = |place: &usize| padded(&texts[*place]);
    let mut places: Vec<usize> = (0..texts.len()).collect();
    places.sort_by_key(size);
    let alike = places.chunk_by(|one, other| size(one) == size(other));
    alike.flat_map(|alike| alike.chunks(ROWS)).map(<[usize]>::to_vec).collect()
}

/// The parameters, ready to compute.
#[derive(Debug)]
struct Encoder {
    sizes: Sizes,
    /// `[vocabulary, width]`
    words: Tensor,
    /// `[positions, width]`
    positions: Tensor,
    /// `[types, width]`; every token of a text is of the first type.
    types: Tensor,
    norm: Affine,
    layers: Vec<Layer>,
}

/// The parameters of one layer.
#[derive(Debug)]
struct Layer {
    query: Affine,
    key: Affine,
    value: Affine,
    output: Affine,
    attention_norm: Affine,
    up: Affine,
    down: Affine,
    norm: Affine,
}

impl Encoder {
    fn read(sizes: Sizes, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let file = SafeTensors::deserialize(bytes).map_err(CheckpointError::Weights)?;
        let stored = Stored::new(file, &sizes);
        let (width, feed_forward) = (sizes.width, sizes.feed_forward);
        let layer = |number: usize| -> Result<Layer, CheckpointError> {
            let named = |name: &str| format!("encoder.layer.{number}.{name}");
            let affine = |name: &str, shape: &[usize]| Affine::read(&stored, &named(name), shape);
            Ok(Layer {
                query: affine("attention.self.query", &[width, width])?,
                key: affine("attention.self.key", &[width, width])?,
                value: affine("attention.self.value", &[width, width])?,
                output: affine("attention.output.dense", &[width, width])?,
                attention_norm: affine("attention.output.LayerNorm", &[width])?,
                up: affine("intermediate.dense", &[feed_forward, width])?,
                down: affine("output.dense", &[width, feed_forward])?,
                norm: affine("output.LayerNorm", &[width])?,
            })
        };
        Ok(Encoder {
            words: stored.tensor("embeddings.word_embeddings.weight", &[sizes.vocabulary, width])?,
            positions: stored.tensor("embeddings.position_embeddings.weight", &[sizes.positions, width])?,
            types: stored.tensor("embeddings.token_type_embeddings.weight", &[sizes.types, width])?,
            norm: Affine::read(&stored, "embeddings.LayerNorm", &[width])?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_, CheckpointError>>()?,
            sizes,
        })
    }

    /// The same memory, for another thread: a tensor may be sent but not shared.
    fn handle(&self) -> Self {
        Encoder {
            sizes: self.sizes.clone(),
            words: self.words.shallow_clone(),
            positions: self.positions.shallow_clone(),
            types: self.types.shallow_clone(),
            norm: self.norm.handle(),
            layers: self.layers.iter().map(Layer::handle).collect(),
        }
    }

    /// The vectors of the texts of one tile.
    fn embed(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let time = texts.iter().map(|text| padded(text)).max().unwrap_or(SPAN);
        let mut tokens = vec![0i64; ROWS * time];
        let mut mask = vec![f32::NEG_INFINITY; ROWS * time];
        let mut shares = vec![0f64; ROWS * time];
        for row in 0..ROWS {
            // A dummy has one token, so that there is something to attend to.
            let text = texts.get(row).copied().filter(|text| !text.is_empty()).unwrap_or(&[0]);
            let places = row * time..row * time + text.len();
            tokens[places.clone()].iter_mut().zip(text).for_each(|(place, &token)| *place = i64::from(token));
            mask[places.clone()].fill(0.0);
            shares[places].fill(1.0 / text.len() as f64);
        }
        let (rows, time) = (ROWS as i64, time as i64);
        let mask = Tensor::from_slice(&mask).view([rows, 1, 1, time]);
        let mut x = self.begin(&Tensor::from_slice(&tokens).view([rows, time]));
        for layer in &self.layers {
            x = self.feed(layer, &x, &self.attend(layer, &x, &mask));
        }
        let shares = Tensor::from_slice(&shares).view([rows, time, 1]);
        let means = (x.to_kind(Kind::Double) * shares).sum_dim_intlist(1, false, Kind::Double).contiguous();
        let mut numbers = vec![0f64; means.numel()];
        means.copy_data(&mut numbers, means.numel());
        numbers.chunks(self.sizes.width).take(texts.len()).map(of_length_1).collect()
    }

    /// What each token is, where it stands and that its text is the first of its kind, added and normalised, for tokens
    /// `[rows, time]`: `[rows, time, width]`. Padding may reach beyond the last position; nobody attends to it.
    fn begin(&self, tokens: &Tensor) -> Tensor {
        let Sizes { first_position, positions, epsilon, .. } = self.sizes;
        let place = |place: i64| if place < positions as i64 { place } else { 0 };
        let first = first_position as i64;
        let places: Vec<i64> = (first..first + tokens.size()[1]).map(place).collect();
        let words = Tensor::embedding(&self.words, tokens, -1, false, false);
        let x = words + self.positions.index_select(0, &Tensor::from_slice(&places)) + self.types.get(0);
        self.norm.normalised(&x, epsilon)
    }

    /// softmax(q kᵀ / √d + mask) v of all heads of a layer, `[rows, time, width]`.
    fn attend(&self, layer: &Layer, x: &Tensor, mask: &Tensor) -> Tensor {
        let (rows, time, width) = x.size3().expect("x is [rows, time, width]");
        let heads = self.sizes.heads as i64;
        let part = |affine: &Affine| affine.linear(x).view([rows, time, heads, width / heads]).transpose(1, 2);
        let root = ((width / heads) as f64).sqrt();
        let scores = part(&layer.query).matmul(&part(&layer.key).transpose(2, 3)) / root + mask;
        let attended = scores.softmax(-1, Kind::Float).matmul(&part(&layer.value));
        attended.transpose(1, 2).reshape([rows, time, width])
    }

    /// The end of a layer: norm(x + output(attended)), then norm(x + down(gelu(up(x)))).
    fn feed(&self, layer: &Layer, x: &Tensor, attended: &Tensor) -> Tensor {
        let epsilon = self.sizes.epsilon;
        let x = layer.attention_norm.normalised(&(layer.output.linear(attended) + x), epsilon);
        let fed = layer.down.linear(&layer.up.linear(&x).gelu(self.sizes.gelu));
        layer.norm.normalised(&(fed + x), epsilon)
    }
}

/// The vector of the same direction. One of zeros has none, and stays.
fn of_length_1(vector: &[f64]) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f64>().sqrt().max(1e-12);
    vector.iter().map(|number| (number / length) as f32).collect()
}

impl Layer {
    fn handle(&self) -> Self {
        Layer {
            query: self.query.handle(),
            key: self.key.handle(),
            value: self.value.handle(),
            output: self.output.handle(),
            attention_norm: self.attention_norm.handle(),
            up: self.up.handle(),
            down: self.down.handle(),
            norm: self.norm.handle(),
        }
    }
}

/// What inputs are multiplied by, a matrix `[outputs, inputs]` or a gain, and what is added.
#[derive(Debug)]
struct Affine {
    weight: Tensor,
    bias: Tensor,
}

impl Affine {
    fn read(stored: &Stored<'_>, name: &str, shape: &[usize]) -> Result<Self, CheckpointError> {
        let weight = stored.tensor(&format!("{name}.weight"), shape)?;
        Ok(Affine { weight, bias: stored.tensor(&format!("{name}.bias"), &shape[..1])? })
    }

    fn handle(&self) -> Self {
        Affine { weight: self.weight.shallow_clone(), bias: self.bias.shallow_clone() }
    }

    fn linear(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }

    /// Layer norm (Ba et al. 2016).
    fn normalised(&self, x: &Tensor, epsilon: f64) -> Tensor {
        x.layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), epsilon, false)
    }
}
