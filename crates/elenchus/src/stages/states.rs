//! What passes from batch to batch: weights, the optimizer's moments, running means of the reward and of the imitation
//! loss, what is known of a limit on it, the multiplier of one on catastrophes, which milestones it has passed, what is
//! spent of budgets, and probes.

use batch::{Files, State, StateError};
use debate::{debate::Voice, judge::Side, probe::Probe};
use model::Model;
use spec::settings::{self, PenaltyLimit};
use std::collections::BTreeMap;
use train::{AdamW, Multiplier};

/// The running mean of the reward, per side, as an exponential moving average that starts at its first value. Group
/// means carry no information in self-play (SPIRAL, arXiv:2506.24119). The game is zero-sum, so where M argues on both
/// sides the odd side's mean is the even side's negative, and one number holds both.
///
/// Beside it, in the same way, that of the distance from M's answers to H's.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Baseline {
    even: Option<f64>,
    /// Those of each side's reward by depth, where they are kept apart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    depths: BTreeMap<String, f64>,
    /// That of the odd side, where another model argues against M on the even one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    odd: Option<f64>,
    /// The running mean of d, where M trains on what its own answers cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distance: Option<f64>,
}

impl Baseline {
    /// What is subtracted from a side's reward: 0 before any was seen.
    pub fn of(&self, side: Side) -> f64 {
        let even = self.even.unwrap_or(0.0);
        match side {
            Side::Even => even,
            Side::Odd => self.odd.unwrap_or(-even),
        }
    }

    /// Moves towards the mean reward of a side in a batch; that of the odd side is followed where it is not the even
    /// side's negative.
    pub fn follow(&mut self, side: Side, reward: f64, decay: f64) {
        let mean = match side {
            Side::Even => &mut self.even,
            Side::Odd => &mut self.odd,
        };
        *mean = Some(followed(*mean, reward, decay));
    }

    /// What is subtracted from a side's reward at a depth: the side's, before any was seen there.
    pub fn at(&self, side: Side, depth: usize) -> f64 {
        self.depths.get(&place(side, depth)).copied().unwrap_or_else(|| self.of(side))
    }

    /// Moves towards the mean reward of a side at a depth of a batch.
    pub fn follow_at(&mut self, side: Side, depth: usize, reward: f64, decay: f64) {
        let place = place(side, depth);
        let mean = followed(self.depths.get(&place).copied(), reward, decay);
        self.depths.insert(place, mean);
    }

    /// What an answer's own distance is subtracted from: 0 before any was seen.
    pub fn of_distance(&self) -> f64 {
        self.distance.unwrap_or(0.0)
    }

    /// Moves towards the mean distance of a batch.
    pub fn follow_distance(&mut self, distance: f64, decay: f64) {
        self.distance = Some(followed(self.distance, distance, decay));
    }
}

/// The running mean of a supervised loss, in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Imitation {
    /// None before there was a loss.
    pub mean: Option<f64>,
}

impl Imitation {
    /// Moves towards the loss of a batch.
    pub fn follow(&mut self, loss: f64, decay: f64) {
        self.mean = Some(followed(self.mean, loss, decay));
    }
}

/// How far a supervised loss is from a milestone, and when it passed that.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Milestone {
    /// The running mean, in the same way.
    pub mean: Option<f64>,
    /// The first batch after which it was below the bound.
    pub reached: Option<u64>,
}

impl Milestone {
    /// Moves towards the loss of a batch. Once reached, it stays reached.
    pub fn follow(&mut self, loss: f64, settings: &settings::Milestone, batch: u64) {
        let mean = followed(self.mean, loss, settings.decay);
        self.mean = Some(mean);
        self.reached = self.reached.or((mean < settings.below).then_some(batch));
    }
}

/// The name of a side at a depth.
fn place(side: Side, depth: usize) -> String {
    format!("{} {depth}", side.name())
}

/// What a train stage knows of a limit on its loss.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Constraint {
    /// The running mean of L over the batches before the constraint started, in the same way; then it stays as it is.
    pub mean: Option<f64>,
    /// log λ, where there is a multiplier and it has moved.
    pub log_multiplier: Option<f64>,
}

impl Constraint {
    /// Moves towards the loss of a batch.
    pub fn follow(&mut self, loss: f64, decay: f64) {
        self.mean = Some(followed(self.mean, loss, decay));
    }

    /// λ, which begins with a value.
    pub fn multiplier(&self, initial: f64) -> Multiplier {
        multiplier(self.log_multiplier, initial)
    }
}

