//! Looking into the other side's last argument (Hubinger 2020, "transparency tools"). Whatever the tools of a round ask of
//! a model, over all debates of the batch, they ask in one call for what it says, one more for each further round of H's
//! sub-questions, and in one for what goes on in it.

use crate::{
    amplify::{Amplified, WaveError, call},
    answerer::{Answer, Answerer, Evidence, Inside, Prompt},
    consult::MOST_ROUNDS,
    debate::{Argument, Voice},
    draw::Draw,
    human::{Exchange, Human, Move},
    probe::Probe,
    question::{Posed, agree},
    tool,
};
use spec::settings::{Inspection, Tool, Wording};
use std::cell::RefCell;

/// The tools of a debate in one batch.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Which, and how they are used.
    pub settings: &'a Inspection,
    /// How to look into what the speaker said.
    pub speaker: Inspected<'a>,
    /// How to look into what the opponent said, where there is one.
    pub opponent: Option<Inspected<'a>>,
}

/// Into whom is looked.
#[derive(Clone, Copy)]
pub struct Inspected<'a> {
    /// The model.
    pub model: &'a RefCell<dyn Answerer + 'a>,
    /// What has learnt when H overrules it.
    pub probe: &'a Probe,
}

/// A tool that was asked for before an argument.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The answer that asked for it, with how it came about.
    pub asked: Amplified,
    /// Which.
    pub tool: Tool,
    /// What was heard of it.
    pub text: String,
    /// The version of the weights into which it looked.
    pub version: u64,
}

/// A tool as it is asked for.
pub(crate) struct Look<'d> {
    /// Which.
    pub tool: Tool,
    /// The question for the argument to look into, as it was put.
    pub posed: Posed,
    /// That argument.
    pub argument: &'d Argument,
    /// The address of all randomness of what it asks.
    pub draw: Draw,
}

/// What M answered first where somebody argued, kept or not.
pub fn of_model(argument: &Argument) -> Evidence {
    let Amplified { prompt, first, .. } = &argument.answer;
    let (prompt, begin) = (prompt.clone(), argument.held.map(str::to_owned));
    Evidence { prompt, begin, text: first.text.clone(), sampled: Some(first.sampled.clone()) }
}

/// The argument, be it M's or H's.
fn evidence(argument: &Argument) -> Evidence {
    match &argument.answer.human {
        Some(human) => Evidence { text: human.text.clone(), sampled: None, ..of_model(argument) },
        None => of_model(argument),
    }
}

impl<'a> Tools<'a> {
    /// Into whom is looked where somebody argued.
    fn of(&self, voice: Voice) -> &Inspected<'a> {
        match (voice, &self.opponent) {
            (Voice::Opponent, Some(opponent)) => opponent,
            _ => &self.speaker,
        }
    }

    /// What each tool says, in order. `human` gives the H of a voice, whose sub-questions are asked anew.
    pub(crate) fn look<'h>(
        &self,
        human: impl Fn(Voice) -> &'h dyn Human,
        wording: &Wording,
        looks: &[Look<'_>],
    ) -> Result<Vec<String>, WaveError> {
        let mut texts = vec![String::new(); looks.len()];
        for voice in Voice::ALL {
            let places: Vec<usize> = (0..looks.len()).filter(|&at| looks[at].argument.voice == voice).collect();
            let (inside, asking): (Vec<usize>, Vec<usize>) =
                places.into_iter().partition(|&at| looks[at].tool.looks_inside());
            let of_voice = self.of(voice);
            let read = of_voice.read(&inside.iter().map(|&at| &looks[at]).collect::<Vec<_>>())?;
            inside.into_iter().zip(read).for_each(|(at, text)| texts[at] = text);
            let asked: Vec<&Look<'_>> = asking.iter().map(|&at| &looks[at]).collect();
            let heard = of_voice.ask(human(voice), wording, self.settings.samples, &asked)?;
            asking.into_iter().zip(heard).for_each(|(at, text)| texts[at] = text);
        }
        Ok(if self.settings.shuffled { shuffled(looks, texts) } else { texts })
    }
}

