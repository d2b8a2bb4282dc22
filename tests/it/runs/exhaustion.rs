//! Attempts are bounded, whoever sends the card where: other columns, restarts, codex itself.

use rustix::process::Signal;

use crate::support::board::note;
use crate::support::{World, wait_until};

/// Two columns that send a card to each other.
fn ping_pong(first: &str, second: &str) -> String {
    format!(
        "statuses:\n  In Progress: {{ prompt: Implement., evidence: changes, maxAttempts: 2, {first} }}\n  \
         Review: {{ prompt: Review., evidence: changes, maxAttempts: 2, {second} }}\n"
    )
}

const STAYS: &str = "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 3, onExhausted: Blocked, evidence: changes } }\n";

/// Appends a line to the card's text.
const WRITES: &str = "sed -i \"s/^- \\[ \\] $card .*/&\\n\\tnote $$/\" board.md";

#[test]
fn columns_that_send_a_card_to_each_other_spend_their_limits_and_no_more() {
    for (first, second, place) in [
        ("onFail: Review", "onFail: In Progress", "In Progress"),
        ("onFail: Review, onExhausted: Blocked", "onFail: In Progress, onExhausted: Blocked", "Blocked"),
        ("onFail: Review, onExhausted: Review", "onFail: In Progress, onExhausted: In Progress", "In Progress"),
    ] {
        let world = World::new("- [ ] KB-1 first @made\n")
            .with("transitions.yaml", ping_pong(first, second))
            .codex("make other");
        // Each run stops in the middle.
        for _ in 0..6 {
            world.run(&["run", "--max-failures", "1"]);
        }
        world.run(&["run"]).exits(0);
        let executed = world.executions();
        assert!(executed.len() <= 4, "{first}: {executed:?}");
        assert_eq!(world.places(), [format!("KB-1: {place}")], "{first}: {executed:?}");
        assert!(note(&world.board(), "KB-1").contains("attempt 2 of 2"), "{}", world.board());
        world.run(&["run"]).exits(0).says("0 bounced");
        assert_eq!(world.executions(), executed, "{first}");
    }
}

#[test]
fn a_card_that_comes_to_a_column_where_its_attempts_are_used_up_says_so() {
    let rules = ping_pong("onPass: Review, require: 1", "onPass: Done, onFail: In Progress, require: 2");
    let world = World::new("- [ ] KB-1 first @made @checked\n").with("transitions.yaml", rules);
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Review"]);
    let board = world.board();
    let told = note(&board, "KB-1");
    for part in ["exhausted in Review", "2 of 2 attempts failed", "`retry KB-1`", "checked: "] {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    world.run(&["run"]).exits(0).says("2 of 2 attempts failed");
    assert_eq!(world.board(), board, "it is said once");
}

#[test]
fn watching_refills_nothing_until_a_person_edits_moves_or_retries() {
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", STAYS).codex("make other");
    let running = world.start(&["run", "--watch"]);
    let rests = |world: &World, executed| {
        wait_until("the card's rest", || world.places() == ["KB-1: Blocked"]);
        // Many polls long.
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(world.executions().len(), executed);
    };
    rests(&world, 3);
    let back = |world: &World, from: &str, to: &str| {
        let board = world.board().replace(from, to);
        let board = board.replace("## Blocked", "## X").replace("## In Progress", "## Blocked");
        world.write("board.md", board.replace("## X", "## In Progress"));
    };
    back(&world, "", "");
    rests(&world, 6);
    back(&world, "KB-1 first", "KB-1 first and best");
    rests(&world, 9);
    running.signal(Signal::TERM);
    running.outcome().exits(143);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 9);
}

#[test]
fn codex_that_writes_on_its_card_each_time_uses_its_attempts_up() {
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", STAYS).codex(WRITES);
    world.run(&["run", "--max-cards", "1", "--max-failures", "9"]).exits(0).says("edited meanwhile");
    assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: Blocked".to_owned()], 3), "{}", world.board());
    let numbers: Vec<_> = world.records("attempt_started").iter().map(|record| record["number"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3].map(Some));
    assert!(note(&world.board(), "KB-1").contains("3 of 3 attempts failed"), "{}", world.board());
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 3);
    // The person's own edit is other work.
    world.run(&["retry", "KB-1"]).exits(0);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 3, "it stays where it was sent");
}

