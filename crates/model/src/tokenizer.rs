//! Text to tokens and back. A small vocabulary made of a task's own wording, so that a transformer of width 64 spends
//! its capacity on the task and not on spelling. Wordings that differ in length but not in kind ("lies", "tells the
//! truth") are *phrases*, one token each: otherwise the length of a question could give its answer away.

use std::collections::HashSet;

use serde_json::json;
use tokenizers::{
    OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior,
    pre_tokenizers::split::{Split, SplitPattern},
};

/// The control tokens; a token's id is its place.
const CONTROL: [&str; 4] = ["<unk>", "<bos>", "<eos>", "<answer>"];
const UNKNOWN: u32 = 0;
const BEGIN: u32 = 1;
const END: u32 = 2;
const ANSWER: u32 = 3;

/// What is wrong with a wording or a tokenizer file.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// A phrase is spelled like a control token, so that text could become one.
    #[error("the phrase `{0}` is spelled like a control token; word it differently")]
    Control(String),
    /// A tokenizer file lacks a control token, or has it under another id.
    #[error("token {id} should be `{token}`; the file was not written by this program")]
    Missing {
        /// The control token.
        token: &'static str,
        /// Where it should be.
        id: usize,
    },
    /// The `tokenizers` library rejects it.
    #[error("not a tokenizer: {0}")]
    Library(#[source] tokenizers::Error),
    /// It has no tokens for a text.
    #[error("a text cannot be divided into tokens: {0}")]
    Text(#[source] tokenizers::Error),
}

/// Text to tokens and back.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    vocabulary: usize,
}

impl Tokenizer {
    /// A vocabulary of phrases, one token each, and of every word and punctuation mark found in the texts `words`.
    pub fn from_wording(phrases: &[String], words: &[String]) -> Result<Self, TokenizerError> {
        if let Some(phrase) = phrases.iter().find(|phrase| CONTROL.contains(&phrase.as_str())) {
            return Err(TokenizerError::Control(phrase.clone()));
        }
        let pattern = pattern(phrases);
        let split = Split::new(SplitPattern::Regex(pattern.clone()), SplitDelimiterBehavior::Removed, true)
            .map_err(TokenizerError::Library)?;
        let mut tokens: Vec<String> = CONTROL.map(String::from).into();
        tokens.extend(phrases.iter().filter(|phrase| !phrase.is_empty()).cloned());
        for text in words {
            tokens.extend(pieces(&split, text).map_err(TokenizerError::Library)?);
        }
        let mut seen = HashSet::new();
        tokens.retain(|token| seen.insert(token.clone()));
        Self::from_json(file(&pattern, &tokens))
    }

    /// Reads `tokenizer.json`.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, TokenizerError> {
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(TokenizerError::Library)?;
        for (id, token) in CONTROL.into_iter().enumerate() {
            if inner.token_to_id(token) != Some(id as u32) {
                return Err(TokenizerError::Missing { token, id });
            }
        }
        // "<eos>" in a text is then a less-than sign, a word and a greater-than sign.
        inner.set_encode_special_tokens(true);
        let vocabulary = inner.get_vocab_size(true);
        Ok(Tokenizer { inner, vocabulary })
    }

    /// Writes `tokenizer.json`.
    pub fn to_json(&self) -> String {
        self.inner.to_string(true).expect("a tokenizer is always serialisable")
    }

    /// The content of a text. No text becomes a control token, except that unknown words are `<unk>`.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoding = self.inner.encode_fast(text, false).expect("a word-level model with <unk> encodes every text");
        encoding.get_ids().to_vec()
    }

    /// The text of tokens, a space between two of them; control tokens are left out.
    pub fn decode(&self, tokens: &[u32]) -> String {
        self.inner.decode(tokens, true).expect("joining tokens with spaces does not fail")
    }

    /// A question as M is given it: begin, content, answer marker.
    pub fn prompt(&self, text: &str) -> Vec<u32> {
        [vec![BEGIN], self.encode(text), vec![ANSWER]].concat()
    }

    /// An answer as M is to give it: content, end.
    pub fn answer(&self, text: &str) -> Vec<u32> {
        [self.encode(text), vec![END]].concat()
    }

    /// The token that ends an answer.
    pub fn eos(&self) -> u32 {
        END
    }

    /// How many tokens there are.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// How many of the tokens stand for words outside the vocabulary.
    pub fn unknown(&self, tokens: &[u32]) -> usize {
        tokens.iter().filter(|&&token| token == UNKNOWN).count()
    }

    /// What Python's `AutoTokenizer` wants to know beside `tokenizer.json`.
    pub(crate) fn config_json(&self, context: usize) -> serde_json::Value {
        json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "unk_token": CONTROL[UNKNOWN as usize],
            "bos_token": CONTROL[BEGIN as usize],
            "eos_token": CONTROL[END as usize],
            "pad_token": CONTROL[END as usize],
            "model_max_length": context,
            "split_special_tokens": true,
            "clean_up_tokenization_spaces": false,
        })
    }
}

/// What is one piece of text: a phrase, the longest first; else a word, or a single mark.
fn pattern(phrases: &[String]) -> String {
    let mut phrases: Vec<&String> = phrases.iter().filter(|phrase| !phrase.is_empty()).collect();
    phrases.sort_by_key(|phrase| (std::cmp::Reverse(phrase.chars().count()), *phrase));
    let alternatives = phrases.into_iter().map(|phrase| whole(phrase));
    alternatives.chain([r"\w+".to_string(), r"[^\w\s]".to_string()]).collect::<Vec<_>>().join("|")
}

/// A pattern for a phrase that is not part of a longer word.
fn whole(phrase: &str) -> String {
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let before = if is_word(phrase.chars().next()) { r"(?<!\w)" } else { "" };
    let after = if is_word(phrase.chars().last()) { r"(?!\w)" } else { "" };
    let mut escaped = String::new();
    for letter in phrase.chars() {
        if letter.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    format!("{before}{escaped}{after}")
}

/// The pieces of a text.
fn pieces(split: &Split, text: &str) -> tokenizers::Result<Vec<String>> {
    let mut pieces = PreTokenizedString::from(text);
    split.pre_tokenize(&mut pieces)?;
    let pieces = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
    Ok(pieces.into_iter().map(|(piece, ..)| piece.to_string()).collect())
}

/// The format of `tokenizer.json`. Its template makes Python's `tokenizer(text)` a prompt.
fn file(pattern: &str, tokens: &[String]) -> String {
    let vocabulary: serde_json::Map<_, _> = tokens.iter().cloned().zip((0..tokens.len()).map(Into::into)).collect();
    let added = CONTROL.iter().enumerate().map(|(id, token)| {
        json!({ "id": id, "content": token, "special": true,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false })
    });
    let special = |id: u32| json!({ "SpecialToken": { "id": CONTROL[id as usize], "type_id": 0 } });
    let named = |id: u32| json!({ "id": CONTROL[id as usize], "ids": [id], "tokens": [CONTROL[id as usize]] });
    let sequence = |name: &str| json!({ "Sequence": { "id": name, "type_id": 0 } });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": null,
        "pre_tokenizer": { "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Removed", "invert": true },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special(BEGIN), sequence("A"), special(ANSWER)],
            "pair": [special(BEGIN), sequence("A"), special(ANSWER), sequence("B")],
            "special_tokens": { "<bos>": named(BEGIN), "<answer>": named(ANSWER) },
        },
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": CONTROL[UNKNOWN as usize] },
    })
    .to_string()
}
