//! The runner is killed: nothing is lost, nothing is done twice, nothing is left over.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::board::{cards, settled};
use crate::support::{RULES, TESTS, World, wait_until};

#[test]
fn killed_in_mid_attempt_and_started_again_it_ends_as_if_undisturbed() {
    let work = "make half; wait_for go; make made";
    let undisturbed = World::new(&cards(2)).codex(work);
    undisturbed.run_while(&["run"], |_| ()).exits(0);

    let world = World::new(&cards(2)).codex(work);
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    running.kill();
    // The next one starts while what the dead one left may still be ending.
    let outcome = world.run_while(&["run"], |_| ()).exits(0);
    assert!(!world.overlapped(), "two at once: {outcome}");
    assert_eq!(settled(&world.board()), settled(&undisturbed.board()));
    assert_eq!(world.records("attempt_ended")[0]["ending"]["kind"], "interrupted");
    let numbers: Vec<_> = world.records("attempt_started").iter().map(|record| record["number"].as_u64()).collect();
    assert_eq!(numbers, [1; 5].map(Some), "the interrupted attempt is not spent");
}

/// Stops the runner, so that it sees nothing of what comes after. It is the parent of this one's launcher.
const BLIND: &str = "read -r _ _ _ runner _ <\"/proc/$PPID/stat\"; kill -STOP $runner; ";

#[test]
fn killed_after_codex_finished_but_before_that_was_recorded_it_executes_nothing_twice() {
    let cases = [
        ("no event was seen", format!("raw\n{BLIND}begin; make made; say 'Done.'; complete")),
        ("the first events were seen", format!("raw\nbegin; sleep 0.5; {BLIND}make made; say 'Done.'; complete")),
        ("all events were seen", format!("raw\nbegin; make made; say 'Done.'; complete; sleep 0.5; {BLIND}")),
    ];
    for (case, script) in cases {
        let world = World::new(&cards(1)).codex(&script);
        let running = world.start(&["run"]);
        let ended = world.cache("attempts/KB-1.1/exit.json");
        wait_until("the launcher's report", || ended.exists());
        running.kill();
        let world = world.codex("make made");
        world.run(&["run"]).exits(0).says("2 promoted");
        assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Review"], "{case}");
        assert_eq!(world.read("made/KB-1.txt").lines().count(), 2, "{case}");
    }
}

#[test]
fn killed_before_the_end_was_recorded_with_saved_trees_that_codex_spoilt_the_next_run_goes_on() {
    let spoil = [
        (
            "rm -rf .cache/kanban-codex-exec/git*; echo more >>notes.txt; make made",
            "what KB-1.1 did is no evidence",
            "2 promoted",
            vec!["KB-1 Implement", "KB-1 Implement", "KB-1 Review"],
        ),
        (
            "make made; place() { echo \"$1\" | sed 's|^..|objects/&/|'; }; \
             real=.cache/kanban-codex-exec/git/$(place $(git hash-object made/KB-1.txt)); mkdir -p ${real%/*}; \
             cp .git/$(place $(echo other | git hash-object -w --stdin)) $real",
            "which does not hold what its name says",
            "0 promoted, 1 bounced",
            vec!["KB-1 Implement"],
        ),
    ];
    for (spoils, reason, counts, executions) in spoil {
        // What stood in the notes is in CACHE_DIR alone.
        let script = format!("raw\n{BLIND}begin; {spoils}; say 'Done.'; complete");
        let world = World::new(&cards(1)).with("notes.txt", "mine\n").codex(&script);
        let running = world.start(&["run"]);
        let ended = world.cache("attempts/KB-1.1/exit.json");
        wait_until("the launcher's report", || ended.exists());
        running.kill();
        let world = world.codex("make made");
        world.run(&["run"]).exits(0).says(reason).says(counts);
        assert_eq!(world.executions(), executions, "{spoils}");
    }
}

