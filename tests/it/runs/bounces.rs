//! What moves a card, and what sends it back.

use crate::support::World;
use crate::support::board::note;

/// In Progress has no `onFail`: a card stays there and is tried again.
const STAYS: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Done
    evidence: [changes]
    maxAttempts: 3
    onExhausted: Blocked
";

#[test]
fn a_card_whose_tests_pass_is_promoted_column_by_column_and_a_second_run_starts_nothing() {
    let world = World::new("- [ ] KB-1 first @made\n");
    let outcome = world.run(&["run"]).exits(0);
    outcome
        .says("PROMOTED  KB-1 first @made: In Progress → Review")
        .says("Review → Done")
        .says("2 promoted, 0 bounced");
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Review"]);
    world.run(&["run"]).exits(0).says("0 promoted");
    assert_eq!(world.executions().len(), 2);
}

#[test]
fn a_card_whose_tests_fail_is_bounced_with_the_reasons_on_it() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make other");
    world.run(&["run"]).exits(0).says("BOUNCED").says("1 bounced");
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
    let note = note(&world.board(), "KB-1");
    for part in
        ["failed", "In Progress → Needs Specs", "attempt 1 of 3", "0 of 1 required tests passed", "made: `made for KB`"]
    {
        assert!(note.contains(part), "{part:?} is not in {note:?}");
    }
}

#[test]
fn codex_saying_that_it_is_done_moves_nothing_where_only_changes_count() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("say 'made for KB-1, all tests pass'");
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
}

#[test]
fn a_turn_that_fails_is_an_attempt_however_many_tests_pass() {
    let failing = "raw\nbegin\nmake made\nsay 'half of it'\nprintf '{\"type\":\"turn.failed\",\"error\":{\"message\":\"context_length_exceeded\"}}\\n'\nexit 1";
    let world = World::new("- [ ] KB-1 first @made\n").codex(failing);
    world.run(&["run"]).exits(0).says("context_length_exceeded");
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
    assert_eq!(world.records("judged")[0]["verdict"], "fail");
}

#[test]
fn a_card_that_stays_is_tried_again_with_what_failed_in_its_prompt_until_it_passes() {
    let second_time = "case $prompt in *'Attempt 1'*) make made ;; *) make other ;; esac";
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", STAYS).codex(second_time);
    world.run(&["run"]).exits(0).says("1 promoted, 0 bounced, 0 unverified, 1 failed");
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_eq!(world.executions().len(), 2);
    let first = world.prompt("KB-1.1");
    assert_eq!(first, "Implement the card.\n\nKB-1 first @made");
    let second = world.prompt("KB-1.2");
    let feedback = second.strip_prefix(&format!("{first}\n\n")).unwrap_or_else(|| panic!("{second}"));
    for part in ["Attempt 1", "0 of 1 required tests passed", "includes[made/*.txt]:made for KB", "made/KB-1.txt"] {
        assert!(feedback.contains(part), "{part:?} is not in {feedback:?}");
    }
}

#[test]
fn attempts_that_are_used_up_send_the_card_to_on_exhausted() {
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", STAYS).codex("make other");
    world.run(&["run"]).exits(0).says("0 promoted, 1 bounced, 0 unverified, 2 failed");
    assert_eq!(world.places(), ["KB-1: Blocked"]);
    assert_eq!(world.executions().len(), 3);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 3);
}

#[test]
fn exhausted_without_a_column_for_it_the_card_stays_and_is_left_alone() {
    let rules = STAYS.replace("    onExhausted: Blocked\n", "");
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules).codex("make other");
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: In Progress"]);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 3);
}

#[test]
fn without_enough_tests_codex_is_not_started_until_the_tests_change() {
    let world = World::new("- [ ] KB-1 bicycle shed\n").with("transitions.yaml", STAYS);
    for _ in 0..2 {
        world.run(&["run"]).exits(0).says("0 of 1 required tests match");
        assert_eq!(world.places(), ["KB-1: In Progress"]);
    }
    assert_eq!(world.executions(), [] as [String; 0]);
    assert!(note(&world.board(), "KB-1").contains("unverified"));
    world.write("tests.txt", "The bicycle shed is made :: includes[made/*.txt]:made for KB\n");
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.places(), ["KB-1: Done"]);
}

