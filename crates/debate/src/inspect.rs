//! Looking into the other side's last argument (Hubinger 2020, "transparency tools"). Whatever the tools of a round ask of
//! a model, over all debates of the batch, they ask in one call for what it says and in one for what goes on in it.

use crate::{
    amplify::{Amplified, WaveError, call},
    answerer::{Answer, Answerer, Evidence, Inside, Prompt},
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
            let ask = |at: &usize| looks[*at].questions(human(voice), wording, self.settings.samples);
            let questions: Vec<Questions<'_>> = asking.iter().map(ask).collect();
            let heard = of_voice.ask(questions)?;
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

    /// How the model answers what tools ask, in words.
    fn ask(&self, questions: Vec<Questions<'_>>) -> Result<Vec<String>, WaveError> {
        let prompts: Vec<Prompt> = questions.iter().flat_map(|asked| asked.prompts.iter().cloned()).collect();
        let mut answers = call(&mut *self.model.borrow_mut(), &prompts)?.into_iter();
        let text = |asked: Questions<'_>| {
            let answers: Vec<Answer> = answers.by_ref().take(asked.prompts.len()).collect();
            asked.text(&answers)
        };
        Ok(questions.into_iter().map(text).collect())
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

/// What a tool asks M.
struct Questions<'l> {
    look: &'l Look<'l>,
    human: &'l dyn Human,
    /// How many times.
    samples: usize,
    /// The question that was argued, or the sub-questions that H asks to argue it; each time all of them.
    prompts: Vec<Prompt>,
    /// Those sub-questions, where they are what is asked.
    parts: Vec<String>,
}

impl Look<'_> {
    /// The question that was argued, or the sub-questions that H asks to argue it, each asked so many times anew.
    fn questions<'l>(&'l self, human: &'l dyn Human, wording: &Wording, samples: usize) -> Questions<'l> {
        let parts = if self.tool == Tool::Consistency { self.work_out(human, 0, &[]).0 } else { Vec::new() };
        let prompts: Vec<(String, Option<String>)> = match self.tool {
            Tool::Consistency => parts.iter().map(|part| (Posed::bare(part).text(wording), None)).collect(),
            _ => vec![(self.argument.answer.prompt.clone(), self.argument.held.map(str::to_owned))],
        };
        let draw = self.draw.named(self.tool.name());
        let at = |time: u64| (0..).zip(prompts.clone()).map(move |(place, asked)| (draw.at(place).at(time), asked));
        let prompts = (0..samples as u64).flat_map(at).map(|(draw, (text, begin))| Prompt { text, begin, draw });
        Questions { look: self, human, samples, prompts: prompts.collect(), parts }
    }

    /// What H asks about what was argued, and what it comes to, given what M says of that. Of what M was not asked, H hears
    /// nothing.
    fn work_out(&self, human: &dyn Human, time: usize, heard: &[(&str, &str)]) -> (Vec<String>, String) {
        let draw = self.draw.named("human").at(time as u64);
        let mut said: Vec<Exchange> = Vec::new();
        loop {
            match human.next(&self.posed, &said, draw) {
                Move::Ask(parts) => said.extend(parts.into_iter().map(|question| {
                    let answer = heard.iter().find(|(asked, _)| *asked == question);
                    Exchange { answer: answer.map(|(_, answer)| (*answer).to_owned()), question }
                })),
                Move::Answer(text) => return (said.into_iter().map(|exchange| exchange.question).collect(), text),
            }
        }
    }
}

impl Questions<'_> {
    /// How many times the answers come to what was argued: by themselves, or by what H makes of them.
    fn text(&self, answers: &[Answer]) -> String {
        let answers: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
        let come_to = |time: usize| match self.look.tool {
            Tool::Consistency => {
                let parts = self.parts.iter().map(String::as_str);
                let heard: Vec<(&str, &str)> = parts.zip(answers[time * self.parts.len()..].iter().copied()).collect();
                self.look.work_out(self.human, time, &heard).1
            }
            _ => answers[time].to_owned(),
        };
        let argued = self.look.argument.answer.text();
        let agreeing = (0..self.samples).filter(|&time| agree(argued, &come_to(time))).count();
        tool::agreeing(self.look.tool, agreeing, self.samples)
    }
}
