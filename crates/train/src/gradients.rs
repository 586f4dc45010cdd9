//! Examples into gradients: the supervised loss L and the debate reward J, kept apart until they are combined, so that
//! their norms and the angle between them can be told.

use model::{Model, parallel};
use tch::Tensor;

use crate::{
    micro_batch::{Aim, Models, Part, Row, micro_batches},
    objective::Objective,
};

/// A question put to M and an answer: M's own, or one to imitate.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The prompt, then the answer.
    pub tokens: Vec<u32>,
    /// Where the answer begins.
    pub prompt_length: usize,
    /// The weight of the answer as a target of imitation, 1 − α in a debate with a reward; 0 if it is none. Where M's
    /// own answer is trained on by what it cost, it is below 0 if that was more than usual.
    pub supervised: f32,
    /// How many targets it stands for in their mean: 1/propensity where targets were drawn, which is in its weight too;
    /// otherwise 1.
    pub stands_for: f64,
    /// α times the reward, less its baseline, that the answer's tokens earned; `None` if they earn none, which is not 0.
    pub advantage: Option<f32>,
    /// The log-probability of each of the answer's tokens when M sampled it, at temperature 1; empty if M did not.
    pub log_probs: Vec<f32>,
    /// The log-probabilities of all tokens under whoever gave the answer, where each of its tokens stands, `[tokens,
    /// vocabulary]` row by row; empty where they are not known.
    pub distribution: Vec<f32>,
}

impl Example {
    /// How many tokens the answer has.
    fn answer_length(&self) -> usize {
        self.tokens.len() - self.prompt_length
    }
}

/// One of the two objectives.
#[derive(Debug)]
pub struct Term {
    /// L or J.
    pub value: f64,
    /// Its gradient, in the layout of the weights.
    pub gradient: Tensor,
}

/// The gradients of a batch of examples.
#[derive(Debug)]
pub struct Gradients {
    /// (1 − α)·L: the weighted cross-entropy per token of the targets under live M, each token counted as often as its
    /// target stands for (Hájek 1971); of a target whose giver's distribution is known, the divergence KL(that‖M) in its
    /// place (Hinton et al. 2015). `None` if there are none.
    pub supervised: Option<Term>,
    /// α·J: advantage times log-probability, or what the objective takes for it, per token that earned a reward. Its
    /// gradient has those of the bonus and of the penalty in it. `None` if there are none.
    pub reward: Option<Term>,
    /// The mean entropy of M's distribution over the next token, in nats, where it counts.
    pub entropy: Option<f64>,
    /// The mean divergence KL(M‖reference) over the next token, in nats, where it counts.
    pub kl: Option<f64>,
    /// The share of the rewarded tokens that the objective holds at its bound, where it has one.
    pub clipped: Option<f64>,
    /// The mean weight of the tokens of the targets, whatever its sign; 0 if there are none. (1 − α)·L over it is L.
    pub supervised_weight: f64,
    /// How many tokens went through the model, prompts included.
    pub tokens: usize,
}

/// Why there is no gradient.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// An example is longer than the model's context.
    #[error("example {example} has {length} tokens, but the model's context is {context}; raise its `context`")]
    TooLong {
        /// Which example.
        example: usize,
        /// Its tokens.
        length: usize,
        /// The model's context.
        context: usize,
    },
    /// An example has no prompt or no answer.
    #[error("example {example} has {length} tokens, of which {prompt_length} are its prompt; both parts need one")]
    Empty {
        /// Which example.
        example: usize,
        /// Its tokens.
        length: usize,
        /// Those of its prompt.
        prompt_length: usize,
    },
    /// An example that earned a reward lacks the probabilities of its tokens, by which the objective goes.
    #[error(
        "example {example} has an answer of {length} tokens and {found} log-probabilities of its sampler; train on \
         answers as M sampled them, or leave `policy` at \"reinforce\""
    )]
    NotSampled {
        /// Which example.
        example: usize,
        /// The tokens of its answer.
        length: usize,
        /// The log-probabilities it has.
        found: usize,
    },
    /// The distribution of who gave an answer is none over M's tokens, one for each of the answer's.
    #[error(
        "example {example} has {found} log-probabilities of who gave its answer, where {length} tokens from a vocabulary of \
         {vocabulary} have {length} times {vocabulary}; let one tokenizer make the tokens of both models"
    )]
    Distribution {
        /// Which example.
        example: usize,
        /// The tokens of its answer.
        length: usize,
        /// The tokens that M knows.
        vocabulary: usize,
        /// The log-probabilities it has.
        found: usize,
    },
    /// A loss or a gradient is infinite or not a number.
    #[error("the {0} is not finite; the weights were left as they were. Lower `learning_rate`, or set `clip`")]
    NotFinite(&'static str),
}

