//! The resolved file reads back to the same settings.

use proptest::prelude::*;
use spec::{Catalogue, Pipeline, Places, settings::*};

fn mention(name: &str) -> Reference {
    Reference { name: name.to_owned(), span: 0..0 }
}

fn named<T>(name: &str, settings: T) -> Named<T> {
    Named { name: name.to_owned(), span: 0..0, settings }
}

fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..1.0, Just(f64::MIN_POSITIVE)]
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let points = prop::collection::btree_map(any::<u64>(), probability(), 1..4)
        .prop_map(|points| Schedule::Points(points.into_iter().collect()));
    let way =
        || (probability(), probability(), 0..u64::MAX).prop_map(|(from, to, first)| (from, to, (first, u64::MAX)));
    let cosine = way().prop_map(|(from, to, over)| Shape::Cosine(Way { from, to, over }));
    let exponential =
        way().prop_map(|(from, to, over)| Shape::Exponential(Way { from: 1.0 - from / 2.0, to: 1.0 - to / 2.0, over }));
    prop_oneof![
        probability().prop_map(Schedule::Constant),
        points,
        cosine.prop_map(Schedule::Shape),
        exponential.prop_map(Schedule::Shape)
    ]
}

fn call_human() -> impl Strategy<Value = CallHuman> {
    let probability = probability().prop_map(CallHuman::Probability);
    prop_oneof![Just(CallHuman::Always), Just(CallHuman::Never), probability]
}

fn wording() -> impl Strategy<Value = Wording> {
    any::<[String; 3]>().prop_map(|texts| {
        let [argument, sufficient, winner] = texts.map(|text| format!("{text}{{context}}{{question}}"));
        Wording { argument, sufficient, winner }
    })
}

fn questions() -> impl Strategy<Value = Questions> {
    let task = |(lowest, more, exclude_words): (u32, u16, Vec<u32>)| {
        let depth = (lowest / 2, lowest / 2 + u32::from(more));
        let exclude_words = exclude_words.into_iter().map(|words| words.max(1)).collect();
        Questions::Task(Task { name: "web-of-lies".to_owned(), depth, exclude_words })
    };
    let files = prop::collection::vec(".+", 1..3)
        .prop_map(|paths| Questions::Files(paths.into_iter().map(|path| File { path, span: 0..0 }).collect()));
    prop_oneof![any::<(u32, u16, Vec<u32>)>().prop_map(task), files]
}

fn debate() -> impl Strategy<Value = Stage> {
    let sufficient = prop_oneof![Just(Sufficient::Ask), Just(Sufficient::Always), Just(Sufficient::Never)];
    (1..9usize, sufficient, wording()).prop_map(|(max_turns, sufficient, wording)| {
        let (from, speaker, overseer) = (mention("q"), mention("a"), mention("b"));
        Stage::Debate(Debate { from, speaker, overseer, max_turns, sufficient, wording })
    })
}

fn loss() -> impl Strategy<Value = Stage> {
    let imitate = prop_oneof![Just(Imitate::Human), Just(Imitate::All)];
    (schedule(), imitate, any::<(bool, bool)>(), 0.0..1.0).prop_map(|(alpha, imitate, credit, decay)| {
        let baseline_decay = Schedule::Constant(decay);
        let (distance, combine) = (Distance::CrossEntropy, Combine::Weighted { alpha });
        let credit = Credit { argument: credit.0, calls: credit.1 };
        Stage::Loss(Loss { from: vec![mention("d"), mention("v")], distance, combine, imitate, credit, baseline_decay })
    })
}

fn train() -> impl Strategy<Value = Stage> {
    (schedule(), (0.0..1.0, 0.0..1.0), 1e-300..1.0, schedule(), 1..9usize).prop_map(
        |(rate, betas, epsilon, clip, steps)| {
            let (epsilon, weight_decay) = (Schedule::Constant(epsilon), rate.clone());
            let adamw = AdamW { betas, epsilon, clip, weight_decay, ..AdamW::new(rate) };
            Stage::Train(Train { from: mention("l"), model: mention("m"), adamw, steps, micro_batch: steps * 7 })
        },
    )
}

fn sync() -> impl Strategy<Value = Stage> {
    let follow = prop_oneof![
        (0.0..1.0).prop_map(|decay| Follow::Polyak(Schedule::Constant(decay))),
        (1..u64::MAX).prop_map(Follow::Every)
    ];
    follow.prop_map(|follow| {
        let (after, from_model, to_model) = (mention("t"), mention("m"), mention("n"));
        Stage::Sync(Sync { after, from_model, to_model, follow })
    })
}

fn evaluate() -> impl Strategy<Value = Stage> {
    let rows = prop::sample::subsequence(vec![Row::Naive, Row::Human, Row::Amplified], 1..=3);
    (questions(), rows, prop::option::of(1..u64::MAX), any::<bool>()).prop_map(|(questions, rows, every, judged)| {
        let (after, of, verdicts) = (mention("s"), mention("a"), judged.then(|| mention("v")));
        Stage::Evaluate(Evaluate { after, questions, count: 500, of, rows, every, verdicts })
    })
}

fn stages() -> impl Strategy<Value = Vec<Named<Stage>>> {
    let sample = (questions(), 1..usize::MAX).prop_map(|(questions, rows)| Stage::Sample(Sample { questions, rows }));
    (sample, debate(), loss(), train(), sync(), evaluate()).prop_map(|(q, d, l, t, s, e)| {
        let judge = Stage::Judge(Judge { from: mention("d"), by: mention("b") });
        vec![
            named("q", q),
            named("d", d),
            named("v", judge),
            named("l", l),
            named("t", t),
            named("s", s),
            named("e", e),
        ]
    })
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    (any::<u64>(), call_human(), 0.0..9.0, stages(), any::<bool>()).prop_map(
        |(seed, call_human, temperature, stages, best)| {
            let sizes = Architecture { layers: 2, width: 64, heads: 4, context: 256, feed_forward: 99 };
            let amplify = Amplify { model: mention("m"), human: mention("h"), call_human, temperature, max_tokens: 16 };
            Pipeline {
                seed,
                batches: seed.max(1),
                workers: 3,
                checkpoint: Checkpoint { every: 7, keep_last: 5, best: best.then(|| mention("e")) },
                snapshot: Snapshot {
                    batches: 4,
                    rows: 5,
                    columns: if best { vec![mention("c")] } else { Vec::new() },
                    decimals: 6,
                    volatile: vec![mention("v.m")],
                },
                models: vec![named("m", Model::New(sizes)), named("n", Model::CopyOf(mention("m")))],
                humans: vec![named("h", Human { script: "web-of-lies".to_owned() })],
                amplifies: vec![named("a", amplify)],
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
        prop_assert_eq!(bare(reading.pipeline), bare(pipeline));
    }
}
