//! A model in H's place in runs: where H answers all it changes nothing but what is noted beside, where H answers none it
//! is never called, and what H did is what the model learns.

use batch::Run;
use debate::trace::{Call, Part};
use elenchus::stages::tables;
use std::collections::BTreeSet;
use tests::{assert_resumes, load, made, small};

const LEARNING: &str = r#"
[model.imitator]
new = { layers = 1, width = 16, heads = 2, context = 220 }

[human.understudy]
learned = { from = "expert", model = "imitator", share = SHARE }

[loss.moves]
from = ["arguments", "verdicts"]
steps_of = "understudy"
combine = { weighted = { alpha = 0.0 } }

[train.imitator_step]
from = "moves"
model = "imitator"
adamw = { learning_rate = 1e-2 }
"#;

/// Debates in which a model stands in for H on both sides and as judge.
pub fn learning(share: &str, batches: u64) -> String {
    let source = small("web-of-lies", batches).replace("human = \"expert\"", "human = \"understudy\"\nrounds = 2");
    source + &LEARNING.replace("SHARE", share)
}

fn calls(run: &Run, stage: &str, batch: u64) -> Vec<Call> {
    tables::to_calls(&run.table(&format!("{stage}.calls"), batch).unwrap()).unwrap()
}

/// Somebody else has the model in H's place, so that words and weights are the same.
const ELSEWHERE: &str = r#"
[amplify.imitated]
model = "agent"
human = "understudy"
call_human = "always"
rounds = 2

[debate.imitated]
from = "questions"
speaker = "imitated"
overseer = "imitated"
max_turns = 1
"#;

#[test]
fn a_share_of_one_is_h_itself() {
    let folder = tempfile::tempdir().unwrap();
    let learned = made(&learning("1.0", 4), &folder.path().join("learned"));
    let elsewhere = LEARNING.replace("SHARE", "1.0").replace("[\"arguments\", \"verdicts\"]", "\"imitated\"");
    let alone = small("web-of-lies", 4) + ELSEWHERE + &elsewhere;
    let alone = made(&alone, &folder.path().join("alone"));
    for batch in 0..4 {
        for table in ["arguments", "arguments.calls", "verdicts", "verdicts.calls", "objective"] {
            let [learned, alone] = [&learned, &alone].map(|run| run.table(table, batch).unwrap());
            assert!(learned.equals_missing(&alone), "{table} of batch {batch}");
        }
        let human = |run: &Run| run.lines()[batch as usize].metrics["arguments.human_calls"];
        assert_eq!(human(&learned), human(&alone));
    }
}

#[test]
fn a_share_of_zero_never_calls_h() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&learning("0.0", 2), &folder.path().join("run"));
    for batch in 0..2 {
        let metrics = &run.lines()[batch as usize].metrics;
        assert_eq!((metrics["arguments.human_calls"], metrics["verdicts.human_calls"]), (0.0, 0.0));
        assert!(!metrics.keys().any(|name| name.ends_with("_agreement")), "there is nothing to agree with");
        let called: Vec<Call> =
            calls(&run, "arguments", batch).into_iter().filter(|it| it.part == Part::Human).collect();
        assert!(!called.is_empty() && called.iter().all(|call| call.learned));
        assert_eq!(run.table("moves", batch).unwrap().height(), 0);
    }
}

/// Each move of H is an example with the tokens that it has in the table, and none of the model's is.
#[test]
fn what_h_did_is_what_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let source = learning("[[0, 1.0], [1, 0.5]]", 6);
    let run = made(&source, &folder.path().join("run"));
    let tokenizer = load(&source).tokenizer;
    let mut by = BTreeSet::new();
    for batch in 0..6 {
        let mut expected = Vec::new();
        let (mut agreed, mut all) = (0.0, 0.0);
        for stage in ["arguments", "verdicts"] {
            let steps = run.table(&format!("{stage}.steps"), batch).unwrap();
            let text = |column: &str| tables::texts(&steps, column).unwrap();
            let (said, own, who, prompt) = (text("said"), text("own"), text("by"), text("prompt"));
            let (given, tokens) =
                (tables::list_u32(&steps, "prompt_tokens").unwrap(), tables::list_u32(&steps, "tokens").unwrap());
            for row in 0..steps.height() {
                by.insert(who[row].clone());
                let (given, tokens) = (given[row].clone().unwrap(), tokens[row].clone().unwrap());
                assert_eq!(given, tokenizer.prompt(&prompt[row]));
                if who[row] == "human" {
                    assert_eq!(tokens, tokenizer.answer(&said[row]));
                    assert!(said[row].starts_with("H asks:") || said[row].starts_with("H answers:"));
                    expected.push([given, tokens].concat());
                    let same = debate::question::same(&said[row], &own[row]);
                    if stage == "arguments" {
                        (agreed, all) = (agreed + f64::from(u8::from(same)), all + 1.0);
                    }
                } else {
                    assert_eq!(said[row], own[row]);
                }
            }
        }
        let examples = run.table("moves", batch).unwrap();
        let tokens: Vec<Vec<u32>> = tables::list_u32(&examples, "tokens").unwrap().into_iter().flatten().collect();
        assert_eq!(tokens, expected);
        let metrics = &run.lines()[batch as usize].metrics;
        assert_eq!(metrics["arguments.understudy_agreement"], agreed / all);
        assert!(metrics.contains_key("imitator_step.supervised_loss"));
    }
    assert_eq!(by, BTreeSet::from(["human".to_owned(), "learned".to_owned()]));
}

#[test]
fn a_run_with_a_learned_human_resumes_to_the_same_bytes() {
    let source = learning("[[0, 1.0], [4, 0.3]]", 7);
    assert_resumes(&source, 5);
}

/// With enough of them the model comes to make the moves that H makes.
#[test]
fn it_comes_to_do_what_h_does() {
    let folder = tempfile::tempdir().unwrap();
    let source = learning("1.0", 60)
        .replace("rows = 6", "rows = 24")
        .replace("max_turns = 2", "max_turns = 1")
        .replace("alpha = 0.5", "alpha = 0.0")
        .replace("depth = [0, 3]", "depth = [0, 1]");
    let run = made(&source, &folder.path().join("run"));
    let agreement = |batch: usize| run.lines()[batch].metrics["arguments.understudy_agreement"];
    assert_eq!(agreement(0), 0.0);
    let last = (50..60).map(agreement).sum::<f64>() / 10.0;
    assert!(last > 0.3, "it does what H does in {last} of the moves");
}
