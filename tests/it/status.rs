//! `status`: what runs now, what is next, and why each card is worked or not.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;

use serde_json::{Value, json};

use crate::support::{World, picture, wait_until};

#[track_caller]
fn status(world: &World) -> Value {
    serde_json::from_str(&world.run_beside(&["status", "--format", "json"]).exits(0).stdout).unwrap()
}

/// Times are others each time.
pub fn settled(page: &str) -> String {
    let times = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d|pid \d+|\b\d+\.\d s").unwrap();
    times.replace_all(page, "…").into_owned()
}

fn verdicts(status: &Value) -> Vec<String> {
    let cards = status["queue"].as_array().unwrap();
    cards
        .iter()
        .map(|card| format!("{}: {}", card["id"].as_str().unwrap(), card["verdict"].as_str().unwrap()))
        .collect()
}

#[test]
fn before_the_first_run_each_card_has_its_verdict() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 nothing knows it\n");
    let page = world.run(&["status"]).exits(0);
    insta::assert_snapshot!("status_before", page.stdout);
    let status = status(&world);
    assert_eq!((&status["version"], &status["run"], &status["atWork"]), (&json!(1), &json!(null), &json!(false)));
    assert_eq!(verdicts(&status), ["KB-1: ready", "KB-2: unverified"]);
}

#[test]
fn while_a_run_works_it_tells_the_attempt_and_what_codex_did_last() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n").codex(
        r#"printf '{"type":"item.started","item":{"id":"i","type":"command_execution","command":"/bin/bash -lc '"'cargo test'"'"}}\n'
make made; wait_for go"#,
    );
    let outcome = world.run_while(&["run"], |world| {
        let events = world.cache("attempts/KB-1.1/events.jsonl");
        wait_until("codex's events", || fs::read_to_string(&events).is_ok_and(|text| text.contains("cargo test")));
        let before = picture(&world.path("repo"));
        let page = world.run_beside(&["status"]).exits(0);
        insta::assert_snapshot!("status_at_work", settled(&page.stdout));
        let status = status(world);
        assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0], "nothing is written");
        assert_eq!(status["atWork"], true);
        assert_eq!(status["attempts"][0]["attempt"], "KB-1.1");
        assert_eq!(status["attempts"][0]["event"]["text"], "cargo test");
        assert_eq!(verdicts(&status), ["KB-1: running", "KB-2: ready"]);
    });
    outcome.exits(0);
}

#[test]
fn a_run_that_waits_for_codex_says_until_when() {
    let limit = "raw\nbegin\necho '{\"type\":\"turn.failed\",\"error\":{\"message\":\"You have hit your usage limit. Try again in 3 hours.\"}}'\nexit 1";
    let world = World::new("- [ ] KB-1 first @made\n").codex(limit);
    let running = world.start(&["run"]);
    wait_until("the end of the attempt", || !world.records("attempt_ended").is_empty());
    let until: jiff::Timestamp = status(&world)["waitsUntil"].as_str().unwrap().parse().unwrap();
    let minutes = until.duration_since(jiff::Timestamp::now()).as_mins();
    assert!((170..=180).contains(&minutes), "{until}");
    world.run_beside(&["status"]).exits(0).says("UTC: then codex is tried again");
    running.signal(rustix::process::Signal::INT);
    running.outcome().exits(130);
    assert_eq!(status(&world)["waitsUntil"], json!(null));
}

#[test]
fn after_a_run_it_tells_how_that_ended() {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.run(&["run"]).exits(0);
    let page = world.run(&["status"]).exits(0);
    page.says("no run    is at work").says("2 promoted, 0 bounced").says("240 tokens").says("nothing left to do");
    let status = status(&world);
    assert_eq!(status["run"]["stopped"], "drained");
    assert_eq!((&status["queue"], &status["parked"]), (&json!([]), &json!(1)));
}

#[test]
fn of_a_run_that_died_it_tells_what_the_next_one_goes_on_with() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; wait_for go");
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    running.kill();
    let status = status(&world);
    assert_eq!((&status["atWork"], &status["run"]["stopped"]), (&json!(false), &json!(null)));
    assert_eq!(verdicts(&status), ["KB-1: ready"]);
    world.run_beside(&["status"]).exits(0).says("it died: the next run goes on with it").says("its runner died");
    world.run_beside(&["history"]).exits(0).says("running").says("its runner died");
    fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0);
}

#[test]
fn what_people_asked_for_and_what_waits_for_them_is_told() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n");
    world.run(&["skip", "KB-1"]).exits(0);
    world.run(&["pause"]).exits(0);
    let page = world.run(&["status"]).exits(0);
    page.says("paused    no attempt is started").says("held back by `skip`").says("1 ready, 1 blocked, 0 elsewhere");
}

#[test]
fn where_the_board_is_away_it_tells_why_and_what_the_journal_knows() {
    let world = World::new("- [ ] KB-1 first @made\n");
    // Without a journal there is nothing to tell.
    fs::rename(world.repo("board.md"), world.path("board.md")).unwrap();
    world.run(&["status"]).exits(2).warns("no board given");
    fs::rename(world.path("board.md"), world.repo("board.md")).unwrap();
    world.run(&["run"]).exits(0);
    fs::rename(world.repo("board.md"), world.path("board.md")).unwrap();
    for args in [&["status"][..], &["status", "--source", "board.md"]] {
        world.run(args).exits(0).says("away      --source: ").says("2 promoted");
    }
    world.run(&["history"]).exits(0).says("2 attempts: 2 pass");
    world.run(&["logs", "KB-1"]).exits(0).says("I did what the card says.");
    fs::rename(world.path("board.md"), world.repo("board.md")).unwrap();
    world.write("tests.txt", "regex:/(/\n");
    world.run(&["status"]).exits(0).says("away      tests.txt:1").says("2 promoted");
}

#[test]
fn a_run_is_found_wherever_it_keeps_its_journal() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; wait_for go");
    let elsewhere = world.path("elsewhere").display().to_string();
    let outcome = world.run_while(&["run", "--cache-dir", &elsewhere], |world| {
        assert_eq!(verdicts(&status(world)), ["KB-1: running"]);
        world.run_beside(&["logs", "KB-1"]).exits(0).says("attempt   KB-1.1 in In Progress");
        world.run_beside(&["history"]).exits(0).says("it is at work");
    });
    outcome.exits(0);
}

/// That of another user, or in a container, has other temporary files.
#[test]
fn a_run_whose_lock_files_cannot_be_seen_is_known_by_the_history_that_it_holds() {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.run(&["pause"]).exits(0);
    world.run(&["resume"]).exits(0);
    let held = std::fs::File::open(world.cache("")).unwrap();
    held.lock().unwrap();
    world.run(&["run"]).exits(1).warns("another run holds the history ").warns("stop that one first");
    assert_eq!(world.executions(), [] as [String; 0]);
    assert_eq!(status(&world)["atWork"], true);
    world.run(&["doctor"]).says("a run is at work: one of another user");
    drop(held);
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn another_boards_run_in_the_workspace_is_named() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; wait_for go");
    world.write("desk/board.md", world.board());
    for file in ["tests.txt", "transitions.yaml"] {
        world.write(&format!("desk/{file}"), world.read(file));
    }
    let outcome = world.run_while(&["run"], |world| {
        let page = world.run_beside(&["status", "--source", "desk/board.md"]).exits(0);
        page.says("no run    another board's run holds").says("run --source");
    });
    outcome.exits(0);
}
