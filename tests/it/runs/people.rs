//! People edit the board while codex works: what they do is respected and kept.

use crate::support::board::{note, without_state};
use crate::support::{RULES, World};

/// Works, then waits: the test acts meanwhile.
const WAITS: &str = "make made; wait_for go";

#[test]
fn a_card_that_a_person_moves_meanwhile_stays_where_they_put_it() {
    let world = World::new("- [ ] KB-1 first @made\n").codex(WAITS);
    let outcome = world.run_while(&["run"], |world| {
        world.edit("board.md", "\n- [ ] KB-1 first @made\n", "");
        world.edit("board.md", "## Backlog\n", "## Backlog\n\n- [ ] KB-1 first @made\n");
    });
    outcome.exits(0).says("respected").says("0 promoted");
    assert_eq!(world.places(), ["KB-1: Backlog"]);
    assert_eq!(note(&world.board(), "KB-1"), "");
}

#[test]
fn a_card_that_a_person_deletes_meanwhile_stays_deleted() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n").codex(WAITS);
    let outcome = world.run_while(&["run"], |world| world.edit("board.md", "- [ ] KB-1 first @made\n", ""));
    outcome.exits(0).says("gone from the board");
    assert_eq!(world.places(), ["KB-2: Done"]);
}

/// As by a checkout of another branch and back, or an editor that writes in pieces.
#[test]
fn a_card_that_is_away_when_it_is_to_be_judged_is_judged_when_it_is_back_and_not_paid_for_again() {
    let rules = RULES.replace("onFail: Needs Specs", "onFail: Needs Specs\n    onFailWork: revert");
    for (work, found, place, stands) in [
        ("make made", "made for KB-1\n", "Done", "made for KB-1\nmade for KB-1\n"),
        ("make other", "other for KB-1\n", "Needs Specs", "-"),
    ] {
        let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", &rules);
        let world = world.codex(&format!("{work}; [ $step = Review ] || wait_for go"));
        let board = world.board();
        let outcome = world.run_while(&["run"], |world| world.edit("board.md", "- [ ] KB-1 first @made\n", ""));
        outcome.exits(0).says("gone from the board: its work stays, and is judged when it is back");
        assert_eq!(world.read("made/KB-1.txt"), found);
        let world = world.with("board.md", board);
        world.run(&["print-plan"]).exits(0).says("the board lacked it when attempt KB-1.1 was to be judged");
        let outcome = world.run(&["run"]).exits(0).says("it is on the board again: the gate is run again");
        assert_eq!(world.places(), [format!("KB-1: {place}")], "{outcome}");
        assert_eq!(world.executions().iter().filter(|step| *step == "KB-1 Implement").count(), 1, "{outcome}");
        let stands_now = std::fs::read_to_string(world.repo("made/KB-1.txt")).unwrap_or("-".to_owned());
        assert_eq!(stands_now, stands, "{outcome}");
    }
}

/// By whoever looked at it.
#[test]
fn a_card_that_was_away_is_worked_anew_where_a_person_asks_for_that() {
    let world = World::new("- [ ] KB-1 first @made\n").codex(WAITS);
    let board = world.board();
    world.run_while(&["run"], |world| world.edit("board.md", "- [ ] KB-1 first @made\n", "")).exits(0);
    let world = world.with("board.md", board);
    world.run(&["retry", "KB-1"]).exits(0);
    world.run(&["run"]).exits(0).says("2 promoted");
    assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Implement", "KB-1 Review"]);
}

#[test]
fn a_card_that_a_person_edits_meanwhile_is_worked_anew_as_it_reads_now() {
    let world = World::new("- [ ] KB-1 first @made\n").codex(WAITS);
    let outcome = world.run_while(&["run"], |world| {
        world.edit("board.md", "KB-1 first @made\n", "KB-1 first @made\n\tand in green\n");
    });
    outcome.exits(0).says("edited meanwhile");
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Implement", "KB-1 Review"]);
    assert!(world.prompt("KB-1.2").contains("KB-1 first @made\nand in green"), "{}", world.prompt("KB-1.2"));
}

