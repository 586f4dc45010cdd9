//! What a file says, and what is wrong with it. Whole invalid files are in `tests/invalid` at the root.

use insta::assert_snapshot;
use spec::{
    Catalogue, Reading,
    settings::{Schedule, Shape, Stage, Way, Wording},
};

fn read(text: &str) -> Reading {
    let names = vec!["web-of-lies".to_owned()];
    spec::read(text, &Catalogue { tasks: names.clone(), scripts: names })
}

/// What is wrong with a file that begins well and goes on with `text`.
fn problems(text: &str) -> String {
    let head = "seed = 1\nbatches = 10\n[sample.first]\nfiles = [\"a.jsonl\"]\nrows = 1\n";
    let text = format!("{head}{text}");
    let mut lines = Vec::new();
    for problem in read(&text).problems {
        let help = problem.help.map_or(String::new(), |help| format!(" ({help})"));
        lines.push(format!("{:?}: {}{help}", &text[problem.span], problem.message));
    }
    lines.join("\n")
}

/// The settings of the file's only stage.
fn stage(text: &str) -> Stage {
    let reading = read(&format!("seed = 1\nbatches = 10\n{text}"));
    assert_eq!(reading.problems, []);
    reading.pipeline.stages[0].settings.clone()
}

#[test]
fn what_is_left_out_has_its_default() {
    let Reading { pipeline, problems } = read(include_str!("spare.toml"));
    assert_eq!(problems, []);
    assert_snapshot!(pipeline.to_toml(), @r#"
    seed = 1
    batches = 10
    workers = 2
    lag = 0

    [checkpoint]
    every = 50
    keep_last = 2

    [snapshot]
    batches = 2
    rows = 3
    decimals = 2
    volatile = []

    [model.m]
    new = { layers = 1, width = 8, heads = 2, context = 64, feed_forward = 32 }

    [human.h]
    script = "web-of-lies"

    [human.i]
    learned = { from = "h", model = "n", share = 0.5, max_tokens = 32 }

    [amplify.a]
    model = "m"
    human = "h"
    call_human = "never"
    temperature = 1.0
    max_tokens = 16

    [amplify.a1]
    model = "m"
    human = "h"
    call_human = { confidence = { least = 0.0, most = 1.0 } }
    temperature = 1.0
    max_tokens = 16

    [amplify.a2]
    model = "m"
    human = "h"
    call_human = { disagreement = { samples = 2, least = 0.0, most = 1.0 } }
    temperature = 1.0
    max_tokens = 16

    [amplify.a3]
    model = "m"
    human = "h"
    call_human = { schedule = { loss = "t", points = [[0.5, 1.0]], decay = 0.9 } }
    temperature = 1.0
    max_tokens = 16

    [amplify.a4]
    model = "m"
    human = "h"
    call_human = { learned = { model = "n", least = 0.0, most = 1.0, wording = "{question}\nAnswer: {answer}\nWould the human say so?" } }
    temperature = 1.0
    max_tokens = 16

    [milestone.x]
    loss_of = "t"
    below = 0.5
    decay = 0.9

    [sample.q]
    task = { name = "web-of-lies", depth = [0, 2], exclude_words = [] }
    rows = 4

    [debate.d]
    from = "q"
    speaker = "a"
    overseer = "a"
    max_turns = 2
    sufficient = "ask"
    on_error = "fail"
    wording = { argument = "{question}{context}", sufficient = "{question}{context}\nIs this a sufficient answer?", winner = "{question}{context}\nWere the even arguments more helpful?" }

    [debate.d1]
    from = "q"
    speaker = "a"
    overseer = "a"
    max_turns = 2
    sufficient = "ask"
    inspection = { tools = ["resampling", "probe"], uses = 1, samples = 4, shuffled = false, learning_rate = 1.0 }
    on_error = "fail"
    wording = { argument = "{question}{context}", sufficient = "{question}{context}\nIs this a sufficient answer?", winner = "{question}{context}\nWere the even arguments more helpful?" }

    [judge.v]
    from = "d"
    by = "a"

    [penalty.p]
    from = "q"
    model = "m"
    max_tokens = 16
    overseer = "a"

    [penalty.p1]
    from = "q"
    model = "m"
    max_tokens = 16
    overseer = "a"
    adversary = { script = "web-of-lies", proposals = 8, questions = 16 }

    [penalty.p2]
    from = "q"
    model = "m"
    max_tokens = 16
    overseer = "a"
    adversary = { model = { name = "n", wording = "Which questions may end in a catastrophe?", max_tokens = 2 }, proposals = 8, questions = 16 }

    [loss.l]
    from = ["d", "v"]
    distance = "cross-entropy"
    combine = { weighted = { alpha = 0.0 } }
    imitate = "human"
    credit = ["argument", "calls"]
    baseline_decay = 0.95

    [loss.l1]
    from = ["d", "v"]
    distance = "cross-entropy"
    combine = { constrained = { cpo = { kl = 0.01, damping = 0.1, iterations = 10, backtracks = 10, shrink = 0.8 }, limit = 0.5, from = 0 } }
    imitate = "human"
    credit = ["argument", "calls"]
    baseline_decay = 0.95

    [loss.l2]
    from = ["d", "v"]
    distance = "cross-entropy"
    combine = { constrained = { lagrangian = { step = 0.0, initial = 1.0 }, limit = { baseline = "start", slack = 0.0 }, from = 1 } }
    imitate = "human"
    credit = ["argument", "calls"]
    baseline_decay = 0.95

    [loss.l3]
    from = ["d", "p"]
    penalty = { lagrangian = { limit = 0.01, step = 1.0, initial = 1000.0, bounds = [1e-6, 1000000.0] } }
    distance = "cross-entropy"
    combine = { weighted = { alpha = 0.0 } }
    imitate = "human"
    credit = ["argument", "calls"]
    baseline_decay = 0.95

    [train.t]
    from = "l"
    model = "m"
    adamw = { learning_rate = [[0, 0.0], [5, 0.001]], betas = [0.9, 0.98], epsilon = 1e-8, weight_decay = 0.0, clip = 1.0 }
    policy = { ppo = { clip = 0.2 } }
    steps = 1
    micro_batch = 32

    [train.u]
    from = "l"
    model = "m"
    adamw = { learning_rate = 0.001, betas = [0.9, 0.98], epsilon = 1e-8, weight_decay = 0.0, clip = 1.0 }
    policy = { importance = { truncate = 2.0 } }
    steps = 1
    micro_batch = 32

    [sync.s]
    after = "t"
    from_model = "m"
    to_model = "n"
    every = 5

    [evaluate.e]
    after = "s"
    questions = { files = ["a.jsonl", "b.parquet"] }
    count = 500
    of = "a"
    rows = ["naive", "human", "amplified"]

    [evaluate.f]
    after = "e"
    questions = { task = { name = "web-of-lies", depth = [0, 2], exclude_words = [] } }
    count = 500
    of = "a"
    rows = ["naive", "human", "amplified"]

    [sample.r]
    files = ["a.jsonl"]
    rows = 4

    [read.rows]
    files = ["a.csv"]
    rows = 10
    on_error = "fail"
    keep = true

    [filter.f1]
    from = "rows"
    condition = "id > 3"
    keep = true

    [sql.g]
    from = ["f1"]
    query = "SELECT id FROM f1"
    keep = true

    [join.j]
    from = "g"
    with = "rows"
    on = { id = "id" }
    how = "inner"
    suffix = "_right"
    keep = true

    [command.c]
    from = "j"
    run = ["cat"]
    folder = "."
    columns = { id = "u64" }
    time_limit = "10m"
    on_error = "fail"

    [answer.by_m]
    from = "rows"
    model = { name = "m", temperature = 0.0, max_tokens = 16 }
    on_error = "fail"

    [write.w]
    from = "c"
    split = "train"
    "#);
}

#[test]
fn stages_keep_the_order_of_the_file() {
    let text = "[judge.b]\nfrom=\"a\"\nby=\"x\"\n[debate.c]\nfrom=\"a\"\nspeaker=\"x\"\noverseer=\"x\"\n[judge.a]\nfrom=\"c\"\nby=\"x\"";
    let reading = read(&format!("seed = 1\nbatches = 1\n{text}"));
    let names: Vec<&str> = reading.pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["b", "c", "a"]);
}

