//! `elenchus run --seeds N --sweep KEY=V1,V2,…`: the variants of a pipeline that are to be run, each with settings over
//! the file, as `--set` gives them.

use crate::{
    failure::Failure,
    verbs::{command::Given, run::read},
    wiring::load::Loaded,
};

/// How a pipeline is varied.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Variants {
    /// Run under so many seeds, counted up from the file's, a run each in one folder, and compare them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Run once for each of these values of a setting, each as `--set` takes it; several times: for each combination
    #[arg(long = "sweep", value_name = "KEY=V1,V2,…")]
    sweeps: Vec<String>,
}

/// Settings over a file, each `KEY=VALUE`.
type Settings = Vec<String>;

impl Variants {
    /// Whether a pipeline is run as it is, once.
    pub fn is_none(&self) -> bool {
        self.seeds.is_none() && self.sweeps.is_empty()
    }

    /// The variants of a pipeline, each with a name that tells it from the others.
    pub fn of(&self, given: &Given) -> Result<Vec<(String, Loaded)>, Failure> {
        let mut variants: Vec<(String, Loaded)> = Vec::new();
        for settings in self.seeded(given)? {
            let name = settings.iter().map(|setting| name(setting)).collect::<Vec<_>>().join(",");
            let taken = variants.iter().filter(|(other, _)| *other == name || other.starts_with(&format!("{name}~")));
            let name = match taken.count() {
                0 => name,
                before => format!("{name}~{}", before + 1),
            };
            variants.push((name, read(&over(given, &settings))?));
        }
        Ok(variants)
    }

    /// The settings of each variant: each combination under each seed.
    fn seeded(&self, given: &Given) -> Result<Vec<Settings>, Failure> {
        let mut all = Vec::new();
        for point in combinations(&self.sweeps)? {
            let Some(seeds) = self.seeds else {
                all.push(point);
                continue;
            };
            let first = read(&over(given, &point))?.pipeline.seed;
            let seeded = |seed: u64| [&point[..], &[format!("seed={seed}")]].concat();
            all.extend((first..first.saturating_add(seeds)).map(seeded));
        }
        Ok(all)
    }
}

/// A pipeline with more settings over it.
fn over(given: &Given, settings: &Settings) -> Given {
    let mut given = given.clone();
    given.sets.extend(settings.iter().cloned());
    given
}

/// Every combination of the values that some settings take.
fn combinations(sweeps: &[String]) -> Result<Vec<Settings>, Failure> {
    let mut points: Vec<Settings> = vec![Vec::new()];
    for sweep in sweeps {
        let Some((key, values)) = sweep.split_once('=').filter(|(_, values)| !values.trim().is_empty()) else {
            let message = format!("`--sweep {sweep}` gives no values: write it as `--sweep train.step.steps=1,2`");
            return Err(Failure::command(message));
        };
        let with = |point: &Settings, value: &str| [&point[..], &[format!("{key}={}", value.trim())]].concat();
        points =
            points.iter().flat_map(|point| parts(values).into_iter().map(move |value| with(point, value))).collect();
    }
    Ok(points)
}

/// The parts of a text between the commas that are in no brackets and no quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    let between = |letter: char| {
        match (quote, letter) {
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                return false;
            }
            (Some(open), _) if letter == open && !escaped => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, _) => {}
        }
        escaped = false;
        letter == ',' && quote.is_none() && depth == 0
    };
    text.split(between).collect()
}

/// A setting as a part of a folder's name: the last of its keys and its value, as far as names go.
fn name(setting: &str) -> String {
    let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._+-".contains(letter) { letter } else { '_' };
    let value: String = value.trim_matches(['"', '\'']).chars().map(plain).take(40).collect();
    format!("{}={value}", key.rsplit('.').next().unwrap_or(key).trim())
}
