//! Questions, and stages on plain tables.

use super::{mention, named, probability, schedule};
use proptest::prelude::*;
use spec::settings::*;

pub fn questions() -> impl Strategy<Value = Questions> {
    source().prop_recursive(2, 6, 2, |questions| {
        let share = (0.001..1e9, questions).prop_map(|(weight, questions)| Share { weight, questions });
        prop::collection::vec(share, 1..3).prop_map(Questions::Mixture)
    })
}

fn source() -> impl Strategy<Value = Questions> {
    let task = |((lowest, more, exclude_words), trigger): ((u32, u16, Vec<u32>), f64)| {
        let depth = (lowest / 2, lowest / 2 + u32::from(more));
        let exclude_words = exclude_words.into_iter().map(|words| words.max(1)).collect();
        Questions::Task(Task { name: "web-of-lies".to_owned(), depth, exclude_words, trigger })
    };
    prop_oneof![(any::<(u32, u16, Vec<u32>)>(), probability()).prop_map(task), files().prop_map(Questions::Files)]
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

pub fn on_bad_question() -> impl Strategy<Value = OnBadQuestion> {
    prop_oneof![Just(OnBadQuestion::Fail), Just(OnBadQuestion::Skip)]
}

pub fn sample() -> impl Strategy<Value = Stage> {
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

pub fn table_stages() -> impl Strategy<Value = Vec<Named<Stage>>> {
    (read(), filter_and_sql(), join(), command(), answer(), write()).prop_map(|(r, (f, s), j, c, a, w)| {
        let names = ["r", "f", "x", "j", "c", "an", "w"];
        names.into_iter().zip([r, f, s, j, c, a, w]).map(|(name, stage)| named(name, stage)).collect()
    })
}
