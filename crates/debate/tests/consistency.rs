//! Looking whether an argument is what the answers behind it come to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debate::{
    amplify::{Approx, WaveError},
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

/// Looks into the other side's argument, disputes it where the tool doubts, says of what H asks what it knows, and of all
/// else asserts something.
#[derive(Clone)]
struct Witness {
    asserts: &'static str,
    knows: &'static [(&'static str, &'static str)],
    waves: usize,
}

impl Answerer for Witness {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        self.waves += 1;
        let known = |line: &str| self.knows.iter().find(|(asked, _)| line.ends_with(asked)).map(|(_, said)| *said);
        let said = |prompt: &Prompt| match prompt.text.lines().last().unwrap_or_default() {
            line if line.starts_with("Tool: ") => reply(tool::doubts(&line[6..])),
            line if line.contains(": ") => tool::call(Tool::Consistency),
            line => known(line).unwrap_or(self.asserts).to_owned(),
        };
        Ok(wave.iter().map(|prompt| Answer { text: said(prompt), sampled: Sampled::default() }).collect())
    }
}

fn reply(doubted: bool) -> String {
    if doubted { "I dispute it" } else { "I agree" }.to_owned()
}

/// What the tools say that each argument after the first asks for, and how often the model is asked for it, all debates
/// together.
fn looked(human: &dyn Human, witness: Witness) -> Result<(Vec<String>, usize), WaveError> {
    let wording = Wording { argument: "{question}{context}".into(), ..Wording::default() };
    let (probe, never) = (Probe::default(), Sufficient::Never);
    let amp = Amp { human, wording: &wording, consulting: Consulting::default() };
    let approx = || Approx { amp, samp: Samp { rule: Rule::Constant(0.0), purse: None, adversary: None } };
    let inspection = Inspection { uses: 1, samples: 4, ..Inspection::new(vec![Tool::Consistency]) };
    let (mut speaker, mut overseer, inspected) = (witness.clone(), witness.clone(), RefCell::new(witness));
    let rules = Rules {
        speaker: approx(),
        opponent: None,
        speaker_side: SpeakerSide::Drawn,
        overseer: approx(),
        min_turns: 1,
        max_turns: 3,
        sufficient: &never,
        history: History::Arguments,
        tools: Some(Tools {
            settings: &inspection,
            speaker: Inspected { model: &inspected, probe: &probe },
            opponent: None,
        }),
        batch: 0,
    };
    let row = |id| Row { id, question: "q".into(), form: Form::Sequential, draw: Draw::new(7).at(id) };
    let mut models = Models { speaker: &mut speaker, opponent: None, overseer: &mut overseer };
    let debates = debate(&rules, &mut models, &[0, 1, 2].map(row))?;
    let said = debates[0].arguments.iter().flat_map(|it| &it.uses).map(|used| used.text.clone()).collect();
    let waves = inspected.borrow().waves;
    Ok((said, waves))
}

/// Asks for the parts of a question, all at once or one after the other, and says yes if all of them are. As the other side
/// it goes by what tools say.
struct Thorough {
    at_once: bool,
}

impl Human for Thorough {
    fn next(&self, posed: &Posed, said: &[Exchange], _draw: Draw) -> Move {
        if posed.turn == 1 {
            let doubts = posed.findings.iter().any(|it| it.turn == posed.turn && tool::doubts(&it.text));
            assert!(posed.tools.is_empty(), "nobody works out how to ask for a tool");
            return Move::Answer(reply(doubts));
        }
        match (said.len(), self.at_once) {
            (0, true) => Move::Ask(["one?", "two?"].map(str::to_owned).to_vec()),
            (asked @ 0..2, _) => Move::Ask(vec![["one?", "two?"][asked].to_owned()]),
            _ => {
                let all = said.iter().all(|exchange| exchange.answer.as_deref() == Some("Yes"));
                Move::Answer(if all { "Yes because of both" } else { "No" }.to_owned())
            }
        }
    }
}

#[track_caller]
fn check(human: &dyn Human, witness: Witness, expect: [&str; 2], waves: usize) {
    assert_eq!(looked(human, witness).unwrap(), (expect.map(str::to_owned).to_vec(), waves));
}

/// What it asserts is seen through, and who disputes it for what the tool said is honest.
#[test]
fn whoever_asserts_what_its_own_answers_refute_is_inconsistent() {
    let witness = |asserts| Witness { asserts, knows: &[("one?", "Yes"), ("two?", "Yes")], waves: 0 };
    for (at_once, waves) in [(true, 1), (false, 2)] {
        let human = Thorough { at_once };
        check(&human, witness("Yes because it is"), ["consistency 4 of 4", "consistency 4 of 4"], waves);
        check(&human, witness("No because it is"), ["consistency 0 of 4", "consistency 4 of 4"], waves);
    }
}

/// Asks about what it was told before, so many times, and answers what it was told last.
struct Following {
    times: usize,
}

impl Human for Following {
    fn next(&self, posed: &Posed, said: &[Exchange], _draw: Draw) -> Move {
        let last = said.last().map_or("first", |exchange| exchange.answer.as_deref().unwrap_or("nothing"));
        match posed.turn {
            1 => Move::Answer(reply(false)),
            _ if said.len() < self.times => Move::Ask(vec![format!("{last}?")]),
            _ => Move::Answer(last.to_owned()),
        }
    }
}

#[test]
fn what_is_asked_next_follows_from_what_was_heard() {
    let witness = Witness { asserts: "Yes", knows: &[("first?", "second"), ("second?", "Yes")], waves: 0 };
    check(&Following { times: 2 }, witness.clone(), ["consistency 4 of 4", "consistency 4 of 4"], 2);
    let endless = looked(&Following { times: usize::MAX }, witness);
    assert!(matches!(endless, Err(WaveError::Endless { question }) if question == "q"));
}
