//! All parameters of a model in one flat tensor. A gradient, an optimizer's moment and a copy are then one tensor too,
//! and norms, clipping, AdamW and Polyak averages are one-liners over it.

use rand_philox::{Philox, u32_to_unit_f64};
use spec::settings::Architecture;
use tch::Tensor;

/// Which parameter stands where: the tensors of a Hugging Face llama, in order, end to end. What is multiplied with
/// the same input stands side by side (q, k, v; gate, up), so that one matrix product serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The sizes of the decoder.
    pub architecture: Architecture,
    /// Rows of the embedding, which is also the output projection.
    pub vocabulary: usize,
}

/// One tensor of the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub name: String,
    pub shape: Vec<usize>,
    pub role: Role,
}

/// How a tensor starts, and how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A gain, 1 at first.
    Gain,
    /// A matrix.
    Matrix,
    /// A matrix whose output is added to the residual stream: starts smaller, the more of them there are.
    Residual,
    /// A matrix whose rows are turned in pairs by rotary embeddings.
    Rotary,
}

impl Layout {
    /// Every tensor, in order.
    pub(crate) fn tensors(&self) -> Vec<Named> {
        let (width, feed_forward) = (self.architecture.width, self.architecture.feed_forward);
        let named = |name: String, shape: &[usize], role| Named { name, shape: shape.to_vec(), role };
        let mut tensors = vec![named("model.embed_tokens.weight".into(), &[self.vocabulary, width], Role::Matrix)];
        for layer in 0..self.architecture.layers {
            let of_layer: [(_, &[usize], _); 9] = [
                ("input_layernorm", &[width], Role::Gain),
                ("self_attn.q_proj", &[width, width], Role::Rotary),
                ("self_attn.k_proj", &[width, width], Role::Rotary),
                ("self_attn.v_proj", &[width, width], Role::Matrix),
                ("self_attn.o_proj", &[width, width], Role::Residual),
                ("post_attention_layernorm", &[width], Role::Gain),
                ("mlp.gate_proj", &[feed_forward, width], Role::Matrix),
                ("mlp.up_proj", &[feed_forward, width], Role::Matrix),
                ("mlp.down_proj", &[width, feed_forward], Role::Residual),
            ];
            let full = |(name, shape, role)| named(format!("model.layers.{layer}.{name}.weight"), shape, role);
            tensors.extend(of_layer.map(full));
        }
        tensors.push(named("model.norm.weight".into(), &[width], Role::Gain));
        tensors
    }

    /// How many numbers there are.
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(Named::size).sum()
    }
}

impl Named {
    /// How many numbers it has.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A model's parameters.
#[derive(Debug)]
pub struct Weights {
    /// Which parameter stands where in `flat`.
    pub layout: Layout,
    /// All parameters, f32, one dimension.
    pub flat: Tensor,
}

impl Weights {
    /// Fresh weights, a function of the seed alone: gains of 1, and normal matrices that keep the spread of what goes
    /// through them, 1/√(inputs); those that end in the residual stream are smaller the more of them there are. The
    /// usual fixed spread of 0.02 is made for wide models: at width 64 it costs hundreds of steps.
    pub fn new(layout: Layout, seed: u64) -> Self {
        let mut random = Philox::from_u64_seed(seed);
        let residual = 1.0 / (2.0 * layout.architecture.layers as f64).sqrt();
        let mut flat = Vec::with_capacity(layout.parameters());
        for tensor in layout.tensors() {
            let inputs = tensor.shape.last().map_or(1.0, |&inputs| inputs as f64);
            let spread = match tensor.role {
                Role::Gain => None,
                Role::Matrix | Role::Rotary => Some(1.0 / inputs.sqrt()),
                Role::Residual => Some(residual / inputs.sqrt()),
            };
            flat.extend((0..tensor.size()).map(|_| spread.map_or(1.0, |spread| spread * normal(&mut random)) as f32));
        }
        Weights { layout, flat: Tensor::from_slice(&flat) }
    }

    /// The same numbers in memory of their own.
    pub fn deep_copy(&self) -> Self {
        Weights { layout: self.layout.clone(), flat: self.flat.copy() }
    }

    /// The same memory, for another thread: a tensor may be sent but not shared. Gradients are taken with respect to
    /// this handle's `flat`, if at all.
    pub fn handle(&self, gradient: bool) -> Self {
        Weights { layout: self.layout.clone(), flat: self.flat.detach().set_requires_grad(gradient) }
    }

    /// The parameters as the forward pass wants them. One split, so that its backward is one concatenation.
    pub(crate) fn parameters(&self) -> Parameters {
        let Architecture { width, feed_forward, .. } = self.layout.architecture;
        let (w, f, v) = (width as i64, feed_forward as i64, self.layout.vocabulary as i64);
        let layer = [w, 3 * w * w, w * w, w, 2 * f * w, w * f];
        let layers = layer.repeat(self.layout.architecture.layers);
        let mut parts = self.flat.split_with_sizes([vec![v * w], layers, vec![w]].concat(), 0).into_iter();
        let mut next = |shape: &[i64]| parts.next().expect("as many parts as sizes").view(shape);
        Parameters {
            embedding: next(&[v, w]),
            layers: (0..self.layout.architecture.layers)
                .map(|_| Layer {
                    attention_norm: next(&[w]),
                    qkv: next(&[3 * w, w]),
                    output: next(&[w, w]),
                    feed_forward_norm: next(&[w]),
                    gate_up: next(&[2 * f, w]),
                    down: next(&[w, f]),
                })
                .collect(),
            norm: next(&[w]),
        }
    }
}

/// Views into the flat tensor.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub embedding: Tensor,
    pub layers: Vec<Layer>,
    pub norm: Tensor,
}

/// The parameters of one decoder layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub attention_norm: Tensor,
    pub qkv: Tensor,
    pub output: Tensor,
    pub feed_forward_norm: Tensor,
    pub gate_up: Tensor,
    pub down: Tensor,
}

/// One draw from the standard normal distribution (Box and Muller 1958).
fn normal(random: &mut Philox) -> f64 {
    let (radius, angle) = (u32_to_unit_f64(random.next_u32()), u32_to_unit_f64(random.next_u32()));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}
