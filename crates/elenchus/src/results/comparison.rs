//! Several runs side by side: those that differ in nothing but the seed are a group, and groups are compared by the
//! settings that differ and by where each metric ended.

use crate::{failure::Failure, results::figures::number, wiring::load::pipeline};
use batch::Run;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A run, read.
pub struct Member {
    /// The run.
    pub run: Run,
    /// Its seed.
    pub seed: String,
}

/// Runs of the same settings, but for their seeds.
pub struct Group {
    /// Its runs.
    pub members: Vec<Member>,
    /// Every setting by its path, as written.
    pub settings: BTreeMap<String, String>,
}

/// Groups side by side.
pub struct Comparison {
    /// The groups, in the order in which their first runs were given.
    pub groups: Vec<Group>,
    /// The runs that are left out, each with the longer one that has its settings and its seed.
    pub left_out: Vec<(PathBuf, PathBuf)>,
}

/// Where a metric ended, over the runs of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    /// The mean of its last values.
    pub mean: f64,
    /// What is to be added and taken away for an interval that holds the true mean with 95 % confidence; none for a
    /// single run.
    pub margin: Option<f64>,
}

impl Ending {
    /// The mean, with what may be added and taken away.
    pub fn words(self) -> String {
        match self.margin {
            Some(margin) => format!("{} ± {}", number(self.mean), number(margin)),
            None => number(self.mean),
        }
    }
}

/// A setting that is no part of what a group shares: each seed is a run, and no result depends on the threads.
const FREE: [&str; 2] = ["seed", "workers"];

impl Comparison {
    /// Reads runs, and those in folders of runs.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut comparison = Comparison { groups: Vec::new(), left_out: Vec::new() };
        for root in runs(paths)? {
            let run = Run::open(&root)?;
            let mut settings = pipeline(&root)?.settings();
            let seed = settings.get("seed").cloned().unwrap_or_default();
            FREE.iter().for_each(|free| drop(settings.remove(*free)));
            // Its first batches have the settings of another run.
            let fork = run.header().fork.as_ref().map(|fork| format!("after batch {} of {}", fork.batch, fork.run));
            settings.extend(fork.map(|fork| ("fork".to_owned(), fork)));
            comparison.add(Member { run, seed }, settings);
        }
        Ok(comparison)
    }

    fn add(&mut self, mut member: Member, settings: BTreeMap<String, String>) {
        let Some(group) = self.groups.iter_mut().find(|group| group.settings == settings) else {
            return self.groups.push(Group { members: vec![member], settings });
        };
        // The same run twice would make an interval narrower than it is.
        match group.members.iter_mut().find(|other| other.seed == member.seed) {
            None => group.members.push(member),
            Some(other) => {
                if member.run.lines().len() > other.run.lines().len() {
                    std::mem::swap(other, &mut member);
                }
                self.left_out.push((member.run.root().to_owned(), other.run.root().to_owned()));
            }
        }
    }

    /// The settings that are not the same in all groups, each with its value in each, if it is there.
    pub fn differing(&self) -> Vec<(&str, Vec<Option<&str>>)> {
        let paths: BTreeSet<&String> = self.groups.iter().flat_map(|group| group.settings.keys()).collect();
        let rows = paths.into_iter().map(|path| {
            let values = self.groups.iter().map(|group| group.settings.get(path).map(String::as_str));
            (path.as_str(), values.collect::<Vec<_>>())
        });
        rows.filter(|(_, values)| values.iter().any(|value| *value != values[0])).collect()
    }

    /// What tells each group from the others: its differing settings, or the name of its first run's folder.
    pub fn labels(&self) -> Vec<String> {
        let differing = self.differing();
        let key = |path: &str| {
            let last = path.rsplit('.').next().unwrap_or(path);
            let alone = differing.iter().filter(|(other, _)| other.rsplit('.').next() == Some(last)).count() == 1;
            if alone { last.to_owned() } else { path.to_owned() }
        };
        let label = |(i, group): (usize, &Group)| {
            let settings =
                differing.iter().map(|(path, values)| format!("{} = {}", key(path), values[i].unwrap_or("–")));
            let settings: Vec<String> = settings.collect();
            if settings.is_empty() { group.name() } else { settings.join(", ") }
        };
        self.groups.iter().enumerate().map(label).collect()
    }

    /// The metrics of all runs, in order of name.
    pub fn metrics(&self) -> BTreeSet<&str> {
        let runs = self.groups.iter().flat_map(|group| &group.members);
        runs.flat_map(|member| member.run.lines()).flat_map(|line| line.metrics.keys()).map(String::as_str).collect()
    }
}

