//! AdamW (Loshchilov and Hutter 2019) over the flat tensor of weights, with a state that can be saved and loaded to the
//! last bit.

use model::Weights;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use spec::settings;
use tch::{Kind, Tensor, no_grad};

/// What a step goes by, at one batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Step size.
    pub learning_rate: f64,
    /// Decay rates of the two moments.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// The gradient is scaled down to this norm; 0 leaves it alone.
    pub clip: f64,
}

impl Rates {
    /// The settings as they are at a batch.
    pub fn at(settings: &settings::AdamW, batch: u64) -> Self {
        Rates {
            learning_rate: settings.learning_rate.at(batch),
            betas: settings.betas,
            epsilon: settings.epsilon.at(batch),
            weight_decay: settings.weight_decay.at(batch),
            clip: settings.clip.at(batch),
        }
    }
}

/// The running moments of the gradient.
#[derive(Debug)]
pub struct AdamW {
    /// The mean of the gradient.
    first: Tensor,
    /// The mean of its square.
    second: Tensor,
    /// How many gradients they have seen.
    steps: u64,
}

/// What is wrong with a saved optimizer.
#[derive(Debug, thiserror::Error)]
pub enum OptimizerError {
    /// Not safetensors.
    #[error("the optimizer's file is damaged: {0}")]
    Damaged(#[source] safetensors::SafeTensorError),
    /// A part is missing, or not of the right size.
    #[error("the optimizer's file has no `{name}` of {numbers} numbers; it belongs to another model")]
    Part {
        /// Which part.
        name: &'static str,
        /// How many numbers it should have.
        numbers: usize,
    },
}

impl AdamW {
    /// Before the first step.
    pub fn new(parameters: usize) -> Self {
        let zeros = || Tensor::zeros([parameters as i64], (Kind::Float, tch::Device::Cpu));
        AdamW { first: zeros(), second: zeros(), steps: 0 }
    }

    /// How many parameters it is for.
    pub fn parameters(&self) -> usize {
        self.first.numel()
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step against the gradient, which is used as it is: clipping comes before.
    pub fn step(&mut self, weights: &mut Weights, gradient: &Tensor, rates: &Rates) {
        let Rates { learning_rate, betas: (beta1, beta2), epsilon, weight_decay, .. } = *rates;
        self.steps += 1;
        let correction = |beta: f64| 1.0 - beta.powf(self.steps as f64);
        no_grad(|| {
            let _ = self.first.lerp_(gradient, 1.0 - beta1);
            let _ = self.second.lerp_(&gradient.square(), 1.0 - beta2);
            let spread = (&self.second / correction(beta2)).sqrt() + epsilon;
            if weight_decay != 0.0 {
                let _ = weights.flat.g_mul_scalar_(1.0 - learning_rate * weight_decay);
            }
            let _ = weights.flat.g_sub_(&(&self.first / spread * (learning_rate / correction(beta1))));
        });
    }

    /// The state as safetensors.
    pub fn save(&self) -> Vec<u8> {
        let (first, second, steps) = (bytes(&self.first), bytes(&self.second), self.steps.to_le_bytes());
        let moment = |bytes| TensorView::new(Dtype::F32, vec![self.first.numel()], bytes);
        let views = [
            ("first", moment(&first)),
            ("second", moment(&second)),
            ("steps", TensorView::new(Dtype::U64, vec![1], &steps)),
        ];
        let views = views.map(|(name, view)| (name, view.expect("as many bytes as the shape says")));
        safetensors::serialize(views, None).expect("a header of names and shapes is serialisable")
    }

    /// The state of a saved optimizer of so many parameters.
    pub fn load(bytes: &[u8], parameters: usize) -> Result<Self, OptimizerError> {
        let file = SafeTensors::deserialize(bytes).map_err(OptimizerError::Damaged)?;
        let part = |name, dtype, numbers| {
            let view = file.tensor(name).ok().filter(|view| view.dtype() == dtype && view.shape() == [numbers]);
            view.map(|view| view.data()).ok_or(OptimizerError::Part { name, numbers })
        };
        let moment = |name| {
            let data = part(name, Dtype::F32, parameters)?;
            Ok(Tensor::from_data_size(data, &[parameters as i64], Kind::Float))
        };
        let steps = part("steps", Dtype::U64, 1)?.try_into().expect("one u64 has eight bytes");
        Ok(AdamW { first: moment("first")?, second: moment("second")?, steps: u64::from_le_bytes(steps) })
    }
}

fn bytes(flat: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; flat.numel() * 4];
    flat.copy_data_u8(&mut bytes, flat.numel());
    bytes
}
