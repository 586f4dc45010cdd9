//! What a reward is held against: by which of them a call's advantage is the larger, the more unusual it was that its side
//! won.

use crate::{
    judge::Side,
    trace::{Call, Part},
};
use spec::settings::Scale;
use std::collections::BTreeMap;

/// How deep a call stands: the arguments that were given before it, and for an answer to a sub-question, H's questions that
/// it rests under.
pub fn depth(call: &Call) -> usize {
    call.turn + if call.part == Part::Sub { call.path.len().max(1) } else { 0 }
}

/// The debates of a batch on one question, as a group (GRPO, Shao et al., arXiv:2402.03300, section 4.1.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// The mean reward of the even side, over those that have a winner. The odd side's is its negative.
    mean: f64,
    /// Their standard deviation, which is that of either side.
    deviation: f64,
}

impl Group {
    /// Whether its debates differ.
    pub fn tells(self) -> bool {
        self.deviation > 0.0
    }

    /// A side's reward less its mean; none where all debates came to the same, which says nothing of any of them.
    pub fn advantage(self, side: Side, reward: f64, scale: Scale) -> Option<f64> {
        let mean = if side == Side::Even { self.mean } else { -self.mean };
        let unit = if scale == Scale::Std { self.deviation } else { 1.0 };
        self.tells().then(|| (reward - mean) / unit)
    }
}

/// The group of each debate that has a winner: all of those on the same question, whatever its id.
pub fn groups(questions: &BTreeMap<u64, String>, winners: &BTreeMap<u64, Side>) -> BTreeMap<u64, Group> {
    let won = || winners.iter().filter_map(|(id, winner)| Some((*id, questions.get(id)?.as_str(), *winner)));
    let mut wins: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
    for (_, question, winner) in won() {
        wins.entry(question).or_default()[usize::from(winner == Side::Odd)] += 1;
    }
    won().map(|(id, question, _)| (id, Group::of(wins[question]))).collect()
}

impl Group {
    /// Of so many debates that the even side won, at a reward of 1, and the odd side, at −1.
    fn of(wins: [u32; 2]) -> Self {
        let [even, odd] = wins.map(f64::from);
        let all = even + odd;
        Group { mean: (even - odd) / all, deviation: 2.0 * (even * odd).sqrt() / all }
    }
}
