//! Stages of the procedure.

use super::{
    decay, mention, named, probability, schedule,
    tables::{on_bad_question, questions, sample},
};
use proptest::prelude::*;
use spec::settings::*;

fn wording() -> impl Strategy<Value = Wording> {
    any::<[String; 6]>().prop_map(|texts| {
        let [argument, sufficient, winner, summary, catastrophe, likelihood] =
            texts.map(|text| format!("{text}{{context}}{{question}}"));
        Wording { argument, sufficient, winner, summary, catastrophe, likelihood }
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
    let history = prop::sample::select(vec![History::Arguments, History::Traces, History::Summaries]);
    let ends = (1..9usize, 0..9usize, sufficient);
    (ends, form(), history, inspection(), on_bad_question(), wording()).prop_map(
        |(ends, (opponent, speaker_side, turns, rival), history, inspection, on_error, wording)| {
            let (min_turns, more, sufficient) = ends;
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
                history,
                sufficient,
                inspection: inspection.filter(|_| !rival),
                on_error,
                wording,
            })
        },
    )
}

/// Tools, with what they go by.
fn inspection() -> impl Strategy<Value = Option<Inspection>> {
    let tools = prop::collection::vec(prop::sample::select(Tool::ALL.to_vec()), 1..5);
    let some = (tools, 0..9usize, 1..9usize, any::<bool>(), probability()).prop_map(
        |(tools, uses, samples, shuffled, learning_rate)| {
            let asks = tools.contains(&Tool::Resampling) || tools.contains(&Tool::Consistency);
            let default = Inspection::new(tools);
            Inspection {
                uses,
                samples: if asks { samples } else { default.samples },
                shuffled,
                learning_rate: if default.has(Tool::Probe) { learning_rate } else { default.learning_rate },
                ..default
            }
        },
    );
    prop::option::of(some)
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
    let of_letters = || prop::sample::select(vec![Distance::Exact, Distance::Edit, Distance::Chrf, Distance::Bleu]);
    let by_folder = || {
        let folder = ".+".prop_map(|path| File { path, span: 0..0 });
        folder.prop_map(|folder| Distance::Embedding(Embedding { folder }))
    };
    let of_tokens = || prop::sample::select(vec![Distance::CrossEntropy, Distance::Kl]);
    let of_texts = || prop_oneof![4 => of_letters(), 1 => by_folder()];
    let combined = prop_oneof![
        (of_tokens(), schedule()).prop_map(|(distance, alpha)| (distance, Combine::Weighted { alpha })),
        (of_texts(), schedule()).prop_map(|(distance, alpha)| (distance, Combine::Weighted { alpha })),
        (of_texts(), schedule()).prop_map(|(distance, beta)| (distance, Combine::Reward { beta })),
        (of_tokens(), constrained()).prop_map(|(distance, it)| (distance, Combine::Constrained(it))),
    ];
    let nothing = Combine::Weighted { alpha: Schedule::Constant(0.0) };
    let imitated = Just((None, Some(mention("understudy")), Distance::CrossEntropy, nothing.clone()));
    let predicted = of_texts().prop_map(move |distance| (Some(mention("a")), None, distance, nothing.clone()));
    let combined = combined.prop_map(|(distance, combine)| (None, None, distance, combine));
    let combined = prop_oneof![3 => combined, 1 => predicted, 1 => imitated];
    let baseline = prop::sample::select(vec![
        (BaselineOf::Side, Scale::None),
        (BaselineOf::Depth, Scale::None),
        (BaselineOf::Group, Scale::None),
        (BaselineOf::Group, Scale::Std),
    ]);
    let baseline = (baseline, decay());
    (combined, imitate, any::<(bool, bool)>(), baseline, any::<bool>(), price()).prop_map(
        |((predict, steps_of, distance, combine), imitate, credit, (baseline, baseline_decay), by, penalty)| {
            let (baseline, scale) = baseline;
            let imitate = if distance.is_of_texts() || steps_of.is_some() { Imitate::Human } else { imitate };
            let by = by && steps_of.is_none() && !matches!(combine, Combine::Reward { .. });
            let credit = Credit { argument: credit.0, calls: credit.1 };
            let weight = if by && imitate == Imitate::Human { Weight::Propensity } else { Weight::One };
            let from = vec![mention("d"), mention("v")];
            Stage::Loss(Loss {
                from,
                proposals: false,
                penalty: if predict.is_none() { penalty } else { Price::Weight(Schedule::Constant(0.0)) },
                predict,
                steps_of,
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

/// A weight, or a limit that sets it.
fn price() -> impl Strategy<Value = Price> {
    let limited = (0.0..1.0, schedule(), 1e-300..1e300, any::<bool>()).prop_map(|(limit, step, initial, bounded)| {
        let bounds = if bounded { (initial, initial) } else { (1e-300, 1e300) };
        Price::Limited { lagrangian: PenaltyLimit { limit, step, initial, bounds } }
    });
    prop_oneof![schedule().prop_map(Price::Weight), limited]
}

/// What the adversary of a penalty learns.
fn proposals() -> impl Strategy<Value = Stage> {
    let alpha = schedule().prop_filter("something is learnt", |alpha| alpha.max() > 0.0);
    (alpha, any::<bool>()).prop_map(|(alpha, divided)| {
        Stage::Loss(Loss {
            from: vec![mention("p")],
            predict: None,
            steps_of: None,
            proposals: true,
            penalty: Price::Weight(Schedule::Constant(0.0)),
            distance: Distance::CrossEntropy,
            combine: Combine::Weighted { alpha },
            imitate: Imitate::Human,
            weight: Weight::One,
            credit: Credit { argument: true, calls: true },
            baseline: BaselineOf::Side,
            scale: if divided { Scale::Std } else { Scale::None },
            baseline_decay: Schedule::Constant(0.95),
        })
    })
}

fn penalty() -> impl Strategy<Value = Stage> {
    let model = (".+", 1..9usize)
        .prop_map(|(wording, max_tokens)| Proposer::Model(ProposingModel { name: mention("n"), wording, max_tokens }));
    let by = prop_oneof![Just(Proposer::Script("web-of-lies".to_owned())), model];
    let adversary =
        (by, 1..9usize, 1..9usize).prop_map(|(by, proposals, questions)| Adversary { by, proposals, questions });
    (prop::option::of(adversary), 1..99usize).prop_map(|(adversary, max_tokens)| {
        let (from, model, overseer) = (mention("q"), mention("m"), mention("a"));
        Stage::Penalty(Penalty { from, model, max_tokens, overseer, adversary })
    })
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
        (1..u64::MAX).prop_map(Follow::Until)
    ];
    follow.prop_map(|follow| {
        let (after, from_model, to_model) = (mention("t"), mention("m"), mention("n"));
        Stage::Sync(Sync { after, from_model, to_model, follow })
    })
}

fn evaluate() -> impl Strategy<Value = Stage> {
    let rows = prop::sample::subsequence([&Row::WORDS[..3], &[Row::Hch(1), Row::Hch(64)]].concat(), 1..=5);
    let judged = prop::sample::subsequence([&Row::WORDS[3..], &[Row::BestOf(2), Row::BestOf(64)]].concat(), 0..=6);
    (questions(), rows, judged, prop::option::of(1..u64::MAX), any::<bool>()).prop_map(
        |(questions, mut rows, judged, every, compared)| {
            let verdicts = (compared || !judged.is_empty()).then(|| mention("v"));
            rows.extend(judged);
            let (after, of) = (mention("s"), mention("a"));
            Stage::Evaluate(Evaluate {
                after,
                questions,
                count: 500,
                of,
                rows,
                every,
                verdicts,
                catastrophes: compared,
            })
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

pub fn stages() -> impl Strategy<Value = Vec<Named<Stage>>> {
    let both = (penalty(), proposals());
    (sample(), debate(), judge(), both, loss(), train(), sync(), evaluate()).prop_map(
        |(q, d, judge, both, l, t, s, e)| {
            vec![
                named("q", q),
                named("d", d),
                named("v", judge),
                named("p", both.0),
                named("l1", both.1),
                named("l", l),
                named("t", t),
                named("s", s),
                named("e", e),
            ]
        },
    )
}
