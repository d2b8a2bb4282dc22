//! The process table as `/proc` has it. Elsewhere than on Linux it is empty.

use std::collections::{HashMap, HashSet};

use rustix::process::{Pid, Signal, kill_process};

/// One process. Pid and start time together name it for good: pids are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) parent: i32,
    /// Dead, and not yet reaped by its parent.
    pub(super) zombie: bool,
    /// In clock ticks since boot.
    pub(super) start: u64,
}

impl Process {
    pub(super) fn same(&self, other: &Process) -> bool {
        (self.pid, self.start) == (other.pid, other.start)
    }
}

/// Reads `/proc/PID/stat` (proc_pid_stat(5)). The second field is the program's name in parentheses, which can hold
/// anything, parentheses and newlines too.
fn parse(stat: &[u8]) -> Option<Process> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let pid = str::from_utf8(&stat[..open]).ok()?.trim().parse().ok()?;
    let rest = str::from_utf8(stat.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // Field 22 of the whole line; `parent` was field 4.
    let start = fields.nth(17)?.parse().ok()?;
    Some(Process { pid, parent, zombie: matches!(state, "Z" | "X" | "x"), start })
}

/// The process with this pid now, if there is one.
pub(super) fn process(pid: i32) -> Option<Process> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Every process that can be seen.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(process).collect()
}

/// The descendants of `root`, parents before their children.
pub(super) fn descendants(root: i32, table: &[Process]) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in table {
        children.entry(process.parent).or_default().push(*process);
    }
    let mut seen = HashSet::from([root]);
    let mut found = Vec::new();
    let mut queue = vec![root];
    while let Some(pid) = queue.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            // The table is no snapshot: with a pid used again it could hold a circle.
            if seen.insert(child.pid) {
                found.push(*child);
                queue.push(child.pid);
            }
        }
    }
    found
}

/// The pids of the children of `parent`.
pub(super) fn children_in(parent: i32, table: &[Process]) -> impl Iterator<Item = i32> {
    table.iter().filter(move |process| process.parent == parent).map(|process| process.pid)
}

/// The same, now.
#[cfg(target_os = "linux")]
pub(super) fn children(parent: i32) -> Vec<i32> {
    children_in(parent, &all()).collect()
}

/// `pid` and the processes above it.
pub(super) fn ancestors(pid: i32, table: &[Process]) -> HashSet<i32> {
    let parents: HashMap<i32, i32> = table.iter().map(|process| (process.pid, process.parent)).collect();
    let mut found = HashSet::new();
    let mut next = Some(pid);
    while let Some(pid) = next
        && found.insert(pid)
    {
        next = parents.get(&pid).copied();
    }
    found
}

/// SIGKILL, unless the pid belongs to another process by now. Whether it was sent.
pub(super) fn kill(target: &Process) -> bool {
    let alive = process(target.pid).is_some_and(|now| now.same(target) && !now.zombie);
    alive && Pid::from_raw(target.pid).is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid, parent, zombie: false, start: 7 }
    }

    #[test]
    fn a_stat_line_is_read_whatever_the_program_is_called() {
        let after = "0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 0 0";
        let cases: &[(&[u8], &str, Option<bool>)] = &[
            (b"(sh)", "S 11 12 12", Some(false)),
            (b"(a) S 1 (b)", "Z 11 12 12", Some(true)),
            (b"(\xFF\n) R)", "R 11 12 12", Some(false)),
            (b"(sh)", "", None),
            (b"sh", "S 11 12 12", None),
            (b"(sh)", "S eleven 12 12", None),
        ];
        for (name, state, zombie) in cases {
            let line = [b"42 ", *name, b" ", format!("{state} {after}").as_bytes()].concat();
            let expected = zombie.map(|zombie| Process { pid: 42, parent: 11, zombie, start: 98765 });
            assert_eq!(parse(&line), expected, "{}", String::from_utf8_lossy(&line));
        }
        for end in 0..30 {
            parse(&b"42 (sh) S 11 12 12 0 -1 4194560"[..end]);
        }
    }

    #[test]
    fn descendants_are_found_at_any_depth_and_circles_end() {
        let table =
            [process(2, 1), process(5, 3), process(3, 2), process(4, 1), process(6, 5), process(7, 8), process(8, 7)];
        let pids = |root| descendants(root, &table).iter().map(|process| process.pid).collect::<Vec<_>>();
        assert_eq!(pids(2), [3, 5, 6]);
        assert_eq!(pids(7), [8]);
        assert_eq!(pids(9), [] as [i32; 0]);
        assert_eq!(ancestors(6, &table), HashSet::from([6, 5, 3, 2, 1]));
        assert_eq!(ancestors(8, &table), HashSet::from([8, 7]));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pid_that_belongs_to_another_process_by_now_is_not_killed() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let now = super::process(pid).unwrap();
        assert!(!kill(&Process { start: now.start - 1, ..now }));
        assert_eq!(child.try_wait().unwrap(), None);
        assert!(kill(&now));
        child.wait().unwrap();
        assert!(!kill(&now), "gone");
    }
}
