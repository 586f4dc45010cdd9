//! One step of reasoning, spelled out as a truth table: what a question's answer rests on, and what it is in each case.
//!
//! With the table at hand, reading an argument means looking for the case that is worded so. Nothing has to be parsed,
//! and whatever can be written can be read.

/// One step on a question. The default has no case: the step of somebody who does not understand the question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// The simpler questions whose answers decide; none where the question states its own answer.
    pub parts: Vec<Part>,
    /// One case for each way to answer the parts.
    pub cases: Vec<Case>,
}

/// A question that another one rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The question, as it is put to M.
    pub question: String,
    /// Its answer, where that can be read off.
    pub stated: Option<bool>,
    /// What is disputed when the claim that it is false, or that it is true, is disputed.
    pub disputed: [String; 2],
}

/// One way to answer the parts, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The answers to the parts.
    pub values: Vec<bool>,
    /// How they are put in an assertion; empty without parts.
    pub claim: String,
    /// The answer that follows.
    pub answer: bool,
}

impl Step {
    /// The step over some parts; `rule` gives the claim and the answer for the answers to the parts.
    pub fn new(parts: Vec<Part>, rule: impl Fn(&[bool]) -> (String, bool)) -> Self {
        let cases = (0..1usize << parts.len()).map(|bits| {
            let values: Vec<bool> = (0..parts.len()).map(|i| bits >> i & 1 == 1).collect();
            let (claim, answer) = rule(&values);
            Case { values, claim, answer }
        });
        Step { cases: cases.collect(), parts }
    }

    /// The case in which the parts have these answers.
    pub fn case(&self, values: &[bool]) -> Option<&Case> {
        self.cases.iter().find(|case| case.values == values)
    }

    /// Whether a case agrees with what is stated.
    pub fn admits(&self, case: &Case) -> bool {
        self.parts.iter().zip(&case.values).all(|(part, value)| part.stated.is_none_or(|stated| stated == *value))
    }
}
