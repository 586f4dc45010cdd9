//! A small pipeline without a model, whose stages are scripts: questions, a stage that counts them and remembers, one
//! that sums up what the other remembers, and a score that rises and falls.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_schema::{DataType, Field, Schema};
use batch::{Bundle, Event, Files, Job, Outcome, Policy, RunError, RunFolder, Stage, StageError, State, StateError};
use batch::{States, Texts, Unit};
use plan::{Ahead, Edge, Expected, Hash, Node, Output, Plan, Recipe, Role, Work};
use polars::prelude::{NamedFrom, Series, df};
use spec::settings::{self, Follow, Reference, Sync};
use tempfile::TempDir;

pub const BATCHES: u64 = 11;

fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    Field::new(name, data_type, nullable)
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, false)))
}

fn output(table: &str, fields: Vec<Field>) -> Output {
    Output { table: table.to_owned(), schema: Arc::new(Schema::new(fields)), kept: true }
}

/// A node as the plan has them. What is read of it here is its tables and states; its settings could be any.
fn node(name: &str, inputs: &[(usize, &str)], outputs: Vec<Output>, reads: &[&str], writes: &[&str]) -> Node {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let edge = |&(stage, table): &(usize, &str)| Edge { stage, table: table.to_owned(), role: Role::Questions };
    let none_asked = Expected::default();
    let none = Reference { name: String::new(), span: 0..0 };
    let settings = Sync { after: none.clone(), from_model: none.clone(), to_model: none, follow: Follow::Every(1) };
    Node {
        name: name.to_owned(),
        stage: settings::Stage::Sync(settings),
        inputs: inputs.iter().map(edge).collect(),
        after: Vec::new(),
        outputs,
        reads: owned(reads),
        writes: owned(writes),
        work: Work { to_model: none_asked, to_human: none_asked, rows: Vec::new() },
        ahead: if inputs.is_empty() && reads.is_empty() && writes.is_empty() { Ahead::Always } else { Ahead::Never },
        recipe: recipe(&[("name", name)]),
        schedules: Vec::new(),
        key: key(name),
    }
}

/// What something depends on.
pub fn recipe(entries: &[(&str, &str)]) -> Recipe {
    entries.iter().map(|(what, value)| ((*what).to_owned(), (*value).to_owned())).collect()
}

/// A key made up from some text.
pub fn key(text: &str) -> Hash {
    blake3::hash(text.as_bytes())
}

/// The plan: questions → count → sum → score.
pub fn plan() -> Plan {
    let questions = output(
        "questions",
        vec![
            field("row", DataType::UInt64, false),
            field("text", DataType::Utf8, false),
            field("gold", DataType::Utf8, true),
            field("known", DataType::Boolean, false),
            field("tokens", list(DataType::UInt32), false),
            field("log_probs", list(DataType::Float32), true),
            field("weight", DataType::Float64, true),
        ],
    );
    let calls = output("questions.calls", vec![field("turn", DataType::UInt32, false)]);
    let counts = output("counts", vec![field("total", DataType::UInt64, false)]);
    Plan {
        nodes: vec![
            node("questions", &[], vec![questions, calls], &[], &[]),
            node("count", &[(0, "questions")], vec![counts], &[], &["counter"]),
            node("sum", &[(0, "questions"), (1, "counts")], vec![], &["counter"], &["total"]),
            node("score", &[], vec![], &["total"], &[]),
        ],
        initial: ["counter", "total"].map(|state| (state.to_owned(), recipe(&[("state", state)]))).into(),
        lag: 0,
        numerics: Recipe::new(),
        key: key("a plan"),
    }
}

/// Questions of a batch: a function of its number. Every fourth batch has none.
pub struct Questions;

