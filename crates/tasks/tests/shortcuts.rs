//! What can be told from a question's surface alone: by a logistic regression on its length and on how often each word
//! occurs, as a model's tokens show them. The figures stand in the crate's docs.

use debate::draw::Draw;
use spec::settings;
use std::collections::BTreeMap;
use tasks::{Generator, Task};

const QUESTIONS: usize = 3000;
const STEPS: usize = 250;
const LEARNING_RATE: f64 = 0.2;

/// A question's features, each with its column, and whether its answer is the true one.
type Row = (Vec<(usize, f64)>, bool);

/// Accuracy, in percent, on as many fresh questions as it was fitted to, for each depth.
#[track_caller]
fn check(task: Task, exclude: &[u32], expect: &[f64]) {
    for (depth, expect) in expect.iter().enumerate() {
        let rows = rows(task, depth as u32, exclude);
        let (train, test) = rows.split_at(QUESTIONS);
        let weights = fit(train);
        let right = test.iter().filter(|(features, truth)| (score(&weights, features) > 0.0) == *truth).count();
        let percent = 100.0 * right as f64 / test.len() as f64;
        assert!((percent - expect).abs() < 3.0, "{task:?} of depth {depth}: {percent} % where {expect} % is expected");
    }
}

#[test]
fn webs_of_lies_have_none() {
    check(Task::WebOfLies, &[], &[100.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0]);
}

#[test]
fn boolean_expressions_have_few() {
    check(Task::BooleanExpressions, &[8], &[100.0, 81.0, 60.0, 54.0, 54.0, 57.0, 59.0, 64.0]);
}

fn rows(task: Task, depth: u32, exclude: &[u32]) -> Vec<Row> {
    let depth = (depth, depth);
    let settings =
        settings::Task { name: task.name().to_owned(), depth, exclude_words: exclude.to_vec(), trigger: 0.0 };
    let generator = Generator::new(&settings).expect("the depths are those of the task");
    let mut columns = BTreeMap::new();
    let mut row = |ordinal| {
        let question = generator.question(Draw::new(3).at(ordinal));
        let column = |(name, count)| {
            let next = columns.len();
            (*columns.entry(name).or_insert(next), count)
        };
        (features(task, &question.text).into_iter().map(column).collect(), question.gold == task.answers()[1])
    };
    (0..2 * QUESTIONS as u64).map(&mut row).collect()
}

/// A constant, the length, and the count of each word, phrases being words.
fn features(task: Task, text: &str) -> BTreeMap<String, f64> {
    let one_word = |text: String, phrase: &str| text.replace(phrase, &phrase.replace(' ', "-"));
    let text = task.phrases().into_iter().fold(text.replace(['.', '?', ':'], " "), one_word);
    let length = text.split_whitespace().count();
    let mut features = BTreeMap::from([("constant".to_owned(), 1.0), (format!("{length} words"), 1.0)]);
    for word in text.split_whitespace() {
        *features.entry(word.to_owned()).or_default() += 1.0;
    }
    features
}

fn score(weights: &[f64], features: &[(usize, f64)]) -> f64 {
    // A name may occur among the questions tested alone.
    features.iter().map(|(column, count)| weights.get(*column).unwrap_or(&0.0) * count).sum()
}

/// Gradient descent with momentum on the mean cross-entropy.
fn fit(rows: &[Row]) -> Vec<f64> {
    let columns = 1 + rows.iter().flat_map(|row| &row.0).map(|feature| feature.0).max().unwrap_or(0);
    let (mut weights, mut momentum) = (vec![0.0; columns], vec![0.0; columns]);
    for _ in 0..STEPS {
        momentum.iter_mut().for_each(|momentum| *momentum *= 0.9);
        for (features, truth) in rows {
            let error = 1.0 / (1.0 + (-score(&weights, features)).exp()) - f64::from(u8::from(*truth));
            for (column, count) in features {
                momentum[*column] += error * count / rows.len() as f64;
            }
        }
        weights.iter_mut().zip(&momentum).for_each(|(weight, momentum)| *weight -= LEARNING_RATE * momentum);
    }
    weights
}
