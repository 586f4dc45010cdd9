//! The resolved file reads back to the same settings.

mod procedure;
mod tables;

use procedure::stages;
use proptest::prelude::*;
use spec::{Catalogue, Pipeline, Places, settings::*};
use tables::table_stages;

fn mention(name: &str) -> Reference {
    Reference { name: name.to_owned(), span: 0..0 }
}

fn named<T>(name: &str, settings: T) -> Named<T> {
    Named { name: name.to_owned(), span: 0..0, settings }
}

fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..1.0, Just(f64::MIN_POSITIVE)]
}

/// A strategy of many parts is kept off the stack.
fn schedule() -> BoxedStrategy<Schedule> {
    let points = || {
        let points = prop::collection::btree_map(any::<u64>(), probability(), 1..4);
        points.prop_map(|points| points.into_iter().collect::<Vec<_>>())
    };
    let way =
        || (probability(), probability(), 0..u64::MAX).prop_map(|(from, to, first)| (from, to, (first, u64::MAX)));
    let cosine = way().prop_map(|(from, to, over)| Shape::Cosine(Way { from, to, over }));
    let exponential =
        way().prop_map(|(from, to, over)| Shape::Exponential(Way { from: 1.0 - from / 2.0, to: 1.0 - to / 2.0, over }));
    prop_oneof![
        probability().prop_map(Schedule::Constant),
        points().prop_map(Schedule::Points),
        points().prop_map(|points| Schedule::After(Box::new(After { after: mention("x"), points }))),
        cosine.prop_map(Schedule::Shape),
        exponential.prop_map(Schedule::Shape)
    ]
    .boxed()
}

/// Values below 1.
fn decay() -> BoxedStrategy<Schedule> {
    schedule().prop_filter("a decay rate is below 1", |schedule| schedule.max() < 1.0).boxed()
}

fn call_human() -> impl Strategy<Value = CallHuman> {
    let bounds = || (probability(), probability()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let by_loss = |points: std::collections::BTreeMap<u64, f64>| {
        let points = points.into_iter().map(|(loss, probability)| (loss as f64 / 7.0, probability)).collect();
        CallHuman::Schedule(ByLoss { loss: mention("t"), points, decay: 0.75 })
    };
    prop_oneof![
        Just(CallHuman::Always),
        Just(CallHuman::Never),
        schedule().prop_map(CallHuman::Probability),
        bounds().prop_map(|(least, most)| CallHuman::Confidence(Confidence { least, most })),
        (bounds(), 1..9usize)
            .prop_map(|((least, most), samples)| { CallHuman::Disagreement(Disagreement { samples, least, most }) }),
        prop::collection::btree_map(0..1000u64, probability(), 1..4).prop_map(by_loss),
        (bounds(), ".*").prop_map(|((least, most), text)| {
            let wording = format!("{text}{{answer}}{{question}}");
            CallHuman::Learned(Learned { model: mention("n"), least, most, wording })
        }),
    ]
}

fn budget() -> impl Strategy<Value = Option<Budget>> {
    let one = || prop::option::of(1..u64::MAX);
    (one(), one()).prop_map(|(per_batch, per_run)| {
        (per_batch.is_some() || per_run.is_some()).then_some(Budget { per_batch, per_run })
    })
}

/// How H consults.
fn consulting() -> impl Strategy<Value = (Option<Reference>, Option<usize>, u32, SubAnswers)> {
    let sub_answers = prop_oneof![Just(SubAnswers::Own), Just(SubAnswers::Shared)];
    (prop::option::of(Just(mention("n"))), prop::option::of(1..=32usize), 1..=64u32, sub_answers)
}

/// A script, and who learns from it.
fn humans() -> impl Strategy<Value = Vec<Named<Human>>> {
    let asks = prop_oneof![Just(Asks::AtOnce), Just(Asks::OneByOne)];
    (asks, schedule(), 1..99usize).prop_map(|(asks, share, max_tokens)| {
        let learned = Understudy { from: mention("h"), model: mention("n"), share, max_tokens };
        vec![
            named("h", Human { who: Who::Script("web-of-lies".to_owned()), asks, deceives: vec!["Does".to_owned()] }),
            named("understudy", Human { who: Who::Learned(learned), asks: Asks::AtOnce, deceives: Vec::new() }),
        ]
    })
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    // Where further answers of M are sampled, they may differ.
    let sampled = (call_human(), schedule()).prop_filter("a temperature of 0", |(call_human, temperature)| {
        !matches!(call_human, CallHuman::Disagreement(_)) || temperature.min() > 0.0
    });
    let amplify = (sampled, budget(), consulting()).prop_map(
        |((call_human, temperature), budget, (answerer, rounds, depth, sub_answers))| Amplify {
            model: mention("m"),
            human: mention("h"),
            call_human,
            budget,
            temperature,
            max_tokens: 16,
            answerer,
            rounds,
            depth,
            sub_answers,
        },
    );
    let milestone = (1e-300..1e300, 0.0..1.0);
    let milestone = milestone.prop_map(|(below, decay)| Milestone { loss_of: mention("t"), below, decay });
    (any::<u64>(), amplify, milestone, stages(), table_stages(), any::<bool>(), humans()).prop_map(
        |(seed, amplify, milestone, mut stages, table_stages, best, humans)| {
            stages.extend(table_stages);
            let sizes = Architecture { layers: 2, width: 64, heads: 4, context: 256, feed_forward: 99 };
            Pipeline {
                seed,
                batches: Some(seed.max(1)),
                lag: 2,
                workers: 3,
                checkpoint: Checkpoint { every: 7, keep_last: 5, best: best.then(|| mention("e")) },
                snapshot: Snapshot {
                    batches: 4,
                    rows: 5,
                    columns: if best { vec![mention("c")] } else { Vec::new() },
                    decimals: 6,
                    volatile: vec![mention("v.m")],
                },
                watch: if best { Watch::default() } else { Watch { null_rewards: 0.5, batches: 3 } },
                models: vec![named("m", Model::New(sizes)), named("n", Model::CopyOf(mention("m")))],
                humans,
                amplifies: vec![named("a", amplify)],
                milestones: vec![named("x", milestone)],
                stages,
                places: Places::default(),
                unread: Vec::new(),
            }
        },
    )
}

/// The settings without their places.
fn bare(pipeline: Pipeline) -> String {
    let text = format!("{:#?}", Pipeline { places: Places::default(), ..pipeline });
    text.lines().filter(|line| !line.trim().starts_with("span: ")).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn a_resolved_file_reads_back_to_the_same_settings(pipeline in pipeline()) {
        let names = vec!["web-of-lies".to_owned()];
        let text = pipeline.to_toml();
        let reading = spec::read(&text, &Catalogue { tasks: names.clone(), scripts: names });
        prop_assert_eq!(reading.problems, []);
        prop_assert_eq!(reading.pipeline.to_toml(), text);
        prop_assert_eq!(&reading.pipeline.leaves()["seed"], &pipeline.seed.to_string());
        prop_assert_eq!(bare(reading.pipeline), bare(pipeline));
    }
}
