//! What a program says of itself. Asking needs no run lock: these are all the questions that there are, none has the program
//! work, and whoever does not answer is ended.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Node and codex start slowly on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// How long a pipe may stay open when the program has ended.
const DRAIN: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);
/// So much of an answer is read, in bytes.
const LARGEST: u64 = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    Version,
    /// Codex: whether it is logged in.
    Login,
    /// Codex: which flags `codex exec` takes.
    ExecHelp,
}

impl Question {
    fn args(self) -> &'static [&'static str] {
        match self {
            Question::Version => &["--version"],
            Question::Login => &["login", "status"],
            Question::ExecHelp => &["exec", "--help"],
        }
    }
}

/// Both streams, stdout first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// It ended with exit code 0.
    pub good: bool,
    pub text: String,
}

/// The program as the system would find it: by its path, or on `search`, which is a PATH.
pub fn find(program: &str, search: &OsStr) -> Option<PathBuf> {
    let runs = |path: &PathBuf| is_executable(path) == Some(true);
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(runs);
    }
    std::env::split_paths(search).map(|folder| folder.join(program)).find(runs)
}

/// None: there is no such file.
pub fn is_executable(path: &Path) -> Option<bool> {
    let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(data.permissions().mode() & 0o111 != 0)
}

/// Asks a program, with exactly this environment, in a folder where there is nothing to do. An error says why there is no
/// answer.
pub fn ask(program: &Path, question: Question, env: &[(OsString, OsString)]) -> Result<Answer, String> {
    let mut command = Command::new(program);
    command.args(question.args()).env_clear().envs(env.iter().map(|(name, value)| (name, value)));
    command.current_dir(nowhere()).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let streams = [read(child.stdout.take()), read(child.stderr.take())];
    let good = end(&mut child)?;
    let text: String = streams.map(|stream| stream.recv_timeout(DRAIN).unwrap_or_default()).concat();
    Ok(Answer { good, text })
}

/// Where not even root can make a file: a stand-in for codex may take each question for work.
fn nowhere() -> &'static Path {
    let processes = Path::new("/proc");
    if processes.is_dir() { processes } else { Path::new("/") }
}

/// On a thread of its own, which ends with the pipe.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.map(|pipe| pipe.take(LARGEST).read_to_end(&mut bytes));
        sender.send(String::from_utf8_lossy(&bytes).into_owned())
    });
    receiver
}

fn end(child: &mut Child) -> Result<bool, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if began.elapsed() < LIMIT => thread::sleep(PAUSE),
            Ok(None) => {
                kill_process_group(Pid::from_child(child), Signal::KILL).ok();
                child.wait().ok();
                return Err(format!("did not answer within {} s", LIMIT.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}
