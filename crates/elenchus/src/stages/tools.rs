//! Transparency tools in a stage: into whom is looked, and the probes, which learn where H was called.

use crate::stages::{
    Amplifier,
    answerers::{ModelAnswerer, Usage},
    loss::mean,
    states::Probes,
};
use batch::{StageError, Unit};
use debate::{
    debate::{Argument, Debate, Voice},
    inspect::{Inspected, Tools, look_inside, of_model},
    question::agree,
};
use spec::settings::Inspection;
use std::cell::RefCell;

/// The tools of a debate.
pub struct Inspecting {
    /// Which, and how they are used.
    pub settings: Inspection,
    /// The state that has the probes, if there are any.
    pub probes: Option<String>,
}

/// The tools of a debate in one batch.
pub struct Looking<'a> {
    settings: Inspection,
    /// As they were at its start.
    probes: Probes,
    speaker: RefCell<ModelAnswerer<'a>>,
    opponent: Option<RefCell<ModelAnswerer<'a>>>,
}

impl Inspecting {
    /// Into those who argue, who answer what tools ask as they are sampled in training, even where an evaluation takes
    /// their likeliest tokens.
    pub fn looking<'a>(
        &self,
        unit: &Unit<'a>,
        speaker: &Amplifier,
        opponent: Option<&Amplifier>,
        probes: Probes,
    ) -> Result<Looking<'a>, StageError> {
        let opponent = opponent.map(|opponent| opponent.answerer(unit)).transpose()?;
        let (speaker, opponent) = (RefCell::new(speaker.answerer(unit)?), opponent.map(RefCell::new));
        Ok(Looking { settings: self.settings.clone(), probes, speaker, opponent })
    }
}

impl<'a> Looking<'a> {
    /// As debaters ask for them.
    pub fn tools(&self) -> Tools<'_> {
        let inspected = |voice: Voice| Inspected { model: self.of(voice), probe: self.probes.of(voice) };
        Tools {
            settings: &self.settings,
            speaker: inspected(Voice::Speaker),
            opponent: self.opponent.is_some().then(|| inspected(Voice::Opponent)),
        }
    }

    /// How much models were used by tools, and for the probes.
    pub fn usage(&self) -> impl Iterator<Item = Usage> {
        [Some(&self.speaker), self.opponent.as_ref()].into_iter().flatten().map(|model| model.borrow().usage)
    }

    /// The probe of each voice takes one step on its arguments over which H was called, and what its loss on them was
    /// before is noted, the mean over both.
    pub fn teach(&self, unit: &mut Unit<'_>, debates: &[Debate], probes: &mut Probes) -> Result<(), StageError> {
        let mut losses = Vec::new();
        for voice in Voice::ALL {
            let arguments = debates.iter().flat_map(|debate| &debate.arguments).filter(|it| it.voice == voice);
            let (asked, overruled): (Vec<&Argument>, Vec<bool>) =
                arguments.filter_map(|argument| Some((argument, is_overruled(argument)?))).unzip();
            let evidence: Vec<_> = asked.into_iter().map(of_model).collect();
            let insides = look_inside(&mut *self.of(voice).borrow_mut(), &evidence)?;
            let hidden = insides.into_iter().map(|inside| inside.hidden);
            let seen: Vec<(Vec<f32>, bool)> = hidden.zip(overruled).collect();
            losses.extend(probes.of_mut(voice).learn(&seen, self.settings.learning_rate));
        }
        mean(losses.into_iter()).into_iter().for_each(|loss| unit.metric("probe_loss", loss));
        Ok(())
    }

    fn of(&self, voice: Voice) -> &RefCell<ModelAnswerer<'a>> {
        match (voice, &self.opponent) {
            (Voice::Opponent, Some(opponent)) => opponent,
            _ => &self.speaker,
        }
    }
}

/// Whether H said something else than M, where H was called.
fn is_overruled(argument: &Argument) -> Option<bool> {
    let human = argument.answer.human.as_ref()?;
    Some(!agree(&argument.answer.first.text, &human.text))
}
