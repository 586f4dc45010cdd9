//! What a stage's results depend on, as text that can be compared and as one hash. With the batch, the keys of what it
//! is given and the versions of the states, that hash becomes the key of a unit of work: see [`crate::Chain`].

use std::{fmt, str::FromStr};

use blake3::{Hash, Hasher};
use spec::{
    Leaves,
    settings::{Answer, By, CallHuman, Debate, Named, Reference, Schedule, Stage, Sufficient},
};

use crate::{
    Node, Plan, consulting::has_distributions, milestone::watched, names::Names, parties::amplifies, samp,
    states::followers,
};

/// What something depends on, by name: settings by their place in the file, and what was noted from outside of it.
pub type Recipe = Leaves;

/// The key of a unit of work, a stage on a batch: the same key, the same tables, metrics and states. A state's version
/// is the key of the unit that last changed it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u128);

impl Key {
    pub(crate) fn of(hash: Hash) -> Self {
        let half: [u8; 16] = hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes");
        Key(u128::from_be_bytes(half))
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Key {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Key)
    }
}

/// What the stage at a place in the file depends on. Its name is part of it: draws and tables go by that.
pub(crate) fn recipe(names: Names<'_>, place: usize) -> Recipe {
    let stage = &names.pipeline.stages[place];
    let mut recipe = stage.leaves();
    recipe.insert("seed".to_owned(), names.pipeline.seed.to_string());
    recipe.insert(format!("version of {}", stage.settings.kind()), version(&stage.settings).to_string());
    for mention in amplifies(&stage.settings) {
        let Ok(amplify) = names.amplify(mention) else { continue };
        recipe.extend(amplify.leaves());
        recipe.extend(of_human(names, &amplify.settings.human));
    }
    recipe.extend(of_samp(names, stage));
    recipe.extend(watched(names, &stage.name, &stage.settings).flat_map(|milestone| milestone.leaves()));
    recipe.extend(way_of_sufficiency(stage));
    recipe.extend(of_distributions(names, stage));
    if let Stage::Answer(Answer { by: By::Human(mention), .. }) = &stage.settings {
        recipe.extend(of_human(names, mention));
    }
    if let Stage::Evaluate(_) | Stage::Answer(_) | Stage::Penalty(_) = &stage.settings {
        recipe.extend(wording(names));
    }
    recipe
}

/// A human, and the one that it learns from.
fn of_human(names: Names<'_>, mention: &Reference) -> Recipe {
    let Ok(human) = names.human(mention) else { return Recipe::new() };
    let from = human.settings.understudy().and_then(|understudy| names.human(&understudy.from).ok());
    [Some(human), from].into_iter().flatten().flat_map(|human| human.leaves()).collect()
}

/// The settings of a stage, and of the amplifies it asks, whose values at a batch are known beforehand: by their place in
/// the file. What waits for a milestone counts as it is written, beside the version of that state, and so does what else
/// is under its key.
pub(crate) fn schedules(names: Names<'_>, place: usize) -> Vec<(String, Schedule)> {
    let Named { name, settings, .. } = &names.pipeline.stages[place];
    let mut schedules = changing(names, name, settings);
    let waiting = schedules.iter().filter(|(_, schedule)| schedule.milestone().is_some());
    let waiting: Vec<String> = waiting.map(|(key, _)| key.clone()).collect();
    schedules.retain(|(key, _)| !waiting.contains(key));
    schedules
}

/// The settings of a stage, and of the amplifies it asks, that change over a run. A probability of Samp that is the same
/// at every batch is a setting like any other.
pub(crate) fn changing(names: Names<'_>, name: &str, settings: &Stage) -> Vec<(String, Schedule)> {
    let at = |kind: &str, name: &str, (key, schedule): (&str, Schedule)| (format!("{kind}.{name}.{key}"), schedule);
    let own = settings.schedules().into_iter().map(|it| at(settings.kind(), name, it));
    let asked = amplifies(settings).into_iter().filter_map(|mention| names.amplify(mention).ok());
    let theirs = asked.flat_map(|amplify| {
        let own = amplify.settings.schedules().into_iter().map(|it| at("amplify", &amplify.name, it));
        let human = names.human(&amplify.settings.human).ok();
        let of_human = human
            .into_iter()
            .flat_map(|human| human.settings.schedules().into_iter().map(|it| at("human", &human.name, it)));
        own.chain(of_human).collect::<Vec<_>>()
    });
    let of_samp = samp::deciding(names.pipeline, settings).into_iter().filter_map(|amplify| {
        let CallHuman::Probability(schedule) = &amplify.settings.call_human else { return None };
        let changes = !matches!(schedule, Schedule::Constant(_));
        changes.then(|| at("amplify", &amplify.name, ("call_human.probability", schedule.clone())))
    });
    own.chain(theirs).chain(of_samp).collect()
}

/// By what way an argument suffices, where its number is a schedule: of a schedule nothing but its value counts, and
/// the same probability has another meaning in each way.
fn way_of_sufficiency(stage: &Named<Stage>) -> Option<(String, String)> {
    let Stage::Debate(Debate { sufficient, .. }) = &stage.settings else { return None };
    let way = match sufficient {
        Sufficient::Ask | Sufficient::Always | Sufficient::Never => return None,
        Sufficient::Random(_) => "random",
        Sufficient::Biased(_) => "biased",
    };
    Some((format!("debate.{}.sufficient", stage.name), way.to_owned()))
}

