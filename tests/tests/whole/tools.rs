//! Transparency tools, end to end: what is asked of whom, what is kept of it, and what comes of it in training.

use batch::Run;
use debate::{
    answerer::{Answerer, Evidence},
    tool,
    trace::{Call, Part},
};
use elenchus::{
    results::{pages::report::report, summary::summary},
    stages::{answerers::ModelAnswerer, states::ModelState, tables},
    verbs::show::transcript,
    wiring::wire,
};
use model::{Model, Sampling};
use spec::settings::Tool;
use std::collections::BTreeSet;
use tests::{assert_resumes, assert_same_results, changed, load, made, run, small};

const ALL: &str =
    "tools = [\"log-probabilities\", \"resampling\", \"consistency\", \"logit-lens\", \"attention\", \"probe\"]";

/// A pipeline whose debates have three arguments and these tools. H argues mostly, so that it asks for them.
fn inspecting(settings: &str, batches: u64) -> String {
    let inspection = format!("max_turns = 3\nsufficient = \"never\"\ninspection = {{ {settings} }}");
    let changes = [
        ("max_turns = 2", inspection.as_str()),
        ("call_human = { probability = 0.4 }", "call_human = { probability = 0.8 }"),
        ("depth = [0, 3]", "depth = [2, 3]"),
        ("rows = 6", "rows = 12"),
        ("every = 2\nverdicts", "every = 2\nrows = [\"naive\", \"debate\"]\nverdicts"),
    ];
    changed(&small("web-of-lies", batches), &changes)
}

fn calls(run: &Run, batch: u64) -> Vec<Call> {
    tables::to_calls(&run.table("arguments.calls", batch).unwrap()).unwrap()
}

/// What tools said in a run, all of them.
fn said(run: &Run) -> Vec<Call> {
    let all = (0..run.lines().len() as u64).flat_map(|batch| calls(run, batch));
    all.filter(|call| call.part == Part::Tool).collect()
}

#[test]
fn a_run_broken_off_goes_on_to_the_same_bytes_on_any_number_of_workers() {
    for (i, settings) in [format!("{ALL}, uses = 2"), format!("{ALL}, shuffled = true")].into_iter().enumerate() {
        let source = inspecting(&settings, 4);
        let (folder, whole) = assert_resumes(&source, 1 + i as u64);
        let other = folder.path().join("other");
        run(&format!("workers = 1\n{source}"), &other);
        assert_same_results(&whole, &other);
    }
}

#[test]
fn every_tool_is_asked_for_and_what_it_says_are_words_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let source = inspecting(ALL, 4);
    let run = made(&source, &folder.path().join("run"));
    let tokenizer = load(&source).tokenizer;
    let said = said(&run);
    let tools: BTreeSet<&str> = said.iter().map(|call| call.prompt.as_str()).collect();
    assert_eq!(tools, Tool::ALL.iter().map(|tool| tool.name()).collect());
    for call in &said {
        assert!(call.answer.starts_with(&call.prompt), "{}: {}", call.prompt, call.answer);
        let tokens = tokenizer.encode(&call.answer);
        assert_eq!(tokenizer.unknown(&tokens), 0, "{}", call.answer);
        // Letters apart, it is read as it was said: nothing became a control token.
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(letters(&tokenizer.decode(&tokens)), letters(&call.answer));
    }
    let calls_of_tools = Tool::ALL.map(tool::call);
    assert!(calls_of_tools.iter().all(|call| tokenizer.encode(call).len() == 1), "to ask for a tool is one token");
    for line in run.lines() {
        assert!(!line.metrics.contains_key("arguments.unknown_words"));
    }
}

