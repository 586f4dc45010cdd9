//! Reading of `[penalty.NAME]`.

use crate::{
    parties::script,
    settings::{Adversary, PROPOSE, Penalty, Proposer, ProposingModel},
    table::Table,
};

/// `[penalty.NAME]`
pub(crate) fn penalty(table: &mut Table<'_>) -> Penalty {
    Penalty {
        from: table.reference("from"),
        model: table.reference("model"),
        max_tokens: table.or("max_tokens", 16, |value| value.whole(1..)),
        overseer: table.reference("overseer"),
        adversary: table.optional("adversary", |value| value.table(adversary)),
    }
}

fn adversary(table: &mut Table<'_>) -> Adversary {
    Adversary {
        by: table.one_of(
            Proposer::Script(String::new()),
            &[
                ("script", &|value| script(value).map(Proposer::Script)),
                ("model", &|value| value.table(model).map(Proposer::Model)),
            ],
        ),
        proposals: table.or("proposals", 8, |value| value.whole(1..)),
        questions: table.or("questions", 16, |value| value.whole(1..)),
    }
}

fn model(table: &mut Table<'_>) -> ProposingModel {
    ProposingModel {
        name: table.reference("name"),
        wording: table.or("wording", PROPOSE.to_owned(), |value| value.text()),
        max_tokens: table.or("max_tokens", 2, |value| value.whole(1..)),
    }
}