/// Whether a loss after a stage has it keep distributions.
fn of_distributions(names: Names<'_>, stage: &Named<Stage>) -> Option<(String, String)> {
    let kept = || ("distributions of learned humans".to_owned(), "kept".to_owned());
    has_distributions(names.pipeline, stage).then(kept)
}

/// A stage's part of budgets, which depends on the others that share them, and in a run's budget on its length; and how
/// fast the mean of a loss forgets, by which others go.
fn of_samp(names: Names<'_>, stage: &Named<Stage>) -> Recipe {
    let mut recipe = Recipe::new();
    for amplify in samp::deciding(names.pipeline, &stage.settings) {
        let Some(budget) = &amplify.settings.budget else { continue };
        let (own, all) = samp::part(names.pipeline, &stage.settings, &amplify.name);
        recipe.insert(format!("waves of {} that pay from its budget", amplify.name), format!("{own} of {all}"));
        if let (Some(_), Some(batches)) = (budget.per_run, names.pipeline.batches) {
            recipe.insert("batches".to_owned(), batches.to_string());
        }
    }
    for amplify in followers(names, &stage.name, &stage.settings) {
        let decay = |what: &str| what.ends_with(".call_human.schedule.decay");
        recipe.extend(amplify.leaves().into_iter().filter(|(what, _)| decay(what)));
    }
    recipe
}

/// How an evaluation, an answer or a penalty words its questions: as the first debate does, which need not be among what it is given.
fn wording(names: Names<'_>) -> Recipe {
    let debate = names.pipeline.stages.iter().find(|stage| matches!(stage.settings, Stage::Debate(_)));
    let mut leaves = debate.map(|debate| debate.leaves()).unwrap_or_default();
    leaves.retain(|what, _| what.contains(".wording."));
    leaves
}

/// Goes up when a stage, given the same, comes to other results than before.
fn version(stage: &Stage) -> u32 {
    match stage {
        Stage::Sample(_) => 2,
        Stage::Debate(debate) if debate.inspection.is_some() => 2,
        Stage::Debate(_) => 1,
        Stage::Judge(_) => 1,
        Stage::Penalty(_) => 1,
        Stage::Loss(loss) if loss.is_of_costs() => 2,
        Stage::Loss(_) => 1,
        Stage::Train(_) => 2,
        Stage::Sync(_) => 1,
        Stage::Evaluate(_) => 3,
        Stage::Read(_) => 1,
        Stage::Filter(_) => 1,
        Stage::Sql(_) => 2,
        Stage::Join(_) => 1,
        Stage::Command(_) => 2,
        Stage::Answer(_) => 2,
        Stage::Write(_) => 2,
    }
}

impl Plan {
    /// Notes something outside of the file that a stage depends on, such as the rows of its question files.
    pub fn note(&mut self, stage: &str, what: &str, value: String) {
        let node = self.nodes.iter_mut().find(|node| node.name == stage);
        if let Some(node) = node {
            let what = format!("{}.{stage}, {what}", node.stage.kind());
            node.recipe.insert(what, value);
        }
        self.seal();
    }

    /// Notes something outside of the file that every state depends on before the first batch.
    pub fn note_states(&mut self, what: &str, value: &str) {
        self.initial.values_mut().for_each(|recipe| drop(recipe.insert(what.to_owned(), value.to_owned())));
        self.seal();
    }

    /// Computes the keys from the recipes. The length of a run is no part of them, for a run can be made
    /// longer, unless a budget is shared out over it.
    pub(crate) fn seal(&mut self) {
        for place in 0..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(place);
            rest[0].key = static_key(&rest[0], before);
        }
        let mut hasher = Hasher::new();
        hasher.update(&self.lag.to_le_bytes());
        for (state, recipe) in &self.initial {
            add(&mut hasher, state);
            add_recipe(&mut hasher, recipe, |_| true);
        }
        for node in &self.nodes {
            hasher.update(node.key.as_bytes());
        }
        self.key = hasher.finalize();
    }
}

fn static_key(node: &Node, before: &[Node]) -> Hash {
    let mut hasher = Hasher::new();
    add_recipe(&mut hasher, &node.recipe, |_| true);
    for edge in &node.inputs {
        add(&mut hasher, &edge.table);
        hasher.update(before[edge.stage].key.as_bytes());
    }
    hasher.finalize()
}

/// Adds the entries of a recipe that count.
pub(crate) fn add_recipe(hasher: &mut Hasher, recipe: &Recipe, counts: impl Fn(&str) -> bool) {
    for (what, value) in recipe.iter().filter(|(what, _)| counts(what)) {
        add(hasher, what);
        add(hasher, value);
    }
    // What follows is no entry.
    hasher.update(&u64::MAX.to_le_bytes());
}

/// Adds a text in such a way that two texts in a row are no other two.
pub(crate) fn add(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
}
