//! α = 1, where M argues, H judges and both sides always speak, is a policy gradient: REINFORCE with the running mean of
//! the reward as its baseline. The loop here is written without the pipeline's stages. Its weights must be those of the
//! pipeline bit for bit.

use crate::plain::{self, Sequence};
use debate::{
    draw::Draw,
    question::{Asked, Posed, yes},
};
use elenchus::{stages::states, wiring::wire};
use model::Model;
use tests::{load, small};
use train::{AdamW, Rates};

const BATCHES: u64 = 5;
const ROWS: u64 = 6;
const RATES: Rates = Rates { learning_rate: 2e-3, betas: (0.9, 0.98), epsilon: 1e-8, weight_decay: 0.0, clip: 1.0 };

fn source() -> String {
    small("web-of-lies", BATCHES)
        .replace("alpha = 0.5", "alpha = 1.0")
        .replace("call_human = { probability = 0.4 }", "call_human = \"never\"")
        .replace("max_turns = 2", "max_turns = 2\nsufficient = \"never\"")
}

/// A pipeline as it is before its first batch.
struct Game {
    loaded: elenchus::wiring::load::Loaded,
    human: Box<dyn debate::human::Human>,
    agent: Model,
    target: Model,
}

impl Game {
    fn new(source: &str) -> Self {
        let loaded = load(source);
        let states = wire::states(&loaded);
        let model = |name: &str| states.get::<states::ModelState>(name).unwrap().0.deep_copy();
        let (agent, target, human) =
            (model("model.agent"), model("model.target"), tasks::human("web-of-lies").unwrap());
        Game { loaded, human, agent, target }
    }

    /// One debate: what M said at each turn, and whether the even side won.
    fn play(&self, id: u64) -> Played {
        let seed = Draw::new(self.loaded.pipeline.seed);
        let wording = wire::wording(&self.loaded.pipeline);
        let question = self.loaded.inputs.questions["questions"].draw(id, seed.named("questions")).text;
        let posed = |asked, context: &[String]| Posed::new(asked, &question, context.to_vec());
        let (mut said, mut context) = (Vec::new(), Vec::new());
        for turn in 0..2 {
            let text = posed(Asked::Argument, &context).text(&wording);
            let draw = seed.named("arguments").at(id).named("argument").at(turn).named("first");
            let answer = plain::say(&self.agent, &text, draw);
            context.push(self.agent.tokenizer.decode(&answer.tokens));
            let prompt = self.agent.tokenizer.prompt(&text);
            let length = prompt.len();
            said.push(([prompt, answer.tokens].concat(), length));
        }
        let draw = seed.named("verdicts").at(id).named("winner").at(2);
        let verdict = plain::ask(self.human.as_ref(), &self.target, &posed(Asked::Winner, &context), draw);
        (said, yes(&verdict))
    }
}

/// What each side said, with the length of its prompt; and whether the even side won.
type Played = (Vec<(Vec<u32>, usize)>, Option<bool>);

/// What was said in the debates that somebody won, weighted by the reward of who said it, less what that side is used to.
fn weighted(debates: Vec<Played>, usual: f64) -> Vec<Sequence> {
    let mut sequences = Vec::new();
    for (said, even_won) in debates {
        let Some(even_won) = even_won else { continue };
        for (side, (tokens, prompt)) in said.into_iter().enumerate() {
            let even = side == 0;
            let reward = if even == even_won { 1.0 } else { -1.0 };
            let advantage = reward - if even { usual } else { -usual };
            sequences.push((tokens, prompt, f64::from(advantage as f32)));
        }
    }
    sequences
}

fn reinforce(source: &str) -> Model {
    let mut game = Game::new(source);
    let mut optimizer = AdamW::new(game.agent.weights.flat.numel());
    let mut usual: Option<f64> = None;
    for batch in 0..BATCHES {
        let debates: Vec<_> = (batch * ROWS..(batch + 1) * ROWS).map(|id| game.play(id)).collect();
        let won: Vec<bool> = debates.iter().filter_map(|(_, even_won)| *even_won).collect();
        if !won.is_empty() {
            let even = 2.0 * won.iter().filter(|&&even| even).count() as f64 / won.len() as f64 - 1.0;
            let gradient = plain::gradient(&game.agent, weighted(debates, usual.unwrap_or(0.0)));
            optimizer.step(&mut game.agent.weights, &plain::clipped(gradient), &RATES);
            usual = Some(usual.map_or(even, |usual| 0.95 * usual + (1.0 - 0.95) * even));
        }
        train::polyak(&mut game.target, &game.agent, 0.9);
    }
    game.agent
}

/// The weights of a run at its end.
fn trained(source: &str) -> Model {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    tests::run(source, &root);
    Model::load(&batch::Run::open(&root).unwrap().state_files(BATCHES, "model.agent").unwrap()).unwrap()
}

#[test]
fn alpha_one_is_a_policy_gradient() {
    let (trained, expected) = (trained(&source()).weights.flat, reinforce(&source()).weights.flat);
    let fresh = Game::new(&source()).agent.weights.flat;
    assert!(!fresh.equal(&expected), "nothing was learned, so nothing is compared");
    assert!(trained.equal(&expected), "the weights differ by {}", (trained - expected).abs().max().double_value(&[]));
}
