//! The runner ends by itself: PM2 starts it again where that may help, at its pace, and leaves it alone where not.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use super::{Pm2, RULES};
use crate::support::World;
use crate::support::board::cards;

fn world(count: usize) -> World {
    World::new(&cards(count)).with("transitions.yaml", RULES)
}

/// Without a delay PM2 says `stopped` of what it will not start again; with one it says `waiting restart` of that as well.
const AT_ONCE: &str = "restart_delay: undefined";
const WITHOUT_WATCH: &str = "restart_delay: undefined, args: app.args.filter(word => word !== '--watch')";

#[test]
fn what_a_restart_would_not_help_is_left_alone() {
    type Prepare = fn(World) -> World;
    let cases: [(&str, Prepare, &str, &str, &[&str]); 4] = [
        ("a drained board", |world| world, WITHOUT_WATCH, "code [10]", &["KB-1: Done", "KB-2: Done"]),
        (
            "a guard",
            |world| world.env("KANBAN_MAX_CARDS", "1"),
            AT_ONCE,
            "code [3]",
            &["KB-2: In Progress", "KB-1: Done"],
        ),
        (
            "wrong rules",
            |world| world.with("transitions.yaml", "statuses: { In Progress: { onPas: Done } }\n"),
            AT_ONCE,
            "code [2]",
            &["KB-1: In Progress", "KB-2: In Progress"],
        ),
        (
            "a wrong setting",
            |world| world.env("K_REQ", "many"),
            AT_ONCE,
            "code [2]",
            &["KB-1: In Progress", "KB-2: In Progress"],
        ),
    ];
    for (case, prepare, other, end, places) in cases {
        let Some(pm2) = Pm2::new(prepare(world(2)), other) else { return };
        pm2.start();
        pm2.until(case, || pm2.ends("code") > 0 && pm2.status() == "stopped");
        assert_eq!((pm2.ends(end), pm2.starts()), (1, 1), "{case}: {}", pm2.told());
        assert_eq!(pm2.world.places(), places, "{case}: {}", pm2.told());
        pm2.assert_executed_once(places.iter().filter(|place| place.ends_with("Done")).count());
        pm2.assert_nothing_is_left(case);
        let (stream, word) = if end == "code [2]" { ("error", "error: ") } else { ("out", "summary ") };
        pm2.says(stream, word);
    }
}

#[test]
fn a_delay_starts_nothing_that_is_left_alone() {
    let Some(pm2) = Pm2::new(world(2).env("KANBAN_MAX_CARDS", "1"), "restart_delay: 100") else { return };
    pm2.start();
    pm2.until("the guard", || pm2.ends("code [3]") == 1);
    pm2.until("PM2's word for it", || pm2.status() == "waiting restart" && pm2.app()["pid"] == 0);
    // A start would have come in this time.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(pm2.starts(), 1, "{}", pm2.told());
}

/// Codex out of order is waited for, however long: first by the runner, then by PM2.
#[test]
fn where_codex_cannot_work_it_is_tried_again_after_the_shipped_delay() {
    let error = r#"{"type":"turn.failed","error":{"message":"unexpected status 503 Service Unavailable"}}"#;
    let broken = &format!("raw\nbegin; echo '{error}'; exit 1");
    let world = world(1).codex(broken).env("KANBAN_INFRASTRUCTURE_LIMIT", "2");
    let Some(pm2) = Pm2::new(world, "") else { return };
    pm2.start();
    pm2.until("the end", || pm2.ends("code [4]") == 1);
    assert_eq!(pm2.world.executions().len(), 2, "{}", pm2.told());
    pm2.assert_nothing_is_left("between two starts");
    assert_eq!(pm2.world.places(), ["KB-1: In Progress"]);
    crate::support::stand_in::write(&pm2.world.path("codex"), "make made");
    pm2.until_done(1);
    let at = |event: &str, index: usize| -> jiff::Timestamp {
        pm2.world.records(event)[index]["at"].as_str().unwrap().parse().unwrap()
    };
    let waited = at("run_started", 1).duration_since(at("summary", 0));
    assert!(waited.as_secs() >= 14, "{waited:?}: {}", pm2.told());
    let numbers: Vec<_> = pm2.world.records("attempt_started").iter().map(|record| record["number"].clone()).collect();
    assert_eq!(numbers, [1, 1, 1], "it cost the card no attempt");
    pm2.assert_executed_once(1);
}

#[test]
fn what_never_works_is_given_up() {
    let world = world(1);
    // A cache that can't be made.
    fs::write(world.repo(".cache"), "").unwrap();
    let Some(pm2) = Pm2::new(world, "restart_delay: 50, max_restarts: 4") else { return };
    pm2.start();
    pm2.until("PM2 gives up", || pm2.given_up());
    assert_eq!(pm2.status(), "waiting restart", "PM2's word for it, where there is a delay");
    assert_eq!((pm2.starts(), pm2.ends("code [1]")), (4, 4), "{}", pm2.told());
    // PM2 sees an end before it has read the last lines.
    pm2.until("each says why", || pm2.log("error").matches("error: ").count() == 4);
    assert_eq!(pm2.world.places(), ["KB-1: In Progress"]);
    pm2.assert_nothing_is_left("given up");
}

/// PM2 counts failed starts in the first `min_uptime` times `max_restarts` alone: here, three seconds.
#[test]
fn what_stops_working_later_is_started_again_for_as_long_as_it_takes() {
    let Some(pm2) = Pm2::new(world(1), "restart_delay: 50, min_uptime: '1s', max_restarts: 3") else { return };
    pm2.start();
    pm2.until_done(1);
    std::thread::sleep(Duration::from_secs(4));
    let runner = pm2.runner();
    let cache = pm2.world.repo(".cache");
    fs::remove_dir_all(&cache).unwrap();
    fs::write(&cache, "").unwrap();
    pm2.signal(runner, Signal::KILL);
    pm2.until("more failed starts than the limit", || pm2.ends("code [1]") > 6);
    assert!(!pm2.given_up(), "{}", pm2.told());
    fs::remove_file(&cache).unwrap();
    pm2.world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-2 a new one @made\n");
    pm2.until_done(2);
    pm2.assert_executed_once(2);
}
