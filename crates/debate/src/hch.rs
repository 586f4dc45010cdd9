//! HCH of a finite depth: H who consults H who consults … M (Christiano 2016, "humans consulting HCH"; Hubinger 2020,
//! where it is what imitative amplification approaches). HCH of depth 0 is M; of depth k it is [`Amp`] to that depth, with
//! sub-questions that are shared: one that several questions rest on is answered once.

use crate::{
    amplify::{HumanAnswer, Open, WaveError, call},
    answerer::{Answer, Answerer, Prompt},
    consult::{Amp, Consulting},
    cost::Cost,
    draw::Draw,
};

/// Answers a wave, each with what it cost. An answer that several rest on counts for the first of them alone, so that the
/// costs of a wave sum up to what was asked. The randomness of sub-questions is at addresses below `draw`.
pub fn hch(
    amp: &Amp<'_>,
    m: &mut dyn Answerer,
    wave: &[Open],
    depth: u32,
    draw: Draw,
) -> Result<Vec<(String, Cost)>, WaveError> {
    if depth == 0 {
        let prompts: Vec<Prompt> = wave.iter().map(|open| open.prompt(amp.wording, open.draw)).collect();
        let said = |answer: Answer| (answer.cost(), answer.text);
        return Ok(call(m, &prompts)?.into_iter().map(said).map(|(cost, text)| (text, cost)).collect());
    }
    let consulting = Consulting { depth, shared: Some(draw), ..amp.consulting };
    let said = |answer: HumanAnswer| (answer.cost(), answer.text);
    let answers = Amp { consulting, ..*amp }.answer(Some(m), wave)?;
    Ok(answers.into_iter().map(said).map(|(cost, text)| (text, cost)).collect())
}
