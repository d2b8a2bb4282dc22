//! A journal that a crash or a disk damaged.

use std::fs;

use crate::support::World;
use crate::support::board::{cards, with};

#[test]
fn a_torn_last_line_is_dropped_and_not_built_upon() {
    let world = World::new(&cards(1));
    world.run(&["run"]).exits(0);
    let path = world.cache("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in [last + 1, whole.len() - 40, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        world.run(&["run"]).exits(0);
        assert!(world.journal().len() > 5);
        assert_eq!(world.executions().len(), 2);
    }
}

#[test]
fn a_damaged_line_is_told_with_its_number_and_the_rest_is_used() {
    let mut world = World::new(&cards(1));
    world.run(&["run"]).exits(0);
    let path = world.cache("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"v\":1,\"at\":\"2026-\u{fffd}";
    fs::write(&path, format!("{}\n", lines.join("\n"))).unwrap();
    let looks = "status|history|explain KB-1|logs KB-1|logs KB-1 --follow|print-plan|dry-run|replay KB-1.1|report|\
        report --format junit|accept|retry KB-1";
    let warning = "warning: .cache/kanban-codex-exec/journal.jsonl: lines [2] are damaged; the rest is used\n";
    for format in ["json", "human"] {
        world = world.env("KANBAN_FORMAT", format);
        for look in looks.split('|') {
            let told = world.run(&look.split(' ').collect::<Vec<_>>());
            assert_eq!(told.stderr, warning, "{look} as {format}");
            assert!(!told.stdout.contains(warning), "{look} as {format}");
        }
    }
    world.write("board.md", with(&cards(2)));
    world.run(&["run"]).exits(0).says("journal lines [2] are damaged").says("KB-2 card @made: In Progress → Review");
}

#[test]
fn without_the_journal_the_board_alone_is_enough() {
    let world = World::new(&cards(2));
    world.run(&["run", "--max-cards", "1"]).exits(3);
    fs::remove_dir_all(world.cache("")).unwrap();
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done", "KB-2: Done"]);
    assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Review", "KB-2 Implement", "KB-2 Review"]);
}

#[test]
fn a_journal_of_the_first_program_is_gone_on_with() {
    let world = World::new("- [ ] KB-2 second @made\n").codex("make made");
    world.edit("board.md", "## Review\n", "## Review\n\n- [ ] KB-1 first @made\n");
    fs::create_dir_all(world.cache("")).unwrap();
    let journal = include_str!("../../../src/journal/first.jsonl");
    fs::write(world.cache("journal.jsonl"), journal).unwrap();
    let outcome = world.run(&["run"]).exits(0);
    assert!(world.places().iter().all(|place| place.ends_with(": Done")), "{outcome}");
    let names: Vec<_> = world.records("attempt_started").into_iter().map(|record| record["attempt"].clone()).collect();
    assert_eq!(names, ["KB-1.1", "KB-1.2", "KB-2.1", "KB-2.2", "KB-1.3", "KB-2.3"], "what was done is not done again");
    assert!(fs::read_to_string(world.cache("journal.jsonl")).unwrap().starts_with(journal));
}

#[test]
fn a_journal_of_a_newer_program_is_refused() {
    let world = World::new(&cards(1));
    fs::create_dir_all(world.cache("")).unwrap();
    fs::write(world.cache("journal.jsonl"), "{\"v\":99,\"at\":\"2030-01-01T00:00:00Z\",\"event\":\"dreamt\"}\n")
        .unwrap();
    world.run(&["run"]).exits(2).warns("newer kanban-codex-exec");
    assert_eq!(world.executions(), [] as [String; 0]);
}
