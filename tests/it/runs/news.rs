//! `onEvent`: what a run tells of.

use std::fs;

use serde_json::{Value, json};

use crate::support::{RULES, World};

/// Writes each event down, as `occasion card from → to verdict`, and what it read.
const LISTENER: &str = "#!/bin/sh
echo \"$KANBAN_EVENT $KANBAN_CARD_ID $KANBAN_FROM → $KANBAN_TO $KANBAN_VERDICT\" >>\"$WORLD/news\"
cat >>\"$WORLD/json\"; echo >>\"$WORLD/json\"
";

fn listening(cards: &str, on_event: &str) -> World {
    World::new(cards)
        .with("transitions.yaml", format!("{RULES}onEvent: {on_event}\n"))
        .program("hooks/news.sh", LISTENER)
}

const ALL: &str = "{ shell: ./hooks/news.sh }";

fn told(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.path("news")).unwrap_or_default();
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn one_hook_hears_of_everything_once() {
    let world = listening("- [ ] KB-1 first @made\n- [ ] KB-2 second @checked\n- [ ] KB-3 nothing knows it\n", ALL);
    world.run(&["run"]).exits(0);
    let expected = [
        "promoted KB-1 In Progress → Review pass",
        "bounced KB-2 In Progress → Needs Specs fail",
        "bounced KB-3 In Progress → Needs Specs unverified",
        "promoted KB-1 Review → Done pass",
        "drained   →",
    ];
    assert_eq!(told(&world), expected);
    // What is known is no news, to a later run either.
    world.run(&["run"]).exits(0);
    assert_eq!(told(&world), expected);
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-4 more @made\n");
    world.run(&["run"]).exits(0);
    assert_eq!(
        told(&world)[5..],
        ["promoted KB-4 In Progress → Review pass", "promoted KB-4 Review → Done pass", "drained   →"]
    );
}

#[test]
fn it_reads_the_event_and_how_the_run_stands() {
    let world = listening("- [ ] KB-1 first @made\n", ALL);
    world.run(&["run"]).exits(0);
    let text = fs::read_to_string(world.path("json")).unwrap();
    let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let counts =
        |promoted: u32| json!({"promoted": promoted, "bounced": 0, "skipped": 0, "unverified": 0, "failed": 0});
    let repo = world.path("repo").display().to_string();
    let first = json!({
        "hook": "onEvent", "event": "promoted", "card": "KB-1", "title": "KB-1 first @made", "from": "In Progress",
        "to": "Review", "verdict": "pass", "reason": "1 of 1 required tests passed", "attempt": "KB-1.1",
        "counts": counts(1), "workspace": repo,
    });
    let last = json!({
        "hook": "onEvent", "event": "drained", "card": null, "title": null, "from": null, "to": null, "verdict": null,
        "reason": "nothing left to do", "attempt": null, "counts": counts(2), "workspace": repo,
    });
    assert_eq!((&read[0], read.last().unwrap()), (&first, &last));
    let schema = kanban_codex_exec::schema::Schema::named("event").unwrap().value();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(read.iter().all(|told| validator.is_valid(told)), "{text}");
}

#[test]
fn each_event_may_have_a_hook_of_its_own() {
    let world = listening(
        "- [ ] KB-1 first @made\n- [ ] KB-2 second @checked\n",
        "\n  bounced: { shell: ./hooks/news.sh }\n  drained: { shell: 'echo >\"$WORLD/drained\"' }",
    );
    world.run(&["run"]).exits(0);
    assert_eq!(told(&world), ["bounced KB-2 In Progress → Needs Specs fail"]);
    assert!(world.path("drained").exists());
    // Who listens from now on hears of what happens from now on.
    world.write("transitions.yaml", format!("{RULES}onEvent: {ALL}\n"));
    world.run(&["run"]).exits(0);
    assert_eq!(told(&world).len(), 1);
}

