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

/// A strategy of many parts is kept off the stack.
fn schedule() -> BoxedStrategy<Schedule> {
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

fn wording() -> impl Strategy<Value = Wording> {
    any::<[String; 3]>().prop_map(|texts| {
        let [argument, sufficient, winner] = texts.map(|text| format!("{text}{{context}}{{question}}"));
        Wording { argument, sufficient, winner }
    })
}

fn questions() -> impl Strategy<Value = Questions> {
    source().prop_recursive(2, 6, 2, |questions| {
        let share = (0.001..1e9, questions).prop_map(|(weight, questions)| Share { weight, questions });
        prop::collection::vec(share, 1..3).prop_map(Questions::Mixture)
    })
}

fn source() -> impl Strategy<Value = Questions> {
    let task = |(lowest, more, exclude_words): (u32, u16, Vec<u32>)| {
        let depth = (lowest / 2, lowest / 2 + u32::from(more));
        let exclude_words = exclude_words.into_iter().map(|words| words.max(1)).collect();
        Questions::Task(Task { name: "web-of-lies".to_owned(), depth, exclude_words })
    };
    prop_oneof![any::<(u32, u16, Vec<u32>)>().prop_map(task), files().prop_map(Questions::Files)]
}

fn files() -> impl Strategy<Value = Files> {
    let text = || prop::option::of(".+");
    let columns = prop::collection::btree_map(".*", ".+", 0..3)
        .prop_map(|columns| columns.into_iter().map(|(here, there)| (here, mention(&there))).collect());
    let paths = prop::collection::vec(".+", 1..3);
    (paths, text(), text(), columns, text(), prop::option::of(1..u64::MAX)).prop_map(
        |(paths, split, config, columns, gold_pattern, limit)| {
            let paths = paths.into_iter().map(|path| File { path, span: 0..0 }).collect();
            let gold_pattern = gold_pattern.map(|text| Pattern { text, span: 0..0 });
            Files { paths, split, config, columns, gold_pattern, limit }
        },
    )
}

fn on_error() -> impl Strategy<Value = OnError> {
    prop_oneof![Just(OnError::Fail), Just(OnError::Skip), Just(OnError::Null)]
}

fn on_bad_question() -> impl Strategy<Value = OnBadQuestion> {
    prop_oneof![Just(OnBadQuestion::Fail), Just(OnBadQuestion::Skip)]
}

fn sample() -> impl Strategy<Value = Stage> {
    let order = prop_oneof![Just(Order::Sequential), Just(Order::Shuffled), Just(Order::WithReplacement)];
    let exclude = prop::option::of(files());
    (questions(), 1..usize::MAX / 9, 1..9usize, order, on_bad_question(), exclude).prop_map(
        |(questions, several, repeat, order, on_error, exclude)| {
            let rows = several * repeat;
            let (order, on_error) = match questions {
                Questions::Task(_) => (Order::Sequential, OnBadQuestion::Fail),
                _ => (order, on_error),
            };
            Stage::Sample(Sample { questions, rows, repeat, order, on_error, exclude })
        },
    )
}

fn read() -> impl Strategy<Value = Stage> {
    (files(), 1..usize::MAX, prop::option::of(".+"), on_error(), any::<bool>())
        .prop_map(|(files, rows, number, on_error, keep)| Stage::Read(Read { files, rows, number, on_error, keep }))
}

fn filter_and_sql() -> impl Strategy<Value = (Stage, Stage)> {
    (".+", ".+", any::<bool>()).prop_map(|(condition, query, keep)| {
        let from = vec![mention("r"), mention("d.calls")];
        (Stage::Filter(Filter { from: mention("r"), condition, keep }), Stage::Sql(Sql { from, query, keep }))
    })
}

fn join() -> impl Strategy<Value = Stage> {
    let with = prop_oneof![Just(With::Table(mention("f"))), files().prop_map(With::Files)];
    let how = prop_oneof![Just(How::Inner), Just(How::Left), Just(How::Semi), Just(How::Anti)];
    let on = prop::collection::btree_map(".*", ".+", 1..3).prop_map(|on| on.into_iter().collect());
    (with, on, how, ".+", any::<bool>())
        .prop_map(|(with, on, how, suffix, keep)| Stage::Join(Join { from: mention("r"), with, on, how, suffix, keep }))
}

fn command() -> impl Strategy<Value = Stage> {
    let kind = prop_oneof![Just(Kind::U64), Just(Kind::Str), Just(Kind::List(Box::new(Kind::F32)))];
    let columns = prop::collection::btree_map(".*", (kind, any::<bool>()), 1..4);
    let run = prop::collection::vec(".+", 1..3);
    (run, columns, 1..u64::from(u32::MAX), on_error()).prop_map(|(run, columns, milliseconds, on_error)| {
        let column = |(name, (kind, nullable))| Column { name, kind, nullable };
        let columns = columns.into_iter().map(column).collect();
        let time_limit = std::time::Duration::from_millis(milliseconds);
        let folder = File { path: run[0].clone(), span: 0..0 };
        Stage::Command(Command { from: mention("r"), run, folder, columns, time_limit, on_error })
    })
}

fn answer() -> impl Strategy<Value = Stage> {
    let sampled = (schedule(), 1..99usize).prop_map(|(temperature, max_tokens)| Sampled {
        name: mention("m"),
        temperature,
        max_tokens,
    });
    let by = prop_oneof![Just(By::Amplify(mention("a"))), Just(By::Human(mention("h"))), sampled.prop_map(By::Model)];
    (by, on_error()).prop_map(|(by, on_error)| Stage::Answer(Answer { from: mention("r"), by, on_error }))
}

fn write() -> impl Strategy<Value = Stage> {
    let folder = prop::option::of(".+".prop_map(|path| File { path, span: 0..0 }));
    (folder, "[a-z_.]+", prop::option::of(".+"))
        .prop_map(|(folder, split, description)| Stage::Write(Write { from: mention("r"), folder, split, description }))
}

fn table_stages() -> impl Strategy<Value = Vec<Named<Stage>>> {
    (read(), filter_and_sql(), join(), command(), answer(), write()).prop_map(|(r, (f, s), j, c, a, w)| {
        let names = ["r", "f", "x", "j", "c", "an", "w"];
        names.into_iter().zip([r, f, s, j, c, a, w]).map(|(name, stage)| named(name, stage)).collect()
    })
}

fn debate() -> impl Strategy<Value = Stage> {
    let sufficient = prop_oneof![
        Just(Sufficient::Ask),
        Just(Sufficient::Always),
        Just(Sufficient::Never),
        schedule().prop_map(Sufficient::Random),
        schedule().prop_map(Sufficient::Biased),
    ];
    (1..9usize, 0..9usize, form(), sufficient, on_bad_question(), wording()).prop_map(
        |(min_turns, more, (opponent, speaker_side, turns, rival), sufficient, on_error, wording)| {
            let (from, speaker, overseer) = (mention("q"), mention("a"), mention("b"));
            let round = if turns == Turns::Simultaneous { 2 } else { 1 };
            Stage::Debate(Debate {
                from,
                speaker,
                opponent,
                speaker_side,
                overseer,
                max_turns: (min_turns + more).next_multiple_of(round),
                min_turns,
                turns,
                rival,
                sufficient,
                on_error,
                wording,
            })
        },
    )
}

/// The opponent, the speaker's side, the order of turns, and whether the sides are rivals, as far as they go together.
fn form() -> impl Strategy<Value = (Option<Reference>, SpeakerSide, Turns, bool)> {
    let side = prop::sample::select(vec![SpeakerSide::Drawn, SpeakerSide::Even, SpeakerSide::Odd]);
    let opponent = prop_oneof![Just((None, SpeakerSide::Drawn)), side.prop_map(|side| (Some(mention("c")), side))];
    let order =
        prop::sample::select(vec![(Turns::Sequential, false), (Turns::Sequential, true), (Turns::Simultaneous, false)]);
    (opponent, order).prop_map(|((opponent, side), (turns, rival))| (opponent, side, turns, rival))
}

fn loss() -> impl Strategy<Value = Stage> {
    let imitate = prop_oneof![Just(Imitate::Human), Just(Imitate::All)];
    let of_texts = || prop::sample::select(vec![Distance::Exact, Distance::Edit, Distance::Chrf, Distance::Bleu]);
    let combined = prop_oneof![
        schedule().prop_map(|alpha| (Distance::CrossEntropy, Combine::Weighted { alpha })),
        (of_texts(), schedule()).prop_map(|(distance, alpha)| (distance, Combine::Weighted { alpha })),
        (of_texts(), schedule()).prop_map(|(distance, beta)| (distance, Combine::Reward { beta })),
        constrained().prop_map(|it| (Distance::CrossEntropy, Combine::Constrained(it))),
    ];
    let nothing = Combine::Weighted { alpha: Schedule::Constant(0.0) };
    let predicted = of_texts().prop_map(move |distance| (Some(mention("a")), distance, nothing.clone()));
    let combined = prop_oneof![3 => combined.prop_map(|(distance, combine)| (None, distance, combine)), 1 => predicted];
    let baseline = prop::sample::select(vec![
        (BaselineOf::Side, Scale::None),
        (BaselineOf::Depth, Scale::None),
        (BaselineOf::Group, Scale::None),
        (BaselineOf::Group, Scale::Std),
    ]);
    (combined, imitate, any::<(bool, bool)>(), (baseline, decay()), any::<bool>()).prop_map(
        |((predict, distance, combine), imitate, credit, ((baseline, scale), baseline_decay), by)| {
            let imitate = if distance.is_of_texts() { Imitate::Human } else { imitate };
            let by = by && !matches!(combine, Combine::Reward { .. });
            let credit = Credit { argument: credit.0, calls: credit.1 };
            let weight = if by && imitate == Imitate::Human { Weight::Propensity } else { Weight::One };
            let from = vec![mention("d"), mention("v")];
            Stage::Loss(Loss {
                from,
                predict,
                distance,
                combine,
                imitate,
                weight,
                credit,
                baseline,
                scale,
                baseline_decay,
            })
        },
    )
}

fn constrained() -> impl Strategy<Value = Constrained> {
    let above_zero = || (1e-300..1.0).prop_map(Schedule::Constant);
    let cpo = (above_zero(), 1e-300..1.0, 1..99usize, 0..99usize).prop_map(|(kl, part, iterations, backtracks)| {
        Method::Cpo(Cpo { kl, damping: part, iterations, backtracks, shrink: part })
    });
    let lagrangian =
        (schedule(), 1e-300..1e300).prop_map(|(step, initial)| Method::Lagrangian(Lagrangian { step, initial }));
    let slack = (0.0..1e300).prop_map(|slack| Limit::Slack(Slack { baseline: Baseline::Start, slack }));
    let limit = prop_oneof![(1e-300..1e300).prop_map(Limit::Nats), slack];
    (prop_oneof![cpo, lagrangian], limit, 1..u64::MAX).prop_map(|(method, limit, from)| Constrained {
        method,
        limit,
        from,
    })
}

fn train() -> impl Strategy<Value = Stage> {
    let adamw = (schedule(), (decay(), decay()), 1e-300..1.0, schedule()).prop_map(|(rate, betas, epsilon, clip)| {
        let (epsilon, weight_decay) = (Schedule::Constant(epsilon), rate.clone());
        AdamW { betas, epsilon, clip, weight_decay, ..AdamW::new(rate) }
    });
    let kl = prop::option::of(schedule().prop_map(|weight| Kl { to: mention("n"), weight }));
    (adamw, policy(), any::<bool>(), schedule(), kl, 1..9usize).prop_map(
        |(adamw, policy, trajectory, entropy, kl, steps)| {
            let (from, model, micro_batch) = (mention("l"), mention("m"), steps * 7);
            let normalise = if trajectory { Normalise::Trajectory } else { Normalise::Token };
            Stage::Train(Train { from, model, adamw, policy, normalise, entropy, kl, steps, micro_batch })
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        Just(Policy::Reinforce),
        (1e-300..1.0).prop_map(|clip| Policy::Ppo(Ppo { clip })),
        (1e-300..1e300).prop_map(|truncate| Policy::Importance(Importance { truncate })),
    ]
}

fn sync() -> impl Strategy<Value = Stage> {
    let follow = prop_oneof![
        decay().prop_map(Follow::Polyak),
        (1..u64::MAX).prop_map(Follow::Every),
        (1..u64::MAX).prop_map(Follow::At)
    ];
    follow.prop_map(|follow| {
        let (after, from_model, to_model) = (mention("t"), mention("m"), mention("n"));
        Stage::Sync(Sync { after, from_model, to_model, follow })
    })
}

fn evaluate() -> impl Strategy<Value = Stage> {
    let rows = prop::sample::subsequence([&Row::WORDS[..3], &[Row::Hch(1), Row::Hch(64)]].concat(), 1..=5);
    let judged = prop::sample::subsequence(Row::WORDS[3..].to_vec(), 0..=4);
    (questions(), rows, judged, prop::option::of(1..u64::MAX), any::<bool>()).prop_map(
        |(questions, mut rows, judged, every, compared)| {
            let verdicts = (compared || !judged.is_empty()).then(|| mention("v"));
            rows.extend(judged);
            let (after, of) = (mention("s"), mention("a"));
            Stage::Evaluate(Evaluate { after, questions, count: 500, of, rows, every, verdicts })
        },
    )
}

fn judge() -> impl Strategy<Value = Stage> {
    let reply = prop::sample::select(vec![Reply::Text, Reply::Choice]);
    let sees = prop::sample::select(vec![Sees::Given, Sees::Random, Sees::Both]);
    (reply, sees, 1..9usize).prop_map(|(reply, sees, repeats)| {
        Stage::Judge(Judge { from: mention("d"), by: mention("b"), reply, sees, repeats })
    })
}

fn stages() -> impl Strategy<Value = Vec<Named<Stage>>> {
    (sample(), debate(), judge(), loss(), train(), sync(), evaluate()).prop_map(|(q, d, judge, l, t, s, e)| {
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
    // Where further answers of M are sampled, they may differ.
    let sampled = (call_human(), schedule()).prop_filter("a temperature of 0", |(call_human, temperature)| {
        !matches!(call_human, CallHuman::Disagreement(_)) || temperature.min() > 0.0
    });
    let amplify = (sampled, budget()).prop_map(|((call_human, temperature), budget)| Amplify {
        model: mention("m"),
        human: mention("h"),
        call_human,
        budget,
        temperature,
        max_tokens: 16,
    });
    (any::<u64>(), amplify, stages(), table_stages(), any::<bool>()).prop_map(
        |(seed, amplify, mut stages, table_stages, best)| {
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
        prop_assert_eq!(&reading.pipeline.leaves()["seed"], &pipeline.seed.to_string());
        prop_assert_eq!(bare(reading.pipeline), bare(pipeline));
    }
}
