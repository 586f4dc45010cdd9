//! A transformer as M: text in, text out, with the tokens kept.

use debate::answerer::{Answer, Answerer, AnswererError, Evidence, Inside, Prompt, Sampled};
use model::{Model, Sampling, Tokenizer};
use rayon::prelude::*;
use std::ops::Add;

/// A model that answers waves.
pub struct ModelAnswerer<'a> {
    model: &'a Model,
    version: u64,
    sampling: Sampling,
    workers: usize,
    /// What it was asked so far.
    pub usage: Usage,
}

/// How much a model was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Waves: calls to the model, whatever their size.
    pub waves: u64,
    /// Questions.
    pub prompts: u64,
    /// Tokens read.
    pub tokens_read: u64,
    /// Tokens written.
    pub tokens_written: u64,
    /// Tokens read that stand for words the model does not know.
    pub unknown_words: u64,
}

impl Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        Usage {
            waves: self.waves + other.waves,
            prompts: self.prompts + other.prompts,
            tokens_read: self.tokens_read + other.tokens_read,
            tokens_written: self.tokens_written + other.tokens_written,
            unknown_words: self.unknown_words + other.unknown_words,
        }
    }
}

impl<'a> ModelAnswerer<'a> {
    /// A model at a version of its weights, on some worker threads.
    pub fn new(model: &'a Model, version: u64, sampling: Sampling, workers: usize) -> Self {
        ModelAnswerer { model, version, sampling, workers, usage: Usage::default() }
    }

    /// What turns its words into tokens.
    pub fn tokenizer(&self) -> &'a Tokenizer {
        &self.model.tokenizer
    }

    /// The question and the answer of an evidence as tokens. What the answer had to begin with is part of it here.
    fn tokens(&self, evidence: &Evidence) -> (Vec<u32>, Vec<u32>) {
        let tokenizer = &self.model.tokenizer;
        let Some(Sampled { prompt, tokens, .. }) = &evidence.sampled else {
            return (tokenizer.prompt(&evidence.prompt), tokenizer.answer(&evidence.text));
        };
        let begun = evidence.begin.as_ref().map_or(0, |begin| tokenizer.encode(begin).len());
        let (asked, begun) = prompt.split_at(prompt.len() - begun);
        (asked.to_vec(), [begun, tokens.as_slice()].concat())
    }

    /// What an answer must begin with, as tokens; none where it is free.
    fn begun(&self, prompt: &Prompt) -> Vec<u32> {
        prompt.begin.as_ref().map_or_else(Vec::new, |begin| self.model.tokenizer.encode(begin))
    }

    /// The log-probabilities of all tokens where each token of an answer to a prompt stands, `[tokens, vocabulary]` row by row,
    /// at temperature 1; `None` where the two have no room. Each prompt is read once, with its answer; nothing is written.
    pub fn distributions(&mut self, said: &[(Vec<u32>, Vec<u32>)]) -> Result<Vec<Option<Vec<f32>>>, AnswererError> {
        let context = self.model.architecture().context;
        let fits = |(prompt, answer): &(Vec<u32>, Vec<u32>)| prompt.len() + answer.len() <= context + 1;
        let fitting: Vec<usize> = (0..said.len()).filter(|&place| fits(&said[place])).collect();
        let (asked, given): (Vec<Vec<u32>>, Vec<Vec<u32>>) = fitting.iter().map(|&place| said[place].clone()).unzip();
        let scored = model::distributions(self.model, &asked, &given, self.workers)?;
        self.usage.waves += u64::from(!fitting.is_empty());
        self.usage.prompts += fitting.len() as u64;
        self.usage.tokens_read += asked.iter().chain(&given).map(|tokens| tokens.len() as u64).sum::<u64>();
        let mut all = vec![None; said.len()];
        fitting.into_iter().zip(scored).for_each(|(place, scored)| all[place] = Some(scored.distributions));
        Ok(all)
    }
}

