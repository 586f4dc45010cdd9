//! The rows of an evaluation: what each answers and costs, and how sure it is.

use batch::Run;
use debate::{cost::Cost, draw::Draw};
use elenchus::results::{
    bootstrap::{Interval, difference, interval, resampled},
    figures::{Accuracy, accuracies, label},
};
use std::{collections::BTreeMap, path::Path};
use tests::{changed, load, run, small};

const ROWS: &str = r#"["naive", "human", "amplified", { hch = 1 }, { hch = 9 }, "debate", { best_of = 4 }, "no-transcript", "consultancy", "expert"]"#;

fn source(task: &str, changes: &[(&str, &str)]) -> String {
    let rows = format!("every = 2\nrows = {ROWS}");
    changed(&changed(&small(task, 2), &[("every = 2", rows)]), changes)
}

fn evaluated(source: &str, root: &Path) -> (Accuracy, BTreeMap<String, Vec<String>>) {
    run(source, root);
    let run = Run::open(root).unwrap();
    let accuracy = accuracies(&run, &load(source).pipeline).unwrap().remove(0);
    let answers = run.table("held_out.answers", 1).unwrap();
    let text = |name: &str| elenchus::stages::tables::texts(&answers, name).unwrap();
    let mut by_row: BTreeMap<String, Vec<String>> = BTreeMap::new();
    text("row").into_iter().zip(text("answer")).for_each(|(row, answer)| by_row.entry(row).or_default().push(answer));
    (accuracy, by_row)
}

fn cost(accuracy: &Accuracy, row: &str) -> Cost {
    accuracy.rows.iter().find(|answered| answered.row == row).unwrap().cost.unwrap()
}

fn share(accuracy: &Accuracy, row: &str) -> f64 {
    accuracy.rows.iter().find(|answered| answered.row == row).unwrap().all().accuracy()
}

#[test]
fn every_row_answers_all_questions_at_its_price() {
    for (task, answers) in [("web-of-lies", ["No", "Yes"]), ("boolean-expressions", ["False", "True"])] {
        let folder = tempfile::tempdir().unwrap();
        let (accuracy, said) = evaluated(&source(task, &[]), &folder.path().join("run"));
        assert!(accuracy.rows.iter().all(|answered| answered.all().total == 12), "{task}");
        let calls = |row: &str| cost(&accuracy, row).human_calls;
        let tokens = |row: &str| (cost(&accuracy, row).tokens_read, cost(&accuracy, row).tokens_written);

        assert_eq!((calls("naive"), calls("human"), calls("amplified")), (0, 12, 12));
        assert!(tokens("naive") > (0, 0) && tokens("human") == (0, 0) && tokens("amplified") > (0, 0));
        assert_eq!(said["hch-1"], said["amplified"]);
        assert_eq!(calls("hch-1"), 12);
        // Deeper than any question: whoever asks comes down to what is stated, and M is not needed.
        assert_eq!((share(&accuracy, "hch-9"), tokens("hch-9")), (1.0, (0, 0)), "{task}");
        assert!(calls("hch-9") > 12);
        // A verdict each; and M's argument is the only one of the consultant.
        assert_eq!((calls("no-transcript"), calls("consultancy"), calls("expert")), (12, 12, 12));
        assert!(calls("debate") >= 12 && calls("debate") <= 24);
        // No verdict of two answers that are the same.
        assert!(calls("best-of-4") <= 36 && tokens("best-of-4") > tokens("naive"));
        for row in ["no-transcript", "consultancy", "expert"] {
            assert!(said[row].iter().all(|answer| answers.contains(&answer.as_str())), "{row}: {:?}", said[row]);
        }
    }
}

#[test]
fn a_judge_without_a_transcript_works_it_out() {
    // What these questions rest on is stated in them, so H needs nobody to tell the right answer from the other.
    let shallow = [("depth = [0, 3]", "depth = [0, 1]")];
    let folder = tempfile::tempdir().unwrap();
    let (accuracy, _) = evaluated(&source("web-of-lies", &shallow), &folder.path().join("run"));
    assert_eq!((share(&accuracy, "no-transcript"), share(&accuracy, "human")), (1.0, 1.0));
    assert_eq!(cost(&accuracy, "no-transcript"), Cost { human_calls: 12, ..Cost::default() });
}

#[test]
fn a_debate_of_one_argument_is_its_only_sides() {
    let changes = [("max_turns = 2", "max_turns = 1"), ("alpha = 0.5", "alpha = 0.0")];
    let folder = tempfile::tempdir().unwrap();
    let (accuracy, said) = evaluated(&source("web-of-lies", &changes), &folder.path().join("run"));
    let stated = |answer: &String| debate::question::stated(answer).to_owned();
    assert_eq!(said["debate"], said["naive"].iter().map(stated).collect::<Vec<_>>());
    assert_eq!(cost(&accuracy, "debate"), cost(&accuracy, "naive"));
}

#[test]
fn an_evaluation_is_the_same_on_any_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    let (_, said) = evaluated(&source("web-of-lies", &[("seed = 3", "seed = 3\nworkers = 1")]), &one);
    let (_, again) = evaluated(&source("web-of-lies", &[("seed = 3", "seed = 3\nworkers = 3")]), &other);
    assert_eq!(said, again);
}

#[test]
fn intervals_are_of_rows_and_of_pairs() {
    let half: Vec<bool> = (0..100).map(|i| i % 2 == 0).collect();
    let more: Vec<bool> = (0..100).map(|i| i % 2 == 0 || i < 20).collect();
    let shares = resampled(&[half.clone(), more.clone(), vec![true; 100]], Draw::new(3));
    let close = |interval: Option<Interval>, low: f64, high: f64| {
        let Interval { low: found_low, high: found_high } = interval.unwrap();
        assert!((found_low - low).abs() < 0.021 && (found_high - high).abs() < 0.021, "{found_low} {found_high}");
    };
    // Binomial: 0.5 ± 1.96·0.05, and 0.6 ± 1.96·0.049.
    close(interval(shares[0].clone()), 0.402, 0.598);
    close(interval(shares[1].clone()), 0.504, 0.696);
    assert_eq!(interval(shares[2].clone()), Some(Interval { low: 1.0, high: 1.0 }));
    // Ten of a hundred questions differ, all one way: 0.1 ± 1.96·0.03, far from nothing.
    close(difference(&shares[1], &shares[0]), 0.041, 0.159);
    assert_eq!(difference(&shares[1], &shares[1]), Some(Interval { low: 0.0, high: 0.0 }));
    assert_eq!(
        resampled(std::slice::from_ref(&half), Draw::new(3))[0],
        shares[0],
        "a row beside others has the same draws"
    );
    assert_ne!(resampled(&[half], Draw::new(4))[0], shares[0]);
    assert_eq!(resampled(&[], Draw::new(3)), Vec::<Vec<f64>>::new());
    assert_eq!(interval(resampled(&[vec![]], Draw::new(3)).remove(0)), None, "no questions, no interval");
}

#[test]
fn rows_have_names_for_people() {
    let check = |row: &str, expect: &str| assert_eq!(label(row), expect);
    check("naive", "M alone");
    check("amplified", "H with M");
    check("hch-2", "HCH to 2");
    check("best-of-4", "best of 4");
    check("no-transcript", "no transcript");
    check("debate", "debate");
}