/// A gate or a hook of minutes is as long for people as the work itself.
#[test]
fn a_card_that_a_person_edits_in_the_gate_or_in_the_hook_is_worked_anew_as_it_reads_now() {
    let waits =
        "#!/bin/sh\n[ -e ../waiting ] && exit $1\ntouch ../waiting\nuntil [ -e ../go ]; do sleep 0.02; done\nexit $1\n";
    let rule = |more: &str| {
        format!(
            "statuses: {{ In Progress: {{ prompt: Go., onPass: Done, maxAttempts: 2, evidence: changes{more} }} }}\n"
        )
    };
    let hook = |code: &str| rule(&format!(", beforeTransition: {{ shell: ./wait.sh {code} }}"));
    let test = |code: &str| format!("{}@wait #always waits :: shell:./wait.sh {code}\n", crate::support::TESTS);
    // What the gate or the hook says is of no matter, as the card is another.
    for (rules, tests, column) in [
        (rule(""), test("0"), "Done"),
        (rule(""), test("1"), "In Progress"),
        (hook("0"), crate::support::TESTS.to_owned(), "Done"),
        (hook("1"), crate::support::TESTS.to_owned(), "In Progress"),
    ] {
        let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", &rules).with("tests.txt", &tests);
        let world = world.program("wait.sh", waits).env("ALLOW_SHELL_TESTS", "true");
        let world = world.env("SHELL_TEST_ALLOWLIST", "./wait.sh");
        let outcome = world.run_while(&["run"], |world| {
            world.edit("board.md", "KB-1 first @made", "KB-1 first @made\n\tand in green");
        });
        let outcome = outcome.exits(0).says("the card was edited meanwhile: it is worked anew");
        assert_eq!(world.executions().len(), 2, "{rules}{tests}{outcome}");
        assert!(world.prompt("KB-1.2").contains("and in green"), "{rules}{tests}");
        assert_eq!(world.places(), [format!("KB-1: {column}")], "{rules}{tests}");
        let settled = [world.records("transitioned"), world.records("vetoed")].concat();
        assert!(settled.iter().all(|record| record["attempt"] != "KB-1.1"), "{rules}{tests}{settled:?}");
    }
}

#[test]
fn what_a_person_does_to_a_card_in_the_hook_of_its_last_attempt_is_told() {
    let rule = "prompt: Go., onPass: Done, onExhausted: Blocked, maxAttempts: 1, evidence: changes, beforeTransition: { shell: ./wait.sh }";
    let edit = |world: &World| world.edit("board.md", "KB-1 first @made", "KB-1 first @made\n\tand in green");
    let remove = |world: &World| world.edit("board.md", "- [ ] KB-1 first @made\n", "");
    let park = |world: &World| {
        remove(world);
        world.edit("board.md", "## Backlog\n", "## Backlog\n\n- [ ] KB-1 first @made\n");
    };
    for (act, told, place) in [
        (
            &park as &dyn Fn(&World),
            "the card was moved meanwhile, after beforeTransition had said yes",
            "KB-1: Backlog",
        ),
        (&remove, "the card is gone from the board, after beforeTransition had said yes", ""),
        (&edit, "the card was edited meanwhile: no attempts are left", "KB-1: Blocked"),
    ] {
        let world = World::new("- [ ] KB-1 first @made\n")
            .with("transitions.yaml", format!("statuses: {{ In Progress: {{ {rule} }} }}\n"))
            .program("wait.sh", "#!/bin/sh\ntouch ../waiting\nuntil [ -e ../go ]; do sleep 0.02; done\n");
        let outcome = world.run_while(&["run"], act).exits(0).says(told);
        assert_eq!((world.executions().len(), world.places().concat()), (1, place.to_owned()));
        if told.contains("edited") {
            outcome.says("1 of 1 attempts failed, 1 by an edit or a move meanwhile; edit the card or `retry KB-1`");
        }
    }
}

