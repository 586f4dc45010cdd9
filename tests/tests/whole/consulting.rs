//! Amp of a depth in runs: what is asked where, and of what M learns. A loop written without the pipeline's stages recurses
//! in the plainest way, and comes to the same answers.

use crate::plain;
use batch::Run;
use debate::{
    draw::Draw,
    human::{Exchange, Human, Move},
    question::{Asked, Posed},
    trace::{Call, Part},
};
use elenchus::{
    stages::{states, tables},
    wiring::wire,
};
use model::Model;
use tests::{assert_resumes, load, made, small};

/// A pipeline over expressions, whose speaker consults in some way.
fn consulting(how: &str, batches: u64) -> String {
    let called = "call_human = { probability = 0.4 }";
    let source = small("boolean-expressions", batches);
    assert!(source.contains(called));
    source.replace(called, &format!("call_human = {{ probability = 0.7 }}\n{how}"))
}

fn calls(run: &Run, batch: u64) -> Vec<Call> {
    tables::to_calls(&run.table("arguments.calls", batch).unwrap()).unwrap()
}

/// What H answers to a depth, in the plainest way.
fn ask(human: &dyn Human, model: &Model, posed: &Posed, draw: Draw, depth: u32) -> String {
    let mut said: Vec<Exchange> = Vec::new();
    loop {
        let questions = match human.next(posed, &said, draw.named("human")) {
            Move::Answer(answer) => return answer,
            Move::Ask(questions) => questions,
        };
        for question in questions {
            let draw = draw.named("sub").at(said.len() as u64);
            let answer = match depth {
                1 => model.tokenizer.decode(&plain::say(model, &question, draw).tokens),
                _ => ask(human, model, &Posed::bare(question.clone()), draw, depth - 1),
            };
            said.push(Exchange { question, answer: Some(answer) });
        }
    }
}

#[test]
fn a_plain_recursion_comes_to_the_same_answers() {
    for depth in [1, 2, 3] {
        let source = consulting(&format!("depth = {depth}"), 1);
        let folder = tempfile::tempdir().unwrap();
        let run = made(&source, &folder.path().join("run"));
        let states = wire::states(&load(&source));
        let model = &states.get::<states::ModelState>("model.agent").unwrap().0;
        let human = tasks::human("boolean-expressions").unwrap();
        let first = calls(&run, 0).into_iter().filter(|call| call.part == Part::Human && call.turn == 0);
        let first: Vec<Call> = first.filter(|call| call.asked == Asked::Argument).collect();
        assert!(!first.is_empty());
        for call in first {
            let draw = Draw::new(3).named("arguments").at(call.question).named("argument").at(0);
            assert_eq!(call.answer, ask(human.as_ref(), model, &Posed::bare(call.prompt), draw, depth));
        }
    }
}

#[test]
fn sub_questions_stand_on_their_paths_and_only_words_of_m_earn() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&consulting("depth = 2", 4), &folder.path().join("run"));
    let (mut by_m, mut by_h) = (0, 0);
    for batch in 0..4 {
        let calls = calls(&run, batch);
        let subs: Vec<&Call> = calls.iter().filter(|call| call.part == Part::Sub).collect();
        for sub in &subs {
            assert_eq!(sub.path.last(), Some(&sub.place));
            let of_speaker = sub.asked == Asked::Argument;
            // The overseer consults M; the speaker's H asks itself, and that one M.
            assert_eq!(sub.sampled.is_some(), !of_speaker || sub.path.len() == 2, "{sub:?}");
            *(if sub.sampled.is_some() { &mut by_m } else { &mut by_h }) += 1;
        }
        let table = run.table("arguments.calls", batch).unwrap();
        let by = tables::texts(&table, "by").unwrap();
        let of_h = calls.iter().zip(&by).filter(|(call, _)| call.part == Part::Human || call.sampled.is_none());
        assert!(of_h.clone().count() > 0 && of_h.clone().all(|(_, by)| by == "human"));
        assert_eq!(run.lines()[batch as usize].metrics["arguments.human_calls"], of_h.count() as f64);
        let earning = calls.iter().filter(|call| call.asked == Asked::Argument && call.part == Part::Sub);
        let earning = earning.filter(|call| call.sampled.is_some()).count();
        let examples = run.table("objective", batch).unwrap();
        let roles = tables::texts(&examples, "role").unwrap();
        assert!(roles.iter().filter(|role| *role == "sub-answer").count() <= earning);
    }
    assert!(by_m > 0 && by_h > 0);
}

#[test]
fn rounds_leave_out_what_h_would_still_ask() {
    let folder = tempfile::tempdir().unwrap();
    let one_by_one = |how: &str| {
        let source = consulting(how, 2);
        source.replace("script = \"boolean-expressions\"", "script = \"boolean-expressions\"\nasks = \"one-by-one\"")
    };
    let run_of = |name: &str, how: &str| made(&one_by_one(how), &folder.path().join(name));
    let (all, one) = (run_of("all", ""), run_of("one", "rounds = 1"));
    let of_speaker = |run: &Run| {
        let subs = calls(run, 0).into_iter().filter(|call| call.part == Part::Sub && call.asked == Asked::Argument);
        subs.map(|call| call.place).collect::<Vec<_>>()
    };
    assert!(of_speaker(&all).contains(&1), "somebody asks twice");
    assert!(of_speaker(&one).iter().all(|place| *place == 0) && !of_speaker(&one).is_empty());
}

#[test]
fn a_run_that_shares_resumes_to_the_same_bytes() {
    let source = consulting("depth = 2\nrounds = 2\nsub_answers = \"shared\"", 7);
    assert_resumes(&source, 5);
}