#[test]
fn what_failed_before_counts_for_the_text_that_codex_wrote() {
    let once = format!("make other; [ -e \"$WORLD/wrote\" ] || {{ : >\"$WORLD/wrote\"; {WRITES}; }}");
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", STAYS).codex("make other");
    world.run(&["run", "--max-failures", "1"]).exits(3);
    let world = world.codex(&once);
    world.run(&["run"]).exits(0);
    assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: Blocked".to_owned()], 3));
}

#[test]
fn a_card_that_codex_moves_past_a_gate_waits_there() {
    let world = World::new("- [ ] KB-1 first @made\n")
        .with("transitions.yaml", ping_pong("onFail: Blocked", "onFail: Blocked"))
        .codex("move $card Review");
    for _ in 0..3 {
        world.run(&["run"]).exits(0).says("it came here while an attempt at it ran: move it again or `retry KB-1`");
        assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: Review".to_owned()], 1));
    }
    world.run(&["print-plan"]).exits(0).says("it came here while an attempt at it ran");
    world.run(&["explain", "KB-1"]).exits(0).says("it came here while an attempt at it ran");
    // What a person says holds: there it is worked.
    let world = world.codex("make other");
    world.run(&["retry", "KB-1"]).exits(0);
    world.run(&["run", "--max-cards", "1"]).exits(0);
    assert_eq!(world.executions().len(), 2);
}

#[test]
fn codex_that_names_an_easy_test_on_its_card_is_not_promoted_by_it() {
    let tests = format!("{}@easy Nothing much :: includes[*]:easy\n", crate::support::TESTS);
    let eases = "echo easy >easy.txt; sed -i \"s/^- \\[ \\] $card first @made.*/- [ ] $card first @easy/\" board.md";
    let world = World::new("- [ ] KB-1 first @made\n").with("tests.txt", tests).codex(eases);
    for _ in 0..2 {
        world.run(&["run"]).exits(0).says("other tests belong to it now").says("0 promoted");
        assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: In Progress".to_owned()], 1));
    }
    let told = note(&world.board(), "KB-1");
    for part in ["failed in In Progress, attempt 1 of 3", "other tests belong to it now", "`retry KB-1`"] {
        assert!(told.contains(part), "{part:?} is not in {told:?}");
    }
    world.run(&["print-plan"]).exits(0).says("other tests belong to it now");
    // What a person says holds.
    let world = world.codex("echo easy >>easy.txt");
    world.edit("board.md", "KB-1 first @easy", "KB-1 first and @easy");
    world.run(&["run"]).exits(0).says("2 promoted");
    assert_eq!(world.places(), ["KB-1: Done"]);
}

#[test]
fn naming_an_easy_test_and_moving_on_is_no_way_either() {
    let tests = format!("{}@easy Nothing much :: includes[*]:easy\n", crate::support::TESTS);
    let sly = "echo easy >easy.txt; sed -i \"s/first @made/first @easy/\" board.md; move $card Review";
    let world = World::new("- [ ] KB-1 first @made\n").with("tests.txt", tests).codex(sly);
    for _ in 0..2 {
        world.run(&["run"]).exits(0).says("other tests belong to it now").says("0 promoted");
        assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: Review".to_owned()], 1));
    }
    world.run(&["retry", "KB-1"]).exits(0);
    world.codex("echo easy >>easy.txt").run(&["run"]).exits(0).says("1 promoted");
}

#[test]
fn a_codex_that_puts_the_board_back_with_each_attempt_is_not_paid_for_ever() {
    for work in ["make made", "if [ $card = KB-2 ]; then make made; else say no; fi"] {
        let reset = format!("git checkout -q -- board.md; rm -rf made; {work}");
        let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n").codex(&reset);
        world.commit_with_origin();
        world.run(&["run", "--max-cards", "60"]).exits(0);
        let attempts = world.records("attempt_started").len();
        assert!(attempts < 30, "{attempts} attempts");
    }
}
