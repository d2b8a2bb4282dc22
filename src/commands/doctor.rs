//! `doctor`: whether a run would work here, and what to do where it would not. Each check by itself: none hides another.

mod board;
mod codex;
mod ecosystem;
mod machine;
mod self_test;

use std::fs;
use std::path::{Path, PathBuf};

use super::show;
use crate::failure::{Failure, Kind};
use crate::report::doctor::{Findings, human};
use crate::settings::{Given, Need, Settings};
use crate::storage;

pub fn doctor(given: &Given, test_itself: bool) -> Result<u8, Failure> {
    let mut findings = Findings::default();
    let (_, problems) = Settings::with_problems(given, Need::Board);
    let (settings, others) = Settings::with_problems(given, Need::History);
    if test_itself {
        self_test::run(given, &mut findings)?;
    } else {
        // What is wrong with the board's name alone is no problem for its history.
        let has_board = problems.len() == others.len();
        if problems.is_empty() {
            findings.ok("settings", config(&settings));
        }
        problems.into_iter().for_each(|problem| board::told(problem, "settings", &mut findings));
        board::check(&settings, has_board, &mut findings);
        codex::check(&settings, &mut findings);
        machine::git(&settings, &mut findings);
        machine::cache(&settings, &mut findings);
        machine::lock(&settings, &mut findings);
        machine::file_systems(&settings, &mut findings);
        pm2(&settings, &mut findings);
    }
    let page = findings.into_page();
    show(&settings, &page, &human(&page))?;
    Ok(if page.errors == 0 { 0 } else { Kind::Error.code() })
}

fn config(settings: &Settings) -> String {
    let name = settings.shown(&settings.config);
    let passed_by = settings.config_places.iter().filter(|path| **path != settings.config && path.exists());
    let passed_by: String = passed_by.map(|path| format!(" ({} is another board's)", settings.shown(path))).collect();
    if settings.config.is_file() { name } else { format!("no {name}{passed_by}: flags, variables and defaults") }
}

/// Ecosystem files beside the board, in the workspace, and in a folder `pm2` of these.
fn pm2(settings: &Settings, findings: &mut Findings) {
    let beside = settings.source.path().and_then(Path::parent);
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in [beside, Some(&*settings.workspace)].into_iter().flatten() {
        folders.extend([folder.to_owned(), folder.join("pm2")]);
    }
    folders.sort();
    folders.dedup();
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_script(path).is_some()).collect();
    files.sort();
    for file in files {
        let (Ok(text), Some(is_script)) = (storage::read_to_string(&file), is_script(&file)) else { continue };
        for app in ecosystem::apps(&text, is_script) {
            ecosystem::check(&settings.shown(&file), &app, settings.grace, findings);
        }
    }
}

/// Whether an ecosystem file is JavaScript, else data; None of another file.
fn is_script(path: &Path) -> Option<bool> {
    let name = path.file_name()?.to_str()?;
    let (stem, kind) = name.rsplit_once('.')?;
    let known = ["ecosystem", "ecosystem.config", "pm2", "pm2.config", "process"].contains(&stem);
    match kind {
        "js" | "cjs" | "mjs" if known => Some(true),
        "json" | "yaml" | "yml" if known => Some(false),
        _ => None,
    }
}
