//! Disks that are full, or that nobody can write on: told with what to do. Once they are mended all goes on where it was,
//! and nothing is executed twice.

use std::fs;

use crate::support::board::{cards, places};
use crate::support::mount::Mount;
use crate::support::{Outcome, World};

const TWICE: [&str; 4] = ["KB-1 Implement", "KB-1 Review", "KB-2 Implement", "KB-2 Review"];

fn told(outcome: Outcome, what: &str) {
    outcome.exits(1).warns("error: ").warns(what).warns("hint: ");
}

/// Another run does what is left, and no more.
fn goes_on(world: &World, case: &str) {
    let outcome = world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done", "KB-2: Done"], "{case}: {outcome}");
    let mut executions = world.executions();
    executions.sort_unstable();
    assert_eq!(executions, TWICE, "{case}: {outcome}");
}

fn nothing_bounced(world: &World, case: &str) {
    assert!(!world.places().iter().any(|place| place.ends_with("Needs Specs")), "{case}: {}", world.board());
}

#[test]
fn a_full_cache_dir_is_no_cards_fault_and_starts_no_codex() {
    // KiB left: from none to what the first attempt takes, which is kept free for it.
    for left in [0, 4, 12, 24, 64, 128, 1024, 16384] {
        let world = World::new(&cards(2));
        let Some(disk) = Mount::small(&world.cache(""), 24 << 10) else { return };
        disk.fill(left);
        let board = world.board();
        told(world.run(&["run"]), "hint: free some space on that disk and run again");
        assert_eq!((world.board(), world.executions().len()), (board, 0), "{left} KiB left");
        disk.free();
        goes_on(&world, &format!("{left} KiB left"));
    }
}

#[test]
fn what_codex_did_is_kept_also_where_it_filled_the_disk() {
    let fills = "cat /dev/zero >.cache/kanban-codex-exec/filler 2>/dev/null";
    let world = World::new(&cards(2)).codex(&format!("make made; [ $card$step != KB-2Implement ] || {fills}"));
    let Some(disk) = Mount::small(&world.cache(""), 24 << 10) else { return };
    told(world.run(&["run"]).says("KB-2 card @made: In Progress → Review"), "hint: free some space on that disk");
    assert_eq!(world.places(), ["KB-1: Review", "KB-2: Review"]);
    disk.free();
    goes_on(&world, "filled by codex");
}

#[test]
fn where_the_tree_after_codex_cannot_be_taken_the_card_waits_for_a_later_run() {
    let large = "head -c 30000000 /dev/urandom >made/$card.bin";
    let world = World::new(&cards(2)).codex(&format!("make made; [ $card$step != KB-2Implement ] || {large}"));
    let Some(disk) = Mount::small(&world.cache(""), 24 << 10) else { return };
    for _ in 0..2 {
        told(world.run(&["run"]), "hint: free some space on that disk");
        nothing_bounced(&world, "too large a tree");
        assert_eq!(world.executions(), ["KB-1 Implement", "KB-2 Implement"]);
    }
    disk.grow(256 << 10);
    goes_on(&world, "too large a tree");
}

/// A board on a file system of its own.
fn on_a_desk(cards: &str) -> World {
    let world = World::new(cards).env("KANBAN_SOURCE", "desk/board.md");
    let world = world.env("TESTS_FILE", "tests.txt").env("TRANSITIONS_FILE", "transitions.yaml");
    let board = world.board();
    fs::remove_file(world.repo("board.md")).unwrap();
    world.with("desk/board.md", board)
}

fn desk(world: &World) -> String {
    world.read("desk/board.md")
}

#[test]
fn a_board_that_cannot_be_written_is_told_and_stays_as_it_is() {
    type Break = fn(&World) -> Option<Mount>;
    let full: Break = |world| {
        let board = desk(world);
        let disk = Mount::small(&world.repo("desk"), 256)?;
        world.write("desk/board.md", board);
        disk.fill(0);
        Some(disk)
    };
    let read_only: Break = |world| Mount::read_only(&world.repo("desk"));
    for (broken, words) in [(full, "hint: free some space on that disk"), (read_only, "hint: mount it for writing")] {
        let world = on_a_desk(&cards(2));
        let Some(disk) = broken(&world) else { return };
        let board = desk(&world);
        for _ in 0..2 {
            told(world.run(&["run"]), words);
            // What was finished is not done again.
            assert_eq!(
                (desk(&world), world.executions()),
                (board.clone(), vec!["KB-1 Implement".to_owned()]),
                "{words}"
            );
        }
        disk.free();
        disk.remount("rw");
        world.run(&["run"]).exits(0);
        assert_eq!(places(&desk(&world)), ["KB-1: Done", "KB-2: Done"], "{words}");
        assert_eq!(world.executions().len(), 4, "{words}");
    }
}

#[test]
fn a_board_that_becomes_read_only_while_codex_works_is_written_by_a_later_run() {
    let world = on_a_desk(&cards(1)).codex("make made; wait_for go");
    let Some(disk) = Mount::read_only(&world.repo("desk")) else { return };
    disk.remount("rw");
    told(world.run_while(&["run"], |_| disk.remount("ro")), "hint: mount it for writing");
    disk.remount("rw");
    world.run(&["run"]).exits(0);
    assert_eq!((places(&desk(&world)), world.executions().len()), (vec!["KB-1: Done".to_owned()], 2));
}

#[test]
fn a_cache_dir_that_cannot_be_written_is_told_and_nothing_is_started() {
    let world = World::new(&cards(2));
    fs::create_dir_all(world.cache("")).unwrap();
    let Some(disk) = Mount::read_only(&world.cache("")) else { return };
    let board = world.board();
    told(world.run(&["run"]), "CACHE_DIR");
    assert_eq!((world.board(), world.executions().len()), (board, 0));
    disk.remount("rw");
    goes_on(&world, "read-only");
}
