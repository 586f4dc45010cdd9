//! A linear probe (Alain and Bengio 2016, arXiv:1610.01644): a logistic regression on hidden states, of unit length each,
//! trained by one step of gradient descent at a time.

/// What it has learnt. One that has learnt nothing finds everything as likely as not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Probe {
    /// A weight for each number of a hidden state; none before it has seen any.
    pub weights: Vec<f64>,
    /// What is added to their product.
    pub bias: f64,
}

impl Probe {
    /// The probability that what it predicts is true of a hidden state.
    pub fn probability(&self, hidden: &[f32]) -> f64 {
        self.of_unit(&unit(hidden))
    }

    fn of_unit(&self, hidden: &[f64]) -> f64 {
        let product: f64 = self.weights.iter().zip(hidden).map(|(weight, number)| weight * number).sum();
        1.0 / (1.0 + (-product - self.bias).exp())
    }

    /// One step down the mean cross-entropy over hidden states of which it is known whether it is true; and what that was
    /// before, in nats. `None` where there are none.
    pub fn learn(&mut self, seen: &[(Vec<f32>, bool)], rate: f64) -> Option<f64> {
        let width = seen.first()?.0.len();
        self.weights.resize(width, 0.0);
        let (mut slope, mut of_bias, mut loss) = (vec![0.0; width], 0.0, 0.0);
        for (hidden, is_true) in seen {
            let hidden = unit(hidden);
            let probability = self.of_unit(&hidden);
            loss -= if *is_true { probability } else { 1.0 - probability }.max(f64::MIN_POSITIVE).ln();
            let error = probability - f64::from(*is_true);
            slope.iter_mut().zip(&hidden).for_each(|(slope, number)| *slope += error * number);
            of_bias += error;
        }
        let share = rate / seen.len() as f64;
        self.weights.iter_mut().zip(&slope).for_each(|(weight, slope)| *weight -= share * slope);
        self.bias -= share * of_bias;
        Some(loss / seen.len() as f64)
    }
}

/// The same direction at length 1; of no length, as it is.
fn unit(hidden: &[f32]) -> Vec<f64> {
    let length = hidden.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 1.0 };
    hidden.iter().map(|number| f64::from(*number) * scale).collect()
}