impl Stage for Questions {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let rows: Vec<u64> = if unit.batch % 4 == 3 { vec![] } else { (0..unit.batch % 3 + 2).collect() };
        let text = |row: &u64| format!("question {row} of batch {}", unit.batch);
        let lists = |row: &u64| Series::new("".into(), (0..*row as u32).collect::<Vec<_>>());
        let probs =
            |row: &u64| row.is_multiple_of(2).then(|| Series::new("".into(), vec![-0.1_f32 * *row as f32, f32::MIN]));
        let table = df!(
            "row" => rows.clone(),
            "text" => rows.iter().map(text).collect::<Vec<_>>(),
            "gold" => rows.iter().map(|row| (row % 2 == 0).then_some("Yes")).collect::<Vec<_>>(),
            "known" => rows.iter().map(|row| row % 2 == 0).collect::<Vec<_>>(),
            "tokens" => rows.iter().map(lists).collect::<Vec<_>>(),
            "log_probs" => rows.iter().map(probs).collect::<Vec<_>>(),
            "weight" => rows.iter().map(|row| (row % 3 > 0).then_some(1.0 / *row as f64)).collect::<Vec<_>>(),
        )?;
        let types = plan().nodes[0].outputs[0].schema.clone();
        let table = if rows.is_empty() { batch::schema::empty(&types)? } else { table };
        let calls = df!("turn" => rows.iter().map(|&row| row as u32).collect::<Vec<_>>())?;
        Ok(Bundle::from([("questions".to_owned(), table), ("questions.calls".to_owned(), calls)]))
    }
}

/// How many questions there were.
#[derive(Default)]
pub struct Counter(pub u64);

impl State for Counter {
    fn save(&self) -> Result<Files, StateError> {
        Ok(vec![("count".to_owned(), self.0.to_le_bytes().to_vec())])
    }

    fn snapshot(&self) -> Result<Box<dyn State>, StateError> {
        Ok(Box::new(Counter(self.0)))
    }

    fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError> {
        self.0 = u64::from_le_bytes(files[0].1.as_slice().try_into()?);
        Ok(())
    }
}

/// A sum whose last bits depend on the order of its terms.
#[derive(Default)]
pub struct Total {
    pub value: f64,
    pub terms: u64,
}

impl State for Total {
    fn save(&self) -> Result<Files, StateError> {
        let file = |name: &str, bytes: [u8; 8]| (name.to_owned(), bytes.to_vec());
        Ok(vec![file("value", self.value.to_le_bytes()), file("terms", self.terms.to_le_bytes())])
    }

    fn snapshot(&self) -> Result<Box<dyn State>, StateError> {
        Ok(Box::new(Total { ..*self }))
    }

    fn load(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), StateError> {
        let files: BTreeMap<&str, &[u8]> =
            files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        self.value = f64::from_le_bytes(files["value"].try_into()?);
        self.terms = u64::from_le_bytes(files["terms"].try_into()?);
        Ok(())
    }
}

/// Counts, and puts out the count. `off_by` makes it another program.
pub struct Count {
    pub off_by: u64,
}

impl Stage for Count {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let counter = unit.write::<Counter>("counter")?;
        counter.0 += unit.table("questions")?.height() as u64 + self.off_by;
        unit.metric("total", counter.0 as f64);
        Ok(Bundle::from([("counts".to_owned(), df!("total" => [counter.0])?)]))
    }
}

/// Sums up. Its only output is a state and a metric, as with training.
pub struct Sum {
    pub bias: f64,
}

impl Stage for Sum {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let counter = unit.read::<Counter>("counter")?;
        let total = unit.write::<Total>("total")?;
        let weights = unit.table("questions")?.column("weight")?.f64()?.iter().flatten().sum::<f64>();
        total.value = total.value * 0.9 + weights / (counter.0 + 1) as f64 + self.bias;
        total.terms += unit.table("counts")?.height() as u64;
        unit.metric("value", total.value);
        unit.metric("version", unit.version("total")? as f64);
        Ok(Bundle::new())
    }
}

/// A score on every second batch, at its best in the middle of the run.
pub struct Score;

impl Stage for Score {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let total = unit.read::<Total>("total")?;
        if unit.batch.is_multiple_of(2) {
            unit.metric("accuracy", 10.0 - (unit.batch as f64 - 4.0).abs() + (total.terms > 100) as u64 as f64);
        }
        Ok(Bundle::new())
    }
}

/// Says what the counter is at, and no more.
pub struct Glance;

