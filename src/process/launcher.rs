//! The hidden subcommand that stands between the runner and a program, and ends the program's whole tree.
//!
//! It is a child subreaper, so that whatever the program starts has it as an ancestor, `setsid` and double forks
//! included, and a session leader, so that a terminal's Ctrl-C reaches the runner alone and nothing below can ask a
//! terminal for a password. Its standard input is the control pipe; its standard output and error are the program's.

#[cfg(target_os = "linux")]
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::process::wait;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind, signal};
#[cfg(target_os = "linux")]
use tokio::time::Instant;
use tokio::time::{sleep, timeout};

use super::tree::{self, Process};
use crate::storage::{Writer, effect};

/// The name of the subcommand.
pub const SUBCOMMAND: &str = "__launch";
/// How it ended, in the record folder.
pub(super) const EXIT_FILE: &str = "exit.json";
/// How long the launcher may take to end a tree after SIGKILL: what waits for a dead disk can't be killed.
pub(super) const SWEEP: Duration = Duration::from_secs(3);
/// How long a killed child may take to be gone.
const KILLED: Duration = Duration::from_secs(2);

/// What the runner says on the control pipe. Its closing means `END`: the runner is dead.
pub(super) const END: u8 = b'e';
/// End everything now, without grace.
pub(super) const AT_ONCE: u8 = b'k';

/// The path by which a process starts its own binary again, although it was replaced on disk meanwhile.
pub(super) fn own_binary() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from(env!("CARGO_PKG_NAME")))
}

/// What the runner orders: `__launch RECORD GRACE_MS STDIN PROGRAM ARG…`, where an empty STDIN is `/dev/null`.
pub(super) struct Order<'o> {
    pub(super) record: &'o Path,
    pub(super) grace: Duration,
    pub(super) stdin: Option<&'o Path>,
    pub(super) program: &'o OsStr,
    pub(super) args: &'o [OsString],
}

impl<'o> Order<'o> {
    pub(super) fn words(&self) -> Vec<OsString> {
        let stdin = self.stdin.map_or(OsString::new(), |path| path.as_os_str().to_owned());
        let grace = u64::try_from(self.grace.as_millis()).unwrap_or(u64::MAX).to_string();
        let mut words = vec![SUBCOMMAND.into(), self.record.into(), grace.into(), stdin, self.program.to_owned()];
        words.extend_from_slice(self.args);
        words
    }

    /// From the words after the subcommand.
    fn parse(words: &'o [OsString]) -> Option<Order<'o>> {
        let [record, grace, stdin, program, args @ ..] = words else {
            return None;
        };
        let grace = Duration::from_millis(grace.to_str()?.parse().ok()?);
        let stdin = (!stdin.is_empty()).then(|| Path::new(stdin));
        Some(Order { record: Path::new(record), grace, stdin, program, args })
    }

    fn spawn(&self) -> Result<Child, String> {
        let stdin = match self.stdin {
            Some(path) => {
                let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                Stdio::from(file)
            }
            None => Stdio::null(),
        };
        let mut command = Command::new(self.program);
        command.args(self.args).stdin(stdin);
        // Without a subreaper its process group is all that can be found again.
        if cfg!(not(target_os = "linux")) {
            command.process_group(0);
        }
        effect("spawn", Path::new(self.program), || command.spawn()).map_err(|error| refusal(self.program, &error))
    }
}

/// Who ended the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EndedBy {
    /// It did, or something that the launcher knows nothing of.
    Exit,
    /// The runner, by a word or by its death.
    Control,
    /// A signal to the launcher.
    Signal,
}

/// The content of `exit.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) ended_by: EndedBy,
    /// Processes that were killed after the program's end.
    pub(super) strays: u32,
    /// Processes that could not be killed in time.
    pub(super) left: u32,
    /// Why the program was not started.
    pub(super) error: Option<String>,
}

impl Report {
    fn not_started(error: String) -> Report {
        Report { code: None, signal: None, ended_by: EndedBy::Exit, strays: 0, left: 0, error: Some(error) }
    }

