//! Looking whether an assertion is what the answers behind it come to.

use debate::{
    amplify::Approx,
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    consult::{Amp, Consulting},
    debate::{Models, Row, Rules, debate},
    draw::Draw,
    human::{Exchange, Human, Move},
    inspect::{Inspected, Tools},
    probe::Probe,
    question::{Form, Posed},
    samp::{Rule, Samp},
    tool,
};
use spec::settings::{History, Inspection, SpeakerSide, Sufficient, Tool, Wording};
use std::cell::RefCell;

/// Asserts something, says "Yes" to whatever H asks about it, and as the other side looks whether that is consistent.
struct Witness {
    asserts: &'static str,
}

impl Answerer for Witness {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        let said = |prompt: &Prompt| match prompt.text.as_str() {
            text if text.contains("Tool:") => "I agree".to_owned(),
            text if text.contains("Even:") => tool::call(Tool::Consistency),
            text if text.ends_with('?') => "Yes".to_owned(),
            _ => self.asserts.to_owned(),
        };
        Ok(wave.iter().map(|prompt| Answer { text: said(prompt), sampled: Sampled::default() }).collect())
    }
}

/// Asks for the parts of a question, all at once or one after the other, and says yes if all of them are.
struct Thorough {
    at_once: bool,
}

impl Human for Thorough {
    fn next(&self, posed: &Posed, said: &[Exchange], _draw: Draw) -> Move {
        let parts = ["one", "two"].map(|part| format!("{} {part}?", posed.question));
        match (said.len(), self.at_once) {
            (0, true) => Move::Ask(parts.to_vec()),
            (asked @ 0..2, _) => Move::Ask(vec![parts[asked].clone()]),
            _ => {
                let all = said.iter().all(|exchange| exchange.answer.as_deref() == Some("Yes"));
                Move::Answer(if all { "Yes because of both" } else { "No" }.to_owned())
            }
        }
    }
}

#[track_caller]
fn check(asserts: &'static str, at_once: bool, expect: &str) {
    let (wording, probe, never) = (Wording::default(), Probe::default(), Sufficient::Never);
    let human = Thorough { at_once };
    let amp = Amp { human: &human, wording: &wording, consulting: Consulting::default() };
    let approx = || Approx { amp, samp: Samp { rule: Rule::Constant(0.0), purse: None, adversary: None } };
    let inspection = Inspection { uses: 1, samples: 4, ..Inspection::new(vec![Tool::Consistency]) };
    let looked = RefCell::new(Witness { asserts });
    let rules = Rules {
        speaker: approx(),
        opponent: None,
        speaker_side: SpeakerSide::Drawn,
        overseer: approx(),
        min_turns: 1,
        max_turns: 2,
        sufficient: &never,
        history: History::Arguments,
        tools: Some(Tools {
            settings: &inspection,
            speaker: Inspected { model: &looked, probe: &probe },
            opponent: None,
        }),
        batch: 0,
    };
    let row = Row { id: 0, question: "q".into(), form: Form::Sequential, draw: Draw::new(7) };
    let [mut speaker, mut overseer] = [Witness { asserts }, Witness { asserts }];
    let mut models = Models { speaker: &mut speaker, opponent: None, overseer: &mut overseer };
    let debates = debate(&rules, &mut models, &[row]).expect("nobody gives too few answers");
    assert_eq!(debates[0].arguments[1].uses[0].text, expect);
}

#[test]
fn whoever_asserts_what_its_own_answers_refute_is_inconsistent() {
    for at_once in [true, false] {
        check("Yes because it is", at_once, "consistency 4 of 4");
        check("No because it is", at_once, "consistency 0 of 4");
    }
}