impl Answerer for ModelAnswerer<'_> {
    fn fits(&self, prompt: &Prompt) -> bool {
        let context = self.model.architecture().context;
        self.model.tokenizer.prompt(&prompt.text).len() + self.begun(prompt).len() + self.sampling.max_tokens <= context
    }

    /// Where an answer must begin with something, M goes on from there as if it had begun so of itself. The beginning
    /// counts as read.
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        let (tokenizer, version) = (&self.model.tokenizer, self.version);
        let begun: Vec<Vec<u32>> = wave.iter().map(|prompt| self.begun(prompt)).collect();
        let given = |(prompt, begun): (&Prompt, &Vec<u32>)| [tokenizer.prompt(&prompt.text), begun.clone()].concat();
        let prompts: Vec<Vec<u32>> = wave.par_iter().zip(&begun).map(given).collect();
        let uniform = |row: usize, position: u32| wave[row].draw.uniform(position);
        let generated = model::generate(self.model, &prompts, self.sampling, &uniform, self.workers)?;
        self.usage.waves += 1;
        self.usage.prompts += wave.len() as u64;
        self.usage.unknown_words += prompts.iter().map(|prompt| tokenizer.unknown(prompt) as u64).sum::<u64>();
        self.usage.tokens_read += prompts.iter().map(|prompt| prompt.len() as u64).sum::<u64>();
        self.usage.tokens_written += generated.iter().map(|answer| answer.tokens.len() as u64).sum::<u64>();
        let answer = |((prompt, begun), generated): ((Vec<u32>, Vec<u32>), model::Generated)| Answer {
            text: tokenizer.decode(&[begun, generated.tokens.clone()].concat()),
            sampled: Sampled { prompt, tokens: generated.tokens, log_probs: generated.log_probs, version },
        };
        Ok(prompts.into_par_iter().zip(begun).zip(generated).map(answer).collect())
    }

    /// Each prompt is read once for each answer, and with it; nothing is written.
    fn score(&mut self, wave: &[Prompt], answers: &[&str]) -> Result<Vec<Vec<Answer>>, AnswererError> {
        let (tokenizer, version) = (&self.model.tokenizer, self.version);
        let tokens: Vec<Vec<u32>> = answers.iter().map(|answer| tokenizer.answer(answer)).collect();
        let prompts: Vec<Vec<u32>> = wave.par_iter().map(|prompt| tokenizer.prompt(&prompt.text)).collect();
        let pairs = prompts.iter().flat_map(|prompt| tokens.iter().map(move |given| (prompt.clone(), given.clone())));
        let (asked, given): (Vec<Vec<u32>>, Vec<Vec<u32>>) = pairs.unzip();
        let scored = model::score(self.model, &asked, &given, self.workers)?;
        self.usage.waves += 1;
        self.usage.prompts += wave.len() as u64;
        self.usage.unknown_words += prompts.iter().map(|prompt| tokenizer.unknown(prompt) as u64).sum::<u64>();
        self.usage.tokens_read += asked.iter().chain(&given).map(|tokens| tokens.len() as u64).sum::<u64>();
        let answer = |((text, prompt), scored): ((&&str, Vec<u32>), model::Generated)| Answer {
            text: (*text).to_owned(),
            sampled: Sampled { prompt, tokens: scored.tokens, log_probs: scored.log_probs, version },
        };
        let texts = answers.iter().cycle();
        let mut all = texts.zip(asked).zip(scored).map(answer);
        Ok(wave.iter().map(|_| all.by_ref().take(answers.len()).collect()).collect())
    }

    /// Each answer is read once, with its question; nothing is written.
    fn look_inside(&mut self, wave: &[Evidence]) -> Result<Vec<Inside>, AnswererError> {
        let tokenizer = &self.model.tokenizer;
        let (asked, given): (Vec<Vec<u32>>, Vec<Vec<u32>>) = wave.iter().map(|evidence| self.tokens(evidence)).unzip();
        let inspected = model::inspect(self.model, &asked, &given, self.workers)?;
        self.usage.waves += 1;
        self.usage.prompts += wave.len() as u64;
        self.usage.unknown_words += asked.iter().map(|prompt| tokenizer.unknown(prompt) as u64).sum::<u64>();
        self.usage.tokens_read += asked.iter().chain(&given).map(|tokens| tokens.len() as u64).sum::<u64>();
        let inside = |((asked, given), seen): ((Vec<u32>, Vec<u32>), model::Inspected)| {
            let words = asked.iter().map(|&token| tokenizer.decode(&[token]));
            Inside {
                leads: seen.likeliest.iter().map(|likeliest| given.first() == Some(likeliest)).collect(),
                attention: words.zip(seen.attention).filter(|(word, _)| !word.is_empty()).collect(),
                log_probs: seen.log_probs,
                entropies: seen.entropies,
                hidden: seen.hidden,
            }
        };
        Ok(asked.into_iter().zip(given).zip(inspected).map(inside).collect())
    }
}