    /// The launcher's own exit code: the program's, or as a shell says it.
    fn exit_code(&self) -> u8 {
        let code = match (&self.error, self.code, self.signal) {
            (Some(_), _, _) => 127,
            (None, Some(code), _) => code,
            (None, None, signal) => 128 + signal.unwrap_or(0),
        };
        u8::try_from(code).unwrap_or(u8::MAX)
    }
}

/// Runs the program that `args` (the words after [`SUBCOMMAND`]) name, and ends with its exit code.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = args.collect();
    let Some(order) = Order::parse(&words) else {
        return ExitCode::from(2);
    };
    let report = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(launch(&order)),
        Err(error) => Report::not_started(format!("cannot start a launcher: {error}")),
    };
    // The exit code still says the most of it where the disk is full.
    if let Ok(json) = serde_json::to_vec(&report) {
        Writer::within_own(order.record).leave(&order.record.join(EXIT_FILE), &json).ok();
    }
    ExitCode::from(report.exit_code())
}

async fn launch(order: &Order<'_>) -> Report {
    // It fails only where the runner already made it a leader.
    rustix::process::setsid().ok();
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        return Report::not_started(format!("cannot become a child subreaper: {error}"));
    }
    // Listening comes before the child: a signal in between would leave it alone.
    let (mut requests, mut orphans) =
        match Requests::new().and_then(|requests| Ok((requests, signal(SignalKind::child())?))) {
            Ok(listeners) => listeners,
            Err(error) => return Report::not_started(format!("cannot watch the runner: {error}")),
        };
    let mut child = match order.spawn() {
        Ok(child) => child,
        Err(error) => return Report::not_started(error),
    };
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let (status, ended_by) = supervise(&mut child, pid, &mut requests, &mut orphans, order.grace).await;
    let (strays, left) = sweep(pid).await;
    Report {
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        ended_by,
        strays,
        left,
        error: None,
    }
}

/// Why a program could not be started, for people.
pub(super) fn refusal(program: &OsStr, error: &io::Error) -> String {
    let program = program.to_string_lossy();
    let reason = match error.kind() {
        io::ErrorKind::NotFound if program.contains('/') => {
            "there is no such file, or it names an interpreter that is not there".to_owned()
        }
        io::ErrorKind::NotFound => "it was not found on PATH".to_owned(),
        io::ErrorKind::PermissionDenied => "it is not executable for this user".to_owned(),
        io::ErrorKind::ArgumentListTooLong => "its arguments and environment are too long for this system".to_owned(),
        _ => error.to_string(),
    };
    format!("cannot start {program}: {reason}")
}

/// Waits for the child's end, or brings it about. No status: it could not be killed.
async fn supervise(
    child: &mut Child,
    pid: Option<Pid>,
    requests: &mut Requests,
    orphans: &mut unix::Signal,
    grace: Duration,
) -> (Option<ExitStatus>, EndedBy) {
    let request = loop {
        tokio::select! {
            status = child.wait() => return (status.ok(), EndedBy::Exit),
            request = requests.next() => break request,
            () = died(orphans) => reap_orphans(pid),
        }
    };
    if !request.at_once {
        // SIGINT, to the child alone: codex then ends the tools that no other signal reaches.
        pid.map(|pid| kill_process(pid, Signal::INT));
        let ended = tokio::select! {
            status = child.wait() => status.ok(),
            () = requests.at_once() => None,
            () = sleep(grace) => None,
        };
        if ended.is_some() {
            return (ended, request.by);
        }
    }
    child.start_kill().ok();
    let ended = timeout(KILLED, child.wait()).await;
    (ended.ok().and_then(Result::ok), request.by)
}

struct Request {
    by: EndedBy,
    at_once: bool,
}

