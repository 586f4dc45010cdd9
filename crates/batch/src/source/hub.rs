//! Dataset folders as Hugging Face has them: the `configs:` of the README's front matter, or else files named by their
//! split, `data/test-00000-of-00002.parquet`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use spec::problem::list;

use crate::store::durable;

use super::{form, paths};

/// What stands between the lines `---` at the head of a README.
#[derive(Deserialize, Default)]
#[serde(default)]
struct FrontMatter {
    configs: Vec<Config>,
}

#[derive(Deserialize)]
struct Config {
    config_name: String,
    data_files: DataFiles,
    #[serde(default)]
    default: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum DataFiles {
    One(String),
    Splits(Vec<Split>),
    Some(Vec<String>),
}

#[derive(Deserialize)]
struct Split {
    split: String,
    path: Patterns,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Patterns {
    One(String),
    Some(Vec<String>),
}

/// The files of one split of a folder.
pub(super) fn files(folder: &Path, split: Option<&str>, config: Option<&str>) -> Result<Vec<PathBuf>, String> {
    let configs = front_matter(folder)?.configs;
    let splits = match (choose(folder, &configs, config)?, config) {
        (Some(config), _) => patterns(folder, config)?,
        (None, Some(config)) => {
            return Err(format!("`{}` has no config `{config}`: its README names none", folder.display()));
        }
        (None, None) => by_name(folder)?,
    };
    let names = || list(splits.keys().map(String::as_str));
    let found = match (split, splits.len()) {
        (_, 0) => return Err(format!("`{}` has no data files", folder.display())),
        (Some(split), _) => splits.get(split).ok_or_else(|| format!("no split `{split}`; there are {}", names())),
        (None, 1) => splits.values().next().ok_or_else(String::new),
        (None, _) => Err(format!("several splits: choose one with `split`; there are {}", names())),
    };
    found.cloned().map_err(|what| format!("`{}` has {what}", folder.display()))
}

fn front_matter(folder: &Path) -> Result<FrontMatter, String> {
    let readme = folder.join("README.md");
    if !readme.exists() {
        return Ok(FrontMatter::default());
    }
    let bytes = durable::read(&readme).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let Some((head, _)) = text.strip_prefix("---\n").and_then(|text| text.split_once("\n---")) else {
        return Ok(FrontMatter::default());
    };
    serde_saphyr::from_str(head).map_err(|error| format!("the front matter of `{}`: {error}", readme.display()))
}

/// The config that is asked for, or else the default one, or the only one.
fn choose<'a>(folder: &Path, configs: &'a [Config], wanted: Option<&str>) -> Result<Option<&'a Config>, String> {
    let named = |name: &str| configs.iter().find(|config| config.config_name == name);
    let names = || list(configs.iter().map(|config| config.config_name.as_str()));
    let folder = folder.display();
    match wanted {
        _ if configs.is_empty() => Ok(None),
        Some(name) => {
            named(name).map(Some).ok_or_else(|| format!("`{folder}` has no config `{name}`; there are {}", names()))
        }
        None if configs.len() == 1 => Ok(configs.first()),
        None => {
            let default = configs.iter().find(|config| config.default).or_else(|| named("default"));
            default.map(Some).ok_or_else(|| format!("`{folder}` has configs {}: choose one with `config`", names()))
        }
    }
}

/// The files of each split of a config.
fn patterns(folder: &Path, config: &Config) -> Result<BTreeMap<String, Vec<PathBuf>>, String> {
    let some = |patterns: &[String]| -> Result<Vec<PathBuf>, String> {
        let found = patterns.iter().map(|pattern| paths::matching(&folder.join(pattern).to_string_lossy()));
        Ok(found.collect::<Result<Vec<_>, String>>()?.concat())
    };
    let train = |patterns: &[String]| Ok(BTreeMap::from([("train".to_owned(), some(patterns)?)]));
    match &config.data_files {
        DataFiles::One(pattern) => train(std::slice::from_ref(pattern)),
        DataFiles::Some(patterns) => train(patterns),
        DataFiles::Splits(splits) => {
            let files = |split: &Split| match &split.path {
                Patterns::One(pattern) => some(std::slice::from_ref(pattern)),
                Patterns::Some(patterns) => some(patterns),
            };
            splits.iter().map(|split| Ok((split.split.clone(), files(split)?))).collect()
        }
    }
}

/// The files of the folder itself and of its `data`, by what stands before the first dash of their names.
fn by_name(folder: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>, String> {
    let mut splits: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for folder in [folder.to_owned(), folder.join("data")] {
        let mut found = durable::list(&folder).map_err(|error| error.to_string())?;
        found.retain(|path| path.is_file() && form::is_known(path));
        found.sort();
        for path in found {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            splits.entry(stem.split('-').next().unwrap_or_default().to_owned()).or_default().push(path);
        }
    }
    Ok(splits)
}
