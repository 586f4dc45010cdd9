//! The order of execution: a stage after all that it waits for, and otherwise as in the file. What is left over when
//! nothing more can be next stands in a circle, or waits for one.

use spec::{Pipeline, Problem, problem::list};

use crate::{shapes, wiring::Wires};

/// The stages, by their place in the file, in the order of execution. Of each circle the problem is told, and the
/// circle taken for done, so that a second one is found too.
pub(crate) fn order(pipeline: &Pipeline, wires: &[Wires], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < wires.len() {
        let done = |stage: &usize| order.contains(stage);
        let mut open = (0..wires.len()).filter(|stage| !done(stage));
        match open.clone().find(|&stage| wires[stage].before().iter().all(done)) {
            Some(next) => order.push(next),
            None => {
                let first = open.next().expect("the order is not complete");
                let circle = circle(first, |stage| {
                    let waited_for = wires[stage].before().into_iter().find(|other| !done(other));
                    waited_for.expect("a stage that is not next waits for another")
                });
                problems.push(problem(pipeline, &circle));
                order.extend(circle);
            }
        }
    }
    order
}

/// Follows what each waits for, until one comes again.
fn circle(first: usize, waits_for: impl Fn(usize) -> usize) -> Vec<usize> {
    let mut path = vec![first];
    loop {
        let next = waits_for(path[path.len() - 1]);
        if let Some(start) = path.iter().position(|&stage| stage == next) {
            return path.split_off(start);
        }
        path.push(next);
    }
}

fn problem(pipeline: &Pipeline, circle: &[usize]) -> Problem {
    let names: Vec<&str> = circle.iter().map(|&stage| pipeline.stages[stage].name.as_str()).collect();
    let round = [&names[..], &names[..1]].concat().join(" → ");
    let first = &pipeline.stages[circle[0]];
    let waits = if shapes::inputs(&first.settings).is_empty() { "after" } else { "from" };
    let key = format!("{}.{}.{waits}", first.settings.kind(), first.name);
    let message = match names[..] {
        [alone] => format!("`{alone}` waits for itself"),
        _ => format!("{} wait for each other in a circle", list(names)),
    };
    Problem::new(pipeline.places.of(&key), message)
        .labelled("the circle is closed here")
        .help(format!("{round}: let one of them come after another stage, or take another table"))
}
