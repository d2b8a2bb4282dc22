//! What stops the loop, and the exit codes that say so.

use std::fs::File;

use crate::support::board::{cards, note};
use crate::support::{World, picture, wait_until};

#[test]
fn guards_stop_the_loop_with_exit_3() {
    #[rustfmt::skip]
    let cases = [
        (["--max-cards", "2"],           "make made",  "--max-cards 2",    4),
        (["--max-failures", "2"],        "make other", "--max-failures 2", 2),
        (["--max-tokens", "250"],        "make made",  "--max-tokens 250", 3),
        (["--max-duration", "1ms"],      "make made",  "--max-duration",   0),
    ];
    for ([flag, value], codex, reason, executions) in cases {
        let world = World::new(&cards(4)).codex(codex);
        world.run(&["run", flag, value]).exits(3).says(reason);
        assert_eq!(world.executions().len(), executions, "{flag}");
        assert_eq!(world.records("summary")[0]["stopped"], "guard", "{flag}");
    }
}

#[test]
fn a_guard_is_for_what_is_left_to_do_only() {
    let world = World::new(&cards(2));
    world.run(&["run", "--max-cards", "2"]).exits(0);
}

/// What was at work when it was killed may have gone on for as long as it may take.
#[test]
fn the_day_between_a_kill_and_the_next_run_is_no_time_that_it_worked() {
    for (limit, left, exit) in [("10m", 2, 0), ("2h", 0, 3)] {
        let world = World::new(&cards(1)).codex("wait_for go; make made");
        let run = ["run", "--max-duration", "1h", "--attempt-limit", limit];
        let running = world.start(&run);
        world.wait_for("waiting");
        running.kill();
        world.age(24);
        std::fs::write(world.path("go"), "").unwrap();
        world.run(&run).exits(exit).says(&format!("{left} promoted"));
    }
}

#[test]
fn an_unknown_use_of_tokens_reaches_the_guard() {
    let world = World::new(&cards(2)).codex("raw\nmake made\necho plain text");
    world.run(&["run", "--max-tokens", "1000000"]).exits(3).says("didn't say");
    assert_eq!(world.executions().len(), 1);
}

#[test]
fn one_that_is_interrupted_before_any_told_its_use_holds_up_no_run_and_many_end_it() {
    let run = ["run", "--max-tokens", "1000", "--budget-window", "1h"];
    let killed = |times| {
        let world = World::new(&cards(1)).codex("wait_for go; make made");
        for kills in 1..=times {
            let running = world.start(&run);
            wait_until("another start of codex", || world.executions().len() == kills);
            running.kill();
        }
        world
    };
    killed(1).run_while(&run, |_| ()).exits(0).says("2 promoted");
    killed(10).run(&run).exits(3).says("--max-tokens 1000: 1000 were used");
}

#[test]
fn what_the_model_never_answered_costs_no_tokens() {
    let refused = "raw\nbegin\n[ -e \"$WORLD/refused\" ] || { : >\"$WORLD/refused\"; echo '{\"type\":\"turn.failed\",\"error\":{\"message\":\"unexpected status 503\"}}'; exit 1; }\nmake made; say done; complete";
    let world = World::new(&cards(1)).codex(refused);
    world.run(&["run", "--max-tokens", "1000"]).exits(0);
    assert_eq!(world.records("attempt_ended")[0]["ending"]["kind"], "infrastructure");
    assert_eq!(world.places(), ["KB-1: Done"]);
}

#[test]
fn the_attempts_at_one_card_have_a_budget_of_tokens_and_of_time() {
    let stays = "statuses:\n  In Progress:\n    prompt: Implement the card.\n    onPass: Done\n    maxAttempts: 5\n    onExhausted: Blocked\n    evidence: [changes]\n";
    #[rustfmt::skip]
    let cases = [
        ("--max-card-tokens", "200", "make other",                   2, "its attempts used 240 of 200 tokens"),
        // Unknown is no zero: each counts as its share of five.
        ("--max-card-tokens", "200", "raw\nmake other\necho text",   5, "no attempts are left"),
        // After one that is known, as much as that.
        ("--max-card-tokens", "300", "raw\n[ -e made ] && { make other; echo text; exit; }\nbegin; make other; say x; complete", 3, "its attempts used 360 of 300 tokens"),
        ("--max-card-time",   "1s",  "make other; sleep 60",         1, "of 1 seconds"),
    ];
    for (flag, value, codex, executions, reason) in cases {
        let world = World::new(&cards(1)).with("transitions.yaml", stays).codex(codex);
        world.run(&["run", flag, value]).exits(0);
        assert_eq!(
            (world.executions().len(), world.places()),
            (executions, vec!["KB-1: Blocked".to_owned()]),
            "{flag} {reason}"
        );
        assert!(note(&world.board(), "KB-1").contains(reason), "{reason}: {}", world.board());
    }
}

