//! Names: every mention leads to a thing of the right kind. Where it does not, the problem stands at the mention, and
//! says what is there instead.

use spec::{
    Pipeline, Problem,
    problem::{instead, list},
    settings::{Amplify, Human, Loss, Milestone, Model, Named, Reference, Stage},
};

use crate::{
    Edge, Output,
    shapes::{Checkpoints, Tables},
    tables,
    text::type_name,
    wiring::Role,
};

/// The kinds of stages.
pub(crate) const STAGES: [&str; 15] = [
    "sample", "debate", "judge", "penalty", "loss", "train", "sync", "evaluate", "read", "filter", "sql", "join",
    "command", "answer", "write",
];

/// What a mention leads to, or what is wrong with it: nothing, where that has been said before.
pub(crate) type Found<T> = Result<T, Option<Problem>>;

/// Looks things up by their names.
#[derive(Clone, Copy)]
pub(crate) struct Names<'p> {
    pub(crate) pipeline: &'p Pipeline,
    pub(crate) tables: &'p Tables,
    pub(crate) checkpoints: &'p Checkpoints,
}

impl<'p> Names<'p> {
    /// The model of a name.
    pub(crate) fn model(self, mention: &Reference) -> Found<&'p Named<Model>> {
        find(&self.pipeline.models, &mention.name).ok_or_else(|| self.lost(&mention.name, mention, &["model"]))
    }

    /// The human of a name.
    pub(crate) fn human(self, mention: &Reference) -> Found<&'p Named<Human>> {
        find(&self.pipeline.humans, &mention.name).ok_or_else(|| self.lost(&mention.name, mention, &["human"]))
    }

    /// The amplify of a name.
    pub(crate) fn amplify(self, mention: &Reference) -> Found<&'p Named<Amplify>> {
        find(&self.pipeline.amplifies, &mention.name).ok_or_else(|| self.lost(&mention.name, mention, &["amplify"]))
    }

    /// The milestone of a name.
    pub(crate) fn milestone(self, mention: &Reference) -> Found<&'p Named<Milestone>> {
        find(&self.pipeline.milestones, &mention.name).ok_or_else(|| self.lost(&mention.name, mention, &["milestone"]))
    }

    /// The place in the file of a stage, which must be of one of these kinds.
    pub(crate) fn stage(self, mention: &Reference, kinds: &[&'static str]) -> Found<usize> {
        self.stage_named(&mention.name, mention, kinds)
    }

    /// The settings of the stage at a place.
    pub(crate) fn settings(self, stage: usize) -> &'p Stage {
        &self.pipeline.stages[stage].settings
    }

    /// The debate that a loss takes, where there is one.
    pub(crate) fn debate_of(self, loss: &Loss) -> Option<&'p Named<Stage>> {
        let place = loss.from.iter().find_map(|mention| self.maker(mention, &["debate"]).ok())?;
        Some(&self.pipeline.stages[place])
    }

    /// The place in the file of the stage whose table is mentioned; it must be of one of these kinds.
    pub(crate) fn maker(self, mention: &Reference, kinds: &[&'static str]) -> Found<usize> {
        let name = mention.name.split('.').next().unwrap_or_default();
        self.refuse_gold(mention, name)?;
        self.stage_named(name, mention, kinds)
    }

    /// The table that a mention leads to, for use in a role.
    pub(crate) fn table(self, mention: &Reference, role: Role) -> Found<Edge> {
        let stage = self.maker(mention, role.made_by())?;
        self.edge(stage, &mention.name, mention, role)
    }

    /// The table that a mention leads to, for a stage that may see gold answers.
    pub(crate) fn rows(self, mention: &Reference, role: Role) -> Found<Edge> {
        let name = mention.name.split('.').next().unwrap_or_default();
        let stage = self.stage_named(name, mention, role.made_by())?;
        self.edge(stage, &mention.name, mention, role)
    }

    /// A table of a stage, for use in a role that needs some columns.
    pub(crate) fn edge(self, stage: usize, table: &str, mention: &Reference, role: Role) -> Found<Edge> {
        let edge = Edge { stage, table: table.to_owned(), role };
        let name = &self.pipeline.stages[stage].name;
        // What is wrong with a table that is not known is told where it is made.
        let Some(outputs) = &self.tables[stage] else { return Ok(edge) };
        let Some(output) = outputs.iter().find(|output| output.table == table) else {
            let message = format!("`{name}` makes no table `{table}`");
            let help = instead(table, outputs.iter().map(|output| output.table.as_str()));
            return Err(Some(Problem::new(mention.span.clone(), message).help(help)));
        };
        let there: Vec<&str> = output.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let wanted = role.columns().iter().map(|(column, _)| *column);
        let lacking: Vec<&str> = wanted.filter(|column| !there.contains(column)).collect();
        if lacking.is_empty() {
            return unfit(output, mention, role).map_or(Ok(edge), |problem| Err(Some(problem)));
        }
        let message = format!("`{table}` has no column {}", list(lacking));
        let help = format!("its columns are {}; {} gives what is needed here", list(there), list([name.as_str()]));
        Err(Some(Problem::new(mention.span.clone(), message).help(help)))
    }

    /// Gold answers must not reach whatever is mentioned in a `from`.
    fn refuse_gold(self, mention: &Reference, stage: &str) -> Found<()> {
        let place = self.pipeline.stages.iter().position(|other| other.name == stage);
        let outputs = place.and_then(|place| self.tables[place].as_ref());
        let table = outputs.and_then(|outputs| outputs.iter().find(|output| output.table == mention.name));
        let gold = table.and_then(|table| table.schema.fields().iter().find(|field| tables::is_gold(field)));
        let Some(gold) = gold else { return Ok(()) };
        let message = format!("column `{}` of `{}` holds gold answers", gold.name(), mention.name);
        let help = "gold answers are for evaluation only: nothing that is trained on may depend on them";
        Err(Some(Problem::new(mention.span.clone(), message).help(help)))
    }

    fn stage_named(self, name: &str, mention: &Reference, kinds: &[&'static str]) -> Found<usize> {
        let fits = |stage: &Named<Stage>| stage.name == name && kinds.contains(&stage.settings.kind());
        self.pipeline.stages.iter().position(fits).ok_or_else(|| self.lost(name, mention, kinds))
    }

    /// What is wrong with a mention that leads to nothing of these kinds.
    fn lost(self, name: &str, mention: &Reference, kinds: &[&'static str]) -> Option<Problem> {
        if name.is_empty() || self.pipeline.unread.iter().any(|unread| unread == name) {
            return None;
        }
        let all = self.all();
        let wanted = in_words(kinds);
        let message = match all.iter().find(|(_, other)| *other == name) {
            Some((kind, _)) => {
                let found = in_words(&[kind]);
                format!("`{name}` is {} {found}, where {} {wanted} is wanted", article(&found), article(&wanted))
            }
            None => format!("there is no {wanted} `{name}`"),
        };
        let valid: Vec<&str> = all.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, name)| *name).collect();
        let help = match &valid[..] {
            [] => format!("the file has none: add a table `[{}.NAME]`", kinds[0]),
            _ => instead(name, valid),
        };
        Some(Problem::new(mention.span.clone(), message).help(help))
    }

    /// Everything that has a name, by kind.
    fn all(self) -> Vec<(&'static str, &'p str)> {
        let Pipeline { models, humans, amplifies, milestones, stages, .. } = self.pipeline;
        let mut all: Vec<(&'static str, &'p str)> = Vec::new();
        all.extend(models.iter().map(|named| ("model", named.name.as_str())));
        all.extend(humans.iter().map(|named| ("human", named.name.as_str())));
        all.extend(amplifies.iter().map(|named| ("amplify", named.name.as_str())));
        all.extend(milestones.iter().map(|named| ("milestone", named.name.as_str())));
        all.extend(stages.iter().map(|named| (named.settings.kind(), named.name.as_str())));
        all
    }
}