#[test]
fn killed_at_any_instant_and_started_again_until_it_is_drained_it_arrives_at_the_same_board() {
    let work = "sleep 0.03; [ $card = KB-3 ] || make made; sleep 0.03";
    let undisturbed = World::new(&cards(5)).codex(work);
    undisturbed.run(&["run"]).exits(0);

    let mut random = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    let mut kills = 0;
    while kills < 30 {
        let world = World::new(&cards(5)).codex(work);
        let mut instants = Vec::new();
        loop {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let instant = Duration::from_millis(u64::from(random >> 16) % 700);
            let mut running = world.start(&["run"]);
            std::thread::sleep(instant);
            if running.child.try_wait().unwrap().is_some() {
                running.outcome().exits(0);
                break;
            }
            running.kill();
            instants.push(instant);
        }
        kills += instants.len();
        let journal = std::fs::read_to_string(world.cache("journal.jsonl")).unwrap();
        let told = || format!("killed after {instants:?}\n{journal}");
        assert_eq!(settled(&world.board()), settled(&undisturbed.board()), "{}", told());
        assert!(!world.overlapped(), "two at once: {}", told());
        assert_eq!(repeated(&world), [] as [String; 0], "{}", told());
    }
}

const HANGS: &str = "#!/bin/sh\n: >\"$WORLD/waiting\"\nsleep 300\n";

#[test]
fn what_a_person_repairs_between_two_runs_is_not_the_doing_of_an_attempt_that_had_ended() {
    let rules = RULES.replacen("onFail: Needs", "beforeTransition: { shell: ./hook.sh }\n    onFail: Needs", 1);
    let tests = "@made It is made :: shell:./check.sh\n";
    let good = "#!/bin/sh\ntrue\n";
    for (file, tests, hook, repaired) in
        [("hook.sh", TESTS, HANGS, good), ("tests.txt", tests, good, TESTS), ("transitions.yaml", TESTS, HANGS, RULES)]
    {
        for killed in [false, true] {
            let world =
                World::new(&cards(1)).env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "./check.sh");
            let world = world.with("tests.txt", tests).with("transitions.yaml", &rules);
            let world = world.program("hook.sh", hook).program("check.sh", HANGS);
            let running = world.start(&["run"]);
            world.wait_for("waiting");
            if killed {
                running.kill();
            } else {
                running.signal(Signal::INT);
                running.outcome().exits(130);
            }
            world.write(file, repaired);
            world.run(&["run"]).exits(0).says("2 promoted");
            assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Review"], "{file}, killed: {killed}");
            assert_eq!(world.records("inputs_held"), [] as [serde_json::Value; 0], "{file}, killed: {killed}");
        }
    }
}

/// Cards that were started again in a column where an attempt of theirs was recorded as finished.
fn repeated(world: &World) -> Vec<String> {
    let mut places = BTreeMap::new();
    let mut finished = Vec::new();
    let mut repeated = Vec::new();
    for record in world.journal() {
        let attempt = record["attempt"].to_string();
        match record["event"].as_str() {
            Some("attempt_started") => {
                let place = format!("{} in {}", record["card"], record["column"]);
                if finished.contains(&place) {
                    repeated.push(place.clone());
                }
                places.insert(attempt, place);
            }
            Some("attempt_ended") if record["ending"]["kind"] == "ok" => finished.push(places[&attempt].clone()),
            _ => {}
        }
    }
    repeated
}

/// A cleaner of temporary files takes nothing from a run at work.
#[test]
fn a_second_run_is_locked_out_also_where_the_lock_files_are_removed_while_codex_works() {
    let world = World::new(&cards(1)).codex("wait_for go; make made");
    let outcome = world.run_while(&["run"], |world| {
        let locks: Vec<_> = world.locks().into_iter().filter(|lock| fs::remove_file(lock).is_ok()).collect();
        assert_eq!(locks.len(), 3, "of the board, of the workspace and of the folder that it lies in");
        wait_until("the lock again", || locks.iter().all(|lock| lock.exists()));
        world.run_beside(&["run"]).exits(1).warns("another run holds the board");
    });
    outcome.exits(0).says("2 promoted");
    assert!(!world.overlapped());
}
