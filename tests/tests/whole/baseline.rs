//! What rewards are held against, in whole runs.

use debate::judge::Side;
use elenchus::stages::{states::Baseline, tables};
use std::collections::{BTreeMap, BTreeSet};
use tests::{assert_resumes, changed, made, small};

/// Debates of two arguments, four on each question, with changes of the loss and of what draws questions.
fn debating(loss: &str, sample: &str, batches: u64) -> String {
    let changes = [
        ("max_turns = 2", "max_turns = 2\nsufficient = \"never\"".to_owned()),
        ("rows = 6", format!("rows = 24\n{sample}")),
        ("[loss.objective]", format!("[loss.objective]\n{loss}")),
    ];
    changed(&small("web-of-lies", batches), &changes)
}

const GROUPS: &str = "baseline = \"group\"";
const REPEAT: &str = "repeat = 4";

#[test]
fn each_question_comes_so_often_and_each_time_is_debated_anew() {
    let folder = tempfile::tempdir().unwrap();
    let several = made(&debating(GROUPS, REPEAT, 3), &folder.path().join("several"));
    let once = made(&debating("", "", 3).replace("rows = 24", "rows = 6"), &folder.path().join("once"));
    let (mut ids, mut differing) = (BTreeSet::new(), 0);
    for batch in 0..3 {
        let [questions, gold] = ["questions", "questions.gold"].map(|table| several.table(table, batch).unwrap());
        let texts = tables::texts(&questions, "text").unwrap();
        let drawn = tables::texts(&once.table("questions", batch).unwrap(), "text").unwrap();
        assert_eq!(texts, drawn.iter().flat_map(|text| vec![text.clone(); 4]).collect::<Vec<_>>());
        let answers = tables::texts(&gold, "gold").unwrap();
        assert!(answers.chunks(4).all(|same| same.iter().all(|answer| *answer == same[0])));
        let of_batch = tables::u64s(&questions, "id").unwrap();
        assert_eq!(of_batch, tables::u64s(&gold, "id").unwrap());
        assert!(of_batch.iter().all(|id| ids.insert(*id)), "each has an id of its own");
        let arguments = tables::texts(&several.table("arguments", batch).unwrap(), "text").unwrap();
        differing += arguments.chunks(8).filter(|group| group.chunks(2).any(|debate| debate != &group[..2])).count();
    }
    assert!(differing > 12, "{differing} of 18 groups have debates that differ");
}

/// The advantages are what the committed tables say: α times the reward less the mean of those on the same question.
#[test]
fn advantages_are_those_of_the_group() {
    let folder = tempfile::tempdir().unwrap();
    for (loss, scaled) in [(GROUPS.to_owned(), false), (format!("{GROUPS}\nscale = \"std\""), true)] {
        let run = made(&debating(&loss, REPEAT, 4), &folder.path().join(scaled.to_string()));
        let (mut earned, mut idle) = (0, 0);
        for batch in 0..4 {
            let questions = run.table("questions", batch).unwrap();
            let texts = tables::texts(&questions, "text").unwrap();
            let texts: BTreeMap<u64, String> = tables::u64s(&questions, "id").unwrap().into_iter().zip(texts).collect();
            let verdicts = run.table("verdicts", batch).unwrap();
            let ids = tables::u64s(&verdicts, "question").unwrap();
            let rewards = verdicts.column("reward").unwrap().f32().unwrap().iter();
            let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
            for (id, reward) in ids.iter().zip(rewards) {
                groups.entry(&texts[id]).or_default().extend(reward.map(f64::from));
            }
            let examples = run.table("objective", batch).unwrap();
            let (questions, turns) =
                (tables::u64s(&examples, "question").unwrap(), tables::u32s(&examples, "turn").unwrap());
            let column = |name: &str| examples.column(name).unwrap().f32().unwrap().iter().collect::<Vec<_>>();
            for (i, (reward, advantage)) in column("reward").into_iter().zip(column("advantage")).enumerate() {
                let group = &groups[texts[&questions[i]].as_str()];
                let mean = group.iter().sum::<f64>() / group.len() as f64;
                let deviation = (group.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / group.len() as f64).sqrt();
                let Some(reward) = reward.filter(|_| deviation > 0.0) else {
                    assert_eq!(advantage, None);
                    continue;
                };
                let mean = if turns[i].is_multiple_of(2) { mean } else { -mean };
                let expected = 0.5 * (f64::from(reward) - mean) / if scaled { deviation } else { 1.0 };
                assert!((f64::from(advantage.unwrap()) - expected).abs() < 1e-6);
                earned += 1;
            }
            let telling =
                groups.values().filter(|it| it.contains(&1.0) && it.contains(&-1.0)).map(Vec::len).sum::<usize>();
            let all = groups.values().map(Vec::len).sum::<usize>();
            idle += all - telling;
            assert!(
                (run.lines()[batch as usize].metrics["objective.telling"] - telling as f64 / all as f64).abs() < 1e-9
            );
        }
        assert!(earned > 0 && idle > 0, "{earned} answers earned, and {idle} debates came to the same as all others");
    }
}

#[test]
fn runs_with_other_baselines_resume_to_the_same_bytes() {
    for (loss, sample) in [(GROUPS, REPEAT), ("baseline = \"depth\"", "")] {
        assert_resumes(&debating(loss, sample, 5), 4);
    }
}

/// Over the rows of a file, each so often, the last batch has what is left, and a group is never parted.
#[test]
fn the_last_batch_has_whole_groups() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("questions.jsonl");
    let rows: String = (0..5).map(|i| format!("{{\"question\": \"question {i}\"}}\n")).collect();
    std::fs::write(&file, rows).unwrap();
    let source = format!(
        "seed = 1\n[human.expert]\nscript = \"web-of-lies\"\n[sample.q]\nfiles = {file:?}\nrows = 6\nrepeat = 3\n\
         [filter.all]\nfrom = \"q\"\ncondition = \"id >= 0\""
    );
    let run = made(&source, &folder.path().join("run"));
    let texts: Vec<Vec<String>> =
        run.tables("q").map(|table| tables::texts(&table.unwrap(), "text").unwrap()).collect();
    assert_eq!(texts.iter().map(Vec::len).collect::<Vec<_>>(), [6, 6, 3]);
    let expected: Vec<String> = (0..15).map(|row| format!("question {}", row / 3)).collect();
    assert_eq!(texts.concat(), expected);
}

#[test]
fn means_are_kept_apart_by_depth_and_begin_as_that_of_the_side() {
    let mut baseline = Baseline::default();
    baseline.follow(Side::Even, 0.4, 0.5);
    assert_eq!([0, 2].map(|depth| baseline.at(Side::Even, depth)), [0.4; 2]);
    baseline.follow_at(Side::Even, 2, -1.0, 0.5);
    baseline.follow_at(Side::Even, 2, 0.0, 0.5);
    let at = [(Side::Even, 0), (Side::Even, 2), (Side::Odd, 2)].map(|(side, depth)| baseline.at(side, depth));
    assert_eq!(at, [0.4, -0.5, -0.4]);
    let read: Baseline = serde_json::from_str(&serde_json::to_string(&baseline).unwrap()).unwrap();
    assert_eq!(read, baseline);
}
