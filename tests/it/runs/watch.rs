//! `--watch`, signals, and two runners at once.

use rustix::process::Signal;
use serde_json::json;

use crate::support::board::cards;
use crate::support::{TESTS, World, wait_until};

#[test]
fn watching_it_takes_up_new_cards_and_changed_tests_and_ends_by_a_signal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let world = World::new(&cards(1));
        let running = world.start(&["run", "--watch"]);
        wait_until("the first card", || world.finished().len() == 2);
        wait_until("its move", || world.places() == ["KB-1: Done"]);
        world.edit(
            "board.md",
            "## In Progress\n",
            "## In Progress\n\n- [ ] KB-2 a new one @made\n- [ ] KB-3 bicycle shed\n",
        );
        wait_until("the new card", || world.places() == ["KB-3: Needs Specs", "KB-1: Done", "KB-2: Done"]);
        running.signal(signal);
        running.outcome().exits(code).says("4 promoted");
    }
}

#[test]
fn watching_it_need_not_wait_for_its_next_look() {
    let world = World::new(&cards(1));
    let running = world.start(&["run", "--watch", "--poll-interval", "1h"]);
    wait_until("the first card", || world.places() == ["KB-1: Done"]);
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-2 a new one @made\n- [ ] KB-3 shed @red\n");
    wait_until("a new card", || world.places() == ["KB-3: Needs Specs", "KB-1: Done", "KB-2: Done"]);
    world.write("tests.txt", format!("{TESTS}@red The shed is red :: includes[made/*.txt]:made for KB\n"));
    wait_until("the new tests", || world.records("inputs_accepted").len() == 2);
    world.run_beside(&["pause"]).exits(0);
    wait_until("the pause", || world.records("paused").len() == 1);
    world.edit("board.md", "## Needs Specs\n", "## Needs Specs\n\n## Later\n");
    world.run_beside(&["resume"]).exits(0);
    wait_until("the going on", || world.records("resumed").len() == 1);
    running.signal(Signal::TERM);
    running.outcome().exits(143);
}

#[test]
fn watching_it_keeps_the_last_good_rules_and_says_so() {
    let world = World::new(&cards(1));
    let running = world.start(&["run", "--watch", "--format", "json"]);
    wait_until("the first card", || world.places() == ["KB-1: Done"]);
    world.write("transitions.yaml", "statuses: { In Progress: { onPas: Done } }\n");
    wait_until("the bad rules are told", || !world.records("inputs_rejected").is_empty());
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-2 a new one @made\n");
    wait_until("a card by the old rules", || world.places() == ["KB-1: Done", "KB-2: Done"]);
    world.write(
        "transitions.yaml",
        "statuses: { In Progress: { prompt: Implement., onPass: Blocked, evidence: changes } }\n",
    );
    wait_until("the new rules", || world.records("inputs_accepted").len() == 2);
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-3 another @made\n");
    wait_until("a card by the new rules", || world.places().contains(&"KB-3: Blocked".to_owned()));
    running.signal(Signal::TERM);
    let outcome = running.outcome().exits(143);
    assert_eq!(outcome.events().iter().filter(|event| event["event"] == "inputs_rejected").count(), 1, "{outcome}");
}

/// As an editor leaves it for a moment, and a full disk for the night.
#[test]
fn watching_it_goes_on_by_the_tests_that_it_knows_when_their_file_is_emptied() {
    let world = World::new(&cards(1));
    let running = world.start(&["run", "--watch", "--format", "json"]);
    wait_until("the first card", || world.places() == ["KB-1: Done"]);
    let tests = world.read("tests.txt");
    world.write("tests.txt", "# none\n");
    wait_until("the empty file is told", || !world.records("inputs_rejected").is_empty());
    assert_eq!(world.records("inputs_rejected")[0]["problems"], json!(["tests.txt: holds no test"]));
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-2 a new one @made\n");
    wait_until("a card by the old tests", || world.places() == ["KB-1: Done", "KB-2: Done"]);
    world.write("tests.txt", format!("{tests}@red The shed is red :: includes[made/*.txt]:made for KB\n"));
    wait_until("the new tests", || world.records("inputs_accepted").len() == 2);
    running.signal(Signal::TERM);
    running.outcome().exits(143);
}

