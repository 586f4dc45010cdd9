//! How much a stage does in a batch: the rows of its tables, and the questions put to M and to H, told from the
//! settings alone. Samp's draws are taken at their mean. What depends on answers or other draws, such as how long a
//! debate becomes, is a range from the least to the most. How many sub-questions H puts to M nobody can tell: they come
//! on top.

use std::ops::Add;

use spec::settings::{
    Answer, By, Combine, Debate, Distance, Evaluate, History, How, Imitate, Loss, OnBadQuestion, OnError, Penalty,
    Questions, Reference, Row, SpeakerSide, Stage, Tool,
};

use crate::{Edge, Node, Role, consulting::has_steps, names::Names, parties::judged};

/// What a stage does in a batch in which it is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Questions put to M.
    pub to_model: Expected,
    /// Questions put to H, or to who stands in for it.
    pub to_human: Expected,
    /// Rows of each table it makes, in their order.
    pub rows: Vec<Expected>,
}

/// A number, on average over Samp's draws.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expected {
    /// At least.
    pub least: f64,
    /// At most.
    pub most: f64,
    /// Whether H's sub-questions to M come on top.
    pub and_asked: bool,
}

impl Expected {
    fn exactly(number: usize) -> Self {
        Expected { least: number as f64, most: number as f64, and_asked: false }
    }

    /// What cannot be told.
    fn unknown() -> Self {
        Expected { least: 0.0, most: f64::INFINITY, and_asked: false }
    }

    /// So many, or fewer, or none.
    fn or_none(self) -> Self {
        Expected { least: 0.0, ..self }
    }

    fn times(self, least: f64, most: f64) -> Self {
        // Nothing of what cannot be told is nothing.
        let most = if most == 0.0 { 0.0 } else { self.most * most };
        Expected { least: self.least * least, most, and_asked: self.and_asked }
    }
}

impl Add for Expected {
    type Output = Expected;

    fn add(self, other: Expected) -> Expected {
        Expected {
            least: self.least + other.least,
            most: self.most + other.most,
            and_asked: self.and_asked || other.and_asked,
        }
    }
}

/// What a stage does, given what those before it do.
pub(crate) fn work(names: Names<'_>, stage: &Stage, inputs: &[Edge], nodes: &[Node]) -> Work {
    let given = Given { inputs, nodes };
    let mut work = work_of(names, stage, &given);
    work.rows.extend(has_steps(names.pipeline, stage).then(Expected::unknown));
    work
}

fn work_of(names: Names<'_>, stage: &Stage, given: &Given<'_>) -> Work {
    match stage {
        Stage::Sample(sample) => {
            let errors = (sample.on_error == OnBadQuestion::Skip).then(Expected::unknown);
            silent([Expected::exactly(sample.rows); 2].into_iter().chain(errors).collect())
        }
        Stage::Debate(debate) => debated(names, debate, given.rows(Role::Questions)),
        Stage::Judge(judge) => {
            let debates = given.rows(Role::Questions);
            let debate = names.maker(&judge.from, &["debate"]).ok().map(|place| names.settings(place));
            let Some(Stage::Debate(debate)) = debate else { return silent(Vec::new()) };
            let ((least, most), answers) = (two_sided(debate), judge.answers() as f64);
            let (to_model, to_human) = answered(names, &judge.by, debates.times(least * answers, most * answers));
            Work { to_model, to_human, rows: vec![debates, to_model + to_human] }
        }
        Stage::Penalty(penalty) => penalised(names, penalty, given.rows(Role::Questions)),
        Stage::Loss(loss) => {
            let against = matches!(names.debate_of(loss).map(|it| &it.settings), Some(Stage::Debate(debate)) if debate.opponent.is_some());
            silent(vec![examples(loss, given, against)])
        }
        Stage::Train(_) | Stage::Sync(_) => silent(Vec::new()),
        Stage::Evaluate(evaluate) => evaluated(names, evaluate),
        Stage::Answer(answer) => answers(names, answer, given.rows(Role::Asked)),
        Stage::Write(_) => silent(vec![Expected::exactly(1).or_none()]),
        table_stage => silent(rows(table_stage, given)),
    }
}

