//! Children of every kind: codex, shell tests and hooks go through the launcher ([`Spawner::run`]), git is a plain
//! tool ([`Tool`]). What programs say of themselves is asked without the run lock ([`probe`]).
//!
//! ```text
//!  runner ── control pipe ──► launcher (same binary, own session, child subreaper) ──► program ──► whatever it starts
//!     ▲                          │ ends the whole tree on a request, a signal, the runner's death, and after a normal end
//!     └── stdout, stderr, exit.json
//! ```
//!
//! Codex calls `setsid` for every tool command, so a signal to its process group reaches none of them; a subreaper finds
//! them all by their parents. What a killed launcher leaves is found by [`MARKER`] ([`Spawner::strays`]). On systems
//! other than Linux there are neither subreapers nor `/proc`: there a job is its process group and no strays are found.
//!
//! A job's environment is exactly what its caller composed. Under PM2 that must leave out `NODE_CHANNEL_FD` and
//! `NODE_CHANNEL_SERIALIZATION_MODE`, which abort a child node, and PM2's own settings.

#![expect(clippy::disallowed_methods, reason = "this is the place that makes children")]

mod capture;
pub mod launcher;
pub mod probe;
mod run;
mod stop;
mod strays;
pub mod tool;
mod tree;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::redact::Redactor;
use crate::storage::{RunLock, Writer};

pub use capture::Captured;
pub use probe::{find, is_executable};
pub use run::{ended, recorded};
pub use stop::{Signal, Stop, Stopper};
pub use strays::Stray;
pub use tool::Tool;

/// The right to start children. Only the run lock gives it.
#[derive(Debug, Clone)]
pub struct Spawner {
    writer: Writer,
    marker: String,
    /// The binary whose subcommand the launcher is.
    launcher: PathBuf,
    /// Whatever becomes a child of this process that is none of these was left by a killed launcher. None: it adopts nobody.
    own_children: Option<Vec<i32>>,
}

impl Spawner {
    /// From now on no child gets what this process has inherited beyond the standard three: PM2 7 itself dies of a line
    /// that a child writes to the runner's channel.
    pub fn new(lock: &RunLock) -> Spawner {
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        Spawner {
            writer: lock.writer(),
            marker: lock.marker().to_owned(),
            launcher: launcher::own_binary(),
            own_children: None,
        }
    }

    /// For a process that is a runner and nothing else: what a killed launcher leaves becomes its child, and is found even
    /// where it has shed its environment.
    #[must_use]
    pub fn adopting(self) -> Spawner {
        Spawner { own_children: adopted(), ..self }
    }

    /// With the launcher of another binary than the running one: a test's own binary has none.
    #[must_use]
    pub fn launched_by(mut self, binary: impl Into<PathBuf>) -> Spawner {
        self.launcher = binary.into();
        self
    }

    /// For what a child leaves on disk.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// How the value of [`MARKER`] begins in every child's environment.
    pub fn marker(&self) -> &str {
        &self.marker
    }
}

/// This process's children so far, from now on with those that lose their parent; None where the system has no such thing.
#[cfg(target_os = "linux")]
fn adopted() -> Option<Vec<i32>> {
    let own = rustix::process::getpid();
    let adopts = rustix::process::set_child_subreaper(Some(own)).is_ok();
    adopts.then(|| tree::children(own.as_raw_nonzero().get()))
}

#[cfg(not(target_os = "linux"))]
fn adopted() -> Option<Vec<i32>> {
    None
}

/// The environment variable by which a later run finds what a dead one left running. Its value is the run lock's marker;
/// the children of a [`Job`] have `:` and a name of that job after it.
pub const MARKER: &str = "KANBAN_CODEX_EXEC_RUNNER";

/// One program to run to its end, with everything that bounds it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Looked up on the `PATH` of `env` where it has no slash; relative to `folder` where it has one.
    pub program: OsString,
    pub args: Vec<OsString>,
    /// Where the program works.
    pub folder: PathBuf,
    /// The whole environment; [`MARKER`] is added.
    pub env: Vec<(OsString, OsString)>,
    pub stdin: Input,
    /// The folder of `exit.json` and of the two files below; created where it is missing.
    pub record: PathBuf,
    /// File names in `record`.
    pub stdout_name: String,
    pub stderr_name: String,
    /// For the whole job.
    pub limit: Duration,
    /// From SIGINT to SIGKILL, when the job is ended early.
    pub grace: Duration,
    /// Bytes that are kept of each stream: half of them from its head, half from its tail.
    pub keep: usize,
    /// What is kept on disk and in [`Captured`] goes through it; [`Watch`] sees the bytes as they are.
    pub redactor: Redactor,
}

/// A job's standard input. It is never the runner's own, which under PM2 is open and never ends.
#[derive(Debug, Clone)]
pub enum Input {
    Null,
    File(PathBuf),
    /// Written to the file `stdin` in the record folder.
    Bytes(Vec<u8>),
}

/// Sees what a job prints as it comes, and says how long it may be silent.
pub trait Watch: Send {
    fn stdout(&mut self, piece: &[u8], now: Instant);

    /// When the job is to be ended if nothing happens before, and the limit that this is.
    fn deadline(&self) -> Option<(Instant, &'static str)>;

    /// Called about once a second while the job runs.
    fn tick(&mut self, _now: Instant) {}
}

/// Watches nothing.
impl Watch for () {
    fn stdout(&mut self, _piece: &[u8], _now: Instant) {}

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        None
    }
}

/// [`Exit::Limit`] of [`Job::limit`].
pub const TIME_LIMIT: &str = "the time limit was reached";
/// What people are told of [`Exit::Outside`].
pub const OUTSIDE: &str = "ended from outside, by a signal or with its launcher";

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The program ended by itself.
    Code(i32),
    /// A signal that neither the runner nor the launcher sent ended the program.
    Signal(i32),
    /// The runner ended it: [`TIME_LIMIT`] or what [`Watch::deadline`] named.
    Limit(&'static str),
    /// The runner was asked to stop.
    Stopped,
    /// The launcher got a signal or was killed: PM2 signals the whole tree.
    Outside,
    /// It never ran, and why: not found, not executable, too long a command line.
    NotStarted(String),
}

/// What is known of a job after its end.
#[derive(Debug, Clone)]
pub struct Ended {
    pub exit: Exit,
    pub stdout: Captured,
    pub stderr: Captured,
    /// Processes that were still there when the program had ended, and were killed.
    pub strays: u32,
    pub took: Duration,
    /// What could not be recorded, and why (a full disk); the job itself is not touched by that.
    pub lost: Option<String>,
}
