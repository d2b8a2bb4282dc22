//! Processes of a world, found by `WORLD` in their environment, or by their working folder where they cleared that.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

fn pids(world: &Path) -> Vec<i32> {
    // With the folder's closing slash: no other world's name begins with it.
    let marker = format!("WORLD={}", world.display());
    let marker = marker.trim_end_matches('/').as_bytes().to_vec();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ours = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| pair == marker) || folder.starts_with(world)
    };
    numbers.filter(ours).collect()
}

fn described(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line: String = String::from_utf8_lossy(&line).replace('\0', " ").chars().take(200).collect();
    format!("{pid}: {}", line.trim_end())
}

/// The command lines of what is running of a world. Who has none any more is at its end.
pub fn of(world: &Path) -> Vec<String> {
    pids(world).into_iter().map(described).filter(|line| !line.ends_with(": ")).collect()
}

/// Ends what is running of a world; says what it was.
pub fn end(world: &Path) -> Vec<String> {
    let mut ended = Vec::new();
    // What is killed may have just started another.
    for _ in 0..100 {
        let pids = pids(world);
        if pids.is_empty() {
            break;
        }
        for pid in pids {
            ended.push(described(pid));
            if let Some(pid) = Pid::from_raw(pid) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    ended
}
