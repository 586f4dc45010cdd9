//! An M whose answers tell what it was asked, and waves of questions as they are.

use debate::{
    amplify::Open,
    answerer::{Answer, Answerer, AnswererError, Prompt, Sampled},
    draw::Draw,
    question::Posed,
};
use spec::settings::Wording;

pub fn wording() -> Wording {
    Wording { argument: "{question}".into(), ..Wording::default() }
}

/// The digits that `Echo` draws.
pub const DRAWN: [char; 2] = ['0', '1'];

/// Says of a question `m(…)` and a digit of the draw, in two tokens, and keeps what each wave asked.
#[derive(Default)]
pub struct Echo {
    pub waves: Vec<Vec<String>>,
}

impl Answerer for Echo {
    fn answer(&mut self, wave: &[Prompt]) -> Result<Vec<Answer>, AnswererError> {
        self.waves.push(wave.iter().map(|prompt| prompt.text.clone()).collect());
        let said = |prompt: &Prompt| {
            let digit = DRAWN[prompt.draw.below(0, 2)];
            let sampled = Sampled { prompt: vec![0; prompt.text.len()], tokens: vec![0, 1], ..Sampled::default() };
            Answer { text: format!("m({}){digit}", prompt.text), sampled }
        };
        Ok(wave.iter().map(said).collect())
    }
}

pub fn wave(questions: &[&str]) -> Vec<Open> {
    let open = |question: &&str| Open { posed: Posed::bare(*question), draw: Draw::new(5).named(question) };
    questions.iter().map(open).collect()
}
