//! What the fuzz targets in `fuzz/` hold the formats to: a property a format, used by both. Here every input that was kept
//! in `fuzz/corpus` is replayed, which needs no nightly compiler.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helpers fail the test, and say on what")]

pub mod board;
mod events;
mod journal;
mod redaction;
mod tests;
mod todo;
mod transitions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Fails on a finding; gives how much was looked at.
type Property = fn(&[u8]) -> usize;

const TARGETS: [(&str, Property); 7] = [
    ("board", board::holds),
    ("todo", todo::holds),
    ("tests", tests::holds),
    ("transitions", transitions::holds),
    ("journal", journal::holds),
    ("events", events::holds),
    ("redaction", redaction::holds),
];

/// All kept inputs together, in bytes: a repository is no place for more.
const LARGEST_CORPUS: u64 = 300_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// Replays a target's inputs. The name of the one that fails is in the output.
fn replay(target: &str) {
    let Some((_, holds)) = TARGETS.iter().find(|(name, _)| *name == target) else { panic!("no target {target}") };
    let files = files(&folder("corpus").join(target));
    let looked_at = files.iter().map(|file| {
        println!("{}", file.display());
        holds(&std::fs::read(file).unwrap())
    });
    let looked_at: usize = looked_at.sum();
    assert!(files.len() >= 5 && looked_at >= 5, "{} inputs with {looked_at} things in them", files.len());
}

#[test]
fn boards_keep_every_other_byte() {
    replay("board");
}

#[test]
fn to_do_lists_change_by_one_byte() {
    replay("todo");
}

#[test]
fn tests_files_are_read_line_by_line() {
    replay("tests");
}

#[test]
fn transitions_are_read_or_told_where_they_are_wrong() {
    replay("transitions");
}

#[test]
fn journals_give_every_line_that_is_left() {
    replay("journal");
}

#[test]
fn journals_can_be_torn_at_every_byte() {
    for file in files(&folder("corpus/journal")) {
        journal::torn(&std::fs::read(file).unwrap(), 1);
    }
}

#[test]
fn events_come_in_any_pieces() {
    replay("events");
}

#[test]
fn events_without_line_ends_are_not_kept() {
    for file in files(&folder("corpus/events")) {
        events::long(&std::fs::read(file).unwrap());
    }
}

#[test]
fn redaction_sees_through_pieces() {
    replay("redaction");
}

#[test]
fn every_target_is_fuzzed_and_has_a_small_corpus() {
    let names = |folder: &Path| -> BTreeSet<String> {
        files(folder).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("targets")), targets);
    assert_eq!(names(&folder("corpus")), targets);
    let inputs = targets.iter().flat_map(|target| files(&folder("corpus").join(target)));
    let size: u64 = inputs.map(|file| file.metadata().unwrap().len()).sum();
    assert!(size < LARGEST_CORPUS, "{size} bytes");
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    assert!(targets.iter().all(|target| manifest.contains(&format!("path = \"targets/{target}.rs\""))), "{manifest}");
}
