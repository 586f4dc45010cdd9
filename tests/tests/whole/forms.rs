//! Forms of a debate, end to end: against an opponent, at the same time, between rivals.

use batch::Run;
use debate::{
    debate::Voice,
    judge::Side,
    question::given,
    trace::{Call, Part},
};
use elenchus::{
    results::summary::summary,
    stages::{
        states::{Baseline, ModelState},
        tables, wins,
    },
    verbs::show::transcript,
    wiring::wire,
};
use polars::prelude::DataFrame;
use std::path::Path;
use tests::{assert_resumes, assert_same_results, changed, load, run, small};

const OPPONENT: &str = r#"
[model.before]
copy_of = "agent"

[amplify.opponent]
model = "before"
human = "expert"
call_human = { probability = 0.4 }

[sample.questions]"#;

/// A pipeline whose debates have these settings, and always two sides; with an opponent over a model that stays as M began.
fn formed(settings: &str, batches: u64) -> String {
    let changes = [
        ("max_turns = 2", &*format!("sufficient = \"never\"\n{settings}")),
        ("[sample.questions]", OPPONENT),
        ("every = 2", "every = 2\nrows = [\"naive\", \"debate\"]"),
    ];
    changed(&small("web-of-lies", batches), &changes)
}

const AGAINST: &str = "max_turns = 3\nopponent = \"opponent\"";
const SIMULTANEOUS: &str = "max_turns = 4\nturns = \"simultaneous\"";
const BOTH: &str = "max_turns = 2\nturns = \"simultaneous\"\nopponent = \"opponent\"\nspeaker_side = \"odd\"";
const RIVAL: &str = "max_turns = 3\nrival = true";
const RIVAL_AGAINST: &str = "max_turns = 2\nrival = true\nopponent = \"opponent\"\nspeaker_side = \"even\"";
const FORMS: [&str; 5] = [AGAINST, SIMULTANEOUS, BOTH, RIVAL, RIVAL_AGAINST];

fn texts(table: &DataFrame, column: &str) -> Vec<Option<String>> {
    tables::optional_texts(table, column).unwrap()
}

fn made(settings: &str, batches: u64, root: &Path) -> Run {
    tests::made(&formed(settings, batches), root)
}

#[test]
fn a_run_broken_off_goes_on_to_the_same_bytes_on_any_number_of_workers() {
    for (i, form) in FORMS.into_iter().enumerate() {
        let source = formed(form, 4);
        let (folder, whole) = assert_resumes(&source, 1 + i as u64 % 3);
        let other = folder.path().join("other");
        run(&format!("workers = 1\n{source}"), &other);
        assert_same_results(&whole, &other);
    }
}

#[test]
fn calls_do_not_grow_with_rows() {
    let calls = |form: &str, rows: usize| -> Vec<f64> {
        let folder = tempfile::tempdir().unwrap();
        let never = formed(form, 1).replace("call_human = { probability = 0.4 }", "call_human = \"never\"");
        let source = never.replace("rows = 6", &format!("rows = {rows}")).replace("alpha = 0.5", "alpha = 0.0");
        run(&source, &folder.path().join("run"));
        let run = Run::open(&folder.path().join("run")).unwrap();
        ["arguments.model_calls", "arguments.model_prompts"].map(|name| run.lines()[0].metrics[name]).to_vec()
    };
    for (form, waves, arguments) in
        [(AGAINST, 6.0, 3.0), (SIMULTANEOUS, 2.0, 4.0), (BOTH, 2.0, 2.0), (RIVAL, 3.0, 3.0), (RIVAL_AGAINST, 2.0, 2.0)]
    {
        // Enough for both sides to be drawn.
        assert_eq!(calls(form, 24), [waves, 24.0 * arguments], "{form}");
        assert_eq!(calls(form, 48), [waves, 48.0 * arguments], "{form}");
    }
}

/// How many examples of a batch have a reward.
fn rewarded(run: &Run, batch: u64) -> usize {
    let rewards = run.table("objective", batch).unwrap().column("reward").unwrap().f32().unwrap().clone();
    rewards.iter().flatten().count()
}

