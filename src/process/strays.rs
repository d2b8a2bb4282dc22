//! What a killed launcher left running: found by the marker in its environment, named by pid and start time.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::time::{Instant, sleep};

use super::tree::{self, Process};
use super::{MARKER, Spawner};

/// How long killed processes may take to go.
const GONE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
/// Characters of a command line that are told.
const COMMAND: usize = 200;

/// A process of this user that an earlier run of this board left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    pub pid: i32,
    /// In clock ticks since boot: with the pid it names the process for good.
    pub start: u64,
    /// The beginning of its command line, not redacted.
    pub command: String,
}

impl Spawner {
    /// The processes that carry this workspace's marker, and their descendants, but not this process and those above it.
    /// Meant for when no job of this runner is under way: it would be found as well. Elsewhere than on Linux none is
    /// found. A process that overwrote its environment isn't either, unless a parent of it is.
    pub fn strays(&self) -> Vec<Stray> {
        Stray::marked(&self.marker)
    }

    /// Waits up to `grace` for the strays to end by themselves (a launcher whose runner died is already ending its tree),
    /// then kills them until none is left. Gives how many were killed.
    pub async fn end_strays(&self, grace: Duration) -> Result<usize> {
        end(&self.marker, grace).await
    }
}

impl Stray {
    /// [`Spawner::strays`] of whoever has this marker, for who only looks.
    pub fn marked(marker: &str) -> Vec<Stray> {
        marked(marker).iter().map(Stray::of).collect()
    }

    fn of(process: &Process) -> Stray {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
        let command = line.trim_end().chars().take(COMMAND).collect();
        Stray { pid: process.pid, start: process.start, command }
    }
}

/// [`Spawner::end_strays`] for `marker`, which is a runner's or that of one job.
pub(super) async fn end(marker: &str, grace: Duration) -> Result<usize> {
    let began = Instant::now();
    let mut killed: Vec<Process> = Vec::new();
    loop {
        let left = marked(marker);
        if left.is_empty() {
            return Ok(killed.len());
        }
        if began.elapsed() > grace.saturating_add(GONE) {
            let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
            bail!("cannot end what a killed launcher left running: pid {}", pids.join(", "));
        }
        if began.elapsed() >= grace {
            for process in left {
                if tree::kill(&process) && !killed.iter().any(|other| other.same(&process)) {
                    killed.push(process);
                }
            }
        }
        sleep(PAUSE).await;
    }
}

/// Kills and reaps what became a child of this process when its launcher was killed: all but `own_children`. Gives how
/// many were killed.
pub(super) async fn end_adopted(own_children: &[i32]) -> usize {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let began = Instant::now();
    let mut killed = 0;
    loop {
        let table = tree::all();
        let adopted: Vec<i32> = tree::children_in(own, &table).filter(|pid| !own_children.contains(pid)).collect();
        if adopted.is_empty() || began.elapsed() > GONE {
            return killed;
        }
        for pid in adopted {
            let below = tree::descendants(pid, &table);
            let tree =
                table.iter().filter(|process| process.pid == pid || below.iter().any(|other| other.same(process)));
            killed += tree.filter(|process| tree::kill(process)).count();
            // By its pid: a runner never waits for just any child.
            waitpid(Pid::from_raw(pid), WaitOptions::NOHANG).ok();
        }
        sleep(PAUSE).await;
    }
}

fn marked(marker: &str) -> Vec<Process> {
    let table = tree::all();
    let Ok(own) = i32::try_from(std::process::id()) else {
        return Vec::new();
    };
    let spared = tree::ancestors(own, &table);
    let mut found: Vec<Process> = Vec::new();
    for process in &table {
        if !process.zombie && is_own(process.pid) && is_marked(process.pid, marker) {
            found.push(*process);
            found.extend(tree::descendants(process.pid, &table).iter().filter(|process| !process.zombie));
        }
    }
    found.retain(|process| !spared.contains(&process.pid));
    found.sort_unstable_by_key(|process| process.pid);
    found.dedup_by_key(|process| process.pid);
    found
}

/// Whether the process belongs to this user.
fn is_own(pid: i32) -> bool {
    let owner = std::fs::metadata(format!("/proc/{pid}")).map(|data| data.uid());
    owner.is_ok_and(|uid| uid == rustix::process::geteuid().as_raw())
}

fn is_marked(pid: i32, marker: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| holds(&environ, marker))
}

/// Whether an environment (`NAME=value` pieces, each with a NUL after it) holds the marker or that of one of its jobs.
fn holds(environ: &[u8], marker: &str) -> bool {
    environ.split(|byte| *byte == 0).any(|pair| {
        let rest = pair.strip_prefix(MARKER.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        let job = rest.and_then(|value| value.strip_prefix(marker.as_bytes()));
        job.is_some_and(|job| job.is_empty() || job.starts_with(b":"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_marker_in_its_own_variable_counts() {
        let cases = [
            ("KANBAN_CODEX_EXEC_RUNNER=ab\0", true),
            ("A=1\0KANBAN_CODEX_EXEC_RUNNER=ab\0B=2\0", true),
            ("KANBAN_CODEX_EXEC_RUNNER=ab:12-3\0", true),
            ("KANBAN_CODEX_EXEC_RUNNER=abc\0", false),
            ("KANBAN_CODEX_EXEC_RUNNER=a\0", false),
            ("XKANBAN_CODEX_EXEC_RUNNER=ab\0", false),
            ("NOTE=KANBAN_CODEX_EXEC_RUNNER=ab\0", false),
            ("KANBAN_CODEX_EXEC_RUNNER\0", false),
            ("", false),
        ];
        for (environ, expected) in cases {
            assert_eq!(holds(environ.as_bytes(), "ab"), expected, "{environ:?}");
        }
    }
}
