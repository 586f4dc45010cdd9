//! Rows of the procedure as columns, and back. The schemas are those that `plan` promises for each edge.

use debate::{
    amplify::{Amplified, HumanAnswer},
    answerer::Sampled,
    debate::Voice,
    judge::Side,
    question::Asked,
    trace::{Call, Part},
};
use polars::prelude::*;

/// A column of lists, null where there is none.
pub fn lists<T: PolarsNumericType>(name: &str, rows: &[Option<&[T::Native]>]) -> Column {
    let values = rows.iter().flatten().map(|row| row.len()).sum();
    let mut builder = ListPrimitiveChunkedBuilder::<T>::new(name.into(), rows.len(), values, T::get_static_dtype());
    for row in rows {
        match row {
            Some(values) => builder.append_slice(values),
            None => builder.append_null(),
        }
    }
    builder.finish().into_series().into_column()
}

/// The calls of a batch as a table.
pub fn from_calls(calls: &[Call]) -> PolarsResult<DataFrame> {
    let sampled = |field: fn(&Sampled) -> &Vec<u32>| -> Vec<Option<&[u32]>> {
        calls.iter().map(|call| call.sampled.as_ref().map(|sampled| field(sampled).as_slice())).collect()
    };
    let log_probs: Vec<Option<&[f32]>> =
        calls.iter().map(|call| call.sampled.as_ref().map(|sampled| sampled.log_probs.as_slice())).collect();
    let column = |name: &str, values: Vec<&str>| Column::new(name.into(), values);
    DataFrame::new(
        calls.len(),
        vec![
            Column::new("question".into(), calls.iter().map(|call| call.question).collect::<Vec<_>>()),
            column("asked", calls.iter().map(|call| call.asked.name()).collect()),
            Column::new("turn".into(), calls.iter().map(|call| call.turn as u32).collect::<Vec<_>>()),
            column("part", calls.iter().map(|call| call.part.name()).collect()),
            Column::new("place".into(), calls.iter().map(|call| call.place as u32).collect::<Vec<_>>()),
            column("by", calls.iter().map(|call| by(call)).collect()),
            column("prompt", calls.iter().map(|call| call.prompt.as_str()).collect()),
            column("answer", calls.iter().map(|call| call.answer.as_str()).collect()),
            Column::new("kept".into(), calls.iter().map(|call| call.kept).collect::<Vec<_>>()),
            Column::new("propensity".into(), calls.iter().map(|call| call.propensity).collect::<Vec<_>>()),
            Column::new(
                "version".into(),
                calls.iter().map(|call| call.sampled.as_ref().map(|sampled| sampled.version)).collect::<Vec<_>>(),
            ),
            lists::<UInt32Type>("prompt_tokens", &sampled(|sampled| &sampled.prompt)),
            lists::<UInt32Type>("tokens", &sampled(|sampled| &sampled.tokens)),
            lists::<Float32Type>("log_probs", &log_probs),
        ],
    )
}

/// Who answered a call. H's words are nobody's sample.
pub fn by(call: &Call) -> &'static str {
    match (call.learned, call.part, &call.sampled) {
        (true, _, _) => "learned",
        (false, Part::Human, _) | (false, Part::Sub, None) => "human",
        _ => "model",
    }
}

/// Whose answer counts.
pub fn answered_by(answer: &Amplified) -> &'static str {
    match &answer.human {
        None => "model",
        Some(HumanAnswer { real: true, .. }) => "human",
        Some(_) => "learned",
    }
}

/// Adds where each answer to a sub-question stands.
pub fn with_paths(mut table: DataFrame, calls: &[Call]) -> PolarsResult<DataFrame> {
    let path = |call: &Call| {
        let places: Vec<String> = call.path.iter().map(usize::to_string).collect();
        (call.part == Part::Sub).then(|| places.join("."))
    };
    table.with_column(Column::new("path".into(), calls.iter().map(path).collect::<Vec<_>>()))?;
    Ok(table)
}

/// Adds the distributions of answers of what stands in for H.
pub fn with_distributions(mut table: DataFrame, calls: &[Call]) -> PolarsResult<DataFrame> {
    let distributions: Vec<Option<&[f32]>> = calls.iter().map(|call| call.distribution.as_deref()).collect();
    table.with_column(lists::<Float32Type>("distribution", &distributions))?;
    Ok(table)
}

/// The places on a path. Where a table has none, sub-questions are asked by the question itself, at a place.
fn path(path: Option<&str>, part: Part, place: usize) -> Vec<usize> {
    match path {
        Some(path) => path.split('.').filter_map(|place| place.parse().ok()).collect(),
        None => (part == Part::Sub).then_some(place).into_iter().collect(),
    }
}

