//! `demo` on a machine without codex: what it shows is in the journal and on the board, whatever it says on the screen.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A machine with these programs and nothing else.
fn machine(folder: &Path, programs: &[&str]) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    for name in programs {
        symlink(found(name).unwrap(), bin.join(name)).unwrap();
    }
    bin
}

fn found(program: &str) -> Option<PathBuf> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&search).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn demo(home: &Path, bin: &Path, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kanban-codex-exec"));
    command.arg("demo").arg(folder).env_clear().env("PATH", bin).env("HOME", home).env("TMPDIR", home);
    // The user's settings for the user's board.
    for (name, value) in
        [("K_REQ", "99"), ("CODEX_BIN", "/no/codex"), ("KANBAN_SOURCE", "/no/board"), ("CACHE_DIR", "/no")]
    {
        command.env(name, value);
    }
    command.output().unwrap()
}

fn journal(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(".cache/kanban-codex-exec/journal.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'r>(records: &'r [Value], event: &str, keys: &[&str]) -> Vec<Vec<&'r str>> {
    let records = records.iter().filter(|record| record["event"] == event);
    records.map(|record| keys.iter().map(|key| record[*key].as_str().unwrap_or_default()).collect()).collect()
}

/// The board without what the program writes on cards.
fn written_by_people(board: &str) -> String {
    let lines = board.lines().filter(|line| !line.contains("kanban-codex-exec"));
    let bare = lines.map(|line| line.split(" ^kb-").next().unwrap().to_owned() + "\n");
    bare.collect()
}

#[cfg(target_os = "linux")]
fn assert_nothing_runs(home: &Path) {
    let home = format!("HOME={}\0", home.display()).into_bytes();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        let left = environ.windows(home.len()).any(|piece| piece == home);
        assert!(!left, "{:?} is left", fs::read(entry.path().join("cmdline")));
    }
}

#[cfg(not(target_os = "linux"))]
fn assert_nothing_runs(_home: &Path) {}

fn shows_everything(programs: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("deep/demo");
    let output = demo(home.path(), &machine(home.path(), programs), &folder);
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(output.stderr.is_empty(), "{told}");

    let records = journal(&folder);
    assert_eq!(
        of(&records, "transitioned", &["title", "from", "to", "verdict"]),
        [
            ["Greeting script", "In Progress", "Review", "pass"],
            ["Start a changelog", "In Progress", "Needs Specs", "fail"],
            ["Make the start page load faster", "In Progress", "Needs Specs", "unverified"],
            ["Greeting script", "Review", "Done", "pass"],
        ]
    );
    let second = records.iter().rposition(|record| record["event"] == "run_started").unwrap();
    assert_eq!(
        of(&records, "attempt_started", &["title", "column"]),
        [["Greeting script", "In Progress"], ["Start a changelog", "In Progress"], ["Greeting script", "Review"]]
    );
    assert!(of(&records[second..], "attempt_started", &[]).is_empty(), "the second run starts nothing");
    assert!(of(&records[second..], "transitioned", &[]).is_empty(), "and moves nothing");
    let summaries: Vec<_> = records.iter().filter(|record| record["event"] == "summary").collect();
    let counts =
        |record: &Value| ["promoted", "bounced", "unverified", "failed", "skipped"].map(|key| record[key].clone());
    assert_eq!(counts(summaries[0]), [2, 1, 1, 0, 0].map(|n| json!(n)));
    assert_eq!(counts(summaries[1]), [0, 0, 0, 0, 1].map(|n| json!(n)));

    let before = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/board.md")).unwrap();
    let board = fs::read_to_string(folder.join("board.md")).unwrap();
    let parts: Vec<&str> = before.split_inclusive("\n\n\n").collect();
    let cards = parts[1].strip_prefix("## In Progress\n\n").unwrap();
    let (greeting, rest) = cards.split_at(cards.find("- [ ] Start").unwrap());
    // The order of empty lines around cards is the provider's affair.
    let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let expected = before.replace(cards.trim_end(), "").replace("## Review\n", &format!("## Review\n{greeting}"));
    let expected = expected.replace("## Needs Specs\n", &format!("## Needs Specs\n{rest}"));
    assert_eq!(lines(&written_by_people(&board)), lines(&expected), "{board}");
    for reason in ["1 of 3 required tests", "2 of 3 required tests passed", "changelog-added", "changelog-fixed"] {
        assert!(board.contains(reason), "{reason} is not on the board:\n{board}");
    }
    assert_nothing_runs(home.path());
    home
}

#[test]
fn a_machine_with_only_git_and_a_shell_sees_everything() {
    let home = shows_everything(&["git", "sh"]);
    assert!(!home.path().join("deep/demo/moves.log").exists());
}

#[test]
fn with_node_the_javascript_hook_hears_of_each_move() {
    if found("node").is_none() {
        assert!(std::env::var_os("KANBAN_CI").is_none(), "node is missing");
        return println!("skipped: node is not on PATH");
    }
    let home = shows_everything(&["git", "sh", "node"]);
    let moves = fs::read_to_string(home.path().join("deep/demo/moves.log")).unwrap();
    assert_eq!(moves.lines().count(), 4, "{moves}");
}

#[test]
fn a_folder_that_exists_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("mine");
    fs::create_dir(&folder).unwrap();
    let output = demo(home.path(), &machine(home.path(), &["git", "sh"]), &folder);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("exists already") && told.contains("hint: "), "{told}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn without_git_nothing_is_begun() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("demo");
    let output = demo(home.path(), &machine(home.path(), &["sh"]), &folder);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("git is not on PATH"));
    assert!(!folder.exists());
}
