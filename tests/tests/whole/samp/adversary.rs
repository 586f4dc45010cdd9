//! Samp by an adversary: what it is asked, what it decides, and what teaches it.

use super::*;

/// What teaches Adv, out of calls: by question and answer, the tokens of each example and its weight.
fn predictions(distance: Distance, weight: Weight, trace: &[Call]) -> Vec<(Vec<u32>, f64)> {
    predictions_of(None, distance, weight, tables::from_calls(trace).unwrap())
}

/// The same out of a table of calls, of one voice or whosever.
fn predictions_of(voice: Option<Voice>, distance: Distance, weight: Weight, table: DataFrame) -> Vec<(Vec<u32>, f64)> {
    let mut states = States::new();
    let mut unit = Unit::new(0, BTreeMap::from([("calls", &table)]), &mut states, &[], &[]);
    let calls = vec![Predicted { table: "calls".into(), asked: vec![(Asked::Argument, voice)] }];
    let tokenizer = load(&small("web-of-lies", 1)).tokenizer;
    let made = Predictions { name: "p".into(), calls, distance, embedder: None, weight, tokenizer };
    let made = made.run(&mut unit).unwrap();
    let tokens = tables::list_u32(&made["p"], "tokens").unwrap().into_iter().flatten();
    tokens.zip(tables::f32s(&made["p"], "supervised").unwrap().into_iter().map(f64::from)).collect()
}

/// Whatever the draws, Adv's examples have the expectation that they have where H is always called.
#[test]
fn what_teaches_adv_has_the_expectation_of_always() {
    let yes = load(&small("web-of-lies", 1)).tokenizer.answer("Yes");
    for measure in [Distance::Exact, Distance::Edit] {
        has_the_expectation_of_always(|trace| {
            let made = predictions(measure.clone(), Weight::Propensity, trace);
            made.iter().map(|(tokens, weight)| weight * distance(tokens)).sum()
        });
        // Each is the question as Adv was asked it and one word, by how far M's answer is from H's.
        let all = predictions(measure.clone(), Weight::One, &trace(&[0.5; 4], |_| true));
        for (i, d) in (0..4).map(|i| (i, between(&measure, OF_H[i], OF_M[i]).unwrap())) {
            let of = |tokens: &[u32]| tokens[..3] == [1, i as u32, 3];
            let weight = |word: bool| -> Vec<f64> {
                let is = |it: &[u32]| of(it) && (it[3..] == yes[..]) == word;
                all.iter().filter(|(tokens, _)| is(tokens)).map(|(_, weight)| *weight).collect()
            };
            let words = [(true, 1.0 - d), (false, d)].map(|(word, right)| (weight(word), right));
            for (found, right) in words {
                assert_eq!(
                    found,
                    if right > 0.0 { vec![f64::from(right as f32)] } else { vec![] },
                    "{measure:?} of {i}"
                );
            }
        }
    }
}

/// Debates in which Adv decides on calls of H within a budget, and learns from them.
fn learning(batches: u64) -> String {
    let learned = "call_human = { learned = { model = \"adversary\", least = 0.1 } }\nbudget = { per_batch = 8 }";
    changed(&small("web-of-lies", batches), &[("call_human = { probability = 0.4 }", learned)]) + TEACHING
}

#[test]
fn a_run_whose_adv_learns_resumes_to_the_same_bytes() {
    assert_resumes(&learning(7), 5);
}

/// Each word of Adv stands beside the answer that it is of, and what it says decides; what it learns is what it was
/// asked where H was called.
#[test]
fn what_adv_says_decides_and_what_h_says_teaches_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = made(&changed(&learning(4), &[("budget = { per_batch = 8 }", "")]), &folder.path().join("run"));
    let mut versions = Vec::new();
    for batch in 0..4 {
        let calls = tables::to_calls(&run.table("arguments.calls", batch).unwrap()).unwrap();
        let argued: Vec<&Call> = calls.iter().filter(|call| call.asked == Asked::Argument).collect();
        let of = |part: Part| argued.iter().filter(move |call| call.part == part);
        let asked: BTreeMap<(u64, usize), &&Call> =
            of(Part::Adversary).map(|it| ((it.question, it.turn), it)).collect();
        assert_eq!(asked.len(), of(Part::First).count());
        assert_eq!(
            calls.iter().filter(|call| call.part == Part::Adversary).count(),
            asked.len(),
            "of the speaker alone"
        );
        for first in of(Part::First) {
            let said = asked[&(first.question, first.turn)];
            assert!(said.prompt.starts_with(&first.prompt) && said.prompt.contains(&first.answer), "{said:?}");
            let sampled = said.sampled.as_ref().unwrap();
            versions.push(sampled.version);
            let word = f64::from(sampled.log_probs[0]).exp();
            let agrees = [("Yes", word), ("No", 1.0 - word)].into_iter().find(|(name, _)| *name == said.answer);
            let propensity = 0.1 + 0.9 * (1.0 - agrees.map_or(0.0, |(_, agrees)| agrees));
            assert!(close(first.propensity.unwrap(), propensity), "{said:?}");
        }
        let examples = run.table("predictions", batch).unwrap();
        assert_eq!(examples.height(), of(Part::Human).count());
        let taught = tables::list_u32(&examples, "tokens").unwrap().into_iter().flatten();
        for (tokens, human) in taught.zip(of(Part::Human)) {
            let sampled = asked[&(human.question, human.turn)].sampled.as_ref().unwrap();
            assert_eq!(tokens[..sampled.prompt.len()], sampled.prompt);
        }
        let metrics = &run.lines()[batch as usize].metrics;
        assert!(
            metrics.contains_key("adversary_step.supervised_loss")
                && metrics.contains_key("arguments.speaker_propensity")
        );
    }
    assert!(versions.contains(&0) && versions.contains(&3), "Adv is asked as it is in each batch");
}

/// Two Amp≈ that argue against each other may each have an Adv; it hears of its own arguments alone.
#[test]
fn adv_is_taught_by_the_arguments_of_its_own_amplify() {
    let trace = trace(&[1.0; 4], |_| true);
    let mut table = tables::from_calls(&trace).unwrap();
    let of = |call: &Call| if call.question < 1 { Voice::Speaker } else { Voice::Opponent };
    let voices: Vec<&str> = trace.iter().map(|call| of(call).name()).collect();
    table.with_column(Column::new("voice".into(), voices)).unwrap();
    let count = |voice| predictions_of(voice, Distance::Exact, Weight::One, table.clone()).len();
    assert_eq!([None, Some(Voice::Speaker), Some(Voice::Opponent)].map(count), [4, 1, 3]);
}