/// Everything that the launcher listens to besides its child.
struct Requests {
    control: Option<pipe::Receiver>,
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Requests {
    fn new() -> io::Result<Requests> {
        let control = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Requests {
            control: Some(pipe::Receiver::from_owned_fd(control)?),
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Request {
        tokio::select! {
            word = read(&mut self.control) => Request { by: EndedBy::Control, at_once: word == AT_ONCE },
            _ = self.interrupt.recv() => Request { by: EndedBy::Signal, at_once: false },
            _ = self.terminate.recv() => Request { by: EndedBy::Signal, at_once: false },
            _ = self.hangup.recv() => Request { by: EndedBy::Signal, at_once: false },
        }
    }

    async fn at_once(&mut self) {
        while read(&mut self.control).await != AT_ONCE {}
    }
}

/// An orphan that the launcher adopted may have died. Many of them are waited for together.
async fn died(orphans: &mut unix::Signal) {
    orphans.recv().await;
    sleep(Duration::from_millis(100)).await;
}

/// The next word on the control pipe; `END` once when it is closed, and then never again.
async fn read(control: &mut Option<pipe::Receiver>) -> u8 {
    match control {
        Some(pipe) => match pipe.read_u8().await {
            Ok(word) => word,
            Err(_) => {
                *control = None;
                END
            }
        },
        None => pending().await,
    }
}

/// Reaps dead orphans, each by its pid: waiting for any child would take the status of the one that counts.
fn reap_orphans(child: Option<Pid>) {
    for orphan in tree::all().iter().filter(|process| process.zombie && process.parent == own_pid()) {
        if Pid::from_raw(orphan.pid) != child {
            reap(orphan);
        }
    }
}

fn reap(orphan: &Process) {
    Pid::from_raw(orphan.pid).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
}

fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_pid()
}

/// Kills every descendant until none is left. Gives how many there were, and how many could not be killed in time.
#[cfg(target_os = "linux")]
async fn sweep(_child: Option<Pid>) -> (u32, u32) {
    let began = Instant::now();
    let mut killed = HashSet::new();
    let mut pause = Duration::from_millis(2);
    loop {
        // Whatever has lost its parent became a child of this process: without children there are no descendants.
        if matches!(wait(WaitOptions::NOHANG), Err(Errno::CHILD)) {
            return (count(killed.len()), 0);
        }
        let tree = tree::descendants(own_pid(), &tree::all());
        if began.elapsed() > SWEEP {
            return (count(killed.len()), count(tree.len()));
        }
        for process in &tree {
            if process.zombie && process.parent == own_pid() {
                reap(process);
            } else if tree::kill(process) {
                killed.insert((process.pid, process.start));
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Kills what is left of the child's process group; nothing else can be found here.
#[cfg(not(target_os = "linux"))]
async fn sweep(child: Option<Pid>) -> (u32, u32) {
    let killed = child.map(|group| rustix::process::kill_process_group(group, Signal::KILL));
    (u32::from(killed.is_some_and(|killed| killed.is_ok())), 0)
}

#[cfg(target_os = "linux")]
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_survives_its_way_over_the_command_line() {
        let args = ["-c".into(), String::new().into(), "a b".into()];
        for (stdin, grace) in [(None, 1500), (Some(Path::new("/tmp/in")), u64::MAX)] {
            let grace = Duration::from_millis(grace);
            let order = Order { record: Path::new("/r"), grace, stdin, program: OsStr::new("sh"), args: &args };
            let words = order.words();
            assert_eq!(words[0], SUBCOMMAND);
            let read = Order::parse(&words[1..]).unwrap();
            assert_eq!((read.record, read.grace, read.stdin), (order.record, grace, stdin));
            assert_eq!((read.program, read.args), (order.program, order.args));
        }
        let broken: [&[&str]; 3] = [&[], &["/r", "1", ""], &["/r", "soon", "", "sh"]];
        for words in broken {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert!(Order::parse(&words).is_none(), "{words:?}");
        }
    }

    #[test]
    fn the_exit_code_is_the_programs_or_as_a_shell_says_it() {
        let report = |code, signal| Report { code, signal, error: None, ..Report::not_started(String::new()) };
        let cases = [
            (report(Some(0), None), 0),
            (report(Some(255), None), 255),
            (report(None, Some(9)), 137),
            (report(None, None), 128),
            (Report::not_started("no".to_owned()), 127),
        ];
        for (report, code) in cases {
            assert_eq!(report.exit_code(), code, "{report:?}");
        }
    }
}
