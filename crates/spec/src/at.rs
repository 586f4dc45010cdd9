//! What of a stage's settings counts at one batch. Two files that differ only in what comes later ask for the same
//! work until then.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::{
    Pipeline,
    settings::{
        AdamW, Amplify, Answer, By, Combine, Constrained, Follow, Human, Method, Model, Named, Schedule, Stage,
        Sufficient,
    },
};

/// Settings by their place in the file, `train.step.adamw.clip` → `1.0`, every default among them.
pub type Leaves = BTreeMap<String, String>;

impl Stage {
    /// The settings that change over a run, each with its keys below the stage's table: `adamw.learning_rate`.
    pub fn schedules(&self) -> Vec<(&'static str, &Schedule)> {
        match self {
            Stage::Debate(debate) => match &debate.sufficient {
                Sufficient::Random(probability) => vec![("sufficient.random", probability)],
                Sufficient::Biased(probability) => vec![("sufficient.biased", probability)],
                Sufficient::Ask | Sufficient::Always | Sufficient::Never => Vec::new(),
            },
            Stage::Loss(loss) => {
                let combine = match &loss.combine {
                    Combine::Weighted { alpha } => ("combine.weighted.alpha", alpha),
                    Combine::Reward { beta } => ("combine.reward.beta", beta),
                    Combine::Constrained(Constrained { method, .. }) => match method {
                        Method::Cpo(cpo) => ("combine.constrained.cpo.kl", &cpo.kl),
                        Method::Lagrangian(lagrangian) => ("combine.constrained.lagrangian.step", &lagrangian.step),
                    },
                };
                let mut schedules = vec![combine, ("baseline_decay", &loss.baseline_decay)];
                schedules.extend((!loss.penalty.is_zero()).then_some(("penalty", &loss.penalty)));
                schedules
            }
            Stage::Train(train) => {
                let AdamW { learning_rate, betas, epsilon, weight_decay, clip } = &train.adamw;
                let mut schedules = vec![
                    ("adamw.learning_rate", learning_rate),
                    ("adamw.betas", &betas.0),
                    ("adamw.betas", &betas.1),
                    ("adamw.epsilon", epsilon),
                    ("adamw.weight_decay", weight_decay),
                    ("adamw.clip", clip),
                ];
                // What is left out depends on nothing.
                schedules.extend((!train.entropy.is_zero()).then_some(("entropy", &train.entropy)));
                schedules.extend(train.kl.as_ref().map(|kl| ("kl.weight", &kl.weight)));
                schedules
            }
            Stage::Sync(sync) => match &sync.follow {
                Follow::Polyak(decay) => vec![("polyak", decay)],
                Follow::Every(_) | Follow::Until(_) => Vec::new(),
            },
            Stage::Answer(Answer { by: By::Model(sampled), .. }) => vec![("model.temperature", &sampled.temperature)],
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
    /// The settings that change over a run, each with its key below the table.
    pub fn schedules(&self) -> Vec<(&'static str, &Schedule)> {
        vec![("temperature", &self.temperature)]
    }
}

impl Human {
    /// The settings that change over a run, each with its key below the table.
    pub fn schedules(&self) -> Vec<(&'static str, &Schedule)> {
        self.understudy().map(|understudy| ("learned.share", &understudy.share)).into_iter().collect()
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

listed!(Model, Human, Amplify, Stage);

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
