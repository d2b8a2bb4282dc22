//! The board is damaged while codex works: corrupt is not empty, and a missing board is not a drained one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use kanban_codex_exec::storage::sha256;

use crate::support::board::{cards, settled, with};
use crate::support::{World, wait_until};

const WORK: &str = "make made; [ $card$step != KB-1Implement ] || wait_for go";

#[test]
fn a_board_that_is_gone_or_no_board_any_more_is_told_and_once_it_is_back_nothing_is_done_twice() {
    let undisturbed = World::new(&cards(2)).codex("make made");
    undisturbed.run(&["run"]).exits(0);
    type Break = fn(&World);
    let cases: [(&str, Break, &str); 7] = [
        ("deleted", |world| fs::remove_file(world.repo("board.md")).unwrap(), "cannot read W/board.md"),
        ("empty", |world| world.write("board.md", ""), "W/board.md: no column heading: the file is empty"),
        ("of zeros", |world| world.write("board.md", [0; 300]), "W/board.md: no column heading"),
        ("no text", |world| world.write("board.md", b"## In Progress\n\n- [ ] \xff\n"), "W/board.md:3: not UTF-8 text"),
        ("another file", |world| world.write("board.md", "Dear diary,\n"), "W/board.md: no column heading"),
        (
            "a folder",
            |world| {
                fs::remove_file(world.repo("board.md")).unwrap();
                fs::create_dir(world.repo("board.md")).unwrap();
            },
            "cannot read W/board.md",
        ),
        (
            "a symlink to nothing",
            |world| {
                fs::remove_file(world.repo("board.md")).unwrap();
                symlink(world.path("nowhere.md"), world.repo("board.md")).unwrap();
            },
            "cannot read W/board.md",
        ),
    ];
    for (case, broken, words) in cases {
        let world = World::new(&cards(2)).codex(WORK);
        let board = world.board();
        world
            .run_while(&["run"], broken)
            .exits(1)
            .warns(&format!("error: {}", words.replace('W', world.repo("").to_str().unwrap().trim_end_matches('/'))))
            .says("0 promoted");
        world.run(&["run"]).exits(2).warns("error: ").warns("hint: ");
        fs::remove_dir(world.repo("board.md")).or_else(|_| fs::remove_file(world.repo("board.md"))).ok();
        world.write("board.md", &board);
        let outcome = world.run(&["run"]).exits(0);
        assert_eq!(settled(&world.board()), settled(&undisturbed.board()), "{case}: {outcome}");
        assert_eq!(world.executions().len(), 4, "{case}: {outcome}");
    }
}

/// As a run leaves it that is killed in the instant after it took out what somebody had just written.
#[test]
fn what_somebody_wrote_and_a_killed_run_took_out_is_told_and_kept() {
    let world = World::new(&cards(1)).codex("make made");
    let [name, new, old] = ["board.md", "new", "old"].map(|text| sha256(text.as_bytes())[..16].to_owned());
    let left = |rest: &str| format!(".kanban-codex-exec-{name}-Ab1{rest}");
    world.write(&left(""), "ne");
    world.write(&left(&format!("-swap-{new}-{old}")), "theirs");
    let told =
        format!("somebody else wrote the board too; what they wrote is in {}", world.repo(&left("-swap-")).display());
    world.run(&["run"]).exits(0).says(&told).says("compare it with the board, then remove it");
    assert!(!world.repo(&left("")).exists(), "our own bytes are nobody's");
    assert_eq!(world.read(&left(&format!("-swap-{new}-{old}"))), "theirs");
    assert_eq!(world.places(), ["KB-1: Done"]);
}

#[test]
fn a_watching_run_waits_for_the_board_to_come_back() {
    let world = World::new(&cards(1)).codex(WORK);
    let board = world.board();
    let running = world.start(&["run", "--watch"]);
    world.wait_for("waiting");
    world.write("board.md", "");
    fs::write(world.path("go"), "").unwrap();
    wait_until("the warning", || running.said().contains("the board can't be read, waiting"));
    world.write("board.md", board);
    wait_until("the end", || world.places() == ["KB-1: Done"]);
    let (away, again) = ("the board can't be read, waiting", "the board can be read again");
    let told = |text: &str, times| wait_until(text, || running.said().matches(text).count() == times);
    told(again, 1);
    let board = world.board();
    world.write("board.md", "");
    told(away, 2);
    world.write("board.md", board);
    told(again, 2);
    running.signal(rustix::process::Signal::TERM);
    running.outcome().exits(143);
    assert_eq!(world.executions().len(), 2);
}

#[test]
fn a_board_that_is_replaced_linked_or_made_read_only_is_worked_as_it_is() {
    let world = World::new(&cards(1)).codex(WORK);
    world
        .run_while(&["run"], |world| {
            fs::rename(world.repo("board.md"), world.path("real.md")).unwrap();
            symlink(world.path("real.md"), world.repo("board.md")).unwrap();
        })
        .exits(0);
    assert!(world.repo("board.md").is_symlink());
    assert_eq!(world.places(), ["KB-1: Done"]);

    let world = World::new(&cards(1)).codex(WORK);
    world
        .run_while(&["run"], |world| {
            fs::set_permissions(world.repo("board.md"), Permissions::from_mode(0o444)).unwrap();
        })
        .exits(0);
    assert_eq!(fs::metadata(world.repo("board.md")).unwrap().permissions().mode() & 0o777, 0o444);
    assert_eq!(world.places(), ["KB-1: Done"]);

    let world = World::new(&cards(1)).codex(WORK);
    let other = with("- [ ] KB-7 another board's card @made\n");
    world.run_while(&["run"], |world| world.write("board.md", &other)).exits(0).says("gone from the board");
    assert_eq!(world.places(), ["KB-7: Done"]);
}

#[test]
fn an_emptied_to_do_list_is_no_list_that_is_done() {
    let rules = "statuses: { Todo: { prompt: Implement., onPass: Done, evidence: changes } }\n";
    let list = "- [ ] KB-1 card @made\n- [ ] KB-2 card @made\n";
    let world = World::new("").with("TODO.md", list).with("transitions.yaml", rules).codex(WORK);
    fs::remove_file(world.repo("board.md")).unwrap();
    let outcome = world.run_while(&["run", "--next"], |world| world.write("TODO.md", ""));
    outcome.exits(1).warns("TODO.md: no items: the file is empty");
    world.write("TODO.md", list);
    world.run(&["run"]).exits(0);
    assert_eq!(world.read("TODO.md").matches("- [x]").count(), 2);
    assert_eq!(world.executions().len(), 2);
}