#[test]
fn what_tools_say_is_in_the_debate_and_before_the_judge() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    let run = made(&inspecting(&format!("{ALL}, uses = 2"), 3), &root);
    let mut shown = 0;
    for batch in 0..3 {
        let judged = tables::to_calls(&run.table("verdicts.calls", batch).unwrap()).unwrap();
        let arguments = run.table("arguments", batch).unwrap();
        let findings = tables::optional_texts(&arguments, "findings").unwrap();
        let ids = tables::u64s(&arguments, "question").unwrap();
        for call in calls(&run, batch).iter().filter(|call| call.part == Part::Tool) {
            let line = format!("Tool: {}", call.answer);
            let verdict = judged.iter().find(|judged| judged.question == call.question).unwrap();
            assert!(verdict.prompt.lines().any(|other| other == line), "{}", verdict.prompt);
            let mut own = ids.iter().zip(&findings).filter(|(id, _)| **id == call.question);
            assert!(own.any(|(_, text)| text.as_ref().is_some_and(|text| text.lines().any(|it| it == call.answer))));
            let transcript = transcript(&root, call.question).unwrap();
            let weights = call.sampled.as_ref().unwrap().version;
            assert!(transcript.contains(&format!("tool: {} (weights {weights})", call.answer)), "{transcript}");
            shown += 1;
        }
        let counted = calls(&run, batch).iter().filter(|call| call.part == Part::Tool).count();
        assert_eq!(run.lines()[batch as usize].metrics["arguments.tool_uses"], counted as f64);
    }
    assert!(shown > 20);
    assert!(report(&root).unwrap().contains("Tool: "));
    assert!(summary(&root).is_ok());
}

/// M asks for tools of its own accord once it has learnt to from H, and what it sampled for that earns as an argument does.
#[test]
fn asking_for_a_tool_is_a_move_of_m() {
    let folder = tempfile::tempdir().unwrap();
    let source = inspecting("tools = [\"resampling\"]", 40)
        .replace("learning_rate = 2e-3", "learning_rate = 1e-2")
        .replace("every = 2\n", "every = 40\n");
    let run = made(&source, &folder.path().join("run"));
    let (mut rewarded, mut imitated) = (0, 0);
    for batch in 0..40 {
        let verdicts = run.table("verdicts", batch).unwrap();
        let ids = tables::u64s(&verdicts, "question").unwrap();
        let winners = tables::optional_texts(&verdicts, "winner").unwrap();
        let examples = run.table("objective", batch).unwrap();
        let tokens = tables::list_u32(&examples, "tokens").unwrap();
        let rewards: Vec<Option<f32>> = examples.column("reward").unwrap().f32().unwrap().iter().collect();
        let supervised = tables::f32s(&examples, "supervised").unwrap();
        let asked = tool::call(Tool::Resampling);
        for call in calls(&run, batch).iter().filter(|call| call.kept && call.answer == asked) {
            let winner = ids.iter().position(|id| *id == call.question).and_then(|at| winners[at].clone());
            match &call.sampled {
                Some(sampled) => {
                    let whole = Some([sampled.prompt.clone(), sampled.tokens.clone()].concat());
                    let Some(winner) = winner else { continue };
                    let reward = if (winner == "even") == call.turn.is_multiple_of(2) { 1.0 } else { -1.0 };
                    let found = (0..tokens.len()).any(|row| tokens[row] == whole && rewards[row] == Some(reward));
                    assert!(found, "what M sampled to ask for a tool earns {reward}");
                    rewarded += 1;
                }
                None => {
                    assert!(supervised.iter().any(|weight| *weight > 0.0));
                    imitated += 1;
                }
            }
        }
    }
    assert!(imitated > 20 && rewarded > 3, "{imitated} of H, {rewarded} of M");
}

