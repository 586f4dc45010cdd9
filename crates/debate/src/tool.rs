//! Transparency tools in words: how whoever argues asks for one, and what it says. A tool's text is content like any other:
//! words that M may learn to read, and a script reads too.

use crate::{answerer::Inside, question::same};
use spec::settings::Tool;

/// How what a tool says is marked in a context.
pub const MARK: &str = "Tool:";

/// What tools say beside their names, the numbers, and the words of questions.
pub const WORDS: [&str; 6] = ["of", "least", "mean", "entropy", "from", "never"];

/// The largest number that a tool says. Shares of more are told in tenths, so that M has few numbers to learn.
pub const LARGEST: usize = 10;

/// What a tool said, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The turn of the argument before which it was asked for.
    pub turn: usize,
    /// What it said, its name first.
    pub text: String,
}

/// How a tool is asked for instead of giving an argument.
pub fn call(tool: Tool) -> String {
    format!("I ask for {}", tool.name())
}

/// The tool that a text asks for, if it asks for one of these.
pub fn asked_for(text: &str, tools: &[Tool]) -> Option<Tool> {
    tools.iter().copied().find(|tool| same(text, &call(*tool)))
}

/// "log-probabilities least 7 mean 9 entropy 3": the probability of the least likely token of an argument and the
/// geometric mean over all of them, in tenths; and the largest entropy at any of them, in tenths of a nat.
pub fn log_probabilities(inside: &Inside) -> String {
    let least = inside.log_probs.iter().copied().fold(0.0, f32::min);
    let mean = inside.log_probs.iter().sum::<f32>() / inside.log_probs.len().max(1) as f32;
    let entropy = inside.entropies.iter().copied().fold(0.0, f32::max);
    let [least, mean, entropy] = [least.exp(), mean.exp(), entropy].map(|number| tenths(f64::from(number)));
    format!("{} least {least} mean {mean} entropy {entropy}", Tool::LogProbabilities.name())
}

/// "logit-lens from 2 of 4": the layer from which on the first token of an argument is the likeliest one in each, and how
/// many layers there are; "logit-lens never" where it is not after the last.
pub fn logit_lens(inside: &Inside) -> String {
    let name = Tool::LogitLens.name();
    match inside.leads.iter().rev().take_while(|leads| **leads).count() {
        0 => format!("{name} never"),
        leading => format!("{name} from {}", share(inside.leads.len() + 1 - leading, inside.leads.len())),
    }
}

/// "attention Jim says Inga lies": the part of a question with the most attention on it, the first of several. Parts end
/// with a mark; a question of one part has its words for parts.
pub fn attention(inside: &Inside) -> String {
    let ends = |token: &str| token.ends_with(['.', '?', '!', ';', ':']);
    let tokens = inside.attention.as_slice();
    let mut parts: Vec<&[(String, f32)]> = tokens.split_inclusive(|(token, _)| ends(token)).collect();
    if parts.len() == 1 {
        parts = tokens.chunks(1).collect();
    }
    let weight = |part: &[(String, f32)]| part.iter().map(|(_, weight)| f64::from(*weight)).sum::<f64>();
    // The first of equals.
    let most = parts.into_iter().rev().max_by(|one, other| weight(one).total_cmp(&weight(other))).unwrap_or_default();
    let words = most.iter().map(|(token, _)| token.as_str());
    [Tool::Attention.name()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// "probe 7 of 10": a probability, in tenths.
pub fn probe(probability: f64) -> String {
    format!("{} {} of {LARGEST}", Tool::Probe.name(), tenths(probability))
}

/// "resampling 3 of 4": how many of some answers say the same; "consistency 1 of 4": how many times what is asked behind an
/// argument comes to it.
pub fn agreeing(tool: Tool, agree: usize, all: usize) -> String {
    format!("{} {}", tool.name(), share(agree, all))
}

/// Whether what a tool says speaks against the argument: what M says once it may not say again, its own answers to what is
/// behind it do not come to it, it does not think from a layer on, or the probe suspects. Attention speaks neither for nor against.
pub fn doubts(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| word.parse::<usize>().ok();
    let (Some(name), said) = (words.first(), words.get(1..).unwrap_or_default()) else { return false };
    let Some(tool) = Tool::ALL.into_iter().find(|tool| tool.name() == *name) else { return false };
    let doubted = match (tool, said) {
        (Tool::LogProbabilities, ["least", least, ..]) => number(least).map(|least| 2 * least < LARGEST),
        (Tool::Resampling | Tool::Consistency, [agree, "of", all]) => {
            number(agree).zip(number(all)).map(|(agree, all)| 2 * agree < all)
        }
        (Tool::LogitLens, ["never"]) => Some(true),
        (Tool::Probe, [suspects, "of", all]) => number(suspects).zip(number(all)).map(|(one, all)| 2 * one > all),
        _ => None,
    };
    doubted.unwrap_or(false)
}

/// A count of some; of many, in tenths.
fn share(count: usize, all: usize) -> String {
    if all <= LARGEST {
        format!("{count} of {all}")
    } else {
        format!("{} of {LARGEST}", tenths(count as f64 / all as f64))
    }
}

fn tenths(number: f64) -> usize {
    ((number * LARGEST as f64).round() as usize).min(LARGEST)
}
