//! `distance = "kl"` in runs: what of a model in H's place is kept, and the loss that comes of it, by another way to both.

use crate::understudy;
use batch::Run;
use elenchus::stages::tables;
use model::{Llama, Model, Tokenizer};
use polars::prelude::DataFrame;
use tch::{Device, Kind, Tensor};
use tests::{assert_resumes, load, made};

/// Debates in which a model stands in for H, by whose words or distributions M learns.
fn learning(distance: &str, share: &str, batches: u64) -> String {
    let distance = format!("[loss.objective]\ndistance = \"{distance}\"");
    understudy::learning(share, batches).replace("[loss.objective]", &distance)
}

fn columns(table: &DataFrame) -> String {
    table.get_column_names().iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_stands_in_for_h_is_told_with_its_distributions() {
    let folder = tempfile::tempdir().unwrap();
    let source = learning("kl", "0.5", 2);
    let run = made(&source, &folder.path().join("run"));
    let tokenizer = load(&source).tokenizer;
    let mut told = [0, 0];
    for batch in 0..2 {
        for table in ["arguments.calls", "verdicts.calls"] {
            let calls = run.table(table, batch).unwrap();
            let (by, part) = (tables::texts(&calls, "by").unwrap(), tables::texts(&calls, "part").unwrap());
            let answers = tables::texts(&calls, "answer").unwrap();
            for (row, distribution) in tables::list_f32(&calls, "distribution").unwrap().into_iter().enumerate() {
                assert_eq!(distribution.is_some(), by[row] == "learned" && part[row] == "human", "{table} {row}");
                told[usize::from(distribution.is_some())] += usize::from(part[row] == "human");
                let Some(distribution) = distribution else { continue };
                assert_eq!(distribution.len(), tokenizer.answer(&answers[row]).len() * tokenizer.vocabulary());
                for row in distribution.chunks(tokenizer.vocabulary()) {
                    let all: f64 = row.iter().map(|&log_prob| f64::from(log_prob).exp()).sum();
                    assert!((all - 1.0).abs() < 1e-5, "{all}");
                }
            }
        }
    }
    assert!(told[0] > 0 && told[1] > 0, "{told:?}");
    let calls = run.table("arguments.calls", 0).unwrap();
    insta::assert_snapshot!(columns(&calls), @"question asked turn part place by prompt answer kept propensity version prompt_tokens tokens log_probs distribution");
    let examples = run.table("objective", 0).unwrap();
    insta::assert_snapshot!(columns(&examples), @"question turn role tokens prompt_length supervised reward advantage log_probs distribution");
    let moves = run.table("moves", 0).unwrap();
    assert!(moves.column("distribution").is_err(), "moves are imitated word by word");
}

#[test]
fn without_a_loss_that_goes_by_them_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let [with, without] = ["kl", "cross-entropy"].map(|distance| {
        let run = made(&learning(distance, "0.5", 1), &folder.path().join(distance));
        ["arguments.calls", "verdicts.calls", "objective"].map(|table| run.table(table, 0).unwrap())
    });
    for (with, without) in with.iter().zip(&without) {
        assert!(without.column("distribution").is_err());
        assert!(with.drop("distribution").unwrap().equals_missing(without), "nothing else differs");
    }
}

fn model_at(run: &Run, batches: u64, name: &str) -> Model {
    Model::load(&run.state_files(batches, &format!("model.{name}")).unwrap()).unwrap()
}

/// The log-probabilities of all tokens from a place on, `[tokens, vocabulary]`.
fn log_probs(model: &Model, tokens: &[u32], first: usize) -> Tensor {
    let given: Vec<i64> = tokens.iter().map(|&token| i64::from(token)).collect();
    let llama = Llama::new(&model.weights.handle(false), tokens.len());
    let places = Tensor::arange_start(first as i64 - 1, tokens.len() as i64 - 1, (Kind::Int64, Device::Cpu));
    llama.logits(&Tensor::from_slice(&given).view([1, -1]), &places).log_softmax(-1, Kind::Double)
}

/// What H′ was given as it made its last move on each of some questions, and what it said then.
fn last_moves(steps: &DataFrame, questions: &[u64]) -> Vec<(Vec<u32>, String)> {
    let (of, said) = (tables::u64s(steps, "question").unwrap(), tables::texts(steps, "said").unwrap());
    let (given, paths) =
        (tables::list_u32(steps, "prompt_tokens").unwrap(), tables::optional_texts(steps, "path").unwrap());
    let last = |question: &u64| (0..of.len()).rfind(|&row| of[row] == *question && paths[row].is_none()).unwrap();
    questions.iter().map(last).map(|row| (given[row].clone().unwrap(), said[row].clone())).collect()
}