#[test]
fn watching_it_tells_what_becomes_of_a_changed_config() {
    let world = World::new(&cards(1));
    let running = world.start(&["run", "--watch"]);
    wait_until("the first card", || world.places() == ["KB-1: Done"]);
    let rejected = || world.records("inputs_rejected").len();
    let broken = ["modle: x\n", "model: [\n", "kMin: 0\n", "tests: nowhere.txt\n", "source: nowhere.md\n"];
    for (at, text) in broken.iter().enumerate() {
        world.write("kanban-codex-exec.yaml", text);
        wait_until("the bad config is told", || rejected() == at + 1);
    }
    assert_eq!(world.records("inputs_accepted").len(), 1, "none was adopted");
    world.write("kanban-codex-exec.yaml", "model: another\n");
    wait_until("the good config", || world.records("inputs_accepted").len() == 2);
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-2 a new one @made\n");
    wait_until("a card by the old settings", || world.places() == ["KB-1: Done", "KB-2: Done"]);
    running.signal(Signal::TERM);
    let outcome = running.outcome().exits(143).says("a changed config from the next start on");
    for problem in [
        "unknown setting `modle`",
        "not valid YAML",
        "`kMin: 0` is not a number",
        "nowhere.txt: no such file",
        "nowhere.md: no such board",
    ] {
        assert!(outcome.stdout.contains(problem), "{problem}: {outcome}");
    }
    assert!(world.records("attempt_started").iter().all(|record| !record.to_string().contains("another")), "{outcome}");
    // What was adopted is what the next run holds to.
    world.run(&["run"]).exits(0);
    assert_eq!(world.records("inputs_held").len(), 0);
}

#[test]
fn a_stop_in_mid_attempt_spends_none_and_the_next_run_finishes() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::new(&cards(1)).codex("wait_for go; make made");
        let running = world.start(&["run"]);
        world.wait_for("waiting");
        running.signal(signal);
        running.outcome().exits(code);
        assert_eq!(world.places(), ["KB-1: In Progress"]);
        assert_eq!(world.records("attempt_ended")[0]["ending"]["kind"], "interrupted");
        std::fs::write(world.path("go"), "").unwrap();
        world.run(&["run"]).exits(0).says("2 promoted");
        let numbers: Vec<_> = world.records("attempt_started").iter().map(|record| record["number"].as_u64()).collect();
        assert_eq!(numbers, [1, 1, 1].map(Some));
    }
}

#[test]
fn two_runs_at_once_execute_each_of_20_cards_once() {
    let rules = "statuses: { In Progress: { prompt: Implement., onPass: Done, evidence: changes } }\n";
    let world = World::new(&cards(20)).with("transitions.yaml", rules);
    let both = [world.start(&["run"]), world.start(&["run"])];
    let holders = both.each_ref().map(|running| running.child.id());
    let ended = both.map(|running| running.outcome_alone());
    let winner = usize::from(ended[0].code != Some(0));
    let [won, lost] = [&ended[winner], &ended[1 - winner]];
    assert_eq!((won.code, lost.code), (Some(0), Some(1)), "{won}\n{lost}");
    let holder = format!("pid {},", holders[winner]);
    assert!(lost.stderr.contains(&holder), "{holder} is not in {lost}");
    let mut executions = world.executions();
    assert_eq!(executions.len(), 20);
    executions.dedup();
    assert_eq!(executions.len(), 20);
    assert!(!world.overlapped());
    assert!(world.places().iter().all(|place| place.ends_with(": Done")), "{:?}", world.places());
}
