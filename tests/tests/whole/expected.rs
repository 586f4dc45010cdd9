//! What a plan expects of a batch is what comes of it, where the settings leave nothing to chance.

use tests::{changed, load, run, small};

/// Every table of a run has the rows expected of it; where H's sub-questions come on top, it has at least those.
fn check(changes: &[(&str, &str)]) {
    let source = changed(&small("web-of-lies", 2), changes);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("run");
    run(&source, &root);
    let line = &batch::Run::open(&root).unwrap().lines()[1].clone();
    let nodes = load(&source).plan.nodes;
    for (output, rows) in nodes.iter().flat_map(|node| node.outputs.iter().zip(&node.work.rows)) {
        let found = line.tables[&output.table].rows as f64;
        let most = if rows.and_asked { f64::INFINITY } else { rows.most };
        assert!((rows.least..=most).contains(&found), "{}: {found} rows, expected {rows:?}", output.table);
    }
    for node in nodes.iter().filter(|node| node.work.to_human.most > 0.0 && node.stage.kind() != "evaluate") {
        let (human, model) = (format!("{}.human_calls", node.name), format!("{}.model_prompts", node.name));
        assert!((node.work.to_human.least..=node.work.to_human.most).contains(&line.metrics[&human]), "{human}");
        assert!(line.metrics[&model] >= node.work.to_model.least, "{model}");
    }
}

#[test]
fn rows_and_questions_are_as_expected() {
    let always = ("call_human = { probability = 0.4 }", "call_human = \"always\"");
    check(&[always, ("max_turns = 2", "max_turns = 3")]);
    check(&[always, ("max_turns = 2", "max_turns = 3\nsufficient = \"never\"")]);
    check(&[always, ("max_turns = 2", "max_turns = 4\nmin_turns = 2")]);
    check(&[always, ("max_turns = 2", "max_turns = 3\nmin_turns = 2\nsufficient = \"always\"")]);
    check(&[always, ("max_turns = 2", "max_turns = 3\nsufficient = { random = 0.5 }")]);
    check(&[always, ("max_turns = 2", "max_turns = 3\nsufficient = { biased = 0.5 }")]);
    check(&[always, ("max_turns = 2", "max_turns = 3\nsufficient = { biased = 1 }"), ("alpha = 0.5", "alpha = 0.0")]);
    let alone = ("max_turns = 2", "max_turns = 1");
    check(&[always, alone, ("alpha = 0.5", "alpha = 0.0")]);
    let again = "call_human = { disagreement = { samples = 2, least = 1.0 } }";
    check(&[("call_human = { probability = 0.4 }", again), ("max_turns = 2", "max_turns = 3")]);
    let learned = "call_human = { learned = { model = \"adversary\", least = 1.0 } }\n\
        [model.adversary]\nnew = { layers = 1, width = 16, heads = 2, context = 192 }\n\
        [loss.predictions]\nfrom = \"arguments\"\npredict = \"speaker\"\ncombine = { weighted = { alpha = 0.0 } }\n\
        [train.adversary_step]\nfrom = \"predictions\"\nmodel = \"adversary\"\nadamw = { learning_rate = 1e-3 }";
    check(&[("call_human = { probability = 0.4 }", learned), ("max_turns = 2", "max_turns = 3")]);
    check(&[always, ("max_turns = 2", "max_turns = 4\nturns = \"simultaneous\"")]);
    check(&[always, ("max_turns = 2", "max_turns = 3\nrival = true")]);
    let tools = "max_turns = 3\nsufficient = \"never\"\ninspection = { tools = [\"resampling\", \"probe\"], uses = 2 }";
    check(&[always, ("max_turns = 2", tools), ("depth = [0, 3]", "depth = [2, 3]")]);
    let never = ("call_human = { probability = 0.4 }", "call_human = \"never\"");
    check(&[never, ("max_turns = 2", "max_turns = 2\nsufficient = \"never\"")]);
}
