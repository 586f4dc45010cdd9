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
            betas: (settings.betas.0.at(batch), settings.betas.1.at(batch)),
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
    /// What of each is still the zeros it began with.
    zeros: [Zeros; 2],
}

/// The weight of the zeros in a moment: the product of its decay rates so far. The weights of the gradients come to the
/// rest, for a step of rate β takes them from w to βw + 1 − β, and so 1 − w to β(1 − w). A moment over the rest is a mean
/// of gradients, and that is the correction of the bias where rates change (Dozat 2016, "Incorporating Nesterov momentum
/// into Adam"). Steps of one rate are one power, so that a rate that never changes corrects by 1 − βⁿ to the last bit.
#[derive(Debug, Clone, Copy)]
struct Zeros {
    /// The product of the rates before the last one.
    before: f64,
    /// The last rate.
    rate: f64,
    /// How many steps in a row it has been the rate.
    steps: f64,
}

impl Zeros {
    /// All of a moment, before the first step.
    const ALL: Zeros = Zeros { before: 1.0, rate: 0.0, steps: 0.0 };

    fn step(&mut self, rate: f64) {
        if rate.to_bits() != self.rate.to_bits() {
            *self = Zeros { before: self.weight(), rate, steps: 0.0 };
        }
        self.steps += 1.0;
    }

    fn weight(&self) -> f64 {
        self.before * self.rate.powf(self.steps)
    }
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
        AdamW { first: zeros(), second: zeros(), steps: 0, zeros: [Zeros::ALL; 2] }
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
        self.zeros.iter_mut().zip([beta1, beta2]).for_each(|(zeros, beta)| zeros.step(beta));
        let [correction1, correction2] = self.zeros.map(|zeros| 1.0 - zeros.weight());
        no_grad(|| {
            let _ = self.first.lerp_(gradient, 1.0 - beta1);
            let _ = self.second.lerp_(&gradient.square(), 1.0 - beta2);
            let spread = (&self.second / correction2).sqrt() + epsilon;
            if weight_decay != 0.0 {
                let _ = weights.flat.g_mul_scalar_(1.0 - learning_rate * weight_decay);
            }
            let _ = weights.flat.g_sub_(&(&self.first / spread * (learning_rate / correction1)));
        });
    }

    /// The state as safetensors.
    pub fn save(&self) -> Vec<u8> {
        let (first, second, steps) = (bytes(&self.first), bytes(&self.second), self.steps.to_le_bytes());
        let zeros = self.zeros.map(|zeros| [zeros.before, zeros.rate, zeros.steps]);
        let zeros: Vec<u8> = zeros.as_flattened().iter().flat_map(|number| number.to_le_bytes()).collect();
        let moment = |bytes| TensorView::new(Dtype::F32, vec![self.first.numel()], bytes);
        let views = [
            ("first", moment(&first)),
            ("second", moment(&second)),
            ("steps", TensorView::new(Dtype::U64, vec![1], &steps)),
            ("zeros", TensorView::new(Dtype::F64, vec![6], &zeros)),
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
        let (first, second) = (moment("first")?, moment("second")?);
        let steps = part("steps", Dtype::U64, 1)?.try_into().expect("one u64 has eight bytes");
        let (numbers, _) = part("zeros", Dtype::F64, 6)?.as_chunks::<8>();
        let number = |place: usize| f64::from_le_bytes(numbers[place]);
        let zeros = [0, 3].map(|at| Zeros { before: number(at), rate: number(at + 1), steps: number(at + 2) });
        Ok(AdamW { first, second, steps: u64::from_le_bytes(steps), zeros })
    }
}

fn bytes(flat: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; flat.numel() * 4];
    flat.copy_data_u8(&mut bytes, flat.numel());
    bytes
}