/// Each text goes to the next debate in which the same tool was asked for, in an order that is drawn, and to nobody else.
fn shuffled(looks: &[Look<'_>], texts: Vec<String>) -> Vec<String> {
    let mut dealt = texts.clone();
    for tool in Tool::ALL {
        let mut places: Vec<usize> = (0..looks.len()).filter(|&at| looks[at].tool == tool).collect();
        let number = |at: usize| looks[at].draw.named("shuffled").uniform(0);
        places.sort_by(|&one, &other| number(one).total_cmp(&number(other)));
        for (&from, &to) in places.iter().zip(places.iter().cycle().skip(1)) {
            dealt[to].clone_from(&texts[from]);
        }
    }
    dealt
}

impl Inspected<'_> {
    /// What goes on in the model, in words.
    fn read(&self, looks: &[&Look<'_>]) -> Result<Vec<String>, WaveError> {
        let evidence: Vec<Evidence> = looks.iter().map(|look| evidence(look.argument)).collect();
        let text = |(look, inside): (&&Look<'_>, Inside)| match look.tool {
            Tool::LogProbabilities => tool::log_probabilities(&inside),
            Tool::LogitLens => tool::logit_lens(&inside),
            Tool::Attention => tool::attention(&inside),
            Tool::Probe => tool::probe(self.probe.probability(&inside.hidden)),
            Tool::Resampling | Tool::Consistency => unreachable!("{} asks, and reads nothing", look.tool.name()),
        };
        Ok(looks.iter().zip(look_inside(&mut *self.model.borrow_mut(), &evidence)?).map(text).collect())
    }

    /// How many times the model's answers come to what was argued, in words: in one call, and one more for each further round
    /// in which H asks it something.
    fn ask(
        &self,
        human: &dyn Human,
        wording: &Wording,
        samples: usize,
        looks: &[&Look<'_>],
    ) -> Result<Vec<String>, WaveError> {
        let times = looks.iter().flat_map(|look| (0..samples as u64).map(|time| Trial::new(look, time)));
        let mut trials: Vec<Trial<'_>> = times.collect();
        for _ in 0..MOST_ROUNDS {
            let mut open: Vec<&mut Trial<'_>> = trials.iter_mut().filter(|trial| trial.came_to.is_none()).collect();
            let prompts: Vec<Vec<Prompt>> = open.iter_mut().map(|trial| trial.prompts(human, wording)).collect();
            let mut answers = call(&mut *self.model.borrow_mut(), &prompts.concat())?.into_iter();
            open.into_iter().zip(&prompts).for_each(|(trial, asked)| trial.hear(answers.by_ref().take(asked.len())));
            if trials.iter().all(|trial| trial.came_to.is_some()) {
                let of_look = looks.iter().zip(trials.chunks(samples));
                return Ok(of_look.map(|(look, trials)| look.agreeing(trials)).collect());
            }
        }
        let stuck = trials.iter().find(|trial| trial.came_to.is_none());
        Err(WaveError::Endless { question: stuck.map(|trial| trial.look.posed.question.clone()).unwrap_or_default() })
    }
}

/// One call to M, unless there is nothing to look into.
pub fn look_inside(m: &mut dyn Answerer, evidence: &[Evidence]) -> Result<Vec<Inside>, WaveError> {
    if evidence.is_empty() {
        return Ok(Vec::new());
    }
    let insides = m.look_inside(evidence).map_err(WaveError::Answerer)?;
    if insides.len() == evidence.len() {
        Ok(insides)
    } else {
        Err(WaveError::Count { asked: evidence.len(), got: insides.len() })
    }
}

/// One of the times that a tool has an argument come about anew.
struct Trial<'l> {
    look: &'l Look<'l>,
    time: u64,
    /// What H has asked, and heard.
    said: Vec<Exchange>,
    /// What it came to.
    came_to: Option<String>,
}

impl<'l> Trial<'l> {
    fn new(look: &'l Look<'l>, time: u64) -> Self {
        Trial { look, time, said: Vec::new(), came_to: None }
    }

    /// What the model is asked next; nothing more where it has come to something.
    fn prompts(&mut self, human: &dyn Human, wording: &Wording) -> Vec<Prompt> {
        let Look { tool, argument, draw, .. } = self.look;
        let parts = match self.next(human) {
            Move::Ask(parts) => parts,
            Move::Answer(text) => {
                self.came_to = Some(text);
                return Vec::new();
            }
        };
        let ask = |(place, part): (u64, &String)| {
            let (text, begin) = match tool {
                Tool::Consistency => (Posed::bare(part).text(wording), None),
                _ => (part.clone(), argument.held.map(str::to_owned)),
            };
            Prompt { text, begin, draw: draw.named(tool.name()).at(place).at(self.time) }
        };
        let prompts = (self.said.len() as u64..).zip(&parts).map(ask).collect();
        self.said.extend(parts.into_iter().map(|question| Exchange { question, answer: None }));
        prompts
    }

    /// H asks to argue it; where H has no part in it, the question that was argued is put once more.
    fn next(&self, human: &dyn Human) -> Move {
        let Look { tool, posed, argument, draw } = self.look;
        match (tool, self.said.first()) {
            (Tool::Consistency, _) => human.next(posed, &self.said, draw.named("human").at(self.time)),
            (_, None) => Move::Ask(vec![argument.answer.prompt.clone()]),
            (_, Some(exchange)) => Move::Answer(exchange.answer.clone().unwrap_or_default()),
        }
    }

    /// The answers to that. Of a question that is asked twice the same is heard.
    fn hear(&mut self, answers: impl Iterator<Item = Answer>) {
        let known = self.said.iter().take_while(|exchange| exchange.answer.is_some()).count();
        for (place, answer) in (known..).zip(answers) {
            let (before, rest) = self.said.split_at_mut(place);
            let same = before.iter().find(|exchange| exchange.question == rest[0].question);
            rest[0].answer = same.map_or(Some(answer.text), |exchange| exchange.answer.clone());
        }
    }
}

impl Look<'_> {
    /// How many times it came to what was argued.
    fn agreeing(&self, trials: &[Trial<'_>]) -> String {
        let argued = self.argument.answer.text();
        let came_to = trials.iter().filter_map(|trial| trial.came_to.as_deref());
        tool::agreeing(self.tool, came_to.filter(|text| agree(argued, text)).count(), trials.len())
    }
}
