//! `[command.NAME]`: a program of the user's, given a table as an Arrow IPC stream on its input, and giving one back on
//! its output. What it writes to its error stream goes to a log in the run's folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use polars::prelude::{
    Column, CompatLevel, DataFrame, IpcStreamReader, IpcStreamWriter, JsonFormat, JsonWriter, PolarsError, SerReader,
    SerWriter,
};
use spec::settings::OnError;

use super::{Refused, errors};
use crate::schema;
use crate::stage::{Bundle, Stage, StageError, Unit};

/// Runs a program on each batch.
pub struct Command {
    /// The stage's name.
    pub name: String,
    /// The table.
    pub from: String,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Where it starts.
    pub folder: PathBuf,
    /// Where its error stream goes.
    pub log: PathBuf,
    /// What it must give back.
    pub schema: SchemaRef,
    /// How long it may take for a batch.
    pub time_limit: Duration,
    /// What becomes of a row on which it fails.
    pub on_error: OnError,
}

/// What a program did wrong.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("`{program}` cannot be started: {cause}; is it installed, and is its path right, seen from `{folder}`?")]
    Start { program: String, folder: String, cause: io::Error },
    #[error("`{program}` took longer than its `time_limit` of {}; its log is `{log}`", humantime::format_duration(*limit))]
    Late { program: String, limit: Duration, log: String },
    #[error("`{program}` failed with {status}; its log is `{log}`{tail}")]
    Failed { program: String, status: ExitStatus, log: String, tail: String },
    #[error("what `{program}` gave back is no Arrow IPC stream: {what}; its log is `{log}`")]
    Garbled { program: String, what: String, log: String },
    #[error("`{program}` gave back another table than its `columns` say: {what}; its log is `{log}`")]
    Lied { program: String, what: String, log: String },
    #[error("the log `{log}` cannot be written: {cause}")]
    Log { log: String, cause: io::Error },
    #[error(transparent)]
    Table(#[from] PolarsError),
}

impl Stage for Command {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let table = unit.table(&self.from)?;
        let mut refused = Vec::new();
        let given = match self.on_error {
            OnError::Fail => self.give(table, unit.batch)?,
            OnError::Skip | OnError::Null => self.halve(table, 0, unit.batch, &mut refused)?,
        };
        unit.metric("rows", given.height() as f64);
        let mut bundle = Bundle::from([(self.name.clone(), given)]);
        if self.on_error != OnError::Fail {
            unit.metric("errors", refused.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(&refused)?);
        }
        Ok(bundle)
    }
}

impl Command {
    /// What the program gives for the rows that it can do. Where it fails on several, each half is tried.
    fn halve(
        &self,
        table: &DataFrame,
        first: usize,
        batch: u64,
        refused: &mut Vec<Refused>,
    ) -> Result<DataFrame, StageError> {
        match (self.give(table, batch), table.height()) {
            (Ok(given), _) => Ok(given),
            (Err(error @ (CommandError::Start { .. } | CommandError::Log { .. })), _) => Err(error.into()),
            (Err(error), 0) => Err(error.into()),
            (Err(error), 1) => {
                refused.push(Refused { row: first, reason: error.to_string(), content: json(table) });
                self.instead(table)
            }
            (Err(_), rows) => {
                let half = rows / 2;
                let mut given = self.halve(&table.slice(0, half), first, batch, refused)?;
                given.vstack_mut(&self.halve(
                    &table.slice(half as i64, rows - half),
                    first + half,
                    batch,
                    refused,
                )?)?;
                Ok(given)
            }
        }
    }

    /// What stands for a row that the program cannot do: nothing, or what is known of it.
    fn instead(&self, row: &DataFrame) -> Result<DataFrame, StageError> {
        let empty = schema::empty(&self.schema)?;
        if self.on_error == OnError::Skip {
            return Ok(empty);
        }
        let known = |column: &Column| match row.column(column.name()) {
            Ok(same) if same.dtype() == column.dtype() => same.clone(),
            _ => Column::full_null(column.name().clone(), 1, column.dtype()),
        };
        Ok(DataFrame::new(1, empty.columns().iter().map(known).collect())?)
    }

