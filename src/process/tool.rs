//! A short-lived helper program that is trusted to end: git. One that hangs (a lost network file system, a filter that
//! waits) is ended by a second wish to stop.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{MARKER, Spawner};
use crate::storage::effect;

/// The process groups of the tools that this process waits for now.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Ends every tool that runs now. Its caller gets an error.
pub(super) fn end_running() {
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        kill_process_group(*group, Signal::KILL).ok();
    }
}

/// Runs helper programs.
#[derive(Debug, Clone)]
pub struct Tool {
    /// The value of [`MARKER`]; None for who holds no run lock: a runner would take its children for strays.
    marker: Option<String>,
}

impl Spawner {
    pub fn tool(&self) -> Tool {
        Tool { marker: Some(self.marker().to_owned()) }
    }
}

impl Tool {
    /// For who only looks. It alone needs no run lock, and is given to nobody but [`crate::evidence::SavedTrees`].
    pub(crate) fn unlocked() -> Tool {
        Tool { marker: None }
    }

    /// Runs `program` in `folder` with exactly this environment, feeds it `input`, and gives its standard output.
    /// A failure carries the end of its standard error.
    pub fn run(
        &self,
        program: &str,
        args: &[OsString],
        env: &[(OsString, OsString)],
        folder: &Path,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .envs(self.marker.iter().map(|marker| (MARKER, marker)))
            .current_dir(folder)
            // A terminal's Ctrl-C is for the runner alone: it stops when the tool has done its short work.
            .process_group(0);
        let verb = args.first().map(OsString::as_os_str).unwrap_or_default();
        let output = effect("run", Path::new(verb), || output(&mut command, input));
        let output = output.with_context(|| format!("cannot run {program}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let tail: String = text.trim_end().chars().rev().take(2000).collect::<Vec<_>>().into_iter().rev().collect();
            bail!(
                "{program} {}: {} {tail}",
                args.first().map(|arg| arg.to_string_lossy()).unwrap_or_default(),
                output.status
            );
        }
        Ok(output.stdout)
    }
}

fn output(command: &mut Command, input: &[u8]) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let _running = Running::of(&child);
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // Fed from its own thread: the child may answer before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })
}

/// A place among the [`RUNNING`].
struct Running(Pid);

impl Running {
    fn of(child: &Child) -> Running {
        let group = Pid::from_child(child);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).push(group);
        Running(group)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|group| *group != self.0);
    }
}
