//! What of a stage's settings counts at one batch. Two files that differ only in what comes later ask for the same
//! work until then.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::{
    Pipeline,
    settings::{
        AdamW, Amplify, Answer, By, CallHuman, Combine, Constrained, Follow, Human, Method, Milestone, Model, Named,
        Price, Reference, Schedule, Stage, Sufficient, Who,
    },
};

/// Settings by their place in the file, `train.step.adamw.clip` → `1.0`, every default among them.
pub type Leaves = BTreeMap<String, String>;

impl Stage {
    /// The settings that change over a run, each with its keys below the stage's table: `adamw.learning_rate`.
    pub fn schedules(&self) -> Vec<(&'static str, Schedule)> {
        owned(self.clone().schedules_mut())
    }

    fn schedules_mut(&mut self) -> Vec<(&'static str, &mut Schedule)> {
        match self {
            Stage::Debate(debate) => match &mut debate.sufficient {
                Sufficient::Random(probability) => vec![("sufficient.random", probability)],
                Sufficient::Biased(probability) => vec![("sufficient.biased", probability)],
                Sufficient::Ask | Sufficient::Always | Sufficient::Never => Vec::new(),
            },
            Stage::Loss(loss) => {
                let combine = match &mut loss.combine {
                    Combine::Weighted { alpha } => ("combine.weighted.alpha", alpha),
                    Combine::Reward { beta } => ("combine.reward.beta", beta),
                    Combine::Constrained(Constrained { method, .. }) => match method {
                        Method::Cpo(cpo) => ("combine.constrained.cpo.kl", &mut cpo.kl),
                        Method::Lagrangian(lagrangian) => ("combine.constrained.lagrangian.step", &mut lagrangian.step),
                    },
                };
                let mut schedules = vec![combine, ("baseline_decay", &mut loss.baseline_decay)];
                schedules.extend(match &mut loss.penalty {
                    Price::Weight(weight) => (!weight.is_zero()).then_some(("penalty", weight)),
                    Price::Limited { lagrangian } => Some(("penalty.lagrangian.step", &mut lagrangian.step)),
                });
                schedules
            }
            Stage::Train(train) => {
                let AdamW { learning_rate, betas, epsilon, weight_decay, clip } = &mut train.adamw;
                let mut schedules = vec![
                    ("adamw.learning_rate", learning_rate),
                    ("adamw.betas", &mut betas.0),
                    ("adamw.betas", &mut betas.1),
                    ("adamw.epsilon", epsilon),
                    ("adamw.weight_decay", weight_decay),
                    ("adamw.clip", clip),
                ];
                // What is left out depends on nothing.
                schedules.extend((!train.entropy.is_zero()).then_some(("entropy", &mut train.entropy)));
                schedules.extend(train.kl.as_mut().map(|kl| ("kl.weight", &mut kl.weight)));
                schedules
            }
            Stage::Sync(sync) => match &mut sync.follow {
                Follow::Polyak(decay) => vec![("polyak", decay)],
                Follow::Every(_) | Follow::Until(_) => Vec::new(),
            },
            Stage::Answer(Answer { by: By::Model(sampled), .. }) => {
                vec![("model.temperature", &mut sampled.temperature)]
            }
            _ => Vec::new(),
        }
    }

    /// The keys that say nothing but when it is due.
    pub fn timing(&self) -> &'static [&'static str] {
        match self {
            Stage::Sync(_) => &["every", "until"],
            Stage::Evaluate(_) => &["every"],
            _ => &[],
        }
    }

    /// A key below which nothing counts before some batch, and that batch.
    pub fn counts_from(&self) -> Option<(&'static str, u64)> {
        match self {
            Stage::Loss(loss) => loss.constrained().map(|constrained| ("combine.constrained", constrained.from)),
            _ => None,
        }
    }

    /// The keys that count where it is not due.
    pub fn undue(&self) -> &'static [&'static str] {
        match self {
            Stage::Evaluate(_) => &["verdicts"],
            _ => &[],
        }
    }
}

impl Amplify {
    /// The settings that change over a run, each with its key below the table. Samp's probability is none of them, for
    /// it counts only where Samp decides.
    pub fn schedules(&self) -> Vec<(&'static str, Schedule)> {
        vec![("temperature", self.temperature.clone())]
    }

    fn schedules_mut(&mut self) -> impl Iterator<Item = &mut Schedule> {
        let of_samp = match &mut self.call_human {
            CallHuman::Probability(probability) => Some(probability),
            _ => None,
        };
        [&mut self.temperature].into_iter().chain(of_samp)
    }
}

impl Human {
    /// The settings that change over a run, each with its key below the table.
    pub fn schedules(&self) -> Vec<(&'static str, Schedule)> {
        owned(self.clone().schedules_mut())
    }

    fn schedules_mut(&mut self) -> Vec<(&'static str, &mut Schedule)> {
        match &mut self.who {
            Who::Learned(understudy) => vec![("learned.share", &mut understudy.share)],
            Who::Script(_) => Vec::new(),
        }
    }
}

fn owned(schedules: Vec<(&'static str, &mut Schedule)>) -> Vec<(&'static str, Schedule)> {
    schedules.into_iter().map(|(key, schedule)| (key, schedule.clone())).collect()
}

impl Pipeline {
    /// The same when these milestones were reached, each at a batch: see [`Schedule::since`].
    pub fn since(&self, reached: &BTreeMap<String, u64>) -> Pipeline {
        let mut pipeline = self.clone();
        pipeline.schedules_mut().for_each(|schedule| *schedule = schedule.since(reached));
        pipeline
    }

    /// The milestones that its schedules wait for, as often as they are mentioned.
    pub fn awaited(&self) -> Vec<Reference> {
        self.clone().schedules_mut().filter_map(|schedule| schedule.milestone().cloned()).collect()
    }

    fn schedules_mut(&mut self) -> impl Iterator<Item = &mut Schedule> {
        let of_stages = self.stages.iter_mut().flat_map(|stage| stage.settings.schedules_mut());
        let of_humans = self.humans.iter_mut().flat_map(|human| human.settings.schedules_mut());
        let of_amplifies = self.amplifies.iter_mut().flat_map(|amplify| amplify.settings.schedules_mut());
        of_stages.chain(of_humans).map(|(_, schedule)| schedule).chain(of_amplifies)
    }
}

impl Pipeline {
    /// Every setting of the file.
    pub fn leaves(&self) -> Leaves {
        leaves(&self.to_toml())
    }
}

/// A table of the file whose settings can be listed.
macro_rules! listed {
    ($($settings:ty),+) => { $(
        impl Named<$settings> {
            /// The settings of this table.
            pub fn leaves(&self) -> Leaves {
                leaves(&self.to_toml())
            }
        }
    )+ };
}

listed!(Model, Human, Amplify, Milestone, Stage);

fn leaves(text: &str) -> Leaves {
    let table = DeTable::parse(text).expect("the resolved file is TOML");
    let mut found = Leaves::new();
    collect(text, "", table.get_ref(), &mut found);
    found
}

fn collect(text: &str, path: &str, table: &DeTable<'_>, found: &mut Leaves) {
    for (key, value) in table {
        let key = key.get_ref();
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match value.get_ref() {
            DeValue::Table(table) => collect(text, &path, table, found),
            _ => drop(found.insert(path, text[value.span()].to_owned())),
        }
    }
}
