//! `replay ATTEMPT`: a recorded attempt judged again, without codex and without commands.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Outcome, RULES, World, picture, wait_until};

/// A card that went to Done in two attempts.
fn done() -> World {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.run(&["run"]).exits(0).says("2 promoted");
    world
}

#[track_caller]
fn object(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

fn copies(world: &World) -> Vec<PathBuf> {
    fs::read_dir(world.cache("inputs")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn what_was_judged_is_judged_the_same_again() {
    let world = done();
    for attempt in ["KB-1.1", "KB-1.2"] {
        for args in [&["replay", attempt][..], &["replay", attempt, "--then"]] {
            world
                .run(args)
                .exits(0)
                .says("now       pass: 1 of 1 required")
                .says("ok  made: made/KB-1.txt:1")
                .says("differs   nothing");
        }
    }
    assert_eq!(world.executions().len(), 2, "codex is not started");
    insta::assert_snapshot!("replayed", world.run(&["replay", "KB-1.1"]).exits(0).stdout);
}

#[test]
fn tests_that_changed_since_give_another_verdict_and_exit_5_and_those_of_then_the_old_one() {
    let world = done();
    world.write("tests.txt", "@made The file :: includes[made/*.txt]:much more for KB\n");
    let today = world.run(&["replay", "KB-1.1", "--format", "json"]).exits(5);
    let today = object(&today);
    assert_eq!(today["version"], 1);
    assert_eq!((&today["judged_by"], &today["same_verdict"]), (&json!("today"), &json!(false)));
    assert_eq!((&today["then"]["verdict"], &today["now"]["verdict"]), (&json!("pass"), &json!("fail")));
    assert_eq!(
        today["differences"],
        json!(["the verdict: pass then, fail now", "made: ok then, NO now; its line is another"])
    );
    let then = world.run(&["replay", "KB-1.1", "--then", "--format", "json"]).exits(0);
    let then = object(&then);
    assert_eq!((&then["judged_by"], &then["differences"]), (&json!("then"), &json!([])));
    assert_eq!(then["now"]["tests"], world.records("judged")[0]["tests"]);
}

#[test]
fn rules_that_changed_since_count_as_well_and_a_column_may_have_lost_its_rule() {
    let world = done();
    world.write("transitions.yaml", RULES.replacen("evidence", "require: 2\n    evidence", 1));
    world
        .run(&["replay", "KB-1.1"])
        .exits(5)
        .says("fail: 1 of 2 required")
        .says("the tests that must pass: 1 then, 2 now");
    world.write("transitions.yaml", RULES.replacen("In Progress:", "Backlog:", 1));
    world.run(&["replay", "KB-1.1"]).exits(2).warns("none for the column `In Progress`").warns("--then");
    world.run(&["replay", "KB-1.1", "--then"]).exits(0);
}

#[test]
fn an_attempt_is_judged_by_the_trees_up_to_its_own_whatever_came_later() {
    let rules = RULES.replace("onFail: Needs Specs", "maxAttempts: 3");
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules);
    let world = world.codex("case $prompt in *'Attempt 1'*) make made ;; *) make other ;; esac");
    world.run(&["run"]).exits(0);
    world.write("made/KB-1.txt", "somebody else's\n");
    world.run(&["replay", "KB-1.1"]).exits(0).says("now       fail");
    world.run(&["replay", "KB-1.2"]).exits(0).says("now       pass").says("made/KB-1.txt:2");
}

#[test]
fn a_card_that_is_gone_is_judged_by_the_tests_that_it_had() {
    let world = done();
    world.write("board.md", crate::support::board::with(""));
    let gone = world.run(&["replay", "KB-1.1"]).exits(0);
    gone.says("KB-1.1 in In Progress: KB-1 first @made").says("the card is gone");
    world.write("tests.txt", "@other :: includes:x\n");
    world
        .run(&["replay", "KB-1.1"])
        .exits(5)
        .says("made not judged: the tests file has no such test")
        .says("made: ok then, not judged now");
}

#[test]
fn commands_are_not_run_again_their_recorded_outcome_counts_for_the_same_line() {
    let world = World::new("- [ ] KB-1 first @runs\n").with("tests.txt", "@runs It runs :: shell:./check.sh\n");
    let world = world.program("check.sh", "#!/bin/sh\necho ran >>\"$WORLD/ran\"\n");
    let world = world.env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "./check.sh");
    world.run(&["run"]).exits(0).says("2 promoted");
    let ran = || fs::read_to_string(world.path("ran")).unwrap();
    let before = ran();
    world.run(&["replay", "KB-1.1"]).exits(0).says("ok  runs: recorded: exit 0");
    world.run(&["replay", "KB-1.1", "--allow-shell-tests=false"]).exits(0).says("recorded: exit 0");
    world.write("tests.txt", "@runs It runs :: shell:./check.sh --strictly\n");
    let other = world.run(&["replay", "KB-1.1"]).exits(5);
    other.says("now       inconclusive").says("NO  runs: inconclusive: not run again, and no outcome is recorded");
    let blocked = world.run(&["replay", "KB-1.1", "--allow-shell-tests=false"]).exits(5);
    blocked.says("runs not judged: shell tests are off");
    assert_eq!(ran(), before);
}

#[test]
fn tampering_is_not_forgotten_and_neither_is_an_ending() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; echo 'includes:x' >>tests.txt");
    world.run(&["run"]).exits(0);
    world.write("tests.txt", crate::support::TESTS);
    world
        .run(&["replay", "KB-1.1"])
        .exits(0)
        .says("now       tampered: changed during the attempt: tests.txt")
        .says("ok  made");
    let failing =
        "raw\nbegin\nmake made\nprintf '{\"type\":\"turn.failed\",\"error\":{\"message\":\"too_much\"}}\\n'\nexit 1";
    let world = World::new("- [ ] KB-1 first @made\n").codex(failing);
    world.run(&["run"]).exits(0);
    world.run(&["replay", "KB-1.1"]).exits(0).says("now       fail: ").says("too_much");
}