/// The calls of a table.
pub fn to_calls(table: &DataFrame) -> PolarsResult<Vec<Call>> {
    let (question, turn, place) = (u64s(table, "question")?, u32s(table, "turn")?, u32s(table, "place")?);
    let (asked, part) = (texts(table, "asked")?, texts(table, "part")?);
    let (prompt, answer) = (texts(table, "prompt")?, texts(table, "answer")?);
    let (kept, propensity, version) =
        (table.column("kept")?.bool()?, table.column("propensity")?.f64()?, table.column("version")?.u64()?);
    let (prompts, tokens) = (list_u32(table, "prompt_tokens")?, list_u32(table, "tokens")?);
    let log_probs = list_f32(table, "log_probs")?;
    let (voice, held) = (texts_if_any(table, "voice")?, texts_if_any(table, "held")?);
    let (by, paths) = (texts(table, "by")?, texts_if_any(table, "path")?);
    let mut distributions = list_f32_if_any(table, "distribution")?;
    (0..table.height())
        .map(|i| {
            let sampled = version.get(i).map(|version| Sampled {
                prompt: prompts[i].clone().unwrap_or_default(),
                tokens: tokens[i].clone().unwrap_or_default(),
                log_probs: log_probs[i].clone().unwrap_or_default(),
                version,
            });
            let part = part_named(&part[i])?;
            Ok(Call {
                question: question[i],
                asked: asked_named(&asked[i])?,
                turn: turn[i] as usize,
                voice: voice[i].as_deref().map(voice_named).transpose()?,
                held: held[i].clone(),
                part,
                place: place[i] as usize,
                path: path(paths[i].as_deref(), part, place[i] as usize),
                learned: by[i] == "learned",
                prompt: prompt[i].clone(),
                answer: answer[i].clone(),
                kept: kept.get(i).unwrap_or(false),
                propensity: propensity.get(i),
                sampled,
                distribution: distributions[i].take(),
            })
        })
        .collect()
}

/// The question of the procedure that a name stands for.
pub fn asked_named(name: &str) -> PolarsResult<Asked> {
    let all = [
        Asked::Argument,
        Asked::Sufficient,
        Asked::Winner,
        Asked::Summary,
        Asked::Catastrophe,
        Asked::Likelihood,
        Asked::Proposal,
    ];
    let found = all.into_iter().find(|asked| asked.name() == name);
    found.ok_or_else(|| polars_err!(ComputeError: "column `asked` holds {name:?}"))
}

fn voice_named(name: &str) -> PolarsResult<Voice> {
    let found = Voice::ALL.into_iter().find(|voice| voice.name() == name);
    found.ok_or_else(|| polars_err!(ComputeError: "column `voice` holds {name:?}"))
}

fn part_named(name: &str) -> PolarsResult<Part> {
    let all = [Part::First, Part::Adversary, Part::Again, Part::Sub, Part::Human, Part::Tool];
    let found = all.into_iter().find(|part| part.name() == name);
    found.ok_or_else(|| polars_err!(ComputeError: "column `part` holds {name:?}"))
}

/// The side a winner's name stands for.
pub fn side_named(name: &str) -> PolarsResult<Side> {
    let all = [Side::Even, Side::Odd];
    let found = all.into_iter().find(|side| side.name() == name);
    found.ok_or_else(|| polars_err!(ComputeError: "column `winner` holds {name:?}"))
}

/// The values of a column that has no nulls.
fn all<T>(values: impl Iterator<Item = Option<T>>, name: &str) -> PolarsResult<Vec<T>> {
    let values: Option<Vec<T>> = values.collect();
    values.ok_or_else(|| polars_err!(ComputeError: "column `{name}` has nulls where there can be none"))
}

/// A column without nulls.
pub fn u64s(table: &DataFrame, name: &str) -> PolarsResult<Vec<u64>> {
    all(table.column(name)?.u64()?.iter(), name)
}

/// A column without nulls.
pub fn u32s(table: &DataFrame, name: &str) -> PolarsResult<Vec<u32>> {
    all(table.column(name)?.u32()?.iter(), name)
}

/// A column without nulls.
pub fn f32s(table: &DataFrame, name: &str) -> PolarsResult<Vec<f32>> {
    all(table.column(name)?.f32()?.iter(), name)
}

/// A column without nulls.
pub fn texts(table: &DataFrame, name: &str) -> PolarsResult<Vec<String>> {
    all(table.column(name)?.str()?.iter().map(|text| text.map(str::to_owned)), name)
}

/// A column of texts, null where there is none.
pub fn optional_texts(table: &DataFrame, name: &str) -> PolarsResult<Vec<Option<String>>> {
    Ok(table.column(name)?.str()?.iter().map(|text| text.map(str::to_owned)).collect())
}

/// The same of a column that not every table has: null throughout where it is not there.
pub fn texts_if_any(table: &DataFrame, name: &str) -> PolarsResult<Vec<Option<String>>> {
    match table.get_column_index(name) {
        Some(_) => optional_texts(table, name),
        None => Ok(vec![None; table.height()]),
    }
}

/// A column of lists of token ids.
pub fn list_u32(table: &DataFrame, name: &str) -> PolarsResult<Vec<Option<Vec<u32>>>> {
    let rows = table.column(name)?.list()?.series_iter();
    rows.map(|row| row.map(|row| Ok(row.u32()?.iter().flatten().collect())).transpose()).collect()
}

/// A column of lists of numbers.
pub fn list_f32(table: &DataFrame, name: &str) -> PolarsResult<Vec<Option<Vec<f32>>>> {
    let rows = table.column(name)?.list()?.series_iter();
    rows.map(|row| row.map(|row| Ok(row.f32()?.iter().flatten().collect())).transpose()).collect()
}

/// The same of a column that not every table has: null throughout where it is not there.
pub fn list_f32_if_any(table: &DataFrame, name: &str) -> PolarsResult<Vec<Option<Vec<f32>>>> {
    match table.get_column_index(name) {
        Some(_) => list_f32(table, name),
        None => Ok(vec![None; table.height()]),
    }
}