#[test]
fn what_a_person_writes_elsewhere_on_the_board_meanwhile_survives_byte_for_byte() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-9 parked for good\n").codex(WAITS);
    let edited = "- [ ] KB-9 parked,\u{a0}perhaps  \n\t1) naïve  \n\t   * 日本語 <!-- kept -->\n";
    world.run_while(&["run", "--max-cards", "1"], |world| {
        world.edit("board.md", "- [ ] KB-9 parked for good\n", edited);
        world.edit("board.md", "## Done\n", "## Done\n\n- [x] an old one   \n\n> a quote\n");
    });
    assert_eq!(world.places()[..], ["KB-9: Needs Specs", "KB-1: Done"]);
    let board = without_state(&world.board());
    for kept in [edited, "- [x] an old one   \n", "> a quote\n"] {
        assert!(board.contains(kept), "{kept:?} is not in {board}");
    }
}

#[test]
fn where_a_target_is_gone_from_the_board_no_further_card_is_paid_for() {
    let rule = "prompt: Implement., onPass: Done, onFail: Needs Specs, onExhausted: Blocked, evidence: changes";
    for (gone, promoted, told) in [
        ("Done", 0, ", 1 vetoed; nothing left to do"),
        ("Needs Specs", 1, ", 0 skipped; nothing left to do"),
        ("Blocked", 1, ", 0 skipped; nothing left to do"),
    ] {
        let world =
            World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n- [ ] KB-3 third @made\n").codex(WAITS);
        world.write("transitions.yaml", format!("statuses: {{ In Progress: {{ {rule} }} }}\n"));
        let (heading, renamed) = (format!("## {gone}\n"), format!("## {gone}, really\n"));
        let outcome = world.run_while(&["run", "--fail-on-bounce"], |world| world.edit("board.md", &heading, &renamed));
        let outcome = outcome.exits(if promoted == 0 { 5 } else { 0 });
        let why =
            format!("the rule of `In Progress` names the column `{gone}`, which the board does not have any more");
        let outcome = outcome.says(&format!("{promoted} promoted, 0 bounced")).says(told);
        let outcome = outcome.says(&format!("skipped   KB-2 second @made [In Progress]: {why}\n"));
        let warning = format!("warning   {why}: no attempt begins there\n");
        assert_eq!(outcome.stdout.matches(&warning).count(), 1, "{outcome}");
        assert_eq!(world.executions(), ["KB-1 Implement."], "{gone}");
        world.edit("board.md", &renamed, &heading);
        world.run(&["run"]).exits(0).says(&format!("{} promoted", 3 - promoted));
        assert_eq!(world.executions(), ["KB-1 Implement.", "KB-2 Implement.", "KB-3 Implement."], "{gone}");
    }
}

#[test]
fn a_target_that_is_made_on_first_use_may_be_gone() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n").codex(WAITS);
    world.write("transitions.yaml", format!("{}createColumns: true\n", crate::support::RULES));
    let outcome = world.run_while(&["run"], |world| world.edit("board.md", "## Done\n", "## Shipped\n"));
    outcome.exits(0).says("4 promoted");
    assert_eq!(world.places(), ["KB-1: Done", "KB-2: Done"]);
}

#[test]
fn a_person_who_moves_an_exhausted_card_back_gives_it_new_attempts() {
    let rules = "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 2, onExhausted: Blocked, evidence: changes } }\n";
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules).codex("make other");
    world.run(&["run"]).exits(0);
    assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: Blocked".to_owned()], 2));
    let board = world.board();
    world.write(
        "board.md",
        board.replace("## Blocked", "## X").replace("## In Progress", "## Blocked").replace("## X", "## In Progress"),
    );
    assert_eq!(world.places(), ["KB-1: In Progress"]);
    world.run(&["run"]).exits(0).says("somebody moved it Blocked → In Progress");
    assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: Blocked".to_owned()], 4));
    let numbers: Vec<_> = world.records("attempt_started").iter().map(|record| record["number"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 1, 2].map(Some));
}

#[test]
fn what_a_person_edits_on_a_card_starts_its_attempts_anew() {
    let rules = "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 1, evidence: changes } }\n";
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules).codex("make other");
    world.run(&["run"]).exits(0);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 1);
    world.edit("board.md", "KB-1 first @made", "KB-1 first, but better @made");
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 2);
}

