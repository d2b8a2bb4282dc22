//! The report in a terminal: a live line that is never left behind, sparing colour, a table at the end; and in a pipe none of
//! it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use regex::Regex;

use crate::faults::terminal::shown_in_a_terminal;
use crate::status::settled;
use crate::support::{Outcome, World};

const CLEAR: &str = "\r\u{1b}[2K";

const CARDS: &str = "- [ ] KB-1 first @made\n- [ ] KB-2 second @made @checked\n- [ ] KB-3 nothing knows it\n";

fn world() -> World {
    World::new(CARDS).env("TERM", "xterm").env("K_REQ", "1").codex("[ $card = KB-2 ] || make made")
}

fn in_a_terminal(world: &World, args: &[&str]) -> Option<Outcome> {
    shown_in_a_terminal(world, "^C=never", args)
}

fn live() -> Regex {
    Regex::new(r"KB-1 first @made \[In Progress\] \d+ s").unwrap()
}

/// What is left on the screen, without colour.
fn screen(shown: &str) -> String {
    let lines = shown.replace("\r\n", "\n");
    let last = lines.split('\n').map(|line| line.rsplit(CLEAR).next().unwrap_or_default());
    let colour = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    colour.replace_all(&last.collect::<Vec<_>>().join("\n"), "").into_owned()
}

#[test]
fn the_screen_has_the_lines_of_a_pipe_and_a_table_before_the_last() {
    let terminal = world();
    let Some(outcome) = in_a_terminal(&terminal, &["run"]) else { return };
    let shown = outcome.exits(0).stdout;
    assert!(live().is_match(&shown), "no live line: {shown:?}");
    let screen = settled(&screen(&shown)).replace(&*terminal.path("repo").to_string_lossy(), "REPO");
    assert!(!screen.contains('\u{1b}') && !screen.contains('\r'), "{screen:?}");
    let pipe = world();
    let piped = settled(&pipe.run(&["run"]).exits(0).stdout).replace(&*pipe.path("repo").to_string_lossy(), "REPO");
    let screen = screen.trim_end();
    let (before, summary) = piped.trim_end().rsplit_once('\n').unwrap();
    assert!(screen.starts_with(before) && screen.ends_with(summary), "{screen}\n--- in a pipe\n{piped}");
    let table = &screen[before.len()..screen.len() - summary.len()];
    insta::assert_snapshot!("table", table.trim_start_matches('\n'));
}

#[test]
fn a_stop_leaves_no_live_line_behind() {
    let world = World::new("- [ ] KB-1 first @made\n").env("TERM", "xterm").codex("make made; wait_for go");
    let Some(outcome) = shown_in_a_terminal(&world, "^C=waiting", &["run"]) else { return };
    let shown = outcome.exits(130).stdout;
    assert!(live().is_match(&shown), "{shown:?}");
    let screen = screen(&shown);
    assert!(!live().is_match(&screen) && screen.contains("interrupted"), "{screen}");
}

#[test]
fn a_test_that_runs_is_shown_as_well() {
    let world = World::new("- [ ] KB-1 first @made @runs\n").env("TERM", "xterm");
    let world = world.with("tests.txt", "@made It is made :: includes:made for\n@runs It runs :: shell:sleep 0.1\n");
    let world = world.env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "sleep");
    let Some(outcome) = in_a_terminal(&world, &["run"]) else { return };
    let outcome = outcome.exits(0).says(": test runs");
    assert!(!screen(&outcome.stdout).contains(": test runs"), "{outcome}");
}

#[test]
fn colour_is_the_first_words_and_only_where_it_is_wanted() {
    let coloured = |outcome: &Outcome| outcome.stdout.contains("\u{1b}[32m") || outcome.stdout.contains("\u{1b}[2m");
    for (wanted, name, value, colour) in [
        ("auto", "TERM", "xterm", true),
        ("never", "TERM", "xterm", false),
        ("auto", "NO_COLOR", "1", false),
        ("auto", "TERM", "dumb", false),
        ("always", "NO_COLOR", "1", true),
    ] {
        let Some(outcome) = in_a_terminal(&world().env(name, value), &["run", "--color", wanted]) else { return };
        assert_eq!(coloured(&outcome), colour, "{wanted} {name}={value}: {outcome}");
    }
    let piped = world().run(&["run"]).exits(0);
    assert!(!piped.stdout.contains('\u{1b}'), "{piped}");
    let always = world().run(&["run", "--color", "always"]).exits(0);
    for word in [
        "\u{1b}[1m\u{1b}[32mPROMOTED\u{1b}[0m  KB-1",
        "\u{1b}[33mBOUNCED\u{1b}[0m   KB-2",
        "\u{1b}[33mNOT RUN\u{1b}[0m",
    ] {
        assert!(always.stdout.contains(word), "{word:?}: {:?}", always.stdout);
    }
    assert!(!always.stdout.contains(CLEAR), "a live line in a pipe");
    let paths = world().run(&["dry-run", "--color", "always"]).exits(0);
    assert!(paths.stdout.contains("if it \u{1b}[1m\u{1b}[32mpasses \u{1b}[0m In Progress"), "{:?}", paths.stdout);
}

#[test]
fn json_is_json_in_a_terminal_as_well() {
    let Some(outcome) = in_a_terminal(&world(), &["run", "--format", "json", "--color", "always"]) else { return };
    let outcome = outcome.exits(0);
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome}");
    assert_eq!(outcome.events().last().unwrap()["event"], "summary");
}

#[test]
fn what_boards_and_codex_write_moves_no_cursor() {
    let world =
        World::new("- [ ] KB-1 \u{1b}[2J\u{9b}31mfirst @made\n").codex("raw printf 'gone \\033]0;x\\007' >&2; exit 1");
    let outcome = world.run(&["run"]).exits(0);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{outcome}");
    outcome.says("KB-1 \\u{1b}[2J\\u{9b}31mfirst").says("gone \\u{1b}]0;x");
    for command in ["board", "status", "history", "print-plan", "dry-run"] {
        let outcome = world.run(&[command]).exits(0);
        assert!(!outcome.stdout.contains(['\u{1b}', '\u{9b}']), "{command}: {outcome}");
    }
}
