//! `[command.NAME]`: a program of the user's, given a table as an Arrow IPC stream on its input, and giving one back on
//! its output. What it writes to its error stream goes to a log in the run's folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use polars::prelude::{
    Column, CompatLevel, DataFrame, IpcStreamReader, IpcStreamWriter, PolarsError, SerReader, SerWriter,
};
use spec::settings::OnError;

use super::{Refused, errors, json};
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
    /// Held by the batch whose turn it is: a program that needs the machine, or a file, for itself has it.
    pub turn: Mutex<()>,
}

/// What a program did wrong, in words that are the same wherever the run is.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("`{program}` cannot be started: {cause}; is it installed, and is its path right, seen from `{folder}`?")]
    Start { program: String, folder: String, cause: io::Error },
    #[error("`{program}` took longer than its `time_limit` of {}", humantime::format_duration(*limit))]
    Late { program: String, limit: Duration },
    #[error("`{program}` failed with {status}{last}")]
    Failed { program: String, status: ExitStatus, last: String },
    #[error("what `{program}` gave back is no Arrow IPC stream: {what}")]
    Garbled { program: String, what: String },
    #[error("`{program}` gave back another table than its `columns` say: {what}")]
    Lied { program: String, what: String },
    #[error("its log cannot be written: {0}")]
    Log(io::Error),
    #[error(transparent)]
    Table(#[from] PolarsError),
}

impl CommandError {
    /// Whether another row might have been done.
    fn is_of_rows(&self) -> bool {
        !matches!(self, CommandError::Start { .. } | CommandError::Log(_) | CommandError::Table(_))
    }
}

impl Stage for Command {
    fn run(&self, unit: &mut Unit<'_>) -> Result<Bundle, StageError> {
        let table = unit.table(&self.from)?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut search = Search { command: self, batch: unit.batch, refused: Vec::new() };
        let given = match self.give(table, unit.batch) {
            Ok(given) => given,
            Err(error) if self.on_error == OnError::Fail || !error.is_of_rows() => return Err(self.stop(error)),
            Err(error) => {
                // A program that cannot do without rows what it is to do with them would fail on each of them.
                self.give(&table.head(Some(0)), unit.batch).map_err(|error| self.stop(error))?;
                search.halve(table, 0, error)?
            }
        };
        unit.metric("rows", given.height() as f64);
        let mut bundle = Bundle::from([(self.name.clone(), given)]);
        if self.on_error != OnError::Fail {
            unit.metric("errors", search.refused.len() as f64);
            bundle.insert(format!("{}.errors", self.name), errors(&search.refused)?);
        }
        Ok(bundle)
    }
}

/// The search for the rows of a batch that the program cannot do.
struct Search<'a> {
    command: &'a Command,
    batch: u64,
    refused: Vec<Refused>,
}

impl Search<'_> {
    /// What the program gives for those rows, the first of which is at a place, that it can do.
    fn rows(&mut self, table: &DataFrame, first: usize) -> Result<DataFrame, StageError> {
        match self.command.give(table, self.batch) {
            Ok(given) => Ok(given),
            Err(error) if error.is_of_rows() => self.halve(table, first, error),
            Err(error) => Err(self.command.stop(error)),
        }
    }

    /// The same for rows on which, together, it failed: each half is tried. A row on which it hangs has cost all its time
    /// at each step on the way there, so it ends the search.
    fn halve(&mut self, table: &DataFrame, first: usize, error: CommandError) -> Result<DataFrame, StageError> {
        let half = table.height() / 2;
        if half == 0 {
            if matches!(error, CommandError::Late { .. }) {
                return Err(format!("row {first} of the batch alone: {}", self.command.stop(error)).into());
            }
            self.refused.push(Refused { row: first, reason: error.to_string(), content: json(table) });
            return self.command.instead(table);
        }
        let mut given = self.rows(&table.slice(0, half), first)?;
        given.vstack_mut(&self.rows(&table.slice(half as i64, table.height() - half), first + half)?)?;
        Ok(given)
    }
}