/// The trace says which weights a tool looked into; they can be had again, and then it says the same.
#[test]
fn the_model_behind_a_trace_can_be_had_again() {
    let folder = tempfile::tempdir().unwrap();
    let source = inspecting("tools = [\"log-probabilities\", \"logit-lens\", \"attention\"]", 5);
    let source =
        format!("checkpoint.every = 1\ncheckpoint.keep_last = 9\n{}", source.replace("[checkpoint]\nevery = 3\n", ""));
    let run = made(&source, &folder.path().join("run"));
    let mut compared = 0;
    for batch in 0..5 {
        let calls = calls(&run, batch);
        for (place, used) in calls.iter().enumerate().filter(|(_, call)| call.part == Part::Tool) {
            let version = used.sampled.as_ref().unwrap().version;
            assert_eq!(version, batch, "M is trained once a batch");
            let model = match version {
                0 => None,
                batches => Some(Model::load(&run.state_files(batches, "model.agent").unwrap()).unwrap()),
            };
            let fresh = wire::states(&load(&source));
            let model = model.as_ref().unwrap_or_else(|| &fresh.get::<ModelState>("model.agent").unwrap().0);
            // The last argument before those who ask.
            let before = calls[..place].iter().rev().find(|call| {
                let argues = call.question == used.question && call.turn + 1 == used.turn;
                argues && call.kept && call.answer != tool::call(Tool::ALL[0]) && call.asked.name() == "argument"
            });
            let argument = before.unwrap();
            let evidence = Evidence {
                prompt: argument.prompt.clone(),
                begin: None,
                text: argument.answer.clone(),
                sampled: argument.sampled.clone(),
            };
            let sampling = Sampling { max_tokens: 16, temperature: 1.0 };
            let inside = ModelAnswerer::new(model, version, sampling, 1).look_inside(&[evidence]).unwrap();
            let again = match used.prompt.as_str() {
                "log-probabilities" => tool::log_probabilities(&inside[0]),
                "logit-lens" => tool::logit_lens(&inside[0]),
                _ => tool::attention(&inside[0]),
            };
            assert_eq!(again, used.answer);
            compared += 1;
        }
    }
    assert!(compared > 10);
}

#[test]
fn a_probe_learns_where_h_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&inspecting("tools = [\"probe\"], learning_rate = 5.0", 6), &folder.path().join("run"));
    let losses: Vec<f64> = run.lines().iter().map(|line| line.metrics["arguments.probe_loss"]).collect();
    assert!((losses[0] - 2f64.ln()).abs() < 1e-9, "at first it knows nothing");
    // M has not learnt yet to say what H does.
    assert!(losses[5] < 0.5 * losses[0], "{losses:?}");
    let said: BTreeSet<String> = said(&run).into_iter().map(|call| call.answer).collect();
    assert!(said.contains("probe 5 of 10") && said.len() > 1, "{said:?}");
    let files = run.state_files(6, "probe.arguments").unwrap();
    assert_eq!(files[0].0, "probes.json");
}

#[test]
fn calls_do_not_grow_with_rows() {
    let calls = |rows: usize| {
        let folder = tempfile::tempdir().unwrap();
        let source = inspecting(&format!("{ALL}, uses = 2"), 1).replace("rows = 12", &format!("rows = {rows}"));
        let run = made(&source, &folder.path().join("run"));
        run.lines()[0].metrics["arguments.model_calls"]
    };
    // Three waves of arguments and twice two for tools, with H's sub-questions in each; after each of the latter two calls
    // of tools; and one for the probe.
    let most = 2.0 * (3.0 + 4.0) + 2.0 * 4.0 + 1.0;
    let (some, many) = (calls(24), calls(96));
    assert!(some <= most && many <= most, "{some} {many}");
}

#[test]
fn without_tools_a_pipeline_has_no_words_of_theirs() {
    let words = |source: &str| load(source).tokenizer;
    let (with, without) = (words(&inspecting(ALL, 2)), words(&small("web-of-lies", 2)));
    for word in ["Tool:", "I ask for probe", "resampling", "never", "7"] {
        assert_eq!(with.unknown(&with.encode(word)), 0, "{word}");
        assert!(without.unknown(&without.encode(word)) > 0, "{word}");
    }
}