/// The rows of a stage that works on plain tables, and of its errors. What a query or a program makes of its rows is
/// not known.
fn rows(stage: &Stage, given: &Given<'_>) -> Vec<Expected> {
    let on_error = match stage {
        Stage::Read(read) => read.on_error,
        Stage::Command(command) => command.on_error,
        _ => OnError::Fail,
    };
    let own = match stage {
        Stage::Read(read) => Expected::exactly(read.rows).or_none(),
        Stage::Filter(_) => given.rows(Role::Rows).or_none(),
        Stage::Join(join) if matches!(join.how, How::Semi | How::Anti) => given.rows(Role::Rows).or_none(),
        _ => Expected::unknown(),
    };
    [own].into_iter().chain((on_error != OnError::Fail).then(|| own.or_none())).collect()
}

/// One answer to each question, and the calls behind it.
fn answers(names: Names<'_>, answer: &Answer, questions: Expected) -> Work {
    let nobody = Expected::default();
    let (to_model, to_human) = match &answer.by {
        By::Amplify(amplify) => answered(names, amplify, questions),
        By::Model(_) => (questions, nobody),
        By::Human(_) => (nobody, questions),
    };
    let refused = (answer.on_error != OnError::Fail).then(|| questions.or_none());
    let rows = [questions, to_model + to_human].into_iter().chain(refused).collect();
    Work { to_model, to_human, rows }
}

/// What a stage is given.
struct Given<'a> {
    inputs: &'a [Edge],
    nodes: &'a [Node],
}

impl Given<'_> {
    /// The rows of the first table in a role.
    fn rows(&self, role: Role) -> Expected {
        let edge = self.inputs.iter().find(|edge| edge.role == role);
        let rows = edge.and_then(|edge| {
            let node = &self.nodes[edge.stage];
            let place = node.outputs.iter().position(|output| output.table == edge.table)?;
            node.work.rows.get(place).copied()
        });
        rows.unwrap_or_default()
    }

    /// What the makers of its tables of calls put to M and to H.
    fn calls(&self) -> (Expected, Expected) {
        let makers =
            self.inputs.iter().filter(|edge| edge.role == Role::Calls).map(|edge| &self.nodes[edge.stage].work);
        makers.fold((Expected::default(), Expected::default()), |(to_model, to_human), work| {
            (to_model + work.to_model, to_human + work.to_human)
        })
    }
}

/// The work of a stage that asks nobody.
fn silent(rows: Vec<Expected>) -> Work {
    Work { to_model: Expected::default(), to_human: Expected::default(), rows }
}

/// What Amp≈(H, M) puts to M and to H when so many questions are put to it: all to M, perhaps more than once, and those
/// that Samp takes to H, within the budget.
fn answered(names: Names<'_>, amplify: &Reference, questions: Expected) -> (Expected, Expected) {
    let Ok(amplify) = names.amplify(amplify) else { return (questions, Expected::default()) };
    let (least, most) = amplify.settings.propensities();
    let asks = most > 0.0 && questions.most > 0.0;
    let answers = 1.0 + amplify.settings.call_human.further() as f64;
    let to_human = questions.times(least, most);
    let budget = amplify.settings.budget.as_ref();
    let of_batch = budget.and_then(|budget| Some(budget.per_batch? as f64)).unwrap_or(f64::INFINITY);
    let of_run = budget.and_then(|budget| Some(budget.per_run? as f64)).unwrap_or(f64::INFINITY);
    let most = to_human.most.min(of_batch).min(of_run);
    let beneath = asks && amplify.settings.depth > 1;
    let to_human = Expected { most, and_asked: beneath, ..to_human };
    (Expected { and_asked: asks, ..questions.times(answers, answers) }, to_human)
}

/// The least and the largest share of debates that have two sides.
fn two_sided(debate: &Debate) -> (f64, f64) {
    let (fewest, most) = debate.turns_from(0);
    (if fewest > 1 { 1.0 } else { 0.0 }, if most > 1 { 1.0 } else { 0.0 })
}