/// The gradients of the two parts of (1 − α)·L − α·J. α is in the weights of the examples, because a debate without a
/// reward is all supervised, whatever α. Each part is normalised by its own tokens; what has no weight is not computed.
/// What the objective adds, plus entropy and less divergence, is of the answers that earned a reward, and not times α.
/// `workers` does not change the result; nor does the order of examples of different length, where all weigh the same.
pub fn gradients(
    model: &Model,
    examples: &[Example],
    objective: Objective<'_>,
    micro_batch: usize,
    workers: usize,
) -> Result<Gradients, TrainError> {
    check(model, examples, objective)?;
    tch::set_num_threads(1);
    let (supervised, supervised_weight) = supervised(examples);
    let reward = rewarded(examples, objective);
    let tokens = supervised.iter().chain(&reward).map(|row| row.example.tokens.len()).sum();
    let earned: usize = reward.iter().map(|row| row.example.answer_length()).sum();
    let kl = objective.kl.filter(|(_, weight)| *weight != 0.0 && earned > 0);
    let aim = objective.aim();
    let mut batches = micro_batches(supervised, Aim::LIKELIHOOD, micro_batch);
    let of_supervised = batches.len();
    batches.extend(micro_batches(reward, aim, micro_batch));
    let models =
        || Models { live: model.weights.handle(true), reference: kl.map(|(reference, _)| reference.handle(false)) };
    let mut parts = parallel(workers, &batches, models, |models, batch| batch.part(models)).into_iter();
    let supervised = parts.by_ref().take(of_supervised).reduce(Part::add);
    let reward = parts.reduce(Part::add);
    let of_reward = |counts: bool, value: fn(&Part) -> f64| reward.as_ref().filter(|_| counts).map(value);
    Ok(Gradients {
        entropy: of_reward(aim.entropy != 0.0, |part| part.entropy),
        kl: of_reward(kl.is_some(), |part| part.kl),
        clipped: of_reward(objective.bounds(), |part| part.held as f64).map(|held| held / earned as f64),
        supervised: supervised.map(Term::of),
        reward: reward.map(Term::of),
        supervised_weight,
        tokens,
    })
}

impl Term {
    fn of(part: Part) -> Self {
        Term { value: part.value, gradient: part.gradient }
    }
}

fn check(model: &Model, examples: &[Example], objective: Objective<'_>) -> Result<(), TrainError> {
    let (context, vocabulary) = (model.architecture().context, model.weights.layout.vocabulary);
    for (example, it) in examples.iter().enumerate() {
        let Example { tokens, prompt_length, advantage, log_probs, distribution, .. } = it;
        let (length, prompt_length) = (tokens.len(), *prompt_length);
        if length > context {
            return Err(TrainError::TooLong { example, length, context });
        }
        if prompt_length == 0 || prompt_length >= length {
            return Err(TrainError::Empty { example, length, prompt_length });
        }
        let (length, found) = (length - prompt_length, log_probs.len());
        if objective.bounds() && advantage.is_some() && found != length {
            return Err(TrainError::NotSampled { example, length, found });
        }
        let found = distribution.len();
        if found != 0 && found != length * vocabulary {
            return Err(TrainError::Distribution { example, length, vocabulary, found });
        }
    }
    Ok(())
}

/// The targets of imitation, and the mean weight of their tokens.
pub(crate) fn supervised<'e>(examples: &'e [Example]) -> (Vec<Row<'e>>, f64) {
    let targets = || examples.iter().filter(|example| example.supervised != 0.0);
    let length = |example: &Example| example.answer_length() as f64;
    let imitated: f64 = targets().map(|target| length(target) * target.stands_for).sum();
    let counted = |target: &Example| f64::from(target.supervised.abs()) * length(target);
    let weight = targets().map(counted).sum::<f64>() / imitated.max(1.0);
    let share = 1.0 / imitated;
    let known = |example: &'e Example| Some(&example.distribution[..]).filter(|known| !known.is_empty());
    let row = |example: &'e Example| {
        let weight = f64::from(example.supervised) / imitated;
        Row { example, weight, share, distribution: known(example) }
    };
    (targets().map(row).collect(), weight)
}

/// The targets of imitation, each token of them counted the same, and nothing to be gained by any.
pub(crate) fn targets(examples: &[Example]) -> Vec<Row<'_>> {
    let targets = || examples.iter().filter(|example| example.supervised != 0.0);
    let tokens: usize = targets().map(Example::answer_length).sum();
    let share = 1.0 / tokens as f64;
    targets().map(|example| Row { example, weight: 0.0, share, distribution: None }).collect()
}

/// The answers that earned a reward.
pub(crate) fn rewarded<'e>(examples: &'e [Example], objective: Objective<'_>) -> Vec<Row<'e>> {
    let rewarded = || examples.iter().filter_map(|example| Some((example, f64::from(example.advantage?))));
    let length = |example: &Example| example.answer_length() as f64;
    let (answers, tokens) = (rewarded().count(), rewarded().map(|(example, _)| length(example)).sum());
    let row = |(example, advantage): (&'e Example, f64)| {
        let normaliser = objective.normaliser(answers, tokens, length(example));
        // −log p weighted with the advantage is −J.
        Row { example, weight: -advantage / normaliser, share: 1.0 / normaliser, distribution: None }
    };
    rewarded().map(row).collect()
}