impl Stage for Glance {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let counter = unit.read::<Counter>("counter")?.0;
        unit.metric("seen", counter as f64);
        Ok(Bundle::new())
    }
}

pub fn stages() -> Vec<Box<dyn Stage>> {
    vec![Box::new(Questions), Box::new(Count { off_by: 0 }), Box::new(Sum { bias: 0.0 }), Box::new(Score)]
}

pub fn states() -> States {
    let mut states = States::new();
    states.insert("counter", Counter::default());
    states.insert("total", Total::default());
    states
}

pub fn policy() -> Policy {
    Policy { every: 3, keep_last: 2, best: Some("score.accuracy".to_owned()) }
}

pub const TEXTS: Texts<'_> =
    Texts { pipeline: "seed = 7\n", source: "# mine\n", plan: "questions → count → sum → score\n" };

pub fn create(root: &Path) -> RunFolder {
    RunFolder::create(root, &plan(), TEXTS).expect("an empty folder")
}

/// Runs what is left, with these stages.
pub fn go_on_with(
    stages: &[Box<dyn Stage>],
    folder: &mut RunFolder,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, RunError> {
    let (plan, stop) = (plan(), AtomicBool::new(false));
    let job = Job { plan: &plan, stages, batches: BATCHES, checkpoints: policy(), stop: &stop };
    batch::run(&job, &mut states(), folder, observe)
}

/// Goes on with another plan until so many batches are committed, and stops there.
pub fn go_on_until(
    until: u64,
    (plan, stages): &(Plan, Vec<Box<dyn Stage>>),
    checkpoints: Policy,
    folder: &mut RunFolder,
) -> Outcome {
    let stop = AtomicBool::new(false);
    let job = Job { plan, stages, batches: BATCHES, checkpoints, stop: &stop };
    let mut observe = |event: Event<'_>| {
        if let Event::BatchCommitted { batch, .. } = event {
            stop.fetch_or(batch + 1 == until, Ordering::Relaxed);
        }
    };
    batch::run(&job, &mut states(), folder, &mut observe).expect("a run")
}

/// Opens a run that was broken off and takes it to its end.
pub fn resume(root: &Path) -> Result<Outcome, RunError> {
    let mut folder = RunFolder::open(root).expect("a run's folder");
    go_on_with(&stages(), &mut folder, &mut |_| ())
}

/// What a folder holds, apart from what may differ: the bytes of each file, and `None` for each folder.
pub type Contents = BTreeMap<PathBuf, Option<Vec<u8>>>;

pub fn contents(root: &Path) -> Contents {
    let mut found = Contents::new();
    collect(root, root, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Contents) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root).expect("inside").to_owned();
        if path.is_dir() {
            found.insert(name, None);
            collect(root, &path, found);
        } else if name != Path::new("lock") && name != Path::new("timings.jsonl") {
            found.insert(name, Some(fs::read(&path).expect("a file")));
        }
    }
}

/// Makes a folder that holds just this.
pub fn restore(root: &Path, contents: &Contents) {
    for (path, bytes) in contents {
        let path = root.join(path);
        match bytes {
            None => fs::create_dir_all(path).expect("a folder"),
            Some(bytes) => fs::write(path, bytes).expect("a file"),
        }
    }
}

/// Fails with the names of what differs, rather than with all bytes.
pub fn assert_same(left: &Contents, right: &Contents) {
    let names = left.keys().chain(right.keys());
    let differing: Vec<_> = names.filter(|name| left.get(*name) != right.get(*name)).collect();
    assert!(differing.is_empty(), "these differ: {differing:?}");
}

/// A folder for a test: in memory where the system has that, because thousands of files are forced to the disk.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}

/// The contents of an unbroken run's folder, at its start, after each commit, and at its end.
pub fn unbroken() -> Vec<Contents> {
    let scratch = scratch();
    let root = scratch.path().join("run");
    let mut folder = create(&root);
    let mut moments = vec![contents(&root)];
    let mut observe = |event: Event<'_>| {
        if let Event::BatchCommitted { .. } = event {
            moments.push(contents(&root));
        }
    };
    go_on_with(&stages(), &mut folder, &mut observe).expect("a run");
    moments
}
