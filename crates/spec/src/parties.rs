//! `[model.NAME]`, `[human.NAME]` and `[amplify.NAME]`: who answers.

use crate::{
    samp::{budget, call_human, refuse_sameness},
    settings::{Amplify, Architecture, Asks, CallHuman, Human, Model, Schedule, SubAnswers, Understudy, Who},
    table::Table,
    value::Value,
};

/// `[model.NAME]`
pub(crate) fn model(table: &mut Table<'_>) -> Model {
    table.one_of(
        Model::New(STAND_IN),
        &[
            ("new", &|value| value.table(architecture).map(Model::New)),
            ("copy_of", &|value| value.reference().map(Model::CopyOf)),
            ("checkpoint", &|value| value.file().map(Model::Checkpoint)),
        ],
    )
}

/// Sizes that take the place of unusable ones.
const STAND_IN: Architecture = Architecture { layers: 1, width: 64, heads: 1, context: 4096, feed_forward: 256 };

fn architecture(table: &mut Table<'_>) -> Architecture {
    let mut size = |key, stand_in| table.required(key, stand_in, |value| value.whole(1..));
    let (layers, width) = (size("layers", STAND_IN.layers), size("width", STAND_IN.width));
    let (heads, context) = (size("heads", STAND_IN.heads), size("context", STAND_IN.context));
    if !width.is_multiple_of(heads.saturating_mul(2)) {
        let message = format!("a width of {width} cannot be parted among {heads} heads of an even width each");
        table.problem_at("heads", message, "rotary embeddings turn pairs: `width` must be a multiple of `2 * heads`");
    } else if !width.is_multiple_of(8) {
        let remedy = "only then are a row's last bits the same in any batch; round it up to a multiple of 8";
        table.problem_at("width", format!("a width of {width} is no multiple of 8"), remedy);
    }
    let feed_forward = table.or("feed_forward", width.saturating_mul(4), |value| value.whole(1..));
    Architecture { layers, width, heads, context, feed_forward }
}

/// `[human.NAME]`
pub(crate) fn human(table: &mut Table<'_>) -> Human {
    let who = table.one_of(
        Who::Script(String::new()),
        &[
            ("script", &|value| script(value).map(Who::Script)),
            ("learned", &|value| value.table(understudy).map(Who::Learned)),
        ],
    );
    let human = Human {
        who,
        asks: table.or("asks", Asks::AtOnce, |value| value.word(&Asks::ALL)),
        deceives: table.or("deceives", Vec::new(), |value| value.list(|mark| mark.text())),
    };
    if human.understudy().is_some() && human.asks != Asks::AtOnce {
        let message = "a model asks as the human that it learns from";
        table.problem_at("asks", message, "say it of that human, or remove it");
    }
    if human.understudy().is_some() && !human.deceives.is_empty() {
        let message = "a model deceives as the human that it learns from";
        table.problem_at("deceives", message, "say it of that human, or remove it");
    }
    human
}

fn understudy(table: &mut Table<'_>) -> Understudy {
    Understudy {
        from: table.reference("from"),
        model: table.reference("model"),
        share: table.required("share", Schedule::Constant(1.0), |value| value.schedule(0.0..=1.0)),
        max_tokens: table.or("max_tokens", 32, |value| value.whole(1..)),
    }
}

/// The name of a script of the catalogue.
pub(crate) fn script(value: &mut Value<'_>) -> Option<String> {
    let name = value.text()?;
    let scripts = value.notes.catalogue.scripts.clone();
    if scripts.contains(&name) { Some(name) } else { value.unknown(&name, scripts.iter().map(String::as_str)) }
}

/// `[amplify.NAME]`
pub(crate) fn amplify(table: &mut Table<'_>) -> Amplify {
    let stand_in = CallHuman::Probability(Schedule::Constant(0.5));
    let amplify = Amplify {
        model: table.reference("model"),
        human: table.reference("human"),
        call_human: table.required("call_human", stand_in, call_human),
        budget: table.optional("budget", |value| value.table(budget)),
        temperature: table.or("temperature", Schedule::Constant(1.0), |value| value.schedule(0.0..)),
        max_tokens: table.or("max_tokens", 16, |value| value.whole(1..)),
        answerer: table.optional("answerer", |value| value.reference()),
        rounds: table.optional("rounds", |value| value.whole(1..=32)),
        depth: table.or("depth", 1, |value| value.whole(1..=64)),
        sub_answers: table.or("sub_answers", SubAnswers::Own, |value| value.word(&SubAnswers::ALL)),
    };
    refuse_sameness(table, &amplify.call_human, &amplify.temperature);
    amplify
}