impl Command {
    /// An error as a reason to stop: there is a person then, who may look into the log.
    fn stop(&self, error: CommandError) -> StageError {
        let log = self.log.display();
        match error {
            CommandError::Start { .. } | CommandError::Table(_) => error.into(),
            CommandError::Log(cause) => format!("the log `{log}` cannot be written: {cause}").into(),
            error => format!("{error}; its log is `{log}`").into(),
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
        let program = self.run.join(" ");
        let Said { status, output, last } = self.converse(encode(table)?, batch)?;
        if !status.success() {
            return Err(CommandError::Failed { program, status, last });
        }
        let garbled = |error: PolarsError| CommandError::Garbled { program: program.clone(), what: error.to_string() };
        let given = IpcStreamReader::new(Cursor::new(output)).finish().map_err(garbled)?;
        match schema::check(&given, &self.schema) {
            Ok(()) => Ok(given),
            Err(drift) => Err(CommandError::Lied { program, what: drift.to_string() }),
        }
    }

    /// Starts the program, writes and reads at the same time, and ends it when its time is over.
    fn converse(&self, input: Vec<u8>, batch: u64) -> Result<Said, CommandError> {
        let until = Instant::now() + self.time_limit;
        let log = self.open_log(batch).map_err(CommandError::Log)?;
        let mut child = self.start()?;
        let (mut stdin, mut stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // A program may end without reading all that it is given: that alone is no mistake.
        thread::spawn(move || stdin.take().map(|mut stdin| stdin.write_all(&input)));
        let output = aside(move || {
            let mut output = Vec::new();
            stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut output)).map(|_| output)
        });
        let last = aside(move || stderr.map(|stderr| copied(stderr, log)).transpose());
        let left = until.saturating_duration_since(Instant::now());
        let output = output.recv_timeout(left).ok().and_then(Result::ok);
        match (output, wait(&mut child, until)) {
            (Some(output), Some(status)) => {
                // What it leaves running may keep the stream open.
                let last = last.recv_timeout(Duration::from_secs(1)).unwrap_or(Ok(None)).map_err(CommandError::Log)?;
                Ok(Said { status, output, last: last_words(&last.unwrap_or_default()) })
            }
            _ => {
                end(&mut child);
                Err(CommandError::Late { program: self.run.join(" "), limit: self.time_limit })
            }
        }
    }

    fn start(&self) -> Result<Child, CommandError> {
        let (program, arguments) = self.run.split_first().expect("a program has a name: the pipeline was checked");
        let mut process = Process::new(program);
        process.args(arguments).current_dir(&self.folder);
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts ends with it, and Ctrl-C stops the run at a commit instead.
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        let folder = self.folder.display().to_string();
        process.spawn().map_err(|cause| CommandError::Start { program: program.clone(), folder, cause })
    }

    fn open_log(&self, batch: u64) -> io::Result<File> {
        fs::create_dir_all(self.log.parent().unwrap_or(&self.folder))?;
        let mut file = OpenOptions::new().create(true).append(true).open(&self.log)?;
        writeln!(file, "--- batch {batch}")?;
        Ok(file)
    }
}

/// What came of a program.
struct Said {
    status: ExitStatus,
    output: Vec<u8>,
    /// The last line that it wrote to its error stream.
    last: String,
}

/// Does some work on a thread of its own, which nobody waits for longer than he likes.
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    receiver
}

/// So much of the end of an error stream is looked at.
const END: usize = 1024;

/// Copies an error stream into the log as it comes, and gives its end.
fn copied(mut stderr: impl Read, mut log: File) -> io::Result<Vec<u8>> {
    let (mut last, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        let read = stderr.read(&mut buffer)?;
        if read == 0 {
            return Ok(last);
        }
        log.write_all(&buffer[..read])?;
        last.extend_from_slice(&buffer[..read]);
        last.drain(..last.len().saturating_sub(END));
    }
}

/// The last line of a text, to be added to a sentence.
fn last_words(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.map(|line| format!("; it said last: {line}")).unwrap_or_default()
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
