//! The real codex works a board; only the model behind it is a stand-in on the loopback interface.
//!
//! It is taken from `CODEX_BIN` or PATH. Where there is none these tests say that they were skipped; with `KANBAN_CI=1` they
//! fail.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::board::{cards, diff, note, without_state};
use crate::support::model::{self, Model, configure};
use crate::support::{Outcome, World, processes, wait_until};

/// `KB-1` by a tool call, `KB-2` by a patch, `KB-3` by words alone.
fn three_cards() -> Value {
    json!([
        {"match": "Review", "steps": [{"say": "I looked at it."}]},
        {"match": "KB-1", "steps": [{"shell": "mkdir -p made; echo 'made for KB-1' >made/KB-1.txt"}, {"say": "Made."}]},
        {"match": "KB-2", "steps": [
            {"patch": "*** Begin Patch\n*** Add File: made/KB-2.txt\n+made for KB-2\n*** End Patch"}, {"say": "Made."}]},
        {"match": "KB-3", "steps": [{"say": "All is made for KB-3, and all tests pass."}]},
    ])
}

#[test]
fn three_cards_are_worked_and_the_idle_one_is_bounced() {
    let Some(world) = model::world(&cards(3)) else { return };
    let model = Model::start(&world, &three_cards());
    let before = world.board();
    world.run(&["run"]).exits(0).says("4 promoted, 1 bounced");
    assert_eq!(world.places(), ["KB-3: Needs Specs", "KB-1: Done", "KB-2: Done"]);
    assert!(note(&world.board(), "KB-3").contains("made: `made for KB` is not in"), "{}", world.board());

    let requests = model.requests();
    let prompts: Vec<_> =
        requests.iter().filter(|request| request["answers"] == 0).map(|request| &request["prompt"]).collect();
    let expected: Vec<String> = ["Implement", "Review"]
        .iter()
        .flat_map(|step| (1..=3).map(move |card| format!("{step} the card.\n\nKB-{card} card @made")))
        .filter(|prompt| !prompt.starts_with("Review the card.\n\nKB-3"))
        .collect();
    assert_eq!(prompts, expected.iter().collect::<Vec<_>>());
    assert!(
        requests.iter().all(|request| request["model"] == "gpt-5-codex" && request["effort"] == "high"),
        "{requests:?}"
    );

    let lines = diff(&before, &without_state(&world.board()));
    assert!(lines.iter().all(|line| matches!(line.as_str(), "+" | "-")), "more than moves and state: {lines:?}");

    let after = world.board();
    world.run(&["run"]).exits(0);
    assert_eq!(model.requests().len(), requests.len(), "a second run asks nothing");
    assert_eq!(world.board(), after);
}

#[test]
fn prompts_of_every_shape_reach_the_model_whole() {
    let large: String = (0..200).map(|line| format!("\t{line:04} {}\n", "0123456789abcdef".repeat(64))).collect();
    let bodies = [
        format!("KB-1 large @made\n{large}"),
        "--help KB-1 @made\n\t--version\n".to_owned(),
        "KB-1 日本語 🦀 é e\u{301} @made\n\t\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} «»\n".to_owned(),
    ];
    for (prompt, body) in
        ["Implement.", "--version"].iter().flat_map(|prompt| bodies.iter().map(move |body| (prompt, body)))
    {
        let Some(world) = model::world(&format!("- [ ] {body}")) else { return };
        let rules = format!("statuses: {{ In Progress: {{ prompt: {prompt}, onPass: Done, evidence: changes }} }}\n");
        let world = world.with("transitions.yaml", rules);
        let model = Model::start(&world, &three_cards());
        world.run(&["run"]).exits(0).says("1 promoted");
        let expected = format!("{prompt}\n\n{}", body.replace("\n\t", "\n").trim_end());
        let sha256 = kanban_codex_exec::storage::sha256(expected.as_bytes());
        assert_eq!(model.requests()[0]["sha256"], sha256, "{expected:.100}");
    }
}

/// No card moved, none of their attempts is spent, and the way out is told.
fn costs_nothing(world: &World, outcome: &Outcome, board: &str, hint: &str) {
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(outcome.stderr.contains("hint: ") && outcome.stderr.contains(hint), "{hint:?}: {outcome}");
    assert_eq!(world.board(), board);
    assert_eq!(world.records("judged"), [] as [Value; 0]);
    let ended = world.records("attempt_ended");
    assert_eq!(ended.len(), 2, "the set number: {outcome}");
    assert!(ended.iter().all(|record| record["ending"]["kind"] == "infrastructure"), "{ended:?}");
}