/// How often it is asked whether an argument suffices: of the last one allowed nobody is, nor of those before `min_turns`.
fn doubted(debate: &Debate, questions: Expected) -> Expected {
    if !debate.sufficient.is_asked() || debate.fewest() >= debate.max_turns {
        return Expected::default();
    }
    let (round, fewest) = (debate.round(), debate.fewest());
    let last = debate.turns_from(0).1.min(debate.max_turns.saturating_sub(round));
    questions.times(1.0, ((last + round).saturating_sub(fewest) / round) as f64)
}

/// How often it is asked what an argument says in short: not of one that stays alone.
fn summed_up(debate: &Debate, questions: Expected) -> Expected {
    let ((least, most), (fewest, all)) = (two_sided(debate), debate.turns_from(0));
    let asked = if debate.history == History::Summaries { 1.0 } else { 0.0 };
    questions.times(asked * least * fewest as f64, asked * most * all as f64)
}

/// The arguments of the speaker and of the opponent, when there are so many: where sides are drawn, half of them each. With
/// as many tools asked for before each as may be, or none.
fn parted(debate: &Debate, arguments: usize, with_tools: bool) -> (f64, f64) {
    let asked = |turn: usize| 1 + if with_tools { debate.uses_at(turn) } else { 0 };
    let of = |step: usize| (0..arguments).step_by(step).map(asked).sum::<usize>() as f64;
    let (all, even) = (of(1), of(2));
    match (&debate.opponent, debate.speaker_side) {
        (None, _) => (all, 0.0),
        (Some(_), SpeakerSide::Drawn) => (all / 2.0, all / 2.0),
        (Some(_), SpeakerSide::Even) => (even, all - even),
        (Some(_), SpeakerSide::Odd) => (all - even, even),
    }
}

fn debated(names: Names<'_>, debate: &Debate, questions: Expected) -> Work {
    let (fewest, most) = debate.turns_from(0);
    let arguments = questions.times(fewest as f64, most as f64);
    let (least, all) = (parted(debate, fewest, false), parted(debate, most, true));
    let of_speaker = answered(names, &debate.speaker, questions.times(least.0, all.0));
    let of_opponent = debate.opponent.as_ref().map(|it| answered(names, it, questions.times(least.1, all.1)));
    let of_overseer = answered(names, &debate.overseer, doubted(debate, questions) + summed_up(debate, questions));
    let asked = [Some(of_speaker), of_opponent, Some(of_overseer)].into_iter().flatten();
    let (to_model, to_human): (Expected, Expected) =
        asked.fold(Default::default(), |(to_model, to_human), (model, human)| (to_model + model, to_human + human));
    let errors = (debate.on_error == OnBadQuestion::Skip).then(|| questions.or_none());
    let uses = questions.or_none().times(0.0, (0..most).map(|turn| debate.uses_at(turn)).sum::<usize>() as f64);
    let rows = [arguments, to_model + to_human + uses].into_iter().chain(errors).collect();
    Work { to_model: to_model + looked_into(debate, uses), to_human, rows }
}

/// What tools ask M when they are used so often: how many sub-questions there are behind an argument nobody can tell.
fn looked_into(debate: &Debate, uses: Expected) -> Expected {
    let Some(inspection) = &debate.inspection else { return Expected::default() };
    let asks = inspection.has(Tool::Resampling) || inspection.has(Tool::Consistency);
    let most = if asks { inspection.samples as f64 } else { 1.0 };
    Expected { and_asked: inspection.has(Tool::Consistency), ..uses.times(0.0, most) }
}

/// Of each question put to Amp≈ one answer is kept. H's are imitated, or M's that they took the place of learn from
/// them; M's are where all are, or where they earn. Of what was said for an opponent there may be nothing to learn.
fn examples(loss: &Loss, given: &Given<'_>, against: bool) -> Expected {
    let (to_model, to_human) = given.calls();
    if loss.steps_of.is_some() {
        return Expected::unknown();
    }
    if loss.proposals {
        return given.rows(Role::Proposals).or_none();
    }
    if loss.predict.is_some() {
        // One that says yes and one that says no, where a distance is neither 0 nor 1.
        let most = if loss.distance == Distance::Exact { 1.0 } else { 2.0 };
        return to_human.times(0.0, most);
    }
    let rewarded = loss.combine.rewards_from(u64::MAX).is_some();
    let always = match &loss.combine {
        Combine::Weighted { alpha } => alpha.max() < 1.0,
        Combine::Reward { .. } => false,
        Combine::Constrained(_) => true,
    };
    let own = loss.imitate == Imitate::All || (rewarded && loss.credit.argument);
    let of_debate = Expected {
        least: if always && !against { to_human.least } else { 0.0 },
        most: if own { to_model.most } else { to_human.most },
        and_asked: rewarded && loss.credit.calls && to_model.and_asked,
    };
    // Of each of M's answers there may be a cost, and H's verdict on it; and H's word on each proposal.
    of_debate + Expected { least: 0.0, and_asked: false, ..given.rows(Role::PenaltyCalls) }
}