/// What weighs the penalty of a loss stage, where there is a limit on M's catastrophes.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct PenaltyWeight {
    /// log λ, once it has moved.
    pub log_multiplier: Option<f64>,
}

impl PenaltyWeight {
    /// λ. Until it has moved it is what the file says, to the bit.
    pub fn value(&self, limit: &PenaltyLimit) -> f64 {
        self.log_multiplier.map_or(limit.initial, |log| Multiplier { log }.value())
    }

    /// Moves λ by the share of answers that were a catastrophe in a batch.
    pub fn follow(&mut self, share: f64, limit: &PenaltyLimit, batch: u64) {
        let mut multiplier = multiplier(self.log_multiplier, limit.initial);
        multiplier.ascend(limit.step.at(batch), share - limit.limit);
        self.log_multiplier = Some(multiplier.within(limit.bounds).log);
    }
}

/// λ by its logarithm, once it has moved; before, what it begins with.
fn multiplier(log: Option<f64>, initial: f64) -> Multiplier {
    Multiplier { log: log.unwrap_or_else(|| initial.ln()) }
}

fn followed(mean: Option<f64>, value: f64, decay: f64) -> f64 {
    mean.map_or(value, |mean| decay * mean + (1.0 - decay) * value)
}

/// What a stage has spent of its part of a run's budget.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Spent {
    /// Expected calls of H: the sum of the propensities.
    pub calls: f64,
}

/// The probes of those who argue in a debate.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Probes {
    #[serde(with = "Numbers")]
    speaker: Probe,
    #[serde(with = "Numbers")]
    opponent: Probe,
}

/// A probe as it is written down.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(remote = "Probe")]
struct Numbers {
    weights: Vec<f64>,
    bias: f64,
}

impl Probes {
    /// The probe of a voice.
    pub fn of(&self, voice: Voice) -> &Probe {
        match voice {
            Voice::Speaker => &self.speaker,
            Voice::Opponent => &self.opponent,
        }
    }

    /// The same, to be taught.
    pub fn of_mut(&mut self, voice: Voice) -> &mut Probe {
        match voice {
            Voice::Speaker => &mut self.speaker,
            Voice::Opponent => &mut self.opponent,
        }
    }
}

/// A model as a state: a folder in Hugging Face layout.
pub struct ModelState(pub Model);

impl State for ModelState {
    fn save(&self) -> Result<Files, StateError> {
        Ok(self.0.save())
    }

    fn snapshot(&self) -> Result<Box<dyn State>, StateError> {
        Ok(Box::new(ModelState(self.0.deep_copy())))
    }

    fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError> {
        self.0 = Model::load(files)?;
        Ok(())
    }
}

/// An optimizer's moments as a state.
pub struct OptimizerState(pub AdamW);

impl State for OptimizerState {
    fn save(&self) -> Result<Files, StateError> {
        Ok(vec![("optimizer.safetensors".to_owned(), self.0.save())])
    }

    fn snapshot(&self) -> Result<Box<dyn State>, StateError> {
        Ok(Box::new(OptimizerState(AdamW::load(&self.0.save(), self.0.parameters())?)))
    }

    fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError> {
        self.0 = AdamW::load(file(files, "optimizer.safetensors")?, self.0.parameters())?;
        Ok(())
    }
}

/// Numbers as a state: a JSON file, which reads back to the same bits.
macro_rules! numbers {
    ($($state:ty = $file:literal),+) => { $(
        impl State for $state {
            fn save(&self) -> Result<Files, StateError> {
                Ok(vec![($file.to_owned(), serde_json::to_vec(self)?)])
            }

            fn snapshot(&self) -> Result<Box<dyn State>, StateError> {
                Ok(Box::new(Clone::clone(self)))
            }

            fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError> {
                *self = serde_json::from_slice(file(files, $file)?)?;
                Ok(())
            }
        }
    )+ };
}

numbers!(
    Baseline = "baseline.json",
    Imitation = "imitation.json",
    Constraint = "constraint.json",
    Milestone = "milestone.json",
    PenaltyWeight = "multiplier.json",
    Probes = "probes.json",
    Spent = "spent.json"
);

/// One of a state's files.
fn file<'a>(files: &'a [(String, Vec<u8>)], name: &str) -> Result<&'a [u8], StateError> {
    let found = files.iter().find(|(file, _)| file == name);
    found.map(|(_, bytes)| bytes.as_slice()).ok_or_else(|| format!("the file {name} is missing").into())
}