/// How many answers M sampled for a side that could win or lose, by whose they are.
fn sampled(run: &Run, batch: u64, voice: Voice) -> usize {
    let verdicts = run.table("verdicts", batch).unwrap();
    let ids = tables::u64s(&verdicts, "question").unwrap().into_iter().zip(texts(&verdicts, "winner"));
    let decided: Vec<u64> = ids.filter_map(|(id, winner)| winner.map(|_| id)).collect();
    let calls = tables::to_calls(&run.table("arguments.calls", batch).unwrap()).unwrap();
    let earns = |call: &&Call| call.sampled.is_some() && (call.kept || call.part == Part::Sub);
    calls.iter().filter(earns).filter(|call| call.voice == Some(voice) && decided.contains(&call.question)).count()
}

/// How many of H's words of a batch were said for somebody.
fn human_words(run: &Run, table: &str, batch: u64, voice: Option<Voice>) -> usize {
    let calls = tables::to_calls(&run.table(table, batch).unwrap()).unwrap();
    calls.iter().filter(|call| call.part == Part::Human && call.voice == voice).count()
}

#[test]
fn what_was_said_for_another_model_is_not_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(AGAINST, 4, &folder.path().join("run"));
    let mut of_opponent = 0;
    for batch in 0..4 {
        assert_eq!(rewarded(&run, batch), sampled(&run, batch, Voice::Speaker));
        let examples = run.table("objective", batch).unwrap();
        let targets = tables::f32s(&examples, "supervised").unwrap().into_iter().filter(|weight| *weight > 0.0).count();
        let said = human_words(&run, "arguments.calls", batch, Some(Voice::Speaker));
        assert_eq!(targets, said + human_words(&run, "verdicts.calls", batch, None));
        of_opponent += sampled(&run, batch, Voice::Opponent);
        assert!(human_words(&run, "arguments.calls", batch, Some(Voice::Opponent)) > 0);
    }
    assert!(of_opponent > 0, "nothing was left out, so nothing is shown");
}

#[test]
fn an_opponent_over_the_same_model_earns_too() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    run(&formed(AGAINST, 3).replace("model = \"before\"", "model = \"agent\""), &root);
    let run = Run::open(&root).unwrap();
    for batch in 0..3 {
        let all: usize = Voice::ALL.iter().map(|voice| sampled(&run, batch, *voice)).sum();
        assert_eq!(rewarded(&run, batch), all);
    }
}

#[test]
fn a_side_has_the_others_mean_until_it_has_its_own() {
    let mut baseline = Baseline::default();
    baseline.follow(Side::Even, 0.5, 0.9);
    assert_eq!(baseline.of(Side::Odd), -0.5);
    baseline.follow(Side::Odd, 0.25, 0.9);
    assert_eq!((baseline.of(Side::Even), baseline.of(Side::Odd)), (0.5, 0.25));
    baseline.follow(Side::Odd, 1.0, 0.5);
    assert_eq!(baseline.of(Side::Odd), 0.625);
}

#[test]
fn a_debate_says_who_argued_and_how_often_the_speaker_won() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    let run = made(AGAINST, 4, &root);
    for (batch, line) in run.lines().iter().enumerate() {
        let sides = wins::sides(&run.table("arguments", batch as u64).unwrap()).unwrap();
        let verdicts = run.table("verdicts", batch as u64).unwrap();
        let ids = tables::u64s(&verdicts, "question").unwrap();
        let decided: Vec<bool> = ids
            .iter()
            .zip(texts(&verdicts, "winner"))
            .filter_map(|(id, winner)| Some(winner? == sides[id].name()))
            .collect();
        assert_eq!(line.metrics["verdicts.decided"], decided.len() as f64);
        let won = decided.iter().filter(|won| **won).count() as f64;
        assert_eq!(
            line.metrics.get("verdicts.win_rate").copied(),
            (!decided.is_empty()).then(|| won / decided.len() as f64)
        );
    }
    let last = &run.lines()[3].metrics;
    let [rate, low, high] = ["win_rate", "win_rate_low", "win_rate_high"].map(|name| last[&format!("held_out.{name}")]);
    assert!(low <= rate && rate <= high && last["held_out.decided"] <= 12.0);
    assert!(summary(&root).unwrap().contains("The speaker won against its opponent"));
    let shown = transcript(&root, 0).unwrap();
    assert!(shown.contains("even argument 0, the ") && shown.contains("odd argument 1, the "), "{shown}");
}