#[test]
fn a_list_of_one_may_be_given_without_brackets() {
    let of = |from: &str| {
        let text = format!("[loss.l]\nfrom = {from}\ncombine = {{ weighted = {{ alpha = 0.5 }} }}");
        let Stage::Loss(loss) = stage(&text) else { panic!("not a loss") };
        loss.from.into_iter().map(|mention| mention.name).collect::<Vec<_>>()
    };
    assert_eq!(of("\"d\""), of("[\"d\"]"));
    assert_eq!(of("[\"d\", \"v\"]"), ["d", "v"]);
}

#[test]
fn places_lead_to_values_and_fall_back_to_tables() {
    let text = "seed = 1\nbatches = 2\n[sample.q]\nfiles = [\"a\"]\nrows = 4\n";
    let places = read(text).pipeline.places;
    assert_eq!(&text[places.of("sample.q.rows")], "4");
    assert_eq!(&text[places.of("sample.q.task.depth")], "q");
    assert_eq!(places.of("nothing"), 0..0);
}

#[test]
fn keys_are_told_apart_from_values() {
    assert_snapshot!(problems("[model.m]\nnew = { layers = 1, width = 8, heads = 1, contxt = 8 }"), @r#""contxt": `model.m.new` has no key `contxt` (did you mean `context`? valid are `layers`, `width`, `heads`, `context` and `feed_forward`)"#);
    assert_snapshot!(problems("[model.m]\nnew = 3"), @r#""3": `new` must be a table, not 3 (`new`: a transformer with fresh weights)"#);
    assert_snapshot!(problems("[model.m]\n"), @r#""m": `model.m` needs one of `new`, `copy_of` and `checkpoint` (add `new = …`)"#);
    assert_snapshot!(problems("[human.h]\nscript = \"\""), @r#""\"\"": `script` must not be empty (`script`: a scripted human of the catalogue)"#);
    assert_snapshot!(problems("[checkpoint]\nevery = 0\nkeep = 3"), @r#"
    "0": `every` must be a whole number, at least 1, not 0 (`every`: A checkpoint is written after every so many batches, and after the last)
    "keep": `checkpoint` has no key `keep` (valid are `every`, `keep_last` and `best`)
    "#);
    assert_snapshot!(problems("[[debate.d]]\nfrom = \"q\""), @r#""d": `debate.d` is a list of tables (write `[debate.d]`, and give each further one a name of its own)"#);
}

#[test]
fn numbers_have_ranges() {
    let train = |adamw: &str| problems(&format!("[train.t]\nfrom = \"l\"\nmodel = \"m\"\nadamw = {{ {adamw} }}"));
    assert_snapshot!(train("learning_rate = nan"), @r#""nan": `learning_rate` must be a number, at least 0, not nan (`learning_rate`: Step size)"#);
    assert_snapshot!(train("learning_rate = [[0, 1e-3], [0x10, -1.0]]"), @r#""-1.0": `learning_rate` must be a number, at least 0, not -1.0 (`learning_rate`: Step size)"#);
    assert_snapshot!(train("learning_rate = [[0, 1e-3], 5]"), @r#""5": `learning_rate` must be a list of `[batch, value]`, not 5 (`learning_rate`: Step size)"#);
    assert_snapshot!(train("learning_rate = []"), @r#""[]": `learning_rate` must not be empty (`learning_rate`: Step size)"#);
    assert_snapshot!(train("learning_rate = 1, betas = [0.9]"), @r#""[0.9]": `betas` must be a list of two numbers, not a list of 1 (`betas`: Decay rates of the two moments, of the gradient and of its square, each in [0, 1))"#);
    assert_snapshot!(train("learning_rate = 1, betas = [[0, 0.9], 0.98]"), @r#"
    "0": `betas` must be a list of `[batch, value]`, not 0 (`betas`: Decay rates of the two moments, of the gradient and of its square, each in [0, 1))
    "0.9": `betas` must be a list of `[batch, value]`, not 0.9 (`betas`: Decay rates of the two moments, of the gradient and of its square, each in [0, 1))
    "#);
    assert_snapshot!(train(
        "learning_rate = 1, betas = [{ cosine = { from = 0.9, to = 1, over = [0, 9] } }, [[0, 0.9], [5, 1.5]]]"
    ), @r#"
    "1": `to` must be a number, at least 0 and below 1, not 1 (`to`: The value at its end, and after)
    "1.5": `betas` must be a number, at least 0 and below 1, not 1.5 (`betas`: Decay rates of the two moments, of the gradient and of its square, each in [0, 1))
    "#);
    assert_snapshot!(train("learning_rate = 1, epsilon = 0"), @r#""0": `epsilon` must be a number, above 0, not 0 (`epsilon`: Added to the root of the second moment)"#);
    assert_snapshot!(train("learning_rate = 1_000, clip = 0, weight_decay = -99999999999999999999"), @r#""-99999999999999999999": `weight_decay` must be a number, at least 0, not -99999999999999999999 (`weight_decay`: Decoupled weight decay)"#);
}

#[test]
fn a_file_that_is_not_toml_is_read_no_further() {
    assert_snapshot!(problems("[train.t]\nfrom = \"l\nmodel = m"), @r#"
    "": this is not TOML: invalid basic string, expected `"` (how TOML is written: https://toml.io)
    "m": this is not TOML: string values must be quoted, expected literal string (how TOML is written: https://toml.io)
    "#);
    assert_snapshot!(problems("rows = 2\nfrom 3"), @r#"
    "rows": `rows` is there twice (keep one of the two)
    "": this is not TOML: key with no value, expected `=` (how TOML is written: https://toml.io)
    "#);
}

#[test]
fn a_schedule_is_linear_between_its_points() {
    let schedule = Schedule::Points(vec![(10, 0.0), (20, 1.0), (40, 0.5)]);
    let values = [0, 10, 15, 20, 30, 40, 99].map(|batch| schedule.at(batch));
    assert_eq!(values, [0.0, 0.0, 0.5, 1.0, 0.75, 0.5, 0.5]);
    assert_eq!(schedule.first_above_zero(99), Some(11));
}

#[test]
fn a_schedule_has_a_range_from_a_batch_on() {
    let points = Schedule::Points(vec![(10, 0.0), (20, 1.0), (40, 0.5)]);
    let ranges = [0, 15, 30, 99].map(|batch| points.range_from(batch));
    assert_eq!(ranges, [(0.0, 1.0), (0.5, 1.0), (0.5, 0.75), (0.5, 0.5)]);
    let shape = Schedule::Shape(Shape::Exponential(Way { from: 1.0, to: 0.25, over: (10, 20) }));
    assert_eq!([0, 15, 20].map(|batch| shape.range_from(batch)), [(0.25, 1.0), (0.25, 0.5), (0.25, 0.25)]);
}

#[test]
fn a_shape_leads_from_one_value_to_another() {
    let way = Way { from: 1.0, to: 0.25, over: (10, 20) };
    let values = |shape| [0, 10, 15, 20, 99].map(|batch| Schedule::Shape(shape).at(batch));
    assert_eq!(values(Shape::Cosine(way)), [1.0, 1.0, 0.625, 0.25, 0.25]);
    assert_eq!(values(Shape::Exponential(way)), [1.0, 1.0, 0.5, 0.25, 0.25]);
    assert_eq!(Schedule::Shape(Shape::Cosine(Way { from: 0.0, ..way })).first_above_zero(99), Some(11));
}

#[test]
fn a_schedule_says_what_it_may_be() {
    let alpha =
        |alpha: &str| problems(&format!("[loss.l]\nfrom = \"d\"\ncombine = {{ weighted = {{ alpha = {alpha} }} }}"));
    assert_snapshot!(alpha("\"high\""), @r#""\"high\"": `alpha` must be a number, at least 0 and at most 1, not "high" (`alpha`: α in [0, 1])"#);
    assert_snapshot!(alpha("{ cosine = { from = 0, to = 1.5, over = [5, 5] } }"), @r#"
    "1.5": `to` must be a number, at least 0 and at most 1, not 1.5 (`to`: The value at its end, and after)
    "[5, 5]": `over` goes from the batch at which it begins to a later one (write `over = [FIRST, LAST]`)
    "#);
    assert_snapshot!(alpha("{ cosin = { from = 0, to = 1, over = [0, 5] } }"), @r#""cosin": `loss.l.combine.weighted.alpha` has no key `cosin` (did you mean `cosine`? valid are `cosine` and `exponential`)"#);
    assert_snapshot!(alpha("{ exponential = { from = 0, over = [0, 5] } }"), @r#"
    "exponential": `loss.l.combine.weighted.alpha.exponential` needs `to` (add `to = …`)
    "0": `from` must be a number, above 0 and at most 1, not 0 (`from`: The value at its beginning, and before)
    "#);
}

#[test]
fn the_default_wording_of_an_argument_is_the_bare_question() {
    assert_eq!(Wording::default().argument.replace("{context}", ""), "{question}");
}
