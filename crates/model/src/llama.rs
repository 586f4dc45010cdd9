//! The transformer: a llama-form decoder (Touvron et al. 2023) with tied embeddings and no biases. Pre-norm RMSNorm
//! (Zhang and Sennrich 2019), rotary position embeddings (Su et al. 2021), SwiGLU (Shazeer 2020).
//!
//! Training goes through it in one piece, [`Llama::logits`]; generation puts the same parts together with a cache.

use tch::{Kind, Tensor};

use crate::weights::{Layer, Parameters, Weights};

/// The base of the rotary frequencies.
pub(crate) const ROPE_THETA: f64 = 10000.0;
/// Added to the mean square in RMSNorm.
pub(crate) const RMS_EPSILON: f64 = 1e-5;

/// A model's parameters, ready to compute.
pub struct Llama {
    parameters: Parameters,
    pub(crate) heads: i64,
    width: i64,
    /// `[positions, width]`, complex.
    rotations: Tensor,
}

/// Queries, keys and values of one layer, each `[rows, time, heads, width / heads]`.
pub(crate) struct Heads {
    pub query: Tensor,
    pub key: Tensor,
    pub value: Tensor,
}

impl Llama {
    /// Views of the weights, and rotations for this many positions.
    pub fn new(weights: &Weights, positions: usize) -> Self {
        let architecture = &weights.layout.architecture;
        Llama {
            parameters: weights.parameters(),
            heads: architecture.heads as i64,
            width: architecture.width as i64,
            rotations: rotations(positions, architecture.width, architecture.heads),
        }
    }

    /// The logits of the next token after each of `places`, for tokens `[rows, time]` from position 0 on. A place is
    /// row · time + position. The end of the last layer is computed only there: nothing attends to the other places any
    /// more, and with two layers that saves four tenths of the work.
    pub fn logits(&self, tokens: &Tensor, places: &Tensor) -> Tensor {
        self.logits_by(Heads::causal, tokens, places)
    }

    /// The same, slower, by operations whose gradients have gradients. Those of fused attention have none on a CPU.
    pub fn twice_differentiable(&self, tokens: &Tensor, places: &Tensor) -> Tensor {
        self.logits_by(Heads::causal_step_by_step, tokens, places)
    }

    fn logits_by(&self, attend: fn(&Heads) -> Tensor, tokens: &Tensor, places: &Tensor) -> Tensor {
        let rotations = self.rotations_to(tokens.size()[1]);
        let mut x = self.embed(tokens);
        for (number, layer) in self.layers().iter().enumerate() {
            let mut attended = attend(&self.heads(layer, &x, &rotations)).reshape([-1, self.width]);
            if number + 1 == self.layers().len() {
                attended = attended.index_select(0, places);
                x = x.flatten(0, 1).index_select(0, places).unsqueeze(0);
            }
            x = self.feed(layer, &x, &attended);
        }
        self.predict(&x)
    }

