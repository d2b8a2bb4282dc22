//! What children get of the runner's own surroundings, under PM2 above all: no channel, no settings of PM2's, no standard
//! input, no board token.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::Command;

use crate::support::World;

const RULES: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Done
    evidence: [changes]
    beforeTransition: { shell: ./look.sh before }
    afterTransition: { shell: ./look.sh after }
";

/// Writes down what the program that runs it was given.
const LOOK: &str = r#"#!/bin/sh
env >"$WORLD/env.$1"
for fd in /proc/$$/fd/*; do echo "${fd##*/} $(readlink "$fd")"; done >"$WORLD/fds.$1"
wc -c >"$WORLD/stdin.$1"
"#;

/// Codex, a shell test and both hooks.
const CHILDREN: [&str; 4] = ["codex", "test", "before", "after"];

/// A world whose every child looks around.
fn world() -> World {
    World::new("- [ ] KB-1 first @looked\n")
        .with("transitions.yaml", RULES)
        .with("tests.txt", "@looked it looks around :: shell:./look.sh test\n")
        .program("look.sh", LOOK)
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "./look.sh")
        // A child that waits for input that never comes is ended.
        .env("KANBAN_ATTEMPT_LIMIT", "20s")
        .env("KANBAN_TEST_LIMIT", "20s")
        .env("KANBAN_HOOK_LIMIT", "20s")
        .codex("./look.sh codex")
}

fn read(world: &World, file: &str) -> String {
    fs::read_to_string(world.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The variables that a child got, without those that say who it is.
fn variables(world: &World, child: &str) -> BTreeMap<String, String> {
    let env = read(world, &format!("env.{child}"));
    env.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn nothing_of_pm2_and_no_board_token_reaches_codex() {
    let pm2 = [
        ("pm_id", "0"),
        ("pm_exec_path", "/x"),
        ("pm_cwd", "/x"),
        ("NODE_APP_INSTANCE", "0"),
        ("NODE_CHANNEL_FD", "3"),
        ("NODE_CHANNEL_SERIALIZATION_MODE", "json"),
        ("PM2_USAGE", "CLI"),
        ("name", "kanban"),
        ("status", "launching"),
        ("exec_mode", "fork_mode"),
        ("kill_timeout", "20000"),
        ("unique_id", "1"),
        ("windowsHide", "true"),
        ("watch", "false"),
    ];
    let tokens = [("GH_TOKEN", "a-token-of-some-length"), ("GITHUB_TOKEN", "another-token-of-some-length")];
    let mut world = world().env("NODE_ENV", "production").env("OPENAI_API_KEY", "sk-a-key-of-some-length-0123456789");
    for (name, value) in pm2.iter().chain(&tokens) {
        world = world.env(name, *value);
    }
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    for child in CHILDREN {
        let got = variables(&world, child);
        for (name, _) in pm2 {
            assert!(!got.contains_key(name), "{child} got {name}");
        }
        assert_eq!(got["NODE_ENV"], "production", "{child}");
        assert!(got.contains_key("KANBAN_CODEX_EXEC_RUNNER"), "{child} can't be found when it is left");
        // The hooks are the user's own; codex needs its own key; what tests print is evidence.
        let hook = matches!(child, "before" | "after");
        for (name, _) in tokens {
            assert_eq!(got.contains_key(name), hook, "{name} for {child}");
        }
        assert_eq!(got.contains_key("OPENAI_API_KEY"), child != "test", "{child}");
    }
}

#[test]
fn a_token_is_handed_on_where_the_setting_says_so() {
    let world =
        world().env("GH_TOKEN", "a-token-of-some-length").env("KANBAN_ENV", "GH_TOKEN,!NODE_ENV").env("NODE_ENV", "x");
    world.run(&["run"]).exits(0);
    for child in CHILDREN {
        let got = variables(&world, child);
        assert!(got.contains_key("GH_TOKEN") && !got.contains_key("NODE_ENV"), "{child}: {got:?}");
    }
}

/// PM2 leaves the runner's standard input open and never writes to it; a terminal's user types into it.
#[test]
fn the_runners_standard_input_is_nobodys() {
    let world = world();
    let fifo = world.path("typed");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut typed = OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    typed.write_all(b"typed by a person\n").unwrap();
    let mut under = Command::new("sh");
    under.args(["-c", "exec \"$@\" <\"$WORLD/typed\"", "sh", env!("CARGO_BIN_EXE_kanban-codex-exec")]);
    world.start_as(under, &["run"]).outcome().exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    let mut left = [0; 64];
    let size = typed.read(&mut left).unwrap();
    assert_eq!(&left[..size], b"typed by a person\n", "somebody read it");
    for child in CHILDREN {
        let hook = matches!(child, "before" | "after");
        let bytes: usize = read(&world, &format!("stdin.{child}")).trim().parse().unwrap();
        assert_eq!(bytes > 0, hook, "{child} read {bytes} bytes: only hooks are told something");
    }
}

/// PM2's channel is an open file of the runner's; a child that holds it keeps it open after the runner's end.
#[test]
fn no_file_of_the_runners_is_open_in_a_child() {
    let world = world();
    fs::write(world.path("channel"), "").unwrap();
    let mut under = Command::new("sh");
    under.args(["-c", "exec \"$@\" 3<>\"$WORLD/channel\"", "sh", env!("CARGO_BIN_EXE_kanban-codex-exec")]);
    world.start_as(under, &["run"]).outcome().exits(0);
    for child in CHILDREN {
        let fds = read(&world, &format!("fds.{child}"));
        assert!(!fds.contains("/channel"), "{child} has it open:\n{fds}");
    }
}

/// A prompt that can't be an argument comes over standard input, which ends after it.
#[test]
fn a_prompt_over_standard_input_is_all_that_is_there() {
    let world = world().with("transitions.yaml", RULES.replace("Implement the card.", "\"-- Implement\\nthe card.\""));
    let world = world.codex("printf '%s' \"$prompt\" >\"$WORLD/prompt\"\n./look.sh codex");
    world.run(&["run"]).exits(0);
    assert_eq!(read(&world, "prompt"), "-- Implement\nthe card.\n\nKB-1 first @looked");
    assert_eq!(read(&world, "stdin.codex").trim(), "0", "nothing is left after the prompt");
    let fds = read(&world, "fds.codex");
    assert!(fds.lines().any(|line| line.starts_with("0 ") && line.ends_with("/attempts/KB-1.1/prompt.md")), "{fds}");
}
