//! Git, CACHE_DIR, the run lock and what a dead run left, the file systems.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use crate::commands::holder;
use crate::commands::journaled::Journaled;
use crate::journal::append;
use crate::process::Stray;
use crate::process::find;
use crate::process::probe::{Question, ask};
use crate::report::doctor::Findings;
use crate::settings::Settings;
use crate::storage::{Held, RunLock};

pub fn git(settings: &Settings, findings: &mut Findings) {
    let hint = "the loop sees with git what codex changes: install it";
    answers("git", "git", "git is not on PATH", hint, settings, findings);
}

/// Whether a program is there and tells its version.
pub fn answers(
    check: &'static str,
    name: &str,
    missing: &str,
    hint: &str,
    settings: &Settings,
    findings: &mut Findings,
) {
    let Some(found) = find(name, &settings.env.path()) else { return findings.error(check, missing, hint) };
    match ask(&found, Question::Version, &settings.env.hooks(&settings.workspace)) {
        Ok(answer) if answer.good => findings.ok(check, format!("{} at {}", answer.text.trim(), found.display())),
        Ok(_) => findings.error(check, format!("{} --version fails", found.display()), hint),
        Err(why) => findings.error(check, format!("{} {why}", found.display()), hint),
    }
}

/// Less is soon used up by trees and logs, in bytes.
const ROOM: u64 = 200 << 20;

pub fn cache(settings: &Settings, findings: &mut Findings) {
    let folder = &settings.cache_dir;
    let name = settings.shown(folder);
    // The folder itself is made by the first run.
    let Some(there) = folder.ancestors().find(|folder| folder.exists()) else { return };
    let hint = "--cache-dir or CACHE_DIR names another folder";
    match access(there, Access::WRITE_OK | Access::EXEC_OK) {
        Err(error) => findings.error("cache", format!("{} can't be written: {error}", settings.shown(there)), hint),
        Ok(()) if !there.is_dir() => findings.error("cache", format!("{} is no folder", settings.shown(there)), hint),
        Ok(()) => match statvfs(there).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)) {
            Ok(free) if free < ROOM => {
                findings.warning(
                    "cache",
                    format!("{name}: {} MiB are free", free >> 20),
                    "free some space on that disk",
                );
            }
            _ => findings.ok("cache", format!("{name} can be written")),
        },
    }
    match Journaled::<()>::read(folder) {
        Err(failure) => findings.error("journal", format!("{:#}", failure.error), failure.hints.join("; ")),
        Ok(Journaled { state, damaged, .. }) => {
            let path = settings.shown(&append::path(folder));
            if !damaged.is_empty() {
                let text = format!("{path}: lines {damaged:?} are damaged");
                findings.warning("journal", text, "the rest is used; `history` shows what is known");
            }
            if !state.held_inputs.is_empty() {
                let files: Vec<&str> = state.held_inputs.keys().map(String::as_str).collect();
                let text = format!("{} changed during an attempt and is not adopted", files.join(", "));
                findings.warning("journal", text, "restore it, or look at it and `accept` it");
            }
        }
    }
}

pub fn lock(settings: &Settings, findings: &mut Findings) {
    match holder(settings) {
        Err(error) => {
            let hint = format!("{} belongs to the user who runs this alone", settings.lock_dir.display());
            findings.error("lock", format!("{error:#}"), hint);
        }
        Ok(Some(held)) if held.is_of_board() => findings.ok("lock", format!("a run is at work: {}", held.holder)),
        Ok(Some(Held { kind, holder, .. })) => {
            let text = format!("the {kind} is held by another board's run: {holder}");
            findings.warning("lock", text, "one runner a workspace: a `run` would not start beside it");
        }
        Ok(None) => {
            findings.ok("lock", "no run is at work");
            strays(&RunLock::marker_of(&settings.workspace), findings);
        }
    }
}

/// So many processes are named.
const NAMED: usize = 5;

fn strays(marker: &str, findings: &mut Findings) {
    let strays = Stray::marked(marker);
    let named = strays.iter().take(NAMED).map(|stray| format!("{} ({})", stray.pid, stray.command));
    if !strays.is_empty() {
        let named = named.collect::<Vec<_>>().join(", ");
        let text = format!("what a killed run left is at work: {} of them, {named}", strays.len());
        findings.warning("strays", text, "the next `run` ends them");
    }
}

/// File systems of several machines, by the number that the kernel knows them by (statfs(2)).
#[cfg(target_os = "linux")]
const NETWORK: [(u64, &str); 9] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
];

#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Option<&'static str> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let kind = rustix::fs::statfs(there).ok()?.f_type as u64 & 0xffff_ffff;
    NETWORK.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn network(_folder: &Path) -> Option<&'static str> {
    None
}

pub fn file_systems(settings: &Settings, findings: &mut Findings) {
    let board = settings.source.path();
    let folders = [
        ("the locks", Some(settings.lock_dir.as_path())),
        ("CACHE_DIR", Some(&settings.cache_dir)),
        ("the board", board),
    ];
    for (what, folder) in folders {
        if let Some(kind) = folder.and_then(network) {
            let text = format!("{what} lie on a network file system ({kind})");
            let hint = "the lock is good on one machine alone: let no other one run this board";
            findings.warning("file system", text, hint);
        }
    }
}
