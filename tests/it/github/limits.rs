//! What a run costs, and what it does when it has had enough.

use std::time::Duration;

use kanban_codex_exec::board::Column;
use kanban_codex_exec::failure::Failure;
use kanban_codex_exec::provider::Wanted;
use serde_json::json;

use super::server::{Fail, Kind, Project};
use super::world;
use crate::support::wait_until;

const RULES: &str = "statuses: { In Progress: { prompt: Go., onPass: Done, evidence: changes } }\n";

fn limited(headers: &'static str) -> Fail {
    let body = json!({ "message": "You have exceeded a secondary rate limit" }).to_string();
    Fail::Reply { status: 403, headers, body }
}

#[test]
fn a_limit_is_waited_for_and_what_is_owed_is_done_once() {
    for operation in ["Card", "Move", "AddComment", "Board"] {
        let project = Project::new(&["KB-1 first @made"]);
        match operation {
            // Not at the start, which ends at once, but after the first move.
            "Board" => {
                project.meanwhile("AddComment", |state| state.failing.push(("Board", 1, limited("retry-after: 1\r\n"))))
            }
            _ => project.fail(operation, 1, limited("retry-after: 1\r\n")),
        }
        let world = world(&project).with("transitions.yaml", RULES);
        world.run(&["run"]).exits(0).says("1 promoted").says("away      the board").says("rate limit");
        assert_eq!(
            (project.places(), project.comments("KB-1").len()),
            (vec!["KB-1: Done".to_owned()], 1),
            "{operation}"
        );
        assert_eq!((world.executions().len(), world.records("transitioned").len()), (1, 1), "{operation}");
    }
}