/// The work is taken away, and the card brought back: later columns judge the new work anew, and codex is asked there again
/// only where what it said of the old one was the proof.
#[test]
fn a_card_that_is_worked_anew_goes_its_whole_way_again() {
    let tests = format!("{}@approved Somebody approves :: includes[message]:approved\n", crate::support::TESTS);
    let approves = "case $step in Review) word=approved ;; *) make made; word=made ;; esac\nsay $word\ncomplete\n";
    for (review, reviews) in [("[changes], require: 1", 1), ("[changes, message], require: 2", 2)] {
        let rules = format!(
            "statuses:\n  In Progress: {{ prompt: Implement the card., onPass: Review, evidence: [changes] }}\n  \
             Review: {{ prompt: Review the card., onPass: Done, evidence: {review} }}\n"
        );
        let world = World::new("- [ ] KB-1 first @made @approved\n")
            .with("transitions.yaml", rules)
            .with("tests.txt", &tests)
            .codex(&format!("raw\nbegin\n{approves}"));
        world.run(&["run"]).exits(0);
        assert_eq!(world.places(), ["KB-1: Done"], "{}", world.board());
        let board = world.board();
        std::fs::remove_file(world.repo("made/KB-1.txt")).unwrap();
        let swapped =
            board.replace("## Done", "## X").replace("## In Progress", "## Done").replace("## X", "## In Progress");
        world.write("board.md", swapped);
        assert_eq!(world.places(), ["KB-1: In Progress"]);
        world.run(&["run"]).exits(0).says("2 promoted");
        assert_eq!(world.places(), ["KB-1: Done"], "{}", world.board());
        let of = |column: &str| world.executions().iter().filter(|start| start.ends_with(column)).count();
        assert_eq!((of("Implement"), of("Review")), (2, reviews), "{review}");
    }
}

/// A card that is written anew with the same words, or a board that was put back: that can't be told apart, so nothing is
/// done twice, and the reason says what counts and what helps.
#[test]
fn a_card_written_anew_says_that_an_earlier_ones_pass_counts() {
    let rules = "statuses: { In Progress: { prompt: Implement the card., onPass: Done, evidence: changes } }\n";
    let board = crate::support::board::with("- [ ] Make KB-1 @made\n");
    let world = World::new("").with("transitions.yaml", rules).with("board.md", &board);
    world.run(&["run"]).exits(0).says("1 promoted");
    let stamped = world.board();
    let told = "when its text stood on the board before";
    for (board, anew) in
        [(&board, true), (&stamped.replace("## Done", "## X").replace("## In Progress", "## Done"), false)]
    {
        world.write("board.md", board.replace("## X", "## In Progress"));
        let outcome = world.run(&["run"]).exits(0).says("[In Progress]: passed in attempt kb-");
        assert_eq!(outcome.stdout.contains(told), anew, "{outcome}");
        let status = world.run(&["status"]).exits(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(status.contains(told), anew, "{status}");
        assert_eq!(world.executions().len(), 1, "nothing is done twice");
    }
    world.run(&["retry", "Make KB-1 @made"]).exits(0);
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.executions().len(), 2);
}

/// What one changes would be taken for the other's work, and taken back with it.
#[test]
fn no_run_begins_in_a_folder_of_another_ones_workspace_unless_git_ignores_it_there() {
    let (whole, inner) = (&["run"][..], &["run", "--source", "desk/board.md", "--workspace", "desk"][..]);
    for (ignores, first, second, code) in [("", whole, inner, 1), ("", inner, whole, 1), ("/desk\n", whole, inner, 0)] {
        let world = World::new("- [ ] KB-1 card @made\n").with(".gitignore", ignores);
        let world = world.codex("[ -e \"$WORLD/waiting\" ] || wait_for go; make made");
        for file in ["board.md", "tests.txt", "transitions.yaml"] {
            world.write(&format!("desk/{file}"), world.read(file).replace("KB-1", "KB-2"));
        }
        let running = world.start(first);
        world.wait_for("waiting");
        let beside = world.run_beside(second).exits(code);
        if code == 1 {
            beside.warns("another run holds the workspace ").warns(
                "hint: one runner a board and a workspace, and none in a folder of another's: stop that one first",
            );
        }
        std::fs::write(world.path("go"), "").unwrap();
        running.outcome().exits(0).says("2 promoted");
    }
}
