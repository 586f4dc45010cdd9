//! How strong M was over a run, by its debates against versions of itself, or against another model: ratings by maximum
//! likelihood in the model of Bradley and Terry (1952), on Elo's scale, where 400 points are odds of ten to one.
//!
//! A player is M over a stretch of batches, or the model that it argues against. M as it was after v batches counts as M of
//! the stretch that ends there: that is how stretches are held together that have different opponents. It was a little
//! stronger than that, so what M gains from stretch to stretch is told a little too small.

use crate::{results::figures::of_stage, stages::wins};
use batch::manifest::Line;
use spec::settings::{Amplify, Debate, Follow, Judge, Named, Pipeline, Reference, Stage, Sync};
use std::{collections::BTreeMap, fmt, ops::Range};

/// A run is cut into about so many stretches.
const STRETCHES: u64 = 10;

/// So many points are odds of e to one.
const POINTS: f64 = 400.0 / std::f64::consts::LN_10;

/// Who is rated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Player {
    /// A model that did not change.
    Fixed(String),
    /// M over some batches.
    Stretch(u64, u64),
}

impl fmt::Display for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Player::Fixed(model) => write!(f, "{model}, as it began"),
            Player::Stretch(first, end) => write!(f, "batches {first} to {}", end - 1),
        }
    }
}

/// A player's strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rating {
    /// Points above the first player.
    pub points: f64,
    /// Half of the interval that holds the true number with 95 % confidence, from the curvature of the likelihood.
    pub half: f64,
}

/// Debates that somebody won, between two players, by their places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Games {
    /// The players.
    pub players: (usize, usize),
    /// How many each of them won.
    pub won: (f64, f64),
}

/// The ratings that the debates of a judge come to.
pub struct Ratings {
    /// The judge.
    pub stage: String,
    /// The model that argues throughout.
    pub model: String,
    /// Its stretches, and those who did not change, the one that others are held against first.
    pub players: Vec<(Player, Rating)>,
}

/// The ratings of each judge of a run in which M argues against models that stay as they are for a while.
pub fn ratings(pipeline: &Pipeline, lines: &[Line]) -> Vec<Ratings> {
    let judges = pipeline.stages.iter().filter_map(|stage| match &stage.settings {
        Stage::Judge(judge) => Some((stage.name.as_str(), judge)),
        _ => None,
    });
    judges.filter_map(|(stage, judge)| of_judge(pipeline, lines, stage, judge)).collect()
}

fn of_judge(pipeline: &Pipeline, lines: &[Line], stage: &str, judge: &Judge) -> Option<Ratings> {
    let debate = pipeline.stages.iter().find(|stage| stage.name == judge.from.name)?;
    let Stage::Debate(Debate { speaker, opponent: Some(opponent), .. }) = &debate.settings else { return None };
    let (model, other) = (model(pipeline, speaker)?, model(pipeline, opponent)?);
    if model == other || of_stage(lines, stage, "decided").unwrap_or_default() == 0.0 {
        return None;
    }
    let versions = versions(pipeline, model, other)?;
    let won: Vec<(u64, u64, wins::Share)> = lines
        .iter()
        .filter_map(|line| Some((line.batch, versions(line.batch)?, wins::of_line(line, stage)?)))
        .collect();
    let (players, games) = seated(&won, lines.len() as u64, other);
    let rated = rate(players.len(), &games)?;
    Some(Ratings {
        stage: stage.to_owned(),
        model: model.to_owned(),
        players: players.into_iter().zip(rated).collect(),
    })
}

/// The model of an Amp≈.
fn model<'p>(pipeline: &'p Pipeline, amplify: &Reference) -> Option<&'p str> {
    let found: &Named<Amplify> = pipeline.amplifies.iter().find(|named| named.name == amplify.name)?;
    Some(&found.settings.model.name)
}

/// After how many batches M was what the opponent is in a batch: 0 of one that stays as it began, none where it is M as it is
/// then. None at all where the opponent is no version of M's.
fn versions<'p>(pipeline: &'p Pipeline, model: &str, other: &str) -> Option<Box<dyn Fn(u64) -> Option<u64> + 'p>> {
    let changes = |stage: &&Named<Stage>| match &stage.settings {
        Stage::Sync(sync) => sync.to_model.name == other,
        Stage::Train(train) => train.model.name == other,
        _ => false,
    };
    let changing: Vec<&Named<Stage>> = pipeline.stages.iter().filter(changes).collect();
    match changing[..] {
        [] => Some(Box::new(|_| Some(0))),
        [Named { settings: stage @ Stage::Sync(Sync { from_model, follow, .. }), .. }]
            if from_model.name == model && !matches!(follow, Follow::Polyak(_)) =>
        {
            let (due, batches) = (stage.due(), pipeline.batches?);
            let copied = move |batch| due.last_before(batch, batches).map_or(0, |last| last + 1);
            Some(Box::new(move |batch| Some(copied(batch)).filter(|version| *version != batch)))
        }
        _ => None,
    }
}