#[test]
fn a_message_counts_only_beside_the_prompt_that_was_sent() {
    let rules = RULES.replace("evidence: [changes]", "evidence: [message]");
    let world = World::new("- [ ] KB-1 first @said\n").with("transitions.yaml", rules);
    let world = world.with("tests.txt", "@said :: includes:what the card says\n");
    world.run(&["run"]).exits(0);
    world.run(&["replay", "KB-1.1"]).exits(0).says("ok  said: message");
    fs::write(world.cache("attempts/KB-1.1/prompt.md"), "another prompt").unwrap();
    world.run(&["replay", "KB-1.1"]).exits(5).says("the message counts as empty").says("NO  said");
}

#[test]
fn an_attempt_that_nobody_knows_is_exit_2_with_the_one_that_was_meant() {
    let world = done();
    world.run(&["replay", "KB-1.22"]).exits(2).warns("no attempt `KB-1.22`").warns("did you mean `KB-1.2`?");
    world.run(&["replay", "something"]).exits(2).warns("`explain CARD` names the newest");
    world.run(&["replay"]).exits(2).warns("<ATTEMPT>");
    World::new("").run(&["replay", "KB-1.1"]).exits(2).warns("no attempt `KB-1.1`");
}

#[test]
fn an_attempt_without_a_verdict_says_why_it_has_none() {
    let world = World::new("- [ ] KB-1 first @made\n")
        .env("CODEX_BIN", "codex-nowhere")
        .env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
    world.run(&["run"]).exits(4);
    world.run(&["replay", "KB-1.1"]).exits(2).warns("KB-1.1 has no verdict: codex could not work");
}

#[test]
fn copies_that_are_gone_or_damaged_are_a_clear_error_and_today_still_judges() {
    let world = done();
    for copy in copies(&world) {
        fs::write(&copy, "@made :: includes:e\n").unwrap();
    }
    world
        .run(&["replay", "KB-1.1", "--then"])
        .exits(2)
        .warns("the copy of tests.txt that was accepted then is gone or damaged");
    for copy in copies(&world) {
        fs::remove_file(copy).unwrap();
    }
    world.run(&["replay", "KB-1.1", "--then"]).exits(2).warns("without `--then`");
    world.run(&["replay", "KB-1.1"]).exits(0);
    world.write("others.txt", crate::support::TESTS);
    world
        .run(&["replay", "KB-1.1", "--then", "--tests", "others.txt"])
        .exits(2)
        .warns("does not know what others.txt held");
}

#[test]
fn trees_that_are_gone_are_a_clear_error() {
    let world = done();
    let judged = |world: &World| world.run(&["replay", "KB-1.1"]).exits(1);
    fs::rename(world.cache("git/objects"), world.path("objects")).unwrap();
    judged(&world).warns("cannot read the saved trees");
    fs::remove_dir_all(world.cache("git")).unwrap();
    judged(&world).warns("there are no saved trees in");
    assert!(!world.cache("git").exists(), "and none are made");
}

#[test]
fn it_writes_nothing_also_while_a_run_works() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n");
    let world = world.codex("make made; [ $card = KB-1 ] || wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        wait_until("codex's events", || {
            fs::metadata(world.cache("attempts/KB-2.1/events.jsonl")).is_ok_and(|data| data.len() > 0)
        });
        let before = picture(&world.path("repo"));
        for args in [&["replay", "KB-1.1"][..], &["replay", "KB-1.1", "--then"]] {
            world.run_beside(args).exits(0).says("differs   nothing");
        }
        world.run_beside(&["replay", "KB-2.1"]).exits(2).warns("it is at work");
        assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [PathBuf; 0]);
    });
    outcome.exits(0).says("4 promoted");
}

#[test]
fn a_pass_that_was_looked_at_again_is_replayed_as_it_was_first_judged() {
    let rules = "statuses: { In Progress: { prompt: Implement., evidence: [changes] } }\n";
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules);
    world.run(&["run"]).exits(0);
    world.write("made/KB-1.txt", "nothing\n");
    let world = world.codex("make other");
    world.run(&["run"]).exits(0);
    assert_eq!(world.records("judged")[1]["verdict"], "fail");
    world.run(&["replay", "KB-1.1"]).exits(0).says("then      pass").says("now       pass");
}