    /// The decoder's layers, first to last.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.parameters.layers
    }

    /// The embeddings of tokens `[rows, time]`, `[rows, time, width]`: the residual stream x at its start.
    pub(crate) fn embed(&self, tokens: &Tensor) -> Tensor {
        Tensor::embedding(&self.parameters.embedding, tokens, -1, false, false)
    }

    /// The start of a layer. Rotary embeddings turn adjacent pairs by the position, which is a product of complex
    /// numbers: one product turns queries and keys of all heads.
    pub(crate) fn heads(&self, layer: &Layer, x: &Tensor, rotations: &Tensor) -> Heads {
        let (width, heads) = (self.width, self.heads);
        let (rows, time, _) = x.size3().expect("x is [rows, time, width]");
        let qkv = normalised(x, &layer.attention_norm).linear::<&Tensor>(&layer.qkv, None);
        let parts = qkv.split_with_sizes([2 * width, width], 2);
        let turned = parts[0].view([rows, time, width, 2]).view_as_complex() * rotations;
        let turned = turned.view_as_real().view([rows, time, 2, heads, width / heads]).unbind(2);
        let value = parts[1].view([rows, time, heads, width / heads]);
        Heads { query: turned[0].shallow_clone(), key: turned[1].shallow_clone(), value }
    }

    /// The end of a layer, given what its heads attended to, `[rows · time, width]`: x + output(attended), then
    /// x + down(silu(gate) · up).
    pub(crate) fn feed(&self, layer: &Layer, x: &Tensor, attended: &Tensor) -> Tensor {
        let shape = x.size();
        let x = x.view([-1, self.width]).addmm(attended, &layer.output.tr());
        let gate_up = normalised(&x, &layer.feed_forward_norm).linear::<&Tensor>(&layer.gate_up, None).chunk(2, 1);
        x.addmm(&(gate_up[0].silu() * &gate_up[1]), &layer.down.tr()).view(shape.as_slice())
    }

    /// The logits of the next token, `[rows · time, vocabulary]`.
    pub(crate) fn predict(&self, x: &Tensor) -> Tensor {
        normalised(&x.view([-1, self.width]), &self.parameters.norm).linear::<&Tensor>(&self.parameters.embedding, None)
    }

    /// Room for the keys or values of a layer, `[rows, heads, time, width / heads]`.
    pub(crate) fn room(&self, rows: usize, time: usize) -> Tensor {
        let shape = [rows as i64, self.heads, time as i64, self.width / self.heads];
        Tensor::zeros(shape, (Kind::Float, self.parameters.embedding.device()))
    }

    /// The rotations of given positions, `[…, width]`.
    pub(crate) fn rotations_at(&self, positions: &Tensor) -> Tensor {
        self.rotations.index_select(0, positions)
    }

    /// The rotations of the first positions.
    pub(crate) fn rotations_to(&self, end: i64) -> Tensor {
        self.rotations.narrow(0, 0, end)
    }
}

impl Heads {
    /// Each position attends to itself and what is before it. Padding at the end of a row reaches nothing before it.
    pub fn causal(&self) -> Tensor {
        let [query, key, value] = self.transposed();
        let attended =
            Tensor::scaled_dot_product_attention::<&Tensor>(&query, &key, &value, None, 0.0, true, None, false);
        attended.transpose(1, 2)
    }

    /// The same as a product, a softmax and a product.
    fn causal_step_by_step(&self) -> Tensor {
        let [query, key, value] = self.transposed();
        let (attended, _) = Tensor::internal_scaled_dot_product_attention_math::<&Tensor>(
            &query, &key, &value, None, 0.0, true, None, None, false,
        );
        attended.transpose(1, 2)
    }

    fn transposed(&self) -> [Tensor; 3] {
        [&self.query, &self.key, &self.value].map(|part| part.transpose(1, 2))
    }

    /// The rows that lie side by side in a single one, from `start` on.
    pub fn rows(&self, start: usize, rows: usize, time: usize) -> Self {
        let (_, _, heads, size) = self.key.size4().expect("keys have four dimensions");
        let part = |whole: &Tensor| {
            whole.narrow(1, start as i64, (rows * time) as i64).view([rows as i64, time as i64, heads, size])
        };
        Heads { query: part(&self.query), key: part(&self.key), value: part(&self.value) }
    }
}

/// x · gain / √(mean x² + ε)
fn normalised(x: &Tensor, gain: &Tensor) -> Tensor {
    x.rms_norm(gain.size(), Some(gain), RMS_EPSILON)
}

/// e^(i·position·θ^(−2j/d)) for each pair j of each head's queries and keys.
fn rotations(positions: usize, width: usize, heads: usize) -> Tensor {
    let pairs = width / heads / 2;
    let frequency = |pair: usize| ROPE_THETA.powf(-(pair as f64) / pairs as f64);
    let turn = |angle: f64| [angle.cos() as f32, angle.sin() as f32];
    let table: Vec<f32> = (0..positions)
        .flat_map(|position| (0..pairs).flat_map(move |pair| turn(position as f64 * frequency(pair))))
        .collect();
    let table = Tensor::from_slice(&table).view([positions as i64, 1, pairs as i64, 2]);
    table.repeat([1, 2 * heads as i64, 1, 1]).view([positions as i64, width as i64, 2]).view_as_complex()
}