/// The distributions of H′ in the calls of a batch are those of its weights before it.
fn check_calls(run: &Run, batch: u64, tokenizer: &Tokenizer) -> Vec<Option<Vec<f32>>> {
    let imitator = model_at(run, batch, "imitator");
    let calls = run.table("arguments.calls", batch).unwrap();
    let (by, answers) = (tables::texts(&calls, "by").unwrap(), tables::texts(&calls, "answer").unwrap());
    let questions = tables::u64s(&calls, "question").unwrap();
    let moves = last_moves(&run.table("arguments.steps", batch).unwrap(), &questions_of(&questions, &by));
    let distributions = tables::list_f32(&calls, "distribution").unwrap();
    let told: Vec<usize> = (0..by.len()).filter(|&row| by[row] == "learned").collect();
    let mut begun = 0;
    for (&row, (given, said)) in told.iter().zip(moves) {
        let before = if said.starts_with("H answers:") { "H answers:" } else { "" };
        begun += usize::from(!before.is_empty());
        let prompt = [given, tokenizer.encode(before)].concat();
        let whole = log_probs(&imitator, &[prompt.clone(), tokenizer.answer(&answers[row])].concat(), prompt.len());
        let kept = Tensor::from_slice(distributions[row].as_ref().unwrap()).to_kind(Kind::Double).view_as(&whole);
        assert!(kept.allclose(&whole, 0.0, 1e-3, false), "row {row}");
    }
    assert!(begun > 0, "H′ has learnt to say that it answers");
    told.iter().map(|&row| distributions[row].clone()).collect()
}

/// The questions that H′ answered.
fn questions_of(questions: &[u64], by: &[String]) -> Vec<u64> {
    questions.iter().zip(by).filter(|(_, by)| *by == "learned").map(|(question, _)| *question).collect()
}

/// H′ learns for some batches, and then answers all that H is called for: M is trained on its distributions alone.
#[test]
fn the_loss_is_the_divergence_from_what_stands_in_for_h() {
    let folder = tempfile::tempdir().unwrap();
    let source = learning("kl", "[[0, 1.0], [38, 1.0], [39, 0.0]]", 40)
        .replace("rows = 6", "rows = 24")
        .replace("max_turns = 2", "max_turns = 1")
        .replace("alpha = 0.5", "alpha = 0.0")
        .replace("depth = [0, 3]", "depth = [0, 1]");
    let run = made(&source, &folder.path().join("run"));
    let told = check_calls(&run, 39, &load(&source).tokenizer);
    let examples = run.table("objective", 39).unwrap();
    let distributions = tables::list_f32(&examples, "distribution").unwrap();
    assert!(!told.is_empty());
    assert_eq!(distributions, told);
    let agent = model_at(&run, 39, "agent");
    let (tokens, lengths) =
        (tables::list_u32(&examples, "tokens").unwrap(), tables::u32s(&examples, "prompt_length").unwrap());
    let (mut sum, mut count) = (0.0, 0);
    for (row, distribution) in distributions.iter().enumerate() {
        let (tokens, first) = (tokens[row].as_ref().unwrap(), lengths[row] as usize);
        let ours = log_probs(&agent, tokens, first);
        let theirs = Tensor::from_slice(distribution.as_ref().unwrap()).to_kind(Kind::Double).view_as(&ours);
        sum += (theirs.exp() * (&theirs - ours)).sum(Kind::Double).double_value(&[]);
        count += tokens.len() - first;
    }
    let noted = run.lines()[39].metrics["step.supervised_loss"];
    assert!((noted - sum / count as f64).abs() < 1e-3, "{noted} is not {}", sum / count as f64);
    // Where H itself answered there is nothing but its words.
    let imitated = run.table("objective", 0).unwrap();
    assert_eq!(imitated.column("distribution").unwrap().null_count(), imitated.height());
}

#[test]
fn a_run_by_divergence_resumes_to_the_same_bytes() {
    let source = learning("kl", "[[0, 1.0], [4, 0.3]]", 7);
    assert_resumes(&source, 5);
}
