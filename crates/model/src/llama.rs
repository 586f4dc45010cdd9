//! The transformer: a llama-form decoder (Touvron et al. 2023) with tied embeddings and no biases. Pre-norm RMSNorm
//! (Zhang and Sennrich 2019), rotary position embeddings (Su et al. 2021), SwiGLU (Shazeer 2020).
//!
//! One forward pass serves training, prompts and single steps of generation; they differ in how a layer *attends*.

use tch::{Kind, Tensor};

use crate::weights::{Layer, Parameters, Weights};

/// The base of the rotary frequencies.
pub(crate) const ROPE_THETA: f64 = 10000.0;
/// Added to the mean square in RMSNorm.
pub(crate) const RMS_EPSILON: f64 = 1e-5;

/// Queries, keys and values of one layer, each `[rows, heads, time, width / heads]`.
pub(crate) struct Attention {
    pub query: Tensor,
    pub key: Tensor,
    pub value: Tensor,
}

impl Attention {
    /// Each position attends to itself and what is before it. Padding at the end of a row reaches nothing before it.
    pub fn causal(&self) -> Tensor {
        sdpa(&self.query, &self.key, &self.value, None, true)
    }
}

/// softmax(q kᵀ / √d + mask) v
pub(crate) fn sdpa(query: &Tensor, key: &Tensor, value: &Tensor, mask: Option<&Tensor>, causal: bool) -> Tensor {
    Tensor::scaled_dot_product_attention(query, key, value, mask, 0.0, causal, None, false)
}

/// A model's parameters, ready to compute.
pub struct Llama {
    parameters: Parameters,
    heads: i64,
    width: i64,
    /// `[positions, width]`, complex.
    rotations: Tensor,
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

    /// The last layer's output, normalised, `[rows, time, width]`, for tokens `[rows, time]` from position 0 on.
    pub fn hidden(&self, tokens: &Tensor) -> Tensor {
        let rotations = self.rotations.narrow(0, 0, tokens.size()[1]);
        self.decode(tokens, &rotations, |_, attention| attention.causal())
    }

    /// The logits of the next token, after each row of `[…, width]`.
    pub fn logits(&self, hidden: &Tensor) -> Tensor {
        hidden.linear::<&Tensor>(&self.parameters.embedding, None)
    }

    /// The rotations of given positions, `[…, width]`.
    pub(crate) fn rotations_at(&self, positions: &Tensor) -> Tensor {
        self.rotations.index_select(0, positions)
    }

    /// The rotations of the first positions.
    pub(crate) fn rotations_to(&self, end: i64) -> Tensor {
        self.rotations.narrow(0, 0, end)
    }

    /// The decoder, with `attend` given the layer's number and its queries, keys and values.
    pub(crate) fn decode(
        &self,
        tokens: &Tensor,
        rotations: &Tensor,
        mut attend: impl FnMut(usize, Attention) -> Tensor,
    ) -> Tensor {
        let (rows, time) = tokens.size2().expect("tokens are [rows, time]");
        let mut x = Tensor::embedding(&self.parameters.embedding, &tokens.view(-1), -1, false, false);
        for (number, layer) in self.parameters.layers.iter().enumerate() {
            let qkv = normalised(&x, &layer.attention_norm).linear::<&Tensor>(&layer.qkv, None);
            let attended = attend(number, self.split_heads(&qkv, rows, time, rotations));
            let attended = attended.transpose(1, 2).reshape([rows * time, self.width]);
            x = x.addmm(&attended, &layer.output.tr());
            x = feed_forward(&x, layer);
        }
        normalised(&x, &self.parameters.norm).view([rows, time, self.width])
    }

    /// Queries and keys turned by their positions, and values. Rotary embeddings turn adjacent pairs, which are complex
    /// numbers: one product turns queries and keys of all heads.
    fn split_heads(&self, qkv: &Tensor, rows: i64, time: i64, rotations: &Tensor) -> Attention {
        let (width, heads) = (self.width, self.heads);
        let qk = qkv.narrow(1, 0, 2 * width).view([rows, time, width, 2]).view_as_complex();
        let qk = (qk * rotations).view_as_real().view([rows, time, 2, heads, width / heads]);
        let value = qkv.narrow(1, 2 * width, width).view([rows, time, heads, width / heads]);
        Attention {
            query: qk.select(2, 0).transpose(1, 2),
            key: qk.select(2, 1).transpose(1, 2),
            value: value.transpose(1, 2),
        }
    }
}

/// x · gain / √(mean x² + ε)
fn normalised(x: &Tensor, gain: &Tensor) -> Tensor {
    x.rms_norm(gain.size(), Some(gain), RMS_EPSILON)
}

/// x + down(silu(gate) · up)
fn feed_forward(x: &Tensor, layer: &Layer) -> Tensor {
    let gate_up = normalised(x, &layer.feed_forward_norm).linear::<&Tensor>(&layer.gate_up, None);
    let halves = gate_up.chunk(2, 1);
    x.addmm(&(halves[0].silu() * &halves[1]), &layer.down.tr())
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
    table
        .repeat([1, 2 * heads as i64, 1, 1])
        .view([positions as i64, width as i64, 2])
        .to_kind(Kind::Float)
        .view_as_complex()
}
