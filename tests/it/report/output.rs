//! Where a report goes, and what is no place for it.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::process::Command;

use serde_json::Value;

use crate::support::{World, picture, wait_until};

fn world() -> World {
    World::new("- [ ] KB-1 first @made\n")
}

#[test]
fn the_format_is_the_commands_own_and_data_where_all_output_is() {
    let world = world();
    world.run(&["report"]).exits(0).says("<!DOCTYPE html>");
    world.run(&["report", "--format", "html"]).exits(0).says("<!DOCTYPE html>");
    world.run(&["report", "--format=markdown"]).exits(0).says("## Board");
    world.run(&["report", "--format", "junit"]).exits(0).says("<?xml version=\"1.0\"");
    world.run(&["report", "--format", "human"]).exits(2).warns("invalid value 'human' for '--format <FORMAT>'");
    let world = world.env("KANBAN_FORMAT", "json");
    let story: Value = serde_json::from_str(&world.run(&["report"]).exits(0).stdout).unwrap();
    assert_eq!(story["version"], 1);
    world.run(&["report", "--format", "html"]).exits(0).says("<!DOCTYPE html>");
}

#[test]
fn a_file_is_written_as_a_whole_and_replaced() {
    let world = world();
    world.write("out/report.html", "what was there, and much longer than nothing");
    let outcome = world.run(&["report", "--output", "out/report.html"]).exits(0);
    assert_eq!(outcome.stdout, "", "nothing else is said");
    assert_eq!(world.read("out/report.html"), world.run(&["report"]).exits(0).stdout);
    assert_eq!(fs::read_dir(world.repo("out")).unwrap().count(), 1, "nothing is left beside it");
    world.run(&["report", "--format", "junit", "--output", "out/gate.xml"]).exits(0);
    assert!(world.read("out/gate.xml").starts_with("<?xml"));
}

#[test]
fn what_is_no_place_for_a_report_is_told_and_left_as_it_is() {
    let world = world();
    world.run(&["run"]).exits(0);
    fs::create_dir(world.repo("folder")).unwrap();
    std::os::unix::fs::symlink("board.md", world.repo("link.html")).unwrap();
    let before = picture(&world.path("repo"));
    for (output, says) in [
        ("board.md", "a run works by that file"),
        ("./tests.txt", "a run works by that file"),
        ("transitions.yaml", "a run works by that file"),
        ("link.html", "a run works by that file"),
        (".cache/kanban-codex-exec/journal.jsonl", "a run works by that file"),
        ("folder", "is a folder, not a file"),
        ("missing/report.html", "its folder can't be reached"),
    ] {
        world
            .run(&["report", "--output", output])
            .exits(2)
            .warns(&format!("--output: {}", output.trim_start_matches("./")))
            .warns(says)
            .warns("hint: ");
    }
    assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0]);
    assert!(Command::new("mkfifo").arg(world.repo("pipe")).status().unwrap().success());
    world.run(&["report", "--output", "pipe"]).exits(2).warns("--output: pipe: is a device or a pipe, not a file");
    assert!(fs::metadata(world.repo("pipe")).unwrap().file_type().is_fifo());
}

/// It holds the test strings: added beside the attempt's work, it would be a proof of it.
#[test]
fn no_file_appears_among_the_work_of_an_attempt() {
    let world = world().codex("wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        wait_until("codex's events", || fs::metadata(world.cache("attempts/KB-1.1/events.jsonl")).is_ok());
        let refused = world.run_beside(&["report", "--output", "report.html"]).exits(1);
        refused
            .warns("KB-1.1 is at work there, and a report would count as its work")
            .warns("hint: write it elsewhere");
        let elsewhere = world.path("report.html").display().to_string();
        world.run_beside(&["report", "--output", &elsewhere]).exits(0);
        assert!(fs::read_to_string(elsewhere).unwrap().contains("at work"));
        world.run_beside(&["report", "--output", ".cache/kanban-codex-exec/report.html"]).exits(0);
        world.run_beside(&["report", "--format", "junit"]).exits(0).says("skipped message=\"at work: ");
    });
    outcome.exits(0).says("0 promoted, 1 bounced");
}

#[test]
fn what_cannot_be_read_is_told_as_everywhere() {
    let world = world();
    world.run(&["report", "--source", "none.md"]).exits(2).warns("none.md: no such board");
    world.write("transitions.yaml", "statuses: { In Progress: { onPas: Done } }\n");
    let refused = world.run(&["report", "--output", "report.html"]).exits(2);
    refused.warns("transitions.yaml:1").warns("onPas");
    assert!(!world.repo("report.html").exists());
}
