//! `pause`, `resume`, `retry`, `skip`: people steer the loop from outside.

use crate::support::World;
use crate::support::board::cards;

#[test]
fn a_paused_board_starts_nothing_until_it_is_resumed() {
    let world = World::new(&cards(1));
    world.run(&["pause"]).exits(0);
    world.run(&["run"]).exits(3).says("paused");
    world.run(&["run"]).exits(3).says("paused");
    assert_eq!(world.executions(), [] as [String; 0]);
    world.run(&["resume"]).exits(0);
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn a_pause_lets_the_running_attempt_come_to_its_end() {
    let world = World::new(&cards(2)).codex("make made; wait_for go");
    let outcome = world.run_while(&["run"], |world| drop(world.run_beside(&["pause"]).exits(0)));
    outcome.exits(3).says("paused");
    assert_eq!(world.places(), ["KB-2: In Progress", "KB-1: Review"]);
    assert_eq!(world.executions(), ["KB-1 Implement"]);
}

#[test]
fn retry_forgets_what_passed_and_what_failed() {
    let rules = "statuses: { In Progress: { prompt: Implement., maxAttempts: 1, evidence: changes } }\n";
    let world =
        World::new(&cards(2)).with("transitions.yaml", rules).codex("[ $card = KB-1 ] && make made || make other");
    world.run(&["run"]).exits(0);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions().len(), 2);
    world.run(&["retry", "KB-1"]).exits(0);
    world.run(&["retry", "KB-2 card @made"]).exits(0);
    world.run(&["run"]).exits(0);
    assert_eq!(world.executions()[2..], ["KB-1 Implement.", "KB-2 Implement."]);
}

#[test]
fn what_a_killed_runner_left_is_ended_by_the_next_run_alone() {
    let world = World::new(&cards(1)).codex("make made; wait_for go");
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    for (command, hint) in [(&["retry", "KB-1"][..], "retry it after its end"), (&["accept"], "wait for its end")] {
        world.run_beside(command).exits(1).warns("is at work").warns(hint);
    }
    running.kill();
    for (command, hint) in [
        (&["retry", "KB-1"][..], "the next `run` ends it: retry it then"),
        (&["accept"], "the next `run` ends it: `accept` after that"),
    ] {
        world.run_beside(command).exits(1).warns("was at work when its runner died").warns(hint);
    }
    std::fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0);
    for command in [&["retry", "KB-1"][..], &["accept"]] {
        world.run(command).exits(0);
    }
}

#[test]
fn retry_says_where_no_rule_works_the_column() {
    let world = World::new(&cards(1));
    world.run(&["retry", "KB-1"]).exits(0).says("KB-1 will be worked anew: ");
    world.run(&["run"]).exits(0);
    let told = "no rule works `Done`, where KB-1 stands: in another column it will be worked anew";
    world.run(&["retry", "KB-1"]).exits(0).says(told);
    world.run(&["retry", "something else"]).exits(2).warns("`board` lists the cards with their ids");
    std::fs::remove_file(world.repo("board.md")).unwrap();
    world.run(&["history", "something else"]).exits(2).warns("`history` lists the cards with their ids");
}

#[test]
fn a_card_that_is_skipped_waits_for_skip_undo() {
    let world = World::new(&cards(2));
    world.run(&["skip", "KB-1"]).exits(0);
    world.run(&["run"]).exits(0).says("held back by `skip`");
    assert_eq!(world.places(), ["KB-1: In Progress", "KB-2: Done"]);
    world.run(&["skip", "--undo", "KB-1"]).exits(0);
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-2: Done", "KB-1: Done"]);
}

#[test]
fn a_card_that_is_not_there_is_exit_2_with_the_name_that_was_meant() {
    let world = World::new(&cards(2));
    world.run(&["retry", "KB-11"]).exits(2).warns("no card `KB-11`").warns("did you mean `KB-1`?");
}