#[test]
fn an_unverified_card_bounces_where_the_column_says_where_to() {
    let world = World::new("- [ ] KB-1 bicycle shed\n");
    world.run(&["run"]).exits(0).says("NOT RUN").says("0 bounced, 1 unverified");
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
    assert_eq!(world.executions(), [] as [String; 0]);
}

#[test]
fn a_pass_without_a_next_column_is_cached_until_the_card_or_its_files_change() {
    let rules = STAYS.replace("    onPass: Done\n", "");
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules);
    world.run(&["run"]).exits(0);
    world
        .run(&["run"])
        .exits(0)
        .says("skipped   KB-1 first @made [In Progress]: passed in attempt KB-1.1")
        .says("1 skipped");
    assert_eq!(world.executions().len(), 1, "a cache hit");

    world.write("made/KB-1.txt", "made for KB-1\nand a line of somebody else's\n");
    world.run(&["run"]).exits(0).says("the gate is run again");
    assert_eq!(world.executions().len(), 1, "the gate still passes");

    world.write("made/KB-1.txt", "nothing\n");
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 2, "the work is gone");

    world.edit("board.md", "KB-1 first @made", "KB-1 first and best @made");
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 3, "another body");
}

#[test]
fn a_card_that_review_sends_back_is_reworked_and_the_ping_pong_ends() {
    let rules = crate::support::RULES.replace("prompt: Review the card.", "prompt: Review the card.\n    require: 2");
    let world = World::new("- [ ] KB-1 first @made @checked\n").with("transitions.yaml", rules);
    world.run(&["run"]).exits(0);
    let executions = world.executions();
    let rounds = ["KB-1 Implement", "KB-1 Review"].repeat(3);
    assert_eq!(executions[..6], rounds, "reworked each time, not skipped as cached");
    assert!(executions.len() <= 8, "{executions:?}");
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions(), executions, "nothing more is spent on it");
}

#[test]
fn cards_are_executed_in_the_order_of_the_board() {
    let world = World::new("- [ ] KB-3 a @made\n- [ ] KB-1 b @made\n- [ ] KB-2 c @made\n");
    world.run(&["run"]).exits(0);
    let order = ["KB-3 Implement", "KB-1 Implement", "KB-2 Implement", "KB-3 Review", "KB-1 Review", "KB-2 Review"];
    assert_eq!(world.executions(), order);
}

#[test]
fn the_json_report_is_one_record_a_line_and_ends_with_the_counts() {
    let cards = "- [ ] KB-1 first @made\n- [ ] KB-2 bicycle shed\n- [ ] KB-3 third @made\n";
    let world = World::new(cards).codex("[ $card = KB-3 ] || make made");
    let outcome = world.run(&["run", "--format", "json"]).exits(0);
    let events = outcome.events();
    let summary = events.last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["stopped"], "drained");
    let counts = ["promoted", "bounced", "skipped", "unverified", "failed"].map(|count| summary[count].as_u64());
    assert_eq!(counts, [2, 1, 0, 1, 0].map(Some));
    assert_eq!(events.iter().filter(|event| event["event"] == "summary").count(), 1);
    // What is kept was shown as it is kept.
    let kept = world.journal();
    assert!(kept.iter().all(|record| events.contains(record)));
}

