//! What is kept of attempts, and that it stays within bounds.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::path::Path;

use crate::support::board::with;
use crate::support::{World, picture};

fn rules(work: &str) -> String {
    format!(
        "\
statuses:
  In Progress: {{ prompt: Implement., onPass: Done, maxAttempts: 2, evidence: [changes], onFailWork: {work} }}
"
    )
}

/// Each attempt makes a file of its own of 100 kB that nothing can compress.
fn world(cards: &str, work: &str) -> World {
    World::new(cards)
        .with("transitions.yaml", rules(work))
        .codex("head -c 100000 /dev/urandom >$(date +%s%N).bin; printf '%s' \"$prompt\" | head -c 100 >>made.log")
        .env("KANBAN_KEEP_ATTEMPTS", "3")
}

fn bytes(folder: &Path) -> usize {
    picture(folder).files().map(|(_, bytes)| bytes.len()).sum()
}

fn folders(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.cache("attempts")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn over_many_attempts_whose_work_is_taken_back_the_cache_stays_as_large_as_after_a_few() {
    let world = world("- [ ] KB-1 first @made\n", "revert");
    let mut sizes = Vec::new();
    for _ in 0..12 {
        world.run(&["run"]).exits(0);
        world.run(&["retry", "KB-1"]).exits(0);
        sizes.push((bytes(&world.cache("attempts")), bytes(&world.cache("git"))));
    }
    println!("attempts and git after each two of 24 attempts: {sizes:?}");
    assert_eq!(world.executions().len(), 24);
    // At most what two runs leave, that of this one and what was let go at its start.
    for (attempts, git) in &sizes {
        assert!(*attempts < 6 * 200_000 && *git < 6 * 150_000, "{sizes:?}");
    }
    world.run(&["run", "--max-cards", "1"]).exits(0);
    assert!(folders(&world).len() <= 5, "{:?}", folders(&world));
    let gone = world.run(&["replay", "KB-1.1"]).exits(2);
    gone.warns("what KB-1.1 did is no longer kept").warns("`keepAttempts`");
    world.run(&["replay", "KB-1.25"]).exits(0).says("differs   nothing");
    world.run(&["explain", "KB-1"]).exits(0).says("KB-1.26");
}

#[test]
fn what_stands_counts_however_many_attempts_came_after_it() {
    // Half of it is made by the first of nine attempts, the other half by the last.
    let world = World::new("- [ ] KB-1 first @made @checked\n")
        .with("transitions.yaml", rules("keep").replace("evidence", "require: 2, evidence"))
        .env("KANBAN_KEEP_ATTEMPTS", "1")
        .codex("n=$(cat \"$WORLD/n\" 2>/dev/null || echo 0); echo $((n+1)) >\"$WORLD/n\"; [ $n = 0 ] && make made; [ $n != 8 ] || make checked; echo $n >>other");
    for _ in 0..4 {
        world.run(&["run"]).exits(0);
        world.run(&["retry", "KB-1"]).exits(0);
    }
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.executions().len(), 9);
    assert_eq!(folders(&world), ["KB-1.9"]);
    world.run(&["replay", "KB-1.9"]).exits(0).says("ok  made: made/KB-1.txt:1").says("differs   nothing");
}

#[test]
fn a_card_that_is_gone_for_a_week_takes_its_attempts_with_it() {
    let world = world("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n", "keep");
    world.run(&["run"]).exits(0);
    let before = bytes(&world.cache("git"));
    world.write("board.md", with("- [ ] KB-2 second @made\n"));
    world.run(&["run"]).exits(0);
    assert!(world.cache("attempts/KB-1.1").exists());
    world.age(8 * 24);
    world.run(&["run", "--log-level", "debug"]).exits(0);
    let logs = picture(&world.cache("logs"));
    let logs: String = logs.files().map(|(path, _)| fs::read_to_string(path).unwrap()).collect();
    assert!(logs.contains("its folder is no longer kept attempt=KB-1.1"), "{logs}");
    assert!(folders(&world).iter().all(|name| name.starts_with("KB-2")), "{:?}", folders(&world));
    let after = bytes(&world.cache("git"));
    assert!(after < before, "{before} bytes with two cards, {after} with one");
    world.run(&["replay", "KB-2.2"]).exits(0).says("differs   nothing");
}

/// As a person's checkout of another branch takes it from the board, and what is written half.
#[test]
fn a_card_that_is_away_for_a_while_keeps_what_its_work_is_judged_by() {
    let world = World::new("- [ ] KB-1 first @made @checked\n")
        .with("transitions.yaml", rules("keep").replace("evidence", "require: 2, evidence"))
        .codex("if [ -e made ]; then make checked; else make made; fi");
    world.run(&["run", "--max-failures", "1"]).exits(3);
    let board = world.board();
    for hours in [1, 6 * 24, 2 * 24] {
        world.write("board.md", with(""));
        world.run(&["run"]).exits(0);
        world.age(hours);
        world.run(&["run"]).exits(0);
        world.write("board.md", &board);
        world.run(&["run", "--max-duration", "1ms"]).exits(3);
    }
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.executions().len(), 2);
}

/// As a kill leaves it between the record and what it announces.
#[test]
fn what_was_to_be_removed_is_removed_by_the_next_run() {
    let world = world("- [ ] KB-1 first @made\n", "revert");
    for _ in 0..3 {
        world.run(&["run"]).exits(0);
        world.run(&["retry", "KB-1"]).exits(0);
    }
    let before = picture(&world.cache(""));
    world.run(&["run"]).exits(0);
    let gone: Vec<_> = world.records("let_go").last().unwrap()["folders"].as_array().unwrap().clone();
    let folder = world.cache("attempts").join(gone[0].as_str().unwrap());
    assert!(!folder.exists() && before.files().any(|(path, _)| path.starts_with(&folder)));
    fs::create_dir(&folder).unwrap();
    let garbage = world.cache("git/objects/00/00000000000000000000000000000000000000");
    fs::create_dir_all(garbage.parent().unwrap()).unwrap();
    fs::write(&garbage, "torn").unwrap();
    world.run(&["run"]).exits(0);
    assert!(!folder.exists() && !garbage.exists());
}
