//! Something else stands in the place of a file or a folder.

use std::fs;
use std::process::Command;

use crate::support::board::cards;
use crate::support::{RULES, TESTS, World};

/// What KB-1's first attempt does after codex said that it is done.
fn leaving(what: &str) -> String {
    format!("raw\nbegin; make made; say Done.; complete; [ $card$step != KB-1Implement ] || {{ {what}; }}")
}

#[test]
fn what_codex_leaves_in_cache_dir_costs_its_card_an_attempt_at_most() {
    let (bounced, done) = (["KB-1: Needs Specs", "KB-2: Done"], ["KB-1: Done", "KB-2: Done"]);
    for (put, name, places) in [
        ("mkdir", "attempts/KB-1.1/message.md", done),
        ("mkdir", "attempts/KB-1.1/changes.patch", done),
        ("mkdir", "attempts/KB-1.1/left-out.json", done),
        ("mkdir", "attempts/KB-1.1/exit.json", done),
        (":>", "attempts/KB-1.1", done),
        (":>", "attempts", done),
        (":>", "logs", done),
        (":>", "inputs", done),
        (":>", "requests", done),
        (":>", "git", bounced),
        ("mkdir", "index.bin", bounced),
        ("mkdir", "journal.jsonl", bounced),
        ("mkdir", "board", done),
        ("mkfifo", "attempts/KB-1.1/message.md", done),
        ("mkfifo", "attempts/KB-1.1/changes.patch", done),
        ("mkfifo", "index.bin", bounced),
        ("mkfifo", "journal.jsonl", bounced),
        ("mkfifo", "board", done),
        ("mkfifo", "requests/1.json", done),
        (":>", "attempts/KB-1.1/tests", done),
        ("mkdir", "attempts/KB-1.1/tests/ran.out", done),
        ("mkfifo", "attempts/KB-1.1/tests/ran.err", done),
    ] {
        let at = format!(".cache/kanban-codex-exec/{name}");
        let put = format!("rm -rf $PWD/{at}; mkdir -p $PWD/{at}; rmdir $PWD/{at}; {put} {at}");
        let world = World::new(&cards(2))
            .codex(&leaving(&put))
            .with("tests.txt", format!("{TESTS}@ran #always :: shell:true\n"));
        let world = world.env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "true");
        for _ in 0..2 {
            let outcome = world.run(&["run"]).exits(0);
            assert_eq!(world.places(), places, "{put}: {outcome}");
        }
    }
}

#[test]
fn a_file_in_the_place_of_cache_dir_is_told_with_what_to_do() {
    let world = World::new(&cards(1));
    fs::create_dir(world.repo(".cache")).unwrap();
    world.write(".cache/kanban-codex-exec", "mine");
    world.run(&["run"]).exits(1).warns("journal.jsonl: Not a directory").warns("hint: ");
    assert_eq!(world.read(".cache/kanban-codex-exec"), "mine");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_an_error_that_names_it() {
    let rules = RULES.replacen("prompt: Implement the card.", "promptFile: prompt.md", 1);
    let rules = rules.replacen("onFail: Needs", "beforeTransition: { shell: ./hook.sh }\n    onFail: Needs", 1);
    for name in ["board.md", "tests.txt", "transitions.yaml", "kanban-codex-exec.yaml", "prompt.md", "hook.sh"] {
        let world = World::new(&cards(1)).with("transitions.yaml", &rules).with("prompt.md", "Implement it.");
        let world = world.program("hook.sh", "#!/bin/sh\n").env("KANBAN_SOURCE", "board.md");
        fs::remove_file(world.repo(name)).ok();
        assert!(Command::new("mkfifo").arg(world.repo(name)).status().unwrap().success());
        for command in ["run", "print-plan"] {
            let outcome = world.run(&[command]);
            assert!([Some(1), Some(2)].contains(&outcome.code), "{name}: {outcome}");
            assert!(outcome.stderr.contains("is a pipe, not a file"), "{name}: {outcome}");
            assert!(outcome.stderr.contains(name), "{name}: {outcome}");
        }
    }
}

#[test]
fn codex_that_puts_a_pipe_in_the_place_of_an_input_is_caught() {
    let world = World::new(&cards(1)).codex("make made; rm tests.txt; mkfifo tests.txt");
    world.run(&["run"]).exits(0).says("changed during the attempt: tests.txt");
    world.run(&["run"]).exits(0).says("tests.txt changed during an attempt");
}