/// The players, and what they won of each other. The first is the one that others are held against.
fn seated(won: &[(u64, u64, wins::Share)], batches: u64, other: &str) -> (Vec<Player>, Vec<Games>) {
    let versions = || won.iter().map(|(_, version, _)| *version);
    let cuts = (0..batches).step_by(batches.div_ceil(STRETCHES).max(1) as usize).chain(versions()).chain([batches]);
    let mut cuts: Vec<u64> = cuts.collect();
    cuts.sort_unstable();
    cuts.dedup();
    let stretch = |batch: u64| -> Range<u64> {
        let after = cuts.partition_point(|cut| *cut <= batch);
        cuts[after - 1]..cuts[after]
    };
    let stretch = |batch| Player::Stretch(stretch(batch).start, stretch(batch).end);
    let opponent = |version: u64| match version.checked_sub(1) {
        Some(last) => stretch(last),
        None => Player::Fixed(other.to_owned()),
    };
    let mut players: Vec<Player> = won.iter().flat_map(|it| [stretch(it.0), opponent(it.1)]).collect();
    players.sort();
    players.dedup();
    let place = |player: &Player| players.iter().position(|it| it == player).unwrap_or_default();
    let mut pairs: BTreeMap<(usize, usize), (f64, f64)> = BTreeMap::new();
    for (batch, version, share) in won {
        let both = (place(&stretch(*batch)), place(&opponent(*version)));
        let pair = pairs.entry(both).or_default();
        *pair = (pair.0 + share.won, pair.1 + share.lost);
    }
    let games = pairs.into_iter().filter(|((one, other), _)| one != other);
    (players.clone(), games.map(|(players, won)| Games { players, won }).collect())
}

/// The ratings that make what was won the likeliest, those of the first player being 0; none where some never met. Of a pair
/// of whom one won all, each counts as having won half a debate more, or no rating would be high enough.
pub fn rate(players: usize, games: &[Games]) -> Option<Vec<Rating>> {
    let games: Vec<Games> = games.iter().map(|games| games.softened()).collect();
    let free = players.checked_sub(1)?;
    let mut strengths = vec![0.0; players];
    for _ in 0..100 {
        let (slope, curvature) = slopes(&strengths, &games);
        let step = solved(&curvature, &slope)?;
        (0..free).for_each(|i| strengths[i + 1] += step[i].clamp(-2.0, 2.0));
        if step.iter().all(|step| step.abs() < 1e-12) {
            break;
        }
    }
    let (_, curvature) = slopes(&strengths, &games);
    let variance = |i: usize| {
        let mut unit = vec![0.0; free];
        unit[i] = 1.0;
        Some(solved(&curvature, &unit)?[i])
    };
    let rating = |i: usize| {
        let variance = if i == 0 { 0.0 } else { variance(i - 1)? };
        Some(Rating { points: POINTS * strengths[i], half: POINTS * 1.959_964 * variance.sqrt() })
    };
    (0..players).map(rating).collect()
}

impl Games {
    fn softened(self) -> Self {
        let all = self.won.0 == 0.0 || self.won.1 == 0.0;
        let more = if all { 0.5 } else { 0.0 };
        Games { won: (self.won.0 + more, self.won.1 + more), ..self }
    }
}

/// The gradient of the log-likelihood in all strengths but the first, and the negative of its second derivatives.
fn slopes(strengths: &[f64], games: &[Games]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let free = strengths.len() - 1;
    let (mut slope, mut curvature) = (vec![0.0; free], vec![vec![0.0; free]; free]);
    for Games { players: (one, other), won } in games {
        let all = won.0 + won.1;
        let expected = 1.0 / (1.0 + (strengths[*other] - strengths[*one]).exp());
        let (surprise, weight) = (won.0 - all * expected, all * expected * (1.0 - expected));
        for (i, sign) in [(*one, 1.0), (*other, -1.0)] {
            let Some(i) = i.checked_sub(1) else { continue };
            slope[i] += sign * surprise;
            curvature[i][i] += weight;
        }
        if let (Some(one), Some(other)) = (one.checked_sub(1), other.checked_sub(1)) {
            curvature[one][other] -= weight;
            curvature[other][one] -= weight;
        }
    }
    (slope, curvature)
}

/// The solution of a system of equations with a positive definite matrix, by elimination; none where it is singular.
fn solved(matrix: &[Vec<f64>], right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    let mut rows: Vec<Vec<f64>> =
        matrix.iter().zip(right).map(|(row, right)| [row.as_slice(), &[*right]].concat()).collect();
    for pivot in 0..n {
        if rows[pivot][pivot] < 1e-9 {
            return None;
        }
        let (done, rest) = rows.split_at_mut(pivot + 1);
        for row in rest {
            let factor = row[pivot] / done[pivot][pivot];
            row.iter_mut().zip(&done[pivot]).for_each(|(value, above)| *value -= factor * above);
        }
    }
    let mut solution = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][n] - known) / rows[i][i];
    }
    Some(solution)
}

/// In words, as the summary has them.
pub fn told(ratings: &[Ratings]) -> String {
    let line = |(player, Rating { points, half }): &(Player, Rating)| {
        let (low, high) = (points - half, points + half);
        format!("  {:<24}{points:>+6.0} ({low:+.0} to {high:+.0})\n", player.to_string())
    };
    let table = |Ratings { stage, model, players }: &Ratings| {
        let lines: String = players.iter().map(line).collect();
        format!("\nElo of `{model}` by `{stage}`, with 95 % intervals, the first being 0:\n{lines}")
    };
    ratings.iter().map(table).collect()
}
