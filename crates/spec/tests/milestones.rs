//! Numbers that wait for a milestone: how they are written, and that they are the points of the run once it is reached.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use proptest::prelude::*;
use spec::{
    Catalogue, Pipeline,
    settings::{After, Reference, Schedule, Stage},
};

/// What is wrong with a file that begins well and goes on with `text`.
fn problems(text: &str) -> String {
    let text = format!("seed = 1\nbatches = 10\n[sample.first]\nfiles = [\"a.jsonl\"]\nrows = 1\n{text}");
    let mut lines = Vec::new();
    for problem in spec::read(&text, &Catalogue::default()).problems {
        let help = problem.help.map_or(String::new(), |help| format!(" ({help})"));
        lines.push(format!("{:?}: {}{help}", &text[problem.span], problem.message));
    }
    lines.join("\n")
}

#[test]
fn what_waits_says_for_what_and_its_points() {
    let alpha =
        |alpha: &str| problems(&format!("[loss.l]\nfrom = \"d\"\ncombine = {{ weighted = {{ alpha = {alpha} }} }}"));
    assert_eq!(alpha("{ after = \"x\", points = [[0, 0.0], [9, 0.5]] }"), "");
    assert_snapshot!(alpha("{ after = \"x\" }"), @r#""alpha": `loss.l.combine.weighted.alpha` needs `points` (add `points = …`)"#);
    assert_snapshot!(alpha("{ points = [[0, 1]] }"), @r#""alpha": `loss.l.combine.weighted.alpha` needs `after` (add `after = …`)"#);
    assert_snapshot!(alpha("{ afer = \"x\", points = [[0, 1]] }"), @r#""afer": `loss.l.combine.weighted.alpha` has no key `afer` (did you mean `after`? valid are `after` and `points`)"#);
    assert_snapshot!(alpha("{ after = 3, points = [[0, 2.0]] }"), @r#"
    "3": `after` must be a string, not 3 (`after`: The milestone from which batches are counted)
    "2.0": `points` must be a number, at least 0 and at most 1, not 2.0 (`points`: linear between these points and constant outside)
    "#);
    assert_snapshot!(alpha("{ after = \"x\", points = [[5, 0.1], [5, 0.2]] }"), @r#""[5, 0.2]": batch 5 of `points` does not come after 5 (give the points in rising order of batch)"#);
    assert_snapshot!(alpha("{ after = \"x\", points = [] }"), @r#""[]": `points` must not be empty (`points`: linear between these points and constant outside)"#);
}

#[test]
fn a_milestone_says_of_what_loss_it_is_and_its_bound() {
    assert_snapshot!(problems("[milestone.x]"), @r#"
    "x": `milestone.x` needs `loss_of` (add `loss_of = …`)
    "x": `milestone.x` needs `below` (add `below = …`)
    "#);
    assert_snapshot!(problems("[milestone.x]\nloss_of = \"t\"\nbelow = 0\ndecay = 1"), @r#"
    "0": `below` must be a number, above 0, not 0 (`below`: The bound: in nats per token of the targets, or of d where M trains on a distance of texts)
    "1": `decay` must be a number, at least 0 and below 1, not 1 (`decay`: Decay per batch of the running mean)
    "#);
}

fn waiting(points: Vec<(u64, f64)>) -> Schedule {
    Schedule::After(Box::new(After { after: Reference { name: "x".to_owned(), span: 0..0 }, points }))
}

#[test]
fn what_waits_may_have_any_of_its_values() {
    let schedule = waiting(vec![(10, 0.0), (20, 1.0), (40, 0.5)]);
    assert_eq!([0, 15, 99].map(|batch| schedule.at(batch)), [0.0; 3]);
    assert_eq!([0, 30, 99].map(|batch| schedule.range_from(batch)), [(0.0, 1.0); 3]);
    assert_eq!(schedule.first_above_zero(99), Some(11));
    assert_eq!(waiting(vec![(10, 0.0)]).first_above_zero(99), None);
}

/// Whatever kind of thing has it, a number that waits is found and replaced.
#[test]
fn all_that_waits_in_a_file_is_the_points_of_the_run_afterwards() {
    let text = "seed = 1
batches = 9
[human.h]
learned = { from = \"g\", model = \"m\", share = WAITS }
[amplify.a]
model = \"m\"
human = \"h\"
call_human = { probability = WAITS }
temperature = WAITS
[debate.d]
from = \"q\"
speaker = \"a\"
overseer = \"a\"
max_turns = 2
sufficient = { biased = WAITS }
[loss.l]
from = \"d\"
penalty = WAITS
baseline_decay = WAITS
combine = { weighted = { alpha = WAITS } }
[loss.limited]
from = \"d\"
penalty = { lagrangian = { limit = 0.5, step = WAITS, initial = 1 } }
combine = { weighted = { alpha = WAITS } }
[train.t]
from = \"l\"
model = \"m\"
entropy = WAITS
kl = { to = \"n\", weight = WAITS }
adamw = { learning_rate = WAITS, betas = [WAITS, WAITS], epsilon = WAITS, weight_decay = WAITS, clip = WAITS }
[sync.s]
after = \"t\"
from_model = \"m\"
to_model = \"n\"
polyak = WAITS
[answer.w]
from = \"q\"
model = { name = \"m\", temperature = WAITS }
";
    let read = |schedule: &str| -> Pipeline {
        let reading = spec::read(&text.replace("WAITS", schedule), &Catalogue::default());
        assert_eq!(reading.problems, []);
        reading.pipeline
    };
    let waiting = read("{ after = \"x\", points = [[0, 0.25], [5, 0.5]] }");
    assert_eq!(waiting.awaited().len(), text.matches("WAITS").count());
    let reached = |batch| BTreeMap::from([("x".to_owned(), batch)]);
    assert_eq!(waiting.since(&reached(3)).to_toml(), read("[[3, 0.25], [8, 0.5]]").to_toml());
    assert_eq!(waiting.since(&BTreeMap::from([("y".to_owned(), 3)])).to_toml(), waiting.to_toml());
    let since = waiting.since(&reached(0));
    let Stage::Loss(loss) = &since.stages[1].settings else { panic!("not a loss") };
    assert_eq!(loss.baseline_decay, Schedule::Points(vec![(0, 0.25), (5, 0.5)]));
}

proptest! {
    #[test]
    fn a_milestone_moves_the_points_by_the_batch_at_which_it_was_reached(
        points in prop::collection::btree_map(0..1000u64, 0.5..9.0, 1..5),
        reached in 0..1000u64,
        batch in 0..3000u64,
    ) {
        let points: Vec<(u64, f64)> = points.into_iter().collect();
        let since = waiting(points.clone()).since(&BTreeMap::from([("x".to_owned(), reached)]));
        prop_assert_eq!(&since, &Schedule::Points(points.iter().map(|(at, value)| (at + reached, *value)).collect()));
        // What stages find at the batch at which it is reached, they find whether or not they know of it.
        prop_assert_eq!(since.at(batch.min(reached)), waiting(points.clone()).at(batch));
        let at = Schedule::Points(points).at(batch.saturating_sub(reached));
        prop_assert_eq!(since.at(batch).to_bits(), at.to_bits());
    }
}