    /// What the program gives for a table.
    fn give(&self, table: &DataFrame, batch: u64) -> Result<DataFrame, CommandError> {
        let (program, log) = (self.run.join(" "), self.log.display().to_string());
        let (status, output) = self.converse(encode(table)?, batch)?;
        if !status.success() {
            let tail = self.last_words();
            return Err(CommandError::Failed { program, status, log, tail });
        }
        let garbled = |what: String| CommandError::Garbled { program: program.clone(), what, log: log.clone() };
        let given = IpcStreamReader::new(Cursor::new(output)).finish().map_err(|error| garbled(error.to_string()))?;
        match schema::check(&given, &self.schema) {
            Ok(()) => Ok(given),
            Err(drift) => Err(CommandError::Lied { program, what: drift.to_string(), log }),
        }
    }

    /// Starts the program, writes and reads at the same time, and ends it when its time is over.
    fn converse(&self, input: Vec<u8>, batch: u64) -> Result<(ExitStatus, Vec<u8>), CommandError> {
        let until = Instant::now() + self.time_limit;
        let mut child = self.start(self.open_log(batch)?)?;
        let (mut stdin, mut stdout) = (child.stdin.take(), child.stdout.take());
        // A program may end without reading all that it is given: that alone is no mistake.
        thread::spawn(move || stdin.take().map(|mut stdin| stdin.write_all(&input)));
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut output = Vec::new();
            let read = stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut output));
            sender.send(read.map(|_| output))
        });
        let late = || CommandError::Late {
            program: self.run.join(" "),
            limit: self.time_limit,
            log: self.log.display().to_string(),
        };
        let left = until.saturating_duration_since(Instant::now());
        let output = receiver.recv_timeout(left).ok().and_then(Result::ok);
        match (output, wait(&mut child, until)) {
            (Some(output), Some(status)) => Ok((status, output)),
            _ => {
                end(&mut child);
                Err(late())
            }
        }
    }

    fn start(&self, log: File) -> Result<Child, CommandError> {
        let (program, arguments) = self.run.split_first().expect("a program has a name: the pipeline was checked");
        let mut process = Process::new(program);
        process.args(arguments).current_dir(&self.folder);
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // A group of its own, so that what it starts ends with it, and Ctrl-C stops the run at a commit instead.
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        let folder = self.folder.display().to_string();
        process.spawn().map_err(|cause| CommandError::Start { program: program.clone(), folder, cause })
    }

    fn open_log(&self, batch: u64) -> Result<File, CommandError> {
        let open = || {
            fs::create_dir_all(self.log.parent().unwrap_or(&self.folder))?;
            let mut file = OpenOptions::new().create(true).append(true).open(&self.log)?;
            writeln!(file, "--- batch {batch}")?;
            Ok(file)
        };
        open().map_err(|cause| CommandError::Log { log: self.log.display().to_string(), cause })
    }

    /// The last line of the log.
    fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let last = log.lines().rev().find(|line| !line.trim().is_empty());
        last.filter(|line| !line.starts_with("--- batch"))
            .map(|line| format!(", which ends: {line}"))
            .unwrap_or_default()
    }
}

/// The exit of a program, if it comes in time.
fn wait(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

/// Ends a program and all that it started.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

fn encode(table: &DataFrame) -> Result<Vec<u8>, PolarsError> {
    let mut bytes = Vec::new();
    // The oldest form of texts, which every Arrow library reads.
    IpcStreamWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest()).finish(&mut table.clone())?;
    Ok(bytes)
}

/// A row as JSON.
fn json(row: &DataFrame) -> Option<String> {
    let mut bytes = Vec::new();
    JsonWriter::new(&mut bytes).with_json_format(JsonFormat::JsonLines).finish(&mut row.clone()).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}
