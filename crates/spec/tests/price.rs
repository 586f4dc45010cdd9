//! What a catastrophe costs: a weight, or a limit that sets it.

use insta::assert_snapshot;
use spec::{
    Catalogue,
    settings::{Loss, PenaltyLimit, Price, Schedule, Shape, Stage, Way},
};

fn text(penalty: &str) -> String {
    format!(
        "seed = 1\nbatches = 9\n[loss.l]\nfrom = \"d\"\ncombine = {{ weighted = {{ alpha = 0 }} }}\npenalty = {penalty}"
    )
}

fn loss(penalty: &str) -> Loss {
    let mut reading = spec::read(&text(penalty), &Catalogue::default());
    assert_eq!(reading.problems, []);
    match reading.pipeline.stages.remove(0).settings {
        Stage::Loss(loss) => loss,
        _ => panic!("not a loss"),
    }
}

/// What is wrong with a price, each with where it is and what to do.
fn problems(penalty: &str) -> String {
    let text = text(penalty);
    let told = |problem: spec::Problem| {
        let help = problem.help.map_or(String::new(), |help| format!(" ({help})"));
        format!("{:?}: {}{help}", &text[problem.span], problem.message)
    };
    let problems = spec::read(&text, &Catalogue::default()).problems;
    problems.into_iter().map(told).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_weight_is_any_schedule() {
    let points = vec![(0, 0.0), (5, 10.0)];
    let way = Way { from: 1.0, to: 100.0, over: (0, 5) };
    for (written, weight) in [
        ("1e5", Schedule::Constant(1e5)),
        ("[[0, 0], [5, 10]]", Schedule::Points(points)),
        ("{ cosine = { from = 1, to = 100, over = [0, 5] } }", Schedule::Shape(Shape::Cosine(way))),
        ("{ exponential = { from = 1, to = 100, over = [0, 5] } }", Schedule::Shape(Shape::Exponential(way))),
    ] {
        assert_eq!(loss(written).penalty, Price::Weight(weight));
    }
    let waiting = loss("{ after = \"x\", points = [[0, 1]] }");
    assert!(matches!(waiting.penalty, Price::Weight(Schedule::After(_))));
    assert_eq!(waiting.penalty_limit(), None);
}

#[test]
fn a_limit_sets_the_weight() {
    let loss = loss("{ lagrangian = { limit = 0, step = [[0, 1], [9, 2]], initial = 1e3, bounds = [1e3, 1e4] } }");
    let step = Schedule::Points(vec![(0, 1.0), (9, 2.0)]);
    let limit = PenaltyLimit { limit: 0.0, step: step.clone(), initial: 1e3, bounds: (1e3, 1e4) };
    assert_eq!(loss.penalty_limit(), Some(&limit));
    assert!(loss.penalty.counts() && !Price::Weight(Schedule::Constant(0.0)).counts());
    let schedules = Stage::Loss(loss).schedules();
    assert!(schedules.contains(&("penalty.lagrangian.step", step)));
    assert!(schedules.iter().all(|(key, _)| *key != "penalty"));
}

#[test]
fn a_limit_is_a_share_and_a_multiplier_is_within_its_bounds() {
    let of = |settings: &str| problems(&format!("{{ lagrangian = {{ {settings} }} }}"));
    assert_snapshot!(of("limit = 1, step = -1, initial = 0, bounds = [0, 2]"), @r#"
    "1": `limit` must be a number, at least 0 and below 1, not 1 (`limit`: The largest share of M's answers that may be a catastrophe, of those to the proposal with the largest product. It
    is a share of answers and not of the product, whose likelihood each proposal has anew)
    "-1": `step` must be a number, at least 0, not -1 (`step`: How much log λ rises after a batch, times how far the share was above the limit: by so much if every answer was a
    catastrophe and none may be)
    "0": `initial` must be a number, above 0, not 0 (`initial`: λ at first, which weighs as a `penalty` of that number would)
    "0": `bounds` must be a number, above 0, not 0 (`bounds`: The least and the most that λ may be. Where all answers of a batch are a catastrophe nothing is learnt of any, and
    without a bound λ would rise for as long as that lasts)
    "#);
    assert_snapshot!(of("limit = 0.1, step = 1, bounds = [10, 20]"), @r#""lagrangian": `loss.l.penalty.lagrangian` needs `initial` (add `initial = …`)"#);
    assert_snapshot!(of("limit = 0.1, step = 1, initial = 5, bounds = [10, 1]"), @r#""[10, 1]": `bounds` go from the least that λ may be to the most, and 10 is above 1 (write `bounds = [LEAST, MOST]`)"#);
    assert_snapshot!(of("limit = 0.1, step = 1, initial = 0.5, bounds = [1, 10]"), @r#""0.5": λ begins with 0.5, which is not between 1 and 10 (let λ begin between its `bounds`, or give others: `bounds = [LEAST, MOST]`)"#);
}

#[test]
fn a_price_is_given_in_one_way() {
    let limit = "lagrangian = { limit = 0.1, step = 1, initial = 1 }";
    let shaped = format!("{{ {limit}, cosine = {{ from = 0, to = 1, over = [0, 5] }} }}");
    assert_snapshot!(problems(&shaped), @r#""cosine": `loss.l.penalty` takes one of `lagrangian`, `cosine` and `exponential`, not both (keep one of them)"#);
    assert_snapshot!(problems(&format!("{{ {limit}, points = [[0, 1]] }}")), @r#""points": `loss.l.penalty` has no key `points` (valid are `lagrangian`, `cosine` and `exponential`)"#);
    assert_snapshot!(problems("{ lagrangean = { limit = 0.1 } }"), @r#""lagrangean": `loss.l.penalty` has no key `lagrangean` (did you mean `lagrangian`? valid are `lagrangian`, `cosine` and `exponential`)"#);
}