#[test]
fn the_opponent_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    let run = made(AGAINST, 3, &root);
    let source = formed(AGAINST, 3);
    let fresh = wire::states(&load(&source));
    let before = &fresh.get::<ModelState>("model.before").unwrap().0.weights.flat;
    let of = |name: &str| model::Model::load(&run.state_files(3, name).unwrap()).unwrap().weights.flat;
    assert!(of("model.before").equal(before) && !of("model.agent").equal(before));
}

#[test]
fn forced_words_are_not_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    let run = made(RIVAL, 4, &root);
    let tokenizer = load(&formed(RIVAL, 4)).tokenizer;
    let answers = ["No", "Yes"];
    let mut forced = 0;
    for batch in 0..4 {
        let arguments = run.table("arguments", batch).unwrap();
        let (turns, said) = (tables::u32s(&arguments, "turn").unwrap(), tables::texts(&arguments, "text").unwrap());
        for debate in said.chunks(3) {
            let given: Vec<Option<usize>> = debate.iter().map(|argument| given(argument, answers)).collect();
            assert!(
                given[1].is_some() && given[1] != given[0] && given[2].is_some() && given[2] != given[1],
                "{debate:?}"
            );
        }
        assert_eq!(turns.iter().filter(|turn| **turn == 1).count(), 6);
        let calls = tables::to_calls(&run.table("arguments.calls", batch).unwrap()).unwrap();
        let examples = run.table("objective", batch).unwrap();
        let tokens: Vec<Vec<u32>> = tables::list_u32(&examples, "tokens").unwrap().into_iter().flatten().collect();
        let lengths = tables::u32s(&examples, "prompt_length").unwrap();
        let log_probs = tables::list_f32(&examples, "log_probs").unwrap();
        for call in calls.iter().filter(|call| call.kept) {
            let Some(held) = &call.held else { continue };
            let prompt = [tokenizer.prompt(&call.prompt), tokenizer.encode(held)].concat();
            assert!(call.answer.starts_with(held.as_str()));
            if let Some(sampled) = &call.sampled {
                assert_eq!(sampled.prompt, prompt);
                assert_eq!(sampled.tokens.len(), sampled.log_probs.len());
            }
            for (row, tokens) in tokens.iter().enumerate().filter(|(_, tokens)| tokens.starts_with(&prompt)) {
                assert_eq!(lengths[row] as usize, prompt.len(), "what was forced is part of the prompt");
                let free = tokens.len() - prompt.len();
                assert!(log_probs[row].as_ref().is_none_or(|log_probs| log_probs.len() == free));
                forced += 1;
            }
        }
    }
    assert!(forced > 0);
    let shown = transcript(&root, 0).unwrap();
    assert!(
        shown.contains("odd argument 1, which must be for ") && !shown.contains("even argument 0, which"),
        "{shown}"
    );
}

#[test]
fn at_the_same_time_neither_side_sees_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    let run = made(SIMULTANEOUS, 2, &root);
    let calls = tables::to_calls(&run.table("arguments.calls", 0).unwrap()).unwrap();
    let firsts = calls.iter().filter(|call| call.part == Part::First);
    for call in firsts {
        let seen = call.prompt.lines().filter(|line| line.starts_with("Even: ") || line.starts_with("Odd: ")).count();
        assert_eq!(seen, call.turn / 2 * 2, "{}", call.prompt);
    }
    assert!(transcript(&root, 0).unwrap().contains("neither in the other's context"));
}