impl Group {
    /// The folder of its first run.
    fn name(&self) -> String {
        let root = self.members.first().map(|member| member.run.root());
        root.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its size in words.
    pub fn size(&self) -> String {
        match &self.members[..] {
            [alone] => format!("seed {}", alone.seed),
            several => format!("{} seeds", several.len()),
        }
    }

    /// The fewest batches that one of its runs has committed.
    pub fn batches(&self) -> usize {
        self.members.iter().map(|member| member.run.lines().len()).min().unwrap_or_default()
    }

    /// Where a metric ended.
    pub fn ending(&self, metric: &str) -> Option<Ending> {
        let last = |member: &Member| member.run.lines().iter().rev().find_map(|line| line.metrics.get(metric).copied());
        ending(&self.members.iter().filter_map(last).collect::<Vec<_>>())
    }

    /// A metric over batches: the mean of the runs that have it in a batch, and around it the interval.
    pub fn course(&self, metric: &str) -> Vec<(u64, Ending)> {
        let mut values: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for line in self.members.iter().flat_map(|member| member.run.lines()) {
            if let Some(value) = line.metrics.get(metric) {
                values.entry(line.batch).or_default().push(*value);
            }
        }
        values.into_iter().filter_map(|(batch, values)| Some((batch, ending(&values)?))).collect()
    }
}

/// The mean of some values, and Student's interval around it.
fn ending(values: &[f64]) -> Option<Ending> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let margin = (values.len() > 1).then(|| student(values.len() - 1) * (squares / (n - 1.0) / n).sqrt());
    (!values.is_empty()).then_some(Ending { mean, margin })
}

/// The quantile of Student's distribution that leaves 2.5 % above it.
fn student(freedom: usize) -> f64 {
    const SMALL: [f64; 20] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086,
    ];
    // From there on the first term of its expansion around the normal quantile is right to three digits.
    SMALL.get(freedom - 1).copied().unwrap_or_else(|| 1.96 + 2.37 / freedom as f64)
}

/// The runs at some paths: a run itself, or those in a folder, in order of name. Each is there once, whatever leads to it.
pub fn runs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let (mut runs, mut seen) = (Vec::new(), BTreeSet::new());
    // A link, such as the `latest` among `runs/*`, leads to a run that is there under its own name.
    let (links, own): (Vec<_>, Vec<_>) = paths.iter().partition(|path| path.is_symlink());
    for path in own.into_iter().chain(links) {
        let found = if is_run(path) { vec![path.clone()] } else { inside(path)? };
        if found.is_empty() {
            return Err(Failure::command(format!("`{}` is no run, and there is none in it", path.display())));
        }
        runs.extend(found);
    }
    runs.retain(|run: &PathBuf| seen.insert(run.canonicalize().unwrap_or_else(|_| run.clone())));
    Ok(runs)
}

/// Whether a folder is that of a run.
pub fn is_run(path: &Path) -> bool {
    path.join("manifest.jsonl").exists()
}

fn inside(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unread = |error| Failure::command(format!("`{}` cannot be read: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(unread)?;
    let runs = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| !path.is_symlink());
    let mut runs: Vec<PathBuf> = runs.filter(|path| is_run(path)).collect();
    runs.sort();
    Ok(runs)
}
