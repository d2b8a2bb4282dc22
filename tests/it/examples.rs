//! The examples do what they say, and the README's table is the settings'.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use kanban_codex_exec::settings::table::{Form, TABLE};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A copy of the examples in which no codex can be started.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&Path::new(ROOT).join("examples"), folder.path());
    folder
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => {
                fs::create_dir(&target).unwrap();
                copy_folder(&entry.path(), &target);
            }
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn tell(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kanban-codex-exec"));
    command.args(words).current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.env("HOME", folder).env("CODEX_BIN", "/no/codex").output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every file with its bytes and time, every folder with its time.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, data) = (entry.path(), entry.metadata().unwrap());
        if data.is_dir() {
            found.extend(tree(&path));
        }
        let bytes = if data.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        found.insert(path, (bytes, data.modified().unwrap()));
    }
    found
}

#[test]
fn the_plan_selects_each_cards_own_tests() {
    let folder = copy();
    let before = tree(folder.path());
    let plan: Value = serde_json::from_str(&tell(folder.path(), &["print-plan", "--format", "json"])).unwrap();
    assert_eq!(tree(folder.path()), before, "nothing is written");
    let seen: Vec<_> = plan["cards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| {
            let tests = card["tests"].as_array().unwrap();
            let ids: Vec<_> = tests.iter().map(|test| test["id"].as_str().unwrap()).collect();
            let blocked = tests.iter().filter(|test| !test["blocked"].is_null()).count();
            (card["title"].as_str().unwrap(), card["verdict"].as_str().unwrap(), ids, blocked)
        })
        .collect();
    let greeting = vec!["no-conflicts", "greet-hello", "greet-usage", "greet-exit", "greet-runs"];
    let changelog = vec!["no-conflicts", "changelog-added", "changelog-fixed", "changelog-unreleased"];
    let sorted = |mut ids: Vec<&'static str>| {
        ids.sort_unstable();
        ids
    };
    let seen: Vec<_> = seen
        .into_iter()
        .map(|(title, verdict, mut ids, blocked)| {
            assert_eq!(ids[0], "no-conflicts", "what is for every card comes first");
            ids.sort_unstable();
            (title, verdict, ids, blocked)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("Greeting script", "ready", sorted(greeting), 1),
            ("Start a changelog", "ready", sorted(changelog), 0),
            ("Make the start page load faster", "unverified", vec!["no-conflicts"], 0),
        ]
    );
}

#[test]
fn the_dry_run_walks_both_ways_and_writes_nothing() {
    let folder = copy();
    let before = tree(folder.path());
    let lines = tell(folder.path(), &["dry-run", "--format", "json"]);
    assert_eq!(tree(folder.path()), before, "nothing is written");
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut world = "";
    let mut ways: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for record in &records {
        match record["event"].as_str().unwrap() {
            "assumed" => world = record["assumed"].as_str().unwrap(),
            "transitioned" => {
                let title = record["title"].as_str().unwrap();
                ways.entry((title, world)).or_default().push(record["to"].as_str().unwrap());
            }
            _ => {}
        }
    }
    let expected = [
        (("Greeting script", "fail"), vec!["Needs Specs"]),
        (("Greeting script", "pass"), vec!["Review", "Done"]),
        (("Make the start page load faster", "fail"), vec!["Needs Specs"]),
        (("Make the start page load faster", "pass"), vec!["Needs Specs"]),
        (("Start a changelog", "fail"), vec!["Needs Specs"]),
        (("Start a changelog", "pass"), vec!["Review", "Done"]),
    ];
    assert_eq!(ways, BTreeMap::from(expected));
    let summary = records.last().unwrap();
    assert_eq!((summary["event"].as_str(), summary["stopped"].as_str()), (Some("summary"), Some("drained")));
}

#[test]
fn index_tests_writes_the_index_and_nothing_else() {
    let folder = copy();
    let before = tree(folder.path());
    tell(folder.path(), &["index-tests", "--file", "tests.txt"]);
    let mut after = tree(folder.path());
    after.retain(|path, _| !path.starts_with(folder.path().join(".cache")));
    assert_eq!(after, before);
    assert!(folder.path().join(".cache/kanban-codex-exec/index.bin").is_file());
    assert!(tell(folder.path(), &["index-tests"]).contains("up to date"));
    // What the board that is found here judges by, also from elsewhere.
    let index = folder.path().join(".cache/kanban-codex-exec/index.bin");
    fs::write(
        folder.path().join(".cache/kanban-codex-exec/board"),
        folder.path().join("board.md").display().to_string(),
    )
    .unwrap();
    fs::remove_file(&index).unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    tell(&folder.path().join("elsewhere"), &["index-tests", "--source", "../board.md"]);
    assert!(index.is_file());
}

#[test]
fn the_readmes_table_is_the_settings() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- settings -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /settings -->").unwrap();
    let expected = settings_table();
    assert_eq!(table, expected, "write between the marks:\n{expected}");
}

fn settings_table() -> String {
    let mut text = String::from("| flag | environment | config key | default | |\n|---|---|---|---|---|\n");
    for row in TABLE {
        let value = match row.form {
            Form::Switch => String::new(),
            Form::Value(name) | Form::Words(name) | Form::List(name) | Form::Pairs(name) => {
                format!(" {}", name.replace('|', "\\|"))
            }
        };
        let default = if row.default.is_empty() { String::new() } else { format!("`{}`", row.default) };
        let help = row.help.replace('|', "\\|");
        text.push_str(&format!("| `--{}{value}` | `{}` | `{}` | {default} | {help} |\n", row.flag, row.env, row.key));
    }
    text
}