/// Equal sub-questions of a wave have one answer, whoever asks; each batch asks M less often than it hears of it.
#[test]
fn what_is_shared_is_asked_once() {
    let folder = tempfile::tempdir().unwrap();
    let source =
        |how: &str| consulting(how, 2).replace("rows = 6", "rows = 40").replace("depth = [0, 3]", "depth = [1, 2]");
    let shared = made(&source("sub_answers = \"shared\""), &folder.path().join("shared"));
    let own = made(&source(""), &folder.path().join("own"));
    let (mut asked, mut answers) = (0, std::collections::BTreeMap::new());
    let subs = calls(&shared, 0).into_iter();
    for call in subs.filter(|call| call.part == Part::Sub && call.asked == Asked::Argument) {
        asked += 1;
        let answer = call.sampled.map(|sampled| (sampled.tokens, sampled.log_probs));
        assert_eq!(*answers.entry(call.prompt).or_insert_with(|| answer.clone()), answer);
    }
    assert!(answers.len() < asked, "some are asked twice");
    let prompts = |run: &Run| run.lines()[0].metrics["arguments.model_prompts"];
    assert!(prompts(&shared) < prompts(&own));
}

#[test]
fn defaults_leave_a_file_as_it_was() {
    let (plain, told) = (consulting("", 2), consulting("depth = 1\nsub_answers = \"own\"", 2));
    let at_once =
        told.replace("script = \"boolean-expressions\"", "script = \"boolean-expressions\"\nasks = \"at-once\"");
    assert_eq!(load(&plain).pipeline.to_toml(), load(&at_once).pipeline.to_toml());
    assert_eq!(load(&plain).plan.key, load(&at_once).plan.key);
}

/// What H asked and heard stands beside its argument wherever the debate is shown, to M and to the judge.
#[test]
fn traces_are_history() {
    let folder = tempfile::tempdir().unwrap();
    let source =
        |how: &str| consulting("", 2).replace("max_turns = 2", &format!("max_turns = 2\nsufficient = \"never\"{how}"));
    let run = made(&source("\nhistory = \"traces\""), &folder.path().join("run"));
    let mut traced = 0;
    for batch in 0..2 {
        let arguments = run.table("arguments", batch).unwrap();
        let (ids, turns) = (tables::u64s(&arguments, "question").unwrap(), tables::u32s(&arguments, "turn").unwrap());
        let [said, shown] = ["text", "shown"].map(|column| tables::texts(&arguments, column).unwrap());
        let calls =
            [calls(&run, batch), tables::to_calls(&run.table("verdicts.calls", batch).unwrap()).unwrap()].concat();
        for row in 0..ids.len() {
            let own = calls.iter().filter(|it| it.question == ids[row] && it.turn as u32 == turns[row]);
            let subs = own.filter(|it| it.asked == Asked::Argument && it.part == Part::Sub);
            let asked = subs.map(|it| format!("\nH asks: {}\nM says: {}", it.prompt, it.answer)).collect::<String>();
            assert_eq!(shown[row], format!("{}{asked}", said[row]));
            let mut after = calls.iter().filter(|it| it.question == ids[row] && it.turn as u32 > turns[row]);
            assert!(after.all(|it| it.part == Part::Sub || it.prompt.contains(&shown[row])), "{}", shown[row]);
            traced += usize::from(!asked.is_empty());
        }
    }
    assert!(traced > 0);
}

const TWO: &str = r#"
[model.answerer]
new = { layers = 1, width = 16, heads = 2, context = 160 }

[loss.answers]
from = ["arguments", "verdicts"]
credit = ["calls"]
combine = { weighted = { alpha = 0.5 } }

[train.answerer_step]
from = "answers"
model = "answerer"
adamw = { learning_rate = 2e-3 }
"#;

/// One model argues, another answers what H asks; each learns from what it said itself.
#[test]
fn two_models_argue_and_answer() {
    let folder = tempfile::tempdir().unwrap();
    let source =
        consulting("answerer = \"answerer\"", 4).replace("max_turns = 2", "max_turns = 2\nsufficient = \"never\"");
    let source = source + TWO;
    let run = made(&source, &folder.path().join("run"));
    let states = wire::states(&load(&source));
    let answerer = &states.get::<states::ModelState>("model.answerer").unwrap().0;
    let (mut checked, mut earned) = (0, 0);
    for call in calls(&run, 0).into_iter().filter(|it| it.part == Part::Sub && it.asked == Asked::Argument) {
        let draw = Draw::new(3).named("arguments").at(call.question).named("argument").at(call.turn as u64);
        let said = plain::say(answerer, &call.prompt, draw.named("sub").at(call.place as u64));
        assert_eq!(call.sampled.unwrap().tokens, said.tokens);
        checked += 1;
    }
    assert!(checked > 0);
    for batch in 0..4 {
        let rows = |table: &str| {
            let examples = run.table(table, batch).unwrap();
            let (roles, turns) = (tables::texts(&examples, "role").unwrap(), tables::u32s(&examples, "turn").unwrap());
            let sampled = examples.column("log_probs").unwrap().is_not_null();
            roles.into_iter().zip(turns).zip(sampled.iter().flatten().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert!(rows("objective").iter().all(|((role, _), _)| role != "sub-answer"));
        for ((role, turn), sampled) in rows("answers") {
            let bare_of_h = role == "argument" && turn == 0 && !sampled;
            assert!(bare_of_h || (role == "sub-answer" && sampled), "{role} at {turn}");
            earned += usize::from(sampled);
        }
        let metrics = &run.lines()[batch as usize].metrics;
        assert!(metrics.contains_key("step.supervised_loss") && metrics.contains_key("answerer_step.supervised_loss"));
    }
    assert!(earned > 0, "answers to sub-questions earn");
}