/// Three tests, none of which is proved.
const THREE: &str = "\
@made :: includes[made/*.txt]:made for KB-1
@shape :: regex[made/*.txt]:/^(made|built)\\s+for KB-\\d+ again$/m
@runs :: shell:./check.sh
";

fn three() -> World {
    let rules = STAYS
        .replace("maxAttempts: 3", "maxAttempts: 2")
        .replace("evidence: [changes]", "evidence: [changes]\n    require: 3");
    World::new("- [ ] KB-1 first @made @shape @runs\n")
        .with("tests.txt", THREE)
        .with("transitions.yaml", rules)
        .program("check.sh", "#!/bin/sh\nseq 1000\necho 'thread main panicked'\necho '3 of 7 failed' >&2\nexit 4\n")
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "./check.sh")
        .codex("make mad")
}

#[test]
fn the_card_and_the_next_prompt_say_what_was_looked_for_where_and_what_came_closest() {
    let world = three();
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 2);
    let near =
        |line| format!("is not in 1 changed file matching `made/*.txt`; nearest: made/KB-1.txt:{line}: mad for KB-1");
    let board = world.board();
    let note = note(&board, "KB-1").replace('\\', "");
    for part in [
        "failed, bounced In Progress → Blocked, attempt 2 of 2; 1 earlier attempt failed",
        "0 of 3 required tests passed; no attempts are left: edit the card or `retry KB-1`",
        &format!("made: `made for KB-1` {}", near(2)),
        &format!("again$/m` {}", near(2)),
        "runs: exit 4; its output ends: ",
        "thread main panicked / 3 of 7 failed",
    ] {
        assert!(note.contains(part), "{part:?} is not in {note:?}");
    }
    assert_eq!(board.matches("kanban-codex-exec:").count(), 1);
    let prompt = world.prompt("KB-1.2");
    for part in [
        "Attempt 1 of 2 at this card (in In Progress) was not accepted: 0 of 3 required tests passed. 1 attempt failed so far.",
        &format!("- @made :: includes[made/*.txt]:made for KB-1: `made for KB-1` {}", near(1)),
        &format!("again$/m` {}", near(1)),
        "- @runs :: shell:./check.sh: exit 4\n  the end of its output:\n",
        "\n999\n1000\nthread main panicked\n3 of 7 failed",
        "Files that were changed for this card already:\n- made/KB-1.txt",
    ] {
        assert!(prompt.contains(part), "{part:?} is not in {prompt:?}");
    }
}

/// The runner dies after it wrote on the board, and before it could journal that.
#[test]
fn what_is_written_on_a_card_is_written_once_however_often_its_runner_dies() {
    let world = three();
    world.run(&["run", "--max-failures", "1"]).exits(3);
    let once = world.board();
    let journal = world.read(".cache/kanban-codex-exec/journal.jsonl");
    let written = journal.rfind("{\"v\":1").unwrap();
    let written = journal[..written].rfind("\"event\":\"transitioned\"").unwrap();
    let before = journal[..written].rfind('\n').unwrap() + 1;
    for _ in 0..3 {
        world.write(".cache/kanban-codex-exec/journal.jsonl", &journal[..before]);
        world.run(&["run", "--max-failures", "1"]).exits(3);
        assert_eq!(crate::support::board::settled(&world.board()), crate::support::board::settled(&once));
    }
    assert_eq!(world.executions().len(), 1);
}

#[test]
fn a_codex_that_says_nothing_in_the_end_has_not_worked() {
    for script in [
        "raw\nbegin\nmake made\ncomplete",
        "raw\nbegin\nmake made\nsay ' '\ncomplete",
        "raw\nmake made\necho",
        "raw\nmake made\nprintf ' \\n' >\"$last\"",
    ] {
        let world = World::new("- [ ] KB-1 first @made\n").codex(script);
        world.run(&["run"]).exits(0).says("codex ended without a final message").says("1 bounced");
        assert_eq!(world.places(), ["KB-1: Needs Specs"], "{script}");
    }
    let halfway = "raw\nbegin\nmake made\nsay 'All is done.'";
    let world = World::new("- [ ] KB-1 first @made\n").codex(halfway);
    world.run(&["run"]).exits(0).says("before its turn was complete").says("1 bounced");
    let plain = World::new("- [ ] KB-1 first @made\n").codex("raw\nmake made\necho 'Done.'");
    plain.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn a_reason_names_the_files_that_are_no_evidence() {
    for (work, reason) in [
        (
            "printf 'caf\\351\\nHello\\n' >a.txt",
            "`Hello` is not in 1 changed file; no evidence: a.txt (not UTF-8 text)",
        ),
        (
            "truncate -s 65M big.txt; echo Hello >>big.txt",
            "`Hello` is not in 0 changed files; no evidence: big.txt (it is larger than 64 MiB)",
        ),
    ] {
        let world = World::new("- [ ] KB-1 first @hello\n")
            .with("tests.txt", "@hello :: includes:Hello\n")
            .with("transitions.yaml", STAYS.replace("maxAttempts: 3", "maxAttempts: 2"))
            .codex(&format!("case $prompt in *'Attempt 1'*) ;; *) {work} ;; esac"));
        world.run(&["run"]).exits(0).says(reason);
        let prompt = world.prompt("KB-1.2");
        assert!(prompt.contains(reason), "{reason:?} is not in {prompt:?}");
    }
}
