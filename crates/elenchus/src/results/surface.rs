//! What can be told from a question's surface alone: a classifier on its length, and one on its word counts, in words
//! as M reads them. M should be far better; where it is not, the questions give their answers away.

use crate::stages::evaluation::Count;
use std::collections::{BTreeMap, BTreeSet};
use tch::{Kind, Tensor};

/// What a classifier may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The number of words, each number a feature of its own.
    Length,
    /// How often each word occurs, and the number of words.
    Words,
}

/// A question, as token ids, and its gold answer.
pub type Known = (Vec<u32>, String);

const STEPS: usize = 1000;
const LEARNING_RATE: f64 = 0.3;
const WEIGHT_DECAY: f64 = 1e-4;

/// How many of `test` a logistic regression answers rightly that was fitted to `train`.
pub fn score(surface: Surface, train: &[Known], test: &[Known]) -> Count {
    let golds: Vec<&str> = train.iter().map(|known| known.1.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let class = |gold: &str| golds.iter().position(|known| *known == gold);
    let features = Features::of(surface, train);
    let labels: Vec<i64> = train.iter().filter_map(|known| class(&known.1)).map(|class| class as i64).collect();
    let inputs = features.matrix(train);
    let scale = inputs.amax([0i64].as_slice(), true).clamp_min(1.0);
    let weights = fit(&(inputs / &scale), &Tensor::from_slice(&labels), golds.len() as i64);
    let said = (features.matrix(test) / scale).matmul(&weights).argmax(1, false);
    let right =
        |(i, known): (usize, &Known)| class(&known.1).is_some_and(|gold| said.int64_value(&[i as i64]) == gold as i64);
    let correct = test.iter().enumerate().filter(|&(i, known)| right((i, known))).count();
    Count { correct: correct as u32, total: test.len() as u32 }
}

/// Full-batch gradient descent with momentum on the mean cross-entropy.
fn fit(inputs: &Tensor, labels: &Tensor, classes: i64) -> Tensor {
    let options = (Kind::Float, inputs.device());
    // More threads would only wait for each other, for minutes where the machine has other work.
    tch::set_num_threads(1);
    let mut weights = Tensor::zeros([inputs.size()[1], classes], options).set_requires_grad(true);
    let mut momentum = Tensor::zeros_like(&weights);
    for _ in 0..STEPS {
        let loss =
            inputs.matmul(&weights).cross_entropy_for_logits(labels) + WEIGHT_DECAY * weights.square().sum(Kind::Float);
        let gradient = Tensor::run_backward(&[loss], &[&weights], false, false).swap_remove(0);
        tch::no_grad(|| {
            momentum = &momentum * 0.9 + gradient;
            let _ = weights.g_sub_(&(&momentum * LEARNING_RATE));
        });
    }
    weights.detach()
}

/// Something to be seen of a question without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Feature {
    Length(usize),
    Word(u32),
}

/// Which feature stands in which column.
struct Features {
    surface: Surface,
    columns: BTreeMap<Feature, usize>,
}

impl Features {
    fn of(surface: Surface, train: &[Known]) -> Self {
        let names: BTreeSet<Feature> = train.iter().flat_map(|known| named(surface, &known.0)).collect();
        Features { surface, columns: names.into_iter().enumerate().map(|(i, name)| (name, i + 1)).collect() }
    }

    /// Rows of counts; the first column is constant.
    fn matrix(&self, questions: &[Known]) -> Tensor {
        let width = self.columns.len() + 1;
        let mut values = vec![0.0f32; questions.len() * width];
        for (row, known) in questions.iter().enumerate() {
            values[row * width] = 1.0;
            for name in named(self.surface, &known.0) {
                if let Some(column) = self.columns.get(&name) {
                    values[row * width + column] += 1.0;
                }
            }
        }
        Tensor::from_slice(&values).reshape([questions.len() as i64, width as i64])
    }
}

/// The features of a question, as often as each counts.
fn named(surface: Surface, question: &[u32]) -> Vec<Feature> {
    let length = Feature::Length(question.len());
    match surface {
        Surface::Length => vec![length],
        Surface::Words => question.iter().map(|&word| Feature::Word(word)).chain([length]).collect(),
    }
}