/// What is wrong with the columns that a role needs: another type, or gold answers in them.
fn unfit(output: &Output, mention: &Reference, role: Role) -> Option<Problem> {
    let columns =
        role.columns().iter().filter_map(|(name, kind)| Some((output.schema.field_with_name(name).ok()?, kind)));
    let problem = |(field, kind): (&arrow_schema::Field, &&str)| {
        let (name, found) = (field.name(), type_name(field.data_type()));
        if found != **kind {
            let message = format!("column `{name}` of `{}` is {found}, where {kind} is needed", output.table);
            let sql = match *kind {
                "u64" => format!(": `TRY_CAST({name} AS BIGINT UNSIGNED) AS {name}` is null where it cannot be one"),
                "str" => format!(": `CAST({name} AS VARCHAR) AS {name}`"),
                _ => String::new(),
            };
            let help = format!("make it one with an `sql` stage before{sql}");
            return Some(Problem::new(mention.span.clone(), message).help(help));
        }
        let leaks = tables::is_gold(field) && role != Role::Gold;
        let message = format!("column `{name}` of `{}` holds gold answers, or is made from them", output.table);
        let help = "gold answers are for evaluation only; a query keeps clear of them if it names all its columns";
        leaks.then(|| Problem::new(mention.span.clone(), message).help(help))
    };
    columns.into_iter().find_map(problem)
}

fn find<'p, T>(things: &'p [Named<T>], name: &str) -> Option<&'p Named<T>> {
    things.iter().find(|thing| thing.name == name)
}

/// Kinds in words: "debate or judge stage".
fn in_words(kinds: &[&'static str]) -> String {
    match kinds {
        [kind] if !STAGES.contains(kind) => (*kind).to_owned(),
        _ if kinds.len() == STAGES.len() => "stage".to_owned(),
        _ => format!("{} stage", kinds.join(" or ")),
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
