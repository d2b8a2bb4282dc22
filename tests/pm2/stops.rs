//! Stopped and started again, in whatever way and whatever is at work.

use std::fs;

use serde_json::json;

use super::{APP, Pm2, RULES};
use crate::support::World;
use crate::support::board::cards;
use crate::support::model::{self, Model};

/// Each ends the runner, and starts it again; in between nothing may be left.
const WAYS: [&[&[&str]]; 5] = [
    &[&["stop", APP], &["start", APP]],
    &[&["restart", APP]],
    &[&["reload", APP]],
    &[&["delete", APP], &["start", "CONFIG"]],
    &[&["kill"], &["start", "CONFIG"]],
];

/// What is at work when it is stopped, in order.
const POINTS: [&str; 4] = ["codex", "test", "before", "after"];

/// Leaves what is hard to find, says where it is, and waits for leave to go on.
const HOLD: &str = r#"#!/bin/sh
setsid sleep 300 &
(setsid sh -c 'sleep 300 & sleep 300' &)
: >"$WORLD/at-$1"
until [ -e "$WORLD/go-$1" ]; do sleep 0.01; done
"#;

const HOOKED: &str = "\
statuses:
  In Progress:
    prompt: Implement.
    onPass: Done
    evidence: [changes]
    beforeTransition: { shell: ./hold.sh before }
    afterTransition: { shell: ./hold.sh after }
";

/// A card for each way, which is stopped so at each point.
fn stopped_everywhere(ways: &[&[&[&str]]], other: &str) {
    let world = World::new(&cards(ways.len()))
        .with("transitions.yaml", HOOKED)
        .with("tests.txt", "@made the file is made :: shell:./hold.sh test\n")
        .program("hold.sh", HOLD)
        .codex("./hold.sh codex; make made")
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "./hold.sh");
    let Some(pm2) = Pm2::new(world, other) else { return };
    pm2.start();
    for (number, way) in ways.iter().enumerate() {
        for (index, point) in POINTS.iter().enumerate() {
            let when = format!("{way:?} at {point}");
            let file = |kind: &str, point: &str| pm2.world.path(&format!("{kind}-{point}"));
            pm2.until(&when, || file("at", point).exists());
            for (step, command) in way.iter().enumerate() {
                pm2.does(command);
                if step + 1 < way.len() {
                    pm2.assert_nothing_is_left(&when);
                }
            }
            let next = POINTS[(index + 1) % POINTS.len()];
            for kind in ["at", "go"] {
                fs::remove_file(file(kind, next)).ok();
            }
            fs::write(file("go", point), "").unwrap();
        }
        pm2.until_done(number + 1);
    }
    pm2.assert_executed_once(ways.len());
    assert_eq!(pm2.world.executions().len(), 2 * ways.len(), "{}", pm2.told());
    let failed = pm2.world.records("judged").iter().filter(|judged| judged["verdict"] != "pass").count();
    assert_eq!(failed, 0, "a stop is no failure of a card's: {}", pm2.told());
    pm2.does(&["delete", APP]);
    pm2.assert_nothing_is_left("at the end");
}

#[test]
fn stopped_anywhere_in_any_way_it_goes_on_where_it_was() {
    stopped_everywhere(&WAYS, "");
}

#[test]
fn pm2s_own_tree_kill_is_no_failure_of_a_card_either() {
    stopped_everywhere(&WAYS[..1], "treekill: true");
}

/// Then PM2 kills the runner, and what that left may still be ending when the next one starts.
#[test]
fn a_stop_that_takes_longer_than_kill_timeout_loses_nothing_either() {
    let deaf = "[ -e \"$WORLD/go\" ] || { setsid sleep 300 & trap '' INT TERM; wait_for go; }; make made";
    let world = World::new(&cards(1)).with("transitions.yaml", RULES).codex(deaf).env("KANBAN_GRACE", "3s");
    let Some(pm2) = Pm2::new(world, "kill_timeout: 300") else { return };
    pm2.start();
    pm2.until("codex", || pm2.world.path("waiting").exists());
    fs::remove_file(pm2.world.path("waiting")).unwrap();
    pm2.does(&["restart", APP]);
    pm2.until("codex again", || pm2.world.path("waiting").exists());
    assert_eq!(pm2.ends("signal [SIGKILL]"), 1, "{}", pm2.told());
    fs::write(pm2.world.path("go"), "").unwrap();
    pm2.until_done(1);
    pm2.assert_executed_once(1);
    assert_eq!(pm2.world.records("attempt_ended")[0]["ending"]["kind"], "interrupted");
}

/// Its tools are in sessions of their own, where no signal to codex's group reaches them.
#[test]
fn the_real_codex_is_stopped_in_mid_tool_with_all_that_the_tool_left() {
    let Some(world) = model::world(&cards(1)) else { return };
    let tool = "[ -e $WORLD/go ] || { setsid sleep 300 & (setsid sh -c 'sleep 300 & sleep 300' &); : >$WORLD/waiting; \
                sleep 300; }; mkdir -p made; echo 'made for KB-1' >made/KB-1.txt";
    let model = Model::start(&world, &json!([{"match": "", "steps": [{"shell": tool}, {"say": "Made."}]}]));
    let Some(pm2) = Pm2::new(world.with("transitions.yaml", RULES), "") else { return };
    pm2.start();
    for way in [["stop", APP].as_slice(), &["delete", APP], &["kill"]] {
        pm2.until("the tool", || pm2.world.path("waiting").exists());
        pm2.does(way);
        pm2.assert_nothing_is_left(way[0]);
        fs::remove_file(pm2.world.path("waiting")).unwrap();
        pm2.start();
    }
    pm2.until("the tool", || pm2.world.path("waiting").exists());
    fs::write(pm2.world.path("go"), "").unwrap();
    pm2.does(&["restart", APP]);
    pm2.until_done(1);
    let endings: Vec<_> = pm2.world.records("attempt_ended").iter().map(|end| end["ending"]["kind"].clone()).collect();
    assert_eq!(endings, ["interrupted", "interrupted", "interrupted", "interrupted", "ok"], "{}", pm2.told());
    let finished = model.requests().iter().filter(|request| request["answers"] == 1).count();
    assert_eq!(finished, 1, "one turn came to its end");
}