#[test]
fn a_card_whose_attempts_are_used_up_is_told_as_that() {
    let rules = RULES.replacen("onFail: Needs Specs", "maxAttempts: 2\n    onExhausted: Blocked", 1);
    let world =
        listening("- [ ] KB-1 first @checked\n", ALL).with("transitions.yaml", format!("{rules}onEvent: {ALL}\n"));
    world.run(&["run"]).exits(0);
    assert_eq!(told(&world), ["exhausted KB-1 In Progress → Blocked fail", "drained   →"]);
    let rules = rules.replace("    onExhausted: Blocked\n", "");
    let world =
        listening("- [ ] KB-1 first @checked\n", ALL).with("transitions.yaml", format!("{rules}onEvent: {ALL}\n"));
    world.run(&["run"]).exits(0);
    world.run(&["run"]).exits(0);
    assert_eq!(told(&world), ["exhausted KB-1 In Progress →  fail", "drained   →"]);
}

#[test]
fn that_codex_cannot_work_is_told_once_until_it_works_again() {
    let world = listening("- [ ] KB-1 first @made\n", ALL)
        .env("CODEX_BIN", "/no/codex")
        .env("KANBAN_INFRASTRUCTURE_LIMIT", "3");
    world.run(&["run"]).exits(4);
    world.run(&["run"]).exits(4);
    assert_eq!(told(&world), ["infrastructure   →"]);
    let codex = world.path("codex").display().to_string();
    let world = world.env("CODEX_BIN", codex);
    world.run(&["run"]).exits(0);
    world.edit("board.md", "## In Progress\n", "## In Progress\n\n- [ ] KB-2 more @made\n");
    let world = world.env("CODEX_BIN", "/no/codex");
    world.run(&["run"]).exits(4);
    assert_eq!(told(&world).iter().filter(|line| line.starts_with("infrastructure")).count(), 2);
}

#[test]
fn a_hook_that_fails_is_told_and_undoes_nothing() {
    let world = listening("- [ ] KB-1 first @made\n", "{ promoted: { shell: 'echo nobody is there >&2; exit 7' } }");
    world.run(&["run"]).exits(0).says("hook      onEvent.promoted of KB-1 failed: nobody is there").says("2 promoted");
    assert_eq!(world.places(), ["KB-1: Done"]);
}

#[test]
fn one_that_was_under_way_when_its_runner_died_is_not_repeated() {
    let world = listening("- [ ] KB-1 first @made\n", ALL).program(
        "hooks/news.sh",
        &format!("{LISTENER}[ -e \"$WORLD/go\" ] || {{ : >\"$WORLD/waiting\"; sleep 600; }}\n"),
    );
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    running.kill();
    fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0).says("onEvent.promoted of KB-1 failed: the runner died while it ran");
    assert_eq!(
        told(&world),
        ["promoted KB-1 In Progress → Review pass", "promoted KB-1 Review → Done pass", "drained   →"]
    );
}

#[test]
fn the_hook_is_a_gate_input() {
    let world = listening("- [ ] KB-1 first @made\n", ALL).codex("make made; echo 'exit 0' >hooks/news.sh");
    world.run(&["run"]).exits(0).says("hooks/news.sh");
    assert_eq!(world.places(), ["KB-1: Needs Specs"], "tampered");
    assert_eq!(told(&world), [] as [&str; 0], "what codex wrote is not run");
}

#[test]
fn dry_runs_tell_nobody() {
    let world = listening("- [ ] KB-1 first @made\n", ALL);
    world.run(&["dry-run"]).exits(0);
    assert!(!world.path("news").exists());
}

#[test]
fn a_wrong_listener_is_told_with_its_place() {
    for (on_event, told) in [
        ("{ promotd: { shell: a } }", "transitions.yaml:12:12: unknown key `promotd`"),
        ("{ promoted: { shell: a }, shell: b }", "a hook is one of `shell` and `js`"),
        ("{ promoted: a }", "a hook is one of `shell` and `js`"),
        ("[]", "a hook is one of `shell` and `js`"),
        ("{ shell: ./no.sh }", "`onEvent`: no.sh: no such file"),
        ("{ drained: { js: no.mjs } }", "transitions.yaml:12:12: `onEvent`: no.mjs: no such file"),
    ] {
        let outcome = listening("", on_event).run(&["print-plan"]).exits(2).warns(told);
        assert!(outcome.stderr.matches("no such file").count() <= 1, "{outcome}");
    }
}
