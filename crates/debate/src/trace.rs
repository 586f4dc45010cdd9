//! The trace of a batch: one record for every call to M or H, as it is kept in tables.

use crate::{
    amplify::{Amplified, HumanAnswer, SubAnswer},
    answerer::{Answer, Sampled},
    debate::{Argument, Voice},
    inspect::Use,
    question::Asked,
};

/// What a call was for, within one answer of Amp≈(H, M).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// M's own answer, given first.
    First,
    /// What Adv said of it.
    Adversary,
    /// A further answer of M, which Samp holds against the first.
    Again,
    /// The answer to a sub-question of H: M's, or above a depth of 1, H's, which is no answer of Amp≈ and not imitated.
    Sub,
    /// H's answer.
    Human,
    /// What a tool said.
    Tool,
}

impl Part {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Part::First => "first",
            Part::Adversary => "adversary",
            Part::Again => "again",
            Part::Sub => "sub",
            Part::Human => "human",
            Part::Tool => "tool",
        }
    }
}

/// One call to M or H.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The id of the question debated.
    pub question: u64,
    /// Which question of the procedure was being answered.
    pub asked: Asked,
    /// Arguments before it was asked: for `Argument` its own turn, otherwise one past the last argument's.
    pub turn: usize,
    /// Who argued, for `Argument` in a debate; whoever else is asked has no voice in it.
    pub voice: Option<Voice>,
    /// What the answer had to begin with; `None` where it was free.
    pub held: Option<String>,
    /// What the call was for.
    pub part: Part,
    /// Its place among M's further answers, among the sub-questions of the same question, or among the tools asked for before
    /// an argument.
    pub place: usize,
    /// For a sub-question, the places of those that it rests under, and its own.
    pub path: Vec<usize>,
    /// Whether H′ answered in H's place.
    pub learned: bool,
    /// The text asked; of a tool, its name.
    pub prompt: String,
    /// The text answered.
    pub answer: String,
    /// Whether this is the answer that counts.
    pub kept: bool,
    /// The probability that H was called; `None` for what Adv said, a further answer and a sub-answer.
    pub propensity: Option<f64>,
    /// The tokens, where a model answered; of a tool nothing but the version of the model that it looked into.
    pub sampled: Option<Sampled>,
    /// Of an answer of H′ that counts, the log-probabilities that it gives all tokens where each of the answer's stands,
    /// `[tokens, vocabulary]` row by row; `None` where H answered, or nobody asked for them.
    pub distribution: Option<Vec<f32>>,
}

/// The calls behind each answer of Amp≈, M's own first, as they stand together in a table. There may be several to the
/// same question.
pub(crate) fn answers(calls: &[Call]) -> impl Iterator<Item = &[Call]> {
    calls.chunk_by(|_, next| next.part != Part::First)
}

/// The first of the calls behind an answer that was for something.
pub(crate) fn part(calls: &[Call], part: Part) -> Option<&Call> {
    calls.iter().find(|call| call.part == part)
}

/// The calls behind an argument, those by which tools were asked for before it, those behind what was said of whether it
/// suffices, and behind its summary.
pub fn argued(question: u64, turn: usize, argument: Argument) -> Vec<Call> {
    let Argument { answer, voice, held, uses, sufficient, summary } = argument;
    let argued = |call: Call| {
        // H's sub-questions are answered freely.
        let held = held.filter(|_| call.part != Part::Sub).map(str::to_owned);
        Call { voice: Some(voice), held, ..call }
    };
    let doubted = sufficient.into_iter().flat_map(|said| calls(question, Asked::Sufficient, turn + 1, said));
    let summed_up = summary.into_iter().flat_map(|said| calls(question, Asked::Summary, turn + 1, said));
    let used = uses.into_iter().enumerate().flat_map(|(place, used)| used_tool(question, turn, place, used));
    let argued = used.chain(calls(question, Asked::Argument, turn, answer)).map(argued);
    argued.chain(doubted).chain(summed_up).collect()
}

/// The calls by which a tool was asked for, and what it said.
fn used_tool(question: u64, turn: usize, place: usize, Use { asked, tool, text, version }: Use) -> Vec<Call> {
    let mut calls = calls(question, Asked::Argument, turn, asked);
    calls.push(Call {
        question,
        asked: Asked::Argument,
        turn,
        voice: None,
        held: None,
        part: Part::Tool,
        place,
        path: Vec::new(),
        learned: false,
        prompt: tool.name().to_owned(),
        answer: text,
        kept: false,
        propensity: None,
        sampled: Some(Sampled { version, ..Sampled::default() }),
        distribution: None,
    });
    calls
}

/// The calls behind one answer, in the order they were made.
pub fn calls(question: u64, asked: Asked, turn: usize, answer: Amplified) -> Vec<Call> {
    let Amplified { prompt, first, predicted, again, propensity, human } = answer;
    let call = |part, prompt: String, answer: String| Call {
        question,
        asked,
        turn,
        voice: None,
        held: None,
        part,
        place: 0,
        path: Vec::new(),
        learned: false,
        prompt,
        answer,
        kept: false,
        propensity: None,
        sampled: None,
        distribution: None,
    };
    let of_model = |part, prompt, Answer { text, sampled }| Call { sampled: Some(sampled), ..call(part, prompt, text) };
    let first = of_model(Part::First, prompt.clone(), first);
    let mut calls = vec![Call { kept: human.is_none(), propensity: Some(propensity), ..first }];
    calls.extend(predicted.map(|SubAnswer { prompt, answer, .. }| of_model(Part::Adversary, prompt, answer)));
    let further = |(place, again)| Call { place, ..of_model(Part::Again, prompt.clone(), again) };
    calls.extend(again.into_iter().enumerate().map(further));
    let Some(HumanAnswer { text, calls: beneath, real, distribution, .. }) = human else { return calls };
    put_beneath(beneath, &[], &mut |path, SubAnswer { prompt, answer, human, .. }| {
        let place = path.last().copied().unwrap_or_default();
        let said = match human {
            Some(human) => Call { learned: !human.real, ..call(Part::Sub, prompt, human.text) },
            None => of_model(Part::Sub, prompt, answer),
        };
        calls.push(Call { place, path, ..said });
    });
    let human = call(Part::Human, prompt, text);
    calls.push(Call { kept: true, propensity: Some(propensity), learned: !real, distribution, ..human });
    calls
}

/// Visits the answers to sub-questions, each after those that it rests on, with its path.
fn put_beneath(calls: Vec<SubAnswer>, above: &[usize], put: &mut dyn FnMut(Vec<usize>, SubAnswer)) {
    for (place, mut sub) in calls.into_iter().enumerate() {
        let path = [above, &[place]].concat();
        let beneath = sub.human.as_mut().map(|human| std::mem::take(&mut human.calls)).unwrap_or_default();
        put_beneath(beneath, &path, put);
        put(path, sub);
    }
}