#[test]
fn a_model_that_refuses_bounces_no_card_and_spends_no_attempt() {
    let retry = json!({"retry-after": "1"});
    #[rustfmt::skip]
    let cases = [
        (json!({"status": 429}), "wait for the reset"),
        (json!({"status": 429, "headers": retry}), "wait for the reset"),
        (json!({"status": 429, "error": {"type": "usage_limit_reached", "message": "limit"}}), "plan"),
        (json!({"status": 429, "error": {"code": "insufficient_quota", "message": "quota"}}), "billing"),
        (json!({"status": 401}), "codex login"),
        (json!({"status": 403}), "codex login"),
        (json!({"status": 503}), "trying again later"),
    ];
    let worlds: Option<Vec<_>> = cases.into_iter().map(|case| Some((model::world(&cards(1))?, case))).collect();
    let Some(worlds) = worlds else { return };
    std::thread::scope(|scope| {
        for (world, (step, hint)) in worlds {
            scope.spawn(move || {
                let _model = Model::start(&world, &json!([{"match": "", "steps": [step]}]));
                let before = world.board();
                let outcome = world.run(&["run", "--infrastructure-limit", "2"]);
                costs_nothing(&world, &outcome, &before, hint);
            });
        }
    });
}

#[test]
fn a_codex_that_is_not_logged_in_says_so_before_any_request() {
    let Some(world) = model::world(&cards(1)) else { return };
    let model = Model::start(&world, &three_cards());
    let port = std::fs::read_to_string(world.path("port")).unwrap();
    configure(&world, &port, "env_key = \"NO_SUCH_KEY\"\n");
    let before = world.board();
    let outcome = world.run(&["run", "--infrastructure-limit", "2"]);
    costs_nothing(&world, &outcome, &before, "codex login");
    assert_eq!(model.requests(), [] as [Value; 0]);
}

#[test]
fn a_network_that_is_down_or_silent_ends_within_the_limits() {
    let limits = ["run", "--infrastructure-limit", "2", "--start-limit", "4s", "--silence-limit", "4s"];
    let Some(world) = model::world(&cards(1)) else { return };
    let before = world.board();
    // Port 1 of the loopback interface: nobody listens.
    configure(&world, "1", "");
    costs_nothing(&world, &world.run(&limits), &before, "check the connection");

    let Some(world) = model::world(&cards(1)) else { return };
    let _model = Model::start(&world, &json!([{"match": "", "steps": [{"hang": true}]}]));
    costs_nothing(&world, &world.run(&limits), &before, "check the connection");
}

#[test]
fn what_went_wrong_outside_is_forgotten_once_codex_works_again() {
    let Some(world) = model::world(&cards(1)) else { return };
    configure(&world, "1", "");
    world.run(&["run", "--infrastructure-limit", "1", "--start-limit", "3s", "--silence-limit", "3s"]).exits(4);
    let _model = Model::start(&world, &three_cards());
    world.run(&["run"]).exits(0).says("2 promoted");
    let numbers: Vec<_> = world.records("attempt_started").iter().map(|record| record["number"].as_u64()).collect();
    assert_eq!(numbers, [1, 1, 1].map(Some));
}

/// Codex gives each tool a session of its own, and passes a kill on to none.
#[test]
fn however_the_run_ends_nothing_of_a_tools_tree_is_left() {
    let tool = "[ -e $WORLD/go ] || { setsid sleep 300 & (setsid sh -c 'sleep 300 & sleep 300' &); \
                sh -c \"trap '' INT TERM HUP; sleep 300; sleep 300\" & : >$WORLD/waiting; sleep 300; }; \
                mkdir -p made; echo 'made for KB-1' >made/KB-1.txt";
    let script = json!([{"match": "", "steps": [{"shell": tool}, {"say": "Made."}]}]);
    for (signal, code) in
        [(Signal::INT, Some(130)), (Signal::TERM, Some(143)), (Signal::HUP, Some(143)), (Signal::KILL, None)]
    {
        let Some(world) = model::world(&cards(1)) else { return };
        let _model = Model::start(&world, &script);
        let running = world.start(&["run"]);
        world.wait_for("waiting");
        running.signal(signal);
        let outcome = running.outcome_alone();
        assert_eq!(outcome.code, code, "{signal:?}: {outcome}");
        if signal == Signal::KILL {
            wait_until("the launcher's end", || processes::of(&world.path("")).is_empty());
        }
        assert_eq!(processes::of(&world.path("")), [] as [String; 0], "{signal:?}");
        std::fs::write(world.path("go"), "").unwrap();
        world.run(&["run"]).exits(0).says("2 promoted");
    }
}
