//! The words of a pipeline, from which its tokenizer is made.

use super::{adversary, humans, penalty, tools, wording};
use crate::stages::sample::Source;
use debate::question::SIDES;
use model::{Tokenizer, TokenizerError};
use spec::settings::{History, Named, Pipeline, Stage, Turns};
use std::collections::{BTreeMap, BTreeSet};

/// The words of a pipeline.
pub struct Vocabulary {
    /// One token each.
    phrases: BTreeSet<String>,
    /// What else M and H use.
    words: BTreeSet<String>,
    /// Texts of question files.
    rows: BTreeSet<String>,
}

impl Vocabulary {
    /// A tokenizer for these words, and for those of what is read.
    pub fn tokenizer(self, read: BTreeSet<String>) -> Result<Tokenizer, TokenizerError> {
        let words: BTreeSet<String> = self.words.into_iter().chain(self.rows).chain(read).collect();
        Tokenizer::from_wording(&Vec::from_iter(self.phrases), &Vec::from_iter(words))
    }

    /// What M and H use and a tokenizer has no token for.
    pub fn unknown_to(&self, tokenizer: &Tokenizer) -> impl Iterator<Item = &str> {
        let used = self.phrases.iter().chain(&self.words);
        used.filter(|text| tokenizer.unknown(&tokenizer.encode(text)) > 0).map(String::as_str)
    }
}

/// The words of a pipeline: of its tasks, of how questions are put, and of its question files.
pub fn vocabulary(pipeline: &Pipeline, questions: &BTreeMap<String, Source>) -> Vocabulary {
    let wording = wording(pipeline);
    let mut phrases: BTreeSet<String> = SIDES.iter().map(|side| (*side).to_owned()).collect();
    let mut words = BTreeSet::from(["Yes", "No"].map(str::to_owned));
    let simultaneous =
        |stage: &Named<Stage>| matches!(&stage.settings, Stage::Debate(debate) if debate.turns == Turns::Simultaneous);
    words.extend(pipeline.stages.iter().any(simultaneous).then(|| tasks::UNDECIDED.to_owned()));
    let in_short = pipeline
        .stages
        .iter()
        .any(|stage| matches!(&stage.settings, Stage::Debate(debate) if debate.history == History::Summaries));
    let short = in_short.then_some(&wording.summary);
    for template in [&wording.argument, &wording.sufficient, &wording.winner].into_iter().chain(short) {
        let parts = template.split("{question}").flat_map(|part| part.split("{context}"));
        phrases.extend(parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
    }
    phrases.extend(adversary::phrases(pipeline));
    phrases.extend(penalty::phrases(pipeline, &wording));
    phrases.extend(tools::phrases(pipeline));
    words.extend(tools::words(pipeline));
    phrases.extend(humans::phrases(pipeline));
    let scripts = pipeline.humans.iter().filter_map(|human| tasks::Task::of_script(human.settings.script()?));
    let sources = || questions.values().flat_map(Source::parts);
    let generators = sources().filter_map(|source| match source {
        Source::Task(generator) => Some(generator.task()),
        Source::Rows(..) | Source::Mixture(_) => None,
    });
    let triggers = sources().filter_map(|source| match source {
        Source::Task(generator) => generator.trigger(),
        Source::Rows(..) | Source::Mixture(_) => None,
    });
    words.extend(triggers.map(str::to_owned));
    for task in scripts.chain(generators) {
        phrases.extend(task.phrases().iter().map(|phrase| (*phrase).to_owned()));
        words.extend(task.words().iter().map(|word| (*word).to_owned()));
    }
    let rows = sources().filter_map(|source| match source {
        Source::Rows(rows, _) => Some(rows),
        Source::Task(_) | Source::Mixture(_) => None,
    });
    let texts = rows.flatten().flat_map(|row| [Some(row.text.clone()), row.gold.clone()]).flatten();
    Vocabulary { phrases, words, rows: texts.collect() }
}