/// Tries to reach the model for as long as it may.
const NO_NETWORK: &str =
    "raw\nbegin\necho '{\"type\":\"error\",\"message\":\"Reconnecting... waiting for network\"}'\nsleep 60";

#[test]
fn a_network_that_is_down_uses_up_no_cards_budget() {
    for (flag, budget) in [("--max-card-time", "1s"), ("--max-card-tokens", "200")] {
        let world = World::new(&cards(2)).codex(NO_NETWORK);
        let args = ["run", flag, budget, "--silence-limit", "700ms", "--infrastructure-limit", "4"];
        world.run(&args).exits(4).says("codex could not work 4 times in a row");
        assert_eq!(world.places(), ["KB-1: In Progress", "KB-2: In Progress"], "{flag}");
    }
}

#[test]
fn attempts_that_use_up_their_cards_time_are_no_trouble_with_codex() {
    let world = World::new(&cards(3)).codex("sleep 60");
    let told = "codex was ended: the time that its card has was used up";
    world.run(&["run", "--max-card-time", "1s", "--infrastructure-limit", "2"]).exits(0).says(told);
    let endings: Vec<_> =
        world.records("attempt_ended").iter().map(|record| record["ending"]["kind"].clone()).collect();
    assert_eq!(endings, ["work", "work", "work"]);
}