/// The project could be read at the start: what is wrong in mid-run is waited for, and only for so long.
#[test]
fn an_odd_answer_in_mid_run_is_waited_for() {
    let reply = |status, headers, body: &str| Fail::Reply { status, headers, body: body.to_owned() };
    let fault = |fault| Fail::Reply { status: 200, headers: "", body: json!({ "errors": [fault] }).to_string() };
    for (times, odd) in [
        (1, reply(401, "", r#"{"message":"Bad credentials"}"#)),
        (2, reply(403, "", "<html>Forbidden by proxy</html>")),
        (1, reply(429, "retry-after: 1\r\n", "slow down")),
        (1, reply(429, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "slow down")),
        (1, reply(301, "location: http://127.0.0.1:1/\r\n", "")),
        (1, fault(json!({ "message": "Timed out" }))),
        (1, fault(json!({ "type": "RESOURCE_LIMITS_EXCEEDED", "message": "too much" }))),
        (1, Fail::Beside(json!({ "type": "INTERNAL", "message": "broke", "path": ["nodes", 0, "content"] }))),
        (9, reply(401, "", r#"{"message":"Bad credentials"}"#)),
    ] {
        let project = Project::new(&["KB-1 first @made", "KB-2 second @made"]);
        let ends = if times < 9 { (0, "2 promoted") } else { (4, "the board can't be reached 5 times in a row") };
        let world = world(&project).with("transitions.yaml", RULES).codex("wait_for go; make made");
        let run = ["run", "--backoff", "20ms"];
        let outcome = world.run_while(&run, |_| project.fail("Cards", times, odd.clone()));
        outcome.says("away      the board").exits(ends.0).says(ends.1);
        assert_eq!(world.records("transitioned").len(), if times < 9 { 2 } else { 0 });
    }
}

/// Whoever asks, and whatever for: one request finds the limit, and none is made before its end.
#[test]
fn a_limit_holds_for_all_that_is_asked() {
    let project = Project::new(&["KB-1 first @made"]);
    let board = project.board();
    project.fail("Board", 9, limited("retry-after: 3600\r\n"));
    for _ in 0..3 {
        let failure = board.outline().unwrap_err().downcast::<Failure>().unwrap();
        assert_eq!(failure.kind.code(), 4, "{failure}");
        assert!(failure.wait.is_some_and(|wait| wait <= Duration::from_secs(3600)), "{failure}");
        assert!(failure.to_string().contains("secondary rate limit"), "{failure}");
    }
    assert!(board.read(&Wanted::default()).is_err());
    assert_eq!(project.spent().0, 1);
}

/// A limit without an end in sight: one request finds it, and none is made while it lasts.
#[test]
fn nothing_is_asked_while_a_limit_lasts() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = world(&project).with("transitions.yaml", RULES);
    project.meanwhile("Card", |state| state.failing.push(("Move", 9, limited("retry-after: 3600\r\n"))));
    let running = world.start(&["run", "--watch"]);
    wait_until("the limit", || project.asked("Move") == 1);
    let asked = project.spent().0;
    running.signal(rustix::process::Signal::TERM);
    running.outcome().exits(143).says("waiting   3601 s").says("secondary rate limit");
    assert_eq!(project.spent().0, asked);
    assert_eq!(project.places(), ["KB-1: In Progress"]);
}

#[test]
fn a_watcher_outlives_whatever_its_board_does() {
    let project = Project::new(&["KB-1 first @made"]);
    let away = |status| Fail::Reply { status, headers: "", body: "<html>".into() };
    // At the start, also under the lock, and later more often than a plain run would bear.
    project.fail("Board", 3, away(502));
    let world = world(&project).with("transitions.yaml", RULES);
    let running = world.start(&["run", "--watch", "--infrastructure-limit", "2"]);
    wait_until("the first card", || project.places() == ["KB-1: Done"]);
    for failing in [away(504), Fail::Lost, away(401), limited("retry-after: 1\r\n")] {
        project.fail("Board", 3, failing);
    }
    project.with(|state| state.asked.clear());
    wait_until("all failures", || project.with(|state| state.failing.iter().all(|(_, times, _)| *times == 0)));
    project.add(Kind::Issue, "In Progress", "KB-2 second @made", "");
    wait_until("the second card", || project.places() == ["KB-1: Done", "KB-2: Done"]);
    running.signal(rustix::process::Signal::TERM);
    running.outcome().exits(143).says("2 promoted");
}

#[test]
fn ten_thousand_items_are_read_in_pages_of_a_hundred_and_only_those_to_be_worked_in_full() {
    let project = Project::new(&["KB-1 first @made", "KB-2 second @made"]);
    for number in 3..=10_000 {
        project.add(Kind::Issue, if number % 2 == 0 { "Done" } else { "Backlog" }, &format!("KB-{number} parked"), "");
    }
    let world = world(&project).with("transitions.yaml", RULES);
    world.run(&["print-plan"]).exits(0).says("KB-2 second");
    // The columns, a hundred pages, the two cards.
    assert_eq!((project.asked("Board"), project.asked("Cards"), project.spent()), (101, 1, (102, 102)));
    let board = project.board();
    assert_eq!(board.rest(), Duration::ZERO);
    let wanted = Wanted { columns: vec![Column("In Progress".into())], ..Wanted::default() };
    assert_eq!(board.read(&wanted).unwrap().cards.len(), 10_000);
    // 101 of 5000 points: so a watcher uses half of an hour's.
    assert_eq!(board.rest(), Duration::from_secs(101 * 2 * 3600 / 5000));
}

/// So much a run of cards costs that pass at once, on a board of one page: what the start takes, then two readings of two
/// requests and a move of three for each card.
#[test]
fn a_run_costs_little_and_what_it_costs_is_in_the_log() {
    for cards in [1, 5, 20] {
        let names: Vec<String> = (1..=cards).map(|number| format!("KB-{number} card @made")).collect();
        let project = Project::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let world = world(&project).with("transitions.yaml", RULES);
        world.run(&["run", "--log-level", "debug"]).exits(0).says(&format!("{cards} promoted"));
        let (requests, points) = project.spent();
        println!("{cards} cards: {requests} requests, {points} points");
        assert!(
            requests <= 12 + 7 * cards && points <= requests as u64,
            "{cards} cards: {requests} requests, {points} points"
        );
        let log = std::fs::read_to_string(world.cache("logs/run.log")).unwrap();
        assert!(log.contains("asked GitHub for Move") && log.contains("of 5000 left"), "{log}");
    }
}