/// M answers the questions of each proposal, of which there may be none, and the overseer is asked about each answer and,
/// where there is an adversary, each proposal.
fn penalised(names: Names<'_>, penalty: &Penalty, questions: Expected) -> Work {
    let one = Expected::exactly(1);
    let (proposals, answers) = match &penalty.adversary {
        None => (one, questions),
        Some(adversary) => {
            let proposals = Expected::exactly(adversary.proposals);
            (proposals, proposals.times(0.0, adversary.questions as f64))
        }
    };
    let asked = if penalty.adversary.is_some() { proposals.or_none() } else { Expected::default() };
    let proposed = if penalty.proposing().is_some() { proposals } else { Expected::default() };
    let (to_target, to_human) = answered(names, &penalty.overseer, answers + asked);
    let to_model = answers + proposed + to_target;
    Work { to_model, to_human, rows: vec![proposals, answers, to_model + to_human] }
}

/// Every row answers the same questions; their gold answers may be unknown, so files give at most so many.
fn evaluated(names: Names<'_>, evaluate: &Evaluate) -> Work {
    let all = Expected::exactly(evaluate.count);
    let (questions, depths) = match &evaluate.questions {
        Questions::Task(task) => (all, f64::from(task.depth.1 - task.depth.0) + 1.0),
        Questions::Files(_) | Questions::Mixture(_) => (Expected { least: 0.0, ..all }, all.most),
    };
    let rows = evaluate.rows.len() as f64;
    let by_depth =
        Expected { least: if questions.least > 0.0 { rows } else { 0.0 }, most: rows * depths, and_asked: false };
    let debate = evaluate.judging().and_then(|mention| judged(names, mention)).map(|(_, debate)| debate);
    let depth = names.amplify(&evaluate.of).map_or(1, |amplify| amplify.settings.depth);
    // What consults to a depth is HCH of that depth.
    let as_hch = |row: Row| if row == Row::Amplified { Row::Hch(depth) } else { row };
    let asked = evaluate.rows.iter().map(|row| asked_by(as_hch(*row), debate, questions));
    let (to_model, to_human) =
        asked.fold(Default::default(), |(to_model, to_human), (model, human)| (to_model + model, to_human + human));
    Work { to_model, to_human, rows: vec![by_depth, questions.times(rows, rows)] }
}

/// What a row of an evaluation puts to M and to H.
fn asked_by(row: Row, debate: Option<&Debate>, questions: Expected) -> (Expected, Expected) {
    let nobody = Expected::default();
    let consulting = Expected { and_asked: true, ..nobody };
    match (row, debate) {
        (Row::Naive, _) => (questions, nobody),
        (Row::Human, _) => (nobody, questions),
        (Row::Amplified | Row::Hch(1) | Row::NoTranscript, _) => (consulting, questions),
        (Row::Hch(_), _) => (consulting, Expected { and_asked: true, ..questions }),
        (Row::Consultancy | Row::Expert, _) => (questions + consulting, questions),
        (Row::BestOf(count), _) => {
            let count = f64::from(count);
            (questions.times(count, count) + consulting, questions.times(0.0, count - 1.0))
        }
        (Row::Debate, None) => (nobody, nobody),
        (Row::Debate, Some(debate)) => {
            let (fewest, most) = debate.turns_from(0);
            let (least, judged) = two_sided(debate);
            let doubted = doubted(debate, questions) + summed_up(debate, questions);
            let to_model = questions.times(fewest as f64, most as f64) + doubted + consulting;
            (to_model, questions.times(least, judged) + doubted)
        }
    }
}
