//! A short-lived helper program that is trusted to end: git.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use super::{MARKER, Spawner};
use crate::storage::effect;

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
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // Fed from its own thread: the child may answer before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })
}