#[test]
fn a_run_that_keeps_its_history_elsewhere_is_steered_and_told_of_all_the_same() {
    let world = World::new(&cards(2)).codex("make made; wait_for go");
    let elsewhere = world.path("elsewhere").display().to_string();
    let outcome = world.run_while(&["run", "--cache-dir", &elsewhere], |world| {
        world.run_beside(&["explain", "KB-1"]).exits(0).says("KB-1.1 in In Progress has no verdict: it is at work");
        world.run_beside(&["report", "--output", "report.html"]).exits(1).warns("KB-1.1 is at work there");
        world.run_beside(&["retry", "KB-1"]).exits(1).warns("an attempt at KB-1 is at work");
        world.run_beside(&["skip", "KB-2"]).exits(0);
        world.run_beside(&["pause"]).exits(0);
    });
    outcome.exits(3).says("held      KB-2").says("paused");
    assert_eq!(world.executions(), ["KB-1 Implement"]);
    // Where none is at work nobody knows what the next one will be given.
    let left = world.run(&["resume"]).exits(0).warns("the board's newest run had the CACHE_DIR ");
    left.warns("it is left in .cache/kanban-codex-exec");
    let told = world.run(&["resume", "--cache-dir", &elsewhere]).exits(0);
    assert!(!told.stderr.contains("warning"), "{told}");
    world.run(&["skip", "KB-2", "--undo", "--cache-dir", &elsewhere]).exits(0);
    world.run(&["run", "--cache-dir", &elsewhere]).exits(0).says("3 promoted");
}

/// Its one test is a command that says when it runs, and ends when it may.
fn judging() -> World {
    let wait = ": >\"$WORLD/judging\"; until [ -e \"$WORLD/go\" ]; do sleep 0.01; done\n";
    World::new(&cards(1))
        .with("tests.txt", "@made The file is made :: shell:sh wait.sh\n")
        .with("wait.sh", wait)
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "sh wait.sh")
}

#[test]
fn what_would_be_dropped_while_a_card_is_judged_is_refused() {
    let world = judging();
    let running = world.start(&["run"]);
    world.wait_for("judging");
    for (command, hint) in [(&["retry", "KB-1"][..], "retry it after its end"), (&["accept"], "wait for its end")] {
        world.run_beside(command).exits(1).warns("is at work").warns(hint);
    }
    std::fs::write(world.path("go"), "").unwrap();
    let outcome = running.outcome().exits(0).says("2 promoted");
    assert!(!outcome.stderr.contains("ask again"), "{outcome}");
}

#[test]
fn what_is_accepted_after_a_kill_is_adopted_once_the_attempt_is_carried_out() {
    let rules =
        crate::support::RULES.replacen("    onFail", "    beforeTransition: { shell: ./hook.sh }\n    onFail", 1);
    let hook = "#!/bin/sh\n: >\"$WORLD/asked\"; until [ -e \"$WORLD/go\" ]; do sleep 0.01; done\n";
    let world = World::new(&cards(1)).with("transitions.yaml", rules).program("hook.sh", hook);
    std::fs::write(world.path("go"), "").unwrap();
    let world = world.codex("make made; echo '# more' >>tests.txt");
    world.run(&["run"]).exits(0).says("tampered");
    for file in ["go", "asked"] {
        std::fs::remove_file(world.path(file)).unwrap();
    }
    world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made\n"));
    let world = world.codex("make made");
    let running = world.start(&["run"]);
    world.wait_for("asked");
    running.kill();
    world.run_beside(&["accept"]).exits(0).says("will hold");
    std::fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0).says("2 promoted").says("the changed tests and rules hold from now on");
    world.run(&["accept"]).exits(0).says("nothing to accept");
}

#[test]
fn the_index_of_a_run_at_work_is_left_to_it() {
    let world = World::new(&cards(1)).with("other.txt", "@other words :: includes:x\n").codex("make made; wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        world.run_beside(&["index-tests"]).exits(0).says("is up to date");
        let refused = world.run_beside(&["index-tests", "--file", "other.txt"]).exits(1);
        refused.warns("a run is at work, and .cache/kanban-codex-exec/index.bin is its own until it ends");
        world.run_beside(&["index-tests", "--file", "other.txt", "--cache-dir", "../elsewhere"]).exits(0);
    });
    outcome.exits(0).says("2 promoted");
}
