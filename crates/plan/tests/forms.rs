//! What the form of a debate asks of whom, and whose words may be trained on.

mod rows;

use plan::{Plan, plan, samp::part};
use spec::{Catalogue, Pipeline, Problem, settings::Stage};

const WHOLE: &str = include_str!("whole.toml");

const OPPONENT: &str = r#"
[model.before]
copy_of = "agent"

[amplify.opponent]
model = "before"
human = "expert"
call_human = "never"

[sample.questions]"#;

/// The file with an opponent at hand, and debates with these settings.
fn formed(settings: &str) -> String {
    let source = WHOLE.replacen("[sample.questions]", OPPONENT, 1);
    source.replacen("max_turns = 2", &format!("sufficient = \"never\"\n{settings}"), 1)
}

fn read(text: &str) -> Pipeline {
    let names = vec!["boolean-expressions".to_owned(), "web-of-lies".to_owned()];
    let reading = spec::read(text, &Catalogue { tasks: names.clone(), scripts: names });
    assert_eq!(reading.problems, []);
    reading.pipeline
}

fn planned(text: &str) -> Result<Plan, Vec<Problem>> {
    plan(&read(text), &rows::Rows)
}

/// What a debate puts to M and to H, its arguments, and the waves of the speaker, the opponent and the overseer.
fn check(settings: &str, expect: &str) {
    let text = formed(settings);
    let (pipeline, plan) = (read(&text), planned(&text).expect("the file is valid"));
    let node = plan.nodes.iter().find(|node| node.name == "arguments").expect("the file has it");
    let tenth = |number: f64| (number * 10.0).round() / 10.0;
    let number = |it: &plan::Expected| format!("{}-{}", tenth(it.least), tenth(it.most));
    let waves = ["speaker", "opponent", "overseer"].map(|name| part(&pipeline, &node.stage, name).0.to_string());
    let asked = [number(&node.work.to_model), number(&node.work.to_human), number(&node.work.rows[0])];
    assert_eq!(format!("{} | {}", asked.join(" "), waves.join(" ")), expect, "{settings}");
}

#[test]
fn what_is_asked_follows_from_the_form() {
    let against = "max_turns = 3\nopponent = \"opponent\"";
    check("max_turns = 3", "24-24 7.2-7.2 24-24 | 3 0 0");
    check("max_turns = 3\nrival = true", "24-24 7.2-7.2 24-24 | 3 0 0");
    check(against, "24-24 3.6-3.6 24-24 | 3 3 0");
    check(&format!("{against}\nspeaker_side = \"even\""), "24-24 4.8-4.8 24-24 | 2 1 0");
    check(&format!("{against}\nspeaker_side = \"odd\""), "24-24 2.4-2.4 24-24 | 1 2 0");
    let simultaneous = "max_turns = 4\nturns = \"simultaneous\"";
    check(simultaneous, "32-32 9.6-9.6 32-32 | 2 0 0");
    check(&format!("{simultaneous}\nopponent = \"opponent\"\nspeaker_side = \"odd\""), "32-32 4.8-4.8 32-32 | 2 2 0");
}

#[test]
fn whether_two_at_a_time_suffice_is_asked_of_both_together() {
    let check = |settings: &str, expect: &str| {
        let text = formed(settings).replacen("sufficient = \"never\"\n", "", 1);
        let plan = planned(&text).expect("the file is valid");
        let node = plan.nodes.iter().find(|node| node.name == "arguments").expect("the file has it");
        let waves = part(&read(&text), &node.stage, "overseer").0;
        let number = |it: &plan::Expected| format!("{}-{}", it.least, it.most);
        assert_eq!(format!("{} {} | {waves}", number(&node.work.to_model), number(&node.work.rows[0])), expect);
    };
    check("max_turns = 2\nturns = \"simultaneous\"", "16-16 16-16 | 0");
    check("max_turns = 4\nturns = \"simultaneous\"", "24-40 16-32 | 1");
    check("max_turns = 6\nmin_turns = 3\nturns = \"simultaneous\"", "40-56 32-48 | 1");
}

#[test]
fn an_opponents_model_is_a_state_that_the_debate_reads() {
    let plan = planned(&formed("max_turns = 3\nopponent = \"opponent\"")).expect("the file is valid");
    let of = |name: &str| plan.nodes.iter().find(|node| node.name == name).expect("the file has it");
    assert_eq!(of("arguments").reads, ["model.agent", "model.before", "model.target"]);
    let columns = |place: usize| -> Vec<&str> {
        of("arguments").outputs[place].schema.fields().iter().map(|field| field.name().as_str()).collect()
    };
    assert!(columns(0).ends_with(&["voice"]) && columns(1).ends_with(&["voice"]));
    // What was said for it may teach nothing.
    let judged = of("verdicts").work.to_human.least;
    assert!(of("objective").work.rows[0].least == 0.0 && judged > 0.0);
}

#[test]
fn forms_are_no_part_of_what_others_depend_on() {
    let keys = |text: &str| -> Vec<plan::Hash> {
        planned(text).expect("the file is valid").nodes.iter().map(|node| node.key).collect()
    };
    let spelled = "max_turns = 2\nturns = \"sequential\"\nrival = false\nspeaker_side = \"drawn\"";
    assert_eq!(keys(&WHOLE.replacen("max_turns = 2", spelled, 1)), keys(WHOLE));
    let Stage::Debate(debate) = &read(WHOLE).stages[1].settings else { panic!("the second stage is a debate") };
    assert_eq!(debate.waves(), (2, 0, 1));
}

#[test]
fn what_an_opponent_samples_with_the_speakers_model_is_m_s_too() {
    let tempered = |model: &str| {
        let text = formed("max_turns = 3\nopponent = \"opponent\"");
        let text = text.replacen("call_human = \"never\"", "call_human = \"never\"\ntemperature = 0.5", 1);
        planned(&text.replacen("model = \"before\"", &format!("model = \"{model}\""), 1))
    };
    assert!(tempered("before").is_ok());
    let problems = tempered("agent").expect_err("the reward's gradient is not that of M");
    insta::assert_snapshot!(problems[0].message, @"alpha is above 0 from batch 0 on, but `opponent` samples M at temperature 0.5 then, where the reward's gradient is not that of M");
}