#[test]
fn the_time_between_a_runners_death_and_the_next_run_is_not_its_attempts() {
    let world = World::new(&cards(1)).codex("wait_for go");
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    running.kill();
    let exit = world.cache("attempts/KB-1.1/exit.json");
    wait_until("the launcher's last word", || exit.exists());
    world.age(2);
    for file in std::fs::read_dir(exit.parent().unwrap()).unwrap() {
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 3600);
        File::options().append(true).open(file.unwrap().path()).unwrap().set_modified(then).unwrap();
    }
    let world = world.codex("make made");
    world.run(&["run", "--max-card-time", "30m"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    let seconds = world.records("attempt_ended")[0]["seconds"].as_f64().unwrap();
    assert!(seconds < 60.0, "{seconds}");
}

#[test]
fn a_wait_that_the_run_does_not_outlast_is_not_begun() {
    let limit = "raw\nbegin\nprintf '{\"type\":\"turn.failed\",\"error\":{\"message\":\"%s\"}}\\n' 'You have hit your usage limit. Try again in 3 hours.'\nexit 1";
    for watch in ["--watch=false", "--watch"] {
        let world = World::new(&cards(1)).codex(limit);
        let told = "codex could not work, and --max-duration is over before it is tried again: You have hit";
        world.run(&["run", watch, "--max-duration", "1h"]).exits(3).says(told);
        assert_eq!((world.executions().len(), world.places()), (1, vec!["KB-1: In Progress".to_owned()]));
    }
}

#[test]
fn what_is_reserved_for_an_attempt_counts_also_where_its_runner_died() {
    let world = World::new(&cards(1)).codex("wait_for go");
    for kills in 1..=3 {
        let running = world.start(&["run", "--max-card-tokens", "300"]);
        wait_until("another start of codex", || world.executions().len() == kills);
        running.kill();
    }
    let record = &world.records("attempt_started")[0];
    assert_eq!((&record["reserved"]["tokens"], &record["reserved"]["seconds"]), (&100.into(), &3600.into()));
    world.run(&["run", "--max-card-tokens", "300"]).exits(0).says("its attempts used 300 of 300 tokens");
    assert_eq!(world.executions().len(), 3);
    // A person's word starts its budget anew.
    world.run(&["retry", "KB-1"]).exits(0);
    let world = world.codex("make made");
    world.run(&["run", "--max-card-tokens", "300"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
}

#[test]
fn a_bounce_is_exit_5_where_that_is_asked_for() {
    for (codex, fails, code) in [("make other", "true", 5), ("make other", "false", 0), ("make made", "true", 0)] {
        let world = World::new(&cards(1)).codex(codex);
        world.run(&["run", &format!("--fail-on-bounce={fails}")]).exits(code);
    }
}

#[test]
fn a_card_that_fails_for_good_where_it_stands_is_exit_5_as_well() {
    let second_time = "case $prompt in *'Attempt 1'*) make made ;; *) make other ;; esac";
    for (codex, code, place) in [("make other", 5, "In Progress"), (second_time, 0, "Done")] {
        let rules =
            "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 2, evidence: changes } }\n";
        let world = World::new(&cards(1)).with("transitions.yaml", rules).codex(codex);
        world.run(&["run", "--fail-on-bounce"]).exits(code);
        assert_eq!((world.places(), world.executions().len()), (vec![format!("KB-1: {place}")], 2));
        // What a run before it left is not this one's.
        world.run(&["run", "--fail-on-bounce"]).exits(0);
    }
}

#[test]
fn attempts_that_are_used_up_without_another_one_are_exit_5_as_well() {
    let rules = |most: u32| {
        format!("statuses: {{ In Progress: {{ prompt: Implement., maxAttempts: {most}, evidence: changes }} }}\n")
    };
    let world = World::new(&cards(1)).with("transitions.yaml", rules(2)).codex("make other");
    world.run(&["run", "--max-failures", "1", "--fail-on-bounce"]).exits(3);
    world.write("transitions.yaml", rules(1));
    world.run(&["run", "--fail-on-bounce"]).exits(5).says("exhausted");
    assert_eq!(world.executions().len(), 1);
}

#[test]
fn a_drained_queue_may_have_its_own_exit_code() {
    let world = World::new("").env("KANBAN_DRAINED_EXIT_CODE", "7");
    world.run(&["run"]).exits(7);
}

#[test]
fn what_is_wrong_is_exit_2_with_the_place_and_a_hint_and_nothing_is_written() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str], &[&str]); 9] = [
        ("transitions.yaml", "statuses:\n  In Progress:\n    onPas: Done\n", &["run"], &["transitions.yaml:3", "unknown key `onPas`", "did you mean `onPass`"]),
        ("transitions.yaml", "statuses:\n  In Progres: { onPass: Done }\n", &["run"], &["transitions.yaml:2", "no column `In Progres`", "did you mean"]),
        ("transitions.yaml", "statuses:\n  In Progress: { onPass: Finished }\n", &["run"], &["transitions.yaml:2", "Finished"]),
        ("transitions.yaml", "statuses: [\n", &["run"], &["transitions.yaml"]),
        ("tests.txt", "regex:/(/\nincludes:\n", &["run"], &["tests.txt:1", "tests.txt:2"]),
        ("kanban-codex-exec.yaml", "maxCard: 3\n", &["run"], &["kanban-codex-exec.yaml:1", "did you mean `maxCards`"]),
        ("tests.txt", "includes:x\n", &["run", "--k-req", "9"], &["K_REQ (9) is more than K_MIN"]),
        ("tests.txt", "includes:x\n", &["run", "--tests", "gone.txt"], &["gone.txt: no such file", "--tests FILE"]),
        ("tests.txt", "includes:x\n", &["run", "--source", "gone.md"], &["gone.md: no such board"]),
    ];
    for (file, text, args, said) in cases {
        let world = World::new(&cards(1)).with(file, text);
        let before = picture(&world.path("repo"));
        for command in [args[0], "dry-run", "print-plan"] {
            let mut args = args.to_vec();
            args[0] = command;
            let outcome = world.run(&args).exits(2);
            assert!(outcome.stderr.starts_with("error: "), "{outcome}");
            said.iter().for_each(|text| assert!(outcome.stderr.contains(text), "{text:?} is not in {outcome}"));
        }
        assert_eq!(picture(&world.path("repo")).changes(&before), [] as [std::path::PathBuf; 0], "{args:?}");
        assert_eq!(world.executions(), [] as [String; 0]);
    }
}

#[test]
fn a_missing_codex_spends_no_attempt_and_is_exit_4_with_what_to_do() {
    let world = World::new(&cards(2)).env("CODEX_BIN", "no-such-codex");
    let board = world.board();
    let outcome = world.run(&["run", "--infrastructure-limit", "2"]).exits(4);
    outcome.warns("no-such-codex").warns("hint: ").warns("--codex-bin");
    assert_eq!(world.board(), board);
    assert_eq!(world.records("judged"), [] as [serde_json::Value; 0]);
    let codex = world.path("codex").display().to_string();
    let world = world.env("CODEX_BIN", codex);
    world.run(&["run"]).exits(0).says("4 promoted");
    let numbers: Vec<_> = world.records("attempt_started").iter().map(|record| record["number"].as_u64()).collect();
    assert!(numbers.iter().all(|number| *number == Some(1)), "{numbers:?}");
}

#[test]
fn what_was_spent_before_codex_could_not_work_counts_after_the_restart() {
    let world = World::new(&cards(3)).codex("[ $card = KB-1 ] && make made || exit 0");
    let run = ["run", "--max-cards", "2", "--infrastructure-limit", "1"];
    world.run(&run).exits(4);
    let world = world.codex("make made");
    world.run(&run).exits(3).says("--max-cards 2: as many cards were worked");
    assert_eq!(world.places(), ["KB-3: In Progress", "KB-1: Done", "KB-2: Done"]);
}
